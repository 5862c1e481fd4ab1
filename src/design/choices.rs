//! The words that semel's own keys take, as types: the default first.

/// A closed set of words.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// Every word, in the order in which they are documented.
    const ALL: &'static [Self];

    /// The word.
    fn name(self) -> &'static str;
}

macro_rules! choices {
    ($($(#[doc = $about:literal])+ $type:ident { $($(#[doc = $text:literal])+ $variant:ident = $name:literal,)* })*) => {
        $(
            $(#[doc = $about])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub(crate) enum $type { $($(#[doc = $text])+ $variant,)* }

            impl Choice for $type {
                const ALL: &'static [Self] = &[$($type::$variant,)*];

                fn name(self) -> &'static str {
                    match self { $($type::$variant => $name,)* }
                }
            }
        )*
    };
}

choices! {
    /// `client`
    ClientName {
        /// Apache Kafka's Java clients.
        Java = "java",
        /// librdkafka and the clients built on it.
        Librdkafka = "librdkafka",
    }
    /// `commit-covers`
    CommitCovers {
        /// This record's offset + 1.
        Next = "next",
        /// This record's offset: off by one.
        Last = "last",
        /// All that the last poll returned.
        Position = "position",
        /// With workers: up to the first record that is not done.
        Contiguous = "contiguous",
        /// With workers: the highest that is done.
        Highest = "highest",
    }
    /// `confirm-on`
    ConfirmOn {
        /// Its send was acknowledged.
        Ack = "ack",
        /// `send()` returned.
        Send = "send",
        /// Its row was committed.
        DatabaseCommit = "database-commit",
    }
    /// `source`
    RecordSource {
        /// The application's memory.
        Memory = "memory",
        /// An outbox table and a relay.
        Outbox = "outbox",
        /// The application writes to database and Kafka itself.
        DualWrite = "dual-write",
        /// The upstream commits its records in transactions.
        Transaction = "transaction",
    }
    /// `outbox-order`
    OutboxOrder {
        /// Publish, then mark.
        PublishMark = "publish -> mark",
        /// Mark, then publish.
        MarkPublish = "mark -> publish",
    }
    /// `outbox-cursor`
    OutboxCursor {
        /// A status in each row.
        Status = "status",
        /// The highest id seen.
        HighestId = "highest-id",
    }
    /// `dual-write-order`
    DualWriteOrder {
        /// The database first.
        DatabaseKafka = "database -> kafka",
        /// Kafka first.
        KafkaDatabase = "kafka -> database",
    }
    /// `on-send-failure`
    OnSendFailure {
        /// The record is reported failed and left.
        GiveUp = "give-up",
        /// A new send with a new sequence number.
        Resend = "resend",
        /// The failure is not looked at.
        Ignore = "ignore",
    }
    /// `on-restart`
    OnRestart {
        /// What was not confirmed is forgotten.
        Forget = "forget",
        /// What was not confirmed is sent again.
        ResendUnconfirmed = "resend-unconfirmed",
    }
    /// `on-process-failure.then`
    AfterAttempts {
        /// The process dies.
        Stop = "stop",
        /// The exception leaves the loop and the consumer is closed.
        Close = "close",
        /// The record is passed over.
        Skip = "skip",
        /// The record goes to the dead-letter topic.
        DeadLetter = "dead-letter",
        /// The record goes to a retry topic.
        RetryTopic = "retry-topic",
        /// The record is tried for ever.
        Block = "block",
    }
    /// `dead-letter-order`
    DeadLetterOrder {
        /// Write, then commit.
        WriteCommit = "write -> commit",
        /// Commit, then write.
        CommitWrite = "commit -> write",
        /// Both in one Kafka transaction.
        Transaction = "kafka[write, commit]",
    }
    /// `on-commit-failure`
    OnCommitFailure {
        /// Repeated before the next step.
        RetryLatest = "retry-latest",
        /// The saved offset is repeated later.
        RetrySaved = "retry-saved",
        /// The order goes on.
        Ignore = "ignore",
    }
    /// `on-revoke` and `on-lost`
    OnRevoke {
        /// The callback does nothing.
        Nothing = "nothing",
        /// The callback commits.
        Commit = "commit",
        /// The callback drops what is buffered.
        DropBuffered = "drop-buffered",
    }
    /// `on-abort`
    OnAbort {
        /// Back to the committed offset.
        Seek = "seek",
        /// On with the next record.
        Continue = "continue",
    }
    /// `prepared-transaction`
    PreparedTransaction {
        /// `initTransactions()` aborts it.
        Abort = "abort",
        /// It is committed, as the database says.
        Resume = "resume",
    }
    /// `assignment`
    Assignment {
        /// The group assigns partitions.
        Subscribe = "subscribe",
        /// The application assigns them itself.
        Assign = "assign",
    }
    /// `transactional-id`
    TransactionalId {
        /// One per instance, kept over restarts.
        Stable = "stable",
        /// A new one at each start.
        PerStart = "per-start",
        /// One per input partition.
        PerPartition = "per-partition",
    }
    /// `framework`
    Framework {
        /// Spring for Apache Kafka.
        SpringKafka = "spring-kafka",
        /// Kafka Streams.
        KafkaStreams = "kafka-streams",
    }
    /// `ack-mode`
    AckMode {
        /// After each poll's records.
        Batch = "BATCH",
        /// After each record.
        Record = "RECORD",
        /// When the listener acknowledges, with the batch.
        Manual = "MANUAL",
        /// When the listener acknowledges, at once.
        ManualImmediate = "MANUAL_IMMEDIATE",
        /// After a poll's records, once a time has passed.
        Time = "TIME",
        /// After so many records.
        Count = "COUNT",
        /// After so many records, or once a time has passed.
        CountTime = "COUNT_TIME",
    }
    /// `processing.guarantee`
    ProcessingGuarantee {
        /// At least once.
        AtLeastOnce = "at_least_once",
        /// Exactly once.
        ExactlyOnceV2 = "exactly_once_v2",
    }
    /// `effect`
    EffectName {
        /// Adds to a balance.
        Add = "add",
        /// Writes a row per key.
        Upsert = "upsert",
        /// Calls a provider outside.
        External = "external",
        /// The output topic.
        Topic = "topic",
    }
    /// `dedup`
    DedupStore {
        /// In the sink's database.
        Durable = "durable",
        /// In a durable store of its own.
        Separate = "separate",
        /// In the process's memory.
        Memory = "memory",
    }
    /// `dedup-insert`
    DedupInsert {
        /// A second insert conflicts.
        Unique = "unique",
        /// A second insert does nothing.
        Plain = "plain",
    }
    /// `dedup-key`
    DedupKey {
        /// The record's application identity.
        Record = "record",
        /// The record's offset.
        Offset = "offset",
    }
    /// `start`
    Start {
        /// The consumer is a member already.
        Joined = "joined",
        /// The consumer has not joined.
        Cold = "cold",
    }
    /// A verdict that `[expect]` states.
    Verdict {
        /// The guarantee holds.
        Holds = "holds",
        /// The guarantee is violated.
        Violated = "violated",
    }
}
