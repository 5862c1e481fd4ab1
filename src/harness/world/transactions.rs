//! What the calls of a transactional producer do, once it is decided what happens to them.

use super::{Met, World};
use crate::harness::broker::{Identity, Offsets};
use crate::harness::coverage::Situation;
use crate::harness::error::{Error, KafkaError};
use crate::harness::kafka::{Call, Message};
use crate::harness::schedule::Action;
use crate::harness::story::Entry;
use crate::lab::{Generation, NextOffset, Produced};
use semel_models::pipeline::Acks;
use semel_models::transaction_coordinator::Outcome;

/// Where a transactional producer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No transaction is open.
    Ready,
    /// One is.
    Begun,
    /// It can only be aborted.
    Failed,
    /// Its end timed out, and has to be asked for again.
    Ending(Outcome),
    /// The producer is of no use any more.
    Fenced,
}

/// A transactional producer of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transactional {
    identity: Identity,
    stage: Stage,
    /// The number of the next batch in its transaction.
    sequence: i32,
    /// Whether a request of its transaction was sent.
    sent: bool,
    /// Offsets whose request was lost, and the generation that they were sent in.
    unsent_offsets: Option<(Generation, NextOffset)>,
    /// Whether the EndTxn was lost that the client goes on to repeat.
    unsent_end: bool,
}

impl Transactional {
    /// Whether a call of this kind is taken in its stage.
    fn admits(&self, call: Call<'_>) -> Result<(), KafkaError> {
        let is_legal = match (self.stage, call) {
            (Stage::Fenced, _) => return Err(KafkaError::Fenced),
            (Stage::Ending(own), Call::EndTransaction(outcome)) => own == outcome,
            (Stage::Failed, Call::EndTransaction(Outcome::Abort)) => true,
            (Stage::Failed, _) => return Err(KafkaError::MustAbort),
            (Stage::Ready, Call::BeginTransaction) => true,
            (Stage::Begun, Call::Send(_) | Call::SendOffsets(_) | Call::EndTransaction(_)) => true,
            (Stage::Ready | Stage::Begun | Stage::Ending(_), _) => false,
        };
        is_legal.then_some(()).ok_or(KafkaError::IllegalState)
    }

    pub(super) fn has_unsent_end(&self) -> bool {
        self.unsent_end
    }

    /// Whether the coordinator may know of an open transaction of it.
    pub(super) fn can_time_out(&self) -> bool {
        self.is_open() && self.sent
    }

    pub(super) fn is_open(&self) -> bool {
        match self.stage {
            Stage::Begun | Stage::Failed | Stage::Ending(_) => true,
            Stage::Ready | Stage::Fenced => false,
        }
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Commit => "Commit",
        Outcome::Abort => "Abort",
    }
}

impl World {
    /// Whether `who` has a producer with a transactional id.
    pub(super) fn is_transactional(&self, who: usize) -> bool {
        self.processes[who].transactional.is_some()
    }

