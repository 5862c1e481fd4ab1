//! A process makes a call: which faults may strike it, and what is decided.

use super::transactions::Transactional;
use super::{Met, World};
use crate::harness::coverage::Situation;
use crate::harness::error::{Error, KafkaError};
use crate::harness::kafka::Call;
use crate::harness::schedule::{Action, Item};
use crate::harness::service::Side;
use crate::harness::story::{Choice, Entry, tell};

impl World {
    /// A process makes a call: what happens to it is decided, and a crash before it happens.
    pub(in crate::harness) fn meet(
        &mut self,
        who: usize,
        call: Call<'_>,
    ) -> Result<Met, KafkaError> {
        if self.processes[who].dead || self.failure.is_some() {
            self.processes[who].dead = true;
            self.processes[who].haunts += 1;
            return Err(KafkaError::Crashed);
        }
        if self.is_at_its_end() {
            self.is_endless = true;
            self.processes[who].dead = true;
            return Err(KafkaError::Crashed);
        }
        self.steps += 1;
        let options = self.options(who, call);
        let met = self.choose(who, call.full_label(), call.label(), options)?;
        match met.chosen {
            Some(Action::Crash) => {
                self.commit_arrives(who)?;
                self.tell(&met, format!("The process dies before {}.", met.label));
                Err(self.die(who))
            }
            Some(Action::CrashUnsent) => {
                let text = format!(
                    "The process dies before {}; the commit that was on its way is lost.",
                    met.label
                );
                self.tell(&met, text);
                Err(self.die(who))
            }
            Some(Action::Pause | Action::LongPause) => {
                self.pause(who, &met)?;
                Ok(met)
            }
            Some(
                Action::CrashAfter
                | Action::RequestLost
                | Action::AnswerLost
                | Action::Retried
                | Action::LeaderLost
                | Action::LeaderLostUnanswered
                | Action::Poll(_),
            )
            | None => Ok(met),
        }
    }

    fn pause(&mut self, who: usize, met: &Met) -> Result<(), KafkaError> {
        self.commit_arrives(who)?;
        if self.side == Side::Consumer && self.is_member(who) {
            self.broker.expel();
            self.record(Entry::Generation(self.broker.generation().0));
        }
        let until = match met.chosen {
            Some(Action::LongPause) => {
                let timed_out = self.broker.time_out();
                self.stored(who, timed_out)?;
                self.reach(Situation::TransactionEnded);
                "beyond its session and transaction.timeout.ms: its transaction is aborted"
            }
            Some(_) | None => "beyond its session",
        };
        let text = format!(
            "The process stands still before {}, {until}; another instance takes over.",
            met.label
        );
        self.tell(met, text);
        Ok(())
    }

    /// Which faults may strike the call.
    fn options(&self, who: usize, call: Call<'_>) -> Vec<Action> {
        let process = &self.processes[who];
        let mut options = vec![Action::Crash];
        let own = process.transactional.as_ref();
        if process.unsent.is_some() || own.is_some_and(Transactional::has_unsent_end) {
            options.push(Action::CrashUnsent);
        }
        let (may_lose, may_pause) = match call {
            Call::Poll => (&[][..], true),
            Call::Point { in_transaction, .. } => (&[][..], !in_transaction),
            Call::CommitAsync(None) | Call::Commit(None) => (&[][..], true),
            Call::CommitAsync(Some(_)) => (&[Action::RequestLost][..], true),
            Call::Commit(Some(_)) => (
                &[Action::CrashAfter, Action::RequestLost, Action::AnswerLost][..],
                true,
            ),
            Call::InitTransactions
            | Call::BeginTransaction
            | Call::SendOffsets(_)
            | Call::EndTransaction(_) => (self.transaction_faults(who, call), true),
            Call::Send(_) if self.is_transactional(who) => {
                (self.transaction_faults(who, call), true)
            }
            Call::Send(_) => (self.send_faults(), true),
        };
        if call.is_of_the_producer() || self.is_member(who) {
            options.extend(may_lose);
        }
        if self.sends(who, call) {
            options.extend(self.leader_faults());
        }
        if may_pause && (self.side == Side::Producer || self.is_member(who)) {
            options.push(Action::Pause);
            if process
                .transactional
                .as_ref()
                .is_some_and(Transactional::can_time_out)
            {
                options.push(Action::LongPause);
            }
        }
        options
    }

    pub(super) fn choose(
        &mut self,
        who: usize,
        label: String,
        counted_as: String,
        options: Vec<Action>,
    ) -> Result<Met, KafkaError> {
        let step = self.steps;
        let options = self.chooser.affordable(options);
        let chosen = match self.chooser.choose(step, &label, &options) {
            Ok(chosen) => chosen,
            Err(mismatch) => {
                let error = self.misfit(&mismatch.item, label);
                return Err(self.fail(who, error));
            }
        };
        self.record(Entry::Choice(Choice {
            step,
            label: label.clone(),
            counted_as,
            options,
            chosen,
        }));
        Ok(Met {
            step,
            label,
            chosen,
            woken: false,
        })
    }

    /// A schedule asks for something that this run does not offer.
    pub(in crate::harness) fn misfit(&self, item: &Item, met: String) -> Error {
        let schedule = self.chooser.so_far.with(item.clone()).to_string();
        match &item.label {
            Some(expected) => Error::Nondeterministic {
                schedule,
                step: item.step,
                expected: expected.clone(),
                met: format!("{met} (call {})", self.steps),
            },
            None => Error::Schedule {
                schedule,
                problem: format!(
                    "'{item}' does not fit: the budget does not allow it, or nothing like that can \
                     happen at that call. The run until then, with its calls numbered:\n{}",
                    tell(&self.entries)
                ),
            },
        }
    }
}
