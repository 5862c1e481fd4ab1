//! What the command line may say.

mod groups;
mod values;

use groups::FILES;
pub(super) use groups::{
    HostArguments, ImportArguments, LimitArguments, OneDesign, SourceArguments,
};

use super::exit::Exit;
use crate::matrix::Environment;
use crate::report::Format;
use crate::suggest::Kept;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use semel_models::guarantee::Guarantee;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use values::{Suggested, Words};

/// Commands that are planned and not there.
pub(super) const NOT_BUILT_YET: [&str; 1] = ["test"];

/// Options that are planned and not there, or not with every command, and what to do without them.
pub(super) const PLANNED_OPTIONS: [(&str, &str); 5] = [
    ("--producer", WRITE_A_DESIGN),
    ("--consumer", WRITE_A_DESIGN),
    ("--topic", WRITE_A_DESIGN),
    ("--spring", WRITE_A_DESIGN),
    (
        "--bootstrap-server",
        "is not built yet; there is no replay on a real Kafka yet: leave it out to replay on the model",
    ),
];

const WRITE_A_DESIGN: &str = "goes with 'check' and 'init'; write a design of the file with 'semel init' and the same option, and name that";

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
    #[command(after_help = exit_codes(), mut_arg("files", |files| files.help(CHECK_FILES)))]
    Check(CheckArguments),
    /// Compare designs: a verdict per guarantee and class of faults
    ///
    /// Each design is explored without faults, with the faults that it states, and with one of
    /// each modelled fault of one class after the other: two in one run, or one where two take too
    /// many states and no --max-states is given. It ends in 0 when every cell is decided, whatever
    /// the designs require.
    #[command(after_help = exit_codes(), mut_arg("files", |files| files.help(MATRIX_FILES)))]
    Matrix(MatrixArguments),
    /// Find changes with which a design holds what it needs: the smallest first, each as a diff
    ///
    /// Every order of up to six steps and every setting that matters is tried on the model, within the
    /// design's own bound. It ends in 0 when there is such a change, or when none is needed, and in 1
    /// when there is none.
    #[command(after_help = format!("{SUGGEST_EXAMPLE}\n{}", exit_codes()))]
    Suggest(SuggestArguments),
    /// Explain a published failure: what breaks, the shortest run, and what prevents it
    #[command(after_help = exit_codes())]
    Explain(ExplainArguments),
    /// Run a trace again, step by step, with the ledger after each step
    ///
    /// Each step of the trace is looked for on the model of this version, by actor, action,
    /// parameters and fault, and taken; the end is judged anew. The same steps are taken on real files
    /// and in SQLite, where each must come to the same ledger. It ends in 0 when every step can be
    /// taken and the run violates its guarantee, as it was recorded, and in 1 when it does not.
    #[command(after_help = format!("{REPLAY_EXAMPLE}\n{}", exit_codes()))]
    Replay(ReplayArguments),
    /// Write a page with verdicts and runs, to be opened in a browser
    ///
    /// One file that needs no network: the verdicts, each shortest run as a sequence diagram, and the
    /// state after each of its steps, to be stepped through with keys, a slider or clicks. Without
    /// JavaScript, and on paper, all of it is there as well. It ends as 'check' does.
    #[command(after_help = exit_codes())]
    Report(ReportArguments),
    /// Walk through a design's states in a browser, with Stateright's Explorer
    ///
    /// It shows every step that can follow, the path as a sequence diagram, and the state. Its ways to a
    /// violation are not the shortest, and it knows nothing of runs without end. Ctrl-C ends it.
    #[command(after_help = exit_codes())]
    Explore(ExploreArguments),
    /// Make one result of those of all shards
    ///
    /// It takes what 'check' or 'matrix' prints with --shard and --format json, of every part, and
    /// prints what they would have printed without. It ends as the worst of the parts did.
    #[command(after_help = exit_codes())]
    Merge(MergeArguments),
    /// List presets, the catalogue, guarantees, faults, steps, keys, Kafka properties or releases
    List(ListArguments),
    /// Write a design to start from, or one from the settings that a service has
    Init(InitArguments),
    /// Print the JSON Schema of the design file, for editors
    Schema,
    /// Print the completions for a shell
    Completions(CompletionsArguments),
    /// Print the manual page of semel, or of one of its commands
    Man(ManArguments),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    pub sources: SourceArguments,
    #[command(flatten)]
    pub import: ImportArguments,
    /// Whose defaults and rules apply to the files of --producer, --consumer and --topic
    #[arg(long, help_heading = FILES, value_name = "CLIENT")]
    pub client: Option<Client>,
    /// How to print the verdicts. 'itf' is one run in the format of Apalache and Quint: the first that
    /// violates something, what the design asks about before the rest
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats("check", CHECK_FORMATS))]
    pub format: Format,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub hosts: HostArguments,
    /// Also show what each step changes, every hard situation, and sizes
    #[arg(short, long)]
    pub verbose: bool,
}

