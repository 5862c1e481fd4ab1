//! **Behind an upstream that sends in transactions an application gives each committed record one result, if
//! it waits for the upstream and its own reader waits for it. Neither wait stands in for the other.**
//!
//! The upstream's transactional id and the application's are two entries at the coordinator: nothing that
//! ends a transaction of one ends one of the other. What an application reads before its transaction has ended
//! becomes a result that is committed for good, whatever becomes of the record.
//!
//! Proved for Java clients, one partition with one replica, up to 2 records and 1 fault.

use crate::support::{changed, judge, one_record, with_faults};
use semel::Guarantee::{self, ExactlyOnceEffect, NoDuplicates, NoLoss, NoPhantom};

const DESIGN: &str = r#"
client = "java"
kafka = "4.1"

[producer]
transactional.id = "upstream"

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"
isolation.level = "read_committed"

[application]
order = "kafka[produce, commit]"
source = "transaction"

[sink]
effect = "topic"

[output.producer]
transactional.id = "results"

[output.consumer]
isolation.level = "read_committed"

[faults]
abort = 1
producer-crash = 1
consumer-crash = 1
transaction-timeout = 1
total = 1

[bounds]
records = 2
"#;

/// The application does not wait for the upstream.
fn hurried(design: &str) -> String {
    let from = "isolation.level = \"read_committed\"\n\n[application]";
    let to = "isolation.level = \"read_uncommitted\"\n\n[application]";
    changed(design, from, to)
}

/// The reader of the results does not wait for the application.
fn hurried_reader(design: &str) -> String {
    let from = "[output.consumer]\nisolation.level = \"read_committed\"";
    let to = "[output.consumer]\nisolation.level = \"read_uncommitted\"";
    changed(design, from, to)
}

#[test]
fn each_committed_record_has_one_result() {
    let judged = judge(DESIGN);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged.reached_all(&[
        "abort",
        "transaction-timeout",
        "the consumer dies with a transaction open",
        "a transaction that a dead producer left open is fenced",
    ]);
    judged.agrees_with_stateright();
}

#[test]
fn who_does_not_wait_for_the_upstream_commits_results_of_what_it_aborts() {
    let times_out = with_faults(&one_record(&hurried(DESIGN)), "transaction-timeout = 1");
    judge(&times_out).holds(NoDuplicates).is_broken(
        NoPhantom,
        &[
            "The producer initialises its transactional id and gets producer epoch 0.",
            "The application sends r0.",
            "The producer puts r0 on the wire.",
            "The broker appends r0 at offset 0.",
            "transaction.timeout.ms passes: the coordinator aborts the transaction of the producer and fences its producer with producer epoch 1.",
            "The acknowledgement of r0 reaches the producer.",
            "The producer asks for the commit of r0; the coordinator refuses it (PRODUCER_FENCED). It cannot go on: its process ends and starts again; it forgets r0.",
            "A poll returns r0 (offset 0).",
            "produce: the result of r0 lies in the output topic, its transaction open.",
            "commit: offset 1 is sent to the transaction, pending.",
            "commitTransaction: the coordinator writes down that the transaction commits.",
            "The commit marker of the consumer's transaction is written to the output topic; its reader sees the result of r0.",
        ],
        "r0: its effect took place, and its transaction was aborted.",
    );
    for fault in ["abort = 1", "producer-crash = 1"] {
        judge(&with_faults(&hurried(DESIGN), fault))
            .violates(NoPhantom)
            .violates(ExactlyOnceEffect)
            .holds(NoDuplicates)
            .holds(NoLoss);
    }
}

#[test]
fn a_reader_that_does_not_wait_for_the_application_is_safe_from_the_upstream_only() {
    for fault in ["abort = 1", "producer-crash = 1"] {
        let judged = judge(&with_faults(&hurried_reader(DESIGN), fault));
        for guarantee in Guarantee::ALL {
            judged.holds(guarantee);
        }
    }
    for fault in ["consumer-crash = 1", "transaction-timeout = 1"] {
        judge(&with_faults(&hurried_reader(DESIGN), fault))
            .violates(NoDuplicates)
            .holds(NoPhantom);
    }
}

/// Where the database says how the application's transactions end, only they must not time out.
#[test]
fn each_producer_has_a_timeout_of_its_own() {
    let order = "order = \"kafka[produce, db[save-offset]]\"\nprepared-transaction = \"resume\"";
    let decided = changed(DESIGN, "order = \"kafka[produce, commit]\"", order);
    let decided = with_faults(&decided, "transaction-timeout = 1");
    judge(&decided).violates(NoLoss);
    let endless = "transactional.id = \"results\"\ntransaction.timeout.ms = 2147483647";
    let most = "[broker]\ntransaction.max.timeout.ms = 2147483647\n\n[output.consumer]";
    let endless = changed(&decided, "transactional.id = \"results\"", endless);
    let endless = changed(&endless, "[output.consumer]", most);
    let judged = judge(&endless);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged.reached("transaction-timeout");
}
