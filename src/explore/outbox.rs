//! Successors on their way to the shard that may store them.

use super::hash::Home;
use super::id::{SHARDS, StateId};

/// A successor that may be new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) tag: u32,
    pub(super) parent: u32,
    pub(super) words: &'a [u32],
}

/// The candidates for one shard, in the order in which they were generated.
#[derive(Debug)]
pub(super) struct Lane {
    records: Vec<u32>,
    width: usize,
}

/// Candidates that lie behind one another, wherever that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'a> {
    words: &'a [u32],
    width: usize,
}

impl<'a> Records<'a> {
    /// The candidates for states of so many words that `words` holds.
    pub(super) fn of(words: &'a [u32], state_words: usize) -> Self {
        let width = Outbox::width(state_words);
        Self { words, width }
    }

    /// The candidates, `size` at a time.
    pub(super) fn groups(
        self,
        size: usize,
    ) -> impl Iterator<Item = impl Iterator<Item = Candidate<'a>> + Clone> {
        self.words.chunks(size * self.width).map(move |group| {
            group.chunks_exact(self.width).map(|record| Candidate {
                tag: record[0],
                parent: record[1],
                words: &record[2..],
            })
        })
    }

    /// The words of all of them.
    pub(super) fn words(self) -> &'a [u32] {
        self.words
    }

    pub(super) fn len(self) -> u64 {
        (self.words.len() / self.width) as u64
    }
}

impl Lane {
    #[inline]
    fn post(&mut self, tag: u32, parent: u32, words: &[u32]) {
        self.records.reserve(self.width);
        self.records.extend([tag, parent]);
        self.records.extend_from_slice(words);
    }

    pub(super) fn records(&self) -> Records<'_> {
        Records {
            words: &self.records,
            width: self.width,
        }
    }

    fn len(&self) -> u64 {
        self.records().len()
    }
}

/// A lane for each shard.
#[derive(Debug)]
pub(super) struct Outbox {
    lanes: Vec<Lane>,
}

impl Outbox {
    pub(super) fn new(state_words: usize) -> Self {
        let lane = || Lane {
            records: Vec::new(),
            width: Self::width(state_words),
        };
        Self {
            lanes: (0..SHARDS).map(|_| lane()).collect(),
        }
    }

    fn width(state_words: usize) -> usize {
        state_words + 2
    }

    /// What a candidate takes at worst, as a lane doubles when it is full.
    pub(super) fn bytes_each(state_words: usize) -> u64 {
        (2 * Self::width(state_words) * size_of::<u32>()) as u64
    }

    pub(super) fn clear(&mut self) {
        for lane in &mut self.lanes {
            lane.records.clear();
        }
    }

    /// The number of candidates.
    pub(super) fn len(&self) -> u64 {
        self.lanes.iter().map(Lane::len).sum()
    }

    pub(super) fn lane(&self, shard: usize) -> &Lane {
        &self.lanes[shard]
    }

    #[inline]
    pub(super) fn post(&mut self, home: Home, parent: Option<StateId>, words: &[u32]) {
        self.lanes[home.shard].post(home.tag, StateId::to_word(parent), words);
    }
}
