//! What is counted and noted on the way.

use semel_models::subject::Observation;

use super::id::StateId;
use super::peers::Lost;
use super::wire::{Reading, put};

/// What has been seen in the expanded states. Tallies of parts add up to the tally of the whole
/// when they are added in canonical order.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) expanded: u64,
    pub(super) transitions: u64,
    pub(super) quiescent: u64,
    pub(super) reached: u64,
    /// The situations of faults that changed nothing where they could strike.
    pub(super) unspent: u64,
    pub(super) counted: [u64; 32],
    pub(super) violations: [Option<Violation>; 32],
    /// The lowest weight of a violating state, at any depth.
    pub(super) lightest: [Option<u16>; 32],
}

/// A state that violates an invariant. Of two, the one with fewer steps is told, then the one with
/// the lower weight, then the one that was found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    depth: u32,
    weight: u16,
    pub(super) id: StateId,
}

impl Violation {
    fn better(first: Option<Self>, later: Option<Self>) -> Option<Self> {
        let rank = |violation: &Self| (violation.depth, violation.weight);
        // Of equals, `min_by_key` takes the first.
        first.into_iter().chain(later).min_by_key(rank)
    }
}

impl Tally {
    /// Notes what is seen in the state `id`, `depth` steps from an initial state.
    #[inline]
    pub(super) fn note(&mut self, id: StateId, depth: u32, quiescent: bool, seen: &Observation) {
        self.expanded += 1;
        self.quiescent += u64::from(quiescent);
        self.reached |= seen.reached;
        for bit in bits(seen.counted) {
            self.counted[bit] += 1;
        }
        for bit in bits(seen.violated) {
            let found = Violation {
                depth,
                weight: seen.weight,
                id,
            };
            self.violations[bit] = Violation::better(self.violations[bit], Some(found));
            self.lightest[bit] = lighter(self.lightest[bit], Some(seen.weight));
        }
    }

    /// Adds what was seen later.
    pub(super) fn add(&mut self, later: &Self) {
        self.expanded += later.expanded;
        self.transitions += later.transitions;
        self.quiescent += later.quiescent;
        self.reached |= later.reached;
        self.unspent |= later.unspent;
        for (sum, more) in self.counted.iter_mut().zip(later.counted) {
            *sum += more;
        }
        for (first, other) in self.violations.iter_mut().zip(later.violations) {
            *first = Violation::better(*first, other);
        }
        for (first, other) in self.lightest.iter_mut().zip(later.lightest) {
            *first = lighter(*first, other);
        }
    }

    /// The invariants that are violated.
    pub(super) fn violated(&self) -> u32 {
        let found = self.violations.iter().enumerate();
        found.fold(0, |set, (bit, id)| set | u32::from(id.is_some()) << bit)
    }
}

/// As words of a message between processes.
impl Tally {
    pub(super) fn to_words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        for number in [
            self.expanded,
            self.transitions,
            self.quiescent,
            self.reached,
            self.unspent,
        ] {
            put(&mut words, number);
        }
        for number in self.counted {
            put(&mut words, number);
        }
        for (violation, lightest) in self.violations.iter().zip(self.lightest) {
            let found = violation.map(|found| (found.depth, found.weight));
            let (depth, weight) = found.unwrap_or_default();
            let id = StateId::to_word(violation.map(|found| found.id));
            // A weight is of 16 bits: none stands above all of them.
            let lightest = lightest.map_or(u32::MAX, u32::from);
            words.extend([id, depth, u32::from(weight), lightest]);
        }
        words
    }

    pub(super) fn from_words(words: &[u32]) -> Result<Self, Lost> {
        let mut reading = Reading::new(words);
        let mut tally = Self {
            expanded: reading.number()?,
            transitions: reading.number()?,
            quiescent: reading.number()?,
            reached: reading.number()?,
            unspent: reading.number()?,
            ..Self::default()
        };
        for counted in &mut tally.counted {
            *counted = reading.number()?;
        }
        for (violation, lightest) in tally.violations.iter_mut().zip(&mut tally.lightest) {
            let id = StateId::from_word(reading.word()?);
            let (depth, weight) = (reading.word()?, reading.word()? as u16);
            *violation = id.map(|id| Violation { depth, weight, id });
            *lightest = u16::try_from(reading.word()?).ok();
        }
        Ok(tally)
    }
}

fn lighter(first: Option<u16>, later: Option<u16>) -> Option<u16> {
    first.into_iter().chain(later).min()
}

/// The numbers of the bits in `set`, lowest first.
#[inline]
fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(bit)
    })
}
