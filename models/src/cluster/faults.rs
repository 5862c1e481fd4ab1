//! The environment: which faults can strike in a state, and what each does.

use super::budget::touches_sink;
use super::committing::CommitKind;
use super::{Cluster, State};
use crate::action::{Action, ConsumerStrike, Failure, Place, Strike, Target};
use crate::broker::Synced;
use crate::consumer::{Call, Phase, Recovery};
use crate::fault;
use crate::limbo::TransactionCall;
use crate::offset::{NextOffset, Position};
use crate::order::Step;
use crate::partitions::Partition;
use crate::pipeline::{AfterAttempts, Dedup};
use crate::program::{Operation, OutputStep, Scope};

impl Cluster {
    /// Adds the faults that can strike and be paid for.
    pub(super) fn fault_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if self.budget.is_spent(state) {
            return;
        }
        let mut add = |strike| {
            if let Some(entry) = self.budget.payer(state, strike) {
                actions.push(Action::Fault { entry, strike });
            }
        };
        if self.upstream_is_busy(state) {
            add(Strike::ProducerCrash);
        }
        self.produce_faults(state, &mut add);
        self.partition_faults(state, &mut add);
        self.upstream_faults(state, &mut add);
        self.transaction_faults(state, &mut add);
        for who in self.everyone() {
            self.process_faults(state, who, &mut add);
            self.commit_faults(state, who, &mut add);
            self.other_call_faults(state, who, &mut add);
            self.handling_faults(state, who, &mut add);
            self.output_faults(state, who, &mut add);
        }
        self.output_transaction_faults(state, &mut add);
        self.initial_call_faults(state, &mut add);
        self.group_faults(state, &mut add);
        match state.replication {
            Some(_) => {
                self.replica_faults(state, &mut add);
                self.output_replica_faults(state, &mut add);
            }
            None => self.broker_faults(state, &mut add),
        }
    }

    fn process_faults(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        let consumer = &state.consumers[usize::from(who)];
        let mut strike = |how| add(Strike::Consumer { who, how });
        if consumer.is_running() {
            strike(ConsumerStrike::Crash);
        }
        if self.may_pause(state, who) {
            strike(ConsumerStrike::Pause);
            if consumer.phase == Phase::Handling {
                strike(ConsumerStrike::Slow);
                if self.ends_slowly(state, who) {
                    strike(ConsumerStrike::SlowToTheEnd);
                }
            }
        }
        let rests = match consumer.phase {
            Phase::Idle | Phase::Polling => state.group.rebalance.is_none(),
            Phase::Down | Phase::Outside | Phase::Handling | Phase::Leaving => false,
        };
        // What it has begun it finishes, its commit included.
        let owes = self.program.loop_commit.is_some()
            && consumer.covered_by_crew(&self.pipeline).is_some();
        let sends = self.has_results_under_way(state, who)
            || self.has_output() && !self.output_producer(state, who).sends.is_empty();
        let finished = consumer.crew.tasks.is_empty() && !owes && !sends;
        if rests && finished {
            strike(ConsumerStrike::GracefulRestart);
        }
    }

    /// Whether the next operation is the last before a poll, so that handling may turn out to have
    /// taken too long once it is done.
    fn ends_slowly(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        let last = usize::from(consumer.operation) + 1 == self.program.operations.len();
        let operates = consumer.call == Call::None
            && self.writing(state, who).is_none()
            && !self.waits_for_output(state, who);
        last && operates && {
            let mut after = state.clone();
            self.operate(&mut after, who);
            after.consumers[usize::from(who)].phase == Phase::Polling && self.may_pause(&after, who)
        }
    }

    fn commit_faults(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        if self.is_under_way(state, CommitKind::Background, who) {
            strike_everywhere(Target::BackgroundCommit(who), add);
        }
        if self.is_under_way(state, CommitKind::Owed, who) {
            strike_everywhere(Target::LeavingCommit(who), add);
        }
        let target = Target::Commit(who);
        match state.consumers[usize::from(who)].call {
            Call::None if self.is_under_way(state, CommitKind::Waiting, who) => {
                strike_everywhere(target, add);
            }
            Call::None => {}
            Call::Requested => {
                add(Strike::LoseRequest(target));
                add(Strike::Refuse(target));
                add(Strike::Delay(target));
            }
            Call::Answered => add(Strike::LoseAnswer(target)),
        }
    }

    /// Calls that are simply repeated.
    fn other_call_faults(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        let mut repeat = |call| strike_everywhere(Target::Repeated(call), add);
        match state.consumers[usize::from(who)].phase {
            Phase::Down | Phase::Outside => {
                repeat(fault::Call::Join);
                repeat(fault::Call::OffsetFetch);
            }
            Phase::Polling => {
                repeat(fault::Call::Fetch);
                repeat(fault::Call::Heartbeat);
            }
            Phase::Idle | Phase::Handling | Phase::Leaving => repeat(fault::Call::Heartbeat),
        }
        if self.writing(state, who).is_some() {
            let target = Target::FailedWrite(who);
            let hears = self.hears_of_results();
            strike_everywhere(target, &mut |strike| {
                if hears || strike != Strike::LoseAnswer(target) {
                    add(strike);
                }
            });
            self.failing_writes(who, add);
        }
    }

    fn initial_call_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        let starts = state.producer.created == 0 && self.upstream_is_busy(state);
        if starts && self.pipeline.producer.idempotence && !self.limits.transactions {
            strike_everywhere(Target::Repeated(fault::Call::InitProducerId), add);
        }
    }

    fn group_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        for to in self.may_rebalance(state) {
            add(Strike::Rebalance { to });
        }
        self.failovers(add);
        self.transaction_failovers(state, add);
        self.output_failovers(state, add);
        self.recreations(state, add);
        self.additions(state, add);
        if self.group_is_empty(state) {
            let there = state.other.as_deref().and_then(|other| other.committed);
            if state.group.committed.or(there).is_some() || state.retries.committed.is_some() {
                add(Strike::OffsetsExpiry);
            }
            if self.limits.offset_resets {
                for to in 0..=state.broker.log_end() {
                    add(Strike::OffsetReset { to });
                }
            }
        }
        match self.pipeline.sink.dedup {
            Dedup::Durable | Dedup::Separate if !state.sink.seen.keys.is_empty() => {
                add(Strike::DedupExpiry { who: 0 });
            }
            Dedup::Durable | Dedup::Separate => {}
            Dedup::Memory => {
                for who in self.everyone() {
                    if !state.consumers[usize::from(who)].memory.keys.is_empty() {
                        add(Strike::DedupExpiry { who });
                    }
                }
            }
        }
    }

    fn broker_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if !self.limits.truncation {
            return;
        }
        add(Strike::BrokerCrash);
        for kept in state.broker.flushed..=state.broker.log_end() {
            add(Strike::PowerLoss { kept });
            for commits in 0..=state.group.history.len() as u16 {
                for failed in self.failed_records_kept(state) {
                    add(Strike::PowerLossAll {
                        kept,
                        commits,
                        failed: *failed,
                    });
                }
            }
        }
        add(Strike::DiskLoss);
    }

    /// Whether the records that were written to another topic are on disk: nobody flushes it, unless
    /// the brokers flush everything.
    pub(super) fn failed_records_kept(&self, state: &State) -> &'static [bool] {
        let there = !state.ledger.dead_lettered.is_empty();
        match there && !self.pipeline.topic.flushes_internal_topics {
            true => &[true, false],
            false => &[true],
        }
    }

    fn handling_faults(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        let consumer = &state.consumers[usize::from(who)];
        // A record that cannot be handled fails by itself.
        let can_be_handled = self.poisoned_place(state, who).is_none();
        if consumer.phase == Phase::Handling
            && consumer.recovery == Recovery::None
            && can_be_handled
        {
            let operation = self.operation(state, who);
            let left: Vec<u16> = consumer
                .places(operation.scope)
                .filter(|place| consumer.skipped & (1 << place) == 0)
                .collect();
            self.failures_in_hand(state, who, &left, operation, add);
        }
        for index in consumer.crew.ready(self.pipeline.consumer.workers) {
            let task = consumer.crew.tasks[usize::from(index)];
            let at = Place::Task(index);
            if !task.writes && !self.is_poison(state, &task) {
                let (operation, _) = self.operation_at(state, who, at);
                let fails = Fails {
                    handles: !task.skipped && self.handles(operation),
                    completes: true,
                    sends: false,
                    touches: self.touches_sink(operation, !task.skipped),
                    poisons: self.may_be_poison(state, task.record),
                    answers: self.is_answered(state, who, at),
                };
                fails.add(who, at, add);
            }
        }
    }

    /// Failures of the operation at hand; `left`: the places that are not skipped.
    fn failures_in_hand(
        &self,
        state: &State,
        who: u16,
        left: &[u16],
        operation: &Operation,
        add: &mut impl FnMut(Strike),
    ) {
        let consumer = &state.consumers[usize::from(who)];
        let handles = self.handles(operation) && !self.is_sending(state, who);
        // A call that the coordinator holds up has no effect yet.
        let completes = operation.output_step().is_none() || !self.waits_for_markers(state, who);
        let touches = self.touches_sink(operation, !left.is_empty());
        let about_records = operation.steps().any(Step::is_about_a_record);
        // Which record fails only matters where the application goes on without it.
        let goes_on = match self.pipeline.consumer.on_process_failure.then {
            AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Block => false,
            AfterAttempts::Skip | AfterAttempts::DeadLetter(_) | AfterAttempts::RetryTopic => true,
        };
        for (index, place) in left.iter().enumerate() {
            let record = consumer.hand[usize::from(*place)];
            let fails = Fails {
                handles: handles && (index == 0 || goes_on),
                completes,
                sends: self.may_have_sent(state, who),
                touches: touches && about_records && (index == 0 || goes_on),
                poisons: handles && self.may_be_poison(state, record),
                answers: self.is_answered(state, who, Place::Hand(*place)),
            };
            fails.add(who, Place::Hand(*place), add);
        }
        if touches && (left.is_empty() || !about_records) {
            let fails = Fails {
                handles: false,
                completes,
                sends: false,
                touches: true,
                poisons: false,
                answers: self.is_answered(state, who, Place::Poll),
            };
            let at = match operation.scope {
                Scope::Record { .. } => Place::Hand(consumer.cursor),
                Scope::Poll => Place::Poll,
            };
            fails.add(who, at, add);
        }
    }

    /// Whether handling that fails now, after a result that nobody waits for, ends the process or a transaction.
    fn may_have_sent(&self, state: &State, who: u16) -> bool {
        let settings = self.pipeline.consumer.on_process_failure;
        let ends = match settings.then {
            AfterAttempts::Stop | AfterAttempts::Close => {
                state.consumers[usize::from(who)].attempts + 1 >= settings.attempts
            }
            AfterAttempts::Skip
            | AfterAttempts::DeadLetter(_)
            | AfterAttempts::RetryTopic
            | AfterAttempts::Block => false,
        };
        self.output_call(state, who) == Some(OutputStep::ProduceAsync)
            && (ends || self.has_transactions())
    }

    /// Whether the operation calls the sink; of a skipped record nothing is handled.
    fn touches_sink(&self, operation: &Operation, any_left: bool) -> bool {
        let stored = self.pipeline.sink.dedup != Dedup::Memory;
        operation.steps().any(|step| {
            touches_sink(step, stored)
                && match step {
                    Step::Process | Step::Remember => any_left,
                    Step::SkipIfSeen
                    | Step::Commit
                    | Step::CommitAsync
                    | Step::SaveOffset
                    | Step::StoreOffset
                    | Step::Produce
                    | Step::ProduceAsync
                    | Step::Flush => true,
                }
        })
    }

    /// Whether it may turn out that `record` can never be handled.
    fn may_be_poison(&self, state: &State, record: u16) -> bool {
        !state.poisoned.contains(record) && !state.ledger.is_handled(record)
    }

    /// Lets a fault strike, short of paying for it.
    pub(super) fn strike(&self, state: &mut State, strike: Strike) {
        self.strike_alone(state, strike);
        self.fail_transaction(state);
    }

    fn strike_alone(&self, state: &mut State, strike: Strike) {
        if let Some(who) = strike
            .result_struck()
            .filter(|_| self.output_topic().is_some())
        {
            self.strike_output_request(state, who, strike);
            return;
        }
        match strike {
            Strike::ProducerCrash => self.crash_producer(state),
            Strike::ProducerCrashAtEnd => {
                self.lose_coordinator_answer(state);
                self.crash_producer(state);
            }
            Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::StaleMetadata
            | Strike::TransactionTimeout
            | Strike::ForgetProducer(_)
            | Strike::ForgetAt { .. }
            | Strike::Retention
            | Strike::RetentionAt { .. }
            | Strike::Compaction { .. }
            | Strike::CompactionAt { .. } => self.strike_upstream(state, strike),
            Strike::DeliveryTimeout => self.expire_send(state),
            Strike::InOther(own) => self.strike_other(state, own),
            Strike::BrokerCrash => {
                self.restart_broker(state, state.broker.log_end(), Synced::AsBefore);
            }
            Strike::PowerLoss { kept } => self.restart_broker(state, kept, Synced::WhatIsLeft),
            Strike::PowerLossAll {
                kept,
                commits,
                failed,
            } => {
                self.restart_broker(state, kept, Synced::WhatIsLeft);
                self.lose_what_was_committed(state, commits, failed);
            }
            Strike::DiskLoss => self.restart_broker(state, 0, Synced::WhatIsLeft),
            Strike::Replica { who, how } => self.strike_broker(state, who, how),
            Strike::OutputReplica { who, how } => self.strike_output_replica(state, who, how),
            Strike::EveryReplica {
                last,
                commits,
                failed,
            } => self.strike_every_replica(state, last, commits, failed),
            Strike::LoseRequest(target) => self.lose_request(state, target),
            Strike::LoseAnswer(target) => self.lose_answer(state, target),
            Strike::Refuse(target) => self.refuse(state, target),
            Strike::Delay(target) => self.delay(state, target),
            Strike::Rebalance { to } => self.rebalance(state, to),
            Strike::CoordinatorFailover { written } => self.fail_over(state, written),
            Strike::TransactionCoordinatorFailover(under_way) => {
                self.fail_transactions_over(state, under_way);
            }
            Strike::OutputCoordinatorFailover(unfinished) => {
                self.fail_output_transactions_over(state, unfinished);
            }
            Strike::RecreateTopic(how) => self.recreate(state, how, None),
            Strike::RecreateMissingTopic(how) => {
                self.refuse_produce(state);
                self.recreate(state, how, None);
            }
            Strike::RecreateTopicAt { how, leader } => self.recreate(state, how, Some(leader)),
            Strike::AddPartition { moves } => self.add_partition(state, moves),
            Strike::OffsetsExpiry => {
                state.group.committed = None;
                state.retries.committed = None;
                if let Some(other) = state.other.as_deref_mut() {
                    other.committed = None;
                }
            }
            Strike::OffsetReset { to } => self.reset_offset(state, to),
            Strike::DedupExpiry { who } => match self.pipeline.sink.dedup {
                Dedup::Durable | Dedup::Separate => state.sink.seen.forget_oldest(),
                Dedup::Memory => state.consumers[usize::from(who)].memory.forget_oldest(),
            },
            Strike::ExpireResult { who, request } => self.expire_result(state, who, request),
            Strike::FailWrite {
                who,
                behind,
                appended,
            } => self.fail_write(state, who, behind, appended),
            Strike::OutputTransactionTimeout(id) => self.time_out(state, id),
            Strike::Consumer { who, how } => self.strike_consumer(state, who, how),
        }
    }

    fn strike_consumer(&self, state: &mut State, who: u16, how: ConsumerStrike) {
        match how {
            ConsumerStrike::Crash => self.crash(state, who),
            ConsumerStrike::Pause => {
                self.pause(state, who);
                self.doubt_results(state, who);
            }
            ConsumerStrike::Slow => {
                self.pause(state, who);
                state.consumers[usize::from(who)].slow = true;
            }
            ConsumerStrike::SlowToTheEnd => {
                self.operate(state, who);
                self.strike_consumer(state, who, ConsumerStrike::Slow);
            }
            ConsumerStrike::GracefulRestart => self.restart_gracefully(state, who),
            ConsumerStrike::Fail { failure, at } => {
                self.strike_handling(state, who, failure, at);
            }
        }
    }

    pub(super) fn restart_broker(&self, state: &mut State, kept: u16, synced: Synced) {
        state.broker.restart(kept, synced);
        state.limbo.lose_produce_requests(|_| true);
        state
            .producer
            .lose_connection(&self.pipeline, &mut state.ledger);
    }

    fn lose_request(&self, state: &mut State, target: Target) {
        match target {
            Target::Produce => self.lose_produce_request(state),
            Target::ProduceToOther => {
                self.in_other(state, |state| self.lose_produce_request(state));
            }
            Target::Commit(who) => self.lose_commit(state, CommitKind::Waiting, who),
            Target::BackgroundCommit(who) => self.lose_commit(state, CommitKind::Background, who),
            Target::LeavingCommit(who) => self.lose_commit(state, CommitKind::Owed, who),
            Target::FailedWrite(who) => self.lose_failed_write(state, who),
            Target::Result(who) => self.lose_result_request(state, who),
            Target::Offsets(_)
            | Target::EndTransaction(_)
            | Target::Start(_)
            | Target::Add(..)
            | Target::Coordinator(_)
            | Target::Repeated(_) => {}
        }
    }

    fn lose_answer(&self, state: &mut State, target: Target) {
        match target {
            Target::Produce => self.lose_produce_answer(state),
            Target::ProduceToOther => {
                self.in_other(state, |state| self.lose_produce_answer(state));
            }
            Target::Commit(who) => self.lose_commit_answer(state, CommitKind::Waiting, who),
            Target::BackgroundCommit(who) => {
                self.lose_commit_answer(state, CommitKind::Background, who);
            }
            Target::LeavingCommit(who) => self.lose_commit_answer(state, CommitKind::Owed, who),
            Target::FailedWrite(who) => self.lose_failed_write_answer(state, who),
            Target::Result(who) => self.lose_result_answer(state, who),
            Target::Coordinator(_) => self.lose_coordinator_answer(state),
            Target::Offsets(_)
            | Target::EndTransaction(_)
            | Target::Start(_)
            | Target::Add(..)
            | Target::Repeated(_) => {}
        }
    }

    fn refuse(&self, state: &mut State, target: Target) {
        match target {
            Target::Produce => self.refuse_produce(state),
            Target::Result(who) => self.refuse_result(state, who),
            Target::ProduceToOther => self.in_other(state, |state| self.refuse_produce(state)),
            Target::Commit(_)
            | Target::BackgroundCommit(_)
            | Target::LeavingCommit(_)
            | Target::FailedWrite(_)
            | Target::Offsets(_)
            | Target::EndTransaction(_)
            | Target::Start(_)
            | Target::Add(..)
            | Target::Coordinator(_)
            | Target::Repeated(_) => self.lose_request(state, target),
        }
    }

    fn delay(&self, state: &mut State, target: Target) {
        match target {
            Target::Produce => self.delay_produce(state, Partition::First),
            Target::ProduceToOther => self.in_other(state, |state| {
                self.delay_produce(state, Partition::Second);
            }),
            Target::Commit(who) => self.delay_commit(state, CommitKind::Waiting, who),
            Target::BackgroundCommit(who) => self.delay_commit(state, CommitKind::Background, who),
            Target::LeavingCommit(who) => self.delay_commit(state, CommitKind::Owed, who),
            Target::FailedWrite(who) => self.delay_failed_write(state, who),
            Target::Result(who) => self.delay_result(state, who),
            Target::Offsets(who) => self.delay_offsets(state, who),
            Target::EndTransaction(who) => self.delay_end(state, who),
            Target::Start(who) => self.delay_call(state, who, TransactionCall::Start),
            Target::Add(who, part) => self.delay_call(state, who, TransactionCall::Add(part)),
            Target::Coordinator(_) => self.delay_coordinator_call(state),
            Target::Repeated(_) => {}
        }
    }

    /// An operator sets the group's committed offset.
    fn reset_offset(&self, state: &mut State, to: u16) {
        self.is_committed(state, Position::bare(NextOffset(to)));
    }

    fn restart_gracefully(&self, state: &mut State, who: u16) {
        let polls = state.consumers[usize::from(who)].phase == Phase::Polling;
        if polls && !self.is_zombie(state, who) {
            self.begin_leaving(state, who, true);
        } else {
            self.close(state, who);
        }
    }
}

