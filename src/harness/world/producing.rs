//! What sends do, once it is decided what happens to them.

use super::{Met, World};
use crate::harness::coverage::Situation;
use crate::harness::error::KafkaError;
use crate::harness::kafka::Message;
use crate::harness::schedule::Action;
use crate::harness::story::Entry;
use crate::lab::Produced;

impl World {
    /// The producer sends and waits.
    pub(in crate::harness) fn send(
        &mut self,
        who: usize,
        met: &Met,
        message: &Message,
    ) -> Result<(), KafkaError> {
        if self.is_transactional(who) {
            return self.send_in_transaction(who, met, message);
        }
        let id = message.id;
        if met.chosen == Some(Action::RequestLost) {
            self.reach(Situation::RequestLost);
            self.tell(
                met,
                format!("Send of r{}: lost, and a timeout is reported.", id.0),
            );
            return Err(KafkaError::TimedOut);
        }
        if !self.sent.insert(id) {
            self.reach(Situation::SentAgain);
        }
        self.record(Entry::Sent(id.0));
        let process = &mut self.processes[who];
        let stamp = (process.producer, process.sequence);
        let stamp = self.clients.idempotence.then_some(stamp);
        process.sequence += 1;
        let first = self.broker.send(message, stamp);
        self.stored(who, first)?;
        let mut text = format!("Send of r{}: the broker appends it", id.0);
        if met.chosen == Some(Action::Retried) {
            self.reach(Situation::AnswerLost);
            let second = self.broker.send(message, stamp);
            text += "; the answer is lost, the client sends it again, and the broker ";
            text += match self.stored(who, second)? {
                Produced::Duplicate(_) => "recognises it",
                Produced::Appended(_) => "appends it again",
                Produced::OutOfOrder
                | Produced::StaleEpoch
                | Produced::UnknownProducerId
                | Produced::Concurrent
                | Produced::NotAdded => {
                    unreachable!("a repeat of the latest batch")
                }
            };
        }
        self.answer(who, met, text)
    }
}
