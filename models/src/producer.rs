//! The upstream producer: the application that sends, and its client.
//!
//! **Modelled.** Asynchronous sends in order; the accumulator; produce requests pipelined on one
//! connection up to `max.in.flight.requests.per.connection` and answered in order; `acks`;
//! retries; `delivery.timeout.ms`; what each client does with a lost connection, a refusal and an
//! out-of-order sequence number ([`java`], [`librdkafka`]). What the application does after a failed
//! send and after a restart, and where its records come from, is in [`crate::source`].
//!
//! **Left out.** A batch holds one record. A larger batch fails, repeats and is lost as a whole,
//! so each of its runs is also a run of single records that share a fate; no guarantee tells them
//! apart except in how many records it hits. Linger, compression and partitioning only group.
//!
//! **Timeouts.** All records have the same `delivery.timeout.ms`, so they expire in the order of
//! their creation: only the oldest outstanding send can expire, and only if a fault took away or
//! delayed one of its answers (a timeout of a healthy send is the fault `delivery-timeout`). In the
//! Java client a request outlives the batch that it carries. In librdkafka a request in flight times
//! out with its message, and after `socket.max.fails` = 1 of them the connection is closed
//! (`rd_kafka_broker_timeout_scan`): whatever else is in flight on it is in doubt, too.
//!
//! **A crash** takes the accumulator and what the broker has not handled yet. A request that the
//! kernel still delivers after its process died is the same as one handled just before.

mod connection;
pub mod java;
mod java_before_2_5;
pub mod librdkafka;
mod lost_track;
mod packing;
mod pause;
mod stale_metadata;
mod timeouts;
pub mod transactions;

pub use packing::code_stamp;
pub use timeouts::oldest;

use crate::broker::{AppendResult, Stamp};
use crate::ledger::Ledger;
use crate::list::List;
use crate::outbox::Database;
use crate::pipeline::{Acks, Client, ConfirmOn, OnSendFailure, Pipeline};
use java::JavaSequences;
use librdkafka::LibrdkafkaSequences;
use lost_track::before_kip_360;

/// What the application knows of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sending {
    /// Not sent, or to be sent again after a restart.
    #[default]
    Unsent,
    /// Handed to the client; no delivery report yet.
    Pending,
    /// Reported delivered.
    Acknowledged,
    /// Reported failed and left at that.
    Failed,
    /// Forgotten in a restart.
    Forgotten,
    /// Its database transaction was rolled back, and the application left it at that.
    Aborted,
}

impl Sending {
    const ALL: [Sending; 6] = [
        Sending::Unsent,
        Sending::Pending,
        Sending::Acknowledged,
        Sending::Failed,
        Sending::Forgotten,
        Sending::Aborted,
    ];
}

/// One send of one record, as the client keeps it until it is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Batch {
    /// The record.
    pub record: u16,
    /// When it was created: the number of the send within this session, from 1.
    pub created: u16,
    /// Retries used.
    pub attempts: u16,
    /// Epoch and sequence number, once the client has assigned them.
    pub stamp: Option<Stamp>,
    /// Whether the client assigned a new sequence number after an epoch bump.
    pub renumbered: bool,
    /// Whether a fault took away or delayed an answer, so that its timeout may pass.
    pub doubtful: bool,
}

/// What the broker made of a produce request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Not handled yet.
    #[default]
    None,
    /// Success, an append or a recognised repeat.
    Success,
    /// A retriable error; nothing was appended.
    Refused,
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrder,
    /// INVALID_PRODUCER_EPOCH.
    StaleEpoch,
    /// UNKNOWN_PRODUCER_ID.
    UnknownProducerId,
    /// Appended; the answer waits for the in-sync replicas.
    Replicating,
    /// TRANSACTION_ABORTABLE or INVALID_TXN_STATE.
    NotInTransaction,
}

impl From<AppendResult> for Answer {
    fn from(result: AppendResult) -> Answer {
        match result {
            AppendResult::Appended | AppendResult::Duplicate => Answer::Success,
            AppendResult::OutOfOrder => Answer::OutOfOrder,
            AppendResult::StaleEpoch => Answer::StaleEpoch,
            AppendResult::UnknownProducerId => Answer::UnknownProducerId,
        }
    }
}

impl Answer {
    const ALL: [Answer; 8] = [
        Answer::None,
        Answer::Success,
        Answer::Refused,
        Answer::OutOfOrder,
        Answer::StaleEpoch,
        Answer::UnknownProducerId,
        Answer::Replicating,
        Answer::NotInTransaction,
    ];

