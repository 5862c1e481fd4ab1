//! **A checkpoint that says that a transaction is prepared is right only while nobody else may end that
//! transaction.**
//!
//! The database commits the next offset, and with it the producer id and epoch of the open transaction; a
//! start that finds them commits that transaction. Under a timeout that passes the coordinator may have
//! aborted it meanwhile, and the start reads on behind its result. From Kafka 4.1 a timeout of 2147483647 ms
//! never passes. Under transaction version 1 the epoch says too little, and the start may commit a
//! transaction that was never prepared.
//!
//! Proved for Java clients, one partition with one replica, 1 or 2 records and 1 fault.

use crate::support::{changed, judge};
use semel::Guarantee::{self, ExactlyOnceEffect, NoDuplicates, NoLoss};

const DESIGN: &str = r#"
client = "java"
kafka = "4.1"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "kafka[produce, db[save-offset]]"
prepared-transaction = "resume"

[sink]
effect = "topic"

[output.producer]
transactional.id = "results"
transaction.timeout.ms = 2147483647

[output.consumer]
isolation.level = "read_committed"

[broker]
transaction.version = 2
transaction.max.timeout.ms = 2147483647

[faults]
consumer-crash = 1

[bounds]
records = 1
"#;

const BEFORE: [&str; 8] = [
    "The application sends r0.",
    "The producer puts r0 on the wire.",
    "The broker appends r0 at offset 0.",
    "The acknowledgement of r0 reaches the producer.",
    "A poll returns r0 (offset 0).",
    "produce: the result of r0 lies in the output topic, its transaction open.",
    "db[save-offset] of r0 is committed to the database: offset 1 is saved.",
    "The consumer's process dies after db[save-offset] and before the end of kafka[produce, db[save-offset]] of r0.",
];
const LOST: &str =
    "r0: confirmed to the application, without an effect, and never delivered any more.";

#[test]
fn a_start_commits_what_the_checkpoint_says_is_prepared() {
    let judged = judge(DESIGN);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
        .reached_all(&[
            "a start commits a transaction that the database says is prepared",
            "the consumer dies between produce and db[save-offset]",
            "the consumer dies between db[save-offset] and the end of kafka[produce, db[save-offset]]",
        ])
        .explored(36, 56);
}

#[test]
fn a_timeout_that_passes_takes_it_away() {
    let passes = changed(
        DESIGN,
        "timeout.ms = 2147483647\n\n[output.c",
        "timeout.ms = 2147483646\n\n[output.c",
    );
    let steps = [
        BEFORE.as_slice(),
        &[
            "transaction.timeout.ms passes for the consumer's transaction, which the database says is prepared: the coordinator aborts it; the result of r0 is gone.",
            "The consumer starts, joins the group and reads from offset 1 (the offset saved in the sink's database).",
        ],
    ];
    judge(&passes)
        .is_broken(NoLoss, &steps.concat(), LOST)
        .violates(ExactlyOnceEffect)
        .holds(NoDuplicates)
        .explored(38, 59);
}

#[test]
fn before_4_1_every_timeout_passes() {
    let before = changed(DESIGN, "kafka = \"4.1\"", "kafka = \"4.0\"");
    judge(&before).violates(NoLoss).explored(38, 59);
}

#[test]
fn a_start_that_does_not_resume_aborts_it() {
    let aborts = changed(DESIGN, "\"resume\"", "\"abort\"");
    let steps = [
        BEFORE.as_slice(),
        &[
            "The consumer starts, joins the group and reads from offset 1 (the offset saved in the sink's database). Before that, initTransactions() aborts the consumer's transaction, which was open; the result of r0 is gone.",
        ],
    ];
    judge(&aborts)
        .is_broken(NoLoss, &steps.concat(), LOST)
        .holds(NoDuplicates);
}

#[test]
fn one_epoch_for_many_transactions_commits_one_that_was_never_prepared() {
    let two = changed(DESIGN, "records = 1", "records = 2");
    let judged = judge(&two);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judge(&changed(&two, "version = 2", "version = 1"))
        .violates(NoDuplicates)
        .holds(NoLoss);
}
