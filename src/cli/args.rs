//! What the command line may say.

use super::exit::Exit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Commands that are planned and not there.
pub(super) const NOT_BUILT_YET: [&str; 8] = [
    "matrix", "suggest", "explain", "init", "explore", "report", "replay", "test",
];

/// Checks what a Kafka pipeline really delivers.
#[derive(Debug, Parser)]
#[command(
    name = "semel",
    version,
    about = "Checks what a Kafka pipeline really delivers: every crash, retry and lost answer within a stated bound",
    after_help = exit_codes()
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Judge designs: a verdict per guarantee, and the shortest run that breaks each
    #[command(after_help = exit_codes())]
    Check(CheckArguments),
    /// List presets, guarantees, faults, steps or Kafka properties
    List(ListArguments),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Design files; without any, and without --preset: semel.toml in this folder
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A design that comes with semel ('semel list presets'); may be repeated
    #[arg(long, value_name = "NAME")]
    pub preset: Vec<String>,
    /// How to print the verdicts
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format)]
    pub format: Format,
    /// Threads to explore with; without it, one per core
    #[arg(short, long, value_name = "N", value_parser = threads)]
    pub jobs: Option<NonZeroUsize>,
    /// Stop, undecided, after this many states
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_states: Option<u64>,
    /// Stop, undecided, before the exploration holds more than this, such as 500MB or 2GiB;
    /// without it, and without one in the design, 4GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
    /// Stop, undecided, after this time, such as 30s, 5m or 500ms
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub timeout: Option<Duration>,
    /// Also show what each step changes, every hard situation, and sizes
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// What to list; without it, everything but the properties
    #[arg(value_name = "WHAT", value_parser = listing)]
    pub what: Option<Listing>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format)]
    pub format: Format,
}

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// A table that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Listing {
    Presets,
    Guarantees,
    Faults,
    Steps,
    Properties,
}

fn format(text: &str) -> Result<Format, String> {
    one_of(text, &["markdown", "mermaid", "junit", "itf"])
}

fn listing(text: &str) -> Result<Listing, String> {
    one_of(text, &["catalogue"])
}

/// Reads one of a fixed set of words, and tells planned words from unknown ones.
fn one_of<T: ValueEnum>(text: &str, planned: &[&str]) -> Result<T, String> {
    if let Ok(value) = T::from_str(text, false) {
        return Ok(value);
    }
    let known: Vec<String> = T::value_variants()
        .iter()
        .filter_map(|value| Some(value.to_possible_value()?.get_name().to_string()))
        .collect();
    let known = known.join(", ");
    if planned.contains(&text) {
        Err(format!(
            "'{text}' is not built yet; this version has: {known}"
        ))
    } else {
        Err(format!("expected one of: {known}"))
    }
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "expected a number of threads, 1 or more".to_string())
}

fn size(text: &str) -> Result<u64, String> {
    let hint = "expected a size such as 500MB or 2GiB";
    crate::design::parse_memory(text)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| hint.to_string())
}

fn time(text: &str) -> Result<Duration, String> {
    let hint = || "expected a time such as 30s, 5m or 500ms".to_string();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| hint())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(hint()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| hint())
}

fn exit_codes() -> String {
    let rows = Exit::ALL
        .iter()
        .map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", rows.collect::<String>())
}
