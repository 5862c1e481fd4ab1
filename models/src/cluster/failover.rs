//! The group coordinator moves to another broker. What the fault does to the upstream's transaction
//! coordinator stands in `coordinators.rs`.
//!
//! **Modelled.** The new coordinator replays the log of the group: its members, its last generation
//! and its committed offsets are what they were, and sessions begin anew
//! (`GroupMetadataManager.onLoaded`, `OffsetMetadataManager.replay`). What is under way to the old
//! one is answered NOT_COORDINATOR or not at all, before the commit was written or after that; the
//! clients look for the coordinator and join, fetch and wait again. A commit that nobody waits for is
//! not repeated: it is lost, or was written before. So is librdkafka's automatic commit on leaving.
//! One that the application waits for fails as with a lost request. A late commit comes to a broker
//! that is no longer the coordinator, and is refused.
//!
//! **A rebalance under way** begins again. JoinGroup and SyncGroup are answered NOT_COORDINATOR
//! (`onUnloaded`), the new coordinator knows the group as it was before, stable, and the members join
//! again: what each owes before it gives the partition up is the same. A member whose session had
//! expired in a rebalance that was not complete is a member again; that run is one in which its
//! session expires later.
//!
//! **Transactions of consumers.** Offsets that are pending were written, and the new coordinator has them
//! (`OffsetMetadataManager.replay`; before 4.0 `GroupMetadataManager.doLoadGroupsAndOffsets`).
//! TxnOffsetCommit is repeated until it succeeds, which changes nothing; one that is late is refused. What
//! a transaction coordinator of output producers leaves undone stands in `output_coordinators.rs`.
//!
//! **Left out.** That the coordinator moves back before a late commit arrives. What the offsets topic
//! loses is with `power-loss-all` (see [`crate::group_coordinator`]).

use super::committing::CommitKind;
use super::{Cluster, State};
use crate::action::Strike;
use crate::consumer::Call;

impl Cluster {
    /// Adds the moves of the coordinator, with what is under way written before or not.
    pub(super) fn failovers(&self, add: &mut impl FnMut(Strike)) {
        for written in [false, true] {
            add(Strike::CoordinatorFailover { written });
        }
    }

    /// The coordinator moves.
    pub(super) fn fail_over(&self, state: &mut State, written: bool) {
        state.limbo.retain(|late| !late.is_for_the_group());
        for who in self.everyone() {
            for kind in [
                CommitKind::Background,
                CommitKind::Waiting,
                CommitKind::Owed,
            ] {
                if self.is_under_way(state, kind, who) {
                    match written {
                        true => self.lose_commit_answer(state, kind, who),
                        false => self.lose_commit(state, kind, who),
                    }
                }
            }
        }
    }

    /// Whether a commit of this kind may be on its way to the coordinator, or its answer back.
    pub(super) fn is_under_way(&self, state: &State, kind: CommitKind, who: u16) -> bool {
        let consumer = &state.consumers[usize::from(who)];
        match kind {
            CommitKind::Background => !state.pending(who).is_empty(),
            CommitKind::Owed => consumer.owed.next(self.pipeline.client).is_some(),
            CommitKind::Waiting => match consumer.call {
                // What is not sent is not under way.
                Call::None if self.ignores_a_commit_while_joining(state, who) => false,
                Call::None => self.reductions.whole_calls && self.due_commit(state, who).is_some(),
                Call::Requested | Call::Answered => true,
            },
        }
    }
}
