//! Processes that explore one graph together.

use super::id::SHARDS;
use std::ops::Range;

/// The processes that explore together, seen from one of them.
pub trait Peers {
    /// Which one this is, from 0 on.
    fn number(&self) -> usize;

    /// How many there are.
    fn count(&self) -> usize;

    /// Sends each process, in the order of their numbers, its words, and returns what each has
    /// sent here. All processes call it equally often; none goes on before all have.
    fn exchange(&mut self, outgoing: Vec<Vec<u32>>) -> Result<Vec<Vec<u32>>, Lost>;

    /// Tells every process the same, this one included.
    fn broadcast(&mut self, words: Vec<u32>) -> Result<Vec<Vec<u32>>, Lost> {
        let outgoing = vec![words; self.count()];
        self.exchange(outgoing)
    }
}

/// A process has gone, or does something else than this one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// The shards that the process `number` of `count` owns. They lie side by side, so that the states
/// of a level keep their order when those of one process follow those of the one before.
pub(super) fn shards_of(number: usize, count: usize) -> Range<usize> {
    let cut = |number: usize| number * SHARDS / count;
    cut(number)..cut(number + 1)
}

/// Whose a shard is.
pub(super) fn owner_of(shard: usize, count: usize) -> usize {
    let owns = |number: &usize| shards_of(*number, count).contains(&shard);
    (0..count).find(owns).expect("every shard is somebody's")
}

/// More processes than this would have nothing to store.
pub const MOST_PEERS: usize = SHARDS;
