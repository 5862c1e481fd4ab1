//! Records of states that use different numbers of words.

use super::pieces::Pieces;

/// Records of a state's words and one for its parent, as long as each is.
#[derive(Debug)]
pub(in crate::explore) struct Uneven {
    records: Pieces,
    /// A zero, and for each record where it ends.
    ends: Pieces,
    len: u32,
}

impl Uneven {
    /// For states of up to so many words.
    pub(super) fn new(state_words: usize) -> Self {
        Self {
            records: Pieces::for_runs_of(state_words + 1),
            ends: Pieces::for_runs_of(1),
            len: 0,
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Whether the places of all records can be told, one more among them.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.records.has_room()
    }

    #[inline]
    fn record(&self, index: u32) -> &[u32] {
        let (before, end) = (self.ends.word(index), self.ends.word(index + 1));
        self.records.run(before, end)
    }

    #[inline]
    pub(super) fn words(&self, index: u32) -> &[u32] {
        let record = self.record(index);
        &record[..record.len() - 1]
    }

    #[inline]
    pub(super) fn parent(&self, index: u32) -> u32 {
        let record = self.record(index);
        record[record.len() - 1]
    }

    /// Stores a state and answers its index.
    #[inline]
    pub(super) fn push(&mut self, words: &[u32], parent: u32) -> u32 {
        if self.len == 0 {
            self.ends.append(&[], 0);
        }
        let end = self.records.append(words, parent);
        self.ends.append(&[], end);
        let index = self.len;
        self.len += 1;
        index
    }

    /// The memory held at worst when `more` states have been added that take `words` together.
    pub(super) fn bytes_with(&self, more: u64, words: u64) -> u64 {
        let ends = match self.len {
            0 if more != 0 => more + 1,
            _ => more,
        };
        self.records.bytes_with(words + more) + self.ends.bytes_with(ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States of up to `most` words, short and long ones mixed.
    fn states(most: usize) -> impl Iterator<Item = Vec<u32>> {
        let len = move |number: usize| number * number % 31 % 7 * most / 6;
        (0..20_000).map(move |number| vec![number as u32 + 1; len(number)])
    }

    #[test]
    fn the_memory_held_is_told_beforehand() {
        for most in [0, 1, 3, 10, 70, 300] {
            let mut arena = Uneven::new(most);
            for words in states(most) {
                let told = arena.bytes_with(1, words.len() as u64);
                arena.push(&words, 0);
                let held = arena.bytes_with(0, 0);
                assert_eq!(held, arena.records.allocated() + arena.ends.allocated());
                assert!(held <= told);
            }
        }
    }

    #[test]
    fn the_memory_of_many_is_told_beforehand_and_little_more() {
        for most in [0, 1, 3, 10, 70, 300] {
            let all: Vec<_> = states(most).collect();
            for (from, to) in [(0, 5), (0, 20_000), (7, 300), (3_000, 20_000)] {
                let mut arena = Uneven::new(most);
                all[..from].iter().for_each(|words| {
                    arena.push(words, 0);
                });
                let added = &all[from..to];
                let words = added.iter().map(|words| words.len() as u64).sum();
                let told = arena.bytes_with(added.len() as u64, words);
                added.iter().for_each(|words| {
                    arena.push(words, 0);
                });
                let held = arena.bytes_with(0, 0);
                assert!(held <= told, "{most}: {held}, {told}");
                assert!(
                    told <= held + held / 16 + (64 << 10),
                    "{most}: {held}, {told}"
                );
            }
        }
    }

    #[test]
    fn each_state_is_read_back_with_its_length_and_its_parent() {
        for most in [0, 1, 3, 10, 70, 300] {
            let mut arena = Uneven::new(most);
            for (number, words) in (0..).zip(states(most)) {
                assert_eq!(arena.push(&words, number ^ 5), number);
            }
            for (number, words) in (0..).zip(states(most)) {
                assert_eq!(arena.words(number), words);
                assert_eq!(arena.parent(number), number ^ 5);
            }
        }
    }
}
