//! `semel explain`.

use super::args::ExplainArguments;
use super::complain;
use super::exit::Exit;
use super::session::Session;
use crate::catalogue::{ENTRIES, Entry, Explained, explain_watched, named, unknown};
use crate::check::FileError;
use crate::report::Format;
use crate::report::catalogue::{write_all, write_one};
use std::io::{self, Write};

pub(super) fn run(arguments: &ExplainArguments) -> io::Result<Exit> {
    let one = match arguments.id.as_deref().map(|id| (id, named(id))) {
        None => None,
        Some((_, Some(entry))) => Some(entry),
        Some((id, None)) => {
            complain(&unknown(id));
            return Ok(Exit::Usage);
        }
    };
    if one.is_none() && arguments.format == Format::Itf {
        complain(
            "a document of this format holds one run: name an entry, such as 'semel explain C01 --format itf'",
        );
        return Ok(Exit::Usage);
    }
    let session = Session::begin(&arguments.limits);
    let mut exit = Exit::Fine;
    let mut all = Vec::new();
    for entry in ENTRIES {
        if one.is_some_and(|one| one.id != entry.id) || session.is_interrupted() {
            continue;
        }
        match explain(&session, entry) {
            Ok(explained) => {
                let ends = [&explained.broken, &explained.fixed];
                let ends = ends.map(|verdicts| session.exit_of(verdicts));
                exit = ends.into_iter().fold(exit, Exit::max);
                all.push(explained);
            }
            Err(error) => {
                complain(&format!("{}: {error}", entry.id));
                exit = exit.max(Exit::Usage);
            }
        }
    }
    let mut out = anstream::AutoStream::auto(io::stdout());
    match (one, all.first()) {
        (Some(_), Some(explained)) => write_one(&mut out, arguments.format, explained)?,
        (Some(_), None) => {}
        (None, _) => write_all(&mut out, arguments.format, &all)?,
    }
    out.flush()?;
    Ok(exit)
}

fn explain(session: &Session, entry: &'static Entry) -> Result<Explained, FileError> {
    session.watched(|watch| explain_watched(entry, |design| session.options(design), watch))
}
