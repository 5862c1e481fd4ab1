//! Sequence numbers as librdkafka assigns, retries and renumbers them.
//!
//! Follows `rdkafka_request.c`, `rdkafka_broker.c` and `rdkafka_idempotence.c` of librdkafka 2.x
//! for an idempotent producer without `transactional.id`:
//!
//! - A message's sequence number is its number minus that of the first message of the epoch.
//! - After any error the partition is drained: nothing is transmitted until the answers of what is
//!   in flight have come; then the messages are sent again in their order.
//! - So it is when the partition gets another leader: nothing goes there until the answers of the one
//!   before have come (PARTITION_JOIN in `rdkafka_broker.c`).
//! - A message that timed out, or a sequence number that was skipped, bumps the epoch once the
//!   partition is drained.
//! - UNKNOWN_PRODUCER_ID (brokers before 2.5) to a message that was never repeated, and where no
//!   error is left unanswered before it, bumps the epoch; to any other it is fatal.
//! - Out of order at or below the next sequence number that should be acknowledged: fatal.
//! - A success of a later message acknowledges every earlier one that still waits in the queue
//!   (`rd_kafka_dr_implicit_ack`), whatever became of it. Of a producer id that the broker does
//!   not know it accepts any sequence number, so a message that was refused and overtaken is then
//!   reported delivered although no broker has it.
//!
//! Messages to be retried go back to their place in the order of creation, with and without
//! idempotence.

use super::{Batch, Failure, Producer};
use crate::broker::Stamp;
use crate::codec::Codec;
use crate::limits::Limits;
use crate::pipeline::{Client, Pipeline};

/// The most requests in flight for one partition of an idempotent producer.
const MAX_IN_FLIGHT: usize = 5;

/// What librdkafka keeps for the partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LibrdkafkaSequences {
    /// The producer epoch.
    pub epoch: u16,
    /// The message whose sequence number is 0; 0: the next one that is transmitted.
    pub base: u16,
    /// The next sequence number that should be acknowledged.
    pub next_acknowledged: u16,
    /// The next sequence number for which an error would be no surprise.
    pub next_error: u16,
    /// The newest message acknowledged.
    pub acknowledged: u16,
    /// Whether the partition is to be drained before anything is transmitted.
    pub draining: bool,
    /// Whether the epoch is to be bumped once it is drained.
    pub bumping: bool,
    /// Whether the client is in a fatal state.
    pub fatal: bool,
}

impl LibrdkafkaSequences {
    pub(super) fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        codec.field(&mut self.epoch, limits.epochs);
        codec.field(
            &mut self.base,
            limits.sends + u16::from(limits.transactions),
        );
        codec.field(&mut self.next_acknowledged, limits.sequence);
        codec.field(&mut self.next_error, limits.sequence);
        codec.field(&mut self.acknowledged, limits.sends);
        codec.flag_if(limits.strikes, &mut self.draining);
        codec.flag_if(limits.strikes, &mut self.bumping);
        codec.flag_if(limits.strikes, &mut self.fatal);
    }
}

fn in_flight(producer: &Producer) -> usize {
    producer
        .flights
        .iter()
        .filter(|flight| !flight.expired)
        .count()
}

pub(super) fn may_transmit(producer: &Producer) -> bool {
    let state = &producer.librdkafka;
    !state.fatal && !state.draining && !state.bumping && in_flight(producer) < MAX_IN_FLIGHT
}

pub(super) fn number(producer: &mut Producer, batch: &mut Batch) {
    let state = &mut producer.librdkafka;
    if state.base == 0 {
        state.base = batch.created;
    }
    batch.stamp = Some(Stamp {
        session: producer.session,
        epoch: state.epoch,
        sequence: batch.created - state.base,
    });
}

/// Where a message that is to be retried goes: its place in the order of creation.
pub(super) fn place(producer: &Producer, batch: &Batch) -> usize {
    let earlier = |other: &&Batch| other.created < batch.created;
    producer.queue.iter().take_while(earlier).count()
}

