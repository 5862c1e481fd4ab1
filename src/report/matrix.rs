//! Designs compared, as people and programs read it: one file a format.

mod json;
mod markdown;
mod text;

use super::json::Part;
use super::words::{WITHOUT_EFFECT, bound_in_words, unreached, without_effect};
use crate::design::WarningKind;
use crate::matrix::Environment;
use crate::verdict::{Judgement, Verdict, Verdicts};
use semel_models::fault::Fault;
use semel_models::guarantee::Guarantee;
use std::io::{self, Write};

pub(crate) use json::write as write_json;
pub(crate) use markdown::write as write_markdown;
pub(crate) use text::write as write_text;

/// A comparison of designs.
pub(crate) struct Matrix {
    /// The columns.
    pub(crate) guarantees: Vec<Guarantee>,
    /// A table for each environment in which at least one design was judged.
    pub(crate) tables: Vec<Table>,
    /// Which designs can meet none of the modelled faults of a class.
    pub(crate) left_out: Vec<(Environment, Vec<String>)>,
    /// Which faults of a class a design was judged without, for they are not modelled with the rest.
    pub(crate) unmodelled: Vec<Unmodelled>,
    /// Whether runs are told.
    pub(crate) traces: bool,
    /// Which part of the designs it is about, if not all.
    pub(crate) part: Option<Part>,
}

/// What became of the designs in one environment.
pub(crate) struct Table {
    pub(crate) environment: Environment,
    pub(crate) rows: Vec<Verdicts>,
}

/// The faults of a class that a design could meet, and that are not modelled with the rest.
pub(crate) struct Unmodelled {
    pub(crate) environment: Environment,
    pub(crate) design: String,
    pub(crate) faults: Vec<Fault>,
}

impl Matrix {
    /// Whether every cell is decided.
    pub(crate) fn is_decided(&self) -> bool {
        let rows = self.tables.iter().flat_map(|table| &table.rows);
        rows.flat_map(|row| self.cells(row))
            .all(|judgement| judgement.verdict() != &Verdict::Undecided)
    }

    /// The cells of a row.
    fn cells<'a>(&'a self, row: &'a Verdicts) -> impl Iterator<Item = &'a Judgement> {
        let judgements = row.judgements().iter();
        judgements.filter(|judgement| self.guarantees.contains(&judgement.guarantee()))
    }

    /// What should make an engineer look twice: about the designs once, about what was explored
    /// table by table.
    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = Vec::new();
        let mut add = |warning: String| {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        };
        for table in &self.tables {
            for row in &table.rows {
                // The faults are the table's and not those that the design states.
                let lasting = row.warnings().iter().filter(|warning| {
                    !matches!(
                        warning.kind(),
                        WarningKind::DefaultFaults | WarningKind::NoFaults
                    )
                });
                lasting.for_each(|warning| add(format!("{}: {warning}", row.name())));
                let place = format!("{}, {}", row.name(), table.environment.name());
                if let Some(stop) = row.stop() {
                    add(format!("{place}: not explored in full: {}", stop.reason()));
                }
                let unreached = unreached(row).join("; ");
                if !unreached.is_empty() {
                    add(format!(
                        "{place}: never reached within the bound: {unreached}"
                    ));
                }
                let without_effect = without_effect(row).join("; ");
                if !without_effect.is_empty() {
                    add(format!("{place}: {WITHOUT_EFFECT}: {without_effect}"));
                }
            }
        }
        warnings
    }

    /// What was not judged, and why.
    fn left_out_in_words(&self) -> Vec<String> {
        let told = |(environment, names): &(Environment, Vec<String>)| {
            let judged = self
                .tables
                .iter()
                .any(|table| table.environment == *environment);
            let who = if judged {
                names.join(", ")
            } else {
                "these designs".into()
            };
            format!(
                "{}: no modelled fault of this class can strike {who}",
                environment.name()
            )
        };
        self.left_out.iter().map(told).collect()
    }

    /// What designs were judged without: those that lack the same are told together.
    fn unmodelled_in_words(&self) -> Vec<String> {
        let mut told: Vec<(Environment, &[Fault], Vec<&str>)> = Vec::new();
        for own in &self.unmodelled {
            let same = |(environment, faults, _): &&mut (Environment, &[Fault], Vec<&str>)| {
                *environment == own.environment && *faults == own.faults
            };
            match told.iter_mut().find(same) {
                Some((_, _, names)) => names.push(&own.design),
                None => told.push((own.environment, &own.faults, vec![&own.design])),
            }
        }
        let line = |(environment, faults, names): &(Environment, &[Fault], Vec<&str>)| {
            let faults: Vec<&str> = faults.iter().map(|fault| fault.name()).collect();
            format!(
                "{}: {} without {}, which {} not modelled together with the rest",
                environment.name(),
                names.join(", "),
                faults.join(", "),
                if faults.len() == 1 { "is" } else { "are" }
            )
        };
        told.iter().map(line).collect()
    }
}

impl Table {
    /// The different bounds of its rows, in words.
    fn bounds(&self) -> Vec<String> {
        let mut bounds: Vec<String> = Vec::new();
        for row in &self.rows {
            let bound = bound_in_words(row.bound());
            if !bounds.contains(&bound) {
                bounds.push(bound);
            }
        }
        bounds
    }

    /// The bounds as lines, numbered where there are several.
    fn bounds_in_lines(&self) -> Vec<String> {
        let bounds = self.bounds();
        let several = bounds.len() > 1;
        let line = |(place, bound): (usize, String)| {
            if several {
                format!("({}) {bound}", place + 1)
            } else {
                bound
            }
        };
        bounds.into_iter().enumerate().map(line).collect()
    }

    /// A row's name; where the bounds differ, with the number of its own.
    fn row_name(&self, row: &Verdicts) -> String {
        let bounds = self.bounds();
        let own = bound_in_words(row.bound());
        match bounds.iter().position(|bound| *bound == own) {
            Some(place) if bounds.len() > 1 => format!("{} ({})", row.name(), place + 1),
            Some(_) | None => row.name().into(),
        }
    }
}

/// A cell in words that fit into a table; its bound stands with the table.
fn cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Holds => "holds".into(),
        Verdict::Violated(trace) => format!("violated in {}", trace.steps().len()),
        Verdict::Undecided => "undecided".into(),
    }
}

/// What the words in the cells mean.
const LEGEND: [&str; 2] = [
    "holds: no run within the bound that stands with the table violates it.",
    "violated in 9: a shortest run that violates it has 9 steps.",
];

/// Writes the lines below the tables.
fn write_notes(
    out: &mut dyn Write,
    matrix: &Matrix,
    mut line: impl FnMut(&mut dyn Write, &str) -> io::Result<()>,
) -> io::Result<()> {
    for left_out in matrix.left_out_in_words() {
        line(out, &format!("Not judged: {left_out}."))?;
    }
    for unmodelled in matrix.unmodelled_in_words() {
        line(out, &format!("Judged in part: {unmodelled}."))?;
    }
    for meaning in LEGEND {
        line(out, meaning)?;
    }
    if !matrix.traces {
        line(
            out,
            "The runs: add --trace with one design, or 'semel check' for it.",
        )?;
    }
    Ok(())
}