const CHECK_FILES: &str =
    "Design files; without any, and without --preset: semel.toml in this folder";

const CHECK_FORMATS: &[Format] = &Format::ALL;

#[derive(Debug, Args)]
pub(super) struct MatrixArguments {
    #[command(flatten)]
    pub sources: SourceArguments,
    /// Only this guarantee; may be repeated
    #[arg(long, value_name = "NAME", value_parser = Words::<Guarantee>::all())]
    pub guarantee: Vec<Guarantee>,
    /// Only these faults; may be repeated
    #[arg(long, value_name = "NAME", value_parser = Words::<Environment>::all())]
    pub fault_class: Vec<Environment>,
    /// Also print the shortest run of each cell that is violated; for one design
    #[arg(long)]
    pub trace: bool,
    /// How to print the table
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats("matrix", MATRIX_FORMATS))]
    pub format: Format,
    #[command(flatten)]
    pub limits: LimitArguments,
}

const MATRIX_FILES: &str = "Design files; without any, and without --preset: every preset";

const MATRIX_FORMATS: &[Format] = &[Format::Text, Format::Json, Format::Markdown];

#[derive(Debug, Args)]
pub(super) struct SuggestArguments {
    #[command(flatten)]
    pub design: OneDesign,
    /// What shall hold, several with a comma between them; without it, what the design requires, or
    /// else no-loss and exactly-once-effect
    #[arg(long, value_name = "GUARANTEE", value_delimiter = ',', value_parser = Words::<Guarantee>::all())]
    pub need: Vec<Guarantee>,
    /// What shall stay: a table such as 'producer', or a key such as 'sink.effect' or 'order'; may be
    /// repeated
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = Kept::read)]
    pub keep: Vec<Kept>,
    /// How many changes to list
    #[arg(long, value_name = "N", default_value = "5", value_parser = values::number)]
    pub most: NonZeroUsize,
    /// Judge every order of up to five steps for the design's sink instead: prints the whole design
    /// space as a table, and draws it to this file as SVG
    #[arg(long, value_name = "PICTURE", value_hint = ValueHint::FilePath, conflicts_with_all = ["need", "keep"])]
    pub map: Option<PathBuf>,
    /// How to print them
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats("suggest", SUGGEST_FORMATS))]
    pub format: Format,
    #[command(flatten)]
    pub limits: LimitArguments,
}

const SUGGEST_EXAMPLE: &str = "Example:
  semel suggest payments.toml --need no-loss,exactly-once-effect --keep producer
";

const SUGGEST_FORMATS: &[Format] = &[Format::Text, Format::Json, Format::Markdown];

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// An entry of the catalogue, such as P04 ('semel list catalogue'); without one, the whole
    /// catalogue is checked and printed as a table
    #[arg(value_name = "ID", value_parser = Suggested(entry_ids), hide_possible_values = true)]
    pub id: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats("explain", EXPLAIN_FORMATS))]
    pub format: Format,
    #[command(flatten)]
    pub limits: LimitArguments,
}

const EXPLAIN_FORMATS: &[Format] = &[
    Format::Text,
    Format::Json,
    Format::Markdown,
    Format::Mermaid,
    Format::Itf,
];

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// A trace, or what 'check', 'matrix --trace' or 'explain' prints with --format json; '-' reads
    /// it from standard input
    #[arg(value_name = "TRACE", value_hint = ValueHint::FilePath)]
    pub trace: PathBuf,
    /// Of several runs the one that violates this guarantee
    #[arg(long, value_name = "NAME", value_parser = Words::<Guarantee>::all())]
    pub guarantee: Option<Guarantee>,
    /// Of several runs the one of the design with this name, or in this file
    #[arg(long, value_name = "NAME")]
    pub design: Option<String>,
    /// Keep the files and the database of the run in this folder, which is made or is empty
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub files: Option<PathBuf>,
    /// How to print the run
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats("replay", REPLAY_FORMATS))]
    pub format: Format,
    /// Also show what each step changes
    #[arg(short, long)]
    pub verbose: bool,
}

