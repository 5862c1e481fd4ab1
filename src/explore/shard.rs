//! One part of the stored states.

use std::hint::black_box;

use super::arena::Arena;
use super::id::SHARD_CAPACITY;
use super::outbox::Lane;
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

    /// Stores what is new of `lane`, in its order.
    pub(super) fn absorb(&mut self, lane: &Lane) -> Result<(), Full> {
        for group in lane.groups(GROUP) {
            self.touch(&group);
            for candidate in group {
                self.insert(candidate.tag, candidate.words, candidate.parent)?;
            }
        }
        Ok(())
    }

    /// Reads what the look-ups of a group will need, so that it is at hand when they come.
    fn touch<'a>(&self, group: &(impl Iterator<Item = super::outbox::Candidate<'a>> + Clone)) {
        if self.len() == 0 {
            return;
        }
        let mut guesses = [0; GROUP];
        for (guess, candidate) in guesses.iter_mut().zip(group.clone()) {
            *guess = self.slots.guess(candidate.tag);
        }
        let touched = guesses
            .iter()
            .fold(0, |sum, guess| sum ^ self.arena.parent(*guess));
        black_box(touched);
    }

    #[inline]
    fn insert(&mut self, tag: u32, words: &[u32], parent: u32) -> Result<(), Full> {
        let arena = &self.arena;
        let found = self
            .slots
            .find(tag, |local| equal(arena.words(local), words));
        if let Err(vacant) = found {
            if self.arena.len() == SHARD_CAPACITY {
                return Err(Full);
            }
            let local = self.arena.push(words, parent);
            self.slots.fill(vacant, tag, local);
        }
        Ok(())
    }

    /// The memory held at worst while `more` states are added.
    pub(super) fn bytes_with(&self, more: u64) -> u64 {
        self.arena.bytes_with(more) + self.slots.bytes_with(more)
    }
}

/// Packed states are short: a loop beats a call to compare memory.
#[inline]
fn equal(left: &[u32], right: &[u32]) -> bool {
    left.iter().zip(right).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0
}