/// Which failures can strike at a place.
struct Fails {
    handles: bool,
    /// Whether nothing keeps the operation from having its effect.
    completes: bool,
    /// Whether a result that nobody waits for may have been sent when handling fails, and it matters: the process
    /// ends, or a transaction is aborted.
    sends: bool,
    touches: bool,
    poisons: bool,
    /// Whether the sink does something whose answer can be lost; a look-up before a transaction's
    /// commit whose answer is lost is one that was not answered.
    answers: bool,
}

impl Fails {
    fn add(&self, who: u16, at: Place, add: &mut impl FnMut(Strike)) {
        let mut fail = |failure| {
            let how = ConsumerStrike::Fail { failure, at };
            add(Strike::Consumer { who, how });
        };
        if self.handles {
            fail(Failure::Before);
            if self.completes {
                fail(Failure::After);
                if self.sends {
                    fail(Failure::Sent);
                }
            }
            if self.poisons {
                fail(Failure::Poison);
            }
        }
        if self.touches {
            fail(Failure::SinkUnavailable);
            if self.answers {
                fail(Failure::SinkAnswerLost);
            }
        }
    }
}

/// Every network fault on one call.
pub(super) fn strike_everywhere(target: Target, add: &mut impl FnMut(Strike)) {
    strike_in_time(target, add);
    add(Strike::Delay(target));
}

/// Those after which nothing of the call is late.
pub(super) fn strike_in_time(target: Target, add: &mut impl FnMut(Strike)) {
    add(Strike::LoseRequest(target));
    add(Strike::LoseAnswer(target));
    add(Strike::Refuse(target));
}
