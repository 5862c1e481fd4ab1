//! Transactions of output producers: beginning, offsets, end, and what ends them from outside.

use super::{Cluster, State};
use crate::action::{Action, TransactionStep};
use crate::consumer::Phase;
use crate::limbo::{Late, TransactionCall};
use crate::offset::{NextOffset, Position};
use crate::output::journal::Happening;
use crate::output::{self, Output, PendingOffset, Unseen};
use crate::pipeline::{OnAbort, TransactionalId};
use crate::program::{Operation, Scope, Within};
use crate::transaction_coordinator::{
    CoordinatorAnswer, Outcome, Part, Phase as TransactionPhase, Transaction, TransactionVersion,
};

impl Cluster {
    pub(super) fn has_transactions(&self) -> bool {
        self.limits.transactional_ids > 0
    }

    pub(super) fn version(&self) -> TransactionVersion {
        self.pipeline.rules.transactions.version
    }

    pub(super) fn id_of(&self, who: u16) -> u16 {
        output::id_of(who, &self.pipeline)
    }

    pub(super) fn transaction<'a>(&self, state: &'a mut State, id: u16) -> &'a mut Transaction {
        &mut self.output(state).transactions[usize::from(id)]
    }

    /// The coordinator handles a request about an id, or its timeout.
    pub(super) fn coordinate<T>(
        &self,
        state: &mut State,
        id: u16,
        handle: impl FnOnce(&mut Transaction) -> T,
    ) -> T {
        let output = self.output(state);
        let transaction = &mut output.transactions[usize::from(id)];
        let before = *transaction;
        let answer = handle(transaction);
        if transaction.epoch != before.epoch {
            output.journal.note(Happening::Raised(id));
            self.forget_fenced_calls(state, id);
            let is_marked = before.can_time_out() && before.added.contains(Part::Offsets);
            if is_marked || self.pipeline.consumer.output.offsets_are_verified {
                self.forget_fenced_offsets(state, id);
            }
            if is_marked {
                self.refuse_offsets(state, id);
            }
        }
        answer
    }

    pub(super) fn transaction_of(&self, state: &State, who: u16) -> Transaction {
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
    pub(super) fn add_part(&self, state: &mut State, who: u16, part: Part) -> bool {
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
    /// its markers. After a result that failed a client of version 1 asks for another epoch (KIP-360).
    pub(super) fn abort_what_is_open(&self, state: &mut State, who: u16) -> bool {
        if !self.has_transactions() {
            return true;
        }
        let asks = self.limits.forgets_epochs && self.output_producer(state, who).failed;
        let aborted = self.abort_at_coordinator(state, who);
        self.output_producer_mut(state, who).awaits_epoch = aborted && asks;
        aborted
    }

    fn abort_at_coordinator(&self, state: &mut State, who: u16) -> bool {
        let producer = self.output_producer_mut(state, who);
        producer.sends.truncate(0);
        producer.forget_awaited();
        (producer.failed, producer.offsets_added) = (false, false);
        self.drop_results(state, who);
        let producer = self.output_producer_mut(state, who);
        if !std::mem::take(&mut producer.open) {
            return true;
        }
        if let Some(aborted) = self.abort_within(state, who) {
            return aborted;
        }
        let epoch = self.output_producer(state, who).epoch;
        let (id, version) = (self.id_of(who), self.version());
        let answer = self.coordinate(state, id, |own| own.end(epoch, Outcome::Abort, version));
        let aborted = match answer {
            CoordinatorAnswer::Done | CoordinatorAnswer::ConcurrentTransactions => true,
            CoordinatorAnswer::ProducerFenced
            | CoordinatorAnswer::InvalidTransactionState
            | CoordinatorAnswer::InvalidProducerIdMapping
            | CoordinatorAnswer::TransactionAbortable => false,
        };
        let epoch = self.transaction(state, id).epoch;
        self.write_abort_markers(state, id);
        if aborted {
            self.output_producer_mut(state, who).epoch = epoch;
            self.take_output_epoch(state, who);
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
    /// neither, to the first record that it has in hand. Where an offset is pending for good, its call of
    /// committed() times out, and the process ends; where it is that of a transaction that commits, the
    /// call is answered UNSTABLE_OFFSET_COMMIT until the marker has come (KIP-447), as the offset fetch of
    /// a new owner is. Where offsets are late that may become pending before it is answered, the answer is a
    /// step of its own, too.
    fn seek_after_abort(&self, state: &mut State, who: u16) {
        let saved = state.sink.saved;
        let saved = saved.filter(|_| self.pipeline.consumer.seek_on_assign);
        let reassigned = state.consumers[usize::from(who)].reassigned;
        if reassigned.is_none() && self.asks_for_its_offset_in_vain(state) {
            self.crash(state, who);
            return;
        }
        let first = Position::bare(NextOffset(state.consumers[usize::from(who)].first));
        let waits =
            self.awaits_a_commit(state) || saved.is_none() && self.awaits_late_offsets(state);
        if reassigned.is_none() && waits && self.owns(state, who) {
            let is_first = state.group.committed.is_none() && self.limits.reads_on_elsewhere;
            let consumer = &mut state.consumers[usize::from(who)];
            consumer.drop_hand();
            consumer.reassigned = is_first.then_some(first);
            consumer.phase = Phase::Idle;
            return;
        }
        let committed = saved.map(Position::bare).or(state.group.committed);
        let consumer = &mut state.consumers[usize::from(who)];
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
        if !self.offsets_are_added(state, who) {
            if !self.add_part(state, who, Part::Offsets) {
                // AddOffsetsToTxn and TxnOffsetCommit are answered PRODUCER_FENCED: nothing to abort with.
                self.crash(state, who);
                return;
            }
            if self.limits.ends_between {
                self.output_producer_mut(state, who).offsets_added = true;
                return;
            }
        } else if !self.takes_offsets(state, who) {
            self.abort_or_end(state, who);
            return;
        }
        if self.pipeline.consumer.output.group_metadata && !self.takes_commits_of(state, who) {
            // CommitFailedException: the transaction is aborted, and the consumer joins again.
            self.lose(state, who);
            return;
        }
        let id = self.id_of(who);
        self.output(state).add_offsets(id, covered);
        self.output_producer_mut(state, who).offsets_added = false;
        state.consumers[usize::from(who)].advance(&self.program);
    }

    /// commitTransaction.
    pub(super) fn end_transaction(&self, state: &mut State, who: u16) {
        if self.output_producer(state, who).failed && self.failures_are_fatal() {
            self.crash(state, who);
            return;
        }
        if self.output_producer(state, who).failed {
            self.abort_or_end(state, who);
            return;
        }
        if self.output_producer(state, who).open {
            let epoch = self.output_producer(state, who).epoch;
            let (id, version) = (self.id_of(who), self.version());
            let end = |own: &mut Transaction| own.end(epoch, Outcome::Commit, version);
            let answer = self.coordinate(state, id, end);
            let epoch = self.transaction(state, id).epoch;
            if answer != CoordinatorAnswer::Done {
                // PRODUCER_FENCED, or INVALID_TXN_STATE after a timeout: fatal to the client.
                self.crash(state, who);
                return;
            }
            let producer = self.output_producer_mut(state, who);
            (producer.epoch, producer.open) = (epoch, false);
            self.unregister(state, who);
            self.take_output_epoch(state, who);
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
            if self.raises_within(state, id) {
                let does = TransactionStep::RaiseEpoch;
                actions.push(Action::OutputTransaction { id, does });
            }
            let markers = transaction.markers();
            let can_be_written =
                |part| part != Part::Output || self.writes_output_marker(state, id);
            for marker in markers.filter(|marker| can_be_written(marker.part)) {
                let does = TransactionStep::WriteMarker(marker.part);
                actions.push(Action::OutputTransaction { id, does });
            }
            if self.times_out(transaction) && !self.is_in_use(state, id) {
                let does = TransactionStep::TimeOut;
                actions.push(Action::OutputTransaction { id, does });
            }
        }
    }

    /// Whether the coordinator may time this transaction of an output producer out.
    pub(super) fn times_out(&self, transaction: &Transaction) -> bool {
        self.pipeline.consumer.output.transactions_time_out && transaction.can_time_out()
    }

    /// Whether a process that is alive, and does not stand still beyond its session, has this
    /// transaction open.
    pub(super) fn is_in_use(&self, state: &State, id: u16) -> bool {
        self.everyone().any(|who| {
            self.id_of(who) == id
                && self.output_producer(state, who).open
                && (!self.is_zombie(state, who) || self.output_producer(state, who).timed_out)
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
            TransactionStep::RaiseEpoch => self.raise_within(state, id),
            TransactionStep::WriteMarker(Part::Output) if self.output_topic().is_some() => {
                self.write_output_marker(state, id);
            }
            TransactionStep::WriteMarker(part) => self.write_marker_of(state, id, part),
        }
        self.forget_ended_ids(state);
    }

    /// `transaction.timeout.ms` passes.
    pub(super) fn time_out(&self, state: &mut State, id: u16) {
        let rules = self.pipeline.rules.transactions;
        if rules.timeout_fences {
            self.forget_late_results(state, id);
        }
        for who in self.everyone() {
            let stands_still = self.id_of(who) == id && self.is_zombie(state, who);
            let producer = self.output_producer_mut(state, who);
            producer.timed_out |= stands_still && producer.open;
        }
        self.coordinate(state, id, |own| own.time_out(&rules));
        self.write_abort_markers(state, id);
        self.forget_ended_ids(state);
    }

    /// What stood still and knows that it is out of the group begins anew.
    pub(super) fn forget_timeouts(&self, state: &mut State) {
        for who in self
            .everyone()
            .filter(|_| self.limits.transactional_ids > 0)
        {
            let stands_still = self.is_zombie(state, who);
            self.output_producer_mut(state, who).timed_out &= stands_still;
        }
    }

    /// A marker beside those of the output topic's log, of a commit or an abort.
    fn write_marker_of(&self, state: &mut State, id: u16, part: Part) {
        let TransactionPhase::Prepared(outcome) = self.transaction(state, id).phase else {
            return;
        };
        self.transaction(state, id).marker_is_written(part);
        self.end_part(state, id, part, outcome);
    }

    /// What a marker does where it is written, but in the output topic's log.
    pub(super) fn end_part(&self, state: &mut State, id: u16, part: Part, outcome: Outcome) {
        let commits = outcome == Outcome::Commit;
        let output = self.output(state);
        match part {
            Part::Output => output.end_records(id, commits),
            Part::Offsets if commits => {
                if let Some(position) = output.take_offsets(id) {
                    state.group.committed = Some(position);
                }
            }
            Part::Offsets => output.drop_offsets(id),
            Part::Input => {}
        }
        self.see_stable_results(state);
    }

    /// Every marker of an abort. Where the output topic can be struck, its marker may have to wait: then
    /// each is a step.
    pub(super) fn write_abort_markers(&self, state: &mut State, id: u16) {
        if self.output_topic().is_some() {
            return;
        }
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

    /// Whether an offset is pending and whoever fetches the committed one waits for it: the coordinator
    /// answers UNSTABLE_OFFSET_COMMIT (KIP-447). A consumer that seeks to a saved offset fetches none.
    pub fn offsets_are_unstable(&self, state: &State) -> bool {
        let consumer = &self.pipeline.consumer;
        let seeks = consumer.seek_on_assign && state.sink.saved.is_some();
        let pending = |output: &Output| !output.pending.is_empty();
        consumer.output.offsets_are_awaited
            && !seeks
            && state.output.as_deref().is_some_and(pending)
    }

    /// Whether the partition is assigned to `to` as far as pending offsets go. They hold up no
    /// assignment, only the owner's offset fetch after it. Those of a transaction that is still to end
    /// do so here: its end comes by itself, and until then the owner could only wait. Others may be
    /// pending for ever, and so the owner is assigned and waits ([`ConsumerStep::FetchOffset`]); one
    /// with records in hand, once it is done with them. Without a group to be a member of, the process
    /// waits before it has started. With an id that comes with the partition, its start ends what is
    /// open, and so does that of the only process where no timeout stands for it.
    ///
    /// [`ConsumerStep::FetchOffset`]: crate::action::ConsumerStep::FetchOffset
    pub(super) fn can_assign_to(&self, state: &State, to: u16) -> bool {
        let Some(output) = state.output.as_deref() else {
            return true;
        };
        if !self.offsets_are_unstable(state) {
            return true;
        }
        let ends = |pending: &PendingOffset| output.ends(pending);
        let ids = self.pipeline.consumer.output.transactional_id;
        let by_the_start = match ids {
            TransactionalId::PerPartition => true,
            TransactionalId::Stable => self.ends_by_its_start(),
            TransactionalId::PerStart => false,
        };
        if !self.pipeline.subscribes() {
            return by_the_start && output.pending.iter().all(ends);
        }
        let handles = state.consumers[usize::from(to)].phase == Phase::Handling;
        let held_up = output.pending.iter().any(ends) && !by_the_start;
        !held_up && !handles
    }

    /// Whether committed() is answered UNSTABLE_OFFSET_COMMIT until it times out: an offset is pending,
    /// and no transaction is open whose end will change that.
    pub fn asks_for_its_offset_in_vain(&self, state: &State) -> bool {
        let for_good = |output: &Output| output.pending.iter().any(|pending| !output.ends(pending));
        self.offsets_are_unstable(state) && state.output.as_deref().is_some_and(for_good)
    }

    /// Whether who fetches the committed offset is answered with another one once a transaction that commits
    /// has its marker. For the marker of an abort it is waited as well, but it changes nothing.
    fn awaits_a_commit(&self, state: &State) -> bool {
        let ends = |output: &Output| {
            output.pending.iter().any(|pending| {
                let transaction = &output.transactions[usize::from(pending.id)];
                transaction.phase == TransactionPhase::Prepared(Outcome::Commit)
                    && output.ends(pending)
            })
        };
        self.offsets_are_unstable(state) && state.output.as_deref().is_some_and(ends)
    }

    /// Whether offsets are late that may be pending when the committed one is asked for.
    fn awaits_late_offsets(&self, state: &State) -> bool {
        let mut late = state.limbo.requests.iter();
        let is_of_offsets = |late: &Late| {
            matches!(
                late,
                Late::Call {
                    call: TransactionCall::Offsets { .. },
                    ..
                }
            )
        };
        self.pipeline.consumer.output.offsets_are_awaited
            && self.pipeline.subscribes()
            && late.any(is_of_offsets)
    }

    /// Whether no output producer will ever abort and seek back, or end its process: none is fenced, nothing
    /// has failed, none has a transaction that the coordinator ended, or began, without it, and no request is
    /// late that could end one.
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
            let producer = &output.producers[usize::from(who)];
            let is_ongoing =
                self.has_transactions() && self.transaction_of(state, who).can_time_out();
            let is_its_own = match producer.open {
                true => is_ongoing,
                // Nobody but a late call begins one for it.
                false => {
                    self.limits.limbo == 0 || !is_ongoing || self.is_begun_or_ended(state, who)
                }
            };
            !fenced && !producer.failed && !producer.has_doubts() && is_its_own
        };
        let is_end = |late: &Late| late.output_id().is_some();
        self.everyone().all(is_sound) && !state.limbo.requests.iter().any(is_end)
    }

    /// Whether a process goes on with the transaction of `who`'s id, or the next start ends it.
    fn is_begun_or_ended(&self, state: &State, who: u16) -> bool {
        let mut those = self.everyone();
        let is_open =
            |other| self.id_of(other) == self.id_of(who) && self.output_producer(state, other).open;
        !state.consumers[usize::from(who)].reads() || those.any(is_open)
    }

    /// Every marker of a commit.
    pub(super) fn write_commit_markers(&self, state: &mut State, id: u16) {
        let transaction = *self.transaction(state, id);
        if transaction.phase == TransactionPhase::Prepared(Outcome::Commit) {
            for marker in transaction.markers() {
                self.write_marker_of(state, id, marker.part);
            }
        }
    }
}
