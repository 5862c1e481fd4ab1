//! A set of small numbers: records, or dedup keys. The first lie in the state itself as bits.

use crate::codec::Codec;

/// A set of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Set {
    /// The members below 32.
    low: u32,
    /// The others, 32 to a word; none at the end is empty.
    #[expect(
        clippy::box_collection,
        reason = "of many sets in a state hardly one has them"
    )]
    high: Option<Box<Vec<u32>>>,
}

impl Set {
    /// The numbers below `end`.
    pub fn below(end: u16) -> Set {
        let mut set = Set::default();
        for member in 0..end {
            set.insert(member);
        }
        set
    }

    /// Whether `member` is in it.
    pub fn contains(&self, member: u16) -> bool {
        let word = match usize::from(member / 32).checked_sub(1) {
            None => self.low,
            Some(index) => {
                let words = self.high.as_ref();
                words
                    .and_then(|words| words.get(index).copied())
                    .unwrap_or(0)
            }
        };
        word & (1 << (member % 32)) != 0
    }

    /// Puts `member` in.
    pub fn insert(&mut self, member: u16) {
        *self.word(member) |= 1 << (member % 32);
    }

    /// Takes `member` out.
    pub fn remove(&mut self, member: u16) {
        if !self.contains(member) {
            return;
        }
        *self.word(member) &= !(1 << (member % 32));
        if let Some(words) = &mut self.high {
            let used = words.iter().rposition(|word| *word != 0);
            words.truncate(used.map_or(0, |last| last + 1));
            if words.is_empty() {
                self.high = None;
            }
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.low == 0 && self.high.is_none()
    }

    /// The largest member.
    pub fn last(&self) -> Option<u16> {
        let highest = |word: u32| word.checked_ilog2().map(|bit| bit as u16);
        match &self.high {
            None => highest(self.low),
            Some(words) => {
                let before = words.len() as u16 * 32;
                words
                    .last()
                    .and_then(|word| highest(*word))
                    .map(|bit| before + bit)
            }
        }
    }

    /// How many members are below `end`.
    pub fn count_below(&self, end: u16) -> u16 {
        let words = self.high.iter().flat_map(|words| words.iter());
        let words = std::iter::once(&self.low).chain(words);
        let count = (0..).zip(words).map(|(index, word)| {
            let below = u32::from(end.saturating_sub(32 * index)).min(32);
            let mask = u32::MAX.checked_shr(32 - below).unwrap_or(0);
            (word & mask).count_ones() as u16
        });
        count.sum()
    }

    /// The members, in their order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..self.last().map_or(0, |last| last + 1)).filter(|member| self.contains(*member))
    }

    /// Visits the set, all of whose members are below `end`.
    ///
    /// # Panics
    /// When `end` is beyond what a packed state holds.
    pub fn code(&mut self, codec: &mut impl Codec, end: u16) {
        assert!(end <= 32, "a packed set holds up to 32, not {end}");
        codec.bits(&mut self.low, end);
    }

    fn word(&mut self, member: u16) -> &mut u32 {
        let Some(index) = usize::from(member / 32).checked_sub(1) else {
            return &mut self.low;
        };
        let words = self.high.get_or_insert_default();
        if words.len() <= index {
            words.resize(index + 1, 0);
        }
        &mut words[index]
    }
}

impl FromIterator<u16> for Set {
    fn from_iter<I: IntoIterator<Item = u16>>(members: I) -> Set {
        let mut set = Set::default();
        for member in members {
            set.insert(member);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_is_a_set_below_and_above_a_word() {
        let mut set = Set::default();
        let mut members = BTreeSet::new();
        for step in 0..400u16 {
            let member = step * 37 % 101;
            if step % 3 == 0 {
                set.remove(member);
                members.remove(&member);
            } else {
                set.insert(member);
                members.insert(member);
            }
            assert!(set.iter().eq(members.iter().copied()));
            assert_eq!(set.last(), members.last().copied());
            let below = members.range(..step % 120).count();
            assert_eq!(usize::from(set.count_below(step % 120)), below);
            assert_eq!(set.is_empty(), members.is_empty());
        }
        for member in members {
            set.remove(member);
        }
        assert_eq!(set, Set::default(), "empty sets are equal values");
    }
}
