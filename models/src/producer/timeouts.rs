//! How `delivery.timeout.ms` (librdkafka: `message.timeout.ms`) ends a send.
//!
//! Java clients before 2.1 have no such limit: what waits in the accumulator expires after
//! `request.timeout.ms`, and a request in flight ends with its answer, or is retried.

use super::{Batch, Failure, Flight, Producer, java_before_2_5};
use crate::ledger::Ledger;
use crate::pipeline::{Acks, Client, Pipeline};

/// The oldest of what waits or is in flight.
pub fn oldest(queue: &[Batch], flights: &[Flight], pipeline: &Pipeline) -> Option<Batch> {
    let may_expire = pipeline.producer.acks != Acks::None && pipeline.rules.flights_expire;
    let in_flight = flights
        .iter()
        .filter(|flight| may_expire && !flight.expired);
    in_flight
        .map(|flight| flight.batch)
        .chain(queue.iter().copied())
        .min_by_key(|batch| batch.created)
}

impl Producer {
    /// The batch whose delivery timeout passes next. With acks=0 a send is done when it is on the
    /// wire.
    pub fn next_to_expire(&self, pipeline: &Pipeline) -> Option<Batch> {
        oldest(&self.queue, &self.flights, pipeline)
    }

    /// `delivery.timeout.ms` passes for the oldest outstanding send.
    pub fn expire(&mut self, pipeline: &Pipeline, ledger: &mut Ledger) {
        let Some(oldest) = self.next_to_expire(pipeline) else {
            return;
        };
        let in_flight = |flight: &Flight| !flight.expired && flight.batch == oldest;
        if let Some(index) = self.queue.iter().position(|batch| *batch == oldest) {
            self.queue.remove(index);
        } else if let Some(index) = self.flights.iter().position(in_flight) {
            match pipeline.client {
                Client::Java => self.flights[index].expired = true,
                Client::Librdkafka => {
                    // The request times out with its message, and takes the connection along.
                    // No fault took the other answers: their retries are healthy.
                    let own = self.flights.remove(index);
                    let lost = self.take_from(0, |flight| flight.to == own.to);
                    for flight in lost.iter() {
                        self.strike(flight.batch, flight.expired, pipeline, ledger);
                    }
                }
            }
        }
        self.give_up(oldest, Failure::TimedOut, pipeline, ledger);
        self.settle(pipeline);
    }

    /// The batch that may be found to have failed only after its timeout: an idempotent Java client
    /// then does not count its sequence number as unresolved, but bumps its epoch at once.
    pub fn next_to_fail_too_late(&self, pipeline: &Pipeline) -> Option<Batch> {
        let applies = pipeline.producer.idempotence
            && pipeline.client == Client::Java
            && pipeline.rules.flights_expire;
        let oldest = self.next_to_expire(pipeline).filter(|_| applies)?;
        let struck = oldest.doubtful && oldest.attempts > 0;
        (struck && self.queue.contains(&oldest)).then_some(oldest)
    }

    /// The client takes back the sequence number of the send that is about to fail like that.
    pub(crate) fn take_back_oldest(&mut self, pipeline: &Pipeline) {
        if let Some(oldest) = self.next_to_fail_too_late(pipeline) {
            java_before_2_5::take_back(self, &oldest);
        }
    }

    /// The oldest send's answer is found to be missing when its timeout has passed already.
    pub fn fail_too_late(&mut self, pipeline: &Pipeline, ledger: &mut Ledger) {
        let Some(oldest) = self.next_to_fail_too_late(pipeline) else {
            return;
        };
        if let Some(index) = self.queue.iter().position(|batch| *batch == oldest) {
            self.queue.remove(index);
        }
        self.give_up(oldest, Failure::MissingTooLate, pipeline, ledger);
        self.settle(pipeline);
    }
}
