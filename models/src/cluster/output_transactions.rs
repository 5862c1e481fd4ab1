//! Transactions of output producers: beginning, offsets, end, and what ends them from outside.

use super::{Cluster, State};
use crate::action::{Action, TransactionStep};
use crate::consumer::Phase;
use crate::limbo::Late;
use crate::limits::MAX_INSTANCES;
use crate::offset::{NextOffset, Position};
use crate::output::producer::OutputProducer;
use crate::output::{self, Output, Unseen};
use crate::pipeline::{OnAbort, TransactionalId};
use crate::program::{Operation, Scope, Within};
use crate::transaction_coordinator::{
    CoordinatorAnswer, Outcome, Part, Phase as TransactionPhase, Transaction, TransactionVersion,
};

impl Cluster {
    fn has_transactions(&self) -> bool {
        self.limits.transactional_ids > 0
    }

    fn version(&self) -> TransactionVersion {
        self.pipeline.rules.transactions.version
    }

    fn id_of(&self, who: u16) -> u16 {
        output::id_of(who, &self.pipeline)
    }

    fn transaction<'a>(&self, state: &'a mut State, id: u16) -> &'a mut Transaction {
        &mut self.output(state).transactions[usize::from(id)]
    }

    fn transaction_of(&self, state: &State, who: u16) -> Transaction {
        let output = state.output.as_ref();
        output.expect("a design with transactions").transactions[usize::from(self.id_of(who))]
    }

    /// Whether the next call of `who` is answered CONCURRENT_TRANSACTIONS, for the markers of its
    /// last transaction are not written yet.
    pub(super) fn waits_for_markers(&self, state: &State, who: u16) -> bool {
        self.has_transactions() && {
            let transaction = self.transaction_of(state, who);
            let current = !transaction.has_fenced(self.output_producer(state, who).epoch);
            matches!(transaction.phase, TransactionPhase::Prepared(_)) && current
        }
    }

    /// Adds a part to `who`'s transaction; whether the coordinator takes it.
    fn add_part(&self, state: &mut State, who: u16, part: Part) -> bool {
        let epoch = self.output_producer(state, who).epoch;
        let added = self.transaction(state, self.id_of(who)).add(epoch, part);
        if added != CoordinatorAnswer::Done {
            return false;
        }
        self.output_producer_mut(state, who).open = true;
        true
    }

    /// Whether a result can be appended: always without transactions. A producer that was fenced
    /// aborts and goes on where it can, and ends otherwise.
    ///
    /// Produce is answered INVALID_PRODUCER_EPOCH, which can be aborted; the abort of a transaction
    /// that has timed out is taken as a repeat under version 2, and refused under version 1
    /// (PRODUCER_FENCED), where AddPartitionsToTxn already was.
    pub(super) fn admits_result(&self, state: &mut State, who: u16) -> bool {
        if !self.has_transactions() || self.add_part(state, who, Part::Output) {
            return true;
        }
        self.output_producer_mut(state, who).open = true;
        self.abort_or_end(state, who);
        false
    }

    /// The same for results that nobody waits for: the end of the transaction shows that they failed.
    pub(super) fn admits_batch(&self, state: &mut State, who: u16) -> bool {
        if !self.has_transactions() || self.add_part(state, who, Part::Output) {
            return true;
        }
        let producer = self.output_producer_mut(state, who);
        producer.sends.truncate(0);
        producer.failed = true;
        producer.open = true;
        false
    }

    /// A call of the output producer failed, so the transaction is aborted; what the application then
    /// does is its `on-abort`. A producer that cannot even abort is of no use any more.
    pub(super) fn abort_or_end(&self, state: &mut State, who: u16) {
        if self.abort_what_is_open(state, who) {
            self.after_abort(state, who);
        } else {
            self.crash(state, who);
        }
    }

    /// Aborts the transaction of `who`, if there is one; whether it could. The abort is one step with
    /// its markers.
    pub(super) fn abort_what_is_open(&self, state: &mut State, who: u16) -> bool {
        if !self.has_transactions() {
            return true;
        }
        let producer = self.output_producer_mut(state, who);
        producer.sends.truncate(0);
        (producer.attempts, producer.appended, producer.failed) = (0, false, false);
        if !std::mem::take(&mut producer.open) {
            return true;
        }
        let (id, epoch, version) = (self.id_of(who), producer.epoch, self.version());
        let transaction = self.transaction(state, id);
        let answer = transaction.end(epoch, Outcome::Abort, version);
        let aborted = match answer {
            CoordinatorAnswer::Done | CoordinatorAnswer::ConcurrentTransactions => true,
            CoordinatorAnswer::ProducerFenced
            | CoordinatorAnswer::InvalidTransactionState
            | CoordinatorAnswer::InvalidProducerIdMapping
            | CoordinatorAnswer::TransactionAbortable => false,
        };
        let epoch = transaction.epoch;
        self.write_abort_markers(state, id);
        if aborted {
            self.output_producer_mut(state, who).epoch = epoch;
        }
        aborted
    }

    /// What the application does once it has aborted its transaction.
    pub(super) fn after_abort(&self, state: &mut State, who: u16) {
        if state.consumers[usize::from(who)].phase != Phase::Handling {
            return;
        }
        match self.pipeline.consumer.output.on_abort {
            OnAbort::Seek => self.seek_after_abort(state, who),
            OnAbort::Continue => self.go_on_after_abort(state, who),
        }
    }

    /// The consumer seeks to the committed offset, or to the one that the application saved; with
    /// neither, to the first record that it has in hand.
    fn seek_after_abort(&self, state: &mut State, who: u16) {
        let saved = state.sink.saved;
        let saved = saved.filter(|_| self.pipeline.consumer.seek_on_assign);
        let committed = saved.map(Position::bare).or(state.group.committed);
        let consumer = &mut state.consumers[usize::from(who)];
        let first = Position::bare(NextOffset(consumer.first));
        let back = consumer.reassigned.take().or(committed).unwrap_or(first);
        consumer.drop_hand();
        consumer.seek(back);
    }

    /// The application goes on with the next record, or with the next poll where the transaction is
    /// about a whole one.
    fn go_on_after_abort(&self, state: &mut State, who: u16) {
        let scope = self.transaction_scope(state, who);
        let consumer = &mut state.consumers[usize::from(who)];
        consumer.attempts = 0;
        consumer.operation = match scope {
            Scope::Record { last, .. } => last as u16,
            Scope::Poll => {
                consumer.cursor = 0;
                self.program.operations.len() as u16 - 1
            }
        };
        consumer.advance(&self.program);
    }

    /// The transaction at hand is begun again, without what is skipped by now.
    pub(super) fn begin_transaction_again(&self, state: &mut State, who: u16, begin: usize) {
        if state.consumers[usize::from(who)].phase != Phase::Handling {
            return;
        }
        let scope = self.transaction_scope(state, who);
        let consumer = &mut state.consumers[usize::from(who)];
        consumer.operation = begin as u16;
        consumer.looked = None;
        if scope == Scope::Poll {
            consumer.cursor = 0;
        }
    }

    /// Over what the transaction at hand runs: each record of a poll, or the poll.
    fn transaction_scope(&self, state: &State, who: u16) -> Scope {
        let operation = self.operation(state, who);
        let begin = operation.transaction_begin();
        let is_end = |other: &&Operation| matches!(other.within, Within::EndOf { first } if Some(first) == begin);
        let end = self.program.operations.iter().find(is_end);
        end.unwrap_or(operation).scope
    }

    /// A result is appended within `who`'s transaction.
    pub(super) fn append_open(&self, state: &mut State, who: u16, record: u16) {
        let id = self.id_of(who);
        self.output(state).unseen.push(Unseen {
            record,
            id,
            committed: false,
        });
    }

    /// sendOffsetsToTransaction.
    pub(super) fn send_offsets(&self, state: &mut State, who: u16) {
        let scope = self.operation(state, who).scope;
        let covered = state.consumers[usize::from(who)].covered(scope, &self.pipeline);
        if !self.add_part(state, who, Part::Offsets) {
            // AddOffsetsToTxn and TxnOffsetCommit are answered PRODUCER_FENCED: nothing to abort with.
            self.crash(state, who);
            return;
        }
        if self.pipeline.consumer.output.group_metadata && !self.takes_commits_of(state, who) {
            // CommitFailedException: the transaction is aborted, and the consumer joins again.
            self.lose(state, who);
            return;
        }
        let id = self.id_of(who);
        self.output(state).add_offsets(id, covered);
        state.consumers[usize::from(who)].advance(&self.program);
    }

    /// commitTransaction.
    pub(super) fn end_transaction(&self, state: &mut State, who: u16) {
        if self.output_producer(state, who).failed {
            self.abort_or_end(state, who);
            return;
        }
        if self.output_producer(state, who).open {
            let epoch = self.output_producer(state, who).epoch;
            let (id, version) = (self.id_of(who), self.version());
            let transaction = self.transaction(state, id);
            let answer = transaction.end(epoch, Outcome::Commit, version);
            let epoch = transaction.epoch;
            if answer != CoordinatorAnswer::Done {
                // PRODUCER_FENCED, or INVALID_TXN_STATE after a timeout: fatal to the client.
                self.crash(state, who);
                return;
            }
            let producer = self.output_producer_mut(state, who);
            (producer.epoch, producer.open) = (epoch, false);
        }
        state.consumers[usize::from(who)].advance(&self.program);
    }

    /// Adds what the coordinator may do.
    pub(super) fn output_transaction_steps(&self, state: &State, actions: &mut Vec<Action>) {
        if !self.has_transactions() {
            return;
        }
        let Some(output) = &state.output else {
            return;
        };
        for (id, transaction) in output.transactions.iter().enumerate() {
            let id = id as u16;
            for marker in transaction.markers() {
                let does = TransactionStep::WriteMarker(marker.part);
                actions.push(Action::OutputTransaction { id, does });
            }
            if transaction.can_time_out() && !self.is_in_use(state, id) {
                let does = TransactionStep::TimeOut;
                actions.push(Action::OutputTransaction { id, does });
            }
        }
    }

    /// Whether a process that is alive, and does not stand still beyond its session, has this
    /// transaction open.
    pub(super) fn is_in_use(&self, state: &State, id: u16) -> bool {
        self.everyone().any(|who| {
            self.id_of(who) == id
                && self.output_producer(state, who).open
                && !self.is_zombie(state, who)
        })
    }

    /// The coordinator goes on with a transaction.
    pub(super) fn output_transaction_step(
        &self,
        state: &mut State,
        id: u16,
        does: TransactionStep,
    ) {
        match does {
            TransactionStep::TimeOut => self.time_out(state, id),
            TransactionStep::WriteMarker(part) => self.write_commit_marker(state, id, part),
        }
        self.forget_ended_ids(state);
    }

    /// `transaction.timeout.ms` passes.
    pub(super) fn time_out(&self, state: &mut State, id: u16) {
        let rules = self.pipeline.rules.transactions;
        self.forget_late_results(state, id);
        self.transaction(state, id).time_out(&rules);
        self.forget_late_ends(state, id);
        self.write_abort_markers(state, id);
        self.forget_ended_ids(state);
    }

    fn write_commit_marker(&self, state: &mut State, id: u16, part: Part) {
        self.transaction(state, id).marker_is_written(part);
        let output = self.output(state);
        match part {
            Part::Output => output.end_records(id, true),
            Part::Offsets => {
                if let Some(position) = output.take_offsets(id) {
                    state.group.committed = Some(position);
                }
            }
            Part::Input => {}
        }
        self.see_stable_results(state);
    }

    /// Every marker of an abort.
    fn write_abort_markers(&self, state: &mut State, id: u16) {
        let transaction = self.transaction(state, id);
        if transaction.phase != TransactionPhase::Prepared(Outcome::Abort) {
            return;
        }
        let added = transaction.added;
        for part in Part::ALL {
            transaction.marker_is_written(part);
        }
        let output = self.output(state);
        if added.contains(Part::Output) {
            output.end_records(id, false);
        }
        if added.contains(Part::Offsets) {
            output.drop_offsets(id);
        }
        self.see_stable_results(state);
    }

    fn see_stable_results(&self, state: &mut State) {
        while let Some(record) = self.output(state).next_stable() {
            self.see_result(state, record);
        }
    }

    /// Whether whoever gets the partition now learns where to read: no offset is pending. With an id
    /// that comes with the partition, its start ends what is open.
    pub(super) fn can_assign(&self, state: &State) -> bool {
        let ids = self.pipeline.consumer.output.transactional_id;
        let pending = |output: &Output| !output.pending.is_empty();
        !self.pipeline.consumer.output.offsets_are_awaited
            || ids == TransactionalId::PerPartition
            || !state.output.as_deref().is_some_and(pending)
    }

    /// Whether no output producer will ever abort and seek back: none is fenced, nothing has failed,
    /// and no request is late that could end a transaction.
    pub(super) fn ends_its_transactions(&self, state: &State) -> bool {
        let Some(output) = &state.output else {
            return true;
        };
        let is_sound = |who: u16| {
            let fenced = self.has_transactions() && {
                let epoch = output.producers[usize::from(who)].epoch;
                state.consumers[usize::from(who)].reads()
                    && self.transaction_of(state, who).has_fenced(epoch)
            };
            !fenced && !output.producers[usize::from(who)].failed
        };
        let is_end = |late: &Late| match late {
            Late::Offsets { .. } | Late::End { .. } => true,
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. }
            | Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. } => false,
        };
        self.everyone().all(is_sound) && !state.limbo.requests.iter().any(is_end)
    }

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
        self.write_commit_markers(state, id);
        self.forget_late_results(state, id);
        let answer = self.transaction(state, id).initialize(None, &rules);
        if answer == CoordinatorAnswer::ConcurrentTransactions {
            self.write_abort_markers(state, id);
            self.transaction(state, id).initialize(None, &rules);
        }
        self.forget_late_ends(state, id);
        let epoch = self.transaction(state, id).epoch;
        self.output_producer_mut(state, who).epoch = epoch;
    }

    /// Every marker of a commit.
    fn write_commit_markers(&self, state: &mut State, id: u16) {
        let transaction = *self.transaction(state, id);
        if transaction.phase == TransactionPhase::Prepared(Outcome::Commit) {
            for marker in transaction.markers() {
                self.write_commit_marker(state, id, marker.part);
            }
        }
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
        self.forget_late_ends(state, id);
        *self.transaction(state, id) = output::initialised();
    }

    fn orphan_id(&self, state: &mut State, id: u16) {
        let orphan = self.output(state).orphan(id);
        for late in state.limbo.requests.iter_mut() {
            if let Late::Offsets { id: own, .. } | Late::End { id: own, .. } = late
                && *own == id
            {
                *own = orphan;
            }
        }
    }

    /// Ids of processes that are gone are forgotten with the end of their transaction.
    fn forget_ended_ids(&self, state: &mut State) {
        let used = output::ids(&self.pipeline);
        let mut id = self.output(state).transactions.len() as u16;
        while id > used {
            id -= 1;
            if let TransactionPhase::Complete(_) = self.transaction(state, id).phase {
                self.output(state).forget_id(id);
                state.limbo.retain(|late| match late {
                    Late::Offsets { id: own, .. } | Late::End { id: own, .. } => *own != id,
                    Late::InitProducerId { .. }
                    | Late::AddPartitions { .. }
                    | Late::EndTransaction { .. }
                    | Late::Produce { .. }
                    | Late::Commit { .. }
                    | Late::Output { .. }
                    | Late::Result { .. } => true,
                });
                for late in state.limbo.requests.iter_mut() {
                    if let Late::Offsets { id: own, .. } | Late::End { id: own, .. } = late {
                        *own -= u16::from(*own > id);
                    }
                }
            }
        }
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
        let transaction = self.transaction(state, id);
        let open = transaction.can_time_out() && transaction.added.contains(Part::Offsets);
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
        let transaction = self.transaction(state, id);
        let epoch = transaction.epoch;
        if transaction.can_time_out() {
            transaction.end(epoch, outcome, version);
            self.write_abort_markers(state, id);
        }
        self.forget_ended_ids(state);
    }

    /// Whether the output producer of a process that is to join again is not like a new one.
    pub(super) fn needs_output_producer(&self, state: &State, who: u16) -> bool {
        let is_of_its_id = |late: &Late| match late {
            Late::Offsets { id, .. } | Late::End { id, .. } => *id == self.id_of(who),
            Late::Result { by, .. } => *by == who,
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. }
            | Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. } => false,
        };
        self.has_output()
            && (self.output_producer(state, who).is_busy()
                || state.limbo.requests.iter().any(is_of_its_id))
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
        for id in 0..ids {
            let mut has: [bool; MAX_INSTANCES] = [false; MAX_INSTANCES];
            for who in self.everyone() {
                let reads = state.consumers[usize::from(who)].is_running();
                has[usize::from(who)] = self.id_of(who) == id && reads;
            }
            self.normalize_epochs(state, id, has);
        }
    }

    /// `has`: the consumers whose producer may call with this id.
    fn normalize_epochs(&self, state: &mut State, id: u16, has: [bool; MAX_INSTANCES]) {
        let limbo = self.limits.limbo;
        let output = self.output(state);
        let transaction = &mut output.transactions[usize::from(id)];
        transaction.last_epoch = None;
        let current = transaction.epoch;
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
            }
        }
    }

    /// A transaction is ended from outside with markers of a higher epoch: where they are written, what
    /// is late and has the epoch before is refused.
    fn forget_late_results(&self, state: &mut State, id: u16) {
        let transaction = *self.transaction(state, id);
        if transaction.can_time_out() && transaction.added.contains(Part::Output) {
            state.limbo.retain(|late| match late {
                Late::Result { by, .. } => self.id_of(*by) != id,
                Late::InitProducerId { .. }
                | Late::AddPartitions { .. }
                | Late::EndTransaction { .. }
                | Late::Produce { .. }
                | Late::Commit { .. }
                | Late::Output { .. }
                | Late::Offsets { .. }
                | Late::End { .. } => true,
            });
        }
    }

    /// Requests that are late and carry an epoch that is not in force any more.
    pub(super) fn forget_late_ends(&self, state: &mut State, id: u16) {
        state.limbo.retain(|late| match late {
            Late::Offsets { id: own, .. } | Late::End { id: own, .. } => *own != id,
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. }
            | Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. } => true,
        });
    }
}
