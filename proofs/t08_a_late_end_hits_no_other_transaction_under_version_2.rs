//! **A request of one transaction that arrives in the next one is refused under transaction version
//! 2; under version 1 it ends that transaction, or is committed with it.**
//!
//! Under version 1 a producer epoch serves many transactions, so neither the coordinator nor the
//! partition leader can tell whose a late request is. Under version 2 (KIP-890) every EndTxn raises
//! the epoch. The verification that brokers have since 3.6 closes a part of the gap: a record no longer
//! opens a transaction in the log that the coordinator knows nothing of. One that comes while the next
//! transaction of its epoch is open is still taken for a part of that.
//!
//! Proved: every guarantee for a Java upstream under version 2 that sends 2 records in 2 transactions,
//! a consumer that reads what is committed, processes and commits, one partition with one replica, one
//! delayed request and one abort of the application.

use crate::support::{changed, judge, with_faults};
use semel::Guarantee;

const LATE: &str = r#"
client = "java"
kafka = "4.0"

[producer]
transactional.id = "payments"

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"
isolation.level = "read_committed"

[application]
source = "transaction"
order = "process -> commit"

[sink]
effect = "add"

[faults]
request-delayed = 1
abort = 1

[bounds]
records = 2
"#;

fn before(kafka: &str) -> String {
    changed(LATE, "kafka = \"4.0\"", &format!("kafka = \"{kafka}\""))
}

#[test]
fn under_version_2_nothing_late_hits_another_transaction() {
    let judged = judge(LATE);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
        .reached("a late request arrives")
        .explored(2_184, 4_705);
}

#[test]
fn under_version_1_a_late_commit_ends_the_next_transaction() {
    let faults = "request-delayed.end-txn = 1\nabort = 1";
    let steps = [
        "The producer initialises its transactional id and gets producer epoch 0.",
        "The application sends r0.",
        "The producer adds the partition to its transaction.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A request to the transaction coordinator (end-txn) is held up; the client gives its connection up and will repeat it over another one.",
        "The producer asks for the commit of r0; the commit is reported, and the application relies on r0.",
        "The application sends r1.",
        "The coordinator has the commit marker written, at offset 1: the end of the transaction of r0.",
        "The producer adds the partition to its transaction.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 2.",
        "The late EndTxn (commit) reaches the transaction coordinator, which commits the open transaction of r1.",
        "The coordinator has the commit marker written, at offset 3: the end of the transaction of r1.",
        "The application aborts its transaction, in which it has sent r1.",
        "A poll returns r0 (offset 0) and r1 (offset 2).",
        "process: the effect of r0 takes place.",
        "commit: the group's committed offset is 1.",
        "process: the effect of r1 takes place.",
    ];
    judge(&with_faults(&before("3.9"), faults))
        .is_broken(
            Guarantee::NoPhantom,
            &steps,
            "r1: its effect took place, and its transaction was aborted.",
        )
        .holds(Guarantee::Progress)
        .explored(935, 1_859);
}

#[test]
fn without_verification_a_transaction_hangs_in_the_log() {
    let faults = "request-delayed.end-txn = 1";
    judge(&with_faults(&before("3.5"), faults)).violates(Guarantee::Progress);
    judge(&with_faults(&before("3.6"), faults)).holds(Guarantee::Progress);
}

#[test]
fn a_late_record_is_committed_with_the_next_transaction_of_its_epoch() {
    let faults = "request-delayed.produce = 1";
    judge(&with_faults(&before("3.5"), faults)).violates(Guarantee::NoPhantom);
    // A delivery that fails behind commitTransaction() raises no epoch: the coordinator takes the late record
    // for one of the next transaction.
    judge(&with_faults(&before("3.6"), faults)).violates(Guarantee::NoPhantom);
    judge(&with_faults(LATE, faults)).holds(Guarantee::NoPhantom);
}
