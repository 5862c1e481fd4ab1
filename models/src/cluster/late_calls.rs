//! Calls of output producers about their transactions that come late: when one becomes late, what it does when it
//! arrives, and when it is refused for ever ([`crate::limbo::TransactionCall`]).
//!
//! A late call is told at a moment from which on it can come: its first request is still on the way, and its
//! repetition did the work. Under transaction version 2 an end raises the epoch, so that of what is late only an
//! InitProducerId, which says no epoch, is ever taken.

use super::{Cluster, State};
use crate::action::{Strike, Target};
use crate::limbo::{Late, TransactionCall};
use crate::offset::Position;
use crate::output;
use crate::program::OutputStep;
use crate::transaction_coordinator::{
    Outcome, Part, Phase as TransactionPhase, Transaction, TransactionVersion,
};

impl Cluster {
    /// Adds the calls of `who`'s output producer whose first request is still on its way, their repetition having
    /// done the work: each at a moment from which on it can come.
    pub(super) fn late_calls(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        let producer = self.output_producer(state, who);
        let transaction = self.transaction_of(state, who);
        let is_current = self.has_id(state, who) && !transaction.has_fenced(producer.epoch);
        if is_current && !producer.open && transaction.phase == TransactionPhase::Empty {
            add(Strike::Delay(Target::Start(who)));
        }
        let first = self.pipeline.rules.transactions.version == TransactionVersion::One;
        if is_current && first && transaction.can_time_out() {
            for part in transaction.added.iter() {
                add(Strike::Delay(Target::Add(who, part)));
            }
        }
    }

    /// Adds the abort of `who`'s last transaction, whose first request is still on its way.
    pub(super) fn late_aborts(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        let ends = self.output_call(state, who) == Some(OutputStep::End);
        if !ends && self.has_just_aborted(state, who) {
            add(Strike::Delay(Target::EndTransaction(who)));
        }
    }

    /// Whether the request that aborted `who`'s last transaction may turn out to be late.
    pub(super) fn may_abort_late(&self, state: &State, who: u16) -> bool {
        let late = Strike::Delay(Target::EndTransaction(who));
        self.limits.limbo > 0
            && self.has_just_aborted(state, who)
            && self.budget.payer(state, late).is_some()
    }

    /// Whether `who`'s last transaction was aborted and it has not begun another one, so that the
    /// request that aborted it may have been sent twice.
    fn has_just_aborted(&self, state: &State, who: u16) -> bool {
        let Some(output) = &state.output else {
            return false;
        };
        let id = output::id_of(who, &self.pipeline);
        let transaction = output.transactions[usize::from(id)];
        let first = self.pipeline.rules.transactions.version == TransactionVersion::One;
        let is_running = state.consumers[usize::from(who)].is_running();
        first
            && is_running
            && !self.output_producer(state, who).open
            && !transaction.has_fenced(self.output_producer(state, who).epoch)
            && transaction.phase == TransactionPhase::Complete(Outcome::Abort)
    }

    /// A call of `who`'s output producer is late.
    pub(super) fn delay_call(&self, state: &mut State, who: u16, call: TransactionCall) {
        let id = output::id_of(who, &self.pipeline);
        state.limbo.add(Late::Call { id, call });
    }

    /// Offsets sent to a transaction are held up, and sent again. Under version 1 the client sends them
    /// once AddOffsetsToTxn has been answered (`TransactionManager`), so the coordinator knows of them
    /// by then, and the end of the transaction reaches them. Under version 2 there is no such request:
    /// the group coordinator adds them when it handles TxnOffsetCommit, as it does for the copy that is
    /// sent again, and the epoch of one that comes later is an old one.
    pub(super) fn delay_offsets(&self, state: &mut State, who: u16) {
        let are_added = match self.limits.ends_between {
            true => self.offsets_are_added(state, who),
            false => self.add_part(state, who, Part::Offsets),
        };
        if self.pipeline.rules.transactions.version == TransactionVersion::Two || !are_added {
            return;
        }
        let scope = self.operation(state, who).scope;
        let consumer = &state.consumers[usize::from(who)];
        let metadata = self.pipeline.consumer.output.group_metadata;
        let offsets = TransactionCall::Offsets {
            position: consumer.covered(scope, &self.pipeline),
            generation: metadata.then_some(consumer.generation),
        };
        self.delay_call(state, who, offsets);
    }

    /// The end of a transaction is held up, and sent again.
    pub(super) fn delay_end(&self, state: &mut State, who: u16) {
        let output = self.output(state);
        let id = output::id_of(who, &self.pipeline);
        let transaction = output.transactions[usize::from(id)];
        let outcome = match transaction.phase {
            TransactionPhase::Complete(outcome) if !output.producers[usize::from(who)].open => {
                outcome
            }
            TransactionPhase::Unknown
            | TransactionPhase::Empty
            | TransactionPhase::Ongoing
            | TransactionPhase::Prepared(_)
            | TransactionPhase::Complete(_) => Outcome::Commit,
        };
        let sends = outcome == Outcome::Abort
            || output.producers[usize::from(who)].open
                && (transaction.added.contains(Part::Output)
                    || transaction.added.contains(Part::Offsets));
        if sends && self.pipeline.rules.transactions.version == TransactionVersion::One {
            self.delay_call(state, who, TransactionCall::End(outcome));
        }
    }

