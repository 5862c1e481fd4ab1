//! **Who reads what is committed acts on no record of an aborted transaction; who reads everything
//! does, and Java does unless it is told otherwise.**
//!
//! A transaction writes its records before anybody knows how it ends. A reader with
//! `isolation.level = read_committed` reads up to the last stable offset, where the oldest open
//! transaction begins, and skips what was aborted; one with `read_uncommitted` is given every record.
//! A transaction ends in an abort when the application says so, when its producer dies (the next
//! start under the same transactional id fences it), when the coordinator times it out, or when a
//! delivery in it failed.
//!
//! Proved: every guarantee for a Java upstream under transaction version 2 that sends 2 records, one
//! or both in a transaction, one consumer that processes and then commits, one partition with one
//! replica, and at most 2 of the faults producer crash, abort, transaction timeout, delivery timeout,
//! lost request, lost answer and delayed request.

use crate::support::{changed, judge, story};
use semel::Guarantee;

const COMMITTED: &str = r#"
client = "java"

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
producer-crash = 1
abort = 1
transaction-timeout = 1
delivery-timeout = 1
request-lost = 1
response-lost = 1
request-delayed = 1
total = 2

[bounds]
records = 2
"#;

fn everything() -> String {
    changed(COMMITTED, "read_committed", "read_uncommitted")
}

#[test]
fn who_reads_what_is_committed_is_given_every_guarantee() {
    let judged = judge(COMMITTED);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged.explored(9_893, 25_702);
}

#[test]
fn so_it_is_with_both_records_in_one_transaction() {
    let both = changed(
        COMMITTED,
        "source = \"transaction\"",
        "source = \"transaction\"\nrecords-per-transaction = 2",
    );
    let judged = judge(&both);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged.explored(7_810, 19_741);
}

#[test]
fn transactions_were_fenced_timed_out_and_ended_twice() {
    judge(COMMITTED).reached_all(&[
        "producer-crash",
        "abort",
        "transaction-timeout",
        "delivery-timeout",
        "a late request arrives",
        "a transaction that a dead producer left open is fenced",
        "the end of a transaction is asked for again",
    ]);
}

#[test]
fn who_reads_everything_acts_on_an_aborted_record() {
    let steps = [
        "The producer initialises its transactional id and gets producer epoch 0.",
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application aborts its transaction, in which it has sent r0.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
    ];
    judge(&story(&everything(), "abort"))
        .is_broken(
            Guarantee::NoPhantom,
            &steps,
            "r0: its effect took place, and its transaction was aborted.",
        )
        .explored(41, 66);
}

#[test]
fn java_reads_everything_unless_it_is_told_otherwise() {
    let left_out = changed(COMMITTED, "isolation.level = \"read_committed\"\n", "");
    judge(&left_out).violates(Guarantee::NoPhantom);
    let librdkafka = changed(&left_out, "client = \"java\"", "client = \"librdkafka\"");
    judge(&story(&librdkafka, "abort")).holds(Guarantee::NoPhantom);
}
