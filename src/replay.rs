//! A recorded run, taken again step by step on the model of this version.
//!
//! A trace tells its steps in words that outlive the model's own types: actor, action, parameters
//! and fault. [`replay`] finds for each the step of today's model that is told alike, takes it, and
//! judges the end anew. Sentences may have been reworded since, and what a step changes may be told
//! otherwise: the run goes on, and the first such step is noted.
//!
//! After each step stands its [`Ledger`]. [`on_files`] takes the same steps on real files and in a real
//! database, whose rows have to come to the same.
//!
//! ```
//! use semel::replay::{Outcome, replay};
//! use semel::{CheckOptions, Design, Guarantee, check};
//!
//! let design = Design::parse(
//!     "counter.toml",
//!     br#"
//!         [consumer]
//!         enable.auto.commit = false
//!         auto.offset.reset = "earliest"
//!         [application]
//!         order = "process -> commit"
//!         [faults]
//!         consumer-crash = 1
//!         [bounds]
//!         records = 1
//!     "#,
//! )?;
//! let verdicts = check(&design, &CheckOptions::default())?;
//! let twice = verdicts.of(Guarantee::NoDuplicates).trace().expect("a crash repeats the effect");
//! let replayed = replay(twice)?;
//! assert!(matches!(replayed.outcome(), Outcome::AsRecorded { .. }));
//! let last = replayed.steps().last().expect("steps");
//! assert_eq!(last.ledger().to_string(), "r0 sent, handled more than once");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod files;
mod follow;
mod ledger;
mod setting;
mod verdict;

pub use files::{OnFiles, on_files};
pub use ledger::{Ledger, RecordLedger};
pub use setting::ReplayError;

use crate::trace::{Bound, Change, DesignSource, Step, Trace};
use follow::{Followed, follow};
use semel_models::action::Action;
use semel_models::cluster::State;
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::Pipeline;

/// A recorded run as it goes in this version.
#[derive(Clone, Debug)]
pub struct Replay {
    design: DesignSource,
    bound: Bound,
    guarantee: Guarantee,
    pipeline: Pipeline,
    start: State,
    steps: Vec<Replayed>,
    loops_from: Option<usize>,
    outcome: Outcome,
}

/// A step that was taken again.
#[derive(Clone, Debug)]
pub struct Replayed {
    action: Action,
    after: State,
    told: Step,
    ledger: Ledger,
    recorded: Vec<Change>,
}

/// How a replayed run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Every step could be taken, and the run violates its guarantee.
    AsRecorded {
        /// What the run ends in, in one sentence.
        violation: String,
    },
    /// Every step could be taken, and the run does not violate its guarantee.
    NotViolated {
        /// Why it does not, in one sentence.
        why: String,
    },
    /// Every step could be taken; whether the loop at the end can be left was not found out within
    /// the limit on states.
    Undecided,
    /// A step cannot be taken.
    Impossible(Obstacle),
}

/// The recorded step that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The step as it was recorded.
    pub recorded: Step,
    /// Every step that can be taken instead.
    pub enabled: Vec<Step>,
}

/// Takes the run of `trace` again.
pub fn replay(trace: &Trace) -> Result<Replay, ReplayError> {
    let setting = setting::of(trace)?;
    let Followed {
        start,
        path,
        outcome,
    } = follow(&setting.cluster, trace, setting.guarantee);
    let steps = path.into_iter().zip(trace.steps());
    let steps = steps.map(|(taken, recorded)| Replayed {
        action: taken.action,
        ledger: Ledger::of(&taken.after.ledger, setting.cluster.pipeline()),
        after: taken.after,
        recorded: recorded.change().to_vec(),
        told: taken.told,
    });
    let steps = steps.collect();
    Ok(Replay {
        design: trace.design().clone(),
        bound: trace.bound().clone(),
        guarantee: setting.guarantee,
        pipeline: setting.cluster.pipeline().clone(),
        start,
        steps,
        loops_from: trace.loops_from(),
        outcome,
    })
}

impl Replay {
    /// The design.
    pub fn design(&self) -> &DesignSource {
        &self.design
    }

    /// The bound within which the run lies.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The guarantee that the run was recorded for.
    pub fn guarantee(&self) -> Guarantee {
        self.guarantee
    }

    /// The pipeline that the design means.
    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The state before the first step.
    pub fn start(&self) -> &State {
        &self.start
    }

    /// The steps that could be taken, from the start: all of them, unless one is impossible.
    pub fn steps(&self) -> &[Replayed] {
        &self.steps
    }

    /// For a run without end: how many steps stand before its loop.
    pub fn loops_from(&self) -> Option<usize> {
        self.loops_from
    }

    /// How it ends.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The place of the first step that changes something else than was recorded.
    pub fn first_difference(&self) -> Option<usize> {
        let mut steps = self.steps.iter();
        steps.position(|step| !step.changes_as_recorded())
    }
}

impl Replayed {
    /// The step of the model.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The state that it leads to.
    pub fn after(&self) -> &State {
        &self.after
    }

    /// The step as this version tells it.
    pub fn told(&self) -> &Step {
        &self.told
    }

    /// The ledger after it.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What it changed when it was recorded.
    pub fn recorded_change(&self) -> &[Change] {
        &self.recorded
    }

    /// Whether it changes what it changed when it was recorded.
    pub fn changes_as_recorded(&self) -> bool {
        self.told.change() == self.recorded
    }
}
