//! Commits to the group coordinator: those that the application waits for, those that nobody waits
//! for, and those that are owed on leaving.

use super::{Cluster, State};
use crate::consumer::commits::OwedCommit;
use crate::consumer::{Call, Phase, Recovery};
use crate::limbo::Late;
use crate::offset::Position;
use crate::order::Step;
use crate::partitions::Covered;
use crate::pipeline::{Client, GroupProtocol, OnCommitFailure};
use crate::program::{LoopCommit, Scope};

impl Cluster {
    /// Whether the coordinator takes a commit of `who`, as its client sends it.
    ///
    /// A Java client of the consumer protocol that has left the group after
    /// `max.poll.interval.ms` commits with member epoch -1, as a consumer without a group does: that
    /// is taken while the group has no member (`CommitRequestManager`,
    /// `ConsumerGroup.validateOffsetCommit`).
    pub(super) fn takes_commits_of(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        let without_member = self.pipeline.client == Client::Java
            && self.pipeline.group.protocol == GroupProtocol::Consumer
            && consumer.slow
            && self.group_is_empty(state);
        !self.pipeline.subscribes()
            || consumer.generation == state.group.generation
            || without_member
    }

    /// A commit of `who` reaches the coordinator; whether it was taken. A commit that was on its
    /// way before it came before it.
    fn commit(&self, state: &mut State, who: u16, covered: Covered) -> bool {
        let taken = self.takes_commits_of(state, who);
        state.set_pending(who, Covered::default());
        if taken {
            self.are_committed(state, state.by_partition(who, covered));
        }
        taken
    }

    /// The coordinator takes a commit in the first partition that is not part of a transaction.
    pub(super) fn is_committed(&self, state: &mut State, position: Position) {
        state.group.committed = Some(position);
        if let Some(output) = &mut state.output {
            output.overrule(position);
        }
    }

    /// The commit that `who`'s application makes next and waits for.
    pub(super) fn due_commit(&self, state: &State, who: u16) -> Option<Covered> {
        let consumer = &state.consumers[usize::from(who)];
        if self.pipeline.consumer.workers > 0 {
            let position = match self.program.loop_commit {
                Some(LoopCommit::Waiting) => consumer
                    .called
                    .or_else(|| consumer.covered_by_crew(&self.pipeline)),
                Some(LoopCommit::Async) | None => None,
            };
            return position.map(|position| Covered::here(Some(position)));
        }
        if consumer.phase != Phase::Handling {
            return None;
        }
        let operation = self.operation(state, who);
        match consumer.recovery {
            Recovery::None
                if operation.contains(Step::Commit) && operation.output_step().is_none() =>
            {
                Some(self.covered(state, who, consumer, operation.scope))
            }
            Recovery::None | Recovery::Write => None,
            Recovery::Commit => {
                let alone = Scope::Record { first: 0, last: 0 };
                let mut at_failing = consumer.clone();
                at_failing.cursor = consumer.failing;
                Some(self.covered(state, who, &at_failing, alone))
            }
        }
    }

    /// The application commits and waits.
    pub(super) fn commit_and_wait(&self, state: &mut State, who: u16) {
        if self.ignores_a_commit_while_joining(state, who) {
            self.commit_failed(state, who);
            return;
        }
        if !self.reductions.whole_calls && state.consumers[usize::from(who)].call == Call::None {
            let called = self.due_commit(state, who);
            let consumer = &mut state.consumers[usize::from(who)];
            consumer.call = Call::Requested;
            if self.pipeline.consumer.workers > 0 {
                consumer.called = called.and_then(|called| called.here);
            }
            return;
        }
        self.commit_is_handled(state, who);
        if state.consumers[usize::from(who)].call == Call::Answered {
            self.commit_is_answered(state, who);
        }
    }

    /// The commit that the application waits for reaches the coordinator. A refusal is told at
    /// once: what others do before the answer arrives could as well come before or after.
    pub(super) fn commit_is_handled(&self, state: &mut State, who: u16) {
        let Some(covered) = self.due_commit(state, who) else {
            return;
        };
        let taken = self.commit(state, who, covered);
        state.consumers[usize::from(who)].call = Call::Answered;
        if !taken && self.pipeline.consumer.on_commit_failure != OnCommitFailure::Ignore {
            self.lose(state, who);
        }
    }

    /// The answer arrives, and the application goes on.
    pub(super) fn commit_is_answered(&self, state: &mut State, who: u16) {
        let due = self.due_commit(state, who);
        if let Some(covered) = due.filter(|_| self.takes_commits_of(state, who)) {
            state.is_known(who, covered);
        }
        state.consumers[usize::from(who)].call = Call::None;
        self.commit_is_over(state, who);
    }

    /// On from the commit that the application has made.
    fn commit_is_over(&self, state: &mut State, who: u16) {
        let due = self.due_commit(state, who);
        let consumer = &mut state.consumers[usize::from(who)];
        if self.pipeline.consumer.workers > 0 {
            if let Some(position) = due.and_then(|due| due.here) {
                consumer.crew.committed = position.next.0;
            }
            consumer.called = None;
        } else if consumer.recovery == Recovery::Commit {
            consumer.recovery = Recovery::Write;
        } else {
            consumer.advance(&self.program);
        }
    }

