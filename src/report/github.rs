//! Verdicts as workflow commands of GitHub Actions: each becomes an annotation of the design's file.
//!
//! As with the exit code, only what the design asks for can be an error. What is undecided is a warning
//! where it counts, and so is each warning about the design.

use super::Report;
use super::text::plain_trace;
use super::words::{asked_in_words, completeness, verdict_in_words, warnings};
use crate::verdict::{Judgement, Outcome, Verdicts};
use std::io::{self, Write};

/// Annotations, written design by design.
pub(super) struct Github;

impl Report for Github {
    fn add(&mut self, out: &mut dyn Write, verdicts: Verdicts) -> io::Result<()> {
        for judgement in verdicts.judgements() {
            if let Some((level, message)) = annotation(&verdicts, judgement)? {
                let line = judgement.asked_in_line();
                let title = format!("{}: {}", verdicts.name(), judgement.guarantee());
                write(out, level, verdicts.file(), line, &title, &message)?;
            }
        }
        for warning in warnings(&verdicts) {
            write(
                out,
                "warning",
                verdicts.file(),
                None,
                verdicts.name(),
                &warning,
            )?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// What is said of a verdict, and how loud; `None`: nothing.
fn annotation(
    verdicts: &Verdicts,
    judgement: &Judgement,
) -> io::Result<Option<(&'static str, String)>> {
    let told = verdict_in_words(verdicts.bound(), judgement);
    let asked = asked_in_words(judgement);
    let counts = verdicts.counts(judgement);
    Ok(match judgement.outcome() {
        Outcome::NotAsAsked => {
            let run = judgement.verdict().trace().map(plain_trace).transpose()?;
            let run = run.unwrap_or_default();
            Some(("error", format!("{told} ({asked})\n{run}")))
        }
        Outcome::Undecided if counts => {
            let why = completeness(verdicts.stop());
            Some(("warning", format!("{told}. {why}.")))
        }
        Outcome::Undecided | Outcome::AsAsked => None,
    })
}

fn write(
    out: &mut dyn Write,
    level: &str,
    file: &str,
    line: Option<usize>,
    title: &str,
    message: &str,
) -> io::Result<()> {
    let (file, title) = (property(file), property(title));
    let line = line.map_or(String::new(), |line| format!(",line={line}"));
    let message = data(message.trim_end());
    writeln!(out, "::{level} file={file}{line},title={title}::{message}")
}

/// A message: a command is one line.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property: it ends at a comma or two colons, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
