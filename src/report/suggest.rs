//! Suggestions: changes as diffs of the design's file, and what they cost.

use super::json;
use super::markdown::escaped;
use super::text::{BAD, BOLD, DIM, Detail, GOOD, OPEN, style_of, write_title, write_trace};
use super::words::{bound_in_words, completeness, counted, grouped, verdict_in_words, warnings};
use crate::cost::Cost;
use crate::design::Design;
use crate::suggest::{MOST_STEPS, Nearest, Suggestion, Suggestions};
use crate::verdict::Verdicts;
use semel_models::guarantee::Guarantee;
use serde::Serialize;
use similar::TextDiff;
use std::io::{self, Write};
use std::path::{Component, Path};

/// How many lines around a change a diff shows.
const CONTEXT: usize = 2;

/// What the whole answer is, in a sentence.
fn answer(found: &Suggestions) -> String {
    let needs = match found.needs.as_slice() {
        [one] => format!("{one} holds"),
        several => format!("{} hold", names(several)),
    };
    let searched = format!(
        "{} of up to {MOST_STEPS} steps, {} tried",
        counted(found.tried.orders as u64, "order"),
        counted(found.tried.designs as u64, "design"),
    );
    if let Some(stop) = found.stop {
        return format!("{}: {searched}.", completeness(Some(stop)));
    }
    match (found.is_fine(), found.suggestions.len()) {
        (true, 0) => {
            format!("{needs} as it is, and nothing that was tried is cheaper ({searched}).")
        }
        (true, _) => format!("{needs} as it is; cheaper designs hold, too ({searched})."),
        (false, 0) => format!("No change was found with which {needs} ({searched})."),
        (false, _) => {
            format!("With each of these changes {needs} within this bound ({searched}).")
        }
    }
}

fn names(guarantees: &[Guarantee]) -> String {
    let names = listed_names(guarantees);
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

/// How a suggestion compares, in words.
fn title(suggestion: &Suggestion) -> String {
    let keys = counted(suggestion.keys as u64, "key");
    let verb = if suggestion.keys == 1 {
        "changes"
    } else {
        "change"
    };
    format!("{keys} {verb}; per record {}", suggestion.cost)
}

/// Why there is nothing to suggest, a sentence each.
fn reasons(found: &Suggestions) -> Vec<String> {
    let mut reasons = Vec::new();
    let counts: Vec<String> = found
        .tried
        .violating
        .iter()
        .map(|(guarantee, count)| format!("{guarantee} in {}", grouped(*count as u64)))
        .collect();
    if !counts.is_empty() {
        reasons.push(format!(
            "Each violates one of them at least; what a shortest run to a violation breaks: {}.",
            counts.join(", ")
        ));
    }
    if found.tried.too_large > 0 {
        reasons.push(format!(
            "{} could not be explored: too large, or not modelled.",
            found.tried.too_large
        ));
    }
    if !found.kept.is_empty() {
        let kept: Vec<String> = found.kept.iter().map(ToString::to_string).collect();
        let kept = kept.join(", ");
        reasons.push(match &found.if_nothing_were_kept {
            Some(free) => format!(
                "It is what is kept ({kept}) that stands in the way; without it: {}",
                free.changes.join("; ")
            ),
            None => format!("Nor would one hold if {kept} could change."),
        });
    }
    reasons
}

/// For people.
pub(crate) fn write_text(
    out: &mut dyn Write,
    design: &Design,
    found: &Suggestions,
) -> io::Result<()> {
    write_title(out, design.name(), design.file())?;
    write_now(out, found)?;
    writeln!(out)?;
    let style = match found.is_fine() || !found.suggestions.is_empty() {
        true => GOOD,
        false => BAD,
    };
    writeln!(out, "  {style}{}{style:#}", answer(found))?;
    for (index, suggestion) in found.suggestions.iter().enumerate() {
        writeln!(out)?;
        writeln!(out, "{BOLD}{}. {}{BOLD:#}", index + 1, title(suggestion))?;
        for line in diff(design, suggestion).lines() {
            let style = match line.chars().next() {
                Some('+') => GOOD,
                Some('-') => BAD,
                _ => DIM,
            };
            writeln!(out, "   {style}{line}{style:#}")?;
        }
        for note in remarks(found, suggestion) {
            writeln!(out, "   {OPEN}{note}{OPEN:#}")?;
        }
    }
    if !found.suggestions.is_empty() || found.is_fine() {
        return Ok(());
    }
    for reason in reasons(found) {
        writeln!(out, "  {reason}")?;
    }
    match &found.nearest {
        Some(nearest) => write_nearest(out, found, nearest),
        None => Ok(()),
    }
}

/// What is needed, as it is now, and the price.
fn write_now(out: &mut dyn Write, found: &Suggestions) -> io::Result<()> {
    for guarantee in &found.needs {
        let verdict = in_words(&found.now, *guarantee);
        let style = style_of(found.now.of(*guarantee));
        writeln!(out, "  {:<20} {style}{verdict}{style:#}", guarantee.name())?;
    }
    writeln!(out, "  {:<20} {}", "per record now", found.cost)?;
    let bound = bound_in_words(found.now.bound());
    writeln!(out, "  {:<20} {bound}", "bound")?;
    if !found.kept.is_empty() {
        let kept: Vec<String> = found.kept.iter().map(ToString::to_string).collect();
        writeln!(out, "  {:<20} {}", "kept", kept.join(", "))?;
    }
    Ok(())
}

fn in_words(verdicts: &Verdicts, guarantee: Guarantee) -> String {
    let mut judgements = verdicts.judgements().iter();
    let own = judgements.find(|judgement| judgement.guarantee() == guarantee);
    own.map_or(String::new(), |own| verdict_in_words(verdicts.bound(), own))
}

fn write_nearest(out: &mut dyn Write, found: &Suggestions, nearest: &Nearest) -> io::Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "  The nearest that was tried: {}",
        nearest.changes.join("; ")
    )?;
    let violated = |guarantee: &&Guarantee| nearest.verdicts.of(**guarantee).trace().is_some();
    let first = found.needs.iter().find(violated);
    match first.and_then(|guarantee| nearest.verdicts.of(*guarantee).trace()) {
        Some(trace) => write_trace(out, trace, Detail::Normal),
        None => Ok(()),
    }
}

