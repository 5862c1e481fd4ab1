//! `semel report`.

use super::args::{ReportArguments, SourceArguments};
use super::complain;
use super::exit::Exit;
use super::output_file;
use super::session::{Session, Sources};
use crate::catalogue::{Entry, explain_watched, named, unknown};
use crate::check::{check_watched, find_mends};
use crate::design::Design;
use crate::report::html::{MARK, Page};
use crate::verdict::Stop;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

/// The bytes of a page from which on browsers take their time.
const LARGE: u64 = 1_000_000;

pub(super) fn run(arguments: &ReportArguments) -> io::Result<Exit> {
    let session = Session::begin(&arguments.limits);
    let mut entries = Vec::new();
    for id in &arguments.entry {
        match named(id) {
            Some(entry) => entries.push(entry),
            None => {
                complain(&unknown(id));
                return Ok(Exit::Usage);
            }
        }
    }
    let named = SourceArguments {
        files: arguments.files.clone(),
        preset: arguments.preset.clone(),
        shard: None,
    };
    let sources = match entries.is_empty() {
        true => named.or_file(super::DEFAULT_FILE),
        false => Some(named),
    };
    let Some(sources) = sources else {
        complain(&format!(
            "nothing to report: there is no {} in this folder; name a design file, a preset with --preset NAME or a catalogue entry with --entry ID ('semel list')",
            super::DEFAULT_FILE
        ));
        return Ok(Exit::NothingChecked);
    };
    let file = &arguments.output;
    if let Some(refused) = refuse(file, arguments.force) {
        complain(&refused);
        return Ok(Exit::Usage);
    }
    let Sources { designs, exit } = Sources::read(&sources);
    let mut work = Work {
        session,
        page: Page::default(),
        exit,
        is_idle: true,
    };
    for design in &designs {
        work.add(design);
    }
    for entry in entries {
        work.add_entry(entry);
    }
    if work.is_idle {
        return Ok(work.exit.max(Exit::NothingChecked));
    }
    write(&work.page, file)?.map_or_else(
        |problem| {
            complain(&problem);
            Ok(Exit::Io)
        },
        |()| Ok(work.exit),
    )
}

/// The page so far.
struct Work {
    session: Session,
    page: Page,
    exit: Exit,
    is_idle: bool,
}

impl Work {
    fn add(&mut self, design: &Design) {
        if self.exit == Exit::Interrupted {
            return;
        }
        let started = Instant::now();
        let options = self.session.options(design);
        let checked = self
            .session
            .watched(|watch| check_watched(design, &options, watch));
        let mut verdicts = match checked {
            Ok(verdicts) => verdicts,
            Err(error) => {
                complain(&error.to_string());
                self.exit = self.exit.max(Exit::Usage);
                return;
            }
        };
        self.exit = self.exit.max(self.session.exit_of(&verdicts));
        if verdicts.stop() != Some(Stop::Interrupt) {
            find_mends(design, &mut verdicts, &options, started);
        }
        let added = self.page.add(&verdicts, design.text());
        self.added(design.file(), added);
    }

    fn add_entry(&mut self, entry: &'static Entry) {
        if self.exit == Exit::Interrupted {
            return;
        }
        let session = &self.session;
        let explained = session
            .watched(|watch| explain_watched(entry, |design| session.options(design), watch));
        let explained = match explained {
            Ok(explained) => explained,
            Err(error) => {
                complain(&format!("{}: {error}", entry.id));
                self.exit = self.exit.max(Exit::Usage);
                return;
            }
        };
        for verdicts in [&explained.broken, &explained.fixed] {
            self.exit = self.exit.max(self.session.exit_of(verdicts));
        }
        let added = self.page.add_entry(&explained);
        self.added(entry.id, added);
    }

    fn added(&mut self, what: &str, added: Result<(), crate::replay::ReplayError>) {
        match added {
            Ok(()) => self.is_idle = false,
            Err(error) => {
                complain(&format!("{what}: {error}"));
                self.exit = self.exit.max(Exit::Usage);
            }
        }
    }
}

/// Why the page is not to be written to `file`. An earlier report is written anew, for it comes from a
/// design that is still there; whatever else has that name may be somebody's only copy.
fn refuse(file: &Path, force: bool) -> Option<String> {
    if force || file == Path::new(super::STANDARD_STREAM) || !file.is_file() {
        return None;
    }
    let mut begin = Vec::new();
    let read = File::open(file).and_then(|open| open.take(1024).read_to_end(&mut begin));
    let is_report = String::from_utf8_lossy(&begin).contains(MARK);
    match (read, is_report) {
        (Ok(_), true) => None,
        (Ok(_), false) | (Err(_), _) => Some(format!(
            "{} is there already, is no report of semel's, and was left as it is; name another file with -o, or overwrite it with --force",
            file.display()
        )),
    }
}

/// Writes the page to `file`, all of it or nothing.
fn write(page: &Page, file: &Path) -> io::Result<Result<(), String>> {
    if file == Path::new(super::STANDARD_STREAM) {
        let mut out = io::stdout().lock();
        page.write(&mut out)?;
        out.flush()?;
        return Ok(Ok(()));
    }
    let written = output_file::write(file, |mut out| page.write(&mut out));
    Ok(match written {
        Ok(()) => {
            let size = file.metadata().map_or(0, |written| written.len());
            let large = match size > LARGE {
                true => "; it is large: name fewer designs for a page that opens at once",
                false => "",
            };
            complain(&format!("wrote {}{large}", file.display()));
            Ok(())
        }
        Err(error) => Err(format!(
            "cannot write {}: {error}; name a file in a folder that you may write to, or print the page with '-o -'",
            file.display()
        )),
    })
}
