//! The steps that are not faults: which are enabled, and what each does.

use super::{Cluster, State};
use crate::action::Action;
use crate::application::Workplace;
use crate::consumer::{Call, Consumer, Location, Phase};
use crate::limbo::Late;
use crate::order::Step;
use crate::program::Operation;

impl Cluster {
    /// Adds the enabled steps that are not faults. One that would change nothing may be among
    /// them; [`stateright::Model::next_state`] drops it.
    pub(super) fn free_actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.producer_actions(state, actions);
        self.consumer_actions(state, actions);
        for slot in 0..state.limbo.requests.len() {
            actions.push(Action::LateArrives(slot as u8));
        }
    }

    fn consumer_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let consumer = &state.consumer;
        match consumer.phase {
            Phase::Down => actions.push(Action::Join),
            Phase::Polling if consumer.relocation(&self.pipeline, &state.broker).is_some() => {
                actions.push(Action::Relocate);
            }
            Phase::Polling => {
                let unread = state.broker.log_end() - consumer.position().next.0;
                for count in 1..=unread.min(self.limits.poll) {
                    actions.push(Action::Poll(count));
                }
            }
            Phase::Handling => actions.push(match consumer.call {
                Call::None => Action::Operate,
                Call::Requested => Action::HandleCommit,
                Call::Answered => Action::ReceiveCommitAnswer,
            }),
        }
        if consumer
            .automatic_commit(&self.pipeline, &state.group)
            .is_some()
        {
            actions.push(Action::CommitAutomatically);
        }
        if consumer.pending.is_some() {
            actions.push(Action::CommitArrives);
        }
    }

    /// Takes a step that is not a fault.
    pub(super) fn step(&self, state: &mut State, action: Action) {
        let pipeline = &self.pipeline;
        match action {
            Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::Transmit
            | Action::HandleProduce
            | Action::ReceiveAnswer
            | Action::Expire
            | Action::FailTooLate => self.producer_step(state, action),
            Action::Join => self.join(state),
            Action::Relocate => self.relocate(state),
            Action::Poll(count) => state.consumer.poll(count, pipeline, &state.broker),
            Action::Operate => self.operate(state),
            Action::HandleCommit => {
                self.commit(state);
                state.consumer.call = Call::Answered;
            }
            Action::ReceiveCommitAnswer => {
                state.consumer.call = Call::None;
                state.consumer.advance(&self.program);
            }
            Action::CommitAutomatically => {
                let due = state.consumer.automatic_commit(pipeline, &state.group);
                state.consumer.pending = due.or(state.consumer.pending);
            }
            Action::CommitArrives => {
                state.consumer.known_committed = state.consumer.pending.map(|sent| sent.next);
                self.pending_commit_arrives(state);
            }
            Action::LateArrives(slot) => self.late_arrives(state, slot),
            Action::Fault { .. } => unreachable!("a fault is not a free step"),
        }
    }

    fn join(&self, state: &mut State) {
        let start =
            Consumer::starting_point(&self.pipeline, &state.broker, &state.group, &state.sink);
        if let Location::At(position) = start {
            state.group.join();
            state.consumer.join(&state.group, position);
        }
    }

    fn relocate(&self, state: &mut State) {
        match state.consumer.relocation(&self.pipeline, &state.broker) {
            Some(Location::At(position)) => state.consumer.seek(position),
            Some(Location::Nowhere) => state.consumer.crash(),
            None => {}
        }
    }

    /// The operation that the application does next.
    pub(super) fn operation<'a>(&'a self, state: &State) -> &'a Operation {
        &self.program.operations[usize::from(state.consumer.operation)]
    }

    /// Whether the application is about to commit and to wait for the answer.
    pub(super) fn is_committing(&self, state: &State) -> bool {
        state.consumer.phase == Phase::Handling && self.operation(state).contains(Step::Commit)
    }

    fn operate(&self, state: &mut State) {
        match (self.is_committing(state), self.reductions.whole_calls) {
            (true, false) => {
                state.consumer.call = Call::Requested;
                return;
            }
            (true, true) => self.commit(state),
            (false, _) => self.run_operation(state),
        }
        state.consumer.advance(&self.program);
    }

    /// Does the operation's work, short of going on to the next one.
    pub(super) fn run_operation(&self, state: &mut State) {
        let operation = self.operation(state);
        let mut workplace = Workplace {
            consumer: &mut state.consumer,
            sink: &mut state.sink,
            ledger: &mut state.ledger,
        };
        workplace.run(operation, &self.pipeline);
    }

    /// The commit that the application waits for reaches the coordinator. A commit that was on
    /// its way before it came before it.
    pub(super) fn commit(&self, state: &mut State) {
        let scope = self.operation(state).scope;
        let covered = state.consumer.covered(scope, &self.pipeline);
        state.group.commit(covered, state.consumer.generation);
        state.consumer.pending = None;
        state.consumer.known_committed = Some(covered.next);
    }

    /// The commit that nobody waits for reaches the coordinator.
    pub(super) fn pending_commit_arrives(&self, state: &mut State) {
        if let Some(position) = state.consumer.pending.take() {
            state.group.commit(position, state.consumer.generation);
        }
    }

    fn late_arrives(&self, state: &mut State, slot: u8) {
        match state.limbo.requests.remove(usize::from(slot)) {
            Late::Produce { record, stamp } => self.late_produce_arrives(state, record, stamp),
            Late::Commit {
                position,
                generation,
            } => {
                state.group.commit(position, generation);
            }
        }
    }
}