    /// Which requests of the call could be lost, and whether they can be repeated with effect; nothing
    /// where the client refuses the call, or has nothing to send.
    pub(super) fn transaction_faults(&self, who: usize, call: Call<'_>) -> &'static [Action] {
        const LOST: &[Action] = &[Action::CrashAfter, Action::RequestLost, Action::AnswerLost];
        const LOST_OR_RETRIED: &[Action] = &[
            Action::CrashAfter,
            Action::RequestLost,
            Action::AnswerLost,
            Action::Retried,
        ];
        match (call, &self.processes[who].transactional) {
            (Call::InitTransactions, None) => LOST,
            (_, Some(own)) if own.admits(call).is_ok() => match call {
                Call::SendOffsets(_) => LOST,
                Call::EndTransaction(_) if own.sent => LOST_OR_RETRIED,
                Call::Send(_) => LOST_OR_RETRIED,
                _ => &[],
            },
            (_, _) => &[],
        }
    }

    fn transactional(&mut self, who: usize) -> &mut Transactional {
        let own = self.processes[who].transactional.as_mut();
        own.expect("the call was admitted")
    }

    /// Refuses a call that the client would not send.
    fn admit(&mut self, who: usize, met: &Met, call: Call<'_>) -> Result<(), KafkaError> {
        let admitted = match (&self.processes[who].transactional, call) {
            (None, Call::InitTransactions) => Ok(()),
            (None, _) => Err(KafkaError::IllegalState),
            (Some(own), call) => own.admits(call),
        };
        admitted.inspect_err(|error| self.tell(met, format!("{}: {error}.", called(call))))
    }

    fn lose_request(&mut self, met: &Met, call: Call<'_>) -> KafkaError {
        self.reach(Situation::RequestLost);
        let text = format!(
            "{}: the request is lost, and a timeout is reported.",
            called(call)
        );
        self.tell(met, text);
        KafkaError::TimedOut
    }

    /// The producer is of no use any more.
    fn fence(&mut self, who: usize, met: &Met, call: Call<'_>) -> KafkaError {
        self.reach(Situation::ProducerFenced);
        self.transactional(who).stage = Stage::Fenced;
        let text = format!("{}: refused, for the producer is fenced.", called(call));
        self.tell(met, text);
        KafkaError::Fenced
    }

    fn fail_transaction(&mut self, who: usize, met: &Met, told: &str) {
        self.transactional(who).stage = Stage::Failed;
        self.tell(met, told.into());
    }

    pub(in crate::harness) fn init_transactions(
        &mut self,
        who: usize,
        met: &Met,
        name: &str,
    ) -> Result<(), KafkaError> {
        let call = Call::InitTransactions;
        self.admit(who, met, call)?;
        if self.clients.acks != Acks::All {
            let refused = "acks(..): a producer with a transactional.id needs acks=all (Java's ConfigException)";
            return Err(self.fail(who, Error::Settings(refused.into())));
        }
        if !self.clients.idempotence {
            let refused = "without_idempotence(): a producer with a transactional.id has enable.idempotence=true (Java's ConfigException)";
            return Err(self.fail(who, Error::Settings(refused.into())));
        }
        if met.chosen == Some(Action::RequestLost) {
            return Err(self.lose_request(met, call));
        }
        let made = self.broker.initialise(name);
        let (identity, ended) = self.stored(who, made)?;
        let mut text = format!("The transactional id \"{name}\" is initialised");
        if let Some(outcome) = ended {
            self.reach(Situation::TransactionEnded);
            text += match outcome {
                Outcome::Commit => "; the transaction that was to commit is completed",
                Outcome::Abort => "; the transaction that was open is aborted",
            };
        }
        self.answer(who, met, text)?;
        self.processes[who].transactional = Some(Transactional {
            identity,
            stage: Stage::Ready,
            sequence: 0,
            sent: false,
            unsent_offsets: None,
            unsent_end: false,
        });
        Ok(())
    }

    pub(in crate::harness) fn begin_transaction(
        &mut self,
        who: usize,
        met: &Met,
    ) -> Result<(), KafkaError> {
        self.admit(who, met, Call::BeginTransaction)?;
        self.transactional(who).stage = Stage::Begun;
        self.tell(met, "A transaction begins.".into());
        Ok(())
    }

    /// A send within the transaction.
    pub(super) fn send_in_transaction(
        &mut self,
        who: usize,
        met: &Met,
        message: &Message,
    ) -> Result<(), KafkaError> {
        let call = Call::Send(message);
        self.admit(who, met, call)?;
        let own = self.transactional(who);
        own.sent = true;
        let (identity, sequence) = (own.identity, own.sequence);
        if met.chosen == Some(Action::RequestLost) {
            own.stage = Stage::Failed;
            return Err(self.lose_request(met, call));
        }
        if !self.sent.insert(message.id) {
            self.reach(Situation::SentAgain);
        }
        self.record(Entry::Sent(message.id.0));
        let first = self.broker.send_in_transaction(message, identity, sequence);
        let text = format!("{}: the broker appends it to the transaction", called(call));
        match self.stored(who, first)? {
            Produced::Appended(_) => self.transactional(who).sequence += 1,
            Produced::Duplicate(_) => unreachable!("each number is sent once"),
            Produced::StaleEpoch
            | Produced::OutOfOrder
            | Produced::UnknownProducerId
            | Produced::Concurrent
            | Produced::NotAdded => {
                self.reach(Situation::ProducerFenced);
                let told = format!(
                    "{}: refused, for the producer's epoch is over.",
                    called(call)
                );
                self.fail_transaction(who, met, &told);
                return Err(KafkaError::MustAbort);
            }
        }
        let again = |world: &mut World| {
            let broker = &mut world.broker;
            broker.send_in_transaction(message, identity, sequence)
        };
        let text = self.delivered(who, met, text, again)?;
        let answer = self.answer(who, met, text);
        if answer == Err(KafkaError::TimedOut) {
            self.transactional(who).stage = Stage::Failed;
        }
        answer
    }

    pub(in crate::harness) fn send_offsets(
        &mut self,
        who: usize,
        met: &Met,
        next: NextOffset,
    ) -> Result<(), KafkaError> {
        let call = Call::SendOffsets(next);
        self.admit(who, met, call)?;
        // One that never joined sends offsets of no member, which nobody checks: none is here.
        let generation = self.processes[who].generation.unwrap_or_default();
        let own = self.transactional(who);
        own.sent = true;
        own.unsent_offsets = Some((generation, next));
        if met.chosen == Some(Action::RequestLost) {
            return Err(self.lose_request(met, call));
        }
        self.offsets_arrive(who, met, call)?;
        let text = format!("Offset {} is sent to the transaction", next.0);
        self.answer(who, met, text)
    }

    /// The offsets that the client has still to send are at the group's coordinator.
    fn offsets_arrive(&mut self, who: usize, met: &Met, call: Call<'_>) -> Result<(), KafkaError> {
        let own = self.transactional(who);
        let identity = own.identity;
        let Some((generation, next)) = own.unsent_offsets.take() else {
            return Ok(());
        };
        let taken = self.broker.send_offsets(identity, generation, next);
        match self.stored(who, taken)? {
            Offsets::Pending => Ok(()),
            Offsets::Fenced => Err(self.fence(who, met, call)),
            Offsets::OfAnotherMember => {
                self.reach(Situation::CommitRefused);
                let told = format!(
                    "{}: the offset is refused, for the partition belongs to another member.",
                    called(call)
                );
                self.fail_transaction(who, met, &told);
                Err(KafkaError::CommitFailed)
            }
        }
    }

    pub(in crate::harness) fn end_transaction(
        &mut self,
        who: usize,
        met: &Met,
        outcome: Outcome,
    ) -> Result<(), KafkaError> {
        let call = Call::EndTransaction(outcome);
        self.admit(who, met, call)?;
        self.commit_arrives(who)?;
        if outcome == Outcome::Commit {
            self.offsets_arrive(who, met, call)?;
        }
        let own = self.transactional(who);
        own.unsent_offsets = None;
        if !own.sent {
            own.stage = Stage::Ready;
            self.tell(met, format!("{}: nothing was sent.", called(call)));
            return Ok(());
        }
        own.stage = Stage::Ending(outcome);
        let identity = own.identity;
        if met.chosen == Some(Action::RequestLost) {
            own.unsent_end = true;
            return Err(self.lose_request(met, call));
        }
        let first = self.broker.end(identity, outcome);
        let Ok(mut goes_on) = self.stored(who, first)? else {
            return Err(self.fence(who, met, call));
        };
        let mut text = format!("{}: done", called(call));
        if met.chosen == Some(Action::Retried) {
            self.reach(Situation::AnswerLost);
            let second = self.broker.end(identity, outcome);
            match self.stored(who, second)? {
                Ok(known) => goes_on = known,
                Err(_) => return Err(self.fence(who, met, call)),
            }
            text += "; the answer is lost, the client sends it again, and learns of that";
        }
        self.answer(who, met, text)?;
        let own = self.transactional(who);
        own.identity = goes_on;
        (own.stage, own.sent, own.sequence) = (Stage::Ready, false, 0);
        Ok(())
    }

    /// The EndTxn that the client repeats reaches the coordinator. What is answered is learnt by the
    /// call that has to be made again.
    pub(super) fn end_arrives(&mut self, who: usize) -> Result<(), KafkaError> {
        let Some(own) = &mut self.processes[who].transactional else {
            return Ok(());
        };
        if !std::mem::take(&mut own.unsent_end) {
            return Ok(());
        }
        if let Stage::Ending(outcome) = own.stage {
            let identity = own.identity;
            let ended = self.broker.end(identity, outcome);
            // Not an answer to the process: that one repeats the request.
            let _ = self.stored(who, ended)?;
        }
        Ok(())
    }

    /// The next poll of `who` begins at `next`.
    pub(in crate::harness) fn seek(&mut self, who: usize, next: NextOffset) {
        let process = &mut self.processes[who];
        if process.position.is_some() {
            process.position = Some(next);
        }
    }

    /// Whoever fetches the committed offset waits for the transactions that offsets are pending in.
    pub(super) fn wait_for_stable_offsets(&mut self, who: usize) -> Result<(), KafkaError> {
        if !self.broker.offsets_are_unstable() {
            return Ok(());
        }
        let timed_out = self.broker.time_out();
        self.stored(who, timed_out)?;
        self.reach(Situation::TransactionEnded);
        let text = "The offset of an open transaction is pending: the transaction times out, and is \
                    aborted.";
        self.note(self.depth(), text);
        Ok(())
    }

    /// Nothing more comes: what is still open times out.
    pub(in crate::harness) fn settle(&mut self) -> Result<(), crate::lab::StorageError> {
        if self.broker.time_out()? {
            self.reach(Situation::TransactionEnded);
            self.note(0, "What is still open times out, and is aborted.");
        }
        Ok(())
    }
}

/// How the sentence about a call begins.
fn called(call: Call<'_>) -> String {
    match call {
        Call::InitTransactions => "Initialisation of the transactional id".into(),
        Call::BeginTransaction => "Begin of a transaction".into(),
        Call::Send(message) => format!("Send of r{}", message.id.0),
        Call::SendOffsets(next) => format!("Offset {} of the transaction", next.0),
        Call::EndTransaction(outcome) => format!("{} of the transaction", word(outcome)),
        Call::Poll | Call::Commit(_) | Call::CommitAsync(_) | Call::Point { .. } => call.label(),
    }
}
