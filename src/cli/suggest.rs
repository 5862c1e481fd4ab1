//! `semel suggest`.

use super::args::SuggestArguments;
use super::complain;
use super::exit::Exit;
use super::output_file;
use super::progress::ProgressLine;
use super::session::{Session, Sources};
use crate::design::Design;
use crate::report::suggest::{write_json, write_markdown, write_text};
use crate::report::{self, Format};
use crate::suggest::{Suggestions, Wanted, map, suggest};
use crate::verdict::Stop;
use std::io::{self, Write};
use std::path::Path;

pub(super) fn run(arguments: &SuggestArguments) -> io::Result<Exit> {
    let session = Session::begin(&arguments.limits);
    let Some(sources) = arguments.design.sources() else {
        complain(
            "nothing to change: there is no semel.toml in this folder; name a design file, or a preset with --preset NAME ('semel list presets')",
        );
        return Ok(Exit::NothingChecked);
    };
    let Sources { designs, exit } = Sources::read(&sources);
    let [design] = &designs[..] else {
        return Ok(exit.max(Exit::NothingChecked));
    };
    if let Some(picture) = &arguments.map {
        return draw(design, picture, arguments.format, &session);
    }
    let mut wanted = Wanted::of(design);
    if !arguments.need.is_empty() {
        wanted.needs.clone_from(&arguments.need);
        wanted.needs.sort();
        wanted.needs.dedup();
    }
    wanted.kept.clone_from(&arguments.keep);
    wanted.most = arguments.most.get();
    let options = session.options(design);
    let mut line = ProgressLine::new();
    let found = suggest(design, &wanted, &options, &mut |searched| {
        line.show_searched(searched);
    });
    line.clear();
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            complain(&error.to_string());
            return Ok(Exit::Usage);
        }
    };
    let mut out = anstream::AutoStream::auto(io::stdout());
    match arguments.format {
        Format::Json => write_json(&mut out, design, &found)?,
        Format::Markdown => write_markdown(&mut out, design, &found)?,
        // The arguments let no other format through.
        Format::Text | Format::Mermaid | Format::Junit | Format::Github | Format::Itf => {
            write_text(&mut out, design, &found)?;
        }
    }
    out.flush()?;
    Ok(exit.max(exit_of(&found)))
}

/// The whole design space: as a table, and as a picture.
fn draw(design: &Design, picture: &Path, format: Format, session: &Session) -> io::Result<Exit> {
    let mut line = ProgressLine::new();
    let found = map(design, &session.options(design), &mut |searched| {
        line.show_searched(searched);
    });
    line.clear();
    // What is known of a map that ended early is no picture of the whole.
    let drawn = match found.stop {
        None => output_file::write(picture, |out| {
            out.write_all(report::map::picture::draw(design, &found).as_bytes())
        }),
        Some(_) => {
            complain(&format!(
                "{} was not written: not every order was judged",
                picture.display()
            ));
            Ok(())
        }
    };
    if let Err(error) = drawn {
        complain(&format!(
            "cannot write {}: {error}; name a file in a folder that you may write to",
            picture.display()
        ));
        return Ok(Exit::Io);
    }
    let mut out = anstream::AutoStream::auto(io::stdout());
    match format {
        Format::Json => report::map::write_json(&mut out, design, &found)?,
        Format::Markdown => report::map::write_markdown(&mut out, design, &found)?,
        // The arguments let no other format through.
        Format::Text | Format::Mermaid | Format::Junit | Format::Github | Format::Itf => {
            report::map::write_text(&mut out, design, &found)?;
        }
    }
    out.flush()?;
    Ok(match found.stop {
        None => Exit::Fine,
        Some(Stop::Interrupt) => Exit::Interrupted,
        Some(Stop::States | Stop::Memory | Stop::Time) => Exit::Undecided,
    })
}

fn exit_of(found: &Suggestions) -> Exit {
    match found.stop {
        Some(Stop::Interrupt) => Exit::Interrupted,
        _ if found.is_fine() || !found.suggestions.is_empty() => Exit::Fine,
        Some(Stop::States | Stop::Memory | Stop::Time) => Exit::Undecided,
        None => Exit::Violated,
    }
}
