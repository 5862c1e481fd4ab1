//! The producer's side, told.

use super::Scene;
use crate::trace::facts::name;
use semel_models::broker::{Broker, Stamp};
use semel_models::cluster::State;
use semel_models::limbo::Late;
use semel_models::pipeline::{Acks, Client, DualWriteOrder, Source};
use semel_models::producer::{Answer, Flight, Sending};

impl Scene<'_> {
    pub(super) fn send(&self, record: u16) -> String {
        if let Source::Outbox { .. } = self.cluster.pipeline().producer.source {
            return self.publish(record);
        }
        let who = name(record);
        if self.before.ledger.sent.contains(record) {
            match self.cluster.pipeline().producer.source {
                Source::Transaction { .. } => {
                    format!("The application sends {who} again, in a new transaction.")
                }
                Source::DualWrite(DualWriteOrder::KafkaFirst) => format!(
                    "After its restart the application does {who} again, whose database transaction was rolled back, and sends it."
                ),
                Source::DualWrite(DualWriteOrder::DatabaseFirst)
                | Source::Memory
                | Source::Outbox { .. } => format!(
                    "After its restart the application sends {who} again, which it never saw acknowledged."
                ),
            }
        } else if self.refuses(record) {
            format!("The application sends {who}; the client is in a fatal state and refuses it.")
        } else if !self.before.ledger.is_confirmed(record) && self.after.ledger.is_confirmed(record)
        {
            format!("The application sends {who} and confirms it as soon as send() returns.")
        } else {
            format!("The application sends {who}.")
        }
    }

    /// Whether the client refused to take the record.
    fn refuses(&self, record: u16) -> bool {
        let sending = self.after.producer.sending[usize::from(record)];
        matches!(sending, Sending::Failed | Sending::Aborted)
    }

    pub(super) fn transmit(&self) -> String {
        let Some(batch) = self.before.producer.queue.first() else {
            return String::new();
        };
        let who = name(batch.record);
        let again = match batch.attempts {
            0 => String::new(),
            attempt => format!(" again (retry {attempt})"),
        };
        let at_once = if self.cluster.pipeline().producer.acks == Acks::None {
            "; with acks=0 it counts as delivered at once"
        } else {
            ""
        };
        format!("The producer puts {who} on the wire{again}{at_once}.")
    }

    pub(super) fn handle_produce(&self) -> String {
        let Some(index) = self.before.producer.first_unhandled() else {
            return String::new();
        };
        let flight = self.before.producer.flights[index];
        let who = name(flight.batch.record);
        if let Some(entry) = self.appended() {
            return format!(
                "The broker appends {who} at offset {entry}{}.",
                self.copies(flight.batch.record)
            );
        }
        let sequence = flight.wire.map_or(0, |stamp| stamp.sequence);
        match self
            .after
            .producer
            .flights
            .get(index)
            .map(|flight| flight.answer)
        {
            Some(Answer::OutOfOrder) => format!(
                "The broker refuses {who}: sequence number {sequence} is out of order (OUT_OF_ORDER_SEQUENCE_NUMBER)."
            ),
            Some(Answer::UnknownProducerId) if self.knows_a_marker(flight.wire) => format!(
                "The broker refuses {who}: of its producer it knows the epoch and no sequence number, and sequence number {sequence} is not 0 (UNKNOWN_PRODUCER_ID)."
            ),
            Some(Answer::UnknownProducerId) => format!(
                "The broker refuses {who}: it does not know the producer id, and sequence number {sequence} is not 0 (UNKNOWN_PRODUCER_ID)."
            ),
            Some(Answer::NotInTransaction) => format!(
                "The broker refuses {who}: its partition was not added to a transaction (TRANSACTION_ABORTABLE)."
            ),
            Some(Answer::StaleEpoch) => {
                format!(
                    "The broker refuses {who}: its producer epoch is fenced (INVALID_PRODUCER_EPOCH)."
                )
            }
            _ => match mistaken_for(&self.before.broker, &flight) {
                Some(other) => format!(
                    "The broker takes {who} by its sequence number {sequence} for a repeat of {other} and answers success without appending it."
                ),
                None => format!(
                    "The broker recognises {who} by its sequence number {sequence} as a repeat and answers success without appending it."
                ),
            },
        }
    }

    /// Whether a marker is all that the broker knows the producer by.
    fn knows_a_marker(&self, stamp: Option<Stamp>) -> bool {
        stamp.is_some_and(|stamp| self.before.broker.knows(stamp.session))
    }

    /// The offset of what this step appended.
    pub(super) fn appended(&self) -> Option<u16> {
        let (before, after) = (self.before.broker.log_end(), self.after.broker.log_end());
        (after > before).then_some(before)
    }

    pub(super) fn copies(&self, record: u16) -> &'static str {
        let mut records = self.before.broker.records_from(0);
        if records.any(|(_, entry)| entry.record == record) {
            ", a second entry of the same record"
        } else {
            ""
        }
    }

    pub(super) fn receive_answer(&self) -> String {
        self.receive_answer_at(0)
    }

    pub(super) fn receive_answer_at(&self, index: usize) -> String {
        let Some(flight) = self.before.producer.flights.get(index) else {
            return String::new();
        };
        let who = name(flight.batch.record);
        if flight.expired {
            return format!("An answer for {who} arrives, after the producer gave {who} up.");
        }
        let fate = self.fate(flight.batch.record);
        match flight.answer {
            Answer::None | Answer::Replicating | Answer::Success => {
                let implied = self.implied(flight.batch.record);
                format!("The acknowledgement of {who} reaches the producer{implied}.")
            }
            Answer::Refused => {
                format!("The producer learns that {who} was refused with a retriable error{fate}.")
            }
            Answer::OutOfOrder => format!("The producer learns that {who} was out of order{fate}."),
            Answer::UnknownProducerId => format!(
                "The producer learns that the broker does not know its producer id (UNKNOWN_PRODUCER_ID){fate}."
            ),
            Answer::NotInTransaction => format!(
                "The producer learns that its partition was not added to a transaction{fate}."
            ),
            Answer::StaleEpoch => format!("The producer learns that its epoch was fenced{fate}."),
        }
    }

    /// Records that were acknowledged along with `record`.
    pub(super) fn implied(&self, record: u16) -> String {
        let newly = |other: &u16| {
            let index = usize::from(*other);
            // An application that sends results has been told in the same step.
            let is_reported = match self.after.producer.sending[index] {
                Sending::Acknowledged | Sending::Forgotten => true,
                Sending::Unsent | Sending::Pending | Sending::Failed | Sending::Aborted => false,
            };
            *other != record
                && self.before.producer.sending[index] == Sending::Pending
                && is_reported
        };
        let implied: Vec<String> = (0..self.cluster.pipeline().bounds.records)
            .filter(newly)
            .map(name)
            .collect();
        if implied.is_empty() {
            String::new()
        } else {
            format!(
                "; librdkafka takes it as an acknowledgement of {} too, which was sent before",
                implied.join(", ")
            )
        }
    }

    /// What becomes of a send that came to nothing.
    pub(super) fn fate(&self, record: u16) -> String {
        let fatal = self.after.producer.librdkafka.fatal && !self.before.producer.librdkafka.fatal;
        let epoch = |state: &State| state.producer.java.epoch + state.producer.librdkafka.epoch;
        let who = name(record);
        let bumped = epoch(self.after) > epoch(self.before);
        let base = match self.after.producer.sending[usize::from(record)] {
            Sending::Failed => format!("; {who} is reported failed"),
            Sending::Pending if self.after.producer.created > self.before.producer.created => {
                format!("; the application sends {who} anew")
            }
            Sending::Pending => format!("; {who} will be retried"),
            Sending::Aborted if self.cluster.pipeline().producer.is_transactional() => {
                format!("; {who} is reported failed, and the application aborts its transaction")
            }
            Sending::Aborted => {
                format!("; {who} is reported failed, and its database transaction is rolled back")
            }
            Sending::Unsent
                if self.before.producer.sending[usize::from(record)] == Sending::Pending =>
            {
                format!("; {who} is reported failed, and its row stays unmarked")
            }
            Sending::Unsent | Sending::Acknowledged | Sending::Forgotten => String::new(),
        };
        let bump = if bumped {
            ", and the client starts a new producer epoch with new sequence numbers"
        } else if self.after.producer.session > self.before.producer.session {
            ", and the client gets a new producer id"
        } else if self.takes_number_back() {
            ", and the client takes its sequence number back"
        } else if self.restarted_sequence() {
            ", and the client starts its sequence numbers again at 0"
        } else {
            ""
        };
        let end = if fatal {
            "; the client is in a fatal state from now on"
        } else {
            ""
        };
        format!("{base}{bump}{end}")
    }

    /// Whether the next batch of a transactional producer gets the number of one that failed.
    fn takes_number_back(&self) -> bool {
        let (before, after) = (&self.before.producer, &self.after.producer);
        self.cluster.pipeline().producer.is_transactional()
            && after.created == before.created
            && after.java.next + 1 == before.java.next
    }

    /// Whether the client numbers its batches from 0 again, in the same epoch.
    fn restarted_sequence(&self) -> bool {
        let producer = &self.before.producer;
        let known = |created| {
            let in_flight = producer.flights.iter().map(|flight| &flight.batch);
            let mut batches = producer.queue.iter().chain(in_flight);
            batches.find(|batch| batch.created == created)
        };
        let queue = &self.after.producer.queue;
        let mut renumbered = queue.iter().filter(|batch| batch.renumbered);
        renumbered.any(|batch| known(batch.created).is_some_and(|own| own.stamp != batch.stamp))
    }

    pub(super) fn expire(&self) -> String {
        let pipeline = self.cluster.pipeline();
        let Some(batch) = self.before.producer.next_to_expire(pipeline) else {
            return String::new();
        };
        let who = name(batch.record);
        let timeout = match pipeline.client {
            Client::Java if pipeline.rules.flights_expire => "delivery.timeout.ms",
            Client::Java => "request.timeout.ms",
            Client::Librdkafka => "message.timeout.ms",
        };
        let fate = self.fate(batch.record);
        let flights = |state: &State| state.producer.flights.len();
        let closed =
            pipeline.client == Client::Librdkafka && flights(self.after) < flights(self.before);
        let closed = if closed {
            ", and librdkafka closes its connection"
        } else {
            ""
        };
        format!(
            "{timeout} passes for {who}{closed}{fate}. Whether it is in the log is unknown to the producer.{}",
            self.ended()
        )
    }

    pub(super) fn fail_too_late(&self) -> String {
        let pipeline = self.cluster.pipeline();
        let Some(batch) = self.before.producer.next_to_fail_too_late(pipeline) else {
            return String::new();
        };
        let who = name(batch.record);
        let fate = self.fate(batch.record);
        format!(
            "The missing answer for {who} is noticed when delivery.timeout.ms has passed, so that it is not sent again{fate}."
        )
    }

    pub(super) fn late_arrives(&self, slot: u16) -> (&'static str, &'static str, String) {
        match self.before.limbo.requests[usize::from(slot)] {
            Late::Produce { record, to, .. } if self.before.replication.is_some() => (
                "broker",
                "late-produce-arrives",
                self.late_arrives_at(to, record),
            ),
            Late::Produce { record, .. } => {
                let who = name(record);
                let sentence = match self.appended() {
                    Some(offset) => format!(
                        "The late produce request of {who} reaches the broker, which appends it at offset {offset}{}.",
                        self.copies(record)
                    ),
                    None => format!(
                        "The late produce request of {who} reaches the broker, which does not append it again."
                    ),
                };
                ("broker", "late-produce-arrives", sentence)
            }
            late @ (Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. }) => self.late_call_arrives(late),
            Late::Output { record, .. } => {
                let sentence = format!(
                    "The late write of {} reaches the broker: the {} topic has it.",
                    name(record),
                    self.topic_of_failures()
                );
                ("broker", "late-output-arrives", sentence)
            }
            Late::Result { record, .. } => {
                ("broker", "late-result-arrives", self.late_result(record))
            }
            Late::Call { id, call } => self.late_transaction_call(id, call),
            Late::Commit {
                position,
                second,
                generation,
            } => {
                let at = self.offsets_of([position, second]);
                let current = generation == self.before.group.generation;
                let sentence = if current || !self.cluster.pipeline().subscribes() {
                    format!("The late commit of {at} reaches the group coordinator and is taken.")
                } else {
                    format!(
                        "The late commit of {at} reaches the group coordinator, which refuses its generation."
                    )
                };
                ("group coordinator", "late-commit-arrives", sentence)
            }
        }
    }
}

/// The record whose entry has the number that another one carries.
pub(super) fn mistaken_for(broker: &Broker, flight: &Flight) -> Option<String> {
    let offset = broker.offset_of(flight.wire?)?;
    let record = broker.log[usize::from(offset)].record;
    (record != flight.batch.record).then(|| name(record))
}