    /// Whether it is on its way to the client.
    pub fn is_sent(self) -> bool {
        match self {
            Answer::None | Answer::Replicating => false,
            Answer::Success
            | Answer::Refused
            | Answer::OutOfOrder
            | Answer::StaleEpoch
            | Answer::UnknownProducerId
            | Answer::NotInTransaction => true,
        }
    }
}

/// A produce request on the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flight {
    /// The send that it carries.
    pub batch: Batch,
    /// What it carries on the wire; the client may have renumbered its batch since. Cleared once
    /// the broker has handled it.
    pub wire: Option<Stamp>,
    /// Whether the client has given the batch up (Java).
    pub expired: bool,
    /// The broker's answer, on its way back.
    pub answer: Answer,
    /// What the answer says of offsets, for a client before KIP-360: the offset after the record, or
    /// with UNKNOWN_PRODUCER_ID the log's start. Until then, the offset that the high watermark must
    /// reach.
    pub offset: u16,
    /// The broker at the other end of the connection.
    pub to: u16,
}

/// The producer's process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Producer {
    /// What the application knows of each record.
    pub sending: List<Sending, 8>,
    /// The accumulator, in the order in which the client will transmit.
    pub queue: List<Batch, 4>,
    /// The pipeline of the one connection, oldest first: handled requests, then the others.
    pub flights: List<Flight, 4>,
    /// Which start of the process this is; stands for the producer id.
    pub session: u16,
    /// Sends of this session.
    pub created: u16,
    /// The Java client's sequence numbers.
    pub java: JavaSequences,
    /// librdkafka's sequence numbers.
    pub librdkafka: LibrdkafkaSequences,
}

/// How a send ends without an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The configured number of retries is used up.
    RetriesExhausted,
    /// `delivery.timeout.ms` has passed.
    TimedOut,
    /// The broker's answer cannot be retried.
    Answered(Answer),
    /// The answer was found to be missing when the timeout had passed already.
    MissingTooLate,
    /// The client is in a fatal state.
    Fatal,
}

impl Producer {
    /// A producer with this many records to send.
    pub fn of(records: u16) -> Producer {
        Producer {
            sending: List::of_len(records.into()),
            ..Producer::default()
        }
    }

    /// The application calls `send()`.
    pub fn send(&mut self, record: u16, pipeline: &Pipeline, ledger: &mut Ledger) {
        ledger.send(record);
        if self.librdkafka.fatal {
            // A fatal producer refuses the call: there is nothing that could still arrive.
            self.leave_failed(record, pipeline, ledger);
            return;
        }
        if pipeline.producer.confirm_on == ConfirmOn::Send {
            ledger.confirm(record);
        }
        self.enqueue(record);
    }

    /// The client takes a new send of `record`.
    pub(crate) fn enqueue(&mut self, record: u16) {
        self.sending[usize::from(record)] = Sending::Pending;
        self.created += 1;
        self.queue.push(Batch {
            record,
            created: self.created,
            ..Batch::default()
        });
    }

    /// Whether the client may put the next batch on the wire, on its only connection.
    pub fn can_transmit(&self, pipeline: &Pipeline) -> bool {
        self.can_transmit_to(0, pipeline)
    }

    /// Whether the client may put the next batch on the wire, on its connection to this broker. What
    /// is in flight elsewhere counts only where the client waits for the order of answers.
    pub fn can_transmit_to(&self, to: u16, pipeline: &Pipeline) -> bool {
        let Some(first) = self.queue.first() else {
            return false;
        };
        let settings = &pipeline.producer;
        // With acks=0 a request completes when it is written, so none counts as in flight.
        let in_flight = match settings.acks {
            Acks::None => 0,
            Acks::Leader | Acks::All if settings.idempotence || settings.max_in_flight == 1 => {
                self.flights.len() as u32
            }
            Acks::Leader | Acks::All => {
                let there = self.flights.iter().filter(|flight| flight.to == to);
                there.count() as u32
            }
        };
        in_flight < settings.max_in_flight
            && (!settings.idempotence
                || match pipeline.client {
                    Client::Java => java::may_transmit(self, first),
                    Client::Librdkafka => librdkafka::may_transmit(self),
                })
    }

    /// The client puts the next batch on the wire.
    pub fn transmit(&mut self, to: u16, pipeline: &Pipeline, ledger: &mut Ledger) {
        let mut batch = self.queue.remove(0);
        let settings = &pipeline.producer;
        if settings.idempotence {
            match pipeline.client {
                Client::Java => java::number(self, &mut batch),
                Client::Librdkafka => librdkafka::number(self, &mut batch),
            }
        }
        if settings.acks == Acks::None {
            self.report_success(batch.record, pipeline, ledger);
        }
        self.flights.push(Flight {
            batch,
            wire: batch.stamp,
            to,
            ..Flight::default()
        });
    }

