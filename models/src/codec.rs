//! The packed form of a state: one description of its fields, read in both directions.
//!
//! Each actor lists its fields once, each with the largest value that this design can give it.
//! Counting, writing and reading all follow that list, so a packed layout is computed per design
//! and writing and reading cannot disagree. A list is its length and the items in use; what is
//! left of the packed length is zero. Zeros at the end tell nothing: words that are not there are
//! read as zero.

/// Something that walks over the fields of a state.
pub trait Codec {
    /// Whether fields get the values that are visited; what only looks at them may leave them alone.
    const READS: bool;

    /// Visits one field whose value is at most `max`.
    fn field(&mut self, value: &mut u16, max: u16);

    /// How many places of a list are visited that has `used` of at most `limit`: those in use,
    /// for the length is visited before them; counting, all that there can be.
    fn places(&self, used: usize, limit: u16) -> usize {
        used.min(usize::from(limit))
    }

    /// Visits a flag.
    #[inline]
    fn flag(&mut self, value: &mut bool) {
        let mut bit = u16::from(*value);
        self.field(&mut bit, 1);
        *value = bit != 0;
    }

    /// Visits the lowest `count` bits.
    #[inline]
    fn bits(&mut self, bits: &mut u32, count: u16) {
        for first in (0..count).step_by(16) {
            let mask = u16::MAX >> (16 - (count - first).min(16));
            let mut part = (*bits >> first) as u16;
            self.field(&mut part, mask);
            *bits = *bits & !(u32::from(mask) << first) | u32::from(part & mask) << first;
        }
    }

    /// Visits a flag that only some designs can raise.
    fn flag_if(&mut self, possible: bool, value: &mut bool) {
        if possible {
            self.flag(value);
        }
    }
}

#[inline]
fn width(max: u16) -> u32 {
    u16::BITS - max.leading_zeros()
}

/// Counts the bits of a state.
#[derive(Debug, Default)]
pub struct Counter {
    /// The bits visited.
    pub bits: u32,
}

impl Codec for Counter {
    const READS: bool = false;

    fn field(&mut self, _value: &mut u16, max: u16) {
        self.bits += width(max);
    }

    fn places(&self, _used: usize, limit: u16) -> usize {
        usize::from(limit)
    }
}

/// Writes a state into words, least significant bits first.
pub struct Writer<'a> {
    words: &'a mut [u32],
    buffer: u64,
    filled: u32,
    next: usize,
}

impl<'a> Writer<'a> {
    /// A writer from the first word on.
    pub fn new(words: &'a mut [u32]) -> Self {
        Writer {
            words,
            buffer: 0,
            filled: 0,
            next: 0,
        }
    }

    /// Writes what is left; every word not reached becomes zero.
    pub fn finish(mut self) {
        if self.filled > 0 {
            self.words[self.next] = self.buffer as u32;
            self.next += 1;
        }
        self.words[self.next..].fill(0);
    }
}

impl Codec for Writer<'_> {
    const READS: bool = false;

    #[inline]
    fn field(&mut self, value: &mut u16, max: u16) {
        assert!(*value <= max, "a field is {value}, above its limit {max}");
        self.buffer |= u64::from(*value) << self.filled;
        self.filled += width(max);
        if self.filled >= u32::BITS {
            self.words[self.next] = self.buffer as u32;
            self.next += 1;
            self.buffer >>= u32::BITS;
            self.filled -= u32::BITS;
        }
    }
}

/// Reads a state back from its words.
pub struct Reader<'a> {
    words: &'a [u32],
    buffer: u64,
    filled: u32,
    next: usize,
}

impl<'a> Reader<'a> {
    /// A reader from the first word on; behind the last all is zero.
    pub fn new(words: &'a [u32]) -> Self {
        Reader {
            words,
            buffer: 0,
            filled: 0,
            next: 0,
        }
    }
}

impl Codec for Reader<'_> {
    const READS: bool = true;

    #[inline]
    fn field(&mut self, value: &mut u16, max: u16) {
        let width = width(max);
        if self.filled < width {
            let word = self.words.get(self.next).copied().unwrap_or(0);
            self.buffer |= u64::from(word) << self.filled;
            self.next += 1;
            self.filled += u32::BITS;
        }
        *value = (self.buffer & ((1 << width) - 1)) as u16;
        self.buffer >>= width;
        self.filled -= width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_across_word_boundaries() {
        let fields: Vec<(u16, u16)> = (0..40).map(|i| (i % 7, 6 + i % 3)).collect();
        let mut counter = Counter::default();
        for (value, max) in &fields {
            counter.field(&mut value.clone(), *max);
        }
        let mut words = vec![u32::MAX; counter.bits.div_ceil(32) as usize + 1];
        let mut writer = Writer::new(&mut words);
        for (value, max) in &fields {
            writer.field(&mut value.clone(), *max);
        }
        writer.finish();
        assert_eq!(words.last(), Some(&0), "unused words are zeroed");
        let mut reader = Reader::new(&words);
        for (value, max) in &fields {
            let mut back = 0;
            reader.field(&mut back, *max);
            assert_eq!(back, *value);
        }
    }

    #[test]
    fn words_that_are_not_there_are_read_as_zero() {
        let mut reader = Reader::new(&[9]);
        let mut read = |max| {
            let mut value = 1;
            reader.field(&mut value, max);
            value
        };
        assert_eq!(
            [15, u16::MAX, u16::MAX, 1, u16::MAX].map(&mut read),
            [9, 0, 0, 0, 0]
        );
    }
}
