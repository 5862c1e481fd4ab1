//! The comparison as text for people.

use super::{Matrix, Table, cell, write_notes};
use crate::report::text::{BOLD, DIM, Detail, OPEN, style_of, write_trace};
use anstyle::Style;
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
    write_notes(out, matrix, |out, line| writeln!(out, "{line}"))?;
    for warning in matrix.warnings() {
        writeln!(out, "{OPEN}warning:{OPEN:#} {warning}")?;
    }
    Ok(())
}

fn write_table(out: &mut dyn Write, matrix: &Matrix, table: &Table) -> io::Result<()> {
    let environment = table.environment;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}: {}",
        environment.name(),
        environment.summary()
    )?;
    for bound in table.bounds_in_lines() {
        writeln!(out, "  {DIM}{bound}{DIM:#}")?;
    }
    let names: Vec<String> = table.rows.iter().map(|row| table.row_name(row)).collect();
    let name_width = widest(names.iter().map(String::as_str));
    let columns: Vec<usize> = matrix
        .guarantees
        .iter()
        .map(|guarantee| {
            let cells = table.rows.iter().map(|row| cell(row.of(*guarantee)));
            widest(cells.chain([guarantee.name().to_string()]))
        })
        .collect();
    let header: Vec<(&str, Style)> = matrix
        .guarantees
        .iter()
        .map(|guarantee| (guarantee.name(), Style::new()))
        .collect();
    write_line(out, ("", name_width), &header, &columns)?;
    for (row, name) in table.rows.iter().zip(&names) {
        let words: Vec<(String, Style)> = matrix
            .cells(row)
            .map(|judgement| (cell(judgement.verdict()), style_of(judgement.verdict())))
            .collect();
        write_line(out, (name, name_width), &words, &columns)?;
    }
    Ok(())
}

/// Writes the cells of a line, each filled up to the next.
fn write_line<T: AsRef<str>>(
    out: &mut dyn Write,
    (name, name_width): (&str, usize),
    cells: &[(T, Style)],
    widths: &[usize],
) -> io::Result<()> {
    write!(out, "  {name:<name_width$}")?;
    let mut padding = 0;
    for ((word, style), width) in cells.iter().zip(widths) {
        let word = word.as_ref();
        write!(out, "{:padding$}  {style}{word}{style:#}", "")?;
        padding = width.saturating_sub(word.chars().count());
    }
    writeln!(out)
}

fn write_runs(out: &mut dyn Write, matrix: &Matrix, table: &Table) -> io::Result<()> {
    for row in &table.rows {
        for judgement in matrix.cells(row) {
            if let Some(trace) = judgement.verdict().trace() {
                write!(out, "{}, {}: ", row.name(), table.environment.name())?;
                write_trace(out, trace, Detail::Normal)?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

fn widest<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> usize {
    texts
        .map(|text| text.as_ref().chars().count())
        .max()
        .unwrap_or(0)
}