    /// The application learns that its commit failed.
    fn commit_failed(&self, state: &mut State, who: u16) {
        let due = self.due_commit(state, who);
        let consumer = &mut state.consumers[usize::from(who)];
        consumer.call = Call::None;
        match self.pipeline.consumer.on_commit_failure {
            OnCommitFailure::RetryLatest => {
                consumer.called = None;
                return;
            }
            OnCommitFailure::RetrySaved => {
                consumer.failed_commit = due.and_then(|due| due.here);
            }
            OnCommitFailure::Ignore => {}
        }
        self.commit_is_over(state, who);
    }

    /// The poll loop commits its workers' work.
    pub(super) fn commit_done(&self, state: &mut State, who: u16) {
        match self.program.loop_commit {
            Some(LoopCommit::Waiting) => self.commit_and_wait(state, who),
            Some(LoopCommit::Async) => {
                let consumer = &mut state.consumers[usize::from(who)];
                if let Some(position) = consumer.covered_by_crew(&self.pipeline) {
                    consumer.pending = Some(position);
                    consumer.crew.committed = position.next.0;
                }
            }
            None => {}
        }
    }

    /// The offset whose commit failed is committed again.
    pub(super) fn commit_saved(&self, state: &mut State, who: u16) {
        let saved = state.consumers[usize::from(who)].failed_commit.take();
        let Some(position) = saved else {
            return;
        };
        let covered = Covered::here(Some(position));
        if self.commit(state, who, covered) {
            state.is_known(who, covered);
        } else {
            self.lose(state, who);
        }
    }

    /// The client commits on its own.
    pub(super) fn commit_automatically(&self, state: &mut State, who: u16) {
        let Some(due) = self.automatic_commit(state, who) else {
            return;
        };
        let before = state.pending(who);
        let pending = Covered {
            here: due.here.or(before.here),
            there: due.there.or(before.there),
        };
        state.set_pending(who, pending);
    }

    /// The commit that nobody waits for reaches the coordinator, and its answer the client.
    pub(super) fn commit_arrives(&self, state: &mut State, who: u16) {
        state.is_known(who, state.pending(who));
        self.pending_commit_arrives(state, who);
    }

    /// The commit that nobody waits for reaches the coordinator.
    pub(super) fn pending_commit_arrives(&self, state: &mut State, who: u16) {
        let pending = state.pending_commits(who);
        state.set_pending(who, Covered::default());
        if self.takes_commits_of(state, who) {
            self.are_committed(state, pending);
        }
    }

    /// One that leaves does the next commit that it owes; one in the middle of a join completes it.
    pub(super) fn leave(&self, state: &mut State, who: u16) {
        if self.is_joining(state, who) {
            self.complete_joining(state, who);
            return;
        }
        self.owed_commit_arrives(state, who);
        self.owed_commit_is_over(state, who);
    }

    fn owed_commit_arrives(&self, state: &mut State, who: u16) {
        let covered = self.covered_by_owed(state, who);
        if !covered.is_empty() {
            self.commit(state, who, covered);
        }
    }

    fn owed_commit_is_over(&self, state: &mut State, who: u16) {
        state.consumers[usize::from(who)]
            .owed
            .done(self.pipeline.client);
        self.leave_if_nothing_is_owed(state, who);
    }

    /// A commit owed on leaving is lost with its request, or refused.
    fn owed_commit_failed(&self, state: &mut State, who: u16) {
        let owed = state.consumers[usize::from(who)]
            .owed
            .next(self.pipeline.client);
        let repeated = match owed {
            Some(OwedCommit::Automatic) => self.pipeline.client == Client::Java,
            Some(OwedCommit::Saved | OwedCommit::Callback) => {
                self.pipeline.consumer.on_commit_failure == OnCommitFailure::RetryLatest
            }
            None => false,
        };
        if !repeated {
            self.owed_commit_is_over(state, who);
        }
    }

    pub(super) fn lose_commit(&self, state: &mut State, kind: CommitKind, who: u16) {
        match kind {
            CommitKind::Waiting => self.commit_failed(state, who),
            CommitKind::Background => state.set_pending(who, Covered::default()),
            CommitKind::Owed => self.owed_commit_failed(state, who),
        }
    }

    pub(super) fn lose_commit_answer(&self, state: &mut State, kind: CommitKind, who: u16) {
        match kind {
            CommitKind::Waiting => {
                if state.consumers[usize::from(who)].call == Call::None
                    && let Some(covered) = self.due_commit(state, who)
                {
                    self.commit(state, who, covered);
                }
                self.commit_failed(state, who);
            }
            CommitKind::Background => self.pending_commit_arrives(state, who),
            CommitKind::Owed => {
                self.owed_commit_arrives(state, who);
                self.owed_commit_failed(state, who);
            }
        }
    }

    pub(super) fn delay_commit(&self, state: &mut State, kind: CommitKind, who: u16) {
        let consumer = &state.consumers[usize::from(who)];
        let covered = match kind {
            CommitKind::Waiting => self.due_commit(state, who).unwrap_or_default(),
            CommitKind::Background => state.pending(who),
            CommitKind::Owed => self.covered_by_owed(state, who),
        };
        let generation = consumer.generation;
        if !covered.is_empty() {
            let [position, second] = state.by_partition(who, covered);
            state.limbo.add(Late::Commit {
                position,
                second,
                generation,
            });
        }
        self.lose_commit(state, kind, who);
    }
}

/// Which commit a network fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommitKind {
    /// One that the application waits for.
    Waiting,
    /// One that nobody waits for.
    Background,
    /// One that is owed on leaving.
    Owed,
}
