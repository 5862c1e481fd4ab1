//! **A5. Handle, write to the database, commit: a crash before the commit writes twice, unless
//! something guards the write.**
//!
//! The database and the group's offset are two systems. Whichever order they are written in, a
//! crash falls in between; what helps is to make the second write of the same record harmless:
//! - a unique mark of the record, in the transaction of its effect;
//! - the next offset, in the transaction of the effect, and read from there at each start;
//! - an effect that may be repeated, or a provider that recognises a repeated call by its key.
//!
//! Each guard falls with its own condition: the mark must be in the same transaction, and the
//! saved offset must be what the consumer starts from.
//!
//! With two consumers, one of them a zombie, the unique mark and the provider's key still guard.
//! An effect that may be repeated does not: a zombie repeats an older one behind a newer one. The
//! saved offset needs a sink that refuses the zombie; that is a theorem of its own
//! (`z01_a_zombie_overwrites_what_nobody_fences`).
//!
//! Proved: `exactly-once-effect` for Java clients with an idempotent producer that sends nothing
//! again after a restart, one partition with one replica, one consumer, 2 records, and at most 2
//! of the faults producer crash, consumer crash (both of them, if need be), lost answer of the
//! sink, and lost answer of a broker. For two consumers: at most 2 of the faults consumer crash,
//! consumer pause, slow processing and rebalance.

use crate::support::{
    GROUP_SITUATIONS, changed, contended, judge, story, two_instances, with_faults,
};
use semel::Guarantee;

const UNGUARDED: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "process -> commit"
on-restart = "forget"

[sink]
effect = "add"

[faults]
producer-crash = 1
consumer-crash = 2
sink-answer-lost = 1
response-lost = 1
total = 2

[bounds]
records = 2
"#;

fn with_order(order: &str) -> String {
    changed(UNGUARDED, "process -> commit", order)
}

fn with_effect(effect: &str) -> String {
    changed(UNGUARDED, "effect = \"add\"", effect)
}

#[test]
fn without_a_guard_a_crash_before_the_commit_applies_the_record_twice() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "process: the effect of r0 takes place a second time.",
        "commit: the group's committed offset is 1.",
    ];
    let end = "r0: the effect is in the sink twice.";
    judge(&story(UNGUARDED, "consumer-crash"))
        .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
        .reached("the consumer dies between process and commit")
        .explored(30, 42);
}

#[test]
fn a_unique_mark_in_the_transaction_guards_the_effect() {
    judge(&with_order("db[process, remember] -> commit"))
        .holds(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoDuplicates)
        .reached("the consumer dies between db[process, remember] and commit")
        .reached("the dedup store recognises a record")
        .reached("sink-answer-lost")
        .explored(2_418, 6_400);
}

#[test]
fn the_offset_in_the_transaction_guards_the_effect() {
    judge(&with_order("db[process, save-offset]"))
        .holds(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoDuplicates)
        .reached("consumer-crash")
        .reached("sink-answer-lost")
        .explored(1_455, 3_913);
}

#[test]
fn an_effect_that_may_be_repeated_needs_no_guard() {
    let repeatable = judge(&with_effect("effect = \"upsert\""));
    repeatable
        .holds(Guarantee::ExactlyOnceEffect)
        .reached("the consumer dies between process and commit")
        .explored(2_833, 7_114);
    repeatable.violates(Guarantee::NoDuplicates);
}

#[test]
fn a_provider_that_knows_the_key_guards_the_effect() {
    judge(&with_effect("effect = \"external\"")).violates(Guarantee::ExactlyOnceEffect);
    judge(&with_effect(
        "effect = \"external\"\nidempotency-key = true",
    ))
    .holds(Guarantee::ExactlyOnceEffect)
    .reached("the consumer dies between process and commit")
    .explored(2_418, 6_400);
}

#[test]
fn a_mark_outside_the_transaction_guards_nothing() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "skip-if-seen: the dedup store does not know r0.",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before remember of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "skip-if-seen: the dedup store does not know r0.",
        "process: the effect of r0 takes place a second time.",
        "remember: r0 is in the dedup store.",
        "commit: the group's committed offset is 1.",
    ];
    let end = "r0: the effect is in the sink twice.";
    judge(&story(
        &with_order("skip-if-seen -> process -> remember -> commit"),
        "consumer-crash",
    ))
    .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
    .reached("the consumer dies between process and remember")
    .explored(44, 62);
}

#[test]
fn a_saved_offset_that_nobody_seeks_to_guards_nothing() {
    let unsought = changed(
        &with_order("db[process, save-offset]"),
        "[application]",
        "[application]\nseek-on-assign = false",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "The consumer's process dies between two polls, with nothing in hand.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect is in the sink twice.";
    judge(&story(&unsought, "consumer-crash"))
        .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
        .explored(24, 33);
}

#[test]
fn a_unique_mark_guards_the_effect_from_a_zombie() {
    judge(&contended(&with_order("db[process, remember] -> commit")))
        .holds(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoDuplicates)
        .reached_all(&GROUP_SITUATIONS)
        .explored(4_278, 14_298);
}

#[test]
fn a_provider_that_knows_the_key_guards_the_effect_from_a_zombie() {
    judge(&contended(&with_effect(
        "effect = \"external\"\nidempotency-key = true",
    )))
    .holds(Guarantee::ExactlyOnceEffect)
    .holds(Guarantee::NoDuplicates)
    .reached_all(&GROUP_SITUATIONS)
    .explored(4_278, 14_298);
}

#[test]
fn an_effect_that_may_be_repeated_may_not_be_repeated_by_a_zombie() {
    let two = two_instances(&with_effect("effect = \"upsert\""));
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "The acknowledgement of r0 reaches the producer.",
        "The acknowledgement of r1 reaches the producer.",
        "A poll of A returns r0 (offset 0).",
        "Consumer A takes longer than max.poll.interval.ms before process of r0: its client leaves the group, and its application goes on.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0) and r1 (offset 1).",
        "B: process: the effect of r0 takes place.",
        "B: commit: the group's committed offset is 1.",
        "B: process: the effect of r1 takes place.",
        "A: process: the effect of r0 takes place a second time.",
        "A: commit: the coordinator refuses it, for the consumer A is no longer a member; it drops what it has in hand, and joins again.",
        "B: commit: the group's committed offset is 2.",
        "Consumer A joins the group again: B gives the partition up, and A reads from offset 2 (the committed offset).",
    ];
    let end = "The sink holds an older record's value where a newer confirmed one should stand.";
    judge(&with_faults(&two, "slow-processing = 1"))
        .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
        .explored(344, 645);
}