    /// A late call of an output producer arrives.
    pub(super) fn late_call_arrives(&self, state: &mut State, id: u16, call: TransactionCall) {
        match call {
            TransactionCall::Start => self.late_start_arrives(state, id),
            TransactionCall::Add(part) => {
                let transaction = self.transaction(state, id);
                transaction.add(transaction.epoch, part);
            }
            TransactionCall::Offsets {
                position,
                generation,
            } => self.late_offsets_arrive(state, id, position, generation),
            TransactionCall::End(outcome) => self.late_end_arrives(state, id, outcome),
        }
    }

    /// InitProducerId of a process that had started before arrives: whoever has the id is fenced, and its
    /// transaction is aborted.
    fn late_start_arrives(&self, state: &mut State, id: u16) {
        let rules = self.pipeline.rules.transactions;
        self.forget_late_results(state, id);
        self.coordinate(state, id, |own| own.initialize(None, &rules));
        self.write_abort_markers(state, id);
        self.forget_ended_ids(state);
    }

    /// Offsets of a transaction that are late arrive: they are taken as those of the transaction that
    /// is open, if it has the epoch and added offsets (KIP-890, from 3.7). Before, they are taken at any
    /// time, and are pending until another transaction of the id ends.
    pub(super) fn late_offsets_arrive(
        &self,
        state: &mut State,
        id: u16,
        position: Position,
        generation: Option<u16>,
    ) {
        let transaction = *self.transaction(state, id);
        let open = self.takes_late_offsets(&transaction);
        let open = open || !self.pipeline.consumer.output.offsets_are_verified;
        let member = !self.pipeline.subscribes()
            || generation.is_none_or(|own| own == state.group.generation);
        if open && member {
            self.output(state).add_offsets(id, position);
        }
    }

    /// An EndTxn that is late arrives: under version 1 it ends the transaction that is open.
    pub(super) fn late_end_arrives(&self, state: &mut State, id: u16, outcome: Outcome) {
        let version = self.version();
        let Transaction { epoch, .. } = *self.transaction(state, id);
        if self.transaction(state, id).can_time_out() {
            self.coordinate(state, id, |own| own.end(epoch, outcome, version));
            self.write_abort_markers(state, id);
        }
        self.forget_ended_ids(state);
    }

    /// Whether `who`'s AddOffsetsToTxn has been answered, and its TxnOffsetCommit not been sent: kept where a late
    /// EndTxn may come between the two.
    pub(super) fn offsets_are_added(&self, state: &State, who: u16) -> bool {
        self.output_producer(state, who).offsets_added
    }

    /// Whether the group coordinator takes the offsets that `who` sends in what it takes for its transaction: it
    /// asks for that (KIP-890), or knows a higher epoch from a marker.
    pub(super) fn takes_offsets(&self, state: &State, who: u16) -> bool {
        let transaction = self.transaction_of(state, who);
        let is_fenced = transaction.has_fenced(self.output_producer(state, who).epoch);
        let is_marked = is_fenced && transaction.phase != TransactionPhase::Empty;
        let is_open = !is_fenced && self.takes_late_offsets(&transaction);
        is_open || !is_marked && !self.pipeline.consumer.output.offsets_are_verified
    }

    /// The marker that ends a transaction with offsets tells the group coordinator of a higher epoch: offsets that
    /// its client has not sent are refused for ever, or gone with the marker.
    pub(super) fn refuse_offsets(&self, state: &mut State, id: u16) {
        for who in self.everyone().filter(|who| self.id_of(*who) == id) {
            self.output_producer_mut(state, who).offsets_added = false;
        }
    }

    fn takes_late_offsets(&self, transaction: &Transaction) -> bool {
        transaction.can_time_out() && transaction.added.contains(Part::Offsets)
    }

    /// Late calls that carry an epoch which is not in force any more.
    pub(super) fn forget_fenced_calls(&self, state: &mut State, id: u16) {
        state.limbo.retain(|late| match late {
            Late::Call { id: own, call } => *own != id || !call.is_fenced(),
            _ => true,
        });
    }

    /// Offsets that are late and refused whenever they come: the group coordinator asks for their transaction,
    /// or has had a marker of a higher epoch.
    pub(super) fn forget_fenced_offsets(&self, state: &mut State, id: u16) {
        state
            .limbo
            .retain(|late| late.output_id() != Some(id) || !late.is_for_the_group());
    }

    /// Nobody calls with the id any more.
    pub(super) fn forget_calls(&self, state: &mut State, id: u16) {
        state.limbo.retain(|late| late.output_id() != Some(id));
    }
}
