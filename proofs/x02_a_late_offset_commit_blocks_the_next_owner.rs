//! **A TxnOffsetCommit that arrives after its transaction leaves an offset pending for ever, and whoever
//! gets the partition next waits for it, unless brokers ask whose it is.**
//!
//! Offsets of a transaction are pending until its marker. Under transaction version 1 the epoch serves
//! many transactions, so the group coordinator takes a late copy after the marker, too. No rebalance
//! waits for it; the offset fetch of the next owner does (UNSTABLE_OFFSET_COMMIT, KIP-447), and so does
//! committed() of an application that seeks back. Another transaction of the same id would end it, and
//! needs records, which nobody reads any more.
//!
//! - Brokers from 3.7 ask the coordinator for the transaction, unless
//!   `transaction.partition.verification.enable` is off (KIP-890).
//! - Under version 2 the late copy has an old epoch, whatever that setting says.
//! - A copy that arrives within its transaction goes with the end of that, a timeout too: the client
//!   sends TxnOffsetCommit once AddOffsetsToTxn is answered.
//!
//! Proved for Java clients, one partition with one replica, up to 2 records and 2 faults.

use crate::support::{changed, judge, one_record, two_instances, with_faults};
use semel::Design;
use semel::Guarantee::{NoLoss, NoPhantom, Progress};
use semel_models::action::{Action, ConsumerStep};
use semel_models::cluster::{Cluster, State};
use stateright::Model;
use std::collections::HashSet;

const DESIGN: &str = r#"
client = "java"
kafka = "3.5"

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
request-delayed.txn-offset-commit = 1
consumer-crash = 1

[bounds]
records = 2
"#;

/// The same with another fault than the crash.
fn with(fault: &str) -> String {
    let faults = format!("request-delayed.txn-offset-commit = 1\n{fault} = 1");
    with_faults(DESIGN, &faults)
}

fn at(version: &str, design: &str) -> String {
    changed(design, "kafka = \"3.5\"", &format!("kafka = \"{version}\""))
}

fn unverified(design: &str) -> String {
    let off = "[broker]\ntransaction.partition.verification.enable = false\n\n[producer]";
    changed(design, "[producer]", off)
}

const BLOCKED: &str = "an offset of a transaction that has ended is pending and stays so, and the offset fetch of whoever gets the partition is answered UNSTABLE_OFFSET_COMMIT for ever.";

#[test]
fn a_restart_waits_for_ever_before_brokers_ask() {
    for version in ["2.5", "3.5", "3.6"] {
        judge(&at(version, DESIGN)).violates(Progress).holds(NoLoss);
    }
    judge(DESIGN).explored(1_041, 2_631);
    judge(&at("3.7", DESIGN)).holds(Progress);
    judge(&at("3.9", DESIGN))
        .holds(Progress)
        .explored(935, 2_426);
}

#[test]
fn a_client_that_does_not_ask_for_stable_offsets_does_not_wait() {
    judge(&at("2.4", DESIGN)).holds(Progress);
}

#[test]
fn the_setting_is_about_offsets_too() {
    judge(&unverified(&at("3.9", DESIGN)))
        .violates(Progress)
        .explored(1_041, 2_631);
}

#[test]
fn under_version_2_the_setting_decides_nothing() {
    let judged = judge(&at("4.1", DESIGN));
    judged.holds(Progress).explored(628, 1_553);
    let off = judge(&unverified(&at("4.1", DESIGN)));
    off.holds(Progress).explored(628, 1_553);
    let results = with_faults(DESIGN, "request-delayed = 1\nconsumer-crash = 1");
    let late_results = unverified(&at("4.1", &results));
    for guarantee in semel::Guarantee::ALL {
        judge(&late_results).holds(guarantee);
    }
}

