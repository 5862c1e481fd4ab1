//! The retry topic between its readers and the group coordinator (see [`crate::retries`]).

use super::{Cluster, State};
use crate::fault::Fault;
use crate::limbo::Late;
use crate::offset::{NextOffset, Position};
use crate::pipeline::OffsetReset;
use crate::set::Set;

impl Cluster {
    /// Whether records that fail go to a retry topic.
    pub(super) fn has_retries(&self) -> bool {
        self.limits.retries > 0
    }

    /// `to` reads on in the retry topic where the group has committed.
    pub(super) fn assign_retries(&self, state: &mut State, to: u16) {
        if !self.has_retries() && !self.pipeline.consumer.needs_an_offset_to_retry() {
            return;
        }
        match state.retries.start(self.pipeline.consumer.offset_reset) {
            Some(start) => state.consumers[usize::from(to)].retry_position.next = start,
            // The poll throws, and the process ends.
            None => self.crash(state, to),
        }
    }

    /// Whether `who` has not read all of the retry topic.
    pub(super) fn may_poll_retries(&self, state: &State, who: u16) -> bool {
        state.consumers[usize::from(who)].retry_position.next < state.retries.end()
    }

    /// A poll of `who` returns a record of the retry topic.
    pub(super) fn poll_retries(&self, state: &mut State, who: u16) {
        let consumer = &mut state.consumers[usize::from(who)];
        if let Some(record) = state.retries.record_at(consumer.retry_position.next) {
            consumer.poll_retries(record);
        }
    }

    /// Whether a copy of the record that was not handled may still be read: by who reads, or by who
    /// would start. Where no start finds an offset, all of them may.
    pub(super) fn is_to_be_retried(&self, state: &State, record: u16) -> bool {
        if !self.has_retries() {
            return false;
        }
        let undone = |who: u16| {
            let consumer = &state.consumers[usize::from(who)];
            let position = consumer.retry_position;
            let in_hand = consumer.retrying.then_some(position.in_hand);
            in_hand.map_or(position.next, |offset| offset.min(position.next))
        };
        let reading = self.reading_owners(state).map(undone).min();
        let start = state.retries.start(self.pipeline.consumer.offset_reset);
        let from = reading.or(start).unwrap_or(0);
        state.retries.holds_from(record, from)
    }

    /// Forgets what is committed in the retry topic, and what a late commit would commit, once nobody
    /// will ever begin to read anew.
    pub(super) fn forget_where_retries_begin(&self, state: &mut State) {
        if !self.has_retries() {
            return;
        }
        state.retries.committed = Some(0);
        for late in state.limbo.requests.iter_mut() {
            if let Late::Commit {
                second: Some(position),
                ..
            } = late
            {
                position.next = NextOffset(0);
            }
        }
    }

    /// Drops the entries that nobody can read any more, and those that others stand for, and counts
    /// offsets from the first that is left.
    pub(super) fn settle_retries(&self, state: &mut State) {
        if !self.has_retries() {
            return;
        }
        for consumer in &mut state.consumers {
            if !consumer.reads() {
                consumer.retry_position = Default::default();
            } else if !consumer.retrying {
                consumer.retry_position.in_hand = 0;
            }
        }
        if self.pipeline.consumer.offset_reset == OffsetReset::Earliest {
            // With nothing committed reading begins at the start as well.
            state.retries.committed.get_or_insert(0);
        }
        let named = self.named_retries(state);
        let dropped = state.droppable_retries(&named);
        if !dropped.is_empty() {
            state.drop_retries(&dropped);
        }
    }

    /// The offsets of the retry topic at which reading may go on or begin, or behind which something
    /// may be committed.
    fn named_retries(&self, state: &mut State) -> Set {
        let mut named = Set::default();
        for consumer in state.consumers.iter().filter(|consumer| consumer.retrying) {
            named.insert(consumer.retry_position.in_hand + 1);
        }
        let is_calm = self.reductions.where_to_begin && self.is_calm(state);
        if !is_calm && self.may_begin_at_the_start(state) {
            named.insert(0);
        }
        each_offset(state, |offset, is_of_group| {
            if !(is_of_group && is_calm) {
                named.insert(*offset);
            }
        });
        named
    }

    /// Whether somebody may begin at the start of the retry topic, or, without a valid offset, be kept
    /// from reading it at all.
    fn may_begin_at_the_start(&self, state: &State) -> bool {
        let leads_there = match self.pipeline.consumer.offset_reset {
            OffsetReset::Earliest | OffsetReset::None => true,
            OffsetReset::Latest => false,
        };
        let may_expire =
            || (self.budget).has_left(&state.left, state.left_in_all, Fault::OffsetsExpiry);
        leads_there && (state.retries.committed.is_none() || may_expire())
    }
}

impl State {
    /// The entries of the retry topic below all offsets that are `named`, and those behind another copy
    /// of the same record, between the same two of them, if that can never be handled.
    fn droppable_retries(&self, named: &Set) -> Set {
        let mut dropped = Set::default();
        let mut copies = Set::default();
        let mut is_named = false;
        for (offset, record) in (0..).zip(self.retries.entries.iter()) {
            if named.contains(offset) {
                is_named = true;
                copies = Set::default();
            }
            let is_copy = self.poisoned.contains(*record) && copies.contains(*record);
            if !is_named || is_copy {
                dropped.insert(offset);
            }
            copies.insert(*record);
        }
        dropped
    }

    fn drop_retries(&mut self, dropped: &Set) {
        each_offset(self, |offset, _| *offset -= dropped.count_below(*offset));
        let entries = &mut self.retries.entries;
        for offset in (0..entries.len()).rev() {
            if dropped.contains(offset as u16) {
                entries.remove(offset);
            }
        }
        self.limbo.requests.sort_unstable();
    }
}

/// Visits every offset of the retry topic that a state holds, and whether it is one of the group's
/// coordinator, or on its way there.
fn each_offset(state: &mut State, mut visit: impl FnMut(&mut u16, bool)) {
    if let Some(committed) = &mut state.retries.committed {
        visit(committed, true);
    }
    for consumer in &mut state.consumers {
        if consumer.reads() {
            visit(&mut consumer.retry_position.next, false);
        }
        if consumer.retrying {
            visit(&mut consumer.retry_position.in_hand, false);
        }
    }
    for late in state.limbo.requests.iter_mut() {
        if let Late::Commit {
            second: Some(Position { next, .. }),
            ..
        } = late
        {
            visit(&mut next.0, true);
        }
    }
}
