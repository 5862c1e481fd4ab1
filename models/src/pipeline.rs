//! A pipeline as the model runs it: every setting resolved to the value in force.
//!
//! Nothing here knows of files, property names or defaults; a design is resolved to a
//! [`Pipeline`] once, and everything that the model cannot express has been refused before.

use crate::fault::FaultBudget;
use crate::order::{Item, Order, Step};
pub use crate::rules::{KafkaRules, TruncationRule};

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
    pub retries: u16,
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
    /// Where the records come from.
    pub source: Source,
    /// Whether the broker may forget the producer id (`producer.id.expiration.ms`) before the
    /// client gives a record up (`delivery.timeout.ms`).
    pub id_expires_first: bool,
}

impl ProducerSettings {
    /// Whether the records are sent in transactions.
    pub fn is_transactional(&self) -> bool {
        matches!(self.source, Source::Transaction { .. })
    }

    /// Whether the application sends a record again whose delivery failed.
    pub fn sends_again(&self) -> bool {
        self.on_send_failure == OnSendFailure::Resend || self.source.waits_for_reports()
    }
}

/// `source`: where the records that the producer sends come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The application's memory.
    Memory,
    /// An outbox table that a relay publishes row by row.
    Outbox {
        /// `outbox-order`.
        order: OutboxOrder,
        /// `outbox-cursor`.
        cursor: OutboxCursor,
    },
    /// The application writes each record to its database and to Kafka.
    DualWrite(DualWriteOrder),
    /// The application sends its records in transactions.
    Transaction {
        /// `records-per-transaction`.
        records_per_transaction: u16,
    },
}

impl Source {
    /// Whether each record waits for the delivery report of the one before.
    pub fn waits_for_reports(self) -> bool {
        match self {
            Source::Outbox { .. } | Source::DualWrite(DualWriteOrder::KafkaFirst) => true,
            Source::Memory
            | Source::DualWrite(DualWriteOrder::DatabaseFirst)
            | Source::Transaction { .. } => false,
        }
    }
}

/// `outbox-order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutboxOrder {
    /// Publish, wait, mark.
    PublishMark,
    /// Mark, then publish.
    MarkPublish,
}

/// `outbox-cursor`: how the relay finds the next row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutboxCursor {
    /// The first row that is not marked.
    Status,
    /// The first row above the highest id that it has marked.
    HighestId,
}

/// `dual-write-order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DualWriteOrder {
    /// The database transaction commits, then the record is sent.
    DatabaseFirst,
    /// The record is sent and acknowledged, then the database transaction commits.
    KafkaFirst,
}

/// `confirm-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfirmOn {
    /// The send was acknowledged.
    Ack,
    /// `send()` returned.
    Send,
    /// Its row was committed to the application's database.
    DatabaseCommit,
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
    /// With workers: up to the first record that is not done.
    Contiguous,
    /// With workers: the highest record that is done.
    Highest,
}

/// `on-commit-failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnCommitFailure {
    /// Repeated before the next step.
    RetryLatest,
    /// The order goes on, and the offset that failed is committed again at a later poll or when
    /// the partition is revoked.
    RetrySaved,
    /// The order goes on.
    Ignore,
}

/// `on-revoke` and `on-lost`: what the application's rebalance listener does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnRevoke {
    /// Nothing, or there is none.
    Nothing,
    /// It commits what is done.
    Commit,
    /// It drops the records that no worker has begun.
    DropBuffered,
}

/// `on-process-failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OnProcessFailure {
    /// How often a record is tried, at least once.
    pub attempts: u16,
    /// What follows the last attempt.
    pub then: AfterAttempts,
}

impl OnProcessFailure {
    /// Whether the process ends.
    pub fn ends_process(self) -> bool {
        match self.then {
            AfterAttempts::Stop | AfterAttempts::Close => true,
            AfterAttempts::Skip
            | AfterAttempts::DeadLetter(_)
            | AfterAttempts::RetryTopic
            | AfterAttempts::Block => false,
        }
    }

    /// Whether the application goes on without a record that failed.
    pub fn goes_on(self) -> bool {
        match self.then {
            AfterAttempts::Skip | AfterAttempts::DeadLetter(_) | AfterAttempts::RetryTopic => true,
            AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Block => false,
        }
    }
}

/// What follows the last failed attempt at a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AfterAttempts {
    /// The process dies.
    Stop,
    /// The exception leaves the loop, the consumer is closed, and the process ends.
    Close,
    /// The record is passed over.
    Skip,
    /// The record goes to the dead-letter topic and is passed over.
    DeadLetter(DeadLetterOrder),
    /// The record goes to the retry topic and is passed over; the application consumes that, too.
    RetryTopic,
    /// The record is tried for ever.
    Block,
}

/// `dead-letter-order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeadLetterOrder {
    /// The copy is written, then the record's offset is committed.
    WriteCommit,
    /// The record's offset is committed, then the copy is written.
    CommitWrite,
}

/// The consumer and the application around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// `auto.offset.reset`.
    pub offset_reset: OffsetReset,
    /// `isolation.level`.
    pub isolation: Isolation,
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
    /// How many worker threads handle the records while the loop polls on; 0: the loop does.
    pub workers: u16,
    /// What the listener does when the partition is revoked.
    pub on_revoke: OnRevoke,
    /// What the listener does when the partition was lost.
    pub on_lost: OnRevoke,
    /// What follows a failure of handling.
    pub on_process_failure: OnProcessFailure,
    /// What it writes to other topics.
    pub output: OutputSettings,
}

