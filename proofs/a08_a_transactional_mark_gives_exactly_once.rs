//! **A8. At-least-once and a consumer that checks whether it has handled the record already: each
//! record has its effect once, if effect and mark are one transaction.**
//!
//! What decides is the unique mark in the transaction of the effect. A second transaction for the
//! same record cannot commit, whatever made it run: a crash before the offset was committed, or a
//! second entry of the record in the log. The look-up only saves the attempt, so it may stand
//! before the transaction, in it, or nowhere.
//!
//! Except in one place. Between effect and mark it undoes the guard: the effect has happened by
//! then, and a record that is found to be known has its insert left out, which would have refused
//! it.
//!
//! Conditions, each with what happens without it: the mark is in the transaction (otherwise a crash
//! falls between the two, and the record has its effect twice or never, depending on which comes
//! first), and it names the record and not the place in the log.
//!
//! A plain insert refuses nothing, so with it the look-up is the guard. For *one* consumer that is
//! enough, because nobody writes between its look-up and its insert: the states are the same ones,
//! and what uniqueness adds shows only where nobody looks.
//!
//! Of *two* consumers one may be a zombie: it was taken for dead, the other has its partition, and
//! it goes on with the records in its hands. Both look before either inserts, and both write. The
//! transaction around look-up and insert does not help (read committed: a look-up waits for
//! nobody); the unique insert does. A rebalance makes no zombie as long as the client waits for a
//! poll before it gives the partition up. The Java client of the consumer protocol before 4.2.1
//! does not wait if no listener is registered (KAFKA-20332), and there a rebalance is enough.
//!
//! Proved: `no-duplicates`, `exactly-once-effect` and `no-loss` for the preset
//! `dedup-in-transaction` and with its look-up in each other place (before the transaction and for
//! whole polls with 2 records, in it and without any with 1), that is for Java clients with a
//! producer that sends unconfirmed records again, one partition with one replica, one consumer, and
//! at most 2 of the faults producer crash, consumer crash, lost request and lost answer. With two
//! consumers for 2 records, and at most 2 of the faults consumer crash, consumer pause, slow
//! processing and rebalance, under the classic protocol and the consumer protocol.

use crate::support::{
    GROUP_SITUATIONS, changed, consumer_protocol, contended, judge, one_record, preset, story,
    two_instances, with_faults,
};
use semel::Guarantee;

const LOOK_UP_FIRST: &str = "skip-if-seen -> db[process, remember] -> commit";

fn with_order(order: &str) -> String {
    changed(preset("dedup-in-transaction"), LOOK_UP_FIRST, order)
}

fn with_plain_insert(order: &str) -> String {
    changed(
        &with_order(order),
        "dedup-insert = \"unique\"",
        "dedup-insert = \"plain\"",
    )
}

/// Claims that each record has its effect once.
#[track_caller]
fn handles_each_record_once(design: &str, unique_states: u64, transitions: u64) {
    judge(design)
        .holds(Guarantee::NoDuplicates)
        .holds(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoLoss)
        .reached("the dedup store recognises a record")
        .explored(unique_states, transitions);
}

#[test]
fn a_look_up_before_the_transaction_and_a_unique_mark_in_it_give_exactly_once() {
    let order = LOOK_UP_FIRST;
    handles_each_record_once(&with_order(order), 9_453, 20_718);
}

#[test]
fn a_look_up_in_the_transaction_before_the_effect_gives_exactly_once() {
    let order = "db[skip-if-seen, process, remember] -> commit";
    handles_each_record_once(&one_record(&with_order(order)), 354, 755);
}

#[test]
fn a_unique_mark_after_the_effect_without_a_look_up_gives_exactly_once() {
    let order = "db[process, remember] -> commit";
    handles_each_record_once(&one_record(&with_order(order)), 354, 755);
}

#[test]
fn a_unique_mark_before_the_effect_without_a_look_up_gives_exactly_once() {
    let order = "db[remember, process] -> commit";
    handles_each_record_once(&one_record(&with_order(order)), 354, 755);
}

#[test]
fn a_transaction_for_each_record_of_a_poll_gives_exactly_once() {
    let order = "each(skip-if-seen -> db[process, remember]) -> commit";
    handles_each_record_once(&with_order(order), 9_333, 20_275);
}

