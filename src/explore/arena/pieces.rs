//! Words in pieces that never move, so that growing copies nothing.

/// Runs of words side by side. No run is spread over two pieces: what one does not fit into ends
/// before its end.
#[derive(Debug)]
pub(super) struct Pieces {
    /// A piece holds two to this many words.
    bits: u32,
    /// The most words of a run.
    longest: usize,
    pieces: Vec<Vec<u32>>,
    /// The words that there is memory for.
    held: u64,
}

/// A piece is at least this large, the very first one smaller.
const PIECE_BYTES: usize = 64 << 10;
/// The first piece starts with room for this many of the longest runs and doubles until it is whole.
const FIRST_RUNS: usize = 16;

impl Pieces {
    /// For runs of up to so many words.
    pub(super) fn for_runs_of(longest: usize) -> Self {
        let words = (longest * FIRST_RUNS).max(PIECE_BYTES / size_of::<u32>());
        Self {
            bits: words.next_power_of_two().ilog2(),
            longest,
            pieces: Vec::new(),
            held: 0,
        }
    }

    fn whole(&self) -> usize {
        1 << self.bits
    }

    /// Whether the place of one more run can be told with 32 bits.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        (self.pieces.len() as u64) < 1 << (u32::BITS - self.bits)
    }

    /// The word at this place, where all runs are of one word.
    #[inline]
    pub(super) fn word(&self, place: u32) -> u32 {
        self.pieces[(place >> self.bits) as usize][place as usize & (self.whole() - 1)]
    }

    /// The run that ends at `end`, where the one before it ends at `before`.
    #[inline]
    pub(super) fn run(&self, before: u32, end: u32) -> &[u32] {
        let last = end - 1;
        let mask = self.whole() as u32 - 1;
        let start = before.max(last & !mask);
        let piece = &self.pieces[(last >> self.bits) as usize];
        &piece[(start & mask) as usize..=(last & mask) as usize]
    }

    /// Adds a run of `words` and one more, and answers where it ends.
    #[inline]
    pub(super) fn append(&mut self, words: &[u32], more: u32) -> u32 {
        let run = words.len() + 1;
        debug_assert!(run <= self.longest);
        let has_room = |piece: &Vec<u32>| piece.capacity() - piece.len() >= run;
        if !self.pieces.last().is_some_and(has_room) {
            self.make_room(run);
        }
        let number = self.pieces.len() - 1;
        let piece = &mut self.pieces[number];
        piece.extend_from_slice(words);
        piece.push(more);
        ((number << self.bits) + piece.len()) as u32
    }

    #[cold]
    fn make_room(&mut self, run: usize) {
        let whole = self.whole();
        let first = (FIRST_RUNS * self.longest).min(whole);
        match &mut self.pieces[..] {
            [] => {
                self.pieces.push(Vec::with_capacity(first));
                self.held += first as u64;
            }
            [piece] if piece.len() + run <= whole => {
                let wanted = (2 * piece.capacity()).min(whole);
                self.held += (wanted - piece.capacity()) as u64;
                piece.reserve_exact(wanted - piece.len());
            }
            _ => {
                self.pieces.push(Vec::with_capacity(whole));
                self.held += whole as u64;
            }
        }
    }

    /// The memory held at worst when runs of `more` words together have been added.
    pub(super) fn bytes_with(&self, more: u64) -> u64 {
        let whole = self.whole() as u64;
        let used = self.pieces.last().map_or(0, Vec::len) as u64;
        let held = if more == 0 {
            self.held
        } else if self.pieces.len() < 2 && used + more <= whole {
            let first = (FIRST_RUNS * self.longest) as u64;
            let mut held = self.held.max(first);
            while held < used + more {
                held *= 2;
            }
            held.min(whole)
        } else {
            // What is left of a piece is less than a run.
            let left = self.longest as u64 - 1;
            let fit = match self.pieces.len() {
                0 => 0,
                _ => (whole - used).saturating_sub(left),
            };
            let new = more.saturating_sub(fit).div_ceil(whole - left);
            (self.pieces.len() as u64 + new) * whole
        };
        held * size_of::<u32>() as u64
    }

    /// The memory that is really held.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> u64 {
        let words: usize = self.pieces.iter().map(Vec::capacity).sum();
        (words * size_of::<u32>()) as u64
    }
}
