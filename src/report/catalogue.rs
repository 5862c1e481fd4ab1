//! Entries of the catalogue and what their designs do, as people and programs read it: one file a
//! format.

mod json;
mod markdown;
mod text;

use super::Format;
use super::words::{counted, verdict_in_words};
use super::{itf, mermaid};
use crate::catalogue::{Explained, Symptom};
use crate::verdict::{Verdict, Verdicts};
use semel_models::guarantee::Guarantee;
use std::io::{self, Write};

/// Explains one entry.
pub(crate) fn write_one(
    out: &mut dyn Write,
    format: Format,
    explained: &Explained,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(out, std::slice::from_ref(explained)),
        Format::Markdown => markdown::write(out, explained),
        Format::Mermaid => write_story(out, explained),
        Format::Itf => write_itf(out, std::slice::from_ref(explained)),
        // The arguments do not let JUnit through.
        Format::Text | Format::Junit | Format::Github => text::write(out, explained),
    }
}

/// Writes the whole catalogue as a table.
pub(crate) fn write_all(
    out: &mut dyn Write,
    format: Format,
    explained: &[Explained],
) -> io::Result<()> {
    match format {
        Format::Json => json::write(out, explained),
        Format::Markdown => markdown::write_table(out, explained),
        Format::Mermaid => {
            for (index, one) in explained.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                write_story(out, one)?;
            }
            Ok(())
        }
        Format::Itf => write_itf(out, explained),
        // The arguments do not let JUnit through.
        Format::Text | Format::Junit | Format::Github => text::write_table(out, explained),
    }
}

fn write_story(out: &mut dyn Write, explained: &Explained) -> io::Result<()> {
    match explained.story() {
        Some(trace) => mermaid::write_diagram(out, trace),
        None => writeln!(out, "%% {}: no run found", explained.entry.id),
    }
}

/// Writes the first story; a document holds one.
fn write_itf(out: &mut dyn Write, explained: &[Explained]) -> io::Result<()> {
    match explained.iter().find_map(Explained::story) {
        Some(trace) => itf::write_trace(out, trace),
        None => Ok(()),
    }
}

/// The symptoms, side by side.
fn symptoms(explained: &Explained) -> String {
    let names = explained
        .entry
        .symptoms
        .iter()
        .map(|own| Symptom::name(*own));
    names.collect::<Vec<_>>().join(", ")
}

/// The guarantees that an entry is about, each with its verdict in `verdicts`.
fn judged<'a>(
    explained: &'a Explained,
    verdicts: &'a Verdicts,
) -> impl Iterator<Item = (Guarantee, &'a Verdict, String)> {
    explained.entry.violates.iter().map(|guarantee| {
        let verdict = verdicts.of(*guarantee);
        let mut told = verdict_in_words(verdicts.bound(), verdicts.judgement(*guarantee));
        if explained.entry.loses.is_some() && *guarantee == Guarantee::NoLoss {
            let lost = counted(verdicts.most_lost().into(), "record");
            told.push_str(&format!("; the worst run loses {lost}"));
        }
        (*guarantee, verdict, told)
    })
}

/// What became of the broken design, in the few words of a table.
fn broken_in_words(explained: &Explained) -> String {
    let told =
        explained
            .entry
            .violates
            .iter()
            .map(|guarantee| match explained.broken.of(*guarantee) {
                Verdict::Violated(trace) => {
                    format!("{guarantee} violated in {}", trace.steps().len())
                }
                verdict @ (Verdict::Holds | Verdict::Undecided) => {
                    format!("{guarantee} {}", verdict.name())
                }
            });
    let told = told.collect::<Vec<_>>().join(", ");
    if explained.entry.loses.is_none() {
        return told;
    }
    let (before, after) = (explained.broken.most_lost(), explained.fixed.most_lost());
    format!("{told} (the worst run loses {before}, fixed {after})")
}
