//! `semel check`.

use super::args::{CheckArguments, Format};
use super::complain;
use super::exit::Exit;
use super::progress::ProgressLine;
use crate::check::{CheckOptions, check_watched, find_mends};
use crate::design::{Design, DesignError};
use crate::report::{json, text};
use crate::verdict::{Outcome, Stop, Verdicts};
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The design that is checked when none is named.
const DEFAULT_FILE: &str = "semel.toml";

/// What an exploration may hold unless something else is said, in bytes.
const DEFAULT_MEMORY: u64 = 4 << 30;

pub(super) fn run(arguments: &CheckArguments) -> io::Result<Exit> {
    let cancel = cancel_on_interrupt();
    let asked = CheckOptions {
        jobs: arguments.jobs,
        max_states: arguments.max_states,
        max_memory: arguments.max_memory,
        timeout: arguments.timeout,
        cancel: Some(Arc::clone(&cancel)),
    };
    let (designs, mut exit) = designs(arguments);
    let mut all = Vec::new();
    let mut out = anstream::AutoStream::auto(io::stdout());
    for design in &designs {
        let started = Instant::now();
        let mut options = asked.within(design);
        options.max_memory.get_or_insert(DEFAULT_MEMORY);
        let mut line = ProgressLine::new();
        let checked = check_watched(design, &options, &mut |progress| line.show(progress));
        line.clear();
        let mut verdicts = match checked {
            Ok(verdicts) => verdicts,
            Err(error) => {
                complain(&error.to_string());
                exit = exit.max(Exit::Usage);
                continue;
            }
        };
        exit = exit.max(exit_of(&verdicts));
        if arguments.format == Format::Text {
            find_mends(design, &mut verdicts, &options, started);
            if !all.is_empty() {
                writeln!(out)?;
            }
            let detail = if arguments.verbose {
                text::Detail::Verbose
            } else {
                text::Detail::Normal
            };
            text::write(&mut out, &verdicts, detail)?;
            out.flush()?;
        }
        all.push(verdicts);
        if cancel.load(Ordering::Relaxed) {
            exit = Exit::Interrupted;
            break;
        }
    }
    if arguments.format == Format::Json {
        json::write(&mut out, &all)?;
        out.flush()?;
    }
    if all.is_empty() {
        exit = exit.max(Exit::NothingChecked);
    }
    Ok(exit)
}

/// A flag that Ctrl-C raises. A second Ctrl-C ends the process at once.
fn cancel_on_interrupt() -> Arc<AtomicBool> {
    let cancel = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&cancel);
    let set = ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted.code().into());
        }
    });
    if let Err(error) = set {
        complain(&format!(
            "Ctrl-C will end the check without a verdict: {error}"
        ));
    }
    cancel
}

/// Reads every design that the command line names, and complains about those that it cannot.
fn designs(arguments: &CheckArguments) -> (Vec<Design>, Exit) {
    let mut read: Vec<Result<Design, DesignError>> = Vec::new();
    let mut exit = Exit::Fine;
    for file in &arguments.files {
        read.push(Design::read(file));
    }
    for name in &arguments.preset {
        match crate::presets::named(name) {
            Some(preset) => read.push(crate::presets::design(preset)),
            None => {
                complain(&crate::presets::unknown(name));
                exit = Exit::Usage;
            }
        }
    }
    if arguments.files.is_empty() && arguments.preset.is_empty() {
        if Path::new(DEFAULT_FILE).exists() {
            read.push(Design::read(Path::new(DEFAULT_FILE)));
        } else {
            complain(&format!(
                "nothing to check: there is no {DEFAULT_FILE} in this folder; name a design file, or a preset with --preset NAME ('semel list presets')"
            ));
            exit = Exit::NothingChecked;
        }
    }
    let mut designs = Vec::new();
    for result in read {
        match result {
            Ok(design) => designs.push(design),
            Err(error) => {
                if error.is_unreadable() {
                    exit = exit.max(Exit::Io);
                    complain_of_unreadable(&error);
                } else {
                    exit = exit.max(Exit::Usage);
                    show(&error);
                }
            }
        }
    }
    (designs, exit)
}

/// Says that a file cannot be read; someone may have meant a preset.
fn complain_of_unreadable(error: &DesignError) {
    let hint = match crate::presets::named(error.file()) {
        Some(preset) => format!(" (for the preset of this name: --preset {})", preset.name),
        None => String::new(),
    };
    for problem in error.problems() {
        complain(&format!("{}{hint}", problem.message()));
    }
}

/// Shows what is wrong with a design, with the lines that it is about.
fn show(error: &DesignError) {
    let plain = !io::stderr().is_terminal()
        || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let theme = if plain {
        GraphicalTheme::unicode_nocolor()
    } else {
        GraphicalTheme::unicode()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
    let mut rendered = String::new();
    if handler.render_report(&mut rendered, error).is_err() {
        rendered = error.to_string();
    }
    anstream::eprintln!("{rendered}");
}

fn exit_of(verdicts: &Verdicts) -> Exit {
    if verdicts.stop() == Some(Stop::Interrupt) {
        return Exit::Interrupted;
    }
    match verdicts.outcome() {
        Outcome::AsAsked => Exit::Fine,
        Outcome::Undecided => Exit::Undecided,
        Outcome::NotAsAsked => Exit::Violated,
    }
}
