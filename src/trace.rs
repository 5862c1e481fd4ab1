//! A run told step by step: the one format that checking, testing and replaying share.
//!
//! A [`Trace`] is data: it is written as JSON (`"format": "semel-trace"`) and every other form is
//! a rendering of it.

mod anomaly;
mod facts;
mod narrate;
mod read;
mod tell;
mod tidy;

pub use anomaly::Anomaly;
pub(crate) use facts::{Fact, Holder, Value, broker_name, facts, lettered};
pub(crate) use read::MAX_BYTES;
pub use read::{Choice, ReadError, Runs};
pub(crate) use tell::{Run, Running, running, tell, tell_step, violation};

use crate::design::Design;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name that a trace carries in its `format` field.
pub const FORMAT: &str = "semel-trace";
/// The version of the format.
pub const VERSION: u32 = 1;

/// One run of a design that violates a guarantee, from its start.
///
/// ```
/// let design = semel::Design::parse(
///     "counter.toml",
///     br#"
///         require = ["no-loss"]
///         [consumer]
///         enable.auto.commit = false
///         auto.offset.reset = "earliest"
///         [application]
///         order = "commit -> process"
///         [faults]
///         consumer-crash = 1
///         [bounds]
///         records = 1
///     "#,
/// )?;
/// let verdicts = semel::check(&design, &semel::CheckOptions::default())?;
/// let loss = verdicts.of(semel::Guarantee::NoLoss).trace().expect("commit first loses");
/// assert_eq!(loss.steps().iter().filter(|step| step.fault().is_some()).count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    format: String,
    version: u32,
    design: DesignSource,
    bound: Bound,
    guarantee: String,
    steps: Vec<Step>,
    /// For a run without end: the number of steps before the loop.
    loops_from: Option<usize>,
    violation: String,
    /// Whether a limit kept shorter runs from being looked for.
    #[serde(skip)]
    perhaps_longer: bool,
    /// What Jepsen would call it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    anomalies: Vec<Anomaly>,
}

/// The design that a trace is a run of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesignSource {
    /// Its name.
    pub name: String,
    /// The file that it was read from.
    pub file: String,
    /// The text of that file.
    pub text: String,
}

impl DesignSource {
    pub(crate) fn of(design: &Design) -> DesignSource {
        DesignSource {
            name: design.name().into(),
            file: design.file().into(),
            text: design.text().into(),
        }
    }
}

/// The bound that a verdict or a trace stands under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// How many records the application sends.
    pub records: u16,
    /// How many partitions the topic has.
    pub partitions: u16,
    /// How many keys the records share.
    pub keys: u16,
    /// How many records a poll may return.
    pub poll: u16,
    /// The cap on what Kafka leaves unbounded.
    pub retries: u16,
    /// The budget of each fault.
    pub faults: BTreeMap<String, u16>,
    /// The most faults in one run.
    pub total: u16,
}

/// One step of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    actor: String,
    action: String,
    parameters: BTreeMap<String, String>,
    fault: Option<String>,
    sentence: String,
    change: Vec<Change>,
}

/// One fact that a step changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What changed.
    pub fact: String,
    /// What it was.
    pub before: String,
    /// What it is now.
    pub after: String,
}

impl Trace {
    /// The name of the guarantee that the run violates.
    pub fn guarantee(&self) -> &str {
        &self.guarantee
    }

    /// The bound within which the run lies.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The design.
    pub fn design(&self) -> &DesignSource {
        &self.design
    }

    /// The steps, from the start.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// For a run without end: how many steps stand before its loop.
    pub fn loops_from(&self) -> Option<usize> {
        self.loops_from
    }

    /// Whether no run that violates the guarantee has fewer steps. Only a limit leaves that open.
    pub fn is_shortest(&self) -> bool {
        !self.perhaps_longer
    }

    /// What Jepsen's checker of Kafka would call what clients see in the run, where it has a name.
    pub fn anomalies(&self) -> &[Anomaly] {
        &self.anomalies
    }

    /// What the run ends in, in one sentence.
    pub fn violation(&self) -> &str {
        &self.violation
    }
}

impl Step {
    /// Who acts.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// What it does, as an identifier.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// What the action is about.
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// The fault that the step spends.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// What happens, in a plain sentence.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What the step changed.
    pub fn change(&self) -> &[Change] {
        &self.change
    }
}
