//! The idempotent Java client before KIP-360, which cannot bump its epoch.
//!
//! Follows `Sender` and `TransactionManager` of Kafka 2.3 and 2.4:
//!
//! - UNKNOWN_PRODUCER_ID, and the last acknowledged record has left the log, or none was
//!   acknowledged (`lastAckedOffset < logStartOffset`): the client numbers what is outstanding from 0
//!   again, under the *same* producer id and epoch, and repeats it. What was appended before, its
//!   answer lost, is then written again.
//! - Any other UNKNOWN_PRODUCER_ID, and an out-of-order answer to the batch that should come next or
//!   while a sequence number is unresolved: the batch fails and the client asks for a new producer
//!   id (`resetProducerId`). What is outstanding under the old one is not retried any more: it ends
//!   with the answer that it gets.
//! - A batch whose answer is found to be missing when its timeout has passed takes its sequence
//!   number back (`adjustSequencesDueToFailedBatch`): later batches move up by one, although it may
//!   have been appended. So does one that was given up in flight, when its connection breaks.
//!
//! A transactional client takes numbers back, too, where the epoch of its transactions stays, also from
//! 2.5 on ([`super::transactions`]).
//!
//! **Left out.** The client's map of batches in flight, which after a reset mixes batches of two
//! producer ids: a retry of the old id waits for smaller sequence numbers of either.

use super::java::{self, JavaSequences};
use super::{Answer, Batch, Failure, Producer};
use crate::broker::Stamp;

/// Whether `batch` is of the producer id in use.
pub(super) fn is_current(producer: &Producer, batch: &Batch) -> bool {
    batch
        .stamp
        .is_none_or(|stamp| stamp.session == producer.session)
}

/// Whether a batch that the broker refused to take at its place is retried.
pub(super) fn may_retry(
    producer: &Producer,
    batch: &Batch,
    answer: Answer,
    log_start: u16,
) -> bool {
    let state = &producer.java;
    let sequence = batch.stamp.map_or(0, |stamp| stamp.sequence);
    is_current(producer, batch)
        && match answer {
            Answer::UnknownProducerId => batch.renumbered || state.acknowledged_offset <= log_start,
            Answer::OutOfOrder => {
                state.unresolved == 0 && (batch.renumbered || sequence != state.acknowledged)
            }
            Answer::None
            | Answer::Success
            | Answer::Refused
            | Answer::StaleEpoch
            | Answer::Replicating
            | Answer::NotInTransaction => false,
        }
}

/// Numbers what is outstanding from 0 under the same producer id.
pub(super) fn start_at_beginning(producer: &mut Producer) {
    let JavaSequences {
        epoch,
        acknowledged_offset,
        unresolved,
        ..
    } = producer.java;
    java::renumber_from_zero(producer, epoch);
    producer.java.acknowledged_offset = acknowledged_offset;
    producer.java.unresolved = unresolved;
}

/// Asks for a new producer id.
fn reset_producer_id(producer: &mut Producer) {
    producer.session += 1;
    producer.java = JavaSequences::default();
}

/// Takes the sequence number of a failed batch back.
pub(super) fn take_back(producer: &mut Producer, batch: &Batch) {
    let Some(failed) = batch.stamp else {
        return;
    };
    producer.java.next = producer.java.next.saturating_sub(1);
    let move_up = |batch: &mut Batch| {
        let later = |stamp: &&mut Stamp| {
            stamp.session == failed.session && stamp.sequence > failed.sequence
        };
        if let Some(stamp) = batch.stamp.as_mut().filter(later) {
            stamp.sequence -= 1;
            batch.renumbered = true;
        }
    };
    producer.queue.iter_mut().for_each(move_up);
    for flight in producer.flights.iter_mut().filter(|flight| !flight.expired) {
        move_up(&mut flight.batch);
    }
}

pub(super) fn failed(producer: &mut Producer, batch: &Batch, why: Failure) {
    match why {
        Failure::TimedOut => java::leave_unresolved(producer, batch),
        Failure::MissingTooLate if is_current(producer, batch) => take_back(producer, batch),
        Failure::Answered(Answer::OutOfOrder | Answer::UnknownProducerId)
            if is_current(producer, batch) =>
        {
            reset_producer_id(producer);
        }
        Failure::MissingTooLate
        | Failure::Answered(_)
        | Failure::RetriesExhausted
        | Failure::Fatal => {}
    }
}

/// Once nothing is outstanding, a sequence number that is still unresolved costs the producer id.
pub(super) fn resolve(producer: &mut Producer) {
    if producer.java.next == producer.java.acknowledged {
        producer.java.unresolved = 0;
    } else {
        reset_producer_id(producer);
    }
}
