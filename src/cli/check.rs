//! `semel check`.

use super::DEFAULT_FILE;
use super::args::CheckArguments;
use super::complain;
use super::exit::Exit;
use super::others::Others;
use super::session::{Session, Sources};
use crate::check::{Explorer, check_with, find_mends};
use crate::report;
use crate::report::text::Detail;
use crate::verdict::Stop;
use std::io::{self, Write};
use std::time::Instant;

pub(super) fn run(arguments: &CheckArguments) -> io::Result<Exit> {
    let import = arguments.import.import(arguments.client);
    if let Some((option, files)) = import.idle_option() {
        complain(&format!(
            "{option} goes with {files}; a design file says it itself"
        ));
        return Ok(Exit::Usage);
    }
    if arguments.sources.shard.is_some() && !import.is_empty() {
        complain("--shard shares designs out: write one with 'semel init --from FILE' and name it");
        return Ok(Exit::Usage);
    }
    let session = Session::begin(&arguments.limits);
    let sources = match import.is_empty() {
        true => arguments.sources.or_file(DEFAULT_FILE),
        false => Some(arguments.sources.clone()),
    };
    let Some(sources) = sources else {
        complain(&format!(
            "nothing to check: there is no {DEFAULT_FILE} in this folder; name a design file, or a preset with --preset NAME ('semel list presets'), or write a design to start from with 'semel init'"
        ));
        return Ok(Exit::NothingChecked);
    };
    let mut read = Sources::read(&sources.of_shard());
    read.import(&import);
    let Sources { designs, mut exit } = read;
    let mut others = match Others::find(&arguments.hosts, &designs, &arguments.limits, &session) {
        Ok(others) => others,
        Err(refused) => return Ok(refused),
    };
    let mut report = report::verdicts(arguments.format, Detail::of(arguments.verbose));
    let mut out = anstream::AutoStream::auto(io::stdout());
    let mut is_idle = true;
    let mut is_interrupted = false;
    for design in &designs {
        let started = Instant::now();
        let options = session.options(design);
        let mut explorer = Explorer::new(others.peers());
        match session.watched(|watch| check_with(&mut explorer, design, &options, watch)) {
            Ok(mut verdicts) => {
                exit = exit.max(session.exit_of(&verdicts));
                is_interrupted = verdicts.stop() == Some(Stop::Interrupt);
                is_idle = false;
                if others.is_first() {
                    if arguments.format.tells_mends() {
                        find_mends(design, &mut verdicts, &options, started);
                    }
                    report.add(&mut out, verdicts)?;
                    out.flush()?;
                }
            }
            Err(error) if error.is_lost() => {
                complain(&error.to_string());
                return Ok(match session.is_interrupted() {
                    true => Exit::Interrupted,
                    false => Exit::Io,
                });
            }
            Err(error) => {
                complain(&error.to_string());
                exit = exit.max(Exit::Usage);
            }
        }
        // Other processes hear of it when they explore: all end with the same design.
        if is_interrupted || others.is_alone() && session.is_interrupted() {
            exit = Exit::Interrupted;
            break;
        }
    }
    // A part may be empty, where there are more parts than designs.
    if is_idle && sources.shard.is_none() {
        exit = exit.max(Exit::NothingChecked);
    }
    if let Some(shard) = sources.shard {
        report.is_part(shard.part(&sources, &arguments.limits.within(), exit));
    }
    if others.is_first() {
        report.finish(&mut out)?;
        out.flush()?;
    }
    others.finish();
    Ok(exit)
}
