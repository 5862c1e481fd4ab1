//! Sequence numbers as the Java client assigns, retries and renumbers them.
//!
//! Follows `Sender`, `RecordAccumulator`, `TransactionManager` and `TxnPartitionEntry` of Kafka
//! 4.x for an idempotent producer without `transactional.id` (KIP-98, KIP-360):
//!
//! - A batch gets its sequence number when it is first put on the wire, and keeps it in a retry.
//! - A retried batch waits until it carries the smallest outstanding sequence number; new batches
//!   wait while an expired batch has left the sequence unresolved.
//! - OUT_OF_ORDER_SEQUENCE is always retried. When the batch is the one that should come next the
//!   client concludes that the broker lost track: it bumps its epoch *locally* and renumbers all
//!   outstanding batches from 0. A batch that was appended under the old epoch, its answer lost,
//!   is then written again.
//! - A batch that expires while it waits or is in flight leaves its sequence number unresolved. One
//!   whose answer is found to be missing when its timeout has passed (`Sender.canRetry`) is failed
//!   at that moment, and the client bumps its epoch at once, whatever else is in flight.
//! - UNKNOWN_PRODUCER_ID, which brokers before 2.5 answer, is retried after such a bump, too.
//!
//! What clients before 2.5 do instead is in `java_before_2_5`, what a transactional one does in
//! [`super::transactions`].
//!
//! **Without idempotence** a batch that is to be retried goes to the *front* of the accumulator
//! (`RecordAccumulator.reenqueue`), and a broken connection hands its requests back oldest first
//! (`InFlightRequests.clearAll`), so the newest of them is transmitted first: with more than one
//! request in flight a lost connection is enough to reorder.

use super::{Answer, Batch, Failure, Producer, java_before_2_5};
use crate::broker::Stamp;
use crate::codec::Codec;
use crate::limits::Limits;
use crate::pipeline::KafkaRules;

/// What the Java client keeps for the partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct JavaSequences {
    /// The producer epoch.
    pub epoch: u16,
    /// The next sequence number to assign.
    pub next: u16,
    /// The last acknowledged sequence number + 1; 0: none.
    pub acknowledged: u16,
    /// The sequence number after the last batch that expired in a retry; 0: none.
    pub unresolved: u16,
    /// The offset after the last acknowledged record; 0: none. Only for the client before KIP-360.
    pub acknowledged_offset: u16,
}

impl JavaSequences {
    pub(super) fn acknowledge(&mut self, stamp: Option<Stamp>) {
        if let Some(stamp) = stamp {
            self.acknowledged = self.acknowledged.max(stamp.sequence + 1);
        }
    }

