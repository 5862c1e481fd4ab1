//! The states of one level.

use std::ops::Range;

use super::id::{SHARDS, StateId};

/// The states of one level, in canonical order: shard by shard, each in the order of its indices.
/// They are ranges of what is stored, so that a frontier takes no room of its own.
#[derive(Clone, Debug)]
pub(super) struct Frontier {
    starts: [u32; SHARDS],
    ends: [u32; SHARDS],
}

impl Frontier {
    /// All states of shards with these lengths.
    pub(super) fn all(lens: [u32; SHARDS]) -> Self {
        Self {
            starts: [0; SHARDS],
            ends: lens,
        }
    }

    /// What was stored beyond this level, now that the shards have these lengths.
    pub(super) fn next(&self, lens: [u32; SHARDS]) -> Self {
        Self {
            starts: self.ends,
            ends: lens,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.ranges().map(|(_, range)| range.len() as u64).sum()
    }

    pub(super) fn contains(&self, id: StateId) -> bool {
        let shard = id.shard();
        (self.starts[shard]..self.ends[shard]).contains(&id.local())
    }

    /// Whether the state lies deeper than this level.
    #[inline]
    pub(super) fn is_above(&self, id: StateId) -> bool {
        id.local() >= self.ends[id.shard()]
    }

    fn ranges(&self) -> impl Iterator<Item = (usize, Range<u32>)> {
        let bounds = self.starts.iter().zip(&self.ends);
        bounds.map(|(start, end)| *start..*end).enumerate()
    }

    /// The states at these positions.
    pub(super) fn states(&self, positions: Range<u64>) -> impl Iterator<Item = StateId> {
        let mut before = 0;
        self.ranges().flat_map(move |(shard, range)| {
            let len = range.len() as u64;
            let from = positions.start.saturating_sub(before).min(len) as u32;
            let to = positions.end.saturating_sub(before).min(len) as u32;
            before += len;
            (range.start + from..range.start + to).map(move |local| StateId::new(shard, local))
        })
    }
}

/// A level, and the states of it that are not at rest and of which it is not known that a step that is
/// no fault leads deeper.
#[derive(Debug)]
pub(super) struct LevelOff {
    pub(super) level: Frontier,
    pub(super) states: Vec<StateId>,
}

impl LevelOff {
    pub(super) fn of(level: Frontier, mut states: Vec<StateId>) -> Self {
        states.shrink_to_fit();
        Self { level, states }
    }

    /// The memory held.
    pub(super) fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.states.len() * size_of::<StateId>()) as u64
    }
}
