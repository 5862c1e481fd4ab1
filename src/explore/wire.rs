//! Messages between processes: 32-bit words.

use super::peers::Lost;

/// Writes a number of 64 bits.
pub(super) fn put(words: &mut Vec<u32>, number: u64) {
    words.extend([number as u32, (number >> u32::BITS) as u32]);
}

/// Reads a message from its beginning.
pub(super) struct Reading<'m> {
    words: &'m [u32],
}

impl<'m> Reading<'m> {
    pub(super) fn new(words: &'m [u32]) -> Self {
        Self { words }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.words.is_empty()
    }

    /// The next `count` words.
    pub(super) fn take(&mut self, count: usize) -> Result<&'m [u32], Lost> {
        let taken = self.words.split_at_checked(count);
        let (taken, rest) =
            taken.ok_or_else(|| Lost("a message of a process is cut off".into()))?;
        self.words = rest;
        Ok(taken)
    }

    pub(super) fn word(&mut self) -> Result<u32, Lost> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn number(&mut self) -> Result<u64, Lost> {
        let words = self.take(2)?;
        Ok(u64::from(words[0]) | u64::from(words[1]) << u32::BITS)
    }
}
