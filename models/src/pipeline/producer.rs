//! What the upstream producer is told, and the application that sends.

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
    /// Whether the coordinator ends a transaction of its that stays open. From 4.1 it takes one whose
    /// `transaction.timeout.ms` is 2147483647 for part of a two-phase commit, and never does (KIP-939).
    pub transactions_time_out: bool,
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
