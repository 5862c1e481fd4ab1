//! Random designs whose upstream sends in transactions, and whose application writes results.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{Brokers, Text, any_results};

/// What strikes the upstream, the application, or either of them.
const FAULTS: &[&str] = &[
    "producer-crash",
    "consumer-crash",
    "abort",
    "transaction-timeout",
    "process-failure",
    "process-failure-late",
    "rebalance",
    "consumer-pause",
    "request-lost",
    "response-lost.produce",
    "response-lost.end-txn",
    "response-lost.init-producer-id",
    "request-refused.output-produce",
];
/// What may end a transaction or bring a record where nobody expects it any more, or sends again what may
/// be there.
const LATE: &[&str] = &[
    "request-delayed.end-txn",
    "request-delayed.produce",
    "request-delayed.output-produce",
    "request-delayed.txn-offset-commit",
    "delivery-timeout",
];
/// The offset goes with the results.
const WITH_THE_OFFSET: &[&str] = &[
    "kafka[produce, commit]",
    "kafka[produce, commit]",
    "kafka[each(produce), commit]",
    "kafka[produce-async, commit]",
];
/// It may go without them.
const WITHOUT: &[&str] = &[
    "kafka[produce] -> commit",
    "commit -> kafka[produce]",
    "produce -> commit",
    "produce-async -> flush -> commit",
    "kafka[process, produce, commit]",
    "kafka[db[process, remember], produce, commit]",
];

/// Whether an application gives each committed record one result, whatever strikes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// It waits for the upstream and is waited for, and has the offset in its transaction, to which it goes
    /// back; what failed is not taken for lost.
    ExactlyOnce,
    /// It may do anything.
    Any,
}

/// A design of at most two records and two faults, with none of brokers.
pub fn any_chain(kind: Chain) -> impl Strategy<Value = Text> {
    let sound = kind == Chain::ExactlyOnce;
    let orders = match kind {
        Chain::ExactlyOnce => select(WITH_THE_OFFSET).boxed(),
        Chain::Any => prop_oneof![select(WITH_THE_OFFSET), select(WITHOUT)].boxed(),
    };
    let versions: &[&str] = match kind {
        Chain::ExactlyOnce => &["3.9", "4.1"],
        Chain::Any => &["4.1", "3.9", "3.5", "2.4"],
    };
    let clients = (any::<bool>(), select(versions));
    let levels = select(&["read_committed", "read_committed", "read_uncommitted"][..]);
    let upstream = select(
        &[
            "",
            "on-send-failure = \"resend\"\n",
            "on-restart = \"resend-unconfirmed\"\n",
        ][..],
    );
    let ids = select(&["stable", "stable", "per-start", "per-partition"][..]);
    let application = (upstream, ids, any::<[bool; 2]>());
    let late = prop::option::weighted(0.3, select(LATE));
    let faults = (subsequence(FAULTS.to_vec(), 1..=2), late);
    let bounds = (1..=2usize, 1..=2usize, 0..=2usize);
    (
        clients,
        orders,
        (levels.clone(), levels),
        application,
        faults,
        bounds,
    )
        .prop_map(
            move |(clients, order, levels, (upstream, id, flags), faults, bounds)| {
                let (librdkafka, kafka) = clients;
                let [two, goes_on] = flags;
                let client = if librdkafka { "librdkafka" } else { "java" };
                let level = |drawn| if sound { "read_committed" } else { drawn };
                let upstream = match sound && upstream.starts_with("on-restart") {
                    true => "",
                    false => upstream,
                };
                let transactional = order.contains("kafka[");
                // Where a result may come behind its client, the topic's log is followed for stable ids and
                // without requests that are late.
                let followed = order.contains("async") || kafka == "3.5";
                let id = if followed { "stable" } else { id };
                // Under version 1 only the upstream may end a transaction late.
                let one_epoch = librdkafka || kafka != "4.1";
                let refused =
                    |late| late == "request-delayed.end-txn" && transactional && one_epoch;
                let late = faults
                    .1
                    .filter(|late| !sound && id == "stable" && !refused(*late))
                    .filter(|late| !(followed && late.starts_with("request-delayed")));
                // So it is for a reader that sees what may still abort.
                let waits = !librdkafka && kafka == "2.4"
                    || id != "stable"
                    || late.is_some_and(|late| late.starts_with("request-delayed"));
                let faults = faults.0.into_iter().chain(late);
                let faults: String = faults.map(|fault| format!("{fault} = 1\n")).collect();
                let mut application = format!("order = \"{order}\"\n{upstream}");
                if sound {
                    // Without a listener librdkafka joins again behind the application's back.
                    application += "on-revoke = \"nothing\"\n";
                }
                if two {
                    application += "instances = 2\n";
                }
                let mut results = "acks = \"all\"\nenable.idempotence = true\n".to_string();
                if transactional {
                    results += "transactional.id = \"results\"\n";
                    application += &format!("transactional-id = \"{id}\"\n");
                    application += "on-process-failure = { attempts = 2, then = \"stop\" }\n";
                    if goes_on && !sound {
                        application += "on-abort = \"continue\"\n";
                    }
                }
                let effect = match order.contains("process") {
                    true => "add",
                    false => "topic",
                };
                let (records, per_transaction, retries) = bounds;
                Text(format!(
                    "client = \"{client}\"\nkafka = \"{kafka}\"\n\
                     [producer]\nacks = \"all\"\nenable.idempotence = true\n\
                     transactional.id = \"upstream\"\n\
                     [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
                     isolation.level = \"{}\"\n\
                     [application]\nsource = \"transaction\"\n\
                     records-per-transaction = {per_transaction}\n{application}\
                     [output.producer]\n{results}\
                     [output.consumer]\nisolation.level = \"{}\"\n\
                     [sink]\neffect = \"{effect}\"\n\
                     [faults]\n{faults}total = 2\n\
                     [bounds]\nrecords = {records}\nretries = {retries}\n",
                    level(levels.0),
                    if waits {
                        "read_committed"
                    } else {
                        level(levels.1)
                    },
                ))
            },
        )
}

/// The same beside a fault of brokers, of either topic.
pub fn any_struck_chain(brokers: Brokers) -> impl Strategy<Value = Text> {
    let level = select(&["read_committed", "read_committed", "read_uncommitted"][..]);
    (any_results(brokers), level, 1..=2usize).prop_map(move |(Text(text), level, replicas)| {
        let level = match brokers {
            Brokers::KeepTheirLogs => "read_committed",
            Brokers::MayLoseThem => level,
        };
        let more = |text: String, table: &str, lines: &str| {
            let head = format!("[{table}]\n");
            text.replacen(&head, &format!("{head}{lines}"), 1)
        };
        let text = more(text, "producer", "transactional.id = \"upstream\"\n");
        let text = more(
            text,
            "consumer",
            &format!("isolation.level = \"{level}\"\n"),
        );
        let text = more(text, "application", "source = \"transaction\"\n");
        // A client of that time, which would fence itself.
        let text = text.replace("kafka = \"2.8\"", "kafka = \"3.7\"");
        let topic = format!("replication.factor = {replicas}\nmin.insync.replicas = {replicas}\n");
        Text(format!("{text}[topic]\n{topic}"))
    })
}
