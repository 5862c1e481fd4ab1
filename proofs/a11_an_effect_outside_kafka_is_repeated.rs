//! **A11. Kafka does not give exactly-once everywhere by itself: an effect outside Kafka inside a
//! transaction is repeated.**
//!
//! `kafka[process, produce, commit]`: the effect in the sink is a database transaction of its own,
//! which commits before the Kafka transaction does. A crash in between aborts the one and not the
//! other, and the record comes again. What helps is what helps without Kafka's transactions: the
//! effect and a unique mark in one transaction of the database. But that has a trap of its own.
//! With both inside the Kafka transaction, `kafka[db[process, remember], produce, commit]`, the
//! repeated record is recognised and its *result* is skipped with it: now the result is lost. The
//! mark has to guard the effect alone, so that the result is written again; here nothing does both.
//!
//! Proved for Java clients and Kafka 4.x, one instance, one partition with one replica, 2 records,
//! and at most 2 of the faults consumer crash, lost answer and early timeout of a transaction.

use crate::support::{changed, judge, story};
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
order = "kafka[process, produce, commit]"

[sink]
effect = "add"

[output.producer]
transactional.id = "results"

[output.consumer]
isolation.level = "read_committed"

[faults]
consumer-crash = 1
response-lost = 1
transaction-timeout = 1
total = 2

[bounds]
records = 2
"#;

const LOST: &str =
    "r0: confirmed to the application, without an effect, and never delivered any more.";

fn with_order(order: &str) -> String {
    changed(DESIGN, "kafka[process, produce, commit]", order)
}

#[test]
fn the_effect_in_the_sink_is_repeated_after_a_crash_between_the_two_commits() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before produce of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "process: the effect of r0 takes place a second time.",
    ];
    judge(&story(DESIGN, "consumer-crash"))
        .is_broken(
            Guarantee::NoDuplicates,
            &steps,
            "r0: the effect took place twice.",
        )
        .violates(Guarantee::ExactlyOnceEffect)
        .reached("the consumer dies with a transaction open")
        .explored(60, 94);
}

#[test]
fn what_is_not_broken_is_what_at_least_once_keeps() {
    judge(DESIGN)
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoLoss)
        .holds(Guarantee::InOrder)
        .holds(Guarantee::NoPhantom)
        .holds(Guarantee::Progress)
        .reached_all(&["consumer-crash", "response-lost", "transaction-timeout"])
        .explored(6_239, 17_292);
}

#[test]
fn a_mark_beside_the_effect_loses_the_result_instead() {
    let marked = with_order("kafka[db[process, remember], produce, commit]");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "db[process, remember] of r0 is committed to the database: the effect of r0 takes place and the dedup store has the record.",
        "The consumer's process dies after db[process, remember] and before produce of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "db[process, remember] of r0 is committed to the database: nothing changes.",
        "r0 is skipped: no result is sent.",
        "commit: offset 1 is sent to the transaction, pending.",
        "commitTransaction: the coordinator writes down that the transaction commits.",
        "The commit marker of the consumer's transaction reaches the group's offsets: the committed offset is 1.",
    ];
    judge(&story(&marked, "consumer-crash"))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .holds(Guarantee::NoDuplicates)
        .reached("the dedup store recognises a record")
        .explored(58, 91);
}

#[test]
fn an_effect_in_kafka_alone_is_not_repeated() {
    let topic = changed(
        &with_order("kafka[produce, commit]"),
        "\"add\"",
        "\"topic\"",
    );
    let judged = judge(&topic);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
        .reached_all(&["consumer-crash", "response-lost", "transaction-timeout"])
        .explored(3_445, 10_115);
}
