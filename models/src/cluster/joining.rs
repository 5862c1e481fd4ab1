//! A rebalance that spans polls: Java's cooperative consumer.
//!
//! A poll that sends JoinGroup does not wait for it (KIP-266), and under cooperative rebalancing it
//! returns records of the partition that may be revoked (KIP-429,
//! `AbstractCoordinator.ensureActiveGroup`, `ClassicKafkaConsumer.poll`). Until the join is complete
//! the client has no stable generation: it sends no commit and fails it with
//! `RebalanceInProgressException` (`ConsumerCoordinator.sendOffsetCommitRequest`), nor does it
//! commit automatically. What is to be revoked is revoked by a later poll.
//!
//! A commit that waits and is repeated on the spot succeeds once the SyncGroup answer is there, and
//! one that is kept is repeated by the callback: for these a rebalance that spans polls is like one
//! that begins later. So it is modelled where a failed commit is ignored, or nobody waits for it.

use super::{Cluster, State};
use crate::consumer::{Call, Phase};
use crate::group_coordinator::Rebalance;
use crate::order::Step;
use crate::pipeline::{Client, GroupProtocol, OnCommitFailure};

impl Cluster {
    /// Whether an owner that keeps the partition in a rebalance never gives it up.
    pub(super) fn is_cooperative(&self) -> bool {
        self.pipeline.group.protocol == GroupProtocol::Cooperative
    }

    /// Whether it matters to this design that a rebalance may span polls. Workers have their commits
    /// from the poll loop, which may be late as well.
    fn joins_across_polls(&self) -> bool {
        let consumer = &self.pipeline.consumer;
        let ignored = consumer.order.contains(Step::Commit)
            && consumer.on_commit_failure == OnCommitFailure::Ignore;
        self.pipeline.client == Client::Java
            && self.is_cooperative()
            && consumer.workers == 0
            && (ignored || consumer.order.contains(Step::CommitAsync))
    }

    /// Whether the poll that just returned what `who` has in hand may have sent a JoinGroup.
    pub(super) fn may_be_joining(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        let untouched = consumer.operation == 0
            && consumer.cursor == 0
            && consumer.attempts == 0
            && consumer.looked.is_none()
            && consumer.call == Call::None;
        self.joins_across_polls()
            && consumer.phase == Phase::Handling
            && untouched
            && !consumer.retrying
    }

    /// Whether `who` owns the partition and is in the middle of a join.
    pub(super) fn is_joining(&self, state: &State, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        let polls_on = match consumer.phase {
            Phase::Polling | Phase::Handling => consumer.owed.next(self.pipeline.client).is_none(),
            Phase::Down | Phase::Outside | Phase::Idle | Phase::Leaving => false,
        };
        state.group.rebalance.is_some()
            && self.joins_across_polls()
            && polls_on
            && self.owns(state, who)
    }

    /// The owner is in the middle of a join.
    pub(super) fn begin_joining(&self, state: &mut State, who: u16, rebalance: Rebalance) {
        // What is on its way was sent before the JoinGroup.
        self.pending_commit_arrives(state, who);
        state.group.rebalance = Some(rebalance);
    }

    /// The join of the owner is complete: it keeps the partition, or gives it up in this poll.
    pub(super) fn complete_joining(&self, state: &mut State, who: u16) {
        match state.group.rebalance {
            Some(Rebalance { to, .. }) if to == who => self.complete_rebalance(state, who),
            Some(_) => self.begin_leaving(state, who, false),
            None => {}
        }
    }

    /// Whether the commit that `who`'s application makes now fails without being sent, and the
    /// application goes on.
    pub(super) fn ignores_a_commit_while_joining(&self, state: &State, who: u16) -> bool {
        self.pipeline.consumer.on_commit_failure == OnCommitFailure::Ignore
            && self.is_joining(state, who)
    }
}
