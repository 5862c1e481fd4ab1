//! What sends do, once it is decided what happens to them.

use super::{Met, World};
use crate::harness::coverage::Situation;
use crate::harness::error::KafkaError;
use crate::harness::kafka::{Call, Message};
use crate::harness::schedule::Action;
use crate::harness::story::Entry;
use crate::lab::{Produced, StorageError};
use semel_models::pipeline::Acks;

impl World {
    /// Which requests and answers of a send outside of transactions can be lost. With `acks=0` there are no
    /// answers, and nothing is sent again.
    pub(super) fn send_faults(&self) -> &'static [Action] {
        match self.clients.acks {
            Acks::None => &[Action::CrashAfter, Action::RequestLost],
            Acks::Leader | Acks::All => &[
                Action::CrashAfter,
                Action::RequestLost,
                Action::AnswerLost,
                Action::Retried,
            ],
        }
    }

    /// How the leader of the output topic can die at a send. Without an answer to wait for it is all the same
    /// to the client that the followers have what it sent.
    pub(super) fn leader_faults(&self) -> &'static [Action] {
        match self.clients.acks {
            _ if self.clients.replicas == 1 => &[],
            Acks::None => &[Action::LeaderLost],
            Acks::Leader | Acks::All => &[Action::LeaderLost, Action::LeaderLostUnanswered],
        }
    }

    /// Whether the call sends something to the output topic.
    pub(super) fn sends(&self, who: usize, call: Call<'_>) -> bool {
        let is_send = matches!(call, Call::Send(_));
        is_send && (!self.is_transactional(who) || !self.transaction_faults(who, call).is_empty())
    }

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
        let acks = self.clients.acks;
        if met.chosen == Some(Action::RequestLost) {
            self.reach(Situation::RequestLost);
            let (told, result) = match acks {
                Acks::None => ("lost, and nobody hears of that", Ok(())),
                Acks::Leader | Acks::All => {
                    ("lost, and a timeout is reported", Err(KafkaError::TimedOut))
                }
            };
            self.tell(met, format!("Send of r{}: {told}.", id.0));
            return result;
        }
        if !self.sent.insert(id) {
            self.reach(Situation::SentAgain);
        }
        self.record(Entry::Sent(id.0));
        let process = &mut self.processes[who];
        let stamp = (process.producer, process.sequence);
        process.sequence += 1;
        let is_idempotent = self.clients.idempotence && acks == Acks::All;
        let stamp = is_idempotent.then_some(stamp);
        let first = self.broker.send(message, stamp);
        self.stored(who, first)?;
        let text = format!("Send of r{}: the broker appends it", id.0);
        let again = |world: &mut World| world.broker.send(message, stamp);
        let text = self.delivered(who, met, text, again)?;
        self.answer(who, met, text)
    }

    /// What becomes of a request that the leader appended, and of the same one when the client sends it
    /// again; told as the end of `text`.
    pub(super) fn delivered(
        &mut self,
        who: usize,
        met: &Met,
        text: String,
        again: impl FnOnce(&mut World) -> Result<Produced, StorageError>,
    ) -> Result<String, KafkaError> {
        let is_lost = met.chosen == Some(Action::LeaderLost);
        if !is_lost {
            let replicated = self.broker.replicate();
            self.stored(who, replicated)?;
        }
        if is_lost || met.chosen == Some(Action::LeaderLostUnanswered) {
            self.reach(Situation::LeaderLost);
            let lost = self.broker.lose_leader();
            self.stored(who, lost)?;
        }
        let (why, taker) = match met.chosen {
            Some(Action::Retried) => {
                self.reach(Situation::AnswerLost);
                ("; the answer is lost", "broker")
            }
            Some(Action::LeaderLost) if self.clients.acks != Acks::All => {
                let told = "; the leader dies before a follower has it, and the next one does not know of it";
                return Ok(text + told);
            }
            Some(Action::LeaderLost) => {
                ("; the leader dies before a follower has it", "next leader")
            }
            Some(Action::LeaderLostUnanswered) => (
                "; its followers have it, and it dies before it answers",
                "next leader",
            ),
            Some(
                Action::Crash
                | Action::CrashUnsent
                | Action::CrashAfter
                | Action::RequestLost
                | Action::AnswerLost
                | Action::Pause
                | Action::LongPause
                | Action::Poll(_),
            )
            | None => return Ok(text),
        };
        let second = again(self);
        let taken = match self.stored(who, second)? {
            Produced::Duplicate(_) => "recognises it",
            Produced::Appended(_) if is_lost => "appends it",
            Produced::Appended(_) => "appends it again",
            Produced::OutOfOrder
            | Produced::StaleEpoch
            | Produced::UnknownProducerId
            | Produced::Concurrent
            | Produced::NotAdded => {
                unreachable!("a repeat of the latest batch")
            }
        };
        let replicated = self.broker.replicate();
        self.stored(who, replicated)?;
        Ok(text + why + ", the client sends it again, and the " + taker + " " + taken)
    }
}
