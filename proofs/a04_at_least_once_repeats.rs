//! **A4. Handle, then commit: a crash in between handles the record twice.**
//!
//! Between the effect and the commit the record is handled, and the group does not know it. A
//! process that dies there is followed by one that reads the record again.
//!
//! Proved for the preset `at-least-once` (one partition with one replica, one consumer, 2 records,
//! at most 2 of the faults producer crash, consumer crash, lost request and lost answer): a
//! shortest run to a repeat has the crash between the two steps; without crashes of the consumer,
//! all other faults left in, nothing is handled twice; nor with them if the order is turned round.
//! An exception after the effect is as good as a crash.
//!
//! Two consumers need no crash: one that takes too long is put out of the group, finishes what it
//! has in hand, and so does the new owner. A rebalance alone repeats nothing, because a consumer
//! gives the partition up in a poll, when everything in its hands is handled and committed.

use crate::support::{changed, judge, preset, story, two_instances, with_faults};
use semel::Guarantee;

fn at_least_once() -> &'static str {
    preset("at-least-once")
}

#[test]
fn a_crash_between_process_and_commit_handles_the_record_twice() {
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
    judge(at_least_once())
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(4_163, 10_139);
}

#[test]
fn the_crash_between_process_and_commit_was_reached() {
    judge(at_least_once()).reached("the consumer dies between process and commit");
}

#[test]
fn an_exception_after_the_effect_handles_the_record_twice_too() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "Handling r0 fails after its effect (the effect of r0 takes place), and the process ends.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(at_least_once(), "process-failure-late"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(17, 20);
}

#[test]
fn while_the_consumer_lives_nothing_is_handled_twice() {
    let living = changed(at_least_once(), "consumer-crash = 1", "consumer-crash = 0");
    judge(&living)
        .holds(Guarantee::NoDuplicates)
        .reached("a record is sent again after its answer was lost")
        .explored(2_724, 6_312);
}

#[test]
fn with_the_order_turned_round_the_same_crashes_repeat_nothing() {
    let turned = changed(
        at_least_once(),
        "\"process -> commit\"",
        "\"commit -> process\"",
    );
    judge(&turned)
        .holds(Guarantee::NoDuplicates)
        .reached("the consumer dies between commit and process")
        .explored(3_719, 9_380);
}

#[test]
fn two_consumers_that_only_rebalance_handle_no_record_twice() {
    judge(&two_instances(&with_faults(
        at_least_once(),
        "rebalance = 2",
    )))
    .holds(Guarantee::NoDuplicates)
    .reached("rebalance")
    .explored(165, 340);
}

#[test]
fn a_consumer_that_is_too_slow_handles_what_the_new_owner_handles() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "Consumer A takes longer than max.poll.interval.ms before process of r0: its client leaves the group, and its application goes on.",
        "A: process: the effect of r0 takes place.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&two_instances(at_least_once()), "slow-processing"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .reached("a consumer that was put out of the group writes to the sink")
        .explored(43, 64);
}