    /// The oldest request that the broker has not handled.
    pub fn first_unhandled(&self) -> Option<usize> {
        self.flights
            .iter()
            .position(|flight| flight.answer == Answer::None)
    }

    /// The oldest request on the connection to this broker that it has not handled; none while it
    /// has one in hand, for it handles those of one connection one after the other.
    pub fn first_unhandled_at(&self, who: u16) -> Option<usize> {
        let own = |flight: &Flight| flight.to == who && !flight.answer.is_sent();
        let first = self.flights.iter().position(own)?;
        (self.flights[first].answer == Answer::None).then_some(first)
    }

    /// The oldest request on the connection to this broker, if its answer is on its way.
    pub fn first_answered_at(&self, who: u16) -> Option<usize> {
        let first = self.flights.iter().position(|flight| flight.to == who)?;
        self.flights[first].answer.is_sent().then_some(first)
    }

    /// The oldest request of a connection whose answer is on its way.
    pub fn first_answered(&self) -> Option<usize> {
        let is_first = |index: usize| {
            let to = self.flights[index].to;
            self.flights[..index].iter().all(|flight| flight.to != to)
        };
        (0..self.flights.len())
            .find(|index| is_first(*index) && self.flights[*index].answer.is_sent())
    }

    /// The broker has handled the request at `index`.
    pub fn handled(&mut self, index: usize, answer: Answer, pipeline: &Pipeline) {
        if pipeline.producer.acks == Acks::None {
            self.flights.remove(index);
        } else {
            self.flights[index].answer = answer;
            self.flights[index].wire = None;
        }
    }

    /// The oldest answer reaches the client.
    pub fn receive(&mut self, pipeline: &Pipeline, ledger: &mut Ledger) {
        self.receive_at(0, pipeline, ledger);
    }

    /// The answer at `index` reaches the client.
    pub fn receive_at(&mut self, index: usize, pipeline: &Pipeline, ledger: &mut Ledger) {
        let flight = self.flights.remove(index);
        let Flight {
            batch,
            expired,
            answer,
            ..
        } = flight;
        match answer {
            Answer::None | Answer::Replicating => {
                unreachable!("only an answered request is received")
            }
            Answer::Success => self.succeed(flight, pipeline, ledger),
            Answer::Refused => self.refused(batch, expired, pipeline, ledger),
            Answer::OutOfOrder | Answer::UnknownProducerId if before_kip_360(pipeline) => {
                self.lost_track(flight, pipeline, ledger);
            }
            Answer::OutOfOrder | Answer::UnknownProducerId if expired => {}
            Answer::OutOfOrder | Answer::UnknownProducerId
                if pipeline.producer.is_transactional() =>
            {
                self.out_of_order_in_transaction(batch, answer, pipeline, ledger);
            }
            Answer::OutOfOrder => match pipeline.client {
                Client::Java => self.out_of_order_java(batch, pipeline, ledger),
                Client::Librdkafka => self.out_of_order_librdkafka(batch, pipeline, ledger),
            },
            Answer::UnknownProducerId => match pipeline.client {
                Client::Java => self.unknown_java(batch, pipeline, ledger),
                Client::Librdkafka => self.unknown_librdkafka(batch, pipeline, ledger),
            },
            Answer::StaleEpoch | Answer::NotInTransaction if expired => {}
            Answer::StaleEpoch | Answer::NotInTransaction => {
                self.give_up(batch, Failure::Answered(answer), pipeline, ledger);
            }
        }
        self.settle(pipeline);
    }

    fn succeed(&mut self, flight: Flight, pipeline: &Pipeline, ledger: &mut Ledger) {
        let Flight { batch, expired, .. } = flight;
        if pipeline.producer.idempotence {
            match pipeline.client {
                Client::Java if !java_before_2_5::is_current(self, &batch) => {}
                Client::Java if self.is_of_former_transaction(&batch, pipeline) => {}
                Client::Java => {
                    self.java.acknowledge(batch.stamp);
                    let offset = &mut self.java.acknowledged_offset;
                    *offset = flight.offset.max(*offset);
                }
                Client::Librdkafka => {
                    for record in librdkafka::acknowledge(self, batch) {
                        self.report_success(record, pipeline, ledger);
                    }
                }
            }
        }
        if !expired {
            self.report_success(batch.record, pipeline, ledger);
        }
    }

    /// A send was refused. librdkafka does not count the retry where the error sends it to look for
    /// the leader again (`rd_kafka_handle_Produce_error`), so such a retry has no limit but time.
    fn refused(&mut self, batch: Batch, expired: bool, pipeline: &Pipeline, ledger: &mut Ledger) {
        match pipeline.client {
            Client::Java => self.strike(batch, expired, pipeline, ledger),
            Client::Librdkafka => {
                if pipeline.producer.idempotence {
                    librdkafka::drain(self, &batch);
                }
                self.requeue(batch, pipeline);
            }
        }
    }

