//! One part of the stored states.

use super::arena::Arena;
use super::id::SHARD_CAPACITY;
use super::outbox::{Candidate, Records};
use super::packed::equal;
use super::slots::Slots;

/// The states whose hash falls to one shard, in the order in which they were found.
#[derive(Debug)]
pub(super) struct Shard {
    arena: Arena,
    slots: Slots,
}

/// A shard can name no more states.
#[derive(Debug)]
pub(super) struct Full;

/// So many look-ups are begun before the first is finished, so that the memory works on all of
/// them at once.
const GROUP: usize = 32;

impl Shard {
    pub(super) fn new(state_words: usize) -> Self {
        Self {
            arena: Arena::new(state_words),
            slots: Slots::new(),
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.arena.len()
    }

    #[inline]
    pub(super) fn words(&self, local: u32) -> &[u32] {
        self.arena.words(local)
    }

    pub(super) fn parent(&self, local: u32) -> u32 {
        self.arena.parent(local)
    }

    pub(super) fn find(&self, tag: u32, words: &[u32]) -> Option<u32> {
        self.slots
            .find(tag, |local| equal(self.words(local), words))
            .ok()
    }

    /// Stores what is new of `records`, in their order.
    ///
    /// Most candidates are known, and most of the time goes into waiting for memory. So each pass
    /// over a group reads one thing for all of it, with no branch on what it has just read, and
    /// the memory works on many reads at once; only what is not then known is inserted one by one.
    pub(super) fn absorb(&mut self, records: Records<'_>) -> Result<(), Full> {
        match records.even() {
            Some(candidates) => self.take_up(candidates),
            None => self.take_up(records.iter()),
        }
    }

    #[inline]
    fn take_up<'c>(
        &mut self,
        mut candidates: impl Iterator<Item = Candidate<'c>>,
    ) -> Result<(), Full> {
        let mut group = [Candidate::NONE; GROUP];
        loop {
            let places = group.iter_mut().zip(&mut candidates);
            let len = places.map(|(place, candidate)| *place = candidate).count();
            if len == 0 {
                return Ok(());
            }
            let group = &group[..len];
            for (candidate, known) in group.iter().zip(self.known(group)) {
                if !known {
                    self.insert(candidate.tag, candidate.words, candidate.parent)?;
                }
            }
        }
    }

    /// Which of a group surely are stored. Of the others some may be, too.
    #[inline]
    fn known(&self, group: &[Candidate<'_>]) -> [bool; GROUP] {
        let mut known = [false; GROUP];
        if self.len() == 0 {
            return known;
        }
        let mut guesses = [0; GROUP];
        for (guess, candidate) in guesses.iter_mut().zip(group) {
            // Where a tag occurs twice, the guess may be an index that does not exist.
            *guess = self.slots.guess(candidate.tag).min(self.len() - 1);
        }
        let mut stored: [&[u32]; GROUP] = [&[]; GROUP];
        for (words, guess) in stored.iter_mut().zip(&guesses[..group.len()]) {
            *words = self.words(*guess);
        }
        for ((known, words), candidate) in known.iter_mut().zip(stored).zip(group) {
            *known = equal(words, candidate.words);
        }
        known
    }

    #[inline]
    fn insert(&mut self, tag: u32, words: &[u32], parent: u32) -> Result<(), Full> {
        let arena = &self.arena;
        let found = self
            .slots
            .find(tag, |local| equal(arena.words(local), words));
        if let Err(vacant) = found {
            if self.arena.len() == SHARD_CAPACITY || !self.arena.has_room() {
                return Err(Full);
            }
            let local = self.arena.push(words, parent);
            self.slots.fill(vacant, tag, local);
        }
        Ok(())
    }

    /// The memory held at worst while `more` states are added that take `words` together.
    pub(super) fn bytes_with(&self, more: u64, words: u64) -> u64 {
        self.arena.bytes_with(more, words) + self.slots.bytes_with(more)
    }
}
