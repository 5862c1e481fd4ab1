//! A replayed run as JSON: `"format": "semel-replay"`.

use crate::replay::{Ledger, Obstacle, OnFiles, Outcome, Replay, Replayed};
use crate::report::json;
use crate::trace::{Bound, Change, DesignSource, Step};
use serde::Serialize;
use std::io::{self, Write};

/// The name in the `format` field.
const FORMAT: &str = "semel-replay";
/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    design: &'a DesignSource,
    bound: &'a Bound,
    guarantee: &'static str,
    /// How the run went on real files and in a real database.
    files: Files,
    outcome: &'static str,
    /// What the run ends in, where it can be taken to its end.
    end: Option<&'a str>,
    steps: Vec<StepAndLedger<'a>>,
    loops_from: Option<usize>,
    impossible: Option<Impossible<'a>>,
}

#[derive(Serialize)]
struct Files {
    outcome: &'static str,
    /// Where the disk and the model differ.
    deviation: Option<Deviates>,
}

#[derive(Serialize)]
struct Deviates {
    step: usize,
    what: &'static str,
    model: String,
    files: String,
}

impl Files {
    fn of(files: &OnFiles) -> Files {
        match files {
            OnFiles::Agrees => Files {
                outcome: "agrees",
                deviation: None,
            },
            OnFiles::Deviates(deviation) => Files {
                outcome: "deviates",
                deviation: Some(Deviates {
                    step: deviation.step,
                    what: deviation.what,
                    model: deviation.model.clone(),
                    files: deviation.real.clone(),
                }),
            },
        }
    }
}

#[derive(Serialize)]
struct StepAndLedger<'a> {
    #[serde(flatten)]
    step: &'a Step,
    ledger: &'a Ledger,
    /// What it changed when it was recorded, if that was something else.
    recorded_change: Option<&'a [Change]>,
}

#[derive(Serialize)]
struct Impossible<'a> {
    /// The number of the step, from 1.
    number: usize,
    recorded: &'a Step,
    enabled: &'a [Step],
}

/// Writes a replayed run as one document.
pub(super) fn write(out: &mut dyn Write, replay: &Replay, files: &OnFiles) -> io::Result<()> {
    let (outcome, end) = match replay.outcome() {
        Outcome::AsRecorded { violation } => ("as-recorded", Some(violation.as_str())),
        Outcome::NotViolated { why } => ("not-violated", Some(why.as_str())),
        Outcome::Undecided => ("undecided", None),
        Outcome::Impossible(_) => ("impossible", None),
    };
    let impossible = match replay.outcome() {
        Outcome::Impossible(Obstacle { recorded, enabled }) => Some(Impossible {
            number: replay.steps().len() + 1,
            recorded,
            enabled,
        }),
        Outcome::AsRecorded { .. } | Outcome::NotViolated { .. } | Outcome::Undecided => None,
    };
    let document = Document {
        format: FORMAT,
        version: VERSION,
        design: replay.design(),
        bound: replay.bound(),
        guarantee: replay.guarantee().name(),
        files: Files::of(files),
        outcome,
        end,
        steps: replay.steps().iter().map(step).collect(),
        loops_from: replay.loops_from(),
        impossible,
    };
    json::write(out, &document)
}

fn step(step: &Replayed) -> StepAndLedger<'_> {
    StepAndLedger {
        step: step.told(),
        ledger: step.ledger(),
        recorded_change: match step.changes_as_recorded() {
            true => None,
            false => Some(step.recorded_change()),
        },
    }
}
