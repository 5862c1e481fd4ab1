//! Who has which transactional id, from the start of a process to what is left of it, and the form in
//! which that is kept.

use super::{Cluster, State};
use crate::limbo::Late;
use crate::limits::MAX_INSTANCES;
use crate::output;
use crate::output::producer::OutputProducer;
use crate::pipeline::TransactionalId;
use crate::transaction_coordinator::{
    CoordinatorAnswer, Outcome, Part, Phase as TransactionPhase, Transaction, TransactionVersion,
};

impl Cluster {
    /// A process starts: initTransactions().
    pub(super) fn start_output_producer(&self, state: &mut State, who: u16) {
        let runs = state.consumers[usize::from(who)].is_running();
        match self.pipeline.consumer.output.transactional_id {
            _ if runs || !self.has_transactions() => {}
            TransactionalId::Stable => self.initialize_id(state, who),
            // Its id is new, or comes with the partition.
            TransactionalId::PerStart | TransactionalId::PerPartition => {}
        }
    }

    /// `who` gets the partition, and with it its transactional id.
    pub(super) fn take_output_id_over(&self, state: &mut State, who: u16) {
        match self.pipeline.consumer.output.transactional_id {
            TransactionalId::PerPartition if self.has_transactions() => {
                self.initialize_id(state, who);
            }
            TransactionalId::Stable | TransactionalId::PerStart | TransactionalId::PerPartition => {
            }
        }
    }

    /// InitProducerId, until it is answered with an epoch: what is open is aborted first, and what is
    /// being committed is waited for.
    fn initialize_id(&self, state: &mut State, who: u16) {
        let (id, rules) = (self.id_of(who), self.pipeline.rules.transactions);
        self.resume_prepared(state, who);
        self.write_commit_markers(state, id);
        self.forget_late_results(state, id);
        let initialize = |own: &mut Transaction| own.initialize(None, &rules);
        let answer = self.coordinate(state, id, initialize);
        if answer == CoordinatorAnswer::ConcurrentTransactions {
            self.write_abort_markers(state, id);
            self.coordinate(state, id, initialize);
        }
        let epoch = self.transaction(state, id).epoch;
        self.output_producer_mut(state, who).epoch = epoch;
        self.take_output_epoch(state, who);
    }

    /// A process that ends leaves its transaction to whoever has its id next; one whose id was that of
    /// the process, to the coordinator. There it counts as timed out at once where more of them were
    /// left than a state holds: each but makes the reader wait.
    pub(super) fn leave_transaction(&self, state: &mut State, who: u16) {
        let per_start = self.pipeline.consumer.output.transactional_id == TransactionalId::PerStart;
        if !self.has_transactions() || !per_start {
            return;
        }
        let id = self.id_of(who);
        let room = usize::from(self.limits.transactional_ids);
        let is_full = self.output(state).transactions.len() == room;
        match self.transaction(state, id).phase {
            TransactionPhase::Ongoing if is_full => self.time_out(state, id),
            TransactionPhase::Prepared(_) if is_full => self.write_commit_markers(state, id),
            TransactionPhase::Ongoing | TransactionPhase::Prepared(_) => {
                self.orphan_id(state, id);
                return;
            }
            TransactionPhase::Unknown | TransactionPhase::Empty | TransactionPhase::Complete(_) => {
            }
        }
        self.forget_calls(state, id);
        *self.transaction(state, id) = output::initialised();
    }

    fn orphan_id(&self, state: &mut State, id: u16) {
        let orphan = self.output(state).orphan(id);
        let ids = state
            .limbo
            .requests
            .iter_mut()
            .filter_map(Late::output_id_mut);
        ids.filter(|own| **own == id).for_each(|own| *own = orphan);
    }

    /// Ids of processes that are gone are forgotten with the end of their transaction.
    pub(super) fn forget_ended_ids(&self, state: &mut State) {
        let used = output::ids(&self.pipeline);
        let mut id = self.output(state).transactions.len() as u16;
        while id > used {
            id -= 1;
            if let TransactionPhase::Complete(_) = self.transaction(state, id).phase {
                self.output(state).forget_id(id);
                self.forget_calls(state, id);
                for own in state
                    .limbo
                    .requests
                    .iter_mut()
                    .filter_map(Late::output_id_mut)
                {
                    *own -= u16::from(*own > id);
                }
            }
        }
    }

