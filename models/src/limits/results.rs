//! The limits of the output topic's own log and clients, where faults can strike them.

use super::{Limits, MAX_INSTANCES, Room, TooLarge, at_most, narrow};
use crate::order::Step;
use crate::pipeline::Pipeline;

/// The most entries that the log of the output topic may get.
const MAX_RESULTS: usize = 255;
/// The most epochs that a state tells apart of one producer: the oldest that anyone still has, one for
/// all before it, and those that were raised since.
pub const MAX_RAISED: u16 = 7;

impl Limits {
    /// The limits of the output topic; `results`: that topic as a pipeline of its own.
    ///
    /// Each fault can have every record be handled anew, and every result that is under way be appended once
    /// more; so can none but a fault. It is handled anew three times at most: by who takes the partition over,
    /// by who gets it back, and once more by a process whose result fails meanwhile.
    pub fn of_results(&self, results: &Pipeline, room: Room) -> Result<Limits, TooLarge> {
        let steps = results.consumer.order.steps().into_iter();
        let steps = steps
            .filter(|step| matches!(step, Step::Produce | Step::ProduceAsync))
            .count();
        let faults = usize::from(results.faults.total());
        // The input may have a record more than once.
        let readers = match results.subscribes() {
            true => 1,
            false => usize::from(self.instances),
        };
        let sends = usize::from(self.log) * readers * steps * (1 + 4 * faults);
        let markers = match results.producer.is_transactional() {
            true => sends + faults + 1,
            false => 0,
        };
        let log = at_most(
            room,
            "entries of the output topic",
            sends + markers,
            MAX_RESULTS,
        )?;
        let idempotent = results.producer.idempotence;
        let strikes = results.faults.entries.iter();
        let strikes = strikes.filter(|(key, _)| key.fault.strikes_brokers());
        let elections: usize = strikes.map(|(_, count)| usize::from(*count)).sum();
        Ok(Limits {
            log,
            queue: narrow(sends),
            flights: narrow(sends),
            // Those of clients, and those of processes that left something late behind.
            sessions: match results.producer.is_transactional() || !idempotent {
                true => self.instances - 1,
                false if self.limbo == 0 => self.instances - 1,
                false => MAX_INSTANCES as u16 - 1 + self.limbo,
            },
            epochs: if idempotent { MAX_RAISED } else { 0 },
            sequence: if idempotent { narrow(sends) } else { 0 },
            sends: narrow(sends),
            attempts: results.producer.retries,
            // The first leader is elected, too.
            leader_epochs: narrow(elections.min(faults) + 1),
            replicas: results.topic.replication.replicas,
            commits: false,
            writes_failed: false,
            strikes: true,
            truncation: true,
            retention: false,
            gaps: false,
            forgets: idempotent && !results.producer.is_transactional(),
            answered_offsets: false,
            transactions: results.producer.is_transactional(),
            database: false,
            relay: false,
            adds_partition: false,
            ..self.clone()
        })
    }
}
