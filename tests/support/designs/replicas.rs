//! Random designs whose replicas are struck, and whose requests come late or whose logs grow old.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::Text;

/// What strikes replicas.
const STRUCK: &[&str] = &[
    "broker-crash",
    "leader-change",
    "leader-change",
    "power-loss",
    "disk-loss",
    "replica-lag",
];
/// What comes late, or with time.
const TIME: &[&str] = &["request-delayed.produce", "producer-id-expiry", "retention"];
/// What else strikes the two sides.
const OTHERS: &[&str] = &[
    "producer-crash",
    "response-lost.produce",
    "delivery-timeout",
    "consumer-crash",
];

/// A design of at most two records and two faults.
pub fn any_replicas() -> impl Strategy<Value = Text> {
    let versions = select(&["4.1", "3.4", "2.1", "2.0", "1.1"][..]);
    let topic = (2..=3usize, 1..=2usize, any::<bool>(), any::<bool>());
    let producer = (
        any::<bool>(),
        any::<bool>(),
        select(&["all", "all", "1", "0"][..]),
    );
    let order = select(&["db[process, save-offset]", "process -> commit"][..]);
    let faults = (
        select(STRUCK),
        select(TIME),
        subsequence(OTHERS.to_vec(), 0..=1),
    );
    let bounds = (1..=2usize, 0..=1usize);
    (versions, topic, producer, order, faults, bounds).prop_map(
        |(kafka, topic, (librdkafka, idempotent, acks), order, faults, bounds)| {
            let client = if librdkafka { "librdkafka" } else { "java" };
            let (replicas, minimum, unclean, flushes) = topic;
            let acks = if idempotent { "all" } else { acks };
            let flush = if flushes { "flush.messages = 1\n" } else { "" };
            let (struck, time, others) = faults;
            let others: String = others
                .iter()
                .map(|fault| format!("{fault} = 1\n"))
                .collect();
            // Nothing notices that an id has expired unless something comes late.
            let time = match time {
                "producer-id-expiry" if idempotent => {
                    "producer-id-expiry = 1\nrequest-delayed.produce"
                }
                "producer-id-expiry" => "request-delayed.produce",
                other => other,
            };
            let (records, retries) = bounds;
            Text(format!(
                "client = \"{client}\"\nkafka = \"{kafka}\"\n\
                 [producer]\nacks = \"{acks}\"\nenable.idempotence = {idempotent}\n\
                 [topic]\nreplication.factor = {replicas}\nmin.insync.replicas = {minimum}\n\
                 unclean.leader.election.enable = {unclean}\n{flush}\
                 [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
                 [application]\norder = \"{order}\"\n\
                 [sink]\neffect = \"add\"\n\
                 [faults]\n{struck} = 1\n{time} = 1\n{others}total = 2\n\
                 [bounds]\nrecords = {records}\nretries = {retries}\n"
            ))
        },
    )
}

/// A design of a compacted topic with three records of one key, and one fault beside a pass of the cleaner.
pub fn any_cleaned() -> impl Strategy<Value = Text> {
    let versions = select(&["4.1", "3.4"][..]);
    let topic = (1..=2usize, any::<bool>(), any::<bool>());
    let sides = (any::<bool>(), any::<bool>());
    (versions, topic, sides, select(STRUCK)).prop_map(|(kafka, topic, sides, struck)| {
        let (minimum, unclean, flushes) = topic;
        let (librdkafka, idempotent) = sides;
        let client = if librdkafka { "librdkafka" } else { "java" };
        let flush = if flushes { "flush.messages = 1\n" } else { "" };
        Text(format!(
            "client = \"{client}\"\nkafka = \"{kafka}\"\n\
             [producer]\nacks = \"all\"\nenable.idempotence = {idempotent}\n\
             max.in.flight.requests.per.connection = 1\n\
             [topic]\ncleanup.policy = \"compact\"\nreplication.factor = 2\n\
             min.insync.replicas = {minimum}\nunclean.leader.election.enable = {unclean}\n{flush}\
             [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
             [application]\norder = \"db[process, save-offset]\"\n\
             [sink]\neffect = \"upsert\"\n\
             [faults]\ncompaction = 1\n{struck} = 1\ntotal = 2\n\
             [bounds]\nrecords = 3\nretries = 0\n"
        ))
    })
}

/// A design whose topic is created again, with one fault of brokers beside that.
pub fn any_recreated() -> impl Strategy<Value = Text> {
    let versions = select(&["4.1", "3.7"][..]);
    let topic = (2..=3usize, 1..=2usize, any::<bool>());
    let producer = (any::<bool>(), select(&["all", "all", "1", "0"][..]));
    let order = select(&["db[process, save-offset]", "process -> commit"][..]);
    let reset = select(&["earliest", "earliest", "latest", "none"][..]);
    let consumer = (order, reset);
    let bounds = (1..=2usize, 0..=1usize);
    (versions, topic, producer, consumer, select(STRUCK), bounds).prop_map(
        |(kafka, topic, (idempotent, acks), (order, reset), struck, bounds)| {
            let (replicas, minimum, unclean) = topic;
            let acks = if idempotent { "all" } else { acks };
            let (records, retries) = bounds;
            Text(format!(
                "client = \"java\"\nkafka = \"{kafka}\"\n\
                 [producer]\nacks = \"{acks}\"\nenable.idempotence = {idempotent}\n\
                 [topic]\nreplication.factor = {replicas}\nmin.insync.replicas = {minimum}\n\
                 unclean.leader.election.enable = {unclean}\n\
                 [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"{reset}\"\n\
                 [application]\norder = \"{order}\"\n\
                 [sink]\neffect = \"add\"\n\
                 [faults]\ntopic-recreate = 1\n{struck} = 1\ntotal = 2\n\
                 [bounds]\nrecords = {records}\nretries = {retries}\n"
            ))
        },
    )
}
