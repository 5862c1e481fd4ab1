//! An index from tags to the states of a shard.

/// Open addressing with linear probing. A slot keeps the tag beside the index: most probes end
/// without a look at a state, and growing reads no state at all.
///
/// The table is cut into segments so small that the allocator takes back and hands out the same
/// ones while the shards grow. One piece of memory would come from the system and go back to it
/// with each step of growth, and with that stop all other threads.
#[derive(Debug)]
pub(super) struct Slots {
    /// In each slot zero, or a tag in the upper half and one more than an index in the lower.
    segments: Vec<Vec<u64>>,
    len: usize,
    filled: usize,
}

const FIRST_SLOTS: usize = 16;
const SEGMENT_SLOTS: usize = 1 << 12;

impl Slots {
    pub(super) fn new() -> Self {
        let mut slots = Self::unallocated(FIRST_SLOTS, 0);
        slots.allocate(FIRST_SLOTS - 1);
        slots
    }

    fn unallocated(len: usize, filled: usize) -> Self {
        Self {
            segments: Vec::with_capacity(len.div_ceil(SEGMENT_SLOTS)),
            len,
            filled,
        }
    }

    /// Sees to it that the slot `at` is there, with all before it.
    #[inline]
    fn allocate(&mut self, at: usize) {
        while self.segments.len() <= at / SEGMENT_SLOTS {
            let left = self.len - self.segments.len() * SEGMENT_SLOTS;
            self.segments.push(vec![0; left.min(SEGMENT_SLOTS)]);
        }
    }

    #[inline]
    fn slot(&self, at: usize) -> u64 {
        self.segments[at / SEGMENT_SLOTS][at % SEGMENT_SLOTS]
    }

    /// Where probing starts. Tags keep their order, so that growing copies from front to back.
    #[inline]
    fn start(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.len as u64) >> 32) as usize
    }

    /// Where probing goes on.
    #[inline]
    fn after(&self, at: usize) -> usize {
        if at + 1 == self.len { 0 } else { at + 1 }
    }

    /// The slot where probing for `tag` starts.
    #[inline]
    pub(super) fn first(&self, tag: u32) -> u64 {
        self.slot(self.start(tag))
    }

    /// The index under `tag` that is the `same`, or else the vacant slot where it belongs.
    #[inline]
    pub(super) fn find(&self, tag: u32, mut same: impl FnMut(u32) -> bool) -> Result<u32, usize> {
        let mut at = self.start(tag);
        loop {
            let slot = self.slot(at);
            if slot == 0 {
                return Err(at);
            }
            if (slot >> 32) as u32 == tag {
                let index = slot as u32 - 1;
                if same(index) {
                    return Ok(index);
                }
            }
            at = self.after(at);
        }
    }

    /// Fills a slot that [`Self::find`] has just found vacant.
    #[inline]
    pub(super) fn fill(&mut self, vacant: usize, tag: u32, index: u32) {
        debug_assert_eq!(self.slot(vacant), 0);
        let slot = u64::from(tag) << 32 | u64::from(index + 1);
        self.segments[vacant / SEGMENT_SLOTS][vacant % SEGMENT_SLOTS] = slot;
        self.filled += 1;
        if self.filled > most(self.len) {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let larger = Self::unallocated(grown(self.len), self.filled);
        let old = std::mem::replace(self, larger);
        for segment in old.segments {
            for slot in segment.into_iter().filter(|slot| *slot != 0) {
                self.put_back(slot);
            }
        }
        self.allocate(self.len - 1);
    }

    fn put_back(&mut self, slot: u64) {
        let mut at = self.start((slot >> 32) as u32);
        self.allocate(at);
        while self.slot(at) != 0 {
            at = self.after(at);
            self.allocate(at);
        }
        self.segments[at / SEGMENT_SLOTS][at % SEGMENT_SLOTS] = slot;
    }

    /// The memory held at worst while `more` slots are filled.
    pub(super) fn bytes_with(&self, more: u64) -> u64 {
        let (mut before, mut after) = (0, self.len);
        while (most(after) as u64) < self.filled as u64 + more {
            (before, after) = (after, grown(after));
        }
        ((before + after) * size_of::<u64>()) as u64
    }
}

/// How many of so many slots may be filled.
fn most(slots: usize) -> usize {
    slots / 4 * 3
}

fn grown(slots: usize) -> usize {
    slots + slots / 2
}
