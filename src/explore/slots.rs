//! An index from tags to the states of a shard.

/// A hash table of buckets of the size of a cache line; what finds its bucket full goes to the
/// next. A slot keeps the tag beside the index: most searches look at one state or none, and
/// growing reads no state at all.
///
/// The table is cut into segments so small that the allocator takes back and hands out the same
/// ones while the shards grow. One piece of memory would come from the system and go back to it
/// with each step of growth, and with that stop all other threads.
#[derive(Debug)]
pub(super) struct Slots {
    segments: Vec<Vec<Bucket>>,
    buckets: usize,
    filled: usize,
}

/// A bucket is filled from its first slot on, and no slot is ever vacated.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket {
    tags: [u32; BUCKET_SLOTS],
    /// Each one more than the index of a state; zero where the slot is vacant.
    places: [u32; BUCKET_SLOTS],
}

const VACANT: Bucket = Bucket {
    tags: [0; BUCKET_SLOTS],
    places: [0; BUCKET_SLOTS],
};
const BUCKET_SLOTS: usize = 8;
const FIRST_BUCKETS: usize = 2;
const SEGMENT_BUCKETS: usize = 1 << 9;

/// Where something new belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vacancy {
    bucket: usize,
    slot: usize,
}

impl Slots {
    pub(super) fn new() -> Self {
        let mut slots = Self::unallocated(FIRST_BUCKETS, 0);
        slots.allocate(FIRST_BUCKETS - 1);
        slots
    }

    fn unallocated(buckets: usize, filled: usize) -> Self {
        Self {
            segments: Vec::with_capacity(buckets.div_ceil(SEGMENT_BUCKETS)),
            buckets,
            filled,
        }
    }

    /// Sees to it that this bucket is there, with all before it.
    #[inline]
    fn allocate(&mut self, bucket: usize) {
        while self.segments.len() <= bucket / SEGMENT_BUCKETS {
            let left = self.buckets - self.segments.len() * SEGMENT_BUCKETS;
            let segment = vec![VACANT; left.min(SEGMENT_BUCKETS)];
            self.segments.push(segment);
        }
    }

    #[inline]
    fn bucket(&self, number: usize) -> &Bucket {
        &self.segments[number / SEGMENT_BUCKETS][number % SEGMENT_BUCKETS]
    }

    /// The bucket of a tag. Tags keep their order, so that growing copies from front to back.
    #[inline]
    fn start(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.buckets as u64) >> 32) as usize
    }

    /// The bucket that takes what finds this one full.
    #[inline]
    fn after(&self, bucket: usize) -> usize {
        (bucket + 1) % self.buckets
    }

    /// The index that [`Self::find`] most likely has to look at, if any. Without a branch, as none
    /// could be predicted; if a tag occurs twice the guess is as good as any other.
    #[inline]
    pub(super) fn guess(&self, tag: u32) -> u32 {
        let bucket = self.bucket(self.start(tag));
        let slots = bucket.tags.iter().zip(&bucket.places);
        let place = slots.fold(0, |place, (other, there)| {
            place | there & u32::from(*other == tag).wrapping_neg()
        });
        place.saturating_sub(1)
    }

    /// The index under `tag` that is the `same`, or else where it belongs.
    #[inline]
    pub(super) fn find(&self, tag: u32, mut same: impl FnMut(u32) -> bool) -> Result<u32, Vacancy> {
        let mut number = self.start(tag);
        loop {
            let bucket = self.bucket(number);
            for slot in 0..BUCKET_SLOTS {
                let place = bucket.places[slot];
                if place == 0 {
                    return Err(Vacancy {
                        bucket: number,
                        slot,
                    });
                }
                if bucket.tags[slot] == tag && same(place - 1) {
                    return Ok(place - 1);
                }
            }
            number = self.after(number);
        }
    }

    /// Fills what [`Self::find`] has just found vacant.
    #[inline]
    pub(super) fn fill(&mut self, vacancy: Vacancy, tag: u32, index: u32) {
        self.put(vacancy, tag, index + 1);
        self.filled += 1;
        if self.filled > most(self.buckets) {
            self.grow();
        }
    }

    #[inline]
    fn put(&mut self, vacancy: Vacancy, tag: u32, place: u32) {
        let Vacancy { bucket, slot } = vacancy;
        let bucket = &mut self.segments[bucket / SEGMENT_BUCKETS][bucket % SEGMENT_BUCKETS];
        debug_assert_eq!(bucket.places[slot], 0);
        bucket.tags[slot] = tag;
        bucket.places[slot] = place;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = Self::unallocated(grown(self.buckets), self.filled);
        let old = std::mem::replace(self, larger);
        for segment in old.segments {
            for bucket in segment {
                let slots = bucket.tags.into_iter().zip(bucket.places);
                for (tag, place) in slots.take_while(|(_, place)| *place != 0) {
                    self.put_back(tag, place);
                }
            }
        }
        self.allocate(self.buckets - 1);
    }

    fn put_back(&mut self, tag: u32, place: u32) {
        let mut bucket = self.start(tag);
        loop {
            self.allocate(bucket);
            let places = &self.bucket(bucket).places;
            if let Some(slot) = places.iter().position(|place| *place == 0) {
                return self.put(Vacancy { bucket, slot }, tag, place);
            }
            bucket = self.after(bucket);
        }
    }

    /// The memory held at worst while `more` slots are filled.
    pub(super) fn bytes_with(&self, more: u64) -> u64 {
        let (mut before, mut after) = (0, self.buckets);
        while (most(after) as u64) < self.filled as u64 + more {
            (before, after) = (after, grown(after));
        }
        ((before + after) * size_of::<Bucket>()) as u64
    }
}

/// How many slots of so many buckets may be filled: three quarters.
fn most(buckets: usize) -> usize {
    buckets * (BUCKET_SLOTS / 4 * 3)
}

fn grown(buckets: usize) -> usize {
    buckets + buckets / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tags that fill some buckets far beyond their slots.
    fn crowded(index: u32) -> u32 {
        index.wrapping_mul(0x9e37_79b9) & 0xf800_0000
    }

    #[test]
    fn all_is_found_after_any_growth_and_nothing_else_is() {
        let mut slots = Slots::new();
        for index in 0..1_000 {
            let tag = crowded(index);
            let told = slots.bytes_with(1);
            let vacancy = slots.find(tag, |other| other == index);
            slots.fill(vacancy.expect_err("not there yet"), tag, index);
            let held: usize = slots.segments.iter().map(Vec::capacity).sum();
            assert_eq!(held, slots.buckets);
            assert!((held * size_of::<Bucket>()) as u64 <= told);
            for known in 0..=index {
                let found = slots.find(crowded(known), |other| other == known);
                assert_eq!(found.ok(), Some(known));
            }
        }
    }
}
