//! All stored states.

use super::hash::{Home, Spread};
use super::id::{SHARDS, StateId};
use super::outbox::Records;
use super::shard::{Full, Shard};
use super::workers::for_each;

/// Every state found so far, exactly, and for each the one it was first found from.
#[derive(Debug)]
pub(super) struct Store {
    shards: Vec<Shard>,
    spread: Spread,
    /// The most words of a state.
    state_words: usize,
}

impl Store {
    pub(super) fn new(state_words: usize, spread: Spread) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::new(state_words)).collect(),
            spread,
            state_words,
        }
    }

    #[inline]
    pub(super) fn home(&self, words: &[u32]) -> Home {
        self.spread.home(words, self.state_words)
    }

    pub(super) fn len(&self) -> u64 {
        self.lens().map(u64::from).iter().sum()
    }

    pub(super) fn lens(&self) -> [u32; SHARDS] {
        std::array::from_fn(|shard| self.shards[shard].len())
    }

    #[inline]
    pub(super) fn words(&self, id: StateId) -> &[u32] {
        self.shards[id.shard()].words(id.local())
    }

    pub(super) fn parent(&self, id: StateId) -> Option<StateId> {
        StateId::from_word(self.shards[id.shard()].parent(id.local()))
    }

    pub(super) fn find(&self, words: &[u32]) -> Option<StateId> {
        let home = self.home(words);
        self.find_in(home.shard, home.tag, words)
    }

    pub(super) fn find_in(&self, shard: usize, tag: u32, words: &[u32]) -> Option<StateId> {
        let local = self.shards[shard].find(tag, words)?;
        Some(StateId::new(shard, local))
    }

    /// Stores what is new among the candidates that `lanes` names for each shard. Of equal candidates
    /// the first wins, in the order of the lanes: the same whatever the number of threads.
    pub(super) fn absorb<'r, L>(
        &mut self,
        lanes: impl Fn(usize) -> L + Sync,
        jobs: usize,
    ) -> Result<(), Full>
    where
        L: Iterator<Item = Records<'r>>,
    {
        let mut results: Vec<_> = (0..SHARDS).map(|_| Ok(())).collect();
        let work = self.shards.iter_mut().zip(&mut results).enumerate();
        for_each(jobs, work, |(number, (shard, result))| {
            *result = lanes(number).try_for_each(|records| shard.absorb(records));
        });
        results.into_iter().collect()
    }

    /// The memory held now.
    pub(super) fn bytes(&self) -> u64 {
        let shards = self.shards.iter();
        shards.map(|shard| shard.bytes_with(0, 0)).sum()
    }

    /// The memory held at worst while the candidates that `lanes` names are absorbed.
    pub(super) fn bytes_with<'r, L>(&self, lanes: impl Fn(usize) -> L) -> u64
    where
        L: Iterator<Item = Records<'r>>,
    {
        let shards = self.shards.iter().enumerate();
        let bytes = shards.map(|(number, shard)| {
            let more = lanes(number).map(Records::len).sum();
            let words = lanes(number).map(Records::state_words).sum();
            shard.bytes_with(more, words)
        });
        bytes.sum()
    }
}
