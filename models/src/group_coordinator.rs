//! The group coordinator: the generation of the group and its committed offset.
//!
//! **Modelled.** Each join of a member starts a new generation; a commit is taken only of the
//! current one (ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID or STALE_MEMBER_EPOCH otherwise: the classic
//! and the consumer protocol agree for a single member). There is no check that the committed
//! offset grows or exists: a valid member may commit anything (`OffsetMetadataManager`).
//!
//! **Left out.** The coordinator's own log: `offsets.topic.replication.factor` replicas that are
//! written with `acks=all`, so the faults of the one broker that leads the topic's partition do
//! not reach it. A join and the fetch of the committed offset are one step: with a single member
//! no other request of the group can come between that either of them would notice; a late commit
//! of an older generation is refused from the join on.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::offset::{self, Position};

/// The coordinator's view of the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupCoordinator {
    /// How often a member has joined.
    pub generation: u8,
    /// The committed offset.
    pub committed: Option<Position>,
}

impl GroupCoordinator {
    /// A member joins; returns its generation.
    pub fn join(&mut self) -> u8 {
        self.generation += 1;
        self.generation
    }

    /// A member of `generation` commits; whether it was taken.
    pub fn commit(&mut self, position: Position, generation: u8) -> bool {
        let current = generation == self.generation;
        if current {
            self.committed = Some(position);
        }
        current
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        codec.field(&mut self.generation, limits.generations);
        if limits.commits {
            offset::code_optional(&mut self.committed, codec, limits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offset::NextOffset;

    #[test]
    fn a_commit_of_an_older_generation_is_refused() {
        let mut group = GroupCoordinator::default();
        let old = group.join();
        let new = group.join();
        let at = |next| Position::bare(NextOffset(next));
        assert!(!group.commit(at(2), old));
        assert_eq!(group.committed, None);
        assert!(group.commit(at(2), new));
        assert!(group.commit(at(1), new), "offsets need not grow");
        assert_eq!(group.committed, Some(at(1)));
    }
}
