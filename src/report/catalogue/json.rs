//! The catalogue as JSON: `"format": "semel-catalogue"`.

use crate::catalogue::{Explained, Symptom, changes};
use crate::report::json::{self, DesignVerdicts, design};
use serde::Serialize;
use std::io::{self, Write};

/// The name in the `format` field.
const FORMAT: &str = "semel-catalogue";
/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'static str,
    title: &'static str,
    symptoms: Vec<&'static str>,
    violates: Vec<&'static str>,
    prevention: &'static str,
    source: &'static str,
    as_published: bool,
    changes: Vec<Change>,
    broken: Design<'a>,
    fixed: Design<'a>,
}

#[derive(Serialize)]
struct Change {
    table: &'static str,
    change: &'static str,
    line: &'static str,
}

#[derive(Serialize)]
struct Design<'a> {
    text: &'static str,
    verdicts: DesignVerdicts<'a>,
}

/// Writes the entries as one document.
pub(super) fn write(out: &mut dyn Write, explained: &[Explained]) -> io::Result<()> {
    let document = Document {
        format: FORMAT,
        version: VERSION,
        entries: explained.iter().map(entry).collect(),
    };
    json::write(out, &document)
}

fn entry(explained: &Explained) -> Entry<'_> {
    let entry = explained.entry;
    let change = |change: crate::catalogue::ChangedLine<'static>| Change {
        table: change.table,
        change: if change.is_added { "added" } else { "removed" },
        line: change.line,
    };
    Entry {
        id: entry.id,
        title: entry.title,
        symptoms: entry
            .symptoms
            .iter()
            .map(|own| Symptom::name(*own))
            .collect(),
        violates: entry.violates.iter().map(|own| own.name()).collect(),
        prevention: entry.prevention,
        source: entry.source,
        as_published: explained.is_as_published(),
        changes: changes(entry).into_iter().map(change).collect(),
        broken: Design {
            text: entry.broken,
            verdicts: design(&explained.broken),
        },
        fixed: Design {
            text: entry.fixed,
            verdicts: design(&explained.fixed),
        },
    }
}
