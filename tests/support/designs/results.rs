//! Random designs that write results, and whose brokers are struck.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{Brokers, Text};

/// What strikes brokers, and leaves what they had acknowledged.
const CLEAN: &[&str] = &["broker-crash", "leader-change", "replica-lag"];
/// What strikes brokers, and may take that away.
const UNCLEAN: &[&str] = &["broker-crash", "power-loss", "disk-loss", "leader-change"];
/// What strikes the consumer, its output producer and their calls.
const OTHERS: &[&str] = &[
    "consumer-crash",
    "process-failure",
    "process-failure-late",
    "response-lost.output-produce",
    "request-lost.output-produce",
    "request-refused.output-produce",
    "delivery-timeout",
    "transaction-timeout",
    "coordinator-failover",
    "rebalance",
    "consumer-pause",
];
/// Requests that may come late.
const LATE: &[&str] = &[
    "request-delayed",
    "request-delayed.output-produce",
    "request-delayed.init-producer-id",
    "request-delayed.add-partitions",
    "request-delayed.txn-offset-commit",
];
const IN_TRANSACTIONS: &[&str] = &[
    "kafka[produce, commit]",
    "kafka[each(produce), commit]",
    "kafka[each(produce-async), commit]",
    "kafka[each(produce-async), flush, commit]",
    "kafka[produce] -> commit",
    "commit -> kafka[produce]",
];
const PLAIN: &[&str] = &[
    "produce -> commit",
    "commit -> produce",
    "each(produce-async) -> flush -> commit",
    "process -> produce -> commit",
];

/// A design of at most two records and two faults, one of them of a broker at least.
pub fn any_results(brokers: Brokers) -> impl Strategy<Value = Text> {
    let (faults, elections, orders) = match brokers {
        Brokers::KeepTheirLogs => (CLEAN, &["false"][..], &IN_TRANSACTIONS[..3]),
        Brokers::MayLoseThem => (UNCLEAN, &["false", "false", "true"][..], IN_TRANSACTIONS),
    };
    let orders = match brokers {
        Brokers::KeepTheirLogs => select(orders).boxed(),
        Brokers::MayLoseThem => prop_oneof![select(orders), select(PLAIN)].boxed(),
    };
    let client = (
        any::<bool>(),
        select(&["2.8", "3.5", "3.9", "4.1"][..]),
        select(&["0", "1", "all"][..]),
        any::<bool>(),
    );
    let topic = (1..=2usize, 1..=2usize, select(elections));
    let isolation = select(&["read_committed", "read_committed", "read_uncommitted"][..]);
    let faults = (
        subsequence(faults.to_vec(), 1..=1),
        subsequence(OTHERS.to_vec(), 0..=1),
    );
    let application = select(&["", "on-abort = \"continue\"\n"][..]);
    let bounds = (1..=2usize, 0..=2usize);
    (
        client,
        orders,
        topic,
        isolation,
        faults,
        application,
        bounds,
    )
        .prop_map(
            move |(client, order, topic, isolation, faults, application, bounds)| {
                let (librdkafka, kafka, acks, idempotent) = client;
                let transactional = order.contains("kafka[");
                let safe = brokers == Brokers::KeepTheirLogs;
                let producer = match transactional {
                    true => "transactional.id = \"results\"\n".to_string(),
                    false if idempotent => "enable.idempotence = true\n".to_string(),
                    false => format!("acks = \"{acks}\"\nenable.idempotence = false\n"),
                };
                let client = if librdkafka { "librdkafka" } else { "java" };
                let (replicas, minimum, unclean) = (topic.0, topic.1.min(topic.0), topic.2);
                let isolation = if safe { "read_committed" } else { isolation };
                let application = match transactional && !safe {
                    true => application,
                    false => "",
                };
                let effect = if order.contains("process") {
                    "add"
                } else {
                    "topic"
                };
                let (records, retries) = bounds;
                let faults = faults.0.iter().chain(&faults.1);
                let faults: String = faults.map(|fault| format!("{fault} = 1\n")).collect();
                Text(format!(
                    "client = \"{client}\"\nkafka = \"{kafka}\"\n\
                 [producer]\nacks = \"all\"\nenable.idempotence = true\n\
                 [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
                 [output.producer]\n{producer}\
                 [output.topic]\nreplication.factor = {replicas}\nmin.insync.replicas = {minimum}\n\
                 unclean.leader.election.enable = {unclean}\n\
                 [output.consumer]\nisolation.level = \"{isolation}\"\n\
                 [application]\norder = \"{order}\"\n{application}\
                 [sink]\neffect = \"{effect}\"\n\
                 [faults]\n{faults}total = 2\n\
                 [bounds]\nrecords = {records}\nretries = {retries}\n"
                ))
            },
        )
}