fn own_sequence(batch: &Batch) -> u16 {
    batch.stamp.map_or(0, |stamp| stamp.sequence)
}

/// A message is to be retried: drain first, and expect errors for what follows it.
pub(super) fn drain(producer: &mut Producer, batch: &Batch) {
    producer.librdkafka.draining = true;
    producer.librdkafka.next_error = own_sequence(batch) + 1;
}

/// Handles an out-of-order answer; whether the message is retried.
pub(super) fn out_of_order(producer: &mut Producer, batch: &Batch) -> bool {
    let state = &mut producer.librdkafka;
    state.next_error = own_sequence(batch) + 1;
    if own_sequence(batch) > state.next_acknowledged {
        state.draining = true;
        state.bumping = true;
        true
    } else {
        state.fatal = true;
        false
    }
}

/// Handles UNKNOWN_PRODUCER_ID; whether the message is retried, after an epoch bump. A message that
/// was sent before, or one behind such a message, may be in the log: that is fatal.
pub(super) fn unknown_producer_id(producer: &mut Producer, batch: &Batch) -> bool {
    let state = &mut producer.librdkafka;
    let expected = batch.attempts == 0 && state.next_error == own_sequence(batch);
    state.next_error = own_sequence(batch) + 1;
    if expected {
        state.draining = true;
        state.bumping = true;
    } else {
        state.fatal = true;
    }
    expected
}

/// Handles a success; returns the records that it acknowledges besides its own.
pub(super) fn acknowledge(producer: &mut Producer, batch: Batch) -> Vec<u16> {
    let mut implied = Vec::new();
    let state = &mut producer.librdkafka;
    let sequence = own_sequence(&batch);
    if state.acknowledged + 1 < batch.created {
        while let Some(first) = producer.queue.first().copied()
            && first.created <= batch.created
        {
            producer.queue.remove(0);
            implied.push(first.record);
        }
    } else if sequence != state.next_acknowledged && sequence == state.next_error {
        state.fatal = true;
        state.next_error = sequence + 1;
    }
    if !state.fatal {
        if state.next_error == state.next_acknowledged {
            state.next_error = sequence + 1;
        }
        state.next_acknowledged = sequence + 1;
    }
    state.acknowledged = state.acknowledged.max(batch.created);
    implied
}

pub(super) fn failed(producer: &mut Producer, batch: &Batch, why: Failure) {
    match why {
        Failure::Fatal => {}
        Failure::RetriesExhausted => producer.librdkafka.draining = true,
        Failure::TimedOut | Failure::MissingTooLate | Failure::Answered(_) => {
            producer.librdkafka.next_error = own_sequence(batch) + 1;
            producer.librdkafka.draining = true;
            producer.librdkafka.bumping = true;
        }
    }
}

/// The client learns that another broker leads.
pub fn learn_leader(producer: &mut Producer, pipeline: &Pipeline) {
    let numbers = pipeline.producer.idempotence && pipeline.client == Client::Librdkafka;
    if numbers && in_flight(producer) > 0 {
        producer.librdkafka.draining = true;
    }
}

/// Whether the client is to ask its coordinator for another epoch: a number was skipped in a transaction,
/// and the partition is drained.
pub fn asks_for_epoch(producer: &Producer) -> bool {
    producer.librdkafka.bumping && in_flight(producer) == 0
}

/// The epoch of a transactional producer is raised by its coordinator, any other by the client itself.
pub(super) fn finish_drain(producer: &mut Producer, pipeline: &Pipeline) {
    if in_flight(producer) > 0 {
        return;
    }
    let state = &mut producer.librdkafka;
    state.draining = false;
    if state.bumping && !pipeline.producer.is_transactional() {
        *state = LibrdkafkaSequences {
            epoch: state.epoch + 1,
            acknowledged: state.acknowledged,
            fatal: state.fatal,
            ..LibrdkafkaSequences::default()
        };
    }
}
