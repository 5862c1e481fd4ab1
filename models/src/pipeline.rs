//! A pipeline as the model runs it: every setting resolved to the value in force.
//!
//! Nothing here knows of files, property names or defaults; a design is resolved to a
//! [`Pipeline`] once, and everything that the model cannot express has been refused before.

use crate::fault::FaultBudget;
use crate::order::{Order, Step};

/// The client library on both sides, whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// Apache Kafka's Java clients.
    Java,
    /// librdkafka and the clients built on it.
    Librdkafka,
}

/// How many replicas must have a record before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acks {
    /// `acks=0`: the broker does not answer.
    None,
    /// `acks=1`.
    Leader,
    /// `acks=all`.
    All,
}

/// The upstream producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerSettings {
    /// `acks`.
    pub acks: Acks,
    /// `enable.idempotence` as in force after the client's own rules.
    pub idempotence: bool,
    /// `retries` (librdkafka: `message.send.max.retries`), capped by `[bounds] retries`.
    pub retries: u8,
    /// Whether that cap is below the setting: then the delivery timeout ends the retries.
    pub retries_are_capped: bool,
    /// `max.in.flight.requests.per.connection`, at least 1.
    pub max_in_flight: u32,
    /// When the application may rely on a record.
    pub confirm_on: ConfirmOn,
    /// What the application does with a record whose delivery failed.
    pub on_send_failure: OnSendFailure,
    /// What the application does with unconfirmed records after a restart.
    pub on_restart: OnRestart,
}

/// `confirm-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfirmOn {
    /// The send was acknowledged.
    Ack,
    /// `send()` returned.
    Send,
}

/// `on-send-failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnSendFailure {
    /// The record is reported failed and left.
    GiveUp,
    /// The record is sent again as a new send.
    Resend,
    /// The failure is not looked at.
    Ignore,
}

/// `on-restart`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnRestart {
    /// What was not confirmed is forgotten.
    Forget,
    /// What was not confirmed is sent again, in order, before new records.
    ResendUnconfirmed,
}

/// The topic between producer and consumer: one partition, one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSettings {
    /// `flush.messages`: after how many appended records the log is flushed; `None`: never asked
    /// for.
    pub flush_messages: Option<u64>,
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

/// Automatic commit, as the client does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AutoCommit {
    /// `enable.auto.commit=false`.
    Off,
    /// Java: in a poll, what earlier polls returned.
    AtPoll,
    /// librdkafka: in the background, at any time, what is in the offset store.
    /// `automatic_store`: `enable.auto.offset.store`, the hand-over of a record stores its offset.
    Background {
        /// `enable.auto.offset.store`.
        automatic_store: bool,
    },
}

/// `commit-covers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommitCovers {
    /// The record's offset + 1.
    Next,
    /// The record's own offset: off by one.
    Last,
    /// Everything that the last poll returned.
    Position,
}

/// `on-commit-failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnCommitFailure {
    /// Repeated before the next step.
    RetryLatest,
    /// The order goes on.
    Ignore,
}

/// The consumer and the application around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// `auto.offset.reset`.
    pub offset_reset: OffsetReset,
    /// Automatic commit.
    pub auto_commit: AutoCommit,
    /// The order of the application's steps.
    pub order: Order,
    /// What a commit covers.
    pub commit_covers: CommitCovers,
    /// What follows a failed commit.
    pub on_commit_failure: OnCommitFailure,
    /// Whether the consumer seeks to the offset saved in the sink's database when it is assigned.
    pub seek_on_assign: bool,
}

impl ConsumerSettings {
    /// Whether commits are ever sent without anyone waiting for them.
    pub fn commits_in_background(&self) -> bool {
        self.order.contains(Step::CommitAsync) || self.auto_commit != AutoCommit::Off
    }

    /// Whether anything ever commits to the group coordinator.
    pub fn commits(&self) -> bool {
        self.order.contains(Step::Commit) || self.commits_in_background()
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
    pub records: u8,
    /// How many keys they share, in turn.
    pub keys: u8,
    /// How many records a poll may return.
    pub poll: u8,
    /// The cap on what Kafka leaves unbounded.
    pub retries: u8,
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
    /// The consumer and its application.
    pub consumer: ConsumerSettings,
    /// The sink.
    pub sink: SinkSettings,
    /// The faults that may happen.
    pub faults: FaultBudget,
    /// The bound.
    pub bounds: Bounds,
}
