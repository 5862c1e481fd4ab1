//! A consumer's output producer: what it has sent, and where it stands in a transaction.
//!
//! Everything in it belongs to the process, not to the partition that is read: it outlives a
//! rebalance and is lost in a crash.

use crate::list::List;
use crate::pipeline::OutputSettings;

/// A result that nobody waits for, sent and without a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Send {
    /// The record whose result it is.
    pub record: u16,
    /// Failed attempts.
    pub attempts: u16,
    /// Whether it lies in the log, and the client does not know.
    pub appended: bool,
    /// Whether it was on the connection behind one that is sent again: it may overtake that.
    pub overtakes: bool,
    /// Whether a fault took away or delayed an answer to it, so that its timeout may pass.
    pub doubtful: bool,
}

/// An output producer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OutputProducer {
    /// The results that nobody waits for, in the order of sending.
    pub sends: List<Send, 2>,
    /// Failed attempts at the result that is waited for.
    pub attempts: u16,
    /// Whether that lies in the log, and the client does not know.
    pub appended: bool,
    /// Whether a fault took away or delayed an answer to that, so that its timeout may pass.
    pub doubtful: bool,
    /// Whether a result that nobody waited for was reported failed, and nobody has looked.
    pub failed: bool,
    /// The producer epoch that it has.
    pub epoch: u16,
    /// Whether its transaction has been begun at the coordinator, as far as it knows.
    pub open: bool,
    /// Whether its offsets have been added to its transaction, and are about to be sent.
    pub offsets_added: bool,
    /// Whether the coordinator timed a transaction of its out while its process stood still: once it goes on,
    /// what it begins does not time out by that.
    pub timed_out: bool,
    /// Whether its application waits for another epoch, after a result that failed and the abort of its
    /// transaction: kept where the coordinator may move meanwhile.
    pub awaits_epoch: bool,
}

impl OutputProducer {
    /// The places of the results that the client's thread may get through next.
    pub fn ready(&self, settings: &OutputSettings) -> impl Iterator<Item = u16> + '_ {
        let in_order = settings.idempotence || settings.max_in_flight == 1;
        let may = move |place: &usize| {
            *place == 0 || !in_order && self.sends[1..=*place].iter().all(|send| send.overtakes)
        };
        let in_flight = usize::try_from(settings.max_in_flight).unwrap_or(usize::MAX);
        (0..self.sends.len().min(in_flight))
            .filter(may)
            .map(|place| place as u16)
    }

    /// The first result is to be sent again: those behind it on the connection may overtake it.
    pub fn may_be_overtaken(&mut self, settings: &OutputSettings) {
        let in_flight = usize::try_from(settings.max_in_flight).unwrap_or(usize::MAX);
        for send in self.sends.iter_mut().take(in_flight).skip(1) {
            send.overtakes = !settings.idempotence;
        }
    }

    /// The connection breaks: no result on it is answered; nor is the one that is waited for, if there
    /// is one.
    pub fn lose_connection(&mut self, settings: &OutputSettings, waits: bool) {
        let in_flight = usize::try_from(settings.max_in_flight).unwrap_or(usize::MAX);
        for send in self.sends.iter_mut().take(in_flight) {
            send.doubtful = true;
        }
        self.doubtful |= waits;
    }

    /// One answer is lost: that to the oldest result.
    pub fn lose_answer(&mut self) {
        match self.sends.first_mut() {
            Some(send) => send.doubtful = true,
            None => self.doubtful = true,
        }
    }

    /// Whether the delivery timeout of the oldest result may pass. All results have the same, so they
    /// expire in the order of sending.
    pub fn may_expire(&self) -> bool {
        self.sends
            .first()
            .map_or(self.doubtful, |send| send.doubtful)
    }

    /// Whether the timeout of any result may pass.
    pub fn has_doubts(&self) -> bool {
        self.doubtful || self.sends.iter().any(|send| send.doubtful)
    }

    /// The result that is waited for has been reported.
    pub fn forget_awaited(&mut self) {
        (self.attempts, self.appended, self.doubtful) = (0, false, false);
    }

    /// A result leaves the client: reported, or given up. What stood before it keeps its place.
    pub fn take(&mut self, place: u16) -> Send {
        let taken = self.sends.remove(usize::from(place));
        if place == 0 {
            // Nothing is left to be overtaken.
            for send in self.sends.iter_mut() {
                send.overtakes = false;
            }
        }
        taken
    }

    /// Whether it is in the middle of something.
    pub fn is_busy(&self) -> bool {
        let fresh = OutputProducer {
            epoch: self.epoch,
            timed_out: self.timed_out,
            awaits_epoch: self.awaits_epoch,
            ..OutputProducer::default()
        };
        *self != fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three(settings: &OutputSettings) -> OutputProducer {
        let mut producer = OutputProducer::default();
        for record in 0..3 {
            producer.sends.push(Send {
                record,
                ..Send::default()
            });
        }
        producer.may_be_overtaken(settings);
        producer
    }

    #[test]
    fn a_refused_result_is_overtaken_by_those_behind_it_on_the_connection() {
        let two = OutputSettings {
            max_in_flight: 2,
            ..OutputSettings::NONE
        };
        let mut producer = three(&two);
        assert!(producer.ready(&two).eq([0, 1]));
        producer.take(1);
        assert!(producer.ready(&two).eq([0]), "r2 was not on the connection");
    }

    #[test]
    fn nothing_overtakes_with_one_request_at_a_time_or_sequence_numbers() {
        let one = OutputSettings {
            max_in_flight: 1,
            ..OutputSettings::NONE
        };
        assert!(three(&one).ready(&one).eq([0]));
        let idempotent = OutputSettings {
            max_in_flight: 5,
            idempotence: true,
            ..OutputSettings::NONE
        };
        assert!(three(&idempotent).ready(&idempotent).eq([0]));
    }
}
