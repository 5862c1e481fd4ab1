//! The comparison as JSON: `"format": "semel-matrix"`.

use super::Matrix;
use crate::report::json::Part;
use crate::report::words::faults_spent;
use crate::trace::{Bound, Trace};
use crate::verdict::{Judgement, Verdicts};
use serde::Serialize;
use std::io::{self, Write};

/// The name in the `format` field.
const FORMAT: &str = "semel-matrix";
/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<Part>,
    tables: Vec<Table<'a>>,
    not_judged: Vec<NotJudged<'a>>,
    /// What the tables were judged without, class by class: it is not modelled with the rest.
    not_modelled: Vec<NotModelled<'a>>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Table<'a> {
    faults: &'static str,
    designs: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    file: &'a str,
    bound: &'a Bound,
    unique_states: u64,
    transitions: u64,
    depth: u32,
    seconds: f64,
    guarantees: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    name: &'static str,
    verdict: &'static str,
    /// The steps and faults of the shortest run.
    steps: Option<usize>,
    faults: Option<u64>,
    trace: Option<&'a Trace>,
}

#[derive(Serialize)]
struct NotJudged<'a> {
    faults: &'static str,
    designs: &'a [String],
}

#[derive(Serialize)]
struct NotModelled<'a> {
    faults: &'static str,
    designs: Vec<Without<'a>>,
}

#[derive(Serialize)]
struct Without<'a> {
    name: &'a str,
    without: Vec<&'static str>,
}

/// Writes the comparison as one document.
pub(crate) fn write(out: &mut dyn Write, matrix: &Matrix) -> io::Result<()> {
    let tables = matrix.tables.iter().map(|table| Table {
        faults: table.environment.name(),
        designs: table.rows.iter().map(|row| line(matrix, row)).collect(),
    });
    let not_judged = matrix
        .left_out
        .iter()
        .map(|(environment, names)| NotJudged {
            faults: environment.name(),
            designs: names,
        });
    let document = Document {
        format: FORMAT,
        version: VERSION,
        shard: matrix.part,
        tables: tables.collect(),
        not_judged: not_judged.collect(),
        not_modelled: not_modelled(matrix),
        warnings: matrix.warnings(),
    };
    crate::report::json::write(out, &document)
}

/// What designs were judged without, one entry a class, so that the parts of several processes fit together.
fn not_modelled(matrix: &Matrix) -> Vec<NotModelled<'_>> {
    let mut classes: Vec<NotModelled<'_>> = Vec::new();
    for own in &matrix.unmodelled {
        let design = Without {
            name: &own.design,
            without: own.faults.iter().map(|fault| fault.name()).collect(),
        };
        let faults = own.environment.name();
        match classes.iter_mut().find(|class| class.faults == faults) {
            Some(class) => class.designs.push(design),
            None => classes.push(NotModelled {
                faults,
                designs: vec![design],
            }),
        }
    }
    classes
}

fn line<'a>(matrix: &'a Matrix, row: &'a Verdicts) -> Row<'a> {
    Row {
        name: row.name(),
        file: row.file(),
        bound: row.bound(),
        unique_states: row.unique_states(),
        transitions: row.transitions(),
        depth: row.depth(),
        seconds: row.elapsed().as_secs_f64(),
        guarantees: matrix
            .cells(row)
            .map(|judgement| cell(matrix, judgement))
            .collect(),
    }
}

fn cell<'a>(matrix: &Matrix, judgement: &'a Judgement) -> Cell<'a> {
    let trace = judgement.verdict().trace();
    Cell {
        name: judgement.guarantee().name(),
        verdict: judgement.verdict().name(),
        steps: trace.map(|trace| trace.steps().len()),
        faults: trace.map(faults_spent),
        trace: trace.filter(|_| matrix.traces),
    }
}
