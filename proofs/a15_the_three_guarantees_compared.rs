//! **A15. The three delivery guarantees in one table.**
//!
//! | | a record may be lost | a record may be handled twice |
//! | --- | --- | --- |
//! | at-most-once | yes | no |
//! | at-least-once | no | yes |
//! | exactly-once | no | no |
//!
//! Each row is a preset: commit then process, process then commit, and the effect in one database
//! transaction with a unique mark of the record. A `yes` is a run, a `no` is a proof within the
//! bound, and all three are judged within the same one: one partition with one replica, one
//! consumer, 2 records, and at most 2 of the faults producer crash, consumer crash, lost request
//! and lost answer. The third row has to earn it against more: its producer also sends again what
//! its dead predecessor could not confirm, which the others' does not.

use crate::support::{changed, faults, judge, one_record, preset, story};
use semel::Guarantee;

const PRESETS: [&str; 3] = ["at-most-once", "at-least-once", "dedup-in-transaction"];

#[test]
fn the_table_is_what_the_presets_are_judged_to_be() {
    let row = |name: &'static str| {
        let judged = judge(preset(name));
        let may = |guarantee| !judged.keeps(guarantee);
        (
            name,
            may(Guarantee::NoLoss),
            may(Guarantee::NoDuplicates),
            may(Guarantee::ExactlyOnceEffect),
        )
    };
    //  preset                  lost   twice  sink may be wrong
    let table = [
        ("at-most-once", true, false, true),
        ("at-least-once", false, true, true),
        ("dedup-in-transaction", false, false, false),
    ];
    assert_eq!(PRESETS.map(row), table);
}

#[test]
fn the_presets_are_judged_within_one_bound() {
    let bounds = PRESETS.map(|name| judge(preset(name)).verdicts().bound().clone());
    assert_eq!(bounds[0], bounds[1]);
    assert_eq!(bounds[1], bounds[2]);
    assert_eq!((bounds[0].records, bounds[0].total), (2, 2));
}

#[test]
fn the_presets_have_these_sizes_in_both_engines() {
    judge(preset("at-most-once")).explored(3_719, 9_380);
    judge(preset("at-least-once")).explored(4_163, 10_139);
    judge(preset("dedup-in-transaction")).explored(9_453, 20_718);
}

#[test]
fn one_crash_of_the_consumer_is_enough_for_each_yes() {
    for (name, guarantee) in [
        ("at-most-once", Guarantee::NoLoss),
        ("at-least-once", Guarantee::NoDuplicates),
    ] {
        let judged = judge(&story(preset(name), "consumer-crash"));
        assert_eq!(faults(judged.run_against(guarantee)), ["consumer-crash"]);
    }
}

#[test]
fn each_no_was_put_to_the_test() {
    judge(preset("at-most-once")).reached("the consumer dies between commit and process");
    judge(preset("at-least-once")).reached("the consumer dies between process and commit");
    judge(preset("dedup-in-transaction"))
        .reached("the consumer dies between db[process, remember] and commit")
        .reached("the dedup store recognises a record");
}

#[test]
fn without_its_transaction_the_third_row_is_the_second_again() {
    let loose = changed(
        preset("dedup-in-transaction"),
        "skip-if-seen -> db[process, remember] -> commit",
        "skip-if-seen -> process -> remember -> commit",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "skip-if-seen: the dedup store does not know r0.",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before remember of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "skip-if-seen: the dedup store does not know r0.",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&loose))
        .holds(Guarantee::NoLoss)
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(586, 1_186);
}
