//! What every command that explores has in common: reading designs, limits, progress, Ctrl-C.

use super::args::{LimitArguments, SourceArguments};
use super::complain;
use super::exit::Exit;
use super::progress::ProgressLine;
use crate::check::CheckOptions;
use crate::design::import::Import;
use crate::design::{Design, DesignError};
use crate::explore::Progress;
use crate::verdict::{Outcome, Stop, Verdicts};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What an exploration may hold unless something else is said, in bytes.
const DEFAULT_MEMORY: u64 = 4 << 30;

/// One run of a command that explores.
pub(super) struct Session {
    started: Instant,
    asked: CheckOptions,
    cancel: Arc<AtomicBool>,
}

impl Session {
    /// Begins: from now on Ctrl-C ends the exploration and not the process.
    pub(super) fn begin(limits: &LimitArguments) -> Session {
        let cancel = cancel_on_interrupt();
        Session {
            started: Instant::now(),
            asked: CheckOptions {
                jobs: limits.jobs,
                max_states: limits.max_states,
                max_memory: limits.max_memory,
                timeout: limits.timeout,
                cancel: Some(Arc::clone(&cancel)),
            },
            cancel,
        }
    }

    /// The limits for `design` from now on: those of the command line, where it is silent those of
    /// the design. The time is that of the whole command.
    pub(super) fn options(&self, design: &Design) -> CheckOptions {
        let mut options = self.asked.within(design);
        options.max_memory.get_or_insert(DEFAULT_MEMORY);
        let left = |time: Duration| time.saturating_sub(self.started.elapsed());
        options.timeout = options.timeout.map(left);
        options
    }

    /// Explores, and shows on a terminal how far it has come.
    pub(super) fn watched<T>(&self, explore: impl FnOnce(&mut dyn FnMut(&Progress)) -> T) -> T {
        let mut line = ProgressLine::new();
        let explored = explore(&mut |progress| line.show(progress));
        line.clear();
        explored
    }

    /// Whether the user wants it to end.
    pub(super) fn is_interrupted(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// The same, for whoever outlives a look at the session.
    #[cfg(feature = "timely")]
    pub(super) fn interrupted(&self) -> Box<dyn Fn() -> bool> {
        let cancel = Arc::clone(&self.cancel);
        Box::new(move || cancel.load(Ordering::Relaxed))
    }

    /// When the command began.
    #[cfg(feature = "timely")]
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// How a command ends that found `verdicts`.
    pub(super) fn exit_of(&self, verdicts: &Verdicts) -> Exit {
        if self.is_interrupted() || verdicts.stop() == Some(Stop::Interrupt) {
            return Exit::Interrupted;
        }
        match verdicts.outcome() {
            Outcome::AsAsked => Exit::Fine,
            Outcome::Undecided => Exit::Undecided,
            Outcome::NotAsAsked => Exit::Violated,
        }
    }
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

/// Designs that could be read, and how the command must end for those that could not.
pub(super) struct Sources {
    pub(super) designs: Vec<Design>,
    pub(super) exit: Exit,
}

impl Sources {
    /// Reads every design that the command line names, and complains about those that it cannot
    /// read.
    pub(super) fn read(arguments: &SourceArguments) -> Sources {
        let mut sources = Sources {
            designs: Vec::new(),
            exit: Exit::Fine,
        };
        for file in &arguments.files {
            if file == Path::new(super::STANDARD_STREAM) {
                complain(
                    "designs are not read from standard input: write the design to a file and name it ('./-' if '-' is its name)",
                );
                sources.exit = Exit::Usage;
            } else if let Some(option) = option_for(file) {
                complain(&format!(
                    "{} is no design file: name it with {option}",
                    file.display()
                ));
                sources.exit = Exit::Usage;
            } else {
                sources.take(Design::read(file));
            }
        }
        for name in &arguments.preset {
            match crate::presets::named(name) {
                Some(preset) => sources.take(crate::presets::design(preset)),
                None => {
                    complain(&crate::presets::unknown(name));
                    sources.exit = Exit::Usage;
                }
            }
        }
        sources
    }

    /// Also the design that is written from the files of a service, if there are any.
    pub(super) fn import(&mut self, import: &Import) {
        if !import.is_empty() {
            self.take(import.design());
        }
    }

    fn take(&mut self, read: Result<Design, DesignError>) {
        match read {
            Ok(design) => self.designs.push(design),
            Err(error) => self.exit = self.exit.max(complain_of_design(&error)),
        }
    }
}

/// How a file is named that settings of a service are in, by its name.
fn option_for(file: &Path) -> Option<&'static str> {
    let extension = file.extension()?.to_str()?.to_ascii_lowercase();
    let is_boot = file
        .file_stem()
        .is_some_and(|stem| stem.to_string_lossy().starts_with("application"));
    match (extension.as_str(), is_boot) {
        ("yml" | "yaml", _) | ("properties", true) => Some("--spring"),
        ("properties", false) => Some("--producer, --consumer or --topic"),
        _ => None,
    }
}

/// Says what is wrong with a design, and how the command ends for it.
pub(super) fn complain_of_design(error: &DesignError) -> Exit {
    if error.is_unreadable() {
        complain_of_unreadable(error);
        return Exit::Io;
    }
    show(error);
    Exit::Usage
}

impl SourceArguments {
    /// Whether no design is named.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.preset.is_empty()
    }

    /// These arguments with every preset, if they name nothing.
    pub(super) fn or_presets(&self) -> SourceArguments {
        let mut named = self.clone();
        if self.is_empty() {
            let presets = crate::presets::PRESETS.iter();
            named.preset = presets.map(|preset| preset.name.into()).collect();
        }
        named
    }

    /// These arguments with `file`, if it exists and they name nothing.
    pub(super) fn or_file(&self, file: &str) -> Option<SourceArguments> {
        if self.is_empty() && !Path::new(file).exists() {
            return None;
        }
        let mut files = self.files.clone();
        if self.is_empty() {
            files.push(PathBuf::from(file));
        }
        Some(SourceArguments {
            files,
            ..self.clone()
        })
    }
}

/// Says that a file cannot be read; someone may have meant a preset or an entry of the catalogue.
fn complain_of_unreadable(error: &DesignError) {
    let meant = match (
        crate::presets::named(error.file()),
        crate::catalogue::named(error.file()),
    ) {
        (Some(preset), _) => Some(format!(
            "For the preset of this name: --preset {}",
            preset.name
        )),
        (None, Some(entry)) => Some(format!(
            "For the catalogue entry of this name: semel explain {}",
            entry.id
        )),
        (None, None) => None,
    };
    for problem in error.problems() {
        let instead = meant.as_deref().or(problem.instead()).unwrap_or_default();
        complain(&format!("{}. {instead}", problem.message()));
    }
}

/// Shows what is wrong with a design, with the lines that it is about.
pub(super) fn show(error: &DesignError) {
    let plain = !io::stderr().is_terminal()
        || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    anstream::eprintln!("{}", error.rendered(!plain));
}
