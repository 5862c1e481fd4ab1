//! The group coordinator: who owns the partition, in which generation, and the committed offset.
//!
//! **Modelled.** A classic group (eager or cooperative) or one of the consumer protocol (KIP-848),
//! with up to two members of which one owns the partition; `assign` without a group. Every change
//! of membership starts a new generation, which the members that are alive learn by rejoining; a
//! commit is taken of the current one only (ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID,
//! FENCED_INSTANCE_ID or STALE_MEMBER_EPOCH otherwise). There is no check that a committed offset
//! grows or exists, nor that the partition belongs to the member: a valid member may commit
//! anything, backwards too (`OffsetMetadataManager`, `ConsumerGroup.validateOffsetCommit`). With
//! `assign` a commit carries no member and is taken as long as the group has none.
//!
//! A classic rebalance waits until every member polls: until then the group takes commits of the
//! old generation (`ClassicGroup`, PreparingRebalance), so a join that waits for an owner in the
//! middle of its records is the same as one that comes later. That a member does not come in time
//! is the fault `slow-processing`.
//!
//! Two members that share two partitions are in `cluster/sharing.rs`.
//!
//! **Assignors.** Range and round-robin give the partition to whichever member sorts first, and
//! member ids are drawn anew at each join: any member may get it. A sticky one leaves it with an
//! owner that is still a member.
//!
//! **Power.** The coordinator's log has `offsets.topic.replication.factor` replicas that are
//! written with `acks=all`, so the faults of the one broker that leads the topic's partition do not
//! reach it. Nobody flushes them unless the broker's `log.flush.interval.messages` says so: when
//! every broker loses power, any number of the latest commits may be gone. A commit that was made
//! before counts from when it was first made; only a second loss of power could tell.
//!
//! **Left out.** The assignment and the fetch of the committed offset are one step, unless an offset is
//! pending that may stay so: a commit of an older generation is refused from the assignment on, and
//! what the new owner itself commits comes later. A rebalance while the owner waits for its offset is
//! left out where nobody joins: it only changes who waits. The death of a member that owns nothing rebalances the group when that member comes
//! back, not also when its session expires: the owner gives the partition up and gets it back in
//! the same way at both. Generations are only compared, so they are numbered anew in every state,
//! in their order: a loop of failures cannot make them grow.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::list::List;
use crate::offset::{self, Position};

/// The coordinator's view of the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupCoordinator {
    /// The current generation.
    pub generation: u16,
    /// The consumer that the partition is assigned to, alive or not; with `assign`: none.
    pub owner: Option<u16>,
    /// The rebalance that waits for the owner to give the partition up.
    pub rebalance: Option<Rebalance>,
    /// The committed offset.
    pub committed: Option<Position>,
    /// Where every broker may lose power: the different commits so far, in the order in which each
    /// was first made, as long as none of them need be on disk.
    pub history: List<Position, 2>,
}

/// A rebalance under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rebalance {
    /// The consumer that gets the partition.
    pub to: u16,
    /// Whether the other consumer joins with it.
    pub joins: bool,
}

impl GroupCoordinator {
    /// A member of `generation` commits; whether it was taken.
    pub fn commit(&mut self, position: Position, generation: u16) -> bool {
        let current = generation == self.generation;
        if current {
            self.committed = Some(position);
        }
        current
    }

    /// Keeps in mind what was committed last.
    pub fn remember(&mut self) {
        if let Some(position) = self.committed
            && !self.history.contains(&position)
        {
            self.history.push(position);
        }
    }

    /// Of the commits, the first `kept` were on disk.
    pub fn lose_commits(&mut self, kept: u16) {
        let last = usize::from(kept).checked_sub(1);
        let left = last.and_then(|last| self.history.get(last).copied());
        if left != self.committed {
            self.history.truncate(usize::from(kept));
            self.committed = left;
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        codec.field(&mut self.generation, limits.generations);
        if let Some(sole) = limits.sole_owner {
            self.owner = Some(sole);
        } else {
            let mut owner = self.owner.map_or(0, |owner| owner + 1);
            codec.field(&mut owner, limits.instances);
            self.owner = owner.checked_sub(1);
        }
        if limits.leaves {
            let mut there = self.rebalance.is_some();
            codec.flag(&mut there);
            let mut rebalance = self.rebalance.unwrap_or_default();
            codec.field(&mut rebalance.to, limits.instances - 1);
            codec.flag_if(limits.instances > 1, &mut rebalance.joins);
            self.rebalance = there.then_some(rebalance);
        }
        if limits.commits {
            offset::code_optional(&mut self.committed, codec, limits);
        }
        if limits.history > 0 {
            self.history.code(codec, limits.history, |position, codec| {
                position.code(codec, limits);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offset::NextOffset;

    #[test]
    fn a_commit_of_an_older_generation_is_refused() {
        let mut group = GroupCoordinator {
            generation: 2,
            ..GroupCoordinator::default()
        };
        let at = |next| Position::bare(NextOffset(next));
        assert!(!group.commit(at(2), 1));
        assert_eq!(group.committed, None);
        assert!(group.commit(at(2), 2));
        assert!(group.commit(at(1), 2), "offsets need not grow");
        assert_eq!(group.committed, Some(at(1)));
    }
}
