//! The comparison as Markdown.

use super::{Matrix, Table, cell, write_notes};
use crate::report::markdown::{escaped, write_run};
use std::io::{self, Write};

/// Writes every table, then what is to be known about them.
pub(crate) fn write(out: &mut dyn Write, matrix: &Matrix) -> io::Result<()> {
    for table in &matrix.tables {
        write_table(out, matrix, table)?;
        writeln!(out)?;
        if matrix.traces {
            write_runs(out, matrix, table)?;
        }
    }
    write_notes(out, matrix, |out, line| writeln!(out, "- {line}"))?;
    for warning in matrix.warnings() {
        writeln!(out, "- **Warning:** {}", escaped(&warning))?;
    }
    Ok(())
}

fn write_table(out: &mut dyn Write, matrix: &Matrix, table: &Table) -> io::Result<()> {
    let environment = table.environment;
    write!(
        out,
        "**{}**: {}.",
        environment.name(),
        environment.summary()
    )?;
    for bound in table.bounds_in_lines() {
        write!(out, " {bound}.")?;
    }
    writeln!(out)?;
    writeln!(out)?;
    write!(out, "| design |")?;
    for guarantee in &matrix.guarantees {
        write!(out, " `{guarantee}` |")?;
    }
    writeln!(out)?;
    writeln!(out, "| --- |{}", " --- |".repeat(matrix.guarantees.len()))?;
    for row in &table.rows {
        write!(out, "| {} |", escaped(&table.row_name(row)))?;
        for judgement in matrix.cells(row) {
            write!(out, " {} |", cell(judgement.verdict()))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_runs(out: &mut dyn Write, matrix: &Matrix, table: &Table) -> io::Result<()> {
    for row in &table.rows {
        for judgement in matrix.cells(row) {
            if let Some(trace) = judgement.verdict().trace() {
                writeln!(
                    out,
                    "`{}` of {}, {}:",
                    trace.guarantee(),
                    escaped(row.name()),
                    table.environment.name()
                )?;
                writeln!(out)?;
                write_run(out, trace)?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}
