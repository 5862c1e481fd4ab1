//! Names of stored states.

/// States are spread over this many shards, whatever the number of threads: which state comes
/// first, and hence every reported trace, depends on it.
pub(super) const SHARDS: usize = 1 << SHARD_BITS;
const SHARD_BITS: u32 = 6;

/// States that one shard can name.
pub(super) const SHARD_CAPACITY: u32 = (1 << (32 - SHARD_BITS)) - 1;

/// A state of one exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(u32);

impl StateId {
    /// What stands for the parent of an initial state. No state has this name, because no shard
    /// is filled to its last index.
    const NOBODY: u32 = u32::MAX;

    pub(super) fn new(shard: usize, local: u32) -> Self {
        debug_assert!(shard < SHARDS && local < SHARD_CAPACITY);
        Self(local << SHARD_BITS | shard as u32)
    }

    pub(super) fn shard(self) -> usize {
        self.0 as usize % SHARDS
    }

    pub(super) fn local(self) -> u32 {
        self.0 >> SHARD_BITS
    }

    pub(super) fn to_word(id: Option<Self>) -> u32 {
        id.map_or(Self::NOBODY, |id| id.0)
    }

    pub(super) fn from_word(word: u32) -> Option<Self> {
        (word != Self::NOBODY).then_some(Self(word))
    }
}
