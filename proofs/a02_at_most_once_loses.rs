//! **A2. Commit, then handle: a crash in between loses the record.**
//!
//! Between the commit and the effect the group has passed a record that nobody has handled. A
//! process that dies there is followed by one that begins behind it.
//!
//! Proved for the preset `at-most-once` (one partition with one replica, one consumer, 2 records,
//! at most 2 of the faults producer crash, consumer crash, lost request and lost answer): a
//! shortest run to a loss has the crash between the two steps; without crashes of the consumer,
//! all other faults left in, nothing is lost; and the same crashes lose nothing if the order is
//! turned round. An exception in between is as good as a crash.

mod support;

use semel::Guarantee;
use support::{changed, judge, preset, story};

fn at_most_once() -> &'static str {
    preset("at-most-once")
}

#[test]
fn a_crash_between_commit_and_process_loses_the_record() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "commit: the group's committed offset is 1.",
        "The consumer's process dies after commit and before process of r0.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(at_most_once(), "consumer-crash"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(33, 53);
    judge(at_most_once())
        .violates(Guarantee::NoLoss)
        .explored(5_927, 15_513);
}

#[test]
fn the_crash_between_commit_and_process_was_reached() {
    judge(at_most_once()).reached("the consumer dies between commit and process");
}

#[test]
fn an_exception_between_commit_and_process_loses_the_record_too() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "commit: the group's committed offset is 1.",
        "Handling r0 fails before its effect, and the process ends.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(at_most_once(), "process-failure"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(15, 19);
}

#[test]
fn while_the_consumer_lives_nothing_is_lost() {
    let living = changed(at_most_once(), "consumer-crash = 1", "consumer-crash = 0");
    judge(&living)
        .holds(Guarantee::NoLoss)
        .reached("a record is sent again after its answer was lost")
        .explored(3_846, 9_853);
}

#[test]
fn with_the_order_turned_round_the_same_crashes_lose_nothing() {
    let turned = changed(
        at_most_once(),
        "\"commit -> process\"",
        "\"process -> commit\"",
    );
    judge(&turned)
        .holds(Guarantee::NoLoss)
        .reached("the consumer dies between process and commit")
        .explored(6_766, 17_497);
}
