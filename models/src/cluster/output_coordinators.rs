//! The transaction coordinator of output producers moves to another broker.
//!
//! **Modelled** (`TransactionStateManager.loadTransactionsForTxnTopicPartition`, `TransactionLog`,
//! `ReplicaManager.handleProduceAppend` and `AddPartitionsToTxnManager` of Kafka 4.x; `TransactionManager` of
//! the Java client). The new coordinator reads the transaction log, in which is whatever was ever answered:
//! an open transaction goes on, with the time that it has left, and what is prepared is completed. Calls
//! are answered NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS or not at all, and made again: that is as if
//! they, or their answers, had been lost, which changes nothing (`output_faults`). Three things are left
//! undone:
//!
//! - A marker that the old one had written and had not noted, or that waits for its replicas, is written
//!   again. Until that is noted the id is prepared, so that nothing is added to its next transaction; what
//!   comes late is ended by the second marker, if it comes between the two. The partition knows the new
//!   coordinator by its epoch, and refuses what the old one sends after that.
//! - A leader that asks the coordinator before the first append of a transaction (KIP-890) refuses it with
//!   NOT_ENOUGH_REPLICAS, which takes one of its retries; it remembers the number that it asked with, and
//!   what is in flight behind is out of order (`VerificationStateEntry`). The group coordinator asks, too, and its answer is
//!   repeated until it is another one.
//! - Under version 1 a client whose result failed asks for another epoch once it has aborted, and says which
//!   one it has (KIP-360). If that was written and not answered, the new coordinator does not know the
//!   epoch before: it is not in the log (`TransactionLog.readTxnRecordValue`, up to 4.3; KAFKA-20357 writes
//!   it), the repeat is answered PRODUCER_FENCED, and the process ends. Its application waits for the
//!   epoch in abortTransaction(), so that it has not gone on by then.
//!
//! **Which ids.** Each id has its partition of the transaction log, and two may have the same: what is left
//! undone of one, or of every one, is a strike of its own. Of two markers that are not noted one tells all:
//! where both end something late, the one that comes last decides.
//!
//! **Left out.** That a late request about a transaction comes to a broker that is no longer its coordinator,
//! and is refused: as if it had been lost. A group coordinator that moves with the transaction coordinator,
//! where they were one broker: the fault moves one of them.

use super::{Cluster, State};
use crate::action::{Action, Strike, Target, Unfinished};
use crate::consumer::Phase;
use crate::fault::Fault;
use crate::output::log::OutputLog;
use crate::producer::Answer;
use crate::program::OutputStep;
use crate::transaction_coordinator::{Part, Phase as TransactionPhase};

impl Cluster {
    /// Adds the moves of the coordinator, with what is left undone.
    pub(super) fn output_failovers(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if !self.has_transactions() {
            return;
        }
        let mut add = |unfinished| add(Strike::OutputCoordinatorFailover(unfinished));
        let asked: Vec<u16> = self
            .everyone()
            .filter(|who| self.is_asked_about(state, *who))
            .collect();
        each_or_all(&asked).for_each(|of| add(Unfinished::Question { of }));
        let raised: Vec<u16> = self
            .everyone()
            .filter(|who| self.awaits_epoch(state, *who))
            .collect();
        each_or_all(&raised).for_each(|of| add(Unfinished::Epoch { of }));
        let transactions = state
            .output
            .iter()
            .flat_map(|output| output.transactions.iter());
        for (id, transaction) in (0..).zip(transactions) {
            for marker in transaction.markers() {
                let part = marker.part;
                if part != Part::Output || self.has_output_marker(state, id) {
                    add(Unfinished::Marker { id, part });
                }
            }
        }
    }

    /// The coordinator moves.
    pub(super) fn fail_output_transactions_over(&self, state: &mut State, unfinished: Unfinished) {
        match unfinished {
            Unfinished::Question { of } => {
                for who in self.everyone().filter(|who| of.is_none_or(|of| of == *who)) {
                    if self.is_asked_about(state, who) {
                        self.transaction(state, self.id_of(who)).last_epoch = None;
                        self.strike(state, Strike::Refuse(Target::Result(who)));
                        self.refuse_behind_a_question(state, who);
                    }
                }
            }
            Unfinished::Epoch { of } => {
                for who in self.everyone().filter(|who| of.is_none_or(|of| of == *who)) {
                    if self.awaits_epoch(state, who) {
                        self.forget_epoch(state, who);
                    }
                }
            }
            Unfinished::Marker { id, part } => self.leave_marker_unnoted(state, id, part),
        }
    }

    /// Whether what the client in the turned state sends now would be out of order until it has heard that a
    /// request was refused. That a refusal of another kind comes before the client sends is as if it came
    /// behind.
    pub(super) fn sends_behind_a_question(&self, turned: &State) -> bool {
        let mut flights = turned.producer.flights.iter();
        self.limits.forgets_questions && flights.any(|flight| flight.answer == Answer::Refused)
    }