const REPLAY_EXAMPLE: &str = "Example:
  semel check --format json > verdicts.json
  semel replay verdicts.json --guarantee no-duplicates
";

const REPLAY_FORMATS: &[Format] = &[
    Format::Text,
    Format::Json,
    Format::Markdown,
    Format::Mermaid,
    Format::Itf,
];

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Design files; without any, and without --preset or --entry: semel.toml in this folder
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// A design that comes with semel ('semel list presets'); may be repeated
    #[arg(long, value_name = "NAME", value_parser = Suggested(preset_names), hide_possible_values = true)]
    pub preset: Vec<String>,
    /// A published failure ('semel list catalogue'), its broken and its fixed design; may be repeated
    #[arg(long, value_name = "ID", value_parser = Suggested(entry_ids), hide_possible_values = true)]
    pub entry: Vec<String>,
    /// The file to write; an earlier report of this name is replaced. '-' prints the page
    #[arg(short, long, value_name = "FILE", default_value = "report.html", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Overwrite the file even if it is no report
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub limits: LimitArguments,
}

#[derive(Debug, Args)]
pub(super) struct ExploreArguments {
    #[command(flatten)]
    pub design: OneDesign,
    /// Where to listen; with port 0 at any port that is free
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    pub address: String,
}

#[derive(Debug, Args)]
pub(super) struct MergeArguments {
    /// The results, in any order
    #[arg(value_name = "PART", required = true, value_hint = ValueHint::FilePath)]
    pub parts: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// What to list; without it, everything but the properties
    #[arg(value_name = "WHAT", value_parser = Words::<Listing>::all())]
    pub what: Option<Listing>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats("list", LIST_FORMATS))]
    pub format: Format,
}

const LIST_FORMATS: &[Format] = &[Format::Text, Format::Json, Format::Markdown];

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// The file to write; '-' prints the design
    #[arg(value_name = "FILE", default_value = super::DEFAULT_FILE, value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Start from a design that comes with semel ('semel list presets')
    #[arg(long, value_name = "NAME", value_parser = Suggested(preset_names), hide_possible_values = true)]
    pub preset: Option<String>,
    /// Whose defaults and rules apply; a preset states its own
    #[arg(long, value_name = "CLIENT", conflicts_with = "preset")]
    pub client: Option<Client>,
    #[command(flatten)]
    pub import: ImportArguments,
    /// Settings that a service has: the file of --producer, --consumer, --topic or --spring, told by
    /// its name and what stands in it; may be repeated
    #[arg(
        long,
        help_heading = FILES,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["preset", "producer", "consumer", "topic", "spring"]
    )]
    pub from: Vec<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// The command; without it, the page of semel itself
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// A client library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Client {
    Java,
    Librdkafka,
}

/// A table that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Presets,
    Catalogue,
    Guarantees,
    Faults,
    Steps,
    Keys,
    Properties,
    Versions,
}

impl Listing {
    /// Every table.
    pub(super) const ALL: [Listing; 8] = [
        Listing::Presets,
        Listing::Catalogue,
        Listing::Guarantees,
        Listing::Faults,
        Listing::Steps,
        Listing::Keys,
        Listing::Properties,
        Listing::Versions,
    ];

    /// The table's name on the command line, and its title.
    pub(super) fn name(self) -> &'static str {
        match self {
            Listing::Presets => "presets",
            Listing::Catalogue => "catalogue",
            Listing::Guarantees => "guarantees",
            Listing::Faults => "faults",
            Listing::Steps => "steps",
            Listing::Keys => "keys",
            Listing::Properties => "properties",
            Listing::Versions => "versions",
        }
    }
}

fn formats(command: &'static str, served: &'static [Format]) -> Words<Format> {
    Words::some(command, served)
}

fn preset_names() -> Vec<&'static str> {
    let presets = crate::presets::PRESETS.iter();
    presets.map(|preset| preset.name).collect()
}

fn entry_ids() -> Vec<&'static str> {
    let entries = crate::catalogue::ENTRIES.iter();
    entries.map(|entry| entry.id).collect()
}

fn exit_codes() -> String {
    let rows = Exit::ALL
        .iter()
        .map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", rows.collect::<String>())
}
