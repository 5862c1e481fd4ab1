//! Candidates tried side by side.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use semel_models::pipeline::Pipeline;

use super::candidate::Candidate;
use crate::check::{CheckOptions, stop};
use crate::design::Design;
use crate::explore::{Limit, Options};
use crate::mend::Trial;
use crate::verdict::Stop;

/// A design with more states than this is too large to be one of many.
const MOST_STATES: u64 = 400_000;

/// How many are tried before what was found is looked at.
const BATCH: usize = 32;

/// Who tries candidates, and for how long.
pub(super) struct Trials<'a> {
    pub design: &'a Design,
    /// For one candidate, with one thread.
    engine: Options,
    jobs: NonZeroUsize,
}

impl<'a> Trials<'a> {
    /// Trials within the limits of `options`, as many at a time as it has jobs. `ends` says what ends an
    /// exploration early.
    pub(super) fn of(
        design: &'a Design,
        options: &CheckOptions,
        started: Instant,
        ends: impl FnOnce(Options) -> Options,
    ) -> Trials<'a> {
        let options = options.within(design);
        let jobs = options.threads();
        let share = |all: u64| all / jobs.get() as u64;
        let one = CheckOptions {
            jobs: Some(NonZeroUsize::MIN),
            max_memory: options.max_memory.map(share),
            max_states: Some(options.max_states.unwrap_or(MOST_STATES)),
            ..options
        };
        Trials {
            design,
            engine: ends(one.engine(started)),
            jobs,
        }
    }

    /// Tries one after the other, and hands each to `take` with what came of it, in their order, until
    /// `take` says that it is enough. A limit of the whole search ends it with an error.
    pub(super) fn run<'c>(
        &self,
        candidates: impl IntoIterator<Item = &'c Candidate>,
        take: &mut dyn FnMut(&'c Candidate, &Trial) -> Enough,
    ) -> Result<(), Stop> {
        let mut candidates = candidates.into_iter().peekable();
        while candidates.peek().is_some() {
            let batch: Vec<&Candidate> = candidates.by_ref().take(BATCH).collect();
            for (candidate, trial) in batch.iter().zip(self.batch(&batch)) {
                match trial {
                    Trial::Limit(limit @ (Limit::Memory | Limit::Deadline | Limit::Cancelled)) => {
                        return Err(stop(limit));
                    }
                    Trial::Limit(Limit::States)
                    | Trial::Holding(_)
                    | Trial::Stopped { .. }
                    | Trial::NotModelled => {}
                }
                if take(candidate, &trial) == Enough::Yes {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn batch(&self, batch: &[&Candidate]) -> Vec<Trial> {
        let next = AtomicUsize::new(0);
        let found: Vec<OnceLock<Trial>> = batch.iter().map(|_| OnceLock::new()).collect();
        let work = || {
            while let Some(at) =
                Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < batch.len())
            {
                found[at].get_or_init(|| self.one(&batch[at].pipeline));
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.jobs.get().min(batch.len()) {
                scope.spawn(work);
            }
            work();
        });
        let tried = found.into_iter().map(OnceLock::into_inner);
        tried.map(|trial| trial.expect("all are tried")).collect()
    }

    fn one(&self, pipeline: &Pipeline) -> Trial {
        // A run with one fault is a run of the larger bound, too, and few have to be looked at.
        if pipeline.faults.total() > 1 {
            let mut narrower = pipeline.clone();
            narrower.faults.total = Some(1);
            if let stopped @ Trial::Stopped { .. } = Trial::alone(narrower, &self.engine) {
                return stopped;
            }
        }
        Trial::of(pipeline.clone(), self.design, &self.engine)
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enough {
    Yes,
    No,
}
