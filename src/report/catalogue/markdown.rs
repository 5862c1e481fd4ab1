//! The catalogue as Markdown.

use super::{broken_in_words, judged, symptoms};
use crate::catalogue::{Entry, Explained, changes};
use crate::report::markdown::{escaped, write_run};
use crate::report::words::{
    anomalies_in_words, bound_in_words, completeness, extent_in_words, grouped, short_bound,
    warnings,
};
use crate::verdict::Verdicts;
use std::io::{self, Write};

/// Explains one entry.
pub(super) fn write(out: &mut dyn Write, explained: &Explained) -> io::Result<()> {
    let entry = explained.entry;
    writeln!(out, "### {}: {}", entry.id, escaped(entry.title))?;
    writeln!(out)?;
    writeln!(
        out,
        "Shows as {}. Source: {}.",
        symptoms(explained),
        escaped(entry.source)
    )?;
    writeln!(out)?;
    write_design(out, "The broken design", explained, &explained.broken)?;
    writeln!(out)?;
    for (guarantee, ..) in judged(explained, &explained.broken) {
        if let Some(trace) = explained.broken.of(guarantee).trace() {
            writeln!(out, "The shortest run that violates `{guarantee}`:")?;
            writeln!(out)?;
            write_run(out, trace)?;
            writeln!(out)?;
        }
    }
    write_changes(out, entry)?;
    write_design(out, "The fixed design", explained, &explained.fixed)
}

fn write_changes(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    writeln!(out, "**Prevented by** {}:", escaped(entry.prevention))?;
    writeln!(out)?;
    writeln!(out, "```diff")?;
    let mut table = "";
    for change in changes(entry) {
        if change.table != table {
            writeln!(out, "  {}", change.table)?;
            table = change.table;
        }
        let sign = if change.is_added { '+' } else { '-' };
        writeln!(out, "{sign} {}", change.line)?;
    }
    writeln!(out, "```")?;
    writeln!(out)?;
    Ok(())
}

fn write_design(
    out: &mut dyn Write,
    title: &str,
    explained: &Explained,
    verdicts: &Verdicts,
) -> io::Result<()> {
    writeln!(
        out,
        "**{title}**, `models/catalogue/{}`: {}.",
        verdicts.file(),
        bound_in_words(verdicts.bound())
    )?;
    writeln!(out)?;
    for (guarantee, _, told) in judged(explained, verdicts) {
        writeln!(out, "- `{guarantee}` {told}")?;
    }
    writeln!(
        out,
        "- {}: {}",
        completeness(verdicts.stop()),
        extent_in_words(verdicts)
    )?;
    for warning in warnings(verdicts) {
        writeln!(out, "- **Warning:** {}", escaped(&warning))?;
    }
    Ok(())
}

/// Writes the whole catalogue as a table.
pub(super) fn write_table(out: &mut dyn Write, explained: &[Explained]) -> io::Result<()> {
    writeln!(
        out,
        "| id | what happens | shows as | Jepsen's names | broken design | fixed design | states |"
    )?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- | --- |")?;
    for one in explained {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} {} | {} |",
            one.entry.id,
            escaped(one.entry.title),
            symptoms(one),
            one.story().map_or(String::new(), anomalies_in_words),
            broken_in_words(one),
            one.after().name(),
            short_bound(one.fixed.bound()),
            grouped(one.fixed.unique_states())
        )?;
    }
    Ok(())
}
