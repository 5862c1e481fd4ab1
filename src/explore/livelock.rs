//! States from which the system can no longer come to rest.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use semel_models::subject::Subject;

use super::calm::CalmSteps;
use super::exploration::{Exploration, Outcome};
use super::frontier::LevelOff;
use super::id::{SHARDS, StateId};
use super::marks::Marks;
use super::options::{Limit, Options};
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
/// A way is followed so far and no further, which bounds the memory that it takes.
const LONGEST_WAY: usize = 1 << 10;
/// A way to a deeper level is looked for among so many states.
const FEW_STATES: usize = 1 << 7;

impl<S: Subject> Exploration<'_, S> {
    /// Looks for a state from which no quiescent state can be reached without a fault. Of
    /// `options`, the number of jobs, the memory, the deadline and the cancellation matter.
    ///
    /// No edge is stored: successors are generated again, of as few states as possible. From most
    /// states a step that is no fault leads a level deeper, which was seen when they were expanded. If
    /// from each of the others some steps do, every state has a way to rest, for the deepest level has
    /// no deeper one (`all_go_deeper`).
    ///
    /// Otherwise each state is followed to rest depth first, which resolves the whole way and enters
    /// no state twice. A way that runs into a state under examination, or into one that was left
    /// unresolved, may have been given up too early: sweeps over what is not yet resolved, back and
    /// forth until one resolves nothing, decide on the rest. A step beyond the model's boundary counts
    /// as a way to rest, as nothing is known beyond.
    #[must_use]
    pub fn livelock(&self, options: &Options) -> Livelock {
        if let Some(found) = self.livelock_found_together() {
            return found;
        }
        if self.outcome() != Outcome::Complete {
            return Livelock::Unexplored;
        }
        let marks = 2 * Marks::bytes(&self.store);
        if self.bytes().saturating_add(marks) > options.max_bytes {
            return Livelock::Limit(Limit::Memory);
        }
        match self.all_go_deeper(options) {
            Err(limit) => return Livelock::Limit(limit),
            Ok(true) => return Livelock::None,
            Ok(false) => {}
        }
        let resolved = Marks::new(&self.store);
        let entered = Marks::new(&self.store);
        let followed = self.sweep(&resolved, true, options, |id| {
            self.follow(id, &entered, &resolved)
        });
        let mut before = match followed {
            Err(limit) => return Livelock::Limit(limit),
            Ok(newly) => newly,
        };
        let mut backwards = false;
        while before != 0 {
            let resolve = |id| u64::from(self.resolves(id, &resolved) && resolved.mark(id));
            before = match self.sweep(&resolved, backwards, options, resolve) {
                Err(limit) => return Livelock::Limit(limit),
                Ok(newly) => newly,
            };
            backwards = !backwards;
        }
        // Indices ascend with depth: the first of each shard suffices.
        let firsts = (0..SHARDS).filter_map(|shard| resolved.first_unmarked(shard));
        match firsts.min_by_key(|id| self.depth_of(*id)) {
            None => Livelock::None,
            Some(id) => Livelock::From(id),
        }
    }

    /// One pass over the unresolved states, from the deepest to the initial ones, as most steps lead
    /// deeper, or back. Answers how many states were resolved, by the answers of `resolve`.
    fn sweep(
        &self,
        resolved: &Marks,
        backwards: bool,
        options: &Options,
        resolve: impl Fn(StateId) -> u64 + Sync,
    ) -> Result<u64, Limit> {
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
            let found: u64 = ids.into_iter().map(&resolve).sum();
            newly.fetch_add(found, Ordering::Relaxed);
        });
        options.interrupted()?;
        Ok(newly.into_inner())
    }

    /// Whether from every state that is not at rest steps that are no faults lead to a deeper level, as
    /// far as few steps show it. The deepest states come first: a way that was found from one of them
    /// leads deep enough for all that come later.
    fn all_go_deeper(&self, options: &Options) -> Result<bool, Limit> {
        let on_the_way = Marks::new(&self.store);
        let failed = AtomicBool::new(false);
        for LevelOff { level, states } in self.level_off().iter().rev() {
            let is_deeper = |id| level.is_above(id) || on_the_way.marked(id);
            for_each(options.jobs.get(), states.chunks(FEW_STATES), |states| {
                for root in states {
                    if options.interrupted().is_err() || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let mut entered = vec![*root];
                    let enter = |id| {
                        let enters = entered.len() < FEW_STATES && !entered.contains(&id);
                        entered.extend(enters.then_some(id));
                        enters
                    };
                    match self.way(*root, enter, is_deeper) {
                        Some(way) => way.into_iter().for_each(|id| _ = on_the_way.mark(id)),
                        None => failed.store(true, Ordering::Relaxed),
                    }
                }
            });
        }
        options.interrupted()?;
        Ok(!failed.into_inner())
    }

    /// Follows the steps that are no faults from `root` to rest, into states that were not `entered`
    /// before, and resolves the way to the first state found at rest or resolved. Answers how many
    /// states that resolves.
    fn follow(&self, root: StateId, entered: &Marks, resolved: &Marks) -> u64 {
        if !entered.mark(root) {
            return 0;
        }
        let way = self.way(root, |id| entered.mark(id), |id| resolved.marked(id));
        let newly = way.into_iter().flatten().filter(|id| resolved.mark(*id));
        newly.count() as u64
    }

    /// The way that the steps that are no faults take from `root` to the first state found at rest or at an
    /// `end`, through states that it may `enter`.
    fn way(
        &self,
        root: StateId,
        mut enter: impl FnMut(StateId) -> bool,
        is_end: impl Fn(StateId) -> bool,
    ) -> Option<Vec<StateId>> {
        if is_end(root) {
            return Some(Vec::new());
        }
        let mut way = vec![(root, self.calm_steps(root))];
        while let Some((_, last)) = way.last_mut() {
            let at_end = match self.next_of(last) {
                Some(Some(next)) if !is_end(next) => {
                    if way.len() < LONGEST_WAY && enter(next) {
                        way.push((next, self.calm_steps(next)));
                    }
                    continue;
                }
                Some(_) => true,
                None => !last.any,
            };
            if at_end {
                return Some(way.into_iter().map(|(id, _)| id).collect());
            }
            way.pop();
        }
        None
    }

    /// Whether the state is quiescent or a step that is no fault leads to a resolved one.
    fn resolves(&self, id: StateId, resolved: &Marks) -> bool {
        let mut steps = self.calm_steps(id);
        while let Some(next) = self.next_of(&mut steps) {
            if next.is_none_or(|next| resolved.marked(next)) {
                return true;
            }
        }
        !steps.any
    }

    fn calm_steps(&self, from: StateId) -> CalmSteps<'_, S> {
        CalmSteps::of(self.subject, self.words(from))
    }

    /// The state to which the next of these steps leads; `Some(None)`: beyond the model's boundary.
    fn next_of(&self, steps: &mut CalmSteps<'_, S>) -> Option<Option<StateId>> {
        let words = steps.advance()?;
        Some(words.and_then(|words| self.store.find(words)))
    }

    /// The states to which steps that are no faults lead from `id`, other than itself.
    pub(super) fn calm_successors(&self, id: StateId) -> Vec<StateId> {
        let mut steps = self.calm_steps(id);
        let all = std::iter::from_fn(|| self.next_of(&mut steps));
        all.flatten().collect()
    }
}

/// The indices of a shard with `len` states that belong to `band` of `bands`.
fn part_of(len: u32, band: u64, bands: u64) -> Range<u32> {
    let cut = |band: u64| (u64::from(len) * band / bands) as u32;
    cut(band)..cut(band + 1)
}
