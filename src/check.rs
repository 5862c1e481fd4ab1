//! From a design to its verdicts.

mod endings;
mod explorer;
mod file;

pub(crate) use explorer::Explorer;
pub use file::{FileError, check_file};

use crate::design::{Design, Expected};
use crate::explore::{Limit, Lost, Options, Progress};
use crate::mend::{self, Mends};
use crate::trace::{Bound, DesignSource, tell};
use crate::verdict::{Judgement, Stop, Verdict, Verdicts, WitnessReport};
use endings::Endings;
use semel_models::cluster::{Cluster, FINAL, FINAL_WITH_FAILED, Witness, final_losing};
use semel_models::guarantee::Guarantee;
use semel_models::limits::TooLarge;
use semel_models::pipeline::Pipeline;
use semel_models::subject::Subject;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// How a check is to be run. The default explores everything, on every core.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    /// How many threads; `None`: one per core.
    pub jobs: Option<NonZeroUsize>,
    /// How many states may be stored.
    pub max_states: Option<u64>,
    /// How many bytes the exploration may hold.
    pub max_memory: Option<u64>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Raised to end it early.
    pub cancel: Option<Arc<AtomicBool>>,
}

/// A design that cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{design}: {cause}")]
pub struct CheckError {
    pub(crate) design: String,
    pub(crate) cause: Cause,
}

/// Why a design cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub(crate) enum Cause {
    /// Its states do not fit into the model.
    TooLarge(#[from] TooLarge),
    /// One of the processes that explored it together is gone.
    Lost(#[from] Lost),
}

impl CheckError {
    /// Whether another process that explored with this one is gone: nothing is wrong with the design.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self.cause, Cause::Lost(_))
    }

    pub(crate) fn of(design: &Design, cause: impl Into<Cause>) -> CheckError {
        CheckError {
            design: design.file().into(),
            cause: cause.into(),
        }
    }
}

/// Judges every guarantee of `design`.
///
/// ```
/// use semel::{CheckOptions, Design, Guarantee, Verdict};
///
/// let design = Design::parse(
///     "idempotent.toml",
///     br#"
///         [producer]
///         enable.idempotence = true
///         [consumer]
///         enable.auto.commit = false
///         auto.offset.reset = "earliest"
///         [application]
///         order = "process -> commit"
///         [faults]
///         response-lost.produce = 1
///         [bounds]
///         records = 1
///     "#,
/// )?;
/// let verdicts = semel::check(&design, &CheckOptions::default())?;
/// assert_eq!(verdicts.of(Guarantee::NoDuplicates), &Verdict::Holds);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check(design: &Design, options: &CheckOptions) -> Result<Verdicts, CheckError> {
    check_watched(design, options, &mut |_| {})
}

