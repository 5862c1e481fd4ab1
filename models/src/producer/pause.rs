//! What a process that stood still finds when it goes on.
//!
//! Only its clients' timeouts look at the time that has passed; an application that waits for a
//! delivery report or for its database just goes on. Two things can have passed:
//!
//! **The delivery timeouts.** Java: `Sender.sendProducerData` fails the batches whose
//! `delivery.timeout.ms` has passed before `NetworkClient.poll` reads the answers that arrived
//! meanwhile; a process that stood still inside the poll reads them first. librdkafka:
//! `rd_kafka_topic_scan_all` does it for messages in the queue, a request in flight times out with its
//! message. So each outstanding send may expire from now on, or still be acknowledged.
//!
//! **The timeouts of the requests** (`request.timeout.ms`, `socket.timeout.ms`). Java:
//! `NetworkClient.handleTimedOutRequests` runs after `Selector.poll` has read what was there, but it
//! reads the clock anew, and the selector reads one answer of a connection at a time: a process
//! that stood still in between closes the connection with the answers on it unread. librdkafka:
//! `rd_kafka_broker_timeout_scan` does the same with `socket.max.fails` = 1. All requests on it are
//! repeated, or given up if their delivery timeout has passed, too. The broker was not paused, so it
//! has handled what was on the wire; a request that it has not handled when its connection closes
//! is late, a fault of its own.

use super::{Flight, Producer};
use crate::ledger::Ledger;
use crate::pipeline::Pipeline;

impl Producer {
    /// The process stood still until the delivery timeouts of its sends have passed.
    pub fn pause(&mut self) {
        for batch in self.queue.iter_mut() {
            batch.doubtful = true;
        }
        for flight in self.flights.iter_mut().filter(|flight| !flight.expired) {
            flight.batch.doubtful = true;
        }
    }

    /// Whether there is a connection whose requests have all been answered, and none of the
    /// answers read; and so it is on the connection to the leader of another partition.
    pub fn can_miss_answers(&self, elsewhere: &[Flight]) -> bool {
        let mut all = self.flights.iter().chain(elsewhere).peekable();
        all.peek().is_some() && all.all(|flight| flight.answer.is_sent())
    }

    /// The process stood still until its requests have timed out.
    pub fn pause_until_requests_time_out(&mut self, pipeline: &Pipeline, ledger: &mut Ledger) {
        self.pause();
        self.lose_connection(pipeline, ledger);
    }
}
