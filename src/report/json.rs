//! Verdicts as JSON: `"format": "semel-verdicts"`.

use crate::trace::{Bound, Trace};
use crate::verdict::{Judgement, Verdicts};
use serde::Serialize;
use std::io::{self, Write};

/// The name in the `format` field.
const FORMAT: &str = "semel-verdicts";
/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    designs: Vec<DesignVerdicts<'a>>,
}

#[derive(Serialize)]
struct DesignVerdicts<'a> {
    name: &'a str,
    file: &'a str,
    bound: &'a Bound,
    unique_states: u64,
    transitions: u64,
    depth: u32,
    seconds: f64,
    guarantees: Vec<GuaranteeVerdict<'a>>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct GuaranteeVerdict<'a> {
    name: &'static str,
    verdict: &'static str,
    required: bool,
    trace: Option<&'a Trace>,
    witnesses: Vec<Witness<'a>>,
}

#[derive(Serialize)]
struct Witness<'a> {
    name: &'a str,
    reached: bool,
}

/// Writes the verdicts on all designs as one document.
pub(crate) fn write(out: &mut dyn Write, designs: &[Verdicts]) -> io::Result<()> {
    let document = Document {
        format: FORMAT,
        version: VERSION,
        designs: designs.iter().map(design).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn design(verdicts: &Verdicts) -> DesignVerdicts<'_> {
    DesignVerdicts {
        name: verdicts.name(),
        file: verdicts.file(),
        bound: verdicts.bound(),
        unique_states: verdicts.unique_states(),
        transitions: verdicts.transitions(),
        depth: verdicts.depth(),
        seconds: verdicts.elapsed().as_secs_f64(),
        guarantees: verdicts
            .judgements()
            .iter()
            .map(|judgement| guarantee(verdicts, judgement))
            .collect(),
        warnings: super::warnings(verdicts),
    }
}

fn guarantee<'a>(verdicts: &'a Verdicts, judgement: &'a Judgement) -> GuaranteeVerdict<'a> {
    let witnesses = verdicts.witnesses().iter();
    GuaranteeVerdict {
        name: judgement.guarantee().name(),
        verdict: judgement.verdict().name(),
        required: judgement.is_required(),
        trace: judgement.verdict().trace(),
        witnesses: witnesses
            .map(|witness| Witness {
                name: &witness.name,
                reached: witness.reached,
            })
            .collect(),
    }
}
