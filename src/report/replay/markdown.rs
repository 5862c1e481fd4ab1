//! A replayed run as Markdown: a table of steps with the ledger after each.

use super::{Difference, comparison, end_in_words, files_in_words, identified, title};
use crate::replay::{OnFiles, Outcome, Replay};
use crate::report::markdown::escaped;
use crate::report::words::bound_in_words;
use std::io::{self, Write};

/// Writes a replayed run.
pub(super) fn write(out: &mut dyn Write, replay: &Replay, files: &OnFiles) -> io::Result<()> {
    let design = replay.design();
    writeln!(out, "### {}", escaped(&design.name))?;
    writeln!(out)?;
    writeln!(
        out,
        "{}: {}",
        escaped(&design.file),
        bound_in_words(replay.bound())
    )?;
    writeln!(out)?;
    writeln!(out, "`{}`, {}:", replay.guarantee(), title(replay))?;
    writeln!(out)?;
    writeln!(out, "| step | what happens | the ledger after it |")?;
    writeln!(out, "| --- | --- | --- |")?;
    for (place, step) in replay.steps().iter().enumerate() {
        let sentence = escaped(step.told().sentence());
        let from_here = match replay.loops_from() == Some(place) {
            true => "*From here on the run repeats for ever:* ",
            false => "",
        };
        let told = match step.told().fault() {
            Some(fault) => format!("**{sentence}** (`{fault}`)"),
            None => sentence,
        };
        let ledger = escaped(&step.ledger().to_string());
        writeln!(out, "| {} | {from_here}{told} | {ledger} |", place + 1)?;
    }
    writeln!(out)?;
    writeln!(out, "**⇒** {}", escaped(&end_in_words(replay)))?;
    if let Outcome::Impossible(obstacle) = replay.outcome() {
        writeln!(out)?;
        match obstacle.enabled.is_empty() {
            true => writeln!(out, "Nothing can happen here any more.")?,
            false => writeln!(out, "What can happen here:\n")?,
        }
        for step in &obstacle.enabled {
            let told = format!("{}: {}", identified(step), step.sentence());
            writeln!(out, "- {}", escaped(&told))?;
        }
    }
    if let Some(difference) = Difference::first(replay) {
        writeln!(out)?;
        writeln!(
            out,
            "> **Warning:** step {} does not change what was recorded:",
            difference.number
        )?;
        writeln!(out, ">")?;
        for line in difference.lines() {
            writeln!(out, "> - {}", escaped(&line))?;
        }
    }
    writeln!(out)?;
    writeln!(out, "{}", escaped(&comparison(replay)))?;
    writeln!(out)?;
    writeln!(out, "{}", escaped(&files_in_words(replay, files)))
}
