//! `semel matrix`.

use super::args::MatrixArguments;
use super::complain;
use super::exit::Exit;
use super::session::{Session, Sources};
use crate::design::Design;
use crate::matrix::{Environment, judge_watched, left_out};
use crate::report::Format;
use crate::report::matrix::{Matrix, Table, Unmodelled, write_json, write_markdown, write_text};
use semel_models::guarantee::Guarantee;
use std::io::{self, Write};

pub(super) fn run(arguments: &MatrixArguments) -> io::Result<Exit> {
    let session = Session::begin(&arguments.limits);
    let sources = arguments.sources.or_presets();
    let Sources { designs, mut exit } = Sources::read(&sources.of_shard());
    // A part may be empty, where there are more parts than designs.
    if designs.is_empty() && sources.shard.is_none() {
        return Ok(exit.max(Exit::NothingChecked));
    }
    if arguments.trace && designs.len() > 1 {
        complain(&format!(
            "--trace is for one design, and there are {}: name one, or leave --trace out",
            designs.len()
        ));
        return Ok(Exit::Usage);
    }
    let mut matrix = Matrix {
        guarantees: chosen(&Guarantee::ALL, &arguments.guarantee),
        tables: Vec::new(),
        left_out: Vec::new(),
        unmodelled: Vec::new(),
        traces: arguments.trace,
        part: None,
    };
    for environment in chosen(&Environment::ALL, &arguments.fault_class) {
        exit = exit.max(judge_all(&session, &designs, environment, &mut matrix));
        if session.is_interrupted() {
            break;
        }
    }
    if !matrix.is_decided() {
        exit = exit.max(Exit::Undecided);
    }
    if session.is_interrupted() {
        exit = Exit::Interrupted;
    }
    let choices = (
        arguments.limits.within(),
        &arguments.guarantee,
        &arguments.fault_class,
    );
    matrix.part = sources
        .shard
        .map(|shard| shard.part(&sources, &choices, exit));
    print(arguments.format, &matrix)?;
    Ok(exit)
}

fn print(format: Format, matrix: &Matrix) -> io::Result<()> {
    let mut out = anstream::AutoStream::auto(io::stdout());
    match format {
        Format::Json => write_json(&mut out, matrix)?,
        Format::Markdown => write_markdown(&mut out, matrix)?,
        // The arguments let no other format through.
        Format::Text | Format::Mermaid | Format::Junit | Format::Github | Format::Itf => {
            write_text(&mut out, matrix)?
        }
    }
    out.flush()
}

/// Judges every design in one environment.
fn judge_all(
    session: &Session,
    designs: &[Design],
    environment: Environment,
    matrix: &mut Matrix,
) -> Exit {
    let mut exit = Exit::Fine;
    let mut rows = Vec::new();
    let mut not_met = Vec::new();
    for design in designs {
        let options = session.options(design);
        let judged = session.watched(|watch| judge_watched(design, environment, &options, watch));
        match judged {
            Ok(Some(verdicts)) => rows.push(verdicts),
            Ok(None) => not_met.push(design.name().to_string()),
            Err(error) => {
                complain(&format!("{}: {error}", environment.name()));
                exit = Exit::Usage;
            }
        }
        let faults = left_out(design, environment);
        if !faults.is_empty() {
            matrix.unmodelled.push(Unmodelled {
                environment,
                design: design.name().to_string(),
                faults,
            });
        }
        if session.is_interrupted() {
            break;
        }
    }
    if !rows.is_empty() {
        matrix.tables.push(Table { environment, rows });
    }
    if !not_met.is_empty() {
        matrix.left_out.push((environment, not_met));
    }
    exit
}

/// What was asked for of all there is, in the order of the table; nothing asked for: everything.
fn chosen<T: Copy + PartialEq>(all: &[T], asked: &[T]) -> Vec<T> {
    let wanted = |value: &&T| asked.is_empty() || asked.contains(value);
    all.iter().filter(wanted).copied().collect()
}