    /// Whether the output producer of a process that is to join again is not like a new one.
    pub(super) fn needs_output_producer(&self, state: &State, who: u16) -> bool {
        let id = self.id_of(who);
        let is_own = |late: &Late| {
            late.output_id() == Some(id) || matches!(late, Late::Result { by, .. } if *by == who)
        };
        // A new one would wait until the end of its id's last transaction is written.
        let ends = || {
            let transaction = self.transaction_of(state, who);
            transaction.markers().next().is_some()
        };
        self.has_output()
            && (self.output_producer(state, who).is_busy()
                || self.has_used_client(state, who)
                || self.has_transactions() && ends()
                || state.limbo.requests.iter().any(is_own))
    }

    /// The output producer of a process that is to join again is like a new one.
    pub(super) fn forget_output_producer(&self, state: &mut State, who: u16) {
        if self.has_output() {
            *self.output_producer_mut(state, who) = OutputProducer::default();
        }
    }

    /// The canonical form of what is kept of transactions: epochs are only compared with the current
    /// one, and what can no longer be taken is gone.
    pub(super) fn normalize_transactions(&self, state: &mut State) {
        if !self.has_transactions() {
            return;
        }
        let ids = self.output(state).transactions.len() as u16;
        if self.output_topic().is_some() {
            self.forget_ended_transactions(state);
            return;
        }
        for id in 0..ids {
            let mut has: [bool; MAX_INSTANCES] = [false; MAX_INSTANCES];
            for who in self.everyone() {
                has[usize::from(who)] = self.id_of(who) == id && self.has_id(state, who);
            }
            self.normalize_epochs(state, id, has);
        }
    }

    /// Whether `who`'s producer may call with its transactional id, as it is. One that comes with the
    /// partition is initialised anew when that does.
    pub(super) fn has_id(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        match self.pipeline.consumer.output.transactional_id {
            TransactionalId::Stable | TransactionalId::PerStart => consumer.is_running(),
            TransactionalId::PerPartition => {
                consumer.reads() || self.waits_for_its_offset(state, who)
            }
        }
    }

    /// `has`: the consumers whose producer may call with this id.
    fn normalize_epochs(&self, state: &mut State, id: u16, has: [bool; MAX_INSTANCES]) {
        let limbo = self.limits.limbo;
        let ids = self.pipeline.consumer.output.transactional_id;
        let is_shared = ids == TransactionalId::PerPartition;
        let output = self.output(state);
        let transaction = &mut output.transactions[usize::from(id)];
        transaction.last_epoch = None;
        let current = transaction.epoch;
        let prepared = output.prepared.get(usize::from(id)).copied().flatten();
        let mut most = 0;
        let mut gaps = [0; MAX_INSTANCES];
        let mut open = false;
        for (who, producer) in output.producers.iter().enumerate() {
            if has[who] {
                gaps[who] = (current - producer.epoch).min(2);
                most = most.max(gaps[who]);
                open |= producer.open;
            }
        }
        transaction.epoch = most;
        if prepared.is_some() {
            // A commit of another epoch is refused.
            output.prepared[usize::from(id)] = prepared.filter(|own| *own == current).map(|_| most);
        }
        // Under version 1 an abort that has just been repeated may have been sent before.
        let first = self.pipeline.rules.transactions.version == TransactionVersion::One;
        let aborted = transaction.phase == TransactionPhase::Complete(Outcome::Abort);
        let is_sent_twice = first && limbo > 0 && aborted && has.contains(&true);
        if let TransactionPhase::Complete(_) = transaction.phase
            && !open
            && !is_sent_twice
        {
            transaction.phase = TransactionPhase::Empty;
        }
        for (who, producer) in output.producers.iter_mut().enumerate() {
            if has[who] {
                producer.epoch = most - gaps[who];
            } else if is_shared {
                producer.epoch = 0;
            }
        }
    }

    /// A transaction is ended from outside with markers of a higher epoch: where they are written, what
    /// is late and has the epoch before is refused.
    pub(super) fn forget_late_results(&self, state: &mut State, id: u16) {
        let transaction = *self.transaction(state, id);
        if transaction.can_time_out() && transaction.added.contains(Part::Output) {
            let is_own =
                |late: &Late| matches!(late, Late::Result { by, .. } if self.id_of(*by) == id);
            state.limbo.retain(|late| !is_own(late));
        }
    }
}