#[test]
fn a_rebalance_goes_on_and_the_new_owner_waits() {
    let design = changed(
        &two_instances(&with("rebalance")),
        "records = 2",
        "records = 2\npoll = 1",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "The acknowledgement of r0 reaches the producer.",
        "The acknowledgement of r1 reaches the producer.",
        "A poll of A returns r0 (offset 0).",
        "A: produce: the result of r0 lies in the output topic, its transaction open.",
        "A request (txn-offset-commit) is held up; the client repeats it.",
        "A: commit: offset 1 is sent to the transaction, pending.",
        "A: commitTransaction: the coordinator writes down that the transaction commits.",
        "The commit marker of the transaction of consumer A is written to the output topic; its reader sees the result of r0.",
        "The commit marker of the transaction of consumer A reaches the group's offsets: the committed offset is 1.",
        "The late TxnOffsetCommit of offset 1 reaches the group coordinator, which takes it, although no transaction has these offsets in it: it stays pending until another one of the same id ends that has.",
        "The group rebalances: B gets the partition and waits: its offset fetch is answered UNSTABLE_OFFSET_COMMIT as long as an offset is pending.",
    ];
    judge(&design)
        .is_broken(
            Progress,
            &steps,
            &format!("r1: confirmed and in the log, but never delivered: {BLOCKED}"),
        )
        .holds(NoLoss)
        .explored(760, 1_783);
    judge(&at("3.9", &design)).holds(Progress);
    judge(&at("4.1", &design)).holds(Progress);
}

#[test]
fn an_owner_whose_offset_is_no_longer_pending_reads_on() {
    let design = two_instances(&with_faults(
        DESIGN,
        "request-delayed.txn-offset-commit = 1\nslow-processing = 1\nrebalance = 1",
    ));
    // The next transaction of a zombie ends what is pending.
    let design = changed(
        &design,
        "instances = 2",
        "instances = 2\ngroup-metadata = false",
    );
    judge(&design).violates(Progress).holds(NoLoss);
    judge(&at("3.9", &design)).holds(Progress);
    assert!(fetches_an_offset(&design));
    assert!(!fetches_an_offset(&at("3.9", &design)));
}

/// Whether an owner that waited for its offset ever learns it.
fn fetches_an_offset(design: &str) -> bool {
    let design = Design::parse("design.toml", design.as_bytes()).expect("a sound design");
    let cluster = Cluster::new(design.pipeline().clone()).expect("a small bound");
    let mut open = cluster.init_states();
    let mut seen: HashSet<State> = open.iter().cloned().collect();
    while let Some(state) = open.pop() {
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        for action in actions {
            let does = ConsumerStep::FetchOffset;
            if matches!(action, Action::Consumer { does: own, .. } if own == does) {
                return true;
            }
            let next = cluster.next_state(&state, action);
            open.extend(next.filter(|next| seen.insert(next.clone())));
        }
    }
    false
}

#[test]
fn who_seeks_back_after_an_abort_asks_for_the_offset_in_vain() {
    let fails = |on_abort: &str| {
        let lines = "on-process-failure = { attempts = 2, then = \"stop\" }";
        let lines = format!("[application]\non-abort = \"{on_abort}\"\n{lines}");
        changed(&with("process-failure"), "[application]", &lines)
    };
    judge(&fails("seek"))
        .violates(Progress)
        .holds(NoLoss)
        .explored(829, 1_864);
    judge(&at("3.9", &fails("seek"))).holds(Progress);
    // Who does not seek asks for nothing, and loses the record.
    judge(&fails("continue")).holds(Progress).violates(NoLoss);
}

#[test]
fn what_arrives_within_its_transaction_goes_with_its_timeout() {
    let design = one_record(&with("transaction-timeout"));
    for version in ["3.5", "3.9", "4.1"] {
        let judged = judge(&at(version, &design));
        for guarantee in semel::Guarantee::ALL {
            judged.holds(guarantee);
        }
    }
    judge(&design)
        .reached_all(&["transaction-timeout", "a late request arrives"])
        .holds(NoPhantom)
        .explored(92, 158);
}
