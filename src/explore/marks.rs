//! Sets of stored states.

use std::sync::atomic::{AtomicU32, Ordering};

use super::id::StateId;
use super::store::Store;

/// One bit for each stored state.
pub(super) struct Marks {
    shards: Vec<Shard>,
}

struct Shard {
    len: u32,
    bits: Vec<AtomicU32>,
}

impl Marks {
    pub(super) fn new(store: &Store) -> Self {
        let shard = |len: u32| Shard {
            len,
            bits: (0..len.div_ceil(32)).map(|_| AtomicU32::new(0)).collect(),
        };
        Self {
            shards: store.lens().into_iter().map(shard).collect(),
        }
    }

    pub(super) fn bytes(store: &Store) -> u64 {
        let words = store.lens().map(|len| u64::from(len.div_ceil(32)));
        words.iter().sum::<u64>() * size_of::<AtomicU32>() as u64
    }

    fn bit(&self, id: StateId) -> (&AtomicU32, u32) {
        let word = &self.shards[id.shard()].bits[id.local() as usize / 32];
        (word, 1 << (id.local() % 32))
    }

    // Bits are only ever set, and a mark seen late is seen in a later sweep: no order is needed.

    pub(super) fn marked(&self, id: StateId) -> bool {
        let (word, bit) = self.bit(id);
        word.load(Ordering::Relaxed) & bit != 0
    }

    /// Marks a state, and answers whether this call did it.
    pub(super) fn mark(&self, id: StateId) -> bool {
        let (word, bit) = self.bit(id);
        word.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    pub(super) fn first_unmarked(&self, shard: usize) -> Option<StateId> {
        let ids = (0..self.shards[shard].len).map(|local| StateId::new(shard, local));
        ids.into_iter().find(|id| !self.marked(*id))
    }
}
