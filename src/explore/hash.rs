//! Where a packed state belongs.

use super::id::SHARDS;

/// The shard and, within it, the tag of a packed state. Equal states have equal homes; what else
/// shares a home is told apart by its words, so that the quality of this function decides on
/// speed alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    pub(super) shard: usize,
    pub(super) tag: u32,
}

/// How states are spread over their homes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    /// The bits of the hash that are used: all of them, except in tests that force collisions.
    mask: u64,
}

impl Spread {
    pub(super) const FULL: Self = Self { mask: u64::MAX };
    /// Every state in one place.
    #[cfg(test)]
    pub(super) const NONE: Self = Self { mask: 0 };
    /// A few shards with a few tags each.
    #[cfg(test)]
    pub(super) const POOR: Self = Self { mask: 3 << 60 | 3 };

    /// Of the words that a state uses, of `whole` words that it could.
    #[inline]
    pub(super) fn home(self, words: &[u32], whole: usize) -> Home {
        let hash = hash(words, whole) & self.mask;
        Home {
            shard: hash as usize % SHARDS,
            tag: (hash >> 32) as u32,
        }
    }
}

/// The same on every machine and in every run: the order of states rests on it. What `words` leave
/// out of the `whole` counts as zero.
#[inline]
fn hash(words: &[u32], whole: usize) -> u64 {
    let pairs = words.chunks_exact(2);
    let mut last = u64::from(pairs.remainder().first().copied().unwrap_or(0));
    let mut hash = 0x5851_f42d_4c95_7f2d;
    for pair in pairs {
        let pair = u64::from(pair[0]) | u64::from(pair[1]) << 32;
        hash = fold(hash ^ pair, PAIR);
    }
    for _ in words.len() / 2..whole / 2 {
        hash = fold(hash ^ last, PAIR);
        last = 0;
    }
    fold(hash ^ last, 0xd6e8_feb8_6659_fd93)
}

const PAIR: u64 = 0x9fb2_1c65_1e98_df25;

/// Both halves of the product, one over the other.
#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_counts_as_zero() {
        for whole in 0..20 {
            for used in 0..=whole {
                let mut words: Vec<u32> = (1..=used as u32).collect();
                let short = hash(&words, whole);
                words.resize(whole, 0);
                assert_eq!(short, hash(&words, whole));
            }
        }
    }
}
