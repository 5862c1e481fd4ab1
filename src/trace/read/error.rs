//! Why a run could not be read: what is wrong, where, and what to do.

use super::{MAX_BYTES, Named};
use serde_json::error::Category;
use std::fmt;

/// Why no run could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct ReadError {
    file: String,
    why: Why,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Why {
    #[error(
        "it is larger than {} MiB, which no trace is",
        MAX_BYTES >> 20
    )]
    TooLarge,
    #[error("it is not UTF-8 text; write it with a shell that does not change the encoding")]
    NotUtf8,
    #[error("it is empty; {HOW}")]
    Empty,
    #[error("line {line}, column {column}: it is not JSON ({what}); {instead}")]
    NotJson {
        line: usize,
        column: usize,
        what: String,
        instead: &'static str,
    },
    #[error(
        "it is JSON, but no trace: its \"format\" is {}; {HOW}",
        quoted(format)
    )]
    OtherFormat { format: Option<String> },
    #[error(
        "{}it was made by a newer semel: \"{format}\" has version {version}, and this one reads version {newest}; replay it with the semel that made it, or a newer one",
        at(path)
    )]
    Newer {
        path: String,
        format: String,
        version: u64,
        newest: u64,
    },
    #[error("{path}: {what}; the file was changed or cut since semel wrote it")]
    Field { path: String, what: String },
    #[error("there is no run in it, for {reason}")]
    NoRun { reason: &'static str },
    #[error("no run in it fits; it has:{}", list(runs))]
    NoneFits { runs: Vec<Named> },
    #[error("{} runs in it fit; {}:{}", runs.len(), how_to_choose(runs), list(runs))]
    SeveralFit { runs: Vec<Named> },
}

/// What a trace is and where it comes from.
const HOW: &str = "a trace is what 'semel check --format json' prints of a violated guarantee";

impl ReadError {
    /// Whether the file is in order and there is nothing in it to be replayed.
    pub fn is_without_runs(&self) -> bool {
        matches!(self.why, Why::NoRun { .. })
    }

    pub(super) fn new(file: &str, why: Why) -> ReadError {
        ReadError {
            file: file.into(),
            why,
        }
    }
}

impl Why {
    pub(super) fn not_json(error: serde_json::Error) -> Why {
        let place = format!(" at line {} column {}", error.line(), error.column());
        Why::NotJson {
            line: error.line(),
            column: error.column(),
            what: error.to_string().replace(&place, ""),
            instead: match error.classify() {
                Category::Eof => "it ends too early: write it again, and in full",
                Category::Io | Category::Syntax | Category::Data => HOW,
            },
        }
    }
}

fn at(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!("{path}: "),
    }
}

fn quoted(format: &Option<String>) -> String {
    match format {
        Some(format) => format!("\"{format}\""),
        None => "missing".into(),
    }
}

fn how_to_choose(runs: &[Named]) -> &'static str {
    let differs = |of: fn(&Named) -> &String| runs.iter().any(|run| of(run) != of(&runs[0]));
    match (differs(|run| &run.design), differs(|run| &run.guarantee)) {
        (true, true) => "choose one with --design and --guarantee",
        (true, false) => "choose one with --design",
        (false, true) => "choose one with --guarantee",
        (false, false) => "print fewer into the file, such as those of one --fault-class",
    }
}

fn list(runs: &[Named]) -> String {
    let lines = runs.iter().map(|run| format!("\n  {run}"));
    lines.collect()
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named {
            path,
            design,
            file,
            guarantee,
        } = self;
        let stands = at(path);
        write!(f, "{stands}{guarantee} of the design \"{design}\" ({file})")
    }
}
