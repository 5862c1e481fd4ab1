//! The search itself.

use std::ops::Range;

use semel_models::subject::Subject;

use super::expand::Part;
use super::exploration::{Exploration, Findings, Outcome};
use super::frontier::{Frontier, LevelOff};
use super::hash::Spread;
use super::options::{Limit, Options};
use super::outbox::Outbox;
use super::packed::pack;
use super::store::Store;
use super::tally::Tally;
use super::workers::for_each;

/// How far an exploration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps from an initial state to the states that are being expanded.
    pub depth: u32,
    /// States stored.
    pub unique_states: u64,
    /// Transitions generated.
    pub transitions: u64,
    /// States stored and not yet expanded.
    pub queue: u64,
    /// Memory held, in bytes.
    pub bytes: u64,
}

/// Candidates that a block of states should bring: many, so that a shard that takes up its share
/// finds much of what it reads in a cache, but little memory beside what a large graph takes.
const BLOCK_CANDIDATES: u64 = 1 << 18;
/// No block is planned smaller than this.
const SMALLEST_BLOCK: u64 = 16;
/// A block of this many states is not worth sharing.
const LONELY_BLOCK: u64 = 512;
/// Parts of a block for each thread, so that none waits long for the slowest.
const PARTS_A_THREAD: usize = 4;

pub(super) struct Search<'a, 'o, S> {
    pub(super) subject: &'a S,
    pub(super) options: &'o Options,
    pub(super) store: Store,
    pub(super) parts: Vec<Part>,
    pub(super) tally: Tally,
    /// Each level that has such states, and these (`Part::level_off`).
    level_off: Vec<LevelOff>,
    pub(super) init_states: u64,
    pub(super) depth: u32,
    /// The most states expanded at once so far.
    largest_block: u64,
    /// The most words of candidates held at once so far.
    most_words: u64,
}

/// Explores what `subject` can reach.
pub(super) fn search<'a, S: Subject>(
    subject: &'a S,
    options: &Options,
    spread: Spread,
    watch: &mut dyn FnMut(&Progress),
) -> Exploration<'a, S> {
    let mut search = Search::new(subject, options, spread);
    let outcome = match search.run(watch) {
        Ok(outcome) => outcome,
        Err(limit) => Outcome::Limit(limit),
    };
    let findings = Findings {
        outcome,
        unique_states: search.store.len(),
        init_states: search.init_states,
        depth: search.depth,
        bytes: search.bytes(),
        tally: search.tally,
        level_off: search.level_off,
    };
    Exploration::new(subject, search.store, findings)
}

impl<'a, 'o, S: Subject> Search<'a, 'o, S> {
    pub(super) fn new(subject: &'a S, options: &'o Options, spread: Spread) -> Self {
        let words = subject.words();
        let parts = match options.jobs.get() {
            1 => 1,
            jobs => jobs * PARTS_A_THREAD,
        };
        Self {
            subject,
            options,
            store: Store::new(words, spread),
            parts: (0..parts).map(|_| Part::new(words)).collect(),
            tally: Tally::default(),
            level_off: Vec::new(),
            init_states: 0,
            depth: 0,
            largest_block: 1,
            most_words: 0,
        }
    }

    fn run(&mut self, watch: &mut dyn FnMut(&Progress)) -> Result<Outcome, Limit> {
        self.post_init_states();
        self.absorb(1)?;
        let mut level = Frontier::all(self.store.lens());
        loop {
            self.expand_level(&level, watch)?;
            level = level.next(self.store.lens());
            if level.len() == 0 {
                return Ok(Outcome::Complete);
            }
            if self.options.is_answered(self.tally.violated()) {
                return Ok(Outcome::Stopped);
            }
            self.depth += 1;
        }
    }

    /// Puts the initial states into the first outbox.
    pub(super) fn post_init_states(&mut self) {
        let mut buffer = vec![0; self.subject.words()];
        for mut state in self.subject.init_states() {
            if self.subject.within_boundary(&state) {
                self.init_states += 1;
                let words = pack(self.subject, &mut state, &mut buffer);
                let home = self.store.home(words);
                self.parts[0].outbox.post(home, None, words);
            }
        }
    }

