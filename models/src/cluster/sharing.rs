//! Two consumers of one group share two partitions.
//!
//! **Modelled.** An eager rebalance: every member that is alive is at a poll, gives up what it has, and
//! gets one of the two partitions, or both where it is alone. Range and round-robin give each of two
//! members one (`RangeAssignor`, `RoundRobinAssignor`), in the order of their member ids, which are drawn
//! anew at each join: either may get either. Both positions are read anew. Of a member that dies, or that
//! the group has put out, the other gets the partition as soon as it polls.
//!
//! **In one step.** One member may have given up its partition while the other has records in hand, and
//! the group waits for that (PreparingRebalance). What the first one does meanwhile is nothing, so this
//! is the run in which it comes to its poll later; if the other one dies meanwhile, the one in which it
//! died before.
//!
//! **Left out**, and refused by name: sticky assignors, cooperative rebalancing and the consumer
//! protocol, under which a member keeps one partition while another moves; static members; commits that
//! are owed when a partition is given up.

use super::{Cluster, State};
use crate::consumer::{Consumer, Location, Phase};
use crate::pipeline::OnRevoke;

impl Cluster {
    /// Whether two consumers share two partitions.
    pub(super) fn shares_partitions(&self) -> bool {
        self.limits.second_partition && self.pipeline.group.instances > 1
    }

    /// To whom a rebalance may give the first partition while every member polls; the other member gets
    /// the second.
    pub(super) fn may_share_anew(&self, state: &State) -> Vec<u16> {
        let members = || self.everyone().filter(|who| self.is_member(state, *who));
        let polls = members().all(|who| self.is_at_poll(state, who));
        let owns = members().any(|who| self.owns(state, who));
        match polls && owns {
            true => members().collect(),
            false => Vec::new(),
        }
    }

    /// The members, and `joiner` with them, give up what they have: `to` gets the first partition, and
    /// the second goes to the other member, if there is one.
    pub(super) fn share_anew(&self, state: &mut State, to: u16, joiner: Option<u16>) {
        let drops = self.pipeline.consumer.on_revoke == OnRevoke::DropBuffered;
        for who in self.everyone() {
            if self.is_member(state, who) {
                state.consumers[usize::from(who)].give_up(Phase::Idle, drops, &self.pipeline);
                self.forget_assignment(state, who);
            }
        }
        if let Some(joiner) = joiner {
            self.enter(state, joiner);
            self.forget_assignment(state, joiner);
        }
        self.begin_generation(state);
        let partner = self.other(to).filter(|who| self.is_member(state, *who));
        if self.pipeline.sink.fencing {
            state.sink.fence = state.group.generation;
        }
        self.assign_first(state, to);
        self.assign_second(state, partner.unwrap_or(to));
    }

    fn forget_assignment(&self, state: &mut State, who: u16) {
        if let Some(reader) = state.reader_mut(who) {
            *reader = Default::default();
        }
    }

    fn assign_first(&self, state: &mut State, to: u16) {
        state.group.owner = Some(to);
        let (broker, group, sink) = (&state.broker, &state.group, &state.sink);
        match Consumer::starting_point(&self.pipeline, broker, group, sink) {
            Location::At(position) => {
                state.consumers[usize::from(to)].take(&state.group, position);
            }
            Location::Nowhere => self.crash(state, to),
        }
    }

    fn assign_second(&self, state: &mut State, to: u16) {
        if let Some(other) = state.other.as_deref_mut() {
            other.owner = Some(to);
        }
        let consumer = &mut state.consumers[usize::from(to)];
        match consumer.phase {
            Phase::Idle => {
                consumer.phase = Phase::Polling;
                if let Some(reader) = state.reader_mut(to) {
                    reader.without_first = true;
                }
            }
            // It has the first, too.
            Phase::Polling => {}
            // Its process has ended: it found no offset in the first.
            Phase::Down | Phase::Outside | Phase::Handling | Phase::Leaving => return,
        }
        self.assign_other(state, to);
    }
}
