//! What each client does when the broker does not take a batch at its place: it expects another
//! sequence number, or does not know the producer id.

use super::{Answer, Batch, Failure, Flight, Producer, java, java_before_2_5, librdkafka};
use crate::ledger::Ledger;
use crate::pipeline::{Client, Pipeline};

impl Producer {
    pub(super) fn out_of_order_java(
        &mut self,
        batch: Batch,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        let bump = self.java.calls_for_bump(&batch);
        let failure = Failure::Answered(Answer::OutOfOrder);
        if self.retry(batch, failure, pipeline, ledger) && bump {
            java::bump_epoch(self);
        }
    }

    /// In a transaction Java's client retries a batch while an earlier one may still arrive; once that
    /// is given up, it fails, and the transaction with it. So it does where the broker lost track.
    /// librdkafka waits for no earlier one: it wants another epoch, and for that the transaction has to
    /// be aborted (`rd_kafka_idemp_drain_epoch_bump`, from 2.0.0). Before 1.8.2 it asks for the epoch
    /// within the transaction, as the idempotent producer takes one by itself.
    pub(super) fn out_of_order_in_transaction(
        &mut self,
        batch: Batch,
        answer: Answer,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        if answer == Answer::OutOfOrder && pipeline.raises_within_transactions() {
            self.out_of_order_librdkafka(batch, pipeline, ledger);
            return;
        }
        let failure = Failure::Answered(answer);
        if answer == Answer::UnknownProducerId && self.begins_anew_in_transaction(&batch, pipeline)
        {
            let again = self.retry(batch, failure, pipeline, ledger);
            if again && !batch.renumbered {
                java_before_2_5::start_at_beginning(self);
            }
            return;
        }
        let comes_later = batch.stamp.is_some_and(|stamp| {
            let earlier = |other: &Batch| {
                let own = other.stamp.filter(|other| other.epoch == stamp.epoch);
                own.is_some_and(|other| other.sequence < stamp.sequence)
            };
            let in_flight = self.flights.iter().filter(|flight| !flight.expired);
            self.queue.iter().any(earlier) || in_flight.map(|flight| &flight.batch).any(earlier)
        });
        let waits = match pipeline.client {
            Client::Java => comes_later && answer == Answer::OutOfOrder,
            Client::Librdkafka => false,
        };
        if waits {
            self.retry(batch, failure, pipeline, ledger);
        } else {
            self.give_up(batch, failure, pipeline, ledger);
        }
    }

    /// Whether a Java client in a transaction that hears of an unknown producer id numbers what is
    /// outstanding from 0 again: nothing was acknowledged (`lastAckedOffset < logStartOffset`).
    fn begins_anew_in_transaction(&self, batch: &Batch, pipeline: &Pipeline) -> bool {
        pipeline.keeps_epochs() && (batch.renumbered || self.java.acknowledged == 0)
    }

    pub(super) fn unknown_java(&mut self, batch: Batch, pipeline: &Pipeline, ledger: &mut Ledger) {
        let failure = Failure::Answered(Answer::UnknownProducerId);
        if self.retry(batch, failure, pipeline, ledger) && !batch.renumbered {
            java::bump_epoch(self);
        }
    }

    /// A Java client before KIP-360 hears that the broker lost track of it. It looks at its
    /// sequence numbers even for a batch that it gave up.
    pub(super) fn lost_track(&mut self, flight: Flight, pipeline: &Pipeline, ledger: &mut Ledger) {
        let Flight { batch, answer, .. } = flight;
        let failure = Failure::Answered(answer);
        if flight.expired {
            java_before_2_5::failed(self, &batch, failure);
        } else if java_before_2_5::may_retry(self, &batch, answer, flight.offset) {
            let again = self.retry(batch, failure, pipeline, ledger);
            if again && answer == Answer::UnknownProducerId && !batch.renumbered {
                java_before_2_5::start_at_beginning(self);
            }
        } else {
            self.give_up(batch, failure, pipeline, ledger);
        }
    }

    pub(super) fn unknown_librdkafka(
        &mut self,
        batch: Batch,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        if librdkafka::unknown_producer_id(self, &batch) {
            self.requeue(batch, pipeline);
        } else {
            self.give_up(batch, Failure::Fatal, pipeline, ledger);
        }
    }

    pub(super) fn out_of_order_librdkafka(
        &mut self,
        batch: Batch,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        if librdkafka::out_of_order(self, &batch) {
            self.requeue(batch, pipeline);
        } else {
            self.give_up(batch, Failure::Fatal, pipeline, ledger);
        }
    }
}

/// Whether the client is an idempotent Java client before KIP-360.
pub(super) fn before_kip_360(pipeline: &Pipeline) -> bool {
    let old = pipeline.client == Client::Java && !pipeline.rules.java_bumps_epoch;
    old && pipeline.producer.idempotence && !pipeline.producer.is_transactional()
}