const TOGETHER: &[&str] = &[
    "process -> kafka[produce, commit]",
    "kafka[process, produce, commit]",
    "kafka[produce, commit]",
    "each(kafka[produce, commit])",
    "kafka[produce-async, commit]",
];
/// What fails a record for good, and what the application does then.
const THEN: &[&str] = &[
    "attempts = 1\nthen = \"stop\"\n",
    "attempts = 2\nthen = \"skip\"\n",
    "attempts = 1\nthen = \"close\"\n",
    "attempts = 1\nthen = \"dead-letter\"\n",
    "attempts = 1\nthen = \"block\"\n",
];

/// A design of at most two records, two instances and two faults, none of them of a broker.
pub fn any_unstruck_results() -> impl Strategy<Value = Text> {
    let client = (
        any::<bool>(),
        select(&["0.11.0.3", "2.1", "2.4", "2.5", "2.8", "3.5", "3.9", "4.1"][..]),
        select(&["1", "all"][..]),
        any::<bool>(),
    );
    let orders = prop_oneof![
        select(IN_TRANSACTIONS),
        select(TOGETHER),
        select(PLAIN),
        select(PLAIN),
        Just("each(produce-async) -> commit"),
    ];
    let isolation = select(&["read_committed", "read_committed", "read_uncommitted"][..]);
    let faults = subsequence(
        [OTHERS, LATE, &["slow-processing", "graceful-restart"]].concat(),
        1..=2,
    );
    let assignment = select(&["", "", "assignment = \"assign\"\n"][..]);
    let abort = select(&["", "on-abort = \"continue\"\n", "on-abort = \"seek\"\n"][..]);
    let then = prop_oneof![2 => Just(""), 3 => select(THEN)];
    let bounds = (1..=2usize, 0..=1usize, 1..=2usize, 1..=2usize, 1..=2usize);
    (
        client,
        orders,
        isolation,
        faults,
        (abort, then, assignment),
        bounds,
    )
        .prop_map(
            |(client, order, isolation, faults, (abort, then, assignment), bounds)| {
                let (librdkafka, kafka, acks, idempotent) = client;
                let transactional = order.contains("kafka[");
                let producer = match transactional {
                    true => "transactional.id = \"results\"\n".to_string(),
                    false if idempotent => "enable.idempotence = true\n".to_string(),
                    false => format!("acks = \"{acks}\"\nenable.idempotence = false\n"),
                };
                let client = if librdkafka { "librdkafka" } else { "java" };
                let abort = if transactional { abort } else { "" };
                let then = match transactional && then.contains("dead-letter") {
                    true => "",
                    false => then,
                };
                let effect = match order.contains("process") {
                    true => "add",
                    false => "topic",
                };
                let (records, retries, instances, poll, total) = bounds;
                let faults: String = faults
                    .iter()
                    .map(|fault| format!("{fault} = 1\n"))
                    .collect();
                Text(format!(
                    "client = \"{client}\"\nkafka = \"{kafka}\"\n\
                 [producer]\nacks = \"all\"\nenable.idempotence = true\n\
                 [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
                 [output.producer]\n{producer}\
                 [output.consumer]\nisolation.level = \"{isolation}\"\n\
                 [application]\norder = \"{order}\"\ninstances = {instances}\n{abort}{assignment}\
                 [application.on-process-failure]\n{then}\
                 [sink]\neffect = \"{effect}\"\n\
                 [faults]\n{faults}total = {total}\n\
                 [bounds]\nrecords = {records}\nretries = {retries}\npoll = {poll}\n"
                ))
            },
        )
}
