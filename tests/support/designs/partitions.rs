//! Random designs whose topic has two partitions.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::Text;

/// What strikes any of them.
const FAULTS: &[&str] = &[
    "consumer-crash",
    "producer-crash",
    "graceful-restart",
    "producer-pause",
    "consumer-pause",
    "slow-processing",
    "rebalance",
    "process-failure-late",
    "sink-answer-lost",
    "request-lost",
    "response-lost",
    "request-refused",
    "request-delayed.produce",
    "request-delayed.offset-commit",
    "delivery-timeout",
    "producer-id-expiry",
    "offsets-expiry",
    "retention",
    "offset-reset",
    "coordinator-failover",
];

/// How a consumer of Java commits, and how one of librdkafka does.
const JAVA: &[&str] = &[
    "enable.auto.commit = false\n[application]\norder = \"process -> commit\"\n",
    "enable.auto.commit = false\n[application]\norder = \"commit -> process\"\n",
    "enable.auto.commit = false\n[application]\norder = \"db[process, remember] -> commit\"\n",
    "enable.auto.commit = false\n[application]\norder = \"each(process) -> commit\"\ncommit-covers = \"position\"\n",
    "enable.auto.commit = false\n[application]\norder = \"process -> commit\"\ncommit-covers = \"position\"\n",
    "enable.auto.commit = true\n[application]\norder = \"process\"\n",
    "enable.auto.commit = true\n[application]\norder = \"process\"\non-process-failure = { then = \"close\" }\n",
];
const LIBRDKAFKA: &[&str] = &[
    "enable.auto.commit = false\n[application]\norder = \"process -> commit\"\n",
    "enable.auto.commit = true\n[application]\norder = \"process\"\n",
    "enable.auto.commit = true\nenable.auto.offset.store = false\n[application]\norder = \"process -> store-offset\"\n",
];

/// The same design with one partition and with two.
#[derive(Clone, Debug)]
pub struct Pair {
    /// With one.
    pub one: Text,
    /// With two.
    pub two: Text,
}

/// A design of at most two records and two faults.
pub fn any_partitions() -> impl Strategy<Value = Pair> {
    let clients = (any::<bool>(), 0..JAVA.len(), any::<bool>());
    let protocol = select(&["", "group.protocol = \"consumer\"\n"][..]);
    let reset = select(&["earliest", "earliest", "latest", "none"][..]);
    let resend = select(&["", "", "on-send-failure = \"resend\"\n"][..]);
    let shared = (any::<bool>(), any::<bool>());
    let replicas = select(&["", "", "[topic]\nreplication.factor = 3\n"][..]);
    let faults = subsequence(FAULTS.to_vec(), 0..=2);
    let bounds = (1..=2usize, 1..=2usize, any::<bool>(), 1..=2usize);
    (
        clients, protocol, reset, resend, shared, replicas, faults, bounds,
    )
        .prop_map(
        |(clients, protocol, reset, resend, shared, replicas, faults, bounds)| {
            let (java, commits, idempotent) = clients;
            let (records, keys, cold, poll) = bounds;
            let shares = shared.0 && shared.1 && java && commits < 5;
            let (client, commits, protocol) = match java {
                true if shares => ("java", JAVA[commits], ""),
                true => ("java", JAVA[commits], protocol),
                false => ("librdkafka", LIBRDKAFKA[commits % LIBRDKAFKA.len()], ""),
            };
            let reset = match reset {
                "none" if !java => "error",
                reset => reset,
            };
            let instances = if shares { "instances = 2\n" } else { "" };
            let faults: Vec<String> = faults.iter().map(|fault| format!("{fault} = 1\n")).collect();
            let text = |partitions: usize| {
                let start = if cold { "start = \"cold\"\n" } else { "" };
                let poll = match java {
                    true => format!("poll = {}\n", poll.min(records)),
                    false => String::new(),
                };
                Text(format!(
                    "client = \"{client}\"\n[producer]\nacks = \"all\"\nenable.idempotence = {}\n{replicas}\
                     [consumer]\nauto.offset.reset = \"{reset}\"\n{protocol}{commits}{resend}{instances}\
                     [sink]\neffect = \"add\"\n[faults]\n{}total = {}\n\
                     [bounds]\nrecords = {records}\nkeys = {}\npartitions = {partitions}\n{poll}retries = 1\n{start}",
                    java && idempotent,
                    faults.concat(),
                    faults.len(),
                    keys.min(records),
                ))
            };
            Pair {
                one: text(1),
                two: text(2),
            }
        },
    )
}
