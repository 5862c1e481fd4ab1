//! The tables of a design, and semel's own keys in them.

use super::properties::Scope;

/// A table of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What stands before the first table.
    Root,
    /// `[producer]`: the upstream producer.
    Producer,
    /// `[topic]`: the topic between producer and consumer.
    Topic,
    /// `[consumer]`: the consumer.
    Consumer,
    /// `[broker]`: the brokers.
    Broker,
    /// `[output.producer]`: the producer that `produce` uses.
    OutputProducer,
    /// `[output.topic]`: the topic that `produce` writes to.
    OutputTopic,
    /// `[output.consumer]`: who reads what `produce` wrote.
    OutputConsumer,
    /// `[application]`: the code around the clients.
    Application,
    /// `[sink]`: where effects go.
    Sink,
    /// `[faults]`: what may go wrong, and how often.
    Faults,
    /// `[bounds]`: how much is explored.
    Bounds,
    /// `[expect]`: the verdicts that are expected.
    Expect,
}

impl Table {
    /// Every table, in the order in which they are documented.
    pub const ALL: [Table; 13] = [
        Table::Root,
        Table::Producer,
        Table::Topic,
        Table::Consumer,
        Table::Broker,
        Table::OutputProducer,
        Table::OutputTopic,
        Table::OutputConsumer,
        Table::Application,
        Table::Sink,
        Table::Faults,
        Table::Bounds,
        Table::Expect,
    ];

    /// The table's name; empty for what stands before the first table.
    pub fn name(self) -> &'static str {
        match self {
            Table::Root => "",
            Table::Producer => "producer",
            Table::Topic => "topic",
            Table::Consumer => "consumer",
            Table::Broker => "broker",
            Table::OutputProducer => "output.producer",
            Table::OutputTopic => "output.topic",
            Table::OutputConsumer => "output.consumer",
            Table::Application => "application",
            Table::Sink => "sink",
            Table::Faults => "faults",
            Table::Bounds => "bounds",
            Table::Expect => "expect",
        }
    }

    /// Where a key of the table stands, in a sentence.
    pub(crate) fn place(self) -> String {
        match self {
            Table::Root => String::from("at the top of the file, before the first table"),
            table @ (Table::Producer
            | Table::Topic
            | Table::Consumer
            | Table::Broker
            | Table::OutputProducer
            | Table::OutputTopic
            | Table::OutputConsumer
            | Table::Application
            | Table::Sink
            | Table::Faults
            | Table::Bounds
            | Table::Expect) => format!("in [{}]", table.name()),
        }
    }

    /// Which properties stand in it; `None`: it is not one of Kafka's tables.
    pub fn scope(self) -> Option<Scope> {
        match self {
            Table::Producer | Table::OutputProducer => Some(Scope::Producer),
            Table::Consumer | Table::OutputConsumer => Some(Scope::Consumer),
            Table::Topic | Table::OutputTopic => Some(Scope::Topic),
            Table::Broker => Some(Scope::Broker),
            Table::Root
            | Table::Application
            | Table::Sink
            | Table::Faults
            | Table::Bounds
            | Table::Expect => None,
        }
    }
}

/// semel's own keys, with the table that each stands in. `[faults]` and `[expect]` take the names
/// of faults and guarantees.
pub(crate) const OWN_KEYS: &[(Table, &str)] = &[
    (Table::Root, "name"),
    (Table::Root, "client"),
    (Table::Root, "client-version"),
    (Table::Root, "kafka"),
    (Table::Root, "require"),
    (Table::Application, "order"),
    (Table::Application, "commit-covers"),
    (Table::Application, "workers"),
    (Table::Application, "confirm-on"),
    (Table::Application, "seek-on-assign"),
    (Table::Application, "source"),
    (Table::Application, "outbox-order"),
    (Table::Application, "outbox-cursor"),
    (Table::Application, "dual-write-order"),
    (Table::Application, "records-per-transaction"),
    (Table::Application, "on-send-failure"),
    (Table::Application, "on-restart"),
    (Table::Application, "on-process-failure.attempts"),
    (Table::Application, "on-process-failure.then"),
    (Table::Application, "dead-letter-order"),
    (Table::Application, "on-commit-failure"),
    (Table::Application, "on-revoke"),
    (Table::Application, "on-lost"),
    (Table::Application, "on-abort"),
    (Table::Application, "prepared-transaction"),
    (Table::Application, "instances"),
    (Table::Application, "assignment"),
    (Table::Application, "transactional-id"),
    (Table::Application, "group-metadata"),
    (Table::Application, "framework"),
    (Table::Application, "ack-mode"),
    (Table::Application, "processing.guarantee"),
    (Table::Sink, "effect"),
    (Table::Sink, "idempotency-key"),
    (Table::Sink, "dedup"),
    (Table::Sink, "dedup-insert"),
    (Table::Sink, "dedup-key"),
    (Table::Sink, "dedup-window"),
    (Table::Sink, "fencing"),
    (Table::Sink, "version-guard"),
    (Table::Faults, "total"),
    (Table::Bounds, "records"),
    (Table::Bounds, "partitions"),
    (Table::Bounds, "keys"),
    (Table::Bounds, "poll"),
    (Table::Bounds, "retries"),
    (Table::Bounds, "start"),
    (Table::Bounds, "max-states"),
    (Table::Bounds, "max-memory"),
];

/// semel's own keys in `table`. `[faults]` and `[expect]` also take the names of faults and
/// guarantees.
pub fn own_keys(table: Table) -> impl Iterator<Item = &'static str> {
    OWN_KEYS
        .iter()
        .filter(move |(place, _)| *place == table)
        .map(|(_, key)| *key)
}