    /// Whether an out-of-order answer to `batch` means that the broker lost track.
    pub(super) fn calls_for_bump(&self, batch: &Batch) -> bool {
        let sequence = batch.stamp.map_or(0, |stamp| stamp.sequence);
        if self.unresolved == 0 {
            !batch.renumbered && sequence == self.acknowledged
        } else {
            sequence == self.unresolved
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        codec.field(&mut self.epoch, limits.epochs);
        codec.field(&mut self.next, limits.sequence);
        codec.field(&mut self.acknowledged, limits.sequence);
        codec.field(&mut self.unresolved, limits.sequence);
        if limits.answered_offsets {
            codec.field(&mut self.acknowledged_offset, limits.log);
        }
    }
}

fn sequence(batch: &Batch) -> Option<u16> {
    batch.stamp.map(|stamp| stamp.sequence)
}

/// The numbered batches that the client still waits for, in any order.
fn outstanding(producer: &Producer) -> impl Iterator<Item = &Batch> {
    let in_flight = producer.flights.iter().filter(|flight| !flight.expired);
    in_flight
        .map(|flight| &flight.batch)
        .chain(producer.queue.iter())
        .filter(|batch| batch.stamp.is_some())
}

pub(super) fn may_transmit(producer: &Producer, first: &Batch) -> bool {
    match sequence(first) {
        None => producer.java.unresolved == 0,
        Some(own) => outstanding(producer)
            .filter_map(sequence)
            .all(|other| own <= other),
    }
}

pub(super) fn number(producer: &mut Producer, batch: &mut Batch) {
    // Closing the batch to transmit it also forgets that it was reopened for new numbers.
    batch.renumbered = false;
    if batch.stamp.is_none() {
        batch.stamp = Some(Stamp {
            session: producer.session,
            epoch: producer.java.epoch,
            sequence: producer.java.next,
        });
        producer.java.next += 1;
    }
}

/// Where a batch that is to be retried goes: before every batch with a later sequence number.
pub(super) fn place(producer: &Producer, batch: &Batch) -> usize {
    let earlier =
        |other: &&Batch| sequence(other).is_some_and(|other| Some(other) < sequence(batch));
    producer.queue.iter().take_while(earlier).count()
}

pub(super) fn bump_epoch(producer: &mut Producer) {
    renumber_from_zero(producer, producer.java.epoch + 1);
}

/// Numbers what is outstanding from 0 in this epoch.
pub(super) fn renumber_from_zero(producer: &mut Producer, epoch: u16) {
    let session = producer.session;
    let mut order: Vec<u16> = outstanding(producer).filter_map(sequence).collect();
    order.sort_unstable();
    let renumber = |batch: &mut Batch| {
        if let Some(old) = sequence(batch) {
            let place = order.iter().take_while(|other| **other < old).count();
            batch.stamp = Some(Stamp {
                session,
                epoch,
                sequence: place as u16,
            });
            batch.renumbered = true;
        }
    };
    producer.queue.iter_mut().for_each(renumber);
    for flight in producer.flights.iter_mut().filter(|flight| !flight.expired) {
        renumber(&mut flight.batch);
    }
    producer.java = JavaSequences {
        epoch,
        next: order.len() as u16,
        ..JavaSequences::default()
    };
}

/// A batch that timed out in a retry leaves its sequence number unresolved.
pub(super) fn leave_unresolved(producer: &mut Producer, batch: &Batch) {
    if let Some(stamp) = batch.stamp.filter(|_| batch.attempts > 0) {
        let after = stamp.sequence + 1;
        producer.java.unresolved = producer.java.unresolved.max(after);
    }
}

/// A batch of a transaction has failed; whether it leaves the client in doubt, so that it goes on in
/// another epoch only. A batch that was put back and timed out does. So does one that the broker did not
/// take: the client repeats it until it times out.
pub(super) fn leave_in_doubt(producer: &mut Producer, batch: &Batch, why: Failure) -> bool {
    let in_doubt = match why {
        Failure::TimedOut => batch.attempts > 0 && batch.stamp.is_some(),
        Failure::Answered(_) | Failure::Fatal => true,
        Failure::MissingTooLate | Failure::RetriesExhausted => false,
    };
    if in_doubt {
        let after = batch.stamp.map_or(0, |stamp| stamp.sequence) + 1;
        producer.java.unresolved = producer.java.unresolved.max(after);
    }
    in_doubt
}

pub(super) fn failed(producer: &mut Producer, batch: &Batch, why: Failure) {
    match why {
        Failure::TimedOut => leave_unresolved(producer, batch),
        Failure::MissingTooLate
        | Failure::Answered(Answer::OutOfOrder | Answer::StaleEpoch | Answer::UnknownProducerId) => {
            bump_epoch(producer);
        }
        Failure::Answered(
            Answer::None
            | Answer::Success
            | Answer::Refused
            | Answer::Replicating
            | Answer::NotInTransaction,
        )
        | Failure::RetriesExhausted
        | Failure::Fatal => {}
    }
}

/// Once nothing is outstanding: either all that was numbered is acknowledged, or the client bumps
/// its epoch.
pub(super) fn resolve(producer: &mut Producer, rules: &KafkaRules) {
    if producer.java.unresolved != 0 && outstanding(producer).next().is_none() {
        if !rules.java_bumps_epoch {
            java_before_2_5::resolve(producer);
        } else if producer.java.next == producer.java.acknowledged {
            producer.java.unresolved = 0;
        } else {
            bump_epoch(producer);
        }
    }
}
