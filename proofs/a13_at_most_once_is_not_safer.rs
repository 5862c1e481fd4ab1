//! **A13. At-most-once is not the safer choice: it loses where at-least-once does not.**
//!
//! Of two consumers that differ in nothing but the order of commit and effect, the one that commits
//! first breaks `no-loss`, the other one keeps it. What it gets in exchange is `no-duplicates`,
//! which is not enough for `exactly-once-effect`. Both deliver in order; of two consumers, one of
//! them a zombie, the one that commits first does not.
//!
//! Proved for every combination of a sink (a balance, a row, a provider), a number of records that
//! a poll may return, and commits for each record or for each poll; with Java clients, an
//! idempotent producer, one partition with one replica, one consumer, 2 records, and at most 2 of
//! the faults producer crash, consumer crash, lost request and lost answer. A row may be repeated
//! without harm (A7), so there the one that handles first even delivers `exactly-once-effect`. With
//! two consumers: at most one crash or pause of a consumer.

use crate::support::{changed, judge, story, two_instances, with_faults};
use semel::Guarantee;

const HANDLES_FIRST: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "process -> commit"

[sink]
effect = "add"

[faults]
producer-crash = 1
consumer-crash = 1
request-lost = 1
response-lost = 1
total = 2

[bounds]
records = 2
poll = 2
"#;

/// The same two steps, for each record and for each poll: handled first, committed first.
const ORDERS: [(&str, &str); 2] = [
    ("process -> commit", "commit -> process"),
    ("each(process) -> commit", "commit -> each(process)"),
];
const SINKS: [&str; 3] = ["add", "upsert", "external"];
const POLLS: [&str; 2] = ["poll = 1", "poll = 2"];

/// Pairs that differ in the order only: handled first, committed first.
fn pairs() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (handled_first, committed_first) in ORDERS {
        for sink in SINKS {
            for poll in POLLS {
                let like = changed(HANDLES_FIRST, "\"add\"", &format!("\"{sink}\""));
                let like = changed(&like, "poll = 2", poll);
                let with = |order: &str| changed(&like, "process -> commit", order);
                pairs.push((with(handled_first), with(committed_first)));
            }
        }
    }
    pairs
}

#[test]
fn commit_first_loses_wherever_handle_first_does_not() {
    let pairs = pairs();
    assert_eq!(pairs.len(), 12);
    for (handles_first, commits_first) in pairs {
        let judged = judge(&handles_first);
        judged
            .holds(Guarantee::NoLoss)
            .violates(Guarantee::NoDuplicates)
            .holds(Guarantee::InOrder);
        let repeatable = handles_first.contains("upsert");
        assert_eq!(judged.keeps(Guarantee::ExactlyOnceEffect), repeatable);
        judge(&commits_first)
            .violates(Guarantee::NoLoss)
            .holds(Guarantee::NoDuplicates)
            .violates(Guarantee::ExactlyOnceEffect)
            .holds(Guarantee::InOrder);
    }
}

#[test]
fn handle_first_loses_nothing() {
    judge(HANDLES_FIRST)
        .holds(Guarantee::NoLoss)
        .explored(4_163, 10_139);
}

#[test]
fn the_consumer_died_between_the_two_steps_in_both_orders() {
    let commits_first = changed(HANDLES_FIRST, "process -> commit", "commit -> process");
    judge(HANDLES_FIRST).reached("the consumer dies between process and commit");
    judge(&commits_first).reached("the consumer dies between commit and process");
}

#[test]
fn commit_first_loses_like_this() {
    let one_a_poll = changed(HANDLES_FIRST, "poll = 2", "poll = 1");
    let commits_first = changed(&one_a_poll, "process -> commit", "commit -> process");
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
    judge(&story(&commits_first, "consumer-crash"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(27, 39);
}

/// A zombie handles the record that it has committed after the new owner has handled the next one.
#[test]
fn with_two_consumers_commit_first_does_not_even_keep_the_order() {
    for (handles_first, commits_first) in pairs() {
        let two = |design: &str| {
            let faults = "consumer-crash = 1\nconsumer-pause = 1\ntotal = 1";
            two_instances(&with_faults(design, faults))
        };
        judge(&two(&handles_first))
            .holds(Guarantee::NoLoss)
            .holds(Guarantee::InOrder)
            .violates(Guarantee::NoDuplicates);
        judge(&two(&commits_first))
            .violates(Guarantee::NoLoss)
            .violates(Guarantee::InOrder)
            .holds(Guarantee::NoDuplicates);
    }
}

#[test]
fn commit_first_disorders_like_this() {
    let one_a_poll = changed(HANDLES_FIRST, "poll = 2", "poll = 1");
    let commits_first = changed(&one_a_poll, "process -> commit", "commit -> process");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "A poll of A returns r0 (offset 0).",
        "A: commit: the group's committed offset is 1.",
        "Consumer A stands still before process of r0; its session expires, and the group goes on without it. It does not know.",
        "The group assigns the partition to B, which reads from offset 1 (the committed offset).",
        "A poll of B returns r1 (offset 1).",
        "B: commit: the group's committed offset is 2.",
        "B: process: the effect of r1 takes place.",
        "A: process: the effect of r0 takes place.",
    ];
    let end = "r0: its first effect came after that of r1, which was sent later with the same key.";
    judge(&two_instances(&with_faults(
        &commits_first,
        "consumer-pause = 1",
    )))
    .is_broken(Guarantee::InOrder, &steps, end)
    .holds(Guarantee::NoLoss)
    .explored(333, 736);
}