#[test]
fn one_transaction_for_a_whole_poll_gives_exactly_once() {
    let order = "db[each(process -> remember)] -> commit";
    handles_each_record_once(&with_order(order), 6_674, 14_973);
}

#[test]
fn the_consumer_died_between_the_transaction_and_the_commit() {
    judge(preset("dedup-in-transaction"))
        .reached("the consumer dies between db[process, remember] and commit")
        .reached("the consumer dies between skip-if-seen and db[process, remember]")
        .reached("producer-crash");
}

#[test]
fn a_look_up_between_effect_and_mark_undoes_the_guard() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "db[process, skip-if-seen, remember] of r0 is committed to the database: the effect of r0 takes place and the dedup store has the record.",
        "The consumer's process dies after db[process, skip-if-seen, remember] and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "db[process, skip-if-seen, remember] of r0 is committed to the database: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&with_order(
        "db[process, skip-if-seen, remember] -> commit",
    )))
    .is_broken(Guarantee::NoDuplicates, &steps, end)
    .explored(385, 795);
}

#[test]
fn a_mark_after_the_effect_in_a_write_of_its_own_lets_it_happen_twice() {
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
    judge(&one_record(&with_order(
        "skip-if-seen -> process -> remember -> commit",
    )))
    .is_broken(Guarantee::NoDuplicates, &steps, end)
    .explored(586, 1_186);
}

#[test]
fn a_mark_before_the_effect_in_a_write_of_its_own_lets_it_never_happen() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "skip-if-seen: the dedup store does not know r0.",
        "remember: r0 is in the dedup store.",
        "The consumer's process dies after remember and before process of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0).",
        "skip-if-seen: the dedup store knows r0; it will be skipped.",
        "r0 is skipped: it is not inserted.",
        "r0 is skipped: its effect does not take place.",
        "commit: the group's committed offset is 1.",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(
        &with_order("skip-if-seen -> remember -> process -> commit"),
        "consumer-crash",
    ))
    .holds(Guarantee::NoDuplicates)
    .is_broken(Guarantee::NoLoss, &steps, end)
    .explored(44, 62);
}

#[test]
fn a_mark_of_the_place_in_the_log_does_not_recognise_a_record_that_was_sent_again() {
    let by_place = changed(
        preset("dedup-in-transaction"),
        "dedup-key = \"record\"",
        "dedup-key = \"offset\"",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The producer's process dies and starts again with a new producer id.",
        "After its restart the application sends r0 again, which it never saw acknowledged.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "skip-if-seen: the dedup store does not know r0.",
        "db[process, remember] of r0 is committed to the database: the effect of r0 takes place and the dedup store has the record.",
        "commit: the group's committed offset is 1.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "skip-if-seen: the dedup store does not know r0.",
        "db[process, remember] of r0 is committed to the database: the effect of r0 takes place a second time and the dedup store has the record.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&by_place))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(425, 904);
}

#[test]
fn a_plain_insert_is_enough_for_one_consumer_that_looks_first() {
    handles_each_record_once(&one_record(&with_plain_insert(LOOK_UP_FIRST)), 420, 899);
    let inside = "db[skip-if-seen, process, remember] -> commit";
    handles_each_record_once(&one_record(&with_plain_insert(inside)), 354, 755);
}

#[test]
fn a_plain_insert_without_a_look_up_guards_nothing() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "db[process, remember] of r0 is committed to the database: the effect of r0 takes place and the dedup store has the record.",
        "The consumer's process dies after db[process, remember] and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "db[process, remember] of r0 is committed to the database: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&with_plain_insert(
        "db[process, remember] -> commit",
    )))
    .is_broken(Guarantee::NoDuplicates, &steps, end)
    .explored(385, 795);
}

/// Where the look-up may stand, or be left out.
#[test]
fn two_consumers_and_a_unique_mark_in_the_transaction_give_exactly_once() {
    for (order, unique_states, transitions) in [
        (LOOK_UP_FIRST, 7_547, 24_067),
        (
            "db[skip-if-seen, process, remember] -> commit",
            7_547,
            24_067,
        ),
        ("db[process, remember] -> commit", 4_278, 14_298),
        ("db[remember, process] -> commit", 4_278, 14_298),
        ("db[each(process -> remember)] -> commit", 4_145, 13_858),
    ] {
        judge(&contended(&with_order(order)))
            .holds(Guarantee::NoDuplicates)
            .holds(Guarantee::ExactlyOnceEffect)
            .holds(Guarantee::NoLoss)
            .reached_all(&GROUP_SITUATIONS)
            .reached("the dedup store recognises a record")
            .explored(unique_states, transitions);
    }
}

