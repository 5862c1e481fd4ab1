//! Shortest runs as Mermaid sequence diagrams: one per violated guarantee.

use super::Report;
use super::lifelines::{actors, ends};
use super::replay::end_in_words;
use super::words::{bound_in_words, verdict_in_words};
use crate::replay::{Replay, Replayed};
use crate::trace::{Step, Trace};
use crate::verdict::Verdicts;
use std::io::{self, Write};

/// Verdicts as diagrams, each design as soon as it is judged.
pub(super) struct Mermaid {
    pub(super) is_first: bool,
}

impl Report for Mermaid {
    fn add(&mut self, out: &mut dyn Write, verdicts: Verdicts) -> io::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            writeln!(out)?;
        }
        comment(
            out,
            &format!(
                "{} ({}): {}",
                verdicts.name(),
                verdicts.file(),
                bound_in_words(verdicts.bound())
            ),
        )?;
        for judgement in verdicts.judgements() {
            let told = verdict_in_words(verdicts.bound(), judgement);
            comment(out, &format!("{}: {told}", judgement.guarantee()))?;
        }
        for judgement in verdicts.judgements() {
            if let Some(trace) = judgement.verdict().trace() {
                writeln!(out)?;
                write_diagram(out, trace)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one run as a sequence diagram.
pub(super) fn write_diagram(out: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    let steps: Vec<&Step> = trace.steps().iter().collect();
    let title = format!("{} is violated: {}", trace.guarantee(), trace.design().name);
    write_steps(out, &title, &steps, trace.loops_from(), trace.violation())
}

/// Writes a replayed run, as far as it goes, as a sequence diagram.
pub(super) fn write_replay(out: &mut dyn Write, replay: &Replay) -> io::Result<()> {
    let steps: Vec<&Step> = replay.steps().iter().map(Replayed::told).collect();
    let title = format!("{}, replayed: {}", replay.guarantee(), replay.design().name);
    // A run that stops before its loop has none.
    let loops_from = replay.loops_from().filter(|from| *from < steps.len());
    write_steps(out, &title, &steps, loops_from, &end_in_words(replay))
}

fn write_steps(
    out: &mut dyn Write,
    title: &str,
    steps: &[&Step],
    loops_from: Option<usize>,
    end: &str,
) -> io::Result<()> {
    let actors = actors(steps.iter().flat_map(|step| ends_drawn(step)));
    writeln!(out, "sequenceDiagram")?;
    writeln!(out, "    title {}", escaped(title))?;
    for (place, actor) in actors.iter().enumerate() {
        writeln!(out, "    participant p{place} as {}", escaped(actor))?;
    }
    for (index, step) in steps.iter().enumerate() {
        if loops_from == Some(index) {
            writeln!(out, "    loop for ever")?;
        }
        write_step(out, &actors, index + 1, step)?;
    }
    if loops_from.is_some() {
        writeln!(out, "    end")?;
    }
    let all = match actors.len() {
        0 | 1 => "p0".into(),
        several => format!("p0,p{}", several - 1),
    };
    writeln!(out, "    Note over {all}: {}", escaped(end))
}

/// Writes a message, or for a fault a note.
fn write_step(
    out: &mut dyn Write,
    actors: &[String],
    number: usize,
    step: &Step,
) -> io::Result<()> {
    let id = |actor: &str| {
        let place = actors.iter().position(|known| *known == actor);
        place.unwrap_or(actors.len())
    };
    let told = escaped(step.sentence());
    match step.fault() {
        Some(fault) => writeln!(
            out,
            "    Note over p{}: {number}. ⚡ {told} ({})",
            id(step.actor()),
            escaped(fault)
        ),
        None => {
            let (from, to) = ends(step);
            writeln!(out, "    p{}->>p{}: {number}. {told}", id(&from), id(&to))
        }
    }
}

/// Between whom a step is drawn.
fn ends_drawn(step: &Step) -> [String; 2] {
    match step.fault() {
        Some(_) => [step.actor().to_string(), step.actor().to_string()],
        None => ends(step).into(),
    }
}

fn comment(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "%% {}", text.replace(['\n', '\r', '{', '}'], " "))
}

/// Text in which Mermaid sees nothing of its own: a semicolon would end the statement, a hash
/// begin an entity, an angle bracket a tag.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ';' => escaped.push_str("#59;"),
            '#' => escaped.push_str("#35;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            '"' => escaped.push_str("#quot;"),
            '%' => escaped.push_str("#37;"),
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_cannot_end_its_statement() {
        assert_eq!(
            escaped("a; b #c <d>\n%%{e}"),
            "a#59; b #35;c #lt;d#gt; #37;#37;{e}"
        );
    }
}
