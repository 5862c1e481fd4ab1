//! **A1. Commit, then handle: no record is handled twice.**
//!
//! A consumer that commits the next offset, waits until that is done, and only then handles the
//! record leaves nothing behind that a restart could read again: whatever was handled lies below
//! the committed offset.
//!
//! It stands on three conditions, and falls with each of them:
//! - the log holds no record twice: behind a producer whose retries the broker cannot recognise,
//!   or that sends again after its own restart, the second entry is a record like any other;
//! - the committed offset never goes back: the coordinator does not compare it with the one before,
//!   so a commit that was held up on the way takes the group back;
//! - the commit is known to be done before the record is handled: not if its failure is ignored.
//!
//! Two consumers of a group change nothing: of a zombie and the new owner only one can have
//! committed a record's offset in the generation in which it read it, and only that one handles it.
//! What it needs is a coordinator that refuses the other's commit. It does not where the consumers
//! assign the partition to themselves, nor where a client gives the partition up while the
//! application has records in hand and is still a member (Java, consumer protocol, before 4.2.1,
//! no listener: KAFKA-20332).
//!
//! Proved: `no-duplicates` for the preset `at-most-once`, that is for Java clients, one partition
//! with one replica, one consumer, 2 records, and at most 2 of the faults producer crash, consumer
//! crash, lost request and lost answer; and for two consumers with at most 2 of the faults consumer
//! crash, consumer pause, slow processing and rebalance. Everything else here is that design with one change,
//! and where a single record is enough to break it, with a single record.

use crate::support::{
    GROUP_SITUATIONS, changed, consumer_protocol, contended, judge, one_record, preset, story,
    two_instances,
};
use semel::Guarantee;

fn at_most_once() -> &'static str {
    preset("at-most-once")
}

#[test]
fn commit_then_process_handles_no_record_twice() {
    judge(at_most_once())
        .holds(Guarantee::NoDuplicates)
        .explored(3_719, 9_380);
}

#[test]
fn the_consumer_died_on_both_sides_of_the_effect_and_the_producer_retried() {
    judge(at_most_once())
        .reached("the consumer dies between commit and process")
        .reached("a record is sent again after its answer was lost")
        .reached("consumer-crash")
        .reached("producer-crash")
        .reached("request-lost")
        .reached("response-lost");
}

#[test]
fn with_the_order_turned_round_a_record_is_handled_twice() {
    let turned = changed(
        at_most_once(),
        "\"commit -> process\"",
        "\"process -> commit\"",
    );
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
    judge(&one_record(&turned))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(267, 580);
}

#[test]
fn a_retry_that_the_broker_does_not_recognise_is_handled_as_well() {
    let plain = changed(
        at_most_once(),
        "enable.idempotence = true",
        "enable.idempotence = false",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The broker's answer for r0 is lost; r0 will be retried.",
        "The producer puts r0 on the wire again (retry 1).",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "commit: the group's committed offset is 1.",
        "process: the effect of r0 takes place.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "commit: the group's committed offset is 2.",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&plain))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(320, 623);
}

#[test]
fn a_record_sent_again_by_a_new_producer_process_is_handled_as_well() {
    let resending = changed(at_most_once(), "\"forget\"", "\"resend-unconfirmed\"");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The producer's process dies and starts again with a new producer id.",
        "After its restart the application sends r0 again, which it never saw acknowledged.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "commit: the group's committed offset is 1.",
        "process: the effect of r0 takes place.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "commit: the group's committed offset is 2.",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&resending))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(349, 739);
}

#[test]
fn a_late_commit_takes_the_group_back_and_a_record_is_handled_twice() {
    let delayed = changed(
        at_most_once(),
        "total = 2",
        "request-delayed.offset-commit = 1\ntotal = 2",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "A poll returns r0 (offset 0) and r1 (offset 1).",
        "The commit request is held up and times out; the application will commit again.",
        "commit: the group's committed offset is 1.",
        "process: the effect of r0 takes place.",
        "commit: the group's committed offset is 2.",
        "process: the effect of r1 takes place.",
        "The consumer's process dies between two polls, with nothing in hand.",
        "The late commit of offset 1 reaches the group coordinator and is taken.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
        "A poll returns r1 (offset 1; its effect already took place).",
        "commit: the group's committed offset is 2.",
        "process: the effect of r1 takes place a second time.",
    ];
    let end = "r1: the effect took place twice.";
    judge(&delayed)
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .reached("a late request arrives")
        .explored(4_529, 11_367);
}

#[test]
fn a_commit_whose_failure_is_ignored_does_not_come_first() {
    let careless = changed(
        at_most_once(),
        "[application]",
        "[application]\non-commit-failure = \"ignore\"",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "The commit request is lost; the application goes on.",
        "process: the effect of r0 takes place.",
        "The consumer's process dies between two polls, with nothing in hand.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "commit: the group's committed offset is 1.",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&careless))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(248, 560);
}

#[test]
fn of_a_zombie_and_the_new_owner_only_one_handles_the_record() {
    judge(&contended(at_most_once()))
        .holds(Guarantee::NoDuplicates)
        .reached_all(&GROUP_SITUATIONS)
        .reached("a commit of a consumer that was put out of the group arrives")
        .explored(3_661, 11_985);
}

#[test]
fn a_zombie_that_ignores_the_refusal_of_its_commit_handles_the_record_as_well() {
    let careless = changed(
        &two_instances(at_most_once()),
        "[application]",
        "[application]\non-commit-failure = \"ignore\"",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "Consumer A takes longer than max.poll.interval.ms before commit of r0: its client leaves the group, and its application goes on.",
        "A: commit: the coordinator refuses it, for the consumer A is no longer a member; it goes on all the same.",
        "A: process: the effect of r0 takes place.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: commit: the group's committed offset is 1.",
        "B: process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&careless, "slow-processing"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(50, 76);
}

#[test]
fn a_client_that_gives_the_partition_up_between_two_steps_commits_for_a_record_of_another() {
    let moved =
        |version| consumer_protocol(&two_instances(&story(at_most_once(), "rebalance")), version);
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "The group rebalances: B gets the partition and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A: commit: the group's committed offset is 1.",
        "A: process: the effect of r0 takes place.",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: commit: the group's committed offset is 1.",
        "B: process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&moved("4.1"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(35, 52);
    judge(&moved("4.3"))
        .holds(Guarantee::NoDuplicates)
        .reached("rebalance")
        .explored(20, 28);
}

#[test]
fn two_consumers_that_assign_the_partition_to_themselves_both_handle_the_record() {
    let assigned = changed(
        &two_instances(at_most_once()),
        "[application]",
        "[application]\nassignment = \"assign\"",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "A: commit: the group's committed offset is 1.",
        "A: process: the effect of r0 takes place.",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: commit: the group's committed offset is 1.",
        "B: process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&assigned, "consumer-crash"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(106, 233);
}
