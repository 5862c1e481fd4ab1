//! Packed states, each with its parent, side by side.

mod even;
mod pieces;
mod uneven;

use super::packed::is_kept_whole;
use even::Even;
use uneven::Uneven;

/// The records of states, in the order in which they were added, in memory that never moves.
#[derive(Debug)]
pub(super) enum Arena {
    /// Of states that are kept whole.
    Even(Even),
    /// Of states that are kept as far as they use their words.
    Uneven(Uneven),
}

impl Arena {
    /// For states of up to so many words.
    pub(super) fn new(state_words: usize) -> Self {
        if is_kept_whole(state_words) {
            Self::Even(Even::new(state_words))
        } else {
            Self::Uneven(Uneven::new(state_words))
        }
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        match self {
            Self::Even(records) => records.len(),
            Self::Uneven(records) => records.len(),
        }
    }

    /// Whether the place of one more record can be told.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Even(_) => true,
            Self::Uneven(records) => records.has_room(),
        }
    }

    #[inline]
    pub(super) fn words(&self, index: u32) -> &[u32] {
        match self {
            Self::Even(records) => records.words(index),
            Self::Uneven(records) => records.words(index),
        }
    }

    #[inline]
    pub(super) fn parent(&self, index: u32) -> u32 {
        match self {
            Self::Even(records) => records.parent(index),
            Self::Uneven(records) => records.parent(index),
        }
    }

    /// Stores a state and answers its index.
    #[inline]
    pub(super) fn push(&mut self, words: &[u32], parent: u32) -> u32 {
        match self {
            Self::Even(records) => records.push(words, parent),
            Self::Uneven(records) => records.push(words, parent),
        }
    }

    /// The memory held at worst when `more` states have been added that use `words` together.
    pub(super) fn bytes_with(&self, more: u64, words: u64) -> u64 {
        match self {
            Self::Even(records) => records.bytes_with(more),
            Self::Uneven(records) => records.bytes_with(more, words),
        }
    }
}
