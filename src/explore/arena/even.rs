//! Records of states that take equally many words.

/// Records of one fixed width, in chunks that never move, so that growing copies nothing.
#[derive(Debug)]
pub(in crate::explore) struct Even {
    /// Words of a record: the packed state and one for its parent.
    width: usize,
    /// A chunk holds two to this many records.
    chunk_bits: u32,
    chunks: Vec<Vec<u32>>,
    len: u32,
}

/// Chunks are about this large, the very first ones smaller.
const CHUNK_BYTES: usize = 64 << 10;
/// The first chunk starts with room for this many records and doubles until it is full.
const FIRST_RECORDS: usize = 16;

impl Even {
    pub(super) fn new(state_words: usize) -> Self {
        let width = state_words + 1;
        let records = (CHUNK_BYTES / size_of::<u32>() / width).max(FIRST_RECORDS);
        Self {
            width,
            chunk_bits: records.ilog2(),
            chunks: Vec::new(),
            len: 0,
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    fn record(&self, index: u32) -> &[u32] {
        let chunk = &self.chunks[(index >> self.chunk_bits) as usize];
        let start = (index as usize & ((1 << self.chunk_bits) - 1)) * self.width;
        &chunk[start..start + self.width]
    }

    #[inline]
    pub(super) fn words(&self, index: u32) -> &[u32] {
        &self.record(index)[..self.width - 1]
    }

    #[inline]
    pub(super) fn parent(&self, index: u32) -> u32 {
        self.record(index)[self.width - 1]
    }

    /// Stores a state and answers its index.
    #[inline]
    pub(super) fn push(&mut self, words: &[u32], parent: u32) -> u32 {
        debug_assert_eq!(words.len() + 1, self.width);
        let index = self.len;
        let number = (index >> self.chunk_bits) as usize;
        let full = match self.chunks.get(number) {
            Some(chunk) => chunk.len() == chunk.capacity(),
            None => true,
        };
        if full {
            self.make_room(number);
        }
        let chunk = &mut self.chunks[number];
        chunk.extend_from_slice(words);
        chunk.push(parent);
        self.len += 1;
        index
    }

    #[cold]
    fn make_room(&mut self, number: usize) {
        let whole = self.width << self.chunk_bits;
        if let Some(chunk) = self.chunks.get_mut(number) {
            let wanted = (2 * chunk.len()).min(whole);
            chunk.reserve_exact(wanted - chunk.len());
        } else {
            let first = self.width * FIRST_RECORDS;
            let wanted = if number == 0 { first } else { whole };
            self.chunks.push(Vec::with_capacity(wanted));
        }
    }

    /// The memory held when `more` records have been added.
    pub(super) fn bytes_with(&self, more: u64) -> u64 {
        let records = u64::from(self.len) + more;
        let whole = 1u64 << self.chunk_bits;
        let room = match records {
            0 => 0,
            _ if records <= whole => records.next_power_of_two().max(FIRST_RECORDS as u64),
            _ => records.next_multiple_of(whole),
        };
        room * (self.width * size_of::<u32>()) as u64
    }

    /// The memory that is really held.
    #[cfg(test)]
    fn allocated(&self) -> usize {
        let words: usize = self.chunks.iter().map(Vec::capacity).sum();
        words * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_held_is_told_beforehand() {
        for width in [0, 1, 3, 10, 70] {
            let mut arena = Even::new(width);
            let words = vec![1; width];
            for _ in 0..20_000 {
                let told = arena.bytes_with(1);
                arena.push(&words, 0);
                assert_eq!(arena.allocated() as u64, told);
                assert_eq!(arena.bytes_with(0), told);
            }
        }
    }
}
