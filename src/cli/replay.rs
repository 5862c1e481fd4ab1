//! `semel replay`.

use super::args::ReplayArguments;
use super::complain;
use super::exit::Exit;
use super::session::show;
use crate::replay::{OnFiles, Outcome, Replay, ReplayError, on_files, replay};
use crate::report::replay::write;
use crate::report::text::Detail;
use crate::trace::{Choice, MAX_BYTES, Runs};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

pub(super) fn run(arguments: &ReplayArguments) -> io::Result<Exit> {
    let file = match arguments.trace == Path::new(super::STANDARD_STREAM) {
        true => "standard input".to_string(),
        false => arguments.trace.display().to_string(),
    };
    let bytes = match read(&arguments.trace) {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(&unreadable(&file, &arguments.trace, &error));
            return Ok(Exit::Io);
        }
    };
    let choice = Choice {
        guarantee: arguments.guarantee,
        design: arguments.design.clone(),
    };
    let trace = match Runs::parse(&file, &bytes).and_then(|runs| runs.choose(&choice)) {
        Ok(trace) => trace,
        Err(error) => {
            complain(&error.to_string());
            return Ok(match error.is_without_runs() {
                true => Exit::NothingChecked,
                false => Exit::Usage,
            });
        }
    };
    let replayed = match replay(&trace) {
        Ok(replayed) => replayed,
        Err(ReplayError::Design(error)) => {
            complain(&format!(
                "{file}: this version refuses the design that the trace carries:"
            ));
            show(&error);
            return Ok(Exit::Usage);
        }
        Err(error) => {
            complain(&format!("{file}: {error}"));
            return Ok(Exit::Usage);
        }
    };
    let files = match take_on_files(&replayed, arguments.files.as_deref()) {
        Ok(files) => files,
        Err(refused) => {
            complain(&refused.message);
            return Ok(refused.exit);
        }
    };
    let mut out = anstream::AutoStream::auto(io::stdout());
    let detail = Detail::of(arguments.verbose);
    write(&mut out, arguments.format, &replayed, &files, detail)?;
    out.flush()?;
    Ok(match (replayed.outcome(), files) {
        (_, OnFiles::Deviates(_)) => Exit::Violated,
        (Outcome::AsRecorded { .. }, OnFiles::Agrees) => Exit::Fine,
        (Outcome::Undecided, OnFiles::Agrees) => Exit::Undecided,
        (Outcome::NotViolated { .. } | Outcome::Impossible(_), OnFiles::Agrees) => Exit::Violated,
    })
}

/// Why there is no run on files.
struct Refused {
    message: String,
    exit: Exit,
}

/// Takes the run on files in `kept`, or in a folder that goes with it.
fn take_on_files(replay: &Replay, kept: Option<&Path>) -> Result<OnFiles, Refused> {
    let failed = |message: String| Refused {
        message,
        exit: Exit::Io,
    };
    let Some(folder) = kept else {
        let folder = tempfile::tempdir().map_err(|error| {
            failed(format!(
                "cannot make a folder for the run's files: {error}; --files names another place"
            ))
        })?;
        return on_files(replay, folder.path()).map_err(|error| failed(error.to_string()));
    };
    let name = folder.display();
    if folder.is_file() {
        return Err(failed(format!("{name} is a file; name a folder")));
    }
    let made = std::fs::create_dir_all(folder).and_then(|()| std::fs::read_dir(folder));
    let mut there = made.map_err(|error| failed(format!("cannot use {name}: {error}")))?;
    if there.next().is_some() {
        return Err(Refused {
            message: format!("{name} is not empty; name a folder that is, or is not there yet"),
            exit: Exit::Usage,
        });
    }
    on_files(replay, folder).map_err(|error| failed(error.to_string()))
}

/// All of the file or of standard input, and one byte more than allowed of what is too large.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let from: Box<dyn Read> = match file == Path::new(super::STANDARD_STREAM) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(file)?),
    };
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, file: &Path, error: &io::Error) -> String {
    if file.is_dir() {
        return format!("{name} is a folder; name the file in it that holds the trace");
    }
    let instead = match error.kind() {
        io::ErrorKind::NotFound => "; 'semel check --format json' prints traces",
        _ => "",
    };
    format!("cannot read {name}: {error}{instead}")
}
