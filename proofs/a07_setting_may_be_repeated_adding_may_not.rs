//! **A7. Setting a status may be repeated, adding to a balance may not.**
//!
//! `status = ACTIVE` written twice is written. 5000 added twice is 10000. Under the same faults the
//! same repeats leave the first sink as it should be and the second one wrong.
//!
//! The condition is that repeats come in order: a row in which the last write wins ends wrong when
//! an old record is repeated *behind* a newer one. A consumer that reads on to the end of the log
//! after each restart is harmless in this respect; a producer whose retry lands behind a later
//! record is not.
//!
//! Proved: `exactly-once-effect` for Java clients with an idempotent producer, whole polls of up to
//! 2 records handled and then committed, one partition with one replica, one consumer, 2 records
//! of one key, and at most 2 of the faults consumer crash, lost commit and lost answer of a broker.

use crate::support::{changed, judge};
use semel::Guarantee;

const SETTING: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "each(process) -> commit"
commit-covers = "position"

[sink]
effect = "upsert"

[faults]
consumer-crash = 2
request-lost.offset-commit = 1
response-lost = 1
total = 2

[bounds]
records = 2
"#;

#[test]
fn a_repeated_status_is_the_same_status() {
    judge(SETTING)
        .holds(Guarantee::ExactlyOnceEffect)
        .explored(1_979, 4_824);
}

#[test]
fn the_status_was_written_twice() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(SETTING)
        .reached("the consumer dies between process and commit")
        .is_broken(Guarantee::NoDuplicates, &steps, end);
}

#[test]
fn a_repeated_addition_is_another_sum() {
    let adding = changed(SETTING, "\"upsert\"", "\"add\"");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The application sends r1.",
        "The broker appends r0 at offset 0.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "The acknowledgement of r0 reaches the producer.",
        "The acknowledgement of r1 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place) and r1 (offset 1).",
        "process: the effect of r0 takes place a second time.",
        "process: the effect of r1 takes place.",
        "commit: the group's committed offset is 2.",
    ];
    let end = "r0: the effect is in the sink twice.";
    judge(&adding)
        .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
        .explored(1_966, 4_810);
}

#[test]
fn an_old_status_repeated_behind_a_newer_one_overwrites_it() {
    let plain = changed(
        SETTING,
        "enable.idempotence = true",
        "enable.idempotence = false",
    );
    let steps = [
        "The application sends r0.",
        "The application sends r1.",
        "The producer puts r0 on the wire.",
        "The producer puts r1 on the wire.",
        "The broker appends r0 at offset 0.",
        "The broker's answer for r0 is lost; r0 will be retried.",
        "The producer puts r0 on the wire again (retry 1).",
        "The broker appends r1 at offset 1.",
        "The broker appends r0 at offset 2, a second entry of the same record.",
        "The acknowledgement of r1 reaches the producer.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
        "commit: the group's committed offset is 1.",
        "A poll returns r1 (offset 1) and r0 (offset 2; its effect already took place).",
        "process: the effect of r1 takes place.",
        "process: the effect of r0 takes place a second time.",
        "commit: the group's committed offset is 3.",
    ];
    let end = "The sink holds an older record's value where a newer confirmed one should stand.";
    judge(&plain)
        .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
        .explored(2_488, 5_601);
}
