//! **A consumer that hands its records to worker threads loses some in a crash, unless it commits
//! no further than the first record that is not done.**
//!
//! The loop polls on while the workers work, so what a poll returned is no longer what is done.
//! Three of four usual commits pass over a record in a worker's hands, and a crash then loses it:
//! - automatic commit: Java commits what earlier polls returned, librdkafka what was handed over;
//! - the loop's bare `commitSync()`, for the same reason (one worker is enough);
//! - the highest record that is done, and librdkafka's offset store filled by the workers, which is
//!   the same thing (it takes two workers).
//!
//! The offset up to which everything is done loses nothing, and repeats, like every at-least-once.
//! What it does not restore is the order: two workers handle two records of one key in either order,
//! without any fault. A unique mark in the transaction (A8) takes care of the repeats.
//!
//! Proved: `no-loss` for contiguous commits with 2 workers, Java clients with an idempotent producer,
//! one partition with one replica, 2 records, and at most one crash of the consumer and one lost
//! commit; and for two consumers with a crash or a rebalance.

use crate::support::{changed, judge, one_record, two_instances, with_faults};
use semel::Guarantee;

const CONTIGUOUS: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
workers = 2
order = "process -> commit"
commit-covers = "contiguous"

[sink]
effect = "add"

[faults]
consumer-crash = 1
request-lost.offset-commit = 1

[bounds]
records = 2
"#;

const LOST: &str =
    "r0: confirmed to the application, without an effect, and never delivered any more.";

fn that_crash(design: &str) -> String {
    with_faults(design, "consumer-crash = 1")
}

fn covering(covers: &str) -> String {
    that_crash(&changed(
        CONTIGUOUS,
        "\"contiguous\"",
        &format!("\"{covers}\""),
    ))
}

/// The client commits on its own what the poll loop has handed to one worker.
fn automatic(client: &str) -> String {
    let design = changed(CONTIGUOUS, "\"java\"", &format!("\"{client}\""));
    let design = changed(&design, "commit-covers = \"contiguous\"\n", "");
    let design = changed(&design, "process -> commit", "process");
    let design = changed(
        &design,
        "enable.auto.commit = false",
        "enable.auto.commit = true",
    );
    that_crash(&changed(&design, "workers = 2", "workers = 1"))
}

#[test]
fn contiguous_commits_lose_nothing() {
    judge(CONTIGUOUS)
        .holds(Guarantee::NoLoss)
        .holds(Guarantee::Progress)
        .violates(Guarantee::NoDuplicates)
        .reached("the consumer dies while its workers have records")
        .reached("request-lost.offset-commit")
        .explored(590, 1_235);
}

#[test]
fn two_consumers_with_contiguous_commits_lose_nothing() {
    let two = two_instances(&with_faults(
        CONTIGUOUS,
        "consumer-crash = 1\nrebalance = 1\ntotal = 1",
    ));
    judge(&two)
        .holds(Guarantee::NoLoss)
        .reached("the consumer dies while its workers have records")
        .reached("rebalance")
        .explored(1_279, 2_855);
}

#[test]
fn automatic_commit_loses_what_a_worker_has_in_hand() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0), handed to the workers.",
        "enable.auto.commit: the client sends a commit of offset 1 on its own.",
        "The commit of offset 1 reaches the group coordinator.",
        "The consumer's process dies while its workers have r0.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
    ];
    judge(&one_record(&automatic("java")))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .reached("the consumer dies while its workers have records")
        .explored(77, 151);
    judge(&one_record(&automatic("librdkafka")))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .explored(42, 65);
}

#[test]
fn automatic_commit_loses_nothing_where_the_poll_loop_does_the_work() {
    let alone = changed(&automatic("java"), "workers = 1\n", "");
    judge(&alone)
        .holds(Guarantee::NoLoss)
        .reached("consumer-crash")
        .explored(354, 866);
}

#[test]
fn a_bare_commit_of_the_poll_loop_loses_what_a_worker_has_in_hand() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0), handed to the workers.",
        "commit: the loop commits all that it has polled; the group's committed offset is 1.",
        "The consumer's process dies while its workers have r0.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
    ];
    let one_worker = changed(&covering("position"), "workers = 2", "workers = 1");
    judge(&one_record(&one_worker))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .explored(38, 55);
}

#[test]
fn a_commit_of_the_highest_record_that_is_done_loses_a_lower_one() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The application sends r1.",
        "The broker appends r0 at offset 0.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "The acknowledgement of r0 reaches the producer.",
        "The acknowledgement of r1 reaches the producer.",
        "A poll returns r0 (offset 0) and r1 (offset 1), handed to the workers.",
        "A worker does process of r1: the effect of r1 takes place.",
        "commit: the loop commits what its workers have done; the group's committed offset is 2.",
        "The consumer's process dies while its workers have r0.",
        "The consumer starts, joins the group and reads from offset 2 (the committed offset).",
    ];
    judge(&covering("highest"))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .explored(242, 452);
    let one_worker = changed(&covering("highest"), "workers = 2", "workers = 1");
    judge(&one_worker).holds(Guarantee::NoLoss);
}

#[test]
fn an_offset_store_that_two_workers_fill_loses_a_lower_record() {
    let design = changed(
        &automatic("librdkafka"),
        "order = \"process\"",
        "order = \"process -> store-offset\"",
    );
    let by_one = changed(
        &design,
        "enable.auto.commit = true",
        "enable.auto.commit = true\nenable.auto.offset.store = false",
    );
    judge(&by_one)
        .holds(Guarantee::NoLoss)
        .reached("the consumer dies while its workers have records")
        .explored(253, 516);
    judge(&changed(&by_one, "workers = 1", "workers = 2"))
        .violates(Guarantee::NoLoss)
        .explored(465, 923);
}

#[test]
fn two_workers_turn_two_records_of_a_key_round_without_any_fault() {
    let calm = with_faults(CONTIGUOUS, "consumer-crash = 1\ntotal = 0");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "A poll returns r0 (offset 0) and r1 (offset 1), handed to the workers.",
        "A worker does process of r1: the effect of r1 takes place.",
        "A worker does process of r0: the effect of r0 takes place.",
    ];
    let end = "r0: its first effect came after that of r1, which was sent later with the same key.";
    judge(&calm)
        .is_broken(Guarantee::InOrder, &steps, end)
        .holds(Guarantee::ExactlyOnceEffect)
        .explored(39, 57);
    judge(&changed(&calm, "workers = 2", "workers = 1")).holds(Guarantee::InOrder);
}

#[test]
fn a_unique_mark_in_the_transaction_takes_care_of_the_repeats() {
    judge(&changed(
        CONTIGUOUS,
        "process ->",
        "db[process, remember] ->",
    ))
    .holds(Guarantee::NoLoss)
    .holds(Guarantee::NoDuplicates)
    .holds(Guarantee::ExactlyOnceEffect)
    .reached("the consumer dies while its workers have records")
    .explored(460, 1_007);
}
