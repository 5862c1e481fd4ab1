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
//!
//! Of two consumers one may be put out of the group between the two steps. Nothing is lost by that
//! alone, for it handles the record all the same; unless the sink refuses it as a zombie. What
//! protects from a repeat (fencing) costs a record here: the order is the wrong one for it.

use crate::support::{changed, judge, preset, story, two_instances, with_faults};
use semel::Guarantee;

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
        .explored(27, 39);
    judge(at_most_once())
        .violates(Guarantee::NoLoss)
        .explored(3_719, 9_380);
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
        .explored(14, 17);
}

#[test]
fn while_the_consumer_lives_nothing_is_lost() {
    let living = changed(at_most_once(), "consumer-crash = 1", "consumer-crash = 0");
    judge(&living)
        .holds(Guarantee::NoLoss)
        .reached("a record is sent again after its answer was lost")
        .explored(2_734, 6_336);
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
        .explored(4_163, 10_139);
}

#[test]
fn a_zombie_that_has_committed_still_handles_its_record() {
    let stands_still = with_faults(
        at_most_once(),
        "consumer-pause = 1\nslow-processing = 1\nrebalance = 1\ntotal = 2",
    );
    judge(&two_instances(&stands_still))
        .holds(Guarantee::NoLoss)
        .reached("consumer-pause")
        .reached("slow-processing")
        .reached("a consumer that was put out of the group writes to the sink")
        .explored(2_545, 6_897);
}

#[test]
fn a_sink_that_refuses_the_zombie_loses_the_record_that_it_committed() {
    let fenced = changed(at_most_once(), "[sink]", "[sink]\nfencing = true");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll of A returns r0 (offset 0).",
        "A: commit: the group's committed offset is 1.",
        "Consumer A takes longer than max.poll.interval.ms before process of r0: its client leaves the group, and its application goes on.",
        "The group assigns the partition to B, which reads from offset 1 (the committed offset).",
        "A: process of r0 is refused by the sink: a newer generation owns the partition. The consumer A drops what it has in hand, and joins again.",
        "Consumer A joins the group again: B gives the partition up, and A reads from offset 1 (the committed offset).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(&two_instances(&fenced), "slow-processing"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(40, 58);
}
