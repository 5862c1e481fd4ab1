//! What the consumers are told, and the application around them.

use super::{Acks, Isolation, OffsetReset, ReplicationSettings};
use crate::order::{Item, Order, Step};

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
    /// Whether the coordinator ends a transaction of its that stays open, as of
    /// [`ProducerSettings`](super::ProducerSettings).
    pub transactions_time_out: bool,
    /// `prepared-transaction`: what a start does with a transaction that the database says is prepared.
    pub prepared_transaction: PreparedTransaction,
    /// Whether a new owner of the partition waits for offsets that are pending in a transaction:
    /// brokers and clients from 2.5 (KIP-447), librdkafka under `read_committed` only.
    pub offsets_are_awaited: bool,
    /// Whether the group coordinator asks for the transaction of the offsets that it is sent: brokers
    /// from 3.7 (`transaction.partition.verification.enable`, KIP-890).
    pub offsets_are_verified: bool,
    /// The replicas of the topic that the results are written to.
    pub replication: ReplicationSettings,
    /// After how many appended results the log of that topic is flushed; `None`: never asked for.
    pub flush_messages: Option<u64>,
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
        transactions_time_out: true,
        prepared_transaction: PreparedTransaction::Abort,
        offsets_are_awaited: true,
        offsets_are_verified: true,
        replication: ReplicationSettings::ONE,
        flush_messages: None,
    };
}

/// `prepared-transaction`: what a start does with a transaction that the database says is prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PreparedTransaction {
    /// What it does with every other that is open: `initTransactions()` aborts it.
    Abort,
    /// It commits it, with the producer id and epoch that the database has, before it calls
    /// `initTransactions()`.
    Resume,
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

    /// Whether nobody can read before something is committed in the retry topic: the application subscribes to it,
    /// whether or not anything ever comes there.
    pub fn needs_an_offset_to_retry(&self) -> bool {
        self.offset_reset == OffsetReset::None
            && self.on_process_failure.then == AfterAttempts::RetryTopic
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