/// `[output.*]`: the producer of results, dead letters and retries, and who reads the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSettings {
    /// `acks`.
    pub acks: Acks,
    /// Whether the broker recognises the producer's retries.
    pub idempotence: bool,
    /// `retries` (librdkafka: `message.send.max.retries`), capped by `[bounds] retries`.
    pub retries: u16,
    /// Whether that cap is below the setting.
    pub retries_are_capped: bool,
    /// `max.in.flight.requests.per.connection`, at least 1.
    pub max_in_flight: u32,
    /// `isolation.level` of who reads the results.
    pub isolation: Isolation,
    /// `transactional-id`: whose the producer's `transactional.id` is.
    pub transactional_id: TransactionalId,
    /// `group-metadata`: whether the offsets of a transaction are sent with the member's generation.
    pub group_metadata: bool,
    /// `on-abort`: what the application does after it has aborted a transaction.
    pub on_abort: OnAbort,
    /// Whether a new owner of the partition waits for offsets that are pending in a transaction:
    /// brokers and clients from 2.5 (KIP-447), librdkafka under `read_committed` only.
    pub offsets_are_awaited: bool,
    /// Whether the group coordinator asks for the transaction of the offsets that it is sent: brokers
    /// from 3.7 (`transaction.partition.verification.enable`, KIP-890).
    pub offsets_are_verified: bool,
}

impl OutputSettings {
    /// The settings of a producer that nobody writes with.
    pub const NONE: OutputSettings = OutputSettings {
        acks: Acks::All,
        idempotence: false,
        retries: 0,
        retries_are_capped: false,
        max_in_flight: 1,
        isolation: Isolation::ReadUncommitted,
        transactional_id: TransactionalId::Stable,
        group_metadata: true,
        on_abort: OnAbort::Seek,
        offsets_are_awaited: true,
        offsets_are_verified: true,
    };
}

/// `transactional-id`: whose the `transactional.id` of the output producer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionalId {
    /// That of the instance, the same after its restart.
    Stable,
    /// That of one start of a process.
    PerStart,
    /// That of the partition that is read: whoever gets it takes the id over.
    PerPartition,
}

/// `on-abort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnAbort {
    /// The consumer seeks to the committed offset.
    Seek,
    /// The application goes on with the next record.
    Continue,
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

    /// Which records the consumers are given.
    pub fn isolation(&self) -> Isolation {
        self.consumer.isolation
    }

    /// Whether the partition has several replicas.
    pub fn is_replicated(&self) -> bool {
        self.topic.replication.replicas > 1
    }

    /// Whether anything can tell the replicas apart: a fault that strikes brokers. Otherwise they are
    /// in sync for ever, and what waits for them is only answered, and read, a little later.
    pub fn tells_replicas_apart(&self) -> bool {
        self.is_replicated() && self.faults.strikes_brokers()
    }

    /// Whether the group assigns the partition.
    pub fn subscribes(&self) -> bool {
        self.group.assignment == Assignment::Subscribe
    }
}

impl ConsumerSettings {
    /// Whether commits are ever sent without anyone waiting for them.
    pub fn commits_in_background(&self) -> bool {
        self.order.contains(Step::CommitAsync) || self.auto_commit != AutoCommit::Off
    }

    /// Whether anything ever commits to the group coordinator.
    pub fn commits(&self) -> bool {
        self.commits_by_itself() || self.commits_in_transactions()
    }

    /// Whether offsets are ever committed as part of a Kafka transaction.
    pub fn commits_in_transactions(&self) -> bool {
        let mut transactions = self.order.transactions().into_iter();
        transactions.any(|own| own.contains(&Item::Step(Step::Commit)))
    }

    /// Whether offsets are ever committed outside of a Kafka transaction.
    pub fn commits_by_itself(&self) -> bool {
        let all = self.order.steps().into_iter();
        let commits = all.filter(|step| *step == Step::Commit).count();
        let inside = self.order.transactions().into_iter().flatten();
        commits
            > inside
                .filter(|own| **own == Item::Step(Step::Commit))
                .count()
            || self.commits_in_background()
            || self.on_revoke == OnRevoke::Commit
            || self.commits_before_dead_letter()
    }

    /// Whether a record that failed is committed before it goes to the dead-letter topic.
    pub fn commits_before_dead_letter(&self) -> bool {
        self.on_process_failure.then == AfterAttempts::DeadLetter(DeadLetterOrder::CommitWrite)
    }

    /// Whether results are written to the output topic.
    pub fn produces(&self) -> bool {
        self.order.contains(Step::Produce) || self.order.contains(Step::ProduceAsync)
    }

    /// Whether a record's handling is to write its result: there is no `process`.
    pub fn only_produces(&self) -> bool {
        self.produces() && !self.order.contains(Step::Process)
    }

    /// Whether results, or offsets, are written in Kafka transactions.
    pub fn has_transactions(&self) -> bool {
        self.order.has_transactions()
    }

    /// Whether records that failed are written to a dead-letter or retry topic.
    pub fn writes_failed(&self) -> bool {
        match self.on_process_failure.then {
            AfterAttempts::DeadLetter(_) | AfterAttempts::RetryTopic => true,
            AfterAttempts::Stop
            | AfterAttempts::Close
            | AfterAttempts::Skip
            | AfterAttempts::Block => false,
        }
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