/// Judges every guarantee of `design`, and shows `watch` how far it has come.
pub fn check_watched(
    design: &Design,
    options: &CheckOptions,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Verdicts, CheckError> {
    check_with(&mut Explorer::default(), design, options, watch)
}

/// Judges every guarantee of `design` by what `explorer` finds.
pub(crate) fn check_with(
    explorer: &mut Explorer<'_>,
    design: &Design,
    options: &CheckOptions,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Verdicts, CheckError> {
    check_pipeline(explorer, design, design.pipeline().clone(), options, watch)
}

/// The model of `pipeline`: that of `design`, or one that differs from it in a detail.
pub(crate) fn cluster(design: &Design, pipeline: Pipeline) -> Result<Cluster, CheckError> {
    Cluster::new(pipeline).map_err(|cause| CheckError::of(design, cause))
}

/// Judges every guarantee of `pipeline`: that of `design`, or one that differs from it in what may
/// go wrong.
pub(crate) fn check_pipeline(
    explorer: &mut Explorer<'_>,
    design: &Design,
    pipeline: Pipeline,
    options: &CheckOptions,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Verdicts, CheckError> {
    let started = Instant::now();
    let bound = bound(&pipeline);
    let cluster = cluster(design, pipeline)?;
    let engine = options.within(design).engine(started);
    let lost = |lost| CheckError::of(design, lost);
    let found = explorer.explore(&cluster, &engine, watch).map_err(lost)?;
    let endings = Endings::of(&found, &engine);
    let decided_after = started.elapsed();
    let unreordered = cluster.in_every_order();
    let shortest = endings
        .shortest(explorer, &found, &unreordered, &engine, watch)
        .map_err(lost)?;
    let source = DesignSource::of(design);
    let judge = |guarantee: Guarantee| {
        let explored = || {
            let run = endings.run(&found, guarantee)?;
            let is_shortest = endings.shows_shortest(&cluster, guarantee);
            Some(if is_shortest {
                run
            } else {
                run.perhaps_longer()
            })
        };
        let verdict = match shortest.run(guarantee).or_else(explored) {
            Some(run) => {
                let trace = tell(&cluster, source.clone(), bound.clone(), guarantee, &run);
                Verdict::Violated(Box::new(trace))
            }
            None if endings.stops(guarantee) => Verdict::Undecided,
            None => Verdict::Holds,
        };
        Judgement {
            guarantee,
            verdict,
            required: design.required().contains(&guarantee),
            expected: expected(design, guarantee),
            asked_in_line: asked_in_line(design, guarantee),
            fewest_faults: found
                .lightest(guarantee as usize)
                .filter(|_| endings.exploration.is_none()),
        }
    };
    let reached = found.reached();
    let report = |(bit, witness): (usize, &Witness)| {
        let is_in = |bits: u64| bits & (1 << bit) != 0;
        let struck = matches!(witness, Witness::Fault { .. }) && is_in(found.unspent());
        WitnessReport {
            name: witness.to_string(),
            reached: is_in(reached),
            without_effect: struck && !is_in(reached),
        }
    };
    let counted = |bit: u32| found.counted()[bit.trailing_zeros() as usize];
    let is_met = |lost: &u16| counted(final_losing(*lost)) > 0;
    let most_lost = (1..=bound.records).rev().find(is_met).unwrap_or(0);
    Ok(Verdicts {
        name: design.name().into(),
        file: design.file().into(),
        judgements: Guarantee::ALL.into_iter().map(judge).collect(),
        witnesses: cluster.witnesses().iter().enumerate().map(report).collect(),
        unique_states: found.unique_states(),
        transitions: found.transitions(),
        depth: found.depth(),
        decided_after,
        elapsed: started.elapsed(),
        state_bytes: cluster.words() * size_of::<u32>(),
        memory_bytes: found.bytes(),
        final_states: counted(FINAL),
        final_states_with_failed: counted(FINAL_WITH_FAILED),
        most_lost,
        stop: endings.exploration.or(endings.livelock_search),
        imported: design.imported().to_vec(),
        derived: design.derived().to_vec(),
        warnings: design.warnings().to_vec(),
        mends: Mends::NotTried,
        bound,
    })
}

/// Looks for changes to `design` that mend what `verdicts` found violated, and notes them there.
pub(crate) fn find_mends(
    design: &Design,
    verdicts: &mut Verdicts,
    options: &CheckOptions,
    started: Instant,
) {
    let options = options.within(design);
    verdicts.mends = mend::find(design, verdicts, &options, started);
}

fn expected(design: &Design, guarantee: Guarantee) -> Option<Expected> {
    if design.required().contains(&guarantee) {
        return Some(Expected::Holds);
    }
    let stated = design.expected().iter().find(|(own, _)| *own == guarantee);
    stated.map(|(_, expected)| *expected)
}

/// The line of the design that names a guarantee which it asks for.
fn asked_in_line(design: &Design, guarantee: Guarantee) -> Option<usize> {
    expected(design, guarantee)?;
    if design.is_imported() {
        return None;
    }
    let names = |line: &str| {
        let stated = line.split('#').next().unwrap_or_default();
        let mut words = stated.split(|c: char| !c.is_ascii_alphabetic() && c != '-');
        words.any(|word| word == guarantee.name())
    };
    let line = design.text().lines().position(names)?;
    Some(line + 1)
}

/// The bound of a pipeline, as every output states it.
pub(crate) fn bound(pipeline: &Pipeline) -> Bound {
    let faults = &pipeline.faults;
    Bound {
        records: pipeline.bounds.records,
        partitions: pipeline.bounds.partitions,
        keys: pipeline.bounds.keys,
        poll: pipeline.bounds.poll,
        retries: pipeline.bounds.retries,
        faults: faults
            .entries
            .iter()
            .map(|(key, budget)| (key.to_string(), *budget))
            .collect(),
        total: faults.total(),
    }
}

/// How a verdict says that a limit was reached.
pub(crate) fn stop(limit: Limit) -> Stop {
    match limit {
        Limit::States => Stop::States,
        Limit::Memory => Stop::Memory,
        Limit::Deadline => Stop::Time,
        Limit::Cancelled => Stop::Interrupt,
    }
}

impl CheckOptions {
    /// These options, with the limits that the design states where they leave one open.
    pub(crate) fn within(&self, design: &Design) -> CheckOptions {
        let stated = design.limits();
        CheckOptions {
            max_states: self.max_states.or(stated.states),
            max_memory: self.max_memory.or(stated.memory),
            ..self.clone()
        }
    }

    /// How many threads work.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores)
    }

    pub(crate) fn engine(&self, started: Instant) -> Options {
        let mut engine = Options::default().jobs(self.threads());
        if let Some(states) = self.max_states {
            engine = engine.max_states(states);
        }
        if let Some(bytes) = self.max_memory {
            engine = engine.max_bytes(bytes);
        }
        if let Some(deadline) = self
            .timeout
            .and_then(|timeout| started.checked_add(timeout))
        {
            engine = engine.deadline(deadline);
        }
        if let Some(cancel) = &self.cancel {
            engine = engine.cancel(Arc::clone(cancel));
        }
        engine
    }
}
