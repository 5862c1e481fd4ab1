//! A pipeline as the model runs it: every setting resolved to the value in force.
//!
//! Nothing here knows of files, property names or defaults; a design is resolved to a
//! [`Pipeline`] once, and everything that the model cannot express has been refused before.

mod consumer;
mod producer;
pub mod results;

use crate::fault::FaultBudget;
pub use crate::rules::{KafkaRules, TruncationRule};
use crate::transaction_coordinator::TransactionVersion;
pub use consumer::*;
pub use producer::*;

/// The client library on both sides, whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// Apache Kafka's Java clients.
    Java,
    /// librdkafka and the clients built on it.
    Librdkafka,
}

/// The topic between producer and consumer: one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// Its replicas.
    pub replication: ReplicationSettings,
    /// `flush.messages`: after how many appended records the log is flushed; `None`: never asked
    /// for.
    pub flush_messages: Option<u64>,
    /// Whether the brokers flush every topic after each record, the offsets topic too
    /// (`log.flush.interval.messages = 1`).
    pub flushes_internal_topics: bool,
    /// Whether retention may delete the oldest records: by age (`retention.ms`) or by size
    /// (`retention.bytes`).
    pub retention: bool,
    /// Whether it is compacted (`cleanup.policy` has `compact`): of each key only the newest record
    /// is to be kept.
    pub compacted: bool,
    /// Whether the log cleaner removes the others (`log.cleaner.enable`).
    pub cleaned: bool,
}

/// The replicas of the partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplicationSettings {
    /// `replication.factor`.
    pub replicas: u16,
    /// `min.insync.replicas`, as far as there are replicas.
    pub min_in_sync: u16,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election: bool,
    /// Whether replicas that left the in-sync ones below the minimum may lead (KIP-966).
    pub eligible_leader_replicas: bool,
}

impl ReplicationSettings {
    /// A single replica.
    pub const ONE: ReplicationSettings = ReplicationSettings {
        replicas: 1,
        min_in_sync: 1,
        unclean_leader_election: false,
        eligible_leader_replicas: false,
    };
}

/// `auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OffsetReset {
    /// To the log's start.
    Earliest,
    /// To the log's end.
    Latest,
    /// The consumer fails.
    None,
}

/// `isolation.level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Every record is read, also of transactions that are open or aborted.
    ReadUncommitted,
    /// Records are read up to the last stable offset, without those of aborted transactions.
    ReadCommitted,
}

/// The consumers of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// How many consumers there are.
    pub instances: u16,
    /// Whether the group assigns the partition.
    pub assignment: Assignment,
    /// How a rebalance goes.
    pub protocol: GroupProtocol,
    /// Whether the assignor leaves the partition with its owner as long as that is a member.
    pub sticky: bool,
    /// `group.instance.id`: each consumer has one of its own.
    pub static_membership: bool,
    /// Whether the client gives the partition up without waiting for the application to poll.
    pub revokes_in_background: bool,
    /// Whether a client that was put out of the group joins it again without waiting for the
    /// application to poll.
    pub rejoins_in_background: bool,
}

/// `assignment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assignment {
    /// The group assigns the partition.
    Subscribe,
    /// Each consumer assigns the partition to itself.
    Assign,
}

/// How a rebalance takes the partition away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupProtocol {
    /// Classic, eager: everyone gives up everything first, and reads its position anew.
    Eager,
    /// Classic, cooperative: only what moves is given up.
    Cooperative,
    /// The consumer protocol (KIP-848): only what moves is given up.
    Consumer,
}

impl Pipeline {
    /// Whether several processes or threads write to the sink at the same time.
    pub fn is_concurrent(&self) -> bool {
        self.group.instances > 1 || self.consumer.workers > 1
    }

    /// Whether a Java client sends records in transactions that end in the epoch in which they began.
    fn ends_in_epoch(&self) -> bool {
        self.producer.is_transactional()
            && self.client == Client::Java
            && self.rules.transactions.version == TransactionVersion::One
    }

    /// Whether that client can never have its epoch raised (KIP-360).
    pub fn keeps_epochs(&self) -> bool {
        self.ends_in_epoch() && !self.rules.transactions.epoch_can_be_expected
    }

    /// Whether that client has its epoch raised after a delivery that failed, but not after one that fails
    /// while its transaction ends (`TransactionManager.isCompleting`).
    pub fn keeps_epoch_behind_commit(&self) -> bool {
        self.ends_in_epoch() && self.rules.transactions.epoch_can_be_expected
    }

    /// Which records the consumers are given.
    pub fn isolation(&self) -> Isolation {
        self.consumer.isolation
    }

    /// Whether the partition has several replicas.
    pub fn is_replicated(&self) -> bool {
        self.topic.replication.replicas > 1
    }

    /// Whether the group assigns the partition.
    pub fn subscribes(&self) -> bool {
        self.group.assignment == Assignment::Subscribe
    }
}

/// What the sink's effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Adds to a balance in the database.
    Add,
    /// Writes a row per key in the database; the last write wins.
    Upsert,
    /// Calls a provider outside.
    External {
        /// Whether the provider recognises a repeated call by its idempotency key.
        idempotency_key: bool,
    },
    /// None but the results that `produce` writes to the output topic.
    Topic,
}

/// Where the dedup store lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dedup {
    /// In the sink's database.
    Durable,
    /// In a durable store of its own.
    Separate,
    /// In the memory of the consumer's process.
    Memory,
}

/// `dedup-insert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DedupInsert {
    /// A second insert of the same key conflicts.
    Unique,
    /// A second insert of the same key does nothing.
    Plain,
}

/// `dedup-key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DedupKey {
    /// The record's application identity.
    Record,
    /// The record's offset.
    Offset,
}

/// The sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSettings {
    /// What `process` does.
    pub effect: Effect,
    /// Where `remember` writes.
    pub dedup: Dedup,
    /// Whether `remember` is a unique insert.
    pub dedup_insert: DedupInsert,
    /// What identifies a record in the dedup store.
    pub dedup_key: DedupKey,
    /// `dedup-window`: how many entries the dedup store keeps; `None`: all.
    pub dedup_window: Option<u16>,
    /// Whether the sink refuses writes of an older generation than the last that it was told of.
    pub fencing: bool,
    /// Whether an upsert only goes over an older offset, and `save-offset` is a compare-and-set.
    pub version_guard: bool,
}

/// How the exploration starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// The consumer is a member of the group and positioned at the log's start.
    Joined,
    /// The consumer has not joined; the reset policy acts.
    Cold,
}

/// The stated bound, apart from the faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many records the application sends.
    pub records: u16,
    /// How many partitions the topic has from the start: one or two.
    pub partitions: u16,
    /// How many keys they share, in turn.
    pub keys: u16,
    /// How many records a poll may return.
    pub poll: u16,
    /// The cap on what Kafka leaves unbounded.
    pub retries: u16,
    /// How the exploration starts.
    pub start: Start,
}

/// A whole pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Whose rules apply.
    pub client: Client,
    /// The upstream producer and its application.
    pub producer: ProducerSettings,
    /// The topic.
    pub topic: TopicSettings,
    /// The consumers of the group.
    pub group: GroupSettings,
    /// Each consumer and its application.
    pub consumer: ConsumerSettings,
    /// The sink.
    pub sink: SinkSettings,
    /// The rules of Kafka's release.
    pub rules: KafkaRules,
    /// The faults that may happen.
    pub faults: FaultBudget,
    /// The bound.
    pub bounds: Bounds,
}