#[test]
fn it_does_so_where_the_partition_is_given_up_behind_the_applications_back() {
    let two = consumer_protocol(&contended(&with_order(LOOK_UP_FIRST)), "4.1");
    judge(&one_record(&two))
        .holds(Guarantee::NoDuplicates)
        .holds(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoLoss)
        .reached_all(&GROUP_SITUATIONS)
        .explored(1_502, 4_592);
}

#[test]
fn behind_a_plain_insert_a_zombie_and_the_new_owner_both_look_and_find_nothing() {
    let two = two_instances(&with_plain_insert(LOOK_UP_FIRST));
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "Consumer A stands still between two polls; its session expires, and the group goes on without it. It does not know.",
        "A poll of A returns r0 (offset 0).",
        "A: skip-if-seen: the dedup store does not know r0.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0).",
        "B: skip-if-seen: the dedup store does not know r0.",
        "A: db[process, remember] of r0 is committed to the database: the effect of r0 takes place and the dedup store has the record.",
        "B: db[process, remember] of r0 is committed to the database: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&two, "consumer-pause"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(107, 187);
}

#[test]
fn a_look_up_in_the_transaction_waits_for_nobody() {
    let two = two_instances(&with_plain_insert(
        "db[skip-if-seen, process, remember] -> commit",
    ));
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "Consumer A stands still before db[skip-if-seen, process, remember] of r0; its session expires, and the group goes on without it. It does not know.",
        "A: db[skip-if-seen, process, remember] of r0 begins: its look-up does not find it in the dedup store.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0).",
        "B: db[skip-if-seen, process, remember] of r0 begins: its look-up does not find it in the dedup store.",
        "A: db[skip-if-seen, process, remember] of r0 is committed to the database: the effect of r0 takes place and the dedup store has the record.",
        "B: db[skip-if-seen, process, remember] of r0 is committed to the database: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&two, "consumer-pause"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(107, 187);
}

#[test]
fn a_unique_mark_in_a_write_of_its_own_comes_too_late_for_a_zombie() {
    let two = two_instances(&with_order("skip-if-seen -> process -> remember -> commit"));
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "Consumer A stands still between two polls; its session expires, and the group goes on without it. It does not know.",
        "A poll of A returns r0 (offset 0).",
        "A: skip-if-seen: the dedup store does not know r0.",
        "A: process: the effect of r0 takes place.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: skip-if-seen: the dedup store does not know r0.",
        "B: process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&two, "consumer-pause"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(133, 231);
}

#[test]
fn a_plain_insert_is_enough_for_two_consumers_that_give_the_partition_up_in_a_poll() {
    let calm = with_faults(
        &with_plain_insert(LOOK_UP_FIRST),
        "consumer-crash = 1\nrebalance = 2\ntotal = 2",
    );
    judge(&two_instances(&calm))
        .holds(Guarantee::NoDuplicates)
        .holds(Guarantee::ExactlyOnceEffect)
        .reached("the partition goes to the other consumer")
        .explored(967, 2_433);
}

#[test]
fn a_plain_insert_is_not_enough_where_it_is_given_up_behind_the_applications_back() {
    let two = two_instances(&with_plain_insert(LOOK_UP_FIRST));
    let moved = |version| consumer_protocol(&story(&two, "rebalance"), version);
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "A: skip-if-seen: the dedup store does not know r0.",
        "The group rebalances: B gets the partition and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0).",
        "B: skip-if-seen: the dedup store does not know r0.",
        "A: db[process, remember] of r0 is committed to the database: the effect of r0 takes place and the dedup store has the record.",
        "B: db[process, remember] of r0 is committed to the database: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&moved("4.1"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(52, 81);
    judge(&moved("4.3"))
        .holds(Guarantee::NoDuplicates)
        .reached("rebalance")
        .explored(23, 32);
}
