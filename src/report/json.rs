//! Verdicts as JSON: `"format": "semel-verdicts"`.

use super::Report;
use super::words::warnings;
use crate::design::Derived;
use crate::trace::{Bound, Trace};
use crate::verdict::{Judgement, Verdicts};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// The name in the `format` field.
const FORMAT: &str = "semel-verdicts";
/// The version of the format.
const VERSION: u32 = 1;

/// Which part of a command's designs a document is about.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Which part, from 1 on.
    pub(crate) number: usize,
    /// How many parts there are.
    pub(crate) of: usize,
    /// How many designs all parts together have.
    pub(crate) designs: usize,
    /// Checksum of what all parts have in common: the designs' names, limits and choices.
    pub(crate) command: u32,
    /// How the command ended.
    pub(crate) exit_code: u8,
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<Part>,
    designs: Vec<DesignVerdicts<'a>>,
}

#[derive(Serialize)]
pub(super) struct DesignVerdicts<'a> {
    name: &'a str,
    file: &'a str,
    bound: &'a Bound,
    unique_states: u64,
    transitions: u64,
    depth: u32,
    seconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imported: Vec<DerivedSetting<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    framework: Vec<DerivedSetting<'a>>,
    guarantees: Vec<GuaranteeVerdict<'a>>,
    warnings: Vec<String>,
}

/// A setting that comes from files, or that the design's framework stands for.
#[derive(Serialize)]
struct DerivedSetting<'a> {
    table: &'static str,
    key: &'a str,
    value: &'a str,
    why: &'a str,
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

/// Verdicts as one JSON document, when all designs are judged.
#[derive(Default)]
pub(super) struct Json {
    designs: Vec<Verdicts>,
    part: Option<Part>,
}

impl Report for Json {
    fn is_part(&mut self, part: Part) {
        self.part = Some(part);
    }

    fn add(&mut self, _: &mut dyn Write, verdicts: Verdicts) -> io::Result<()> {
        self.designs.push(verdicts);
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            format: FORMAT,
            version: VERSION,
            shard: self.part,
            designs: self.designs.iter().map(design).collect(),
        };
        write(out, &document)
    }
}

/// Writes a document as people can read it, too.
pub(crate) fn write(out: &mut dyn Write, document: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

pub(super) fn design(verdicts: &Verdicts) -> DesignVerdicts<'_> {
    DesignVerdicts {
        name: verdicts.name(),
        file: verdicts.file(),
        bound: verdicts.bound(),
        unique_states: verdicts.unique_states(),
        transitions: verdicts.transitions(),
        depth: verdicts.depth(),
        seconds: verdicts.elapsed().as_secs_f64(),
        imported: verdicts.imported().iter().map(derived).collect(),
        framework: verdicts.derived().iter().map(derived).collect(),
        guarantees: verdicts
            .judgements()
            .iter()
            .map(|judgement| guarantee(verdicts, judgement))
            .collect(),
        warnings: warnings(verdicts),
    }
}

fn derived(derived: &Derived) -> DerivedSetting<'_> {
    DerivedSetting {
        table: derived.table.name(),
        key: &derived.key,
        value: &derived.value,
        why: &derived.why,
    }
}

fn guarantee<'a>(verdicts: &'a Verdicts, judgement: &'a Judgement) -> GuaranteeVerdict<'a> {
    let witnesses = verdicts.witnesses().iter();
    let trace = judgement.verdict().trace();
    GuaranteeVerdict {
        name: judgement.guarantee().name(),
        verdict: judgement.verdict().name(),
        required: judgement.is_required(),
        trace,
        witnesses: witnesses
            .map(|witness| Witness {
                name: &witness.name,
                reached: witness.reached,
            })
            .collect(),
    }
}
