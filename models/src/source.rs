//! The upstream application: where its records come from, and what it does about a failed send,
//! an abort and a restart.
//!
//! **Memory.** Records are sent in order, without waiting for one another.
//!
//! **Transactions.** See [`crate::producer::transactions`].
//!
//! **Outbox.** See [`crate::outbox`].
//!
//! **Dual write.** The application takes its records one by one.
//! - Database first: the record's transaction commits, then it is sent, without waiting. A crash
//!   in between loses it, unless the application sends after its restart what was not acknowledged
//!   (`on-restart = "resend-unconfirmed"`). An abort ends the record before it was sent.
//! - Kafka first: the record is sent inside the transaction, the application waits for its
//!   delivery report, then the transaction commits. A failed send, an abort and a crash roll it
//!   back. With `on-send-failure = "resend"` a failed send is repeated inside the transaction, and
//!   after an abort the application does it all again; with `"ignore"` it commits whatever the
//!   report says. With `"resend-unconfirmed"` what a crash rolled back before its acknowledgement
//!   is done again. What was acknowledged is on record as such and left, aborted, unless
//!   `on-send-failure = "resend"` has the application do aborted records again.
//!
//! A record counts as aborted when its transaction was rolled back and the application leaves it
//! at that; one that it does again has another copy. A rollback that the application notices while
//! it waits for the delivery report is the same as one at the commit: until then it does nothing
//! that depends on it.

use crate::ledger::Ledger;
use crate::outbox::{self, Database};
use crate::pipeline::{
    ConfirmOn, DualWriteOrder, OnRestart, OnSendFailure, OutboxOrder, Pipeline, Source,
};
use crate::producer::{Producer, Sending};

impl Producer {
    /// The record that the application sends next.
    pub fn next_to_send(&self, database: &Database, pipeline: &Pipeline) -> Option<u16> {
        let records = pipeline.bounds.records;
        match pipeline.producer.source {
            Source::Memory => self.first_unsent(records),
            // The transaction has its own say ([`crate::producer::transactions`]).
            Source::Transaction { .. } => None,
            Source::Outbox { .. } | Source::DualWrite(DualWriteOrder::KafkaFirst)
                if self.waits() =>
            {
                None
            }
            Source::Outbox { order, cursor } => {
                let in_hand = outbox::row_in_hand(self, database, order, records);
                match (order, in_hand) {
                    (OutboxOrder::PublishMark, None) => database.next_row(cursor, records),
                    (OutboxOrder::PublishMark, Some(_)) => None,
                    (OutboxOrder::MarkPublish, row) => row,
                }
            }
            Source::DualWrite(DualWriteOrder::DatabaseFirst) => self
                .first_unsent(records)
                .filter(|record| database.is_committed(*record)),
            Source::DualWrite(DualWriteOrder::KafkaFirst) => {
                match self.next_to_commit(database, pipeline) {
                    Some(_) => None,
                    None => self.first_unsent(records),
                }
            }
        }
    }

    /// The application sends `record`. A relay first replaces a client in a fatal state, and loses
    /// what it has marked and not published.
    pub fn publish(
        &mut self,
        record: u16,
        database: &Database,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        let relay = matches!(pipeline.producer.source, Source::Outbox { .. });
        if relay && self.librdkafka.fatal {
            self.crash(database, pipeline, ledger);
        }
        if self.sending[usize::from(record)] == Sending::Unsent {
            self.send(record, pipeline, ledger);
        }
    }

    /// The record whose transaction a dual write commits next.
    pub fn next_to_commit(&self, database: &Database, pipeline: &Pipeline) -> Option<u16> {
        let records = pipeline.bounds.records;
        match pipeline.producer.source {
            Source::Memory | Source::Outbox { .. } | Source::Transaction { .. } => None,
            Source::DualWrite(DualWriteOrder::DatabaseFirst) => self
                .first_unsent(records)
                .filter(|record| !database.is_committed(*record)),
            // A failed send is only left as it is where the application does not look at it.
            Source::DualWrite(DualWriteOrder::KafkaFirst) => (0..records).find(|record| {
                let sending = self.sending[usize::from(*record)];
                matches!(sending, Sending::Acknowledged | Sending::Failed)
                    && !database.is_committed(*record)
            }),
        }
    }

    /// The row that the relay marks next.
    pub fn next_to_mark(&self, database: &Database, pipeline: &Pipeline) -> Option<u16> {
        let records = pipeline.bounds.records;
        let Source::Outbox { order, cursor } = pipeline.producer.source else {
            return None;
        };
        let in_hand = outbox::row_in_hand(self, database, order, records);
        match order {
            OutboxOrder::PublishMark => in_hand,
            OutboxOrder::MarkPublish if self.waits() || in_hand.is_some() => None,
            OutboxOrder::MarkPublish => database.next_row(cursor, records),
        }
    }

