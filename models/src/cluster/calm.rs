//! A reduction: once no fault is left and every consumer is a member again, nobody will ever start
//! to read anew, so where reading would begin is of no interest any more.

use super::{Cluster, State};
use crate::consumer::Phase;
use crate::offset::{NextOffset, Position};
use crate::pipeline::{AutoCommit, OffsetReset};

impl Cluster {
    /// Forgets the committed and the saved offset where nothing reads them again. Whether a commit
    /// is still on its way, or due, stays: steps are left as they are.
    pub(super) fn forget_where_to_begin(&self, state: &mut State) {
        if !self.is_calm(state) {
            return;
        }
        let keeps = self.pipeline.consumer.auto_commit == AutoCommit::AtPoll;
        // Java commits again what differs from what it committed last. Positions only grow now.
        let lowest = |partition: usize| {
            let positions = self.everyone().filter(|_| keeps);
            let positions = positions.filter_map(|who| state.positions(who)[partition]);
            positions.map(|position| position.next).min()
        };
        let lowest = [lowest(0), lowest(1)];
        let is_read_from = |partition: usize, committed: &Position| {
            lowest[partition].is_some_and(|lowest| lowest <= committed.next)
        };
        let first = state.group.committed.filter(|at| is_read_from(0, at));
        let there = state.other.as_deref().and_then(|other| other.committed);
        let second = there.filter(|at| is_read_from(1, at));
        state.group.committed = first;
        if let Some(other) = state.other.as_deref_mut() {
            other.committed = second;
        }
        self.forget_where_retries_begin(state);
        if !self.pipeline.sink.version_guard {
            state.sink.saved = None;
        }
        if let Some(output) = &mut state.output {
            let pending = output.pending.iter_mut();
            for own in pending.filter(|own| !is_read_from(0, &own.position)) {
                own.position = Position::bare(NextOffset(0));
            }
        }
        for consumer in &mut state.consumers {
            if self.pipeline.consumer.auto_commit == AutoCommit::Off {
                forget_offset(&mut consumer.pending);
            }
            if !keeps {
                forget_offset(&mut consumer.failed_commit);
            }
            if self.pipeline.consumer.workers == 0 {
                consumer.assigned_at = 0;
            }
        }
    }

    /// Whether no consumer will ever be assigned the partition again: no fault can strike, nothing
    /// is left to fail by itself, and every consumer is a member, one of them the owner.
    pub(super) fn is_calm(&self, state: &State) -> bool {
        let settings = &self.pipeline;
        let positions_are_lost = (self.limits.truncation || self.limits.retention)
            && settings.consumer.offset_reset == OffsetReset::None;
        let is_refused = |who: u16| {
            settings.sink.version_guard
                && self.limits.saves
                && state.consumers[usize::from(who)].expected != state.sink.saved
        };
        let is_settled = |who: u16| {
            let consumer = &state.consumers[usize::from(who)];
            let at_work = match consumer.phase {
                Phase::Idle => true,
                Phase::Polling | Phase::Handling => !is_refused(who),
                Phase::Down | Phase::Outside | Phase::Leaving => false,
            };
            let reads = consumer.reads();
            at_work
                && consumer.owed.next(self.pipeline.client).is_none()
                && if settings.subscribes() {
                    self.is_member(state, who)
                } else {
                    reads
                }
        };
        // Who hears of another partition may be assigned everything anew. A producer whose results were cut
        // off may fail later, when no fault is left.
        !self.limits.adds_partition
            && self.output_topic().is_none()
            && state.left_in_all == 0
            && state.poisoned.is_empty()
            && state.group.rebalance.is_none()
            && !positions_are_lost
            && self.ends_its_transactions(state)
            && self.everyone().all(is_settled)
            && self.reading_owners(state).next().is_some()
    }
}

/// That there is a commit matters, its offset does not.
fn forget_offset(commit: &mut Option<Position>) {
    if let Some(position) = commit {
        *position = Position::bare(NextOffset(0));
    }
}