    /// The leader remembers the number that it asked with: what is in flight behind is out of order.
    fn refuse_behind_a_question(&self, state: &mut State, who: u16) {
        self.in_output(state, who, |_, state| {
            for flight in state.producer.flights.iter_mut() {
                if flight.answer == Answer::None {
                    flight.answer = Answer::OutOfOrder;
                }
            }
        });
    }

    /// Whether a leader of the output topic asks the coordinator about `who`'s next result: it has none of
    /// its transaction yet.
    fn is_asked_about(&self, state: &State, who: u16) -> bool {
        if !self.pipeline.rules.transactions.leaders_ask() {
            return false;
        }
        let Some((topic, turned)) = self.output_topic().zip(self.turned_output(state, who)) else {
            let sends = !self.output_producer(state, who).sends.is_empty();
            let sends = sends || self.output_call(state, who) == Some(OutputStep::Produce);
            let added = self.transaction_of(state, who).added;
            return sends && !self.waits_for_markers(state, who) && !added.contains(Part::Output);
        };
        let Some(first) = turned.producer.first_unhandled() else {
            return false;
        };
        let flight = &turned.producer.flights[first];
        let leader = turned
            .replication
            .as_deref()
            .and_then(|own| own.controller.leader);
        let leader = leader.filter(|leader| *leader == flight.to);
        let replicas = turned.replication.as_deref().zip(leader);
        topic.pipeline.producer.is_transactional()
            && replicas.is_some_and(|(own, leader)| !own.replica(leader).broker.is_open(who))
    }

    /// Whether `who`'s client has asked for another epoch, and its application has not gone on.
    fn awaits_epoch(&self, state: &State, who: u16) -> bool {
        let is_raised = || {
            let client = self.output_client(state, who);
            client.is_none_or(|client| !client.raises)
        };
        let is_running = state.consumers[usize::from(who)].phase != Phase::Down;
        self.output_producer(state, who).awaits_epoch && is_running && is_raised()
    }

    /// The epoch that `who`'s client was given is in the log, and the one before is not.
    fn forget_epoch(&self, state: &mut State, who: u16) {
        let id = self.id_of(who);
        self.transaction(state, id).last_epoch = None;
        self.crash(state, who);
    }

    /// Whether a marker lies in the output topic that is not noted, or can be written there.
    fn has_output_marker(&self, state: &State, id: u16) -> bool {
        let waits = |log: &OutputLog| log.replicating[usize::from(id)].is_some();
        self.log(state).is_some_and(waits) || self.writes_output_marker(state, id)
    }

    fn leave_marker_unnoted(&self, state: &mut State, id: u16, part: Part) {
        self.transaction(state, id).last_epoch = None;
        let TransactionPhase::Prepared(outcome) = self.transaction(state, id).phase else {
            return;
        };
        if part == Part::Output && self.output_topic().is_some() {
            self.append_output_marker(state, id);
            if let Some(log) = self.log_mut(state) {
                log.replicating[usize::from(id)] = None;
            }
        } else {
            self.end_part(state, id, part, outcome);
        }
    }

    /// The application of a consumer that does something no longer waits for the epoch of its client.
    pub(super) fn go_on_after_epoch(&self, state: &mut State, action: Action) {
        if !self.limits.forgets_epochs {
            return;
        }
        let who = match action {
            Action::Consumer { who, .. } => Some(who),
            Action::Fault { strike, .. } => busy_with(strike),
            _ => None,
        };
        if let Some(who) = who {
            self.output_producer_mut(state, who).awaits_epoch = false;
        }
    }

    /// Nobody asks for an epoch in vain once no coordinator moves any more.
    pub(super) fn forget_awaited_epochs(&self, state: &mut State) {
        let moves = |fault| fault == Fault::CoordinatorFailover;
        let is_over = !self
            .budget
            .has_any_left(&state.left, state.left_in_all, moves);
        if self.limits.forgets_epochs && is_over {
            for who in self.everyone() {
                self.output_producer_mut(state, who).awaits_epoch = false;
            }
        }
    }
}

/// Each of them apart, and all of them at once.
fn each_or_all(those: &[u16]) -> impl Iterator<Item = Option<u16>> {
    let all = (those.len() > 1).then_some(None);
    those.iter().copied().map(Some).chain(all)
}

/// The consumer whose application was doing something when it was struck.
fn busy_with(strike: Strike) -> Option<u16> {
    match strike {
        Strike::Consumer { who, .. } => Some(who),
        Strike::LoseRequest(target)
        | Strike::LoseAnswer(target)
        | Strike::Refuse(target)
        | Strike::Delay(target) => match target {
            Target::Commit(who)
            | Target::LeavingCommit(who)
            | Target::FailedWrite(who)
            | Target::Result(who)
            | Target::Offsets(who) => Some(who),
            Target::Produce
            | Target::ProduceToOther
            | Target::BackgroundCommit(_)
            | Target::EndTransaction(_)
            | Target::Start(_)
            | Target::Add(..)
            | Target::Coordinator(_)
            | Target::Repeated(_) => None,
        },
        Strike::ExpireResult { who, .. } => Some(who),
        _ => None,
    }
}