    /// Whether the application still has something to do.
    pub fn has_work(&self, database: &Database, pipeline: &Pipeline) -> bool {
        let records = pipeline.bounds.records;
        self.next_to_send(database, pipeline).is_some()
            || match pipeline.producer.source {
                Source::Memory => false,
                Source::Transaction { .. } => self.first_unsent(records).is_some(),
                Source::Outbox { .. } => {
                    database.open(records).next().is_some()
                        || self.next_to_mark(database, pipeline).is_some()
                }
                Source::DualWrite(_) => {
                    self.next_to_commit(database, pipeline).is_some()
                        || self.first_unsent(records).is_some()
                }
            }
    }

    /// The transaction that inserts `record` upstream commits.
    pub fn commit_upstream(
        record: u16,
        database: &mut Database,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        if matches!(pipeline.producer.source, Source::Outbox { .. })
            && let Some(earlier) = database.open(record).next()
        {
            ledger.commit_beside(record, earlier);
        }
        database.committed.insert(record);
        if pipeline.producer.confirm_on == ConfirmOn::DatabaseCommit {
            ledger.confirm(record);
        }
    }

    /// The transaction that a dual write is about to commit rolls back instead.
    pub fn abort(&mut self, database: &Database, pipeline: &Pipeline, ledger: &mut Ledger) {
        let Some(record) = self.next_to_commit(database, pipeline) else {
            return;
        };
        let again = pipeline.producer.on_send_failure == OnSendFailure::Resend;
        match pipeline.producer.source {
            Source::DualWrite(DualWriteOrder::DatabaseFirst) if again => {}
            Source::DualWrite(DualWriteOrder::KafkaFirst) if again && !self.librdkafka.fatal => {
                self.enqueue(record);
            }
            Source::DualWrite(_)
            | Source::Memory
            | Source::Outbox { .. }
            | Source::Transaction { .. } => {
                self.roll_back(record, ledger);
            }
        }
    }

    fn roll_back(&mut self, record: u16, ledger: &mut Ledger) {
        self.sending[usize::from(record)] = Sending::Aborted;
        ledger.abort(record);
    }

    /// The application hears that the delivery of `record` failed and does not send it again at
    /// once.
    pub(crate) fn leave_failed(&mut self, record: u16, pipeline: &Pipeline, ledger: &mut Ledger) {
        let looks = pipeline.producer.on_send_failure != OnSendFailure::Ignore;
        match pipeline.producer.source {
            Source::Outbox {
                order: OutboxOrder::PublishMark,
                ..
            } if looks => self.sending[usize::from(record)] = Sending::Unsent,
            Source::DualWrite(DualWriteOrder::KafkaFirst) if looks => {
                self.roll_back(record, ledger);
                ledger.fail(record);
            }
            Source::Memory
            | Source::Outbox { .. }
            | Source::DualWrite(_)
            | Source::Transaction { .. } => {
                self.sending[usize::from(record)] = Sending::Failed;
                ledger.fail(record);
            }
        }
    }

    /// The process dies and starts again with a new producer id.
    pub fn crash(&mut self, database: &Database, pipeline: &Pipeline, ledger: &mut Ledger) {
        let before = std::mem::take(self);
        let mut restarted = Producer {
            sending: before.sending,
            session: before.session + 1,
            ..Producer::default()
        };
        for record in 0..pipeline.bounds.records {
            restarted.remember(record, database, pipeline, ledger);
        }
        *self = restarted;
    }

    /// What is known of `record` after a restart.
    fn remember(
        &mut self,
        record: u16,
        database: &Database,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        let forgets = pipeline.producer.on_restart == OnRestart::Forget;
        let committed = database.is_committed(record);
        let sending = self.sending[usize::from(record)];
        let known = match (pipeline.producer.source, sending) {
            (_, Sending::Forgotten | Sending::Aborted) => sending,
            (Source::Outbox { .. }, _) if !database.is_marked(record) => Sending::Unsent,
            (Source::Outbox { .. }, Sending::Unsent | Sending::Pending) => Sending::Forgotten,
            (
                Source::DualWrite(DualWriteOrder::KafkaFirst),
                Sending::Pending | Sending::Acknowledged | Sending::Failed,
            ) if !committed => {
                let resends = pipeline.producer.on_send_failure == OnSendFailure::Resend;
                if !forgets && (sending == Sending::Pending || resends) {
                    Sending::Unsent
                } else {
                    ledger.abort(record);
                    Sending::Aborted
                }
            }
            (Source::DualWrite(DualWriteOrder::DatabaseFirst), Sending::Unsent)
                if committed && forgets =>
            {
                Sending::Forgotten
            }
            (_, Sending::Pending) if forgets => Sending::Forgotten,
            (_, Sending::Pending) => Sending::Unsent,
            (_, Sending::Unsent | Sending::Acknowledged | Sending::Failed) => sending,
        };
        self.sending[usize::from(record)] = known;
    }

    fn first_unsent(&self, records: u16) -> Option<u16> {
        (0..records).find(|record| self.sending[usize::from(*record)] == Sending::Unsent)
    }

    /// Whether the application waits for a delivery report, where it does.
    fn waits(&self) -> bool {
        self.sending.contains(&Sending::Pending)
    }
}
