//! An index from tags to the states of a shard.

/// Open addressing with linear probing. A slot keeps the tag beside the index: most probes end
/// without a look at a state, and growing reads no state at all.
#[derive(Debug)]
pub(super) struct Slots {
    /// Zero, or a tag in the upper half and one more than an index in the lower.
    slots: Vec<u64>,
    filled: usize,
}

const FIRST_SLOTS: usize = 16;

impl Slots {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![0; FIRST_SLOTS],
            filled: 0,
        }
    }

    /// Where probing starts. Tags keep their order, so that growing copies from front to back.
    #[inline]
    fn start(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    /// The slot where probing for `tag` starts.
    #[inline]
    pub(super) fn first(&self, tag: u32) -> u64 {
        self.slots[self.start(tag)]
    }

    /// The index under `tag` that is the `same`, or else the vacant slot where it belongs.
    #[inline]
    pub(super) fn find(&self, tag: u32, mut same: impl FnMut(u32) -> bool) -> Result<u32, usize> {
        let mut at = self.start(tag);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            if (slot >> 32) as u32 == tag {
                let index = slot as u32 - 1;
                if same(index) {
                    return Ok(index);
                }
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    /// Fills a slot that [`Self::find`] has just found vacant.
    #[inline]
    pub(super) fn fill(&mut self, vacant: usize, tag: u32, index: u32) {
        debug_assert_eq!(self.slots[vacant], 0);
        self.slots[vacant] = u64::from(tag) << 32 | u64::from(index + 1);
        self.filled += 1;
        if self.filled > most(self.slots.len()) {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; grown(self.slots.len())];
        let old = std::mem::replace(&mut self.slots, larger);
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let never = |_| false;
            if let Err(vacant) = self.find((slot >> 32) as u32, never) {
                self.slots[vacant] = slot;
            }
        }
    }

    /// The memory held at worst while `more` slots are filled.
    pub(super) fn bytes_with(&self, more: u64) -> u64 {
        let (mut before, mut after) = (0, self.slots.len());
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
