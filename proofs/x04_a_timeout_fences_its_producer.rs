//! **A transaction that times out fences its producer; before 0.11.0.2 the producer went on, and
//! committed the offset without the result.**
//!
//! The coordinator aborts a transaction after `transaction.timeout.ms`. Where the epoch stays as it was
//! (before KAFKA-6119), the producer does not learn of it: what it sends next opens another transaction
//! in the same epoch, and its commit commits the offset while the result went with the abort. With a
//! new epoch the producer is refused, and the record is handled again.
//!
//! Proved for Java clients, one partition with one replica, 1 record and 1 fault.

use crate::support::{changed, judge};
use semel::Guarantee::{self, ExactlyOnceEffect, NoDuplicates, NoLoss, NoPhantom};

const DESIGN: &str = r#"
client = "java"
kafka = "0.11"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "kafka[produce, commit]"

[sink]
effect = "topic"

[output.producer]
transactional.id = "results"

[output.consumer]
isolation.level = "read_committed"

[faults]
transaction-timeout = 1

[bounds]
records = 1
"#;

fn at(version: &str) -> String {
    changed(DESIGN, "0.11", version)
}

#[test]
fn a_release_without_its_patch_is_its_newest() {
    for version in ["0.11", "0.11.0", "0.11.0.2", "0.11.0.3", "1.0"] {
        let judged = judge(&at(version));
        for guarantee in Guarantee::ALL {
            judged.holds(guarantee);
        }
        judged.explored(32, 44);
    }
}

#[test]
fn before_the_patch_the_offset_is_committed_without_the_result() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "produce: the result of r0 lies in the output topic, its transaction open.",
        "transaction.timeout.ms passes for the consumer's transaction: the coordinator aborts it; the result of r0 is gone.",
        "commit: offset 1 is sent to the transaction, pending.",
        "commitTransaction: the coordinator writes down that the transaction commits.",
        "The commit marker of the consumer's transaction reaches the group's offsets: the committed offset is 1.",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    for version in ["0.11.0.0", "0.11.0.1"] {
        judge(&at(version))
            .is_broken(NoLoss, &steps, end)
            .violates(ExactlyOnceEffect)
            .holds(NoDuplicates)
            .explored(35, 46);
    }
}

#[test]
fn a_reader_that_does_not_wait_acts_on_the_aborted_result() {
    let uncommitted = changed(&at("0.11.0.1"), "read_committed", "read_uncommitted");
    judge(&uncommitted).violates(NoPhantom).holds(NoLoss);
    let fenced = changed(&at("0.11.0.2"), "read_committed", "read_uncommitted");
    judge(&fenced).holds(NoPhantom).violates(NoDuplicates);
}
