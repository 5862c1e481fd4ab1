//! Successors on their way to the shard that may store them.

use super::hash::Home;
use super::id::{SHARDS, StateId};
use super::packed::is_kept_whole;

/// A successor that may be new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) tag: u32,
    pub(super) parent: u32,
    pub(super) words: &'a [u32],
}

impl Candidate<'_> {
    pub(super) const NONE: Self = Self {
        tag: 0,
        parent: 0,
        words: &[],
    };
}

/// The candidates for one shard, in the order in which they were generated.
#[derive(Debug)]
pub(super) struct Lane {
    words: Vec<u32>,
    /// The number of candidates. Counted apart from the words, and with fewer bits: where both are
    /// raised in one step, the next one waits for it.
    len: u32,
    form: Form,
}

/// Candidates that lie behind one another, wherever that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records<'a> {
    words: &'a [u32],
    len: u64,
    form: Form,
}

/// Of what a record consists: its tag, its parent, and the words that it uses; before these their
/// number, where that is not the same for all.
#[derive(Clone, Copy, Debug)]
struct Form {
    whole: Option<usize>,
}

impl Form {
    fn of(state_words: usize) -> Self {
        Self {
            whole: is_kept_whole(state_words).then_some(state_words),
        }
    }

    /// The words of a record before those of the state.
    fn head(self) -> usize {
        2 + usize::from(self.whole.is_none())
    }

    /// The first candidate, and what is behind it.
    #[inline]
    fn first(self, words: &[u32]) -> Option<(Candidate<'_>, &[u32])> {
        let ([tag, parent], rest) = words.split_first_chunk()?;
        let (len, rest) = match self.whole {
            Some(len) => (len, rest),
            None => rest
                .split_first()
                .map(|(len, rest)| (*len as usize, rest))?,
        };
        let (words, behind) = rest.split_at_checked(len)?;
        let candidate = Candidate {
            tag: *tag,
            parent: *parent,
            words,
        };
        Some((candidate, behind))
    }
}

impl<'a> Records<'a> {
    /// The candidates that `words` hold, for states of up to `state_words`; `None` where they hold
    /// anything else.
    pub(super) fn read(words: &'a [u32], state_words: usize) -> Option<Self> {
        let form = Form::of(state_words);
        let mut rest = words;
        let mut len = 0;
        while !rest.is_empty() {
            let (candidate, behind) = form.first(rest)?;
            if candidate.words.len() > state_words {
                return None;
            }
            rest = behind;
            len += 1;
        }
        Some(Self { words, len, form })
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Candidate<'a>> {
        let mut rest = self.words;
        std::iter::from_fn(move || {
            let (candidate, behind) = self.form.first(rest)?;
            rest = behind;
            Some(candidate)
        })
    }

    /// The same as [`Self::iter`], and quicker, where all have equally many words.
    pub(super) fn even(self) -> Option<impl Iterator<Item = Candidate<'a>>> {
        let records = self.words.chunks_exact(self.form.head() + self.form.whole?);
        Some(records.map(|record| Candidate {
            tag: record[0],
            parent: record[1],
            words: &record[2..],
        }))
    }

    /// The words of all of them.
    pub(super) fn words(self) -> &'a [u32] {
        self.words
    }

    pub(super) fn len(self) -> u64 {
        self.len
    }

    /// The number of the words that their states use.
    pub(super) fn state_words(self) -> u64 {
        self.words.len() as u64 - self.form.head() as u64 * self.len
    }
}

impl Lane {
    #[inline]
    fn post(&mut self, tag: u32, parent: u32, words: &[u32]) {
        let len = words.len() as u32;
        self.words.reserve(3 + words.len());
        match self.form.whole {
            Some(_) => self.words.extend([tag, parent]),
            None => self.words.extend([tag, parent, len]),
        }
        self.words.extend_from_slice(words);
        self.len += 1;
    }

    pub(super) fn records(&self) -> Records<'_> {
        Records {
            words: &self.words,
            len: self.len.into(),
            form: self.form,
        }
    }
}

/// A lane for each shard.
#[derive(Debug)]
pub(super) struct Outbox {
    lanes: Vec<Lane>,
}

impl Outbox {
    /// For states of up to so many words.
    pub(super) fn new(state_words: usize) -> Self {
        let lane = || Lane {
            words: Vec::new(),
            len: 0,
            form: Form::of(state_words),
        };
        Self {
            lanes: (0..SHARDS).map(|_| lane()).collect(),
        }
    }

    /// What the candidate for a state of so many words takes at worst.
    pub(super) fn bytes_each(state_words: usize) -> u64 {
        Self::bytes_of((Form::of(state_words).head() + state_words) as u64)
    }

    /// What candidates of so many words in all take at worst, as a lane doubles when it is full.
    pub(super) fn bytes_of(words: u64) -> u64 {
        2 * words * size_of::<u32>() as u64
    }

    pub(super) fn clear(&mut self) {
        for lane in &mut self.lanes {
            lane.words.clear();
            lane.len = 0;
        }
    }

    /// The words of all candidates.
    pub(super) fn words(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.words.len() as u64).sum()
    }

    pub(super) fn lane(&self, shard: usize) -> &Lane {
        &self.lanes[shard]
    }

    #[inline]
    pub(super) fn post(&mut self, home: Home, parent: Option<StateId>, words: &[u32]) {
        self.lanes[home.shard].post(home.tag, StateId::to_word(parent), words);
    }
}