/// What else is to be known of a suggestion.
fn remarks(found: &Suggestions, suggestion: &Suggestion) -> Vec<String> {
    let mut remarks: Vec<String> = suggestion.notes.iter().map(ToString::to_string).collect();
    if !suggestion.price.is_empty() {
        remarks.push(format!("but then violated: {}", names(&suggestion.price)));
    }
    let said = warnings(&found.now);
    let new = warnings(&suggestion.verdicts).into_iter();
    remarks.extend(
        new.filter(|warning| !said.contains(warning))
            .map(|warning| format!("warning: {warning}")),
    );
    remarks
}

/// A suggestion as a diff of the design's file.
fn diff(design: &Design, suggestion: &Suggestion) -> String {
    let name = name_in_diff(design.file());
    TextDiff::from_lines(design.text(), suggestion.text.as_str())
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&name, &name)
        .to_string()
}

/// A file's name as patch takes it: below this folder, and with its end marked where it has spaces.
fn name_in_diff(file: &str) -> String {
    let path = Path::new(file);
    let is_below = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let name = match (is_below, path.file_name()) {
        (false, Some(name)) => name.to_string_lossy().into_owned(),
        (true, _) | (false, None) => file.to_owned(),
    };
    let end = if name.contains(char::is_whitespace) {
        "\t"
    } else {
        ""
    };
    name + end
}

/// For a pull request.
pub(crate) fn write_markdown(
    out: &mut dyn Write,
    design: &Design,
    found: &Suggestions,
) -> io::Result<()> {
    writeln!(out, "## {}\n", escaped(design.name()))?;
    for guarantee in &found.needs {
        writeln!(out, "- {guarantee}: {}", in_words(&found.now, *guarantee))?;
    }
    writeln!(out, "- per record now: {}", found.cost)?;
    writeln!(out, "- bound: {}\n", bound_in_words(found.now.bound()))?;
    writeln!(out, "{}", answer(found))?;
    for (index, suggestion) in found.suggestions.iter().enumerate() {
        writeln!(out, "\n### {}. {}\n", index + 1, title(suggestion))?;
        writeln!(out, "```diff")?;
        write!(out, "{}", diff(design, suggestion))?;
        writeln!(out, "```")?;
        for remark in remarks(found, suggestion) {
            writeln!(out, "\n{}", escaped(&remark))?;
        }
    }
    if found.suggestions.is_empty() && !found.is_fine() {
        writeln!(out)?;
        for reason in reasons(found) {
            writeln!(out, "- {}", escaped(&reason))?;
        }
    }
    Ok(())
}

fn listed_names(guarantees: &[Guarantee]) -> Vec<&'static str> {
    guarantees.iter().map(|own| own.name()).collect()
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    name: &'a str,
    file: &'a str,
    needs: Vec<&'static str>,
    kept: Vec<String>,
    holds_now: bool,
    cost_now: Price,
    stopped: Option<&'static str>,
    orders: usize,
    designs: usize,
    too_large: usize,
    suggestions: Vec<Listed<'a>>,
    reasons: Vec<String>,
    nearest: Option<json::DesignVerdicts<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    changes: &'a [String],
    keys: usize,
    cost: Price,
    then_violated: Vec<&'static str>,
    remarks: Vec<String>,
    diff: String,
    design: &'a str,
}

/// A cost of so many records in all.
#[derive(Serialize)]
struct Price {
    records: u32,
    calls: u32,
    durable_writes: u32,
    transactions: u32,
}

impl From<Cost> for Price {
    fn from(cost: Cost) -> Price {
        Price {
            records: cost.records,
            calls: cost.calls,
            durable_writes: cost.durable_writes,
            transactions: cost.transactions,
        }
    }
}

/// For programs.
pub(crate) fn write_json(
    out: &mut dyn Write,
    design: &Design,
    found: &Suggestions,
) -> io::Result<()> {
    let listed = |suggestion| Listed::of(design, found, suggestion);
    let is_none = found.suggestions.is_empty() && !found.is_fine();
    json::write(
        out,
        &Document {
            format: "semel-suggestions",
            version: 1,
            name: design.name(),
            file: design.file(),
            needs: listed_names(&found.needs),
            kept: found.kept.iter().map(ToString::to_string).collect(),
            holds_now: found.is_fine(),
            cost_now: found.cost.into(),
            stopped: found.stop.map(|stop| completeness(Some(stop))),
            orders: found.tried.orders,
            designs: found.tried.designs,
            too_large: found.tried.too_large,
            suggestions: found.suggestions.iter().map(listed).collect(),
            reasons: if is_none { reasons(found) } else { Vec::new() },
            nearest: found
                .nearest
                .as_ref()
                .map(|own| json::design(&own.verdicts)),
        },
    )
}

impl<'a> Listed<'a> {
    fn of(design: &Design, found: &Suggestions, suggestion: &'a Suggestion) -> Listed<'a> {
        Listed {
            changes: &suggestion.changes,
            keys: suggestion.keys,
            cost: suggestion.cost.into(),
            then_violated: listed_names(&suggestion.price),
            remarks: remarks(found, suggestion),
            diff: diff(design, suggestion),
            design: &suggestion.text,
        }
    }
}
