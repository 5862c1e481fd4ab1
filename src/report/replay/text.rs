//! A replayed run as text: each step, and beneath it the ledger after it.

use super::{Difference, comparison, end_in_words, files_in_words, identified, title};
use crate::replay::{OnFiles, Outcome, Replay, Replayed};
use crate::report::text::{BAD, BOLD, DIM, Detail, GOOD, OPEN};
use crate::report::words::bound_in_words;
use crate::trace::Step;
use std::io::{self, Write};

/// Writes a replayed run.
pub(super) fn write(
    out: &mut dyn Write,
    replay: &Replay,
    files: &OnFiles,
    detail: Detail,
) -> io::Result<()> {
    let design = replay.design();
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}",
        design.name, design.file
    )?;
    writeln!(out, "  {}", bound_in_words(replay.bound()))?;
    writeln!(out)?;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} — {}:",
        replay.guarantee(),
        title(replay)
    )?;
    for (place, step) in replay.steps().iter().enumerate() {
        if replay.loops_from() == Some(place) {
            writeln!(
                out,
                "      {OPEN}from here on the run repeats for ever:{OPEN:#}"
            )?;
        }
        write_step(out, place + 1, step.told())?;
        write_after(out, step, detail)?;
    }
    write_end(out, replay, files)
}

/// Writes the sentence of one step.
fn write_step(out: &mut dyn Write, number: usize, told: &Step) -> io::Result<()> {
    let sentence = told.sentence();
    match told.fault() {
        Some(fault) => writeln!(
            out,
            "  {number:>3} {BAD}!{BAD:#} {sentence} {DIM}[{fault}]{DIM:#}"
        ),
        None => writeln!(out, "  {number:>3}   {sentence}"),
    }
}

/// Writes what is so after one step.
fn write_after(out: &mut dyn Write, step: &Replayed, detail: Detail) -> io::Result<()> {
    writeln!(out, "          {DIM}ledger: {}{DIM:#}", step.ledger())?;
    if detail == Detail::Verbose {
        for change in step.told().change() {
            writeln!(
                out,
                "            {DIM}{}: {} (was: {}){DIM:#}",
                change.fact, change.after, change.before
            )?;
        }
    }
    Ok(())
}

fn write_end(out: &mut dyn Write, replay: &Replay, files: &OnFiles) -> io::Result<()> {
    writeln!(out, "   {BOLD}=>{BOLD:#}   {}", end_in_words(replay))?;
    if let Outcome::Impossible(obstacle) = replay.outcome() {
        writeln!(
            out,
            "  As it was recorded: {}",
            obstacle.recorded.sentence()
        )?;
        match obstacle.enabled.is_empty() {
            true => writeln!(out, "  Nothing can happen here any more.")?,
            false => writeln!(out, "  What can happen here:")?,
        }
        for step in &obstacle.enabled {
            writeln!(out, "    - {}: {}", identified(step), step.sentence())?;
        }
    }
    if let Some(difference) = Difference::first(replay) {
        writeln!(
            out,
            "  {OPEN}warning:{OPEN:#} step {} does not change what was recorded:",
            difference.number
        )?;
        for line in difference.lines() {
            writeln!(out, "    {line}")?;
        }
    }
    let style = match replay.outcome() {
        Outcome::AsRecorded { .. } => GOOD,
        Outcome::Undecided => OPEN,
        Outcome::NotViolated { .. } | Outcome::Impossible(_) => BAD,
    };
    writeln!(out, "  {style}{}{style:#}", comparison(replay))?;
    let style = match files {
        OnFiles::Agrees => GOOD,
        OnFiles::Deviates(_) => BAD,
    };
    writeln!(out, "  {style}{}{style:#}", files_in_words(replay, files))
}
