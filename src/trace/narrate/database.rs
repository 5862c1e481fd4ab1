//! The upstream application's database, its process standing still, and what time takes from the
//! broker, told.

use super::Scene;
use crate::trace::facts::name;
use semel_models::broker::Broker;
use semel_models::outbox;
use semel_models::pipeline::{ConfirmOn, OutboxCursor, OutboxOrder, Source};
use semel_models::producer::{Answer, Sending};

impl Scene<'_> {
    pub(super) fn commit_upstream(&self, record: u16) -> String {
        let who = name(record);
        let confirmed = match self.cluster.pipeline().producer.confirm_on {
            ConfirmOn::DatabaseCommit => format!("; {who} is confirmed"),
            ConfirmOn::Ack | ConfirmOn::Send => String::new(),
        };
        match self.cluster.pipeline().producer.source {
            Source::Outbox {
                cursor: OutboxCursor::HighestId,
                ..
            } if self.before.database.is_passed(record) => format!(
                "The transaction that inserted row {who} commits{confirmed}. The relay is past its id and will never read it."
            ),
            Source::Outbox { .. } => {
                format!("The transaction that inserted row {who} commits{confirmed}.")
            }
            Source::DualWrite(_) | Source::Memory | Source::Transaction { .. } => {
                format!("The application commits its database transaction of {who}{confirmed}.")
            }
        }
    }

    /// Who sends.
    pub(super) fn sender(&self) -> &'static str {
        match self.cluster.pipeline().producer.source {
            Source::Memory | Source::DualWrite(_) | Source::Transaction { .. } => "application",
            Source::Outbox { .. } => "relay",
        }
    }

    pub(super) fn publish(&self, row: u16) -> String {
        let who = name(row);
        let sent = self.after.producer.sending[usize::from(row)] == Sending::Pending;
        let replaced = self.after.producer.session > self.before.producer.session;
        match (replaced, sent) {
            (true, true) => format!(
                "The relay's client is in a fatal state: the relay starts again with a new producer id and publishes {who}."
            ),
            (true, false) => format!(
                "The relay's client is in a fatal state: the relay starts again with a new producer id and forgets {who}, which it had marked."
            ),
            (false, _) if self.before.ledger.sent.contains(row) => {
                format!("The relay finds row {who} unmarked and publishes it again.")
            }
            (false, _) => format!("The relay publishes {who}."),
        }
    }

    /// Where a relay dies.
    fn between(&self) -> String {
        let Source::Outbox { order, .. } = self.cluster.pipeline().producer.source else {
            return String::new();
        };
        let (producer, database) = (&self.before.producer, &self.before.database);
        let records = self.cluster.pipeline().bounds.records;
        let row = outbox::row_in_hand(producer, database, order, records);
        match (order, row.map(name)) {
            (_, None) => String::new(),
            (OutboxOrder::PublishMark, Some(who)) => {
                format!(" after it published {who} and before it marked it")
            }
            (OutboxOrder::MarkPublish, Some(who)) => {
                format!(" after it marked {who} and before it published it")
            }
        }
    }

    pub(super) fn mark(&self, row: u16) -> String {
        let who = name(row);
        match self.before.producer.sending[usize::from(row)] {
            Sending::Unsent => format!("The relay marks row {who} before it publishes it."),
            Sending::Failed => {
                format!("The relay marks row {who} although its publish failed.")
            }
            Sending::Acknowledged | Sending::Pending | Sending::Forgotten | Sending::Aborted => {
                format!("The relay marks row {who} as published.")
            }
        }
    }

    pub(super) fn abort(&self) -> String {
        let (producer, database) = (&self.before.producer, &self.before.database);
        let record = producer.next_to_commit(database, self.cluster.pipeline());
        let who = name(record.unwrap_or_default());
        let then = if self.after.ledger.aborted != self.before.ledger.aborted {
            format!("{who} is aborted")
        } else {
            format!("the application does {who} again")
        };
        format!("The application's database transaction of {who} rolls back: {then}.")
    }

    pub(super) fn producer_crash(&self) -> String {
        let became = |sending: Sending| -> String {
            let newly = |record: &u16| {
                let index = usize::from(*record);
                self.after.producer.sending[index] == sending
                    && self.before.producer.sending[index] != sending
            };
            let records = 0..self.cluster.pipeline().bounds.records;
            let names: Vec<String> = records.filter(newly).map(name).collect();
            names.join(" and ")
        };
        let (forgotten, aborted) = (became(Sending::Forgotten), became(Sending::Aborted));
        let unhandled = self.before.producer.flights.iter();
        let unhandled: Vec<String> = unhandled
            .filter(|flight| flight.answer == Answer::None)
            .map(|flight| name(flight.batch.record))
            .collect();
        let after = |text: &str, records: String, rest: &str| match records.is_empty() {
            true => String::new(),
            false => format!("; {text}{records}{rest}"),
        };
        format!(
            "{} dies{} and starts again{}{}{}{}.",
            match self.cluster.pipeline().producer.source {
                Source::Memory | Source::DualWrite(_) | Source::Transaction { .. } => {
                    "The producer's process"
                }
                Source::Outbox { .. } => "The relay",
            },
            self.between(),
            if self.cluster.pipeline().producer.is_transactional() {
                " under the same transactional id"
            } else if self.cluster.pipeline().producer.idempotence {
                " with a new producer id"
            } else {
                ""
            },
            after("it forgets ", forgotten, ""),
            after("the database rolls ", aborted, " back"),
            after(
                "",
                unhandled.join(" and "),
                " was still on the wire and is gone"
            ),
        )
    }

    pub(super) fn producer_pause(&self) -> String {
        "The producer's process stands still until the delivery timeouts of its sends have passed, and goes on.".into()
    }

    pub(super) fn producer_pause_of_requests(&self) -> String {
        let producer = &self.before.producer;
        let missed: Vec<String> = producer
            .flights
            .iter()
            .map(|flight| name(flight.batch.record))
            .collect();
        format!(
            "The producer's process stands still until its requests have timed out: it closes the connection and never reads the broker's answer for {}.",
            missed.join(" and ")
        )
    }

    /// The client believes a broker that the topic does not exist.
    pub(super) fn stale_metadata(&self) -> String {
        let failed: Vec<String> = self
            .before
            .producer
            .queue
            .iter()
            .map(|batch| name(batch.record))
            .collect();
        let pipeline = self.cluster.pipeline();
        let with_numbers = match pipeline.producer.idempotence {
            true if pipeline.rules.sequences_outlive_metadata => {
                ", and keeps the number of its last message"
            }
            true => " with the sequence numbers of its messages, and will number from 0 again",
            false => "",
        };
        let failed = match failed.is_empty() {
            true => String::new(),
            false => format!("; {} in its queue fails", failed.join(" and ")),
        };
        format!(
            "A broker that has just started reports the topic as missing for a while: the producer's client drops the partition{with_numbers}{failed}."
        )
    }

    pub(super) fn forget_producer(&self, session: u16) -> String {
        let whose = self.producer_id(session);
        format!(
            "producer.id.expiration.ms passes without a record of it: the broker forgets {whose}."
        )
    }

    /// Whose producer id that of `session` is.
    pub(super) fn producer_id(&self, session: u16) -> &'static str {
        if session == self.before.producer.session {
            "the producer's id"
        } else {
            "the id that the producer had before a restart"
        }
    }

    /// What the log cleaner removes, each with the record that replaces it.
    pub(super) fn compaction(&self) -> String {
        let gone = self.cleaned(&self.before.broker, &self.after.broker);
        format!("The log cleaner removes {gone}.")
    }

    /// What is gone of a log that was cleaned.
    pub(super) fn cleaned(&self, before: &Broker, left: &Broker) -> String {
        let keys = self.cluster.pipeline().bounds.keys;
        let gone = before.records_from(0);
        let gone = gone.filter(|(at, _)| !left.log[usize::from(at.0)].is_record());
        let told: Vec<String> = gone
            .map(|(at, entry)| {
                let same_key = |other: u16| other % keys == entry.record % keys;
                let newer = left
                    .records_from(at.0)
                    .find(|(_, other)| same_key(other.record));
                let newer = newer.map_or(String::new(), |(at, other)| {
                    format!(", replaced by {} (offset {})", name(other.record), at.0)
                });
                format!("{} (offset {}){newer}", name(entry.record), at.0)
            })
            .collect();
        told.join(" and ")
    }

    pub(super) fn retention(&self) -> String {
        let start = self.after.broker.log_start() - 1;
        let gone = self.before.broker.log[usize::from(start)].record;
        let forgets =
            |session| self.before.broker.knows(session) && !self.after.broker.knows(session);
        let idempotent = self.cluster.pipeline().producer.idempotence;
        let forgotten = if idempotent && (0..=self.before.producer.session).any(forgets) {
            ", and the broker forgets the producer id whose last record it was"
        } else {
            ""
        };
        format!(
            "Retention removes {} (offset {start}) from the log{forgotten}.",
            name(gone)
        )
    }
}
