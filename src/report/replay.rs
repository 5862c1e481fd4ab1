//! A replayed run: one file a format.

mod json;
mod markdown;
mod text;

use super::text::Detail;
use super::words::counted;
use super::{Format, itf, mermaid};
use crate::replay::{OnFiles, Outcome, Replay};
use crate::trace::{Change, Step};
use std::io::{self, Write};

/// Writes a replayed run in `format`.
pub(crate) fn write(
    out: &mut dyn Write,
    format: Format,
    replay: &Replay,
    files: &OnFiles,
    detail: Detail,
) -> io::Result<()> {
    match format {
        Format::Json => json::write(out, replay, files),
        Format::Markdown => markdown::write(out, replay, files),
        Format::Mermaid => mermaid::write_replay(out, replay),
        Format::Itf => itf::write_replay(out, replay),
        // The arguments let no other format through.
        Format::Text | Format::Junit | Format::Github => text::write(out, replay, files, detail),
    }
}

/// What stands above the steps.
fn title(replay: &Replay) -> String {
    let taken = counted(replay.steps().len() as u64, "step");
    let left = match replay.outcome() {
        Outcome::Impossible(_) => " and no farther",
        Outcome::AsRecorded { .. } | Outcome::NotViolated { .. } | Outcome::Undecided => "",
    };
    format!("replayed, {taken}{left}")
}

/// How the run went on files, in one sentence.
fn files_in_words(replay: &Replay, files: &OnFiles) -> String {
    match files {
        OnFiles::Agrees => format!(
            "On real files and in SQLite: the same ledger after each of {}.",
            counted(replay.steps().len() as u64, "step")
        ),
        OnFiles::Deviates(deviation) => format!("On real files and in SQLite: {deviation}."),
    }
}

/// What the run ends in, in one sentence.
pub(super) fn end_in_words(replay: &Replay) -> String {
    match replay.outcome() {
        Outcome::AsRecorded { violation } => violation.clone(),
        Outcome::NotViolated { why } => {
            format!(
                "It does not violate {} in this version: {why}",
                replay.guarantee()
            )
        }
        Outcome::Undecided => {
            "Whether the loop can be left was not found out: too many states.".into()
        }
        Outcome::Impossible(obstacle) => format!(
            "Step {} cannot happen in this version: {}.",
            replay.steps().len() + 1,
            identified(&obstacle.recorded)
        ),
    }
}

/// How the replayed run compares with the recorded one, in one sentence.
fn comparison(replay: &Replay) -> String {
    let guarantee = replay.guarantee();
    match (replay.outcome(), replay.first_difference()) {
        (Outcome::AsRecorded { .. }, None) => format!(
            "As recorded: each step changes what it changed then, and {guarantee} is violated."
        ),
        (Outcome::AsRecorded { .. }, Some(_)) => {
            format!("As recorded: every step can be taken, and {guarantee} is violated.")
        }
        (Outcome::NotViolated { .. }, _) => {
            format!("Not as recorded: every step can be taken, and {guarantee} is not violated.")
        }
        (Outcome::Undecided, _) => {
            format!("Undecided: every step can be taken; {guarantee} was not judged.")
        }
        (Outcome::Impossible(_), _) => {
            "Not as recorded: the run cannot be taken to its end.".into()
        }
    }
}

/// By what a step is recognised.
fn identified(step: &Step) -> String {
    let parameters = step.parameters().iter();
    let mut about: Vec<String> = parameters
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    about.extend(step.fault().map(|fault| format!("fault = {fault}")));
    let about = match about.is_empty() {
        true => String::new(),
        false => format!(" ({})", about.join(", ")),
    };
    format!("{}: {}{about}", step.actor(), step.action())
}

/// Where what the steps change first differs from what was recorded.
struct Difference<'a> {
    /// The number of the step, from 1.
    number: usize,
    /// What it changed only when it was recorded.
    then: Vec<&'a Change>,
    /// What it changes only in this version.
    now: Vec<&'a Change>,
}

impl Difference<'_> {
    fn first(replay: &Replay) -> Option<Difference<'_>> {
        let place = replay.first_difference()?;
        let step = &replay.steps()[place];
        let (recorded, told) = (step.recorded_change(), step.told().change());
        let only = |these: &'_ [Change], others: &[Change]| -> Vec<usize> {
            let places = 0..these.len();
            places
                .filter(|place| !others.contains(&these[*place]))
                .collect()
        };
        Some(Difference {
            number: place + 1,
            then: only(recorded, told)
                .into_iter()
                .map(|at| &recorded[at])
                .collect(),
            now: only(told, recorded)
                .into_iter()
                .map(|at| &told[at])
                .collect(),
        })
    }

    /// One line a change.
    fn lines(&self) -> Vec<String> {
        let told = |when: &str, change: &Change| {
            format!(
                "{when}: {}: {} (was: {})",
                change.fact, change.after, change.before
            )
        };
        let then = self.then.iter().map(|change| told("recorded", change));
        let now = self.now.iter().map(|change| told("now", change));
        then.chain(now).collect()
    }
}
