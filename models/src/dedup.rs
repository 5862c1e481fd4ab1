//! The dedup store: which records are known to be processed.
//!
//! **Modelled.** A set of keys: identities or offsets. Where the store forgets (`dedup-window`, or
//! the fault `dedup-expiry`), the oldest entry goes first; an insert of a key that is there
//! already does not make it younger.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::list::List;
use crate::pipeline::{DedupKey, Pipeline};
use crate::set::Set;

/// A dedup store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DedupStore {
    /// The keys.
    pub keys: Set,
    /// The keys in the order of their insertion, where the store forgets.
    pub order: List<u16, 4>,
}

impl DedupStore {
    /// Whether `key` is there.
    pub fn knows(&self, key: u16) -> bool {
        self.keys.contains(key)
    }

    /// Inserts `key`; whether it was there already.
    pub fn insert(&mut self, key: u16, limits: &Limits, pipeline: &Pipeline) -> bool {
        let known = self.knows(key);
        self.keys.insert(key);
        if !known && limits.dedup_forgets {
            if pipeline.sink.dedup_window == Some(self.order.len() as u16) {
                self.forget_oldest();
            }
            self.order.push(key);
        }
        known
    }

    /// Forgets the oldest entry.
    pub fn forget_oldest(&mut self) {
        if !self.order.is_empty() {
            let oldest = self.order.remove(0);
            self.keys.remove(oldest);
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        let keys = dedup_keys(limits, pipeline);
        if !limits.dedup_forgets {
            self.keys.code(codec, keys);
            return;
        }
        self.order.code(codec, limits.remembered, |key, codec| {
            codec.field(key, keys.saturating_sub(1));
        });
        self.keys = self.order.iter().copied().collect();
    }
}

/// How many dedup keys there are.
pub fn dedup_keys(limits: &Limits, pipeline: &Pipeline) -> u16 {
    match pipeline.sink.dedup_key {
        DedupKey::Record => limits.records,
        DedupKey::Offset => limits.log,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_is_forgotten_first() {
        let mut store = DedupStore::default();
        for key in [2, 0, 1] {
            store.keys.insert(key);
            store.order.push(key);
        }
        store.forget_oldest();
        assert!(!store.knows(2) && store.knows(0) && store.knows(1));
        store.forget_oldest();
        assert!(store.keys.iter().eq([1]));
    }
}
