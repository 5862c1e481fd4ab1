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
        warnings: matrix.warnings(),
    };
    crate::report::json::write(out, &document)
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
