//! Random designs whose upstream sends in transactions, and whose brokers are struck.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::Text;

/// What strikes brokers, and leaves what they had acknowledged.
const CLEAN: &[&str] = &["broker-crash", "leader-change", "replica-lag"];
/// What strikes brokers, and may take that away.
const UNCLEAN: &[&str] = &["broker-crash", "power-loss", "disk-loss", "leader-change"];
/// What strikes the producer and its calls.
const OTHERS: &[&str] = &[
    "producer-crash",
    "abort",
    "response-lost",
    "request-lost.produce",
    "request-refused",
    "request-delayed.produce",
    "delivery-timeout",
    "transaction-timeout",
    "response-lost.end-txn",
    "request-delayed.end-txn",
    "consumer-crash",
];

/// Whether what brokers have acknowledged may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brokers {
    /// They lead when they are in sync only, and their page cache survives; they ask the coordinator
    /// whose transaction a record is of.
    KeepTheirLogs,
    /// Anything.
    MayLoseThem,
}

/// A design of at most two records and two faults, one of them of a broker at least.
pub fn any_transactions(brokers: Brokers) -> impl Strategy<Value = Text> {
    let (faults, elections, versions) = match brokers {
        Brokers::KeepTheirLogs => (CLEAN, &["false"][..], &["3.9", "4.1"][..]),
        Brokers::MayLoseThem => (
            UNCLEAN,
            &["false", "false", "true"][..],
            &["3.9", "4.1", "3.5", "2.4"][..],
        ),
    };
    let versions = select(versions);
    let topic = (1..=3usize, 1..=2usize, select(elections));
    let application = select(
        &[
            "",
            "on-send-failure = \"resend\"\n",
            "on-restart = \"resend-unconfirmed\"\n",
        ][..],
    );
    let faults = (
        subsequence(faults.to_vec(), 1..=2),
        subsequence(OTHERS.to_vec(), 0..=1),
    );
    let isolation = select(&["read_committed", "read_committed", "read_uncommitted"][..]);
    let bounds = (1..=2usize, 1..=2usize, 0..=2usize);
    (
        any::<bool>(),
        versions,
        topic,
        isolation,
        application,
        faults,
        bounds,
    )
        .prop_map(
            |(librdkafka, kafka, topic, isolation, application, faults, bounds)| {
                let client = if librdkafka { "librdkafka" } else { "java" };
                let (replicas, minimum, unclean) = (topic.0, topic.1.min(topic.0), topic.2);
                let (records, per_transaction, retries) = bounds;
                let faults: Vec<String> = faults
                    .0
                    .iter()
                    .chain(&faults.1)
                    .map(|fault| format!("{fault} = 1\n"))
                    .collect();
                let faults = faults.concat();
                Text(format!(
                    "client = \"{client}\"\nkafka = \"{kafka}\"\n\
                 [producer]\ntransactional.id = \"upstream\"\n\
                 [topic]\nreplication.factor = {replicas}\nmin.insync.replicas = {minimum}\n\
                 unclean.leader.election.enable = {unclean}\n\
                 [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
                 isolation.level = \"{isolation}\"\n\
                 [application]\norder = \"db[process, save-offset]\"\nsource = \"transaction\"\n\
                 records-per-transaction = {per_transaction}\n{application}\
                 [sink]\neffect = \"add\"\n\
                 [faults]\n{faults}total = 2\n\
                 [bounds]\nrecords = {records}\nretries = {retries}\n"
                ))
            },
        )
}
