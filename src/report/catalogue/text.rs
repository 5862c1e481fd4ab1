//! The catalogue as text for people.

use super::{broken_in_words, judged, symptoms};
use crate::catalogue::{Entry, Explained, changes};
use crate::report::text::{BAD, BOLD, DIM, Detail, GOOD, OPEN, style_of, write_trace};
use crate::report::words::{
    bound_in_words, completeness, extent_in_words, grouped, short_bound, warnings,
};
use crate::verdict::{Outcome, Verdicts};
use std::io::{self, Write};

/// Explains one entry.
pub(super) fn write(out: &mut dyn Write, explained: &Explained) -> io::Result<()> {
    let entry = explained.entry;
    writeln!(out, "{BOLD}{}{BOLD:#}  {}", entry.id, entry.title)?;
    for symptom in entry.symptoms {
        writeln!(out, "  shows as {symptom}: {}", symptom.summary())?;
    }
    writeln!(out, "  source: {}", entry.source)?;
    writeln!(out)?;
    write_design(out, "The broken design", explained, &explained.broken)?;
    writeln!(out)?;
    for (guarantee, ..) in judged(explained, &explained.broken) {
        if let Some(trace) = explained.broken.of(guarantee).trace() {
            write_trace(out, trace, Detail::Normal)?;
            writeln!(out)?;
        }
    }
    write_changes(out, entry)?;
    write_design(out, "The fixed design", explained, &explained.fixed)?;
    match explained.outcome() {
        Outcome::AsAsked => Ok(()),
        Outcome::Undecided => writeln!(
            out,
            "{OPEN}Undecided:{OPEN:#} a limit was reached; raise it to see the whole of it."
        ),
        Outcome::NotAsAsked => writeln!(
            out,
            "{BAD}Not as published:{BAD:#} the model of this version does not show the failure and its prevention."
        ),
    }
}

fn write_changes(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    writeln!(out, "{BOLD}Prevented by{BOLD:#} {}:", entry.prevention)?;
    let mut table = "";
    for change in changes(entry) {
        if change.table != table {
            writeln!(out, "    {DIM}{}{DIM:#}", change.table)?;
            table = change.table;
        }
        match change.is_added {
            true => writeln!(out, "  {GOOD}+ {}{GOOD:#}", change.line)?,
            false => writeln!(out, "  {BAD}- {}{BAD:#}", change.line)?,
        }
    }
    writeln!(out)
}

fn write_design(
    out: &mut dyn Write,
    title: &str,
    explained: &Explained,
    verdicts: &Verdicts,
) -> io::Result<()> {
    writeln!(
        out,
        "{BOLD}{title}{BOLD:#}  {DIM}models/catalogue/{}{DIM:#}",
        verdicts.file()
    )?;
    writeln!(out, "  {}", bound_in_words(verdicts.bound()))?;
    for (guarantee, verdict, told) in judged(explained, verdicts) {
        let style = style_of(verdict);
        writeln!(out, "  {:<20} {style}{told}{style:#}", guarantee.name())?;
    }
    writeln!(
        out,
        "  {}: {}.",
        completeness(verdicts.stop()),
        extent_in_words(verdicts)
    )?;
    for warning in warnings(verdicts) {
        writeln!(out, "  {OPEN}warning:{OPEN:#} {warning}")?;
    }
    Ok(())
}

/// Writes the whole catalogue as a table.
pub(super) fn write_table(out: &mut dyn Write, explained: &[Explained]) -> io::Result<()> {
    for one in explained {
        let entry = one.entry;
        writeln!(out, "{BOLD}{}{BOLD:#}  {}", entry.id, entry.title)?;
        let style = match one.outcome() {
            Outcome::AsAsked => GOOD,
            Outcome::Undecided => OPEN,
            Outcome::NotAsAsked => BAD,
        };
        writeln!(
            out,
            "     {}; broken: {}; fixed: {style}{} {}{style:#}, {} states",
            symptoms(one),
            broken_in_words(one),
            one.after().name(),
            short_bound(one.fixed.bound()),
            grouped(one.fixed.unique_states())
        )?;
    }
    writeln!(out)?;
    writeln!(out, "'semel explain ID' tells one of them.")
}
