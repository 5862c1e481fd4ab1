//! **A6. Idempotent producer, transactions, and offsets committed inside the transaction: an
//! exactly-once effect from topic to topic.**
//!
//! The result and the offset of a record are one Kafka transaction: after a crash either both are
//! there or neither. What a dead process left open is aborted when its `transactional.id` comes
//! back, or when it times out, and until then nobody begins to read at an offset that it may still
//! commit. An owner that was put out of the group is refused with its generation. A reader of
//! committed records sees none of what was aborted.
//!
//! Every part of the sentence is needed, and shown to be: without idempotence a client refuses
//! transactions (`src/design`); without the offsets inside, without the group metadata of two
//! instances, and with a reader of uncommitted records it breaks. And it is about the way from
//! topic to topic: what the upstream application sends twice is written twice.
//!
//! Proved: all six guarantees for Java clients and Kafka 4.x (transaction version 2) and 3.9
//! (version 1), two instances, with ids that belong to the instance, to the start of a process, or
//! to the partition; one partition with one replica, 2 records, and at most 2 faults.

use crate::support::{Judged, changed, judge, one_record, preset, with_faults};
use semel::Guarantee;

const PRESET: &str = "exactly-once-topic-to-topic";

const FAULTS: &str = "consumer-crash = 1
consumer-pause = 1
slow-processing = 1
rebalance = 1
response-lost = 1
request-delayed.output-produce = 1
request-delayed.txn-offset-commit = 1
request-delayed.end-txn = 1
transaction-timeout = 1
total = 2";

/// The requests of the output producer that may be late.
const LATE: &str = "request-delayed.output-produce = 1
request-delayed.txn-offset-commit = 1
request-delayed.end-txn = 1
";

const SITUATIONS: [&str; 9] = [
    "consumer-crash",
    "consumer-pause",
    "slow-processing",
    "rebalance",
    "transaction-timeout",
    "a consumer that was put out of the group sends a result",
    "a commit of a consumer that was put out of the group arrives",
    "the consumer dies with a transaction open",
    "the partition goes to the other consumer",
];

fn holds(design: &str) -> Judged {
    let judged = judge(design);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
}

fn design() -> String {
    with_faults(preset(PRESET), FAULTS)
}

/// The same with Kafka and Java clients of 3.9: transaction version 1.
fn version_1(design: &str) -> String {
    changed(
        design,
        "client = \"java\"",
        "client = \"java\"\nkafka = \"3.9\"",
    )
}

#[test]
fn the_preset_holds() {
    holds(preset(PRESET)).explored(49_594, 160_246);
}

#[test]
fn every_guarantee_holds_whatever_takes_the_partition_away() {
    holds(&design())
        .reached_all(&SITUATIONS)
        .explored(58_916, 192_453);
}

#[test]
fn so_it_does_under_transaction_version_1_where_nothing_is_late() {
    let punctual = changed(&design(), LATE, "");
    holds(&version_1(&punctual))
        .reached_all(&SITUATIONS)
        .explored(53_786, 173_793);
}

#[test]
fn under_version_1_a_late_end_of_one_transaction_ends_the_next() {
    let alone = changed(preset(PRESET), "instances = 2\n", "");
    let late = with_faults(
        &version_1(&alone),
        "request-delayed.end-txn = 1\nconsumer-crash = 1",
    );
    judge(&late)
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::ExactlyOnceEffect)
        .reached("a late request arrives")
        .explored(1_895, 4_373);
}

#[test]
fn so_it_does_with_an_id_for_each_start_and_one_for_the_partition() {
    let id = |whose: &str| changed(&design(), "\"stable\"", &format!("\"{whose}\""));
    holds(&id("per-start"))
        .reached_all(&SITUATIONS)
        .explored(68_575, 222_547);
    holds(&id("per-partition"))
        .reached_all(&SITUATIONS)
        .explored(52_098, 172_564);
}

#[test]
fn with_an_id_of_the_partition_group_metadata_is_not_needed() {
    let id = changed(&design(), "\"stable\"", "\"per-partition\"");
    let id = changed(&id, "group-metadata = true", "group-metadata = false");
    holds(&id).explored(52_141, 172_682);
}

#[test]
fn a_reader_of_uncommitted_records_sees_what_was_aborted() {
    let uncommitted = changed(
        &one_record(preset(PRESET)),
        "\"read_committed\"",
        "\"read_uncommitted\"",
    );
    let alone = changed(&uncommitted, "instances = 2\n", "");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "produce: the result of r0 lies in the output topic, its transaction open; its reader sees the result of r0.",
        "The consumer's process dies after produce and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest). Before that, initTransactions() aborts the consumer's transaction, which was open; the result of r0, which the topic's reader took, is aborted.",
        "A poll returns r0 (offset 0; its effect already took place).",
        "produce: the result of r0 lies in the output topic, its transaction open; its reader sees the result of r0 a second time.",
    ];
    judge(&with_faults(&alone, "consumer-crash = 1"))
        .is_broken(
            Guarantee::NoDuplicates,
            &steps,
            "r0: the effect took place twice.",
        )
        .explored(55, 86);
}

#[test]
fn what_the_upstream_sends_twice_is_written_twice() {
    let resent = changed(
        preset(PRESET),
        "[application]",
        "[application]\non-restart = \"resend-unconfirmed\"",
    );
    judge(&with_faults(&one_record(&resent), "producer-crash = 1"))
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::ExactlyOnceEffect)
        .explored(82, 114);
}
