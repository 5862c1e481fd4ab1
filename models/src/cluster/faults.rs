//! The environment: which faults can strike in a state, and what each does.

use super::budget::touches_sink;
use super::{Cluster, State};
use crate::action::{Action, Strike, Target};
use crate::broker::Synced;
use crate::consumer::{Call, Phase};
use crate::fault;
use crate::limbo::Late;
use crate::order::Step;
use crate::pipeline::{Dedup, OnCommitFailure};

impl Cluster {
    /// Adds the faults that can strike and be paid for.
    pub(super) fn fault_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let mut add = |strike| {
            if let Some(entry) = self.budget.payer(state, strike) {
                actions.push(Action::Fault { entry, strike });
            }
        };
        if state.producer.is_busy(&state.database, &self.pipeline) {
            add(Strike::ProducerCrash);
        }
        if state.consumer.phase != Phase::Down {
            add(Strike::ConsumerCrash);
        }
        self.produce_faults(state, &mut add);
        self.upstream_faults(state, &mut add);
        self.commit_faults(state, &mut add);
        self.other_call_faults(state, &mut add);
        self.broker_faults(state, &mut add);
        self.handling_faults(state, &mut add);
    }

    fn commit_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if state.consumer.pending.is_some() {
            strike_everywhere(Target::BackgroundCommit, add);
        }
        match state.consumer.call {
            Call::None if self.is_committing(state) && self.reductions.whole_calls => {
                strike_everywhere(Target::Commit, add);
            }
            Call::None => {}
            Call::Requested => {
                add(Strike::LoseRequest(Target::Commit));
                add(Strike::Refuse(Target::Commit));
                add(Strike::Delay(Target::Commit));
            }
            Call::Answered => add(Strike::LoseAnswer(Target::Commit)),
        }
    }

    /// Calls that are simply repeated.
    fn other_call_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        match state.consumer.phase {
            Phase::Down => {
                strike_everywhere(Target::Repeated(fault::Call::Join), add);
                strike_everywhere(Target::Repeated(fault::Call::OffsetFetch), add);
            }
            Phase::Polling => {
                strike_everywhere(Target::Repeated(fault::Call::Fetch), add);
                strike_everywhere(Target::Repeated(fault::Call::Heartbeat), add);
            }
            Phase::Handling => strike_everywhere(Target::Repeated(fault::Call::Heartbeat), add),
        }
        let starts =
            state.producer.created == 0 && state.producer.is_busy(&state.database, &self.pipeline);
        if starts && self.pipeline.producer.idempotence {
            strike_everywhere(Target::Repeated(fault::Call::InitProducerId), add);
        }
    }

    fn broker_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if !self.limits.truncation {
            return;
        }
        add(Strike::BrokerCrash);
        for kept in state.broker.flushed..=state.broker.log_end() {
            add(Strike::PowerLoss { kept });
        }
        add(Strike::DiskLoss);
    }

    fn handling_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        let consumer = &state.consumer;
        if consumer.phase != Phase::Handling {
            return;
        }
        let operation = self.operation(state);
        // Of a skipped record nothing is handled, so nothing can fail.
        let any_left = consumer
            .places(operation.scope)
            .any(|place| consumer.skipped & (1 << place) == 0);
        let acts = |step: Step| match step {
            Step::Process | Step::Remember => any_left,
            Step::SkipIfSeen
            | Step::Commit
            | Step::CommitAsync
            | Step::SaveOffset
            | Step::StoreOffset
            | Step::Produce
            | Step::ProduceAsync
            | Step::Flush => true,
        };
        if operation.contains(Step::Process) && acts(Step::Process) {
            add(Strike::FailBefore);
            add(Strike::FailAfter);
        }
        let stored = self.pipeline.sink.dedup != Dedup::Memory;
        let mut steps = operation.steps();
        if steps.any(|step| touches_sink(step, stored) && acts(step)) {
            add(Strike::SinkUnavailable);
            add(Strike::SinkAnswerLost);
        }
    }

    /// Lets a fault strike, short of paying for it.
    pub(super) fn strike(&self, state: &mut State, strike: Strike) {
        match strike {
            Strike::ProducerCrash => self.crash_producer(state),
            Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::ForgetProducer(_)
            | Strike::Retention => self.strike_upstream(state, strike),
            Strike::ConsumerCrash | Strike::FailBefore | Strike::SinkUnavailable => {
                state.consumer.crash();
            }
            Strike::FailAfter => {
                // Inside a transaction the failure comes before its end and rolls it back.
                if !self.operation(state).transaction {
                    self.run_operation(state);
                }
                state.consumer.crash();
            }
            Strike::SinkAnswerLost => {
                self.run_operation(state);
                state.consumer.crash();
            }
            Strike::DeliveryTimeout => self.expire_send(state),
            Strike::BrokerCrash => {
                self.restart_broker(state, state.broker.log_end(), Synced::AsBefore);
            }
            Strike::PowerLoss { kept } => self.restart_broker(state, kept, Synced::WhatIsLeft),
            Strike::DiskLoss => self.restart_broker(state, 0, Synced::WhatIsLeft),
            Strike::LoseRequest(target) => self.lose_request(state, target),
            Strike::LoseAnswer(target) => self.lose_answer(state, target),
            Strike::Refuse(target) => self.refuse(state, target),
            Strike::Delay(target) => self.delay(state, target),
        }
    }

    fn restart_broker(&self, state: &mut State, kept: u8, synced: Synced) {
        state.broker.restart(kept, synced);
        state
            .limbo
            .retain(|late| matches!(late, Late::Commit { .. }));
        state
            .producer
            .lose_connection(&self.pipeline, &mut state.ledger);
    }

    fn lose_request(&self, state: &mut State, target: Target) {
        match target {
            Target::Produce => self.lose_produce_request(state),
            Target::Commit => self.commit_failed(state),
            Target::BackgroundCommit => state.consumer.pending = None,
            Target::Repeated(_) => {}
        }
    }

    fn lose_answer(&self, state: &mut State, target: Target) {
        match target {
            Target::Produce => self.lose_produce_answer(state),
            Target::Commit => {
                if state.consumer.call == Call::None {
                    self.commit(state);
                }
                self.commit_failed(state);
            }
            Target::BackgroundCommit => self.pending_commit_arrives(state),
            Target::Repeated(_) => {}
        }
    }

    fn refuse(&self, state: &mut State, target: Target) {
        match target {
            Target::Produce => self.refuse_produce(state),
            Target::Commit | Target::BackgroundCommit | Target::Repeated(_) => {
                self.lose_request(state, target)
            }
        }
    }

    fn delay(&self, state: &mut State, target: Target) {
        let generation = state.consumer.generation;
        match target {
            Target::Produce => self.delay_produce(state),
            Target::Commit => {
                let scope = self.operation(state).scope;
                let position = state.consumer.covered(scope, &self.pipeline);
                state.limbo.add(Late::Commit {
                    position,
                    generation,
                });
                self.commit_failed(state);
            }
            Target::BackgroundCommit => {
                if let Some(position) = state.consumer.pending.take() {
                    state.limbo.add(Late::Commit {
                        position,
                        generation,
                    });
                }
            }
            Target::Repeated(_) => {}
        }
    }

    /// The application learns that its commit failed.
    fn commit_failed(&self, state: &mut State) {
        state.consumer.call = Call::None;
        match self.pipeline.consumer.on_commit_failure {
            OnCommitFailure::RetryLatest => {}
            OnCommitFailure::Ignore | OnCommitFailure::RetrySaved => {
                state.consumer.advance(&self.program)
            }
        }
    }
}

/// Every network fault on one call.
fn strike_everywhere(target: Target, add: &mut impl FnMut(Strike)) {
    add(Strike::LoseRequest(target));
    add(Strike::LoseAnswer(target));
    add(Strike::Refuse(target));
    add(Strike::Delay(target));
}
