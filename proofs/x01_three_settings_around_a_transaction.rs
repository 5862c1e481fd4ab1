//! **Three settings around a Kafka transaction, each of which alone decides.**
//!
//! - The offsets inside the transaction or beside it: behind it a crash repeats the result, before
//!   it a crash loses it (KIP-98).
//! - The group metadata in sendOffsetsToTransaction, for two instances: without it nothing but the
//!   producer epoch fences, and two instances have two ids (KIP-447).
//! - The seek after an abort: the abort does not turn the consumer's position back.
//!
//! Proved for Java clients and Kafka 4.x, one partition with one replica, 2 records, and at most 2
//! faults; each pair is one setting apart.

use crate::support::{changed, judge};
use semel::Guarantee;

const DESIGN: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "kafka[produce, commit]"
instances = 2
group-metadata = true
on-abort = "seek"

[sink]
effect = "topic"

[output.producer]
transactional.id = "results"

[output.consumer]
isolation.level = "read_committed"

[faults]
consumer-crash = 1
consumer-pause = 1
delivery-timeout = 1
total = 2

[bounds]
records = 2
"#;

/// What the offsets do not need: they are not sent to the transaction.
fn beside(order: &str) -> String {
    let design = changed(DESIGN, "group-metadata = true\n", "");
    changed(&design, "kafka[produce, commit]", order)
}

#[test]
fn with_everything_every_guarantee_holds() {
    let judged = judge(DESIGN);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
        .reached_all(&[
            "consumer-crash",
            "consumer-pause",
            "delivery-timeout",
            "a consumer that was put out of the group sends a result",
            "a commit of a consumer that was put out of the group arrives",
            "the consumer dies with a transaction open",
        ])
        .explored(14_879, 47_610);
}

#[test]
fn offsets_behind_the_transaction_repeat_its_result() {
    judge(&beside("kafka[produce] -> commit"))
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoLoss)
        .reached("the consumer dies between the end of kafka[produce] and commit")
        .explored(26_039, 79_213);
}

#[test]
fn offsets_before_the_transaction_lose_its_result() {
    judge(&beside("commit -> kafka[produce]"))
        .violates(Guarantee::NoLoss)
        .violates(Guarantee::ExactlyOnceEffect)
        .reached("the consumer dies between commit and produce")
        .explored(8_235, 24_816);
}

#[test]
fn without_group_metadata_a_zombie_commits_beside_the_new_owner() {
    let design = changed(DESIGN, "group-metadata = true", "group-metadata = false");
    judge(&design)
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoLoss)
        .explored(65_381, 200_722);
}

#[test]
fn without_a_seek_an_aborted_record_is_passed() {
    let design = changed(DESIGN, "on-abort = \"seek\"", "on-abort = \"continue\"");
    judge(&design)
        .violates(Guarantee::NoLoss)
        .violates(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoDuplicates)
        .explored(17_883, 55_960);
}
