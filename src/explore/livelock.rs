//! States from which the system can no longer come to rest.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use semel_models::subject::Subject;

use super::exploration::{Exploration, Outcome};
use super::id::{SHARDS, StateId};
use super::options::{Limit, Options};
use super::store::Store;
use super::workers::for_each;

/// Whether the system can always come to rest without a further fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Livelock {
    /// From every state a quiescent state can be reached without a fault: every bottom component
    /// of the steps that are no faults is one quiescent state.
    None,
    /// From this state no quiescent state can be reached without a fault. None is nearer to an
    /// initial state; of several it is the canonical first.
    From(StateId),
    /// The exploration was not complete.
    Unexplored,
    /// A limit was met while the explored graph was being examined.
    Limit(Limit),
}

/// States in a unit of work.
const BAND_STATES: u64 = 1 << 14;

impl<S: Subject> Exploration<'_, S> {
    /// Looks for a state from which no quiescent state can be reached without a fault. Of
    /// `options`, the number of jobs, the memory, the deadline and the cancellation matter.
    ///
    /// No edge is stored: successors are generated again, in sweeps over the states not yet
    /// resolved, one bit for each state, until a sweep resolves nothing. States are swept from
    /// the deepest to the initial ones, as most steps lead deeper, then back, and so on. A step
    /// beyond the model's boundary counts as a way to rest, as nothing is known beyond.
    #[must_use]
    pub fn livelock(&self, options: &Options) -> Livelock {
        if self.outcome() != Outcome::Complete {
            return Livelock::Unexplored;
        }
        let marks = Marks::bytes(&self.store);
        if self.bytes().saturating_add(marks) > options.max_bytes {
            return Livelock::Limit(Limit::Memory);
        }
        let resolved = Marks::new(&self.store);
        let mut backwards = true;
        loop {
            match self.sweep(&resolved, backwards, options) {
                Err(limit) => return Livelock::Limit(limit),
                Ok(0) => break,
                Ok(_) => backwards = !backwards,
            }
        }
        // Indices ascend with depth: the first of each shard suffices.
        let firsts = (0..SHARDS).filter_map(|shard| resolved.first_unmarked(shard));
        match firsts.min_by_key(|id| self.depth_of(*id)) {
            None => Livelock::None,
            Some(id) => Livelock::From(id),
        }
    }

    /// Resolves what it can in one pass over the unresolved states, and answers how many.
    fn sweep(&self, resolved: &Marks, backwards: bool, options: &Options) -> Result<u64, Limit> {
        let bands = self.unique_states().div_ceil(BAND_STATES);
        let lens = self.store.lens();
        let newly = AtomicU64::new(0);
        for_each(options.jobs.get(), 0..bands, |turn| {
            if options.interrupted().is_err() {
                return;
            }
            let band = if backwards { bands - 1 - turn } else { turn };
            let mut ids: Vec<_> = (0..SHARDS)
                .flat_map(|shard| {
                    part_of(lens[shard], band, bands).map(move |local| (local, shard))
                })
                .map(|(local, shard)| StateId::new(shard, local))
                .filter(|id| !resolved.marked(*id))
                .collect();
            ids.sort_unstable();
            if backwards {
                ids.reverse();
            }
            let found = ids.into_iter().filter(|id| self.resolves(*id, resolved));
            let count = found.map(|id| resolved.mark(id)).count();
            newly.fetch_add(count as u64, Ordering::Relaxed);
        });
        options.interrupted()?;
        Ok(newly.into_inner())
    }

    /// Whether the state is quiescent or a step that is no fault leads to a resolved one.
    fn resolves(&self, id: StateId, resolved: &Marks) -> bool {
        let mut quiescent = true;
        let leads_to_rest = self.calm_steps(id, |next| {
            quiescent = false;
            next.is_none_or(|next| resolved.marked(next))
        });
        leads_to_rest || quiescent
    }

    /// Shows the states to which steps that are no faults lead from `id`, other than itself, `None`
    /// for one that was not explored, until `enough` says so. Answers whether it did.
    pub(super) fn calm_steps(
        &self,
        id: StateId,
        mut enough: impl FnMut(Option<StateId>) -> bool,
    ) -> bool {
        let subject = self.subject;
        let state = self.state(id);
        let mut packed = vec![0; subject.words()];
        let mut actions = Vec::new();
        subject.actions(&state, &mut actions);
        actions.into_iter().any(|action| {
            if subject.is_fault(&action) {
                return false;
            }
            let Some(next) = subject.next_state(&state, action) else {
                return false;
            };
            subject.pack(&next, &mut packed);
            packed != self.store.words(id) && enough(self.store.find(&packed))
        })
    }
}

/// The indices of a shard with `len` states that belong to `band` of `bands`.
fn part_of(len: u32, band: u64, bands: u64) -> Range<u32> {
    let cut = |band: u64| (u64::from(len) * band / bands) as u32;
    cut(band)..cut(band + 1)
}

/// One bit for each stored state.
struct Marks {
    shards: Vec<Shard>,
}

struct Shard {
    len: u32,
    bits: Vec<AtomicU32>,
}

impl Marks {
    fn new(store: &Store) -> Self {
        let shard = |len: u32| Shard {
            len,
            bits: (0..len.div_ceil(32)).map(|_| AtomicU32::new(0)).collect(),
        };
        Self {
            shards: store.lens().into_iter().map(shard).collect(),
        }
    }

    fn bytes(store: &Store) -> u64 {
        let words = store.lens().map(|len| u64::from(len.div_ceil(32)));
        words.iter().sum::<u64>() * size_of::<AtomicU32>() as u64
    }

    fn bit(&self, id: StateId) -> (&AtomicU32, u32) {
        let word = &self.shards[id.shard()].bits[id.local() as usize / 32];
        (word, 1 << (id.local() % 32))
    }

    // Bits are only ever set, and a mark seen late is seen in the next sweep: no order is needed.

    fn marked(&self, id: StateId) -> bool {
        let (word, bit) = self.bit(id);
        word.load(Ordering::Relaxed) & bit != 0
    }

    fn mark(&self, id: StateId) {
        let (word, bit) = self.bit(id);
        word.fetch_or(bit, Ordering::Relaxed);
    }

    fn first_unmarked(&self, shard: usize) -> Option<StateId> {
        let ids = (0..self.shards[shard].len).map(|local| StateId::new(shard, local));
        ids.into_iter().find(|id| !self.marked(*id))
    }
}