    fn expand_level(
        &mut self,
        level: &Frontier,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<(), Limit> {
        let len = level.len();
        let mut done = 0;
        let mut states = Vec::new();
        while done < len {
            self.options.interrupted()?;
            let block = done..len.min(done + self.block_size()?);
            done = block.end;
            let parts = self.expand(level, block);
            let found = self.parts[..parts].iter().map(|part| &part.level_off);
            states.extend(found.flatten());
            self.absorb(parts)?;
            watch(&self.progress());
        }
        if !states.is_empty() {
            self.level_off.push(LevelOff::of(level.clone(), states));
        }
        Ok(())
    }

    /// How many states to expand next: as many as should bring the intended number of candidates,
    /// fewer where a limit is near, and not many more than were ever expanded at once, as their
    /// successors may be many. Depends on nothing that threads could change.
    pub(super) fn block_size(&self) -> Result<u64, Limit> {
        let free_states = self.options.max_states.saturating_sub(self.store.len());
        let free_bytes = self.options.max_bytes.saturating_sub(self.bytes());
        if free_states == 0 {
            return Err(Limit::States);
        }
        if free_bytes == 0 {
            return Err(Limit::Memory);
        }
        let affordable = free_bytes / (4 * Outbox::bytes_each(self.subject.words()));
        let candidates = BLOCK_CANDIDATES.min(free_states).min(affordable);
        let branching = (self.tally.transitions / self.tally.expanded.max(1)).max(1);
        let wanted = (candidates / branching).min(4 * self.largest_block);
        Ok(wanted.max(SMALLEST_BLOCK))
    }

    /// Expands a block and answers in how many parts.
    pub(super) fn expand(&mut self, level: &Frontier, block: Range<u64>) -> usize {
        let len = block.end - block.start;
        self.largest_block = self.largest_block.max(len);
        let parts = match len {
            0..=LONELY_BLOCK => 1,
            _ => self.parts.len(),
        };
        let size = len.div_ceil(parts as u64);
        let (subject, store, depth) = (self.subject, &self.store, self.depth);
        let jobs = self.jobs_for(parts);
        let work = self.parts[..parts].iter_mut().zip(0..);
        for_each(jobs, work, |(part, number)| {
            let from = (block.start + number * size).min(block.end);
            let to = (from + size).min(block.end);
            part.expand(subject, store, level, from..to, depth);
        });
        for part in &self.parts[..parts] {
            self.tally.add(&part.tally);
        }
        parts
    }

    fn jobs_for(&self, parts: usize) -> usize {
        self.options.jobs.get().min(parts)
    }

    /// Stores what is new in the outboxes of the first `parts` parts, if that surely fits.
    fn absorb(&mut self, parts: usize) -> Result<(), Limit> {
        let jobs = self.jobs_for(parts);
        let full = self.parts[..parts].iter().map(|part| &part.outbox);
        self.hold_candidates(full.map(Outbox::words).sum());
        let outboxes: Vec<_> = self.parts[..parts]
            .iter()
            .map(|part| &part.outbox)
            .collect();
        let lanes = |shard| {
            outboxes
                .iter()
                .map(move |outbox| outbox.lane(shard).records())
        };
        if self.store.bytes_with(lanes) + self.candidate_bytes() > self.options.max_bytes {
            return Err(Limit::Memory);
        }
        self.store.absorb(lanes, jobs).map_err(|_| Limit::States)?;
        self.parts.iter_mut().for_each(Part::clear);
        Ok(())
    }

    /// Notes that candidates of so many words are held at once.
    pub(super) fn hold_candidates(&mut self, words: u64) {
        self.most_words = self.most_words.max(words);
    }

    /// The memory that the most candidates held at once have taken.
    fn candidate_bytes(&self) -> u64 {
        Outbox::bytes_of(self.most_words)
    }

    pub(super) fn bytes(&self) -> u64 {
        let level_off: u64 = self.level_off.iter().map(LevelOff::bytes).sum();
        self.store.bytes() + self.candidate_bytes() + level_off
    }

    fn progress(&self) -> Progress {
        let unique_states = self.store.len();
        Progress {
            depth: self.depth,
            unique_states,
            transitions: self.tally.transitions,
            queue: unique_states - self.tally.expanded,
            bytes: self.bytes(),
        }
    }
}
