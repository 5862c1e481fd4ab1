//! The dedup store: which records are known to be processed.
//!
//! **Modelled.** A set of keys: identities or offsets. Where the store forgets (`dedup-window`, or
//! the fault `dedup-expiry`), the oldest entry goes first; an insert of a key that is there
//! already does not make it younger.

use crate::bounded::List;
use crate::codec::Codec;
use crate::limits::{Limits, MAX_REMEMBERED};
use crate::pipeline::{DedupKey, Pipeline};

/// A dedup store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DedupStore {
    /// The keys, as a set of bits.
    pub keys: u32,
    /// The keys in the order of their insertion, where the store forgets.
    pub order: List<u8, MAX_REMEMBERED>,
}

impl DedupStore {
    /// Whether `key` is there.
    pub fn knows(&self, key: u8) -> bool {
        self.keys & (1 << key) != 0
    }

    /// Inserts `key`; whether it was there already.
    pub fn insert(&mut self, key: u8, limits: &Limits, pipeline: &Pipeline) -> bool {
        let known = self.knows(key);
        self.keys |= 1 << key;
        if !known && limits.dedup_forgets {
            if pipeline.sink.dedup_window == Some(self.order.len() as u8) {
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
            self.keys &= !(1 << oldest);
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        let keys = dedup_keys(limits, pipeline);
        if !limits.dedup_forgets {
            codec.set(&mut self.keys, keys);
            return;
        }
        self.order.code(codec, limits.remembered, |key, codec| {
            codec.field(key, keys.saturating_sub(1));
        });
        self.keys = self.order.iter().fold(0, |keys, key| keys | 1 << key);
    }
}

/// How many dedup keys there are.
pub fn dedup_keys(limits: &Limits, pipeline: &Pipeline) -> u8 {
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
            store.keys |= 1 << key;
            store.order.push(key);
        }
        store.forget_oldest();
        assert!(!store.knows(2) && store.knows(0) && store.knows(1));
        store.forget_oldest();
        assert_eq!(store.keys, 0b10);
    }
}