    /// A send came to nothing that may be tried again.
    fn strike(&mut self, batch: Batch, expired: bool, pipeline: &Pipeline, ledger: &mut Ledger) {
        if expired || pipeline.producer.acks == Acks::None {
            if expired && before_kip_360(pipeline) && batch.attempts < pipeline.producer.retries {
                java_before_2_5::failed(self, &batch, Failure::MissingTooLate);
            }
            return;
        }
        if pipeline.producer.idempotence && pipeline.client == Client::Librdkafka {
            librdkafka::drain(self, &batch);
        }
        if before_kip_360(pipeline) && !java_before_2_5::is_current(self, &batch) {
            self.give_up(batch, Failure::RetriesExhausted, pipeline, ledger);
            return;
        }
        self.retry(batch, Failure::RetriesExhausted, pipeline, ledger);
    }

    /// Retries a batch, or gives it up when its retries are used up: then `configured` ends them,
    /// or where the setting is beyond the bound, the delivery timeout does.
    fn retry(
        &mut self,
        batch: Batch,
        configured: Failure,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) -> bool {
        let again = Batch {
            attempts: batch.attempts + 1,
            ..batch
        };
        let settings = &pipeline.producer;
        let may_retry = batch.attempts < settings.retries;
        if may_retry {
            self.requeue(again, pipeline);
        } else if settings.retries_are_capped {
            self.give_up(again, Failure::TimedOut, pipeline, ledger);
        } else {
            self.give_up(batch, configured, pipeline, ledger);
        }
        may_retry
    }

    fn requeue(&mut self, batch: Batch, pipeline: &Pipeline) {
        let place = match (pipeline.client, pipeline.producer.idempotence) {
            (Client::Java, false) => 0,
            (Client::Java, true) => java::place(self, &batch),
            (Client::Librdkafka, _) => librdkafka::place(self, &batch),
        };
        self.queue.insert(place, batch);
    }

    fn give_up(&mut self, batch: Batch, why: Failure, pipeline: &Pipeline, ledger: &mut Ledger) {
        if pipeline.producer.is_transactional() {
            self.fail_in_transaction(&batch, why, pipeline, ledger);
            return;
        }
        if pipeline.producer.idempotence {
            match pipeline.client {
                Client::Java if before_kip_360(pipeline) => {
                    java_before_2_5::failed(self, &batch, why);
                }
                Client::Java => java::failed(self, &batch, why),
                Client::Librdkafka => librdkafka::failed(self, &batch, why),
            }
        }
        match pipeline.producer.on_send_failure {
            OnSendFailure::Resend if !self.librdkafka.fatal => self.enqueue(batch.record),
            OnSendFailure::Resend | OnSendFailure::GiveUp | OnSendFailure::Ignore => {
                self.leave_failed(batch.record, pipeline, ledger);
            }
        }
    }

    fn report_success(&mut self, record: u16, pipeline: &Pipeline, ledger: &mut Ledger) {
        if pipeline.producer.is_transactional() {
            self.report_success_in_transaction(record);
            return;
        }
        self.sending[usize::from(record)] = Sending::Acknowledged;
        if pipeline.producer.confirm_on == ConfirmOn::Ack {
            ledger.confirm(record);
        }
    }

    /// What the client does on its own once it has heard of something.
    fn settle(&mut self, pipeline: &Pipeline) {
        if pipeline.producer.idempotence && !pipeline.producer.is_transactional() {
            match pipeline.client {
                Client::Java => java::resolve(self, &pipeline.rules),
                Client::Librdkafka => librdkafka::finish_drain(self, pipeline),
            }
        } else if pipeline.producer.is_transactional() && pipeline.client == Client::Librdkafka {
            librdkafka::finish_drain(self, pipeline);
        }
    }

    /// Whether, without a further fault, every request is answered with a success that confirms its
    /// own record and does nothing else.
    pub fn is_undisturbed(&self, pipeline: &Pipeline) -> bool {
        let answered_well = |flight: &Flight| {
            matches!(
                flight.answer,
                Answer::None | Answer::Replicating | Answer::Success
            )
        };
        !pipeline.producer.idempotence
            && self.queue.iter().all(|batch| !batch.doubtful)
            && self
                .flights
                .iter()
                .all(|flight| answered_well(flight) && !flight.expired && !flight.batch.doubtful)
    }

    /// Whether there is a running process with something to lose.
    pub fn is_busy(&self, database: &Database, pipeline: &Pipeline) -> bool {
        !self.queue.is_empty() || !self.flights.is_empty() || self.has_work(database, pipeline)
    }
}
