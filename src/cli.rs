//! The command line.

mod args;
mod check;
mod exit;
mod explain;
mod explore;
mod init;
mod list;
mod matrix;
mod merge;
mod others;
mod output_file;
mod pages;
mod progress;
mod replay;
mod report;
mod session;
mod shard;
mod suggest;

use args::{Arguments, Command};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use exit::Exit;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

/// The design that a command is about when none is named.
const DEFAULT_FILE: &str = "semel.toml";

/// The file name that stands for standard input or output.
const STANDARD_STREAM: &str = "-";

/// Runs the command with the process's arguments.
pub fn run() -> ExitCode {
    run_with(std::env::args_os())
}

fn run_with(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return explain_usage(&error).into(),
    };
    let done = match parsed.command {
        Command::Check(check) => check::run(&check),
        Command::Matrix(matrix) => matrix::run(&matrix),
        Command::Suggest(suggest) => suggest::run(&suggest),
        Command::Explain(explain) => explain::run(&explain),
        Command::Replay(replay) => replay::run(&replay),
        Command::Report(report) => report::run(&report),
        Command::Explore(explore) => explore::run(&explore),
        Command::Merge(merge) => merge::run(&merge),
        Command::List(list) => list::run(&list),
        Command::Init(init) => init::run(&init),
        Command::Schema => pages::schema(),
        Command::Completions(completions) => pages::completions(&completions),
        Command::Man(man) => pages::man(&man),
        Command::Other(words) => Ok(other(&words)),
    };
    match done {
        Ok(exit) => exit.into(),
        // A reader that has seen enough closes the pipe: nothing is wrong.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine.into(),
        Err(error) => {
            complain(&format!("cannot write the output: {error}"));
            Exit::Io.into()
        }
    }
}

/// The option that a usage error is about which is planned, or goes with other commands, and what to do
/// without it.
fn planned_option(error: &clap::Error) -> Option<(&'static str, &'static str)> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mut planned = args::PLANNED_OPTIONS.into_iter();
    planned.find(|(option, _)| option == named)
}

/// Prints help, the version or a usage error, as clap words it.
fn explain_usage(error: &clap::Error) -> Exit {
    if let Some((option, instead)) = planned_option(error) {
        complain(&format!("the option '{option}' {instead}"));
        return Exit::Usage;
    }
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (true, _) => Exit::Usage,
        (false, Ok(())) => Exit::Fine,
        (false, Err(_)) => Exit::Io,
    }
}

/// A command that is not there: not built yet, or not known.
fn other(words: &[OsString]) -> Exit {
    let name = words
        .first()
        .map(|word| word.to_string_lossy())
        .unwrap_or_default();
    let command = Arguments::command();
    let known: Vec<&str> = command
        .get_subcommands()
        .map(|own| own.get_name())
        .collect();
    if args::NOT_BUILT_YET.contains(&&*name) {
        complain(&format!(
            "the command '{name}' is not built yet; this version has: {}",
            known.join(", ")
        ));
    } else {
        let nearest = crate::nearest(&name, known.into_iter().chain(["help"]));
        let hint = nearest.map_or(String::new(), |known| format!(" did you mean '{known}'?"));
        complain(&format!(
            "there is no command '{name}';{hint} 'semel --help' lists them"
        ));
    }
    Exit::Usage
}

/// Says what is wrong, on standard error.
fn complain(message: &str) {
    anstream::eprintln!("semel: {message}");
}
