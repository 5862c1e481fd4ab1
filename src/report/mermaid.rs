//! Shortest runs as Mermaid sequence diagrams: one per violated guarantee.

use super::Report;
use super::words::{bound_in_words, verdict_in_words};
use crate::trace::{Step, Trace};
use crate::verdict::Verdicts;
use std::io::{self, Write};

/// The actors in the order in which they stand, as far as they take part. One that is not among
/// them stands behind.
const ACTORS: [&str; 7] = [
    APPLICATION,
    PRODUCER,
    NETWORK,
    BROKER,
    COORDINATOR,
    CONSUMER,
    SINK,
];
const APPLICATION: &str = "application";
const PRODUCER: &str = "producer";
const NETWORK: &str = "network";
const BROKER: &str = "broker";
const COORDINATOR: &str = "group coordinator";
const CONSUMER: &str = "consumer";
const SINK: &str = "sink";

/// The steps that are a message from one actor to another: actor, action, from, to. Any other step
/// is something that its actor does by itself.
const MESSAGES: [(&str, &str, &str, &str); 9] = [
    (APPLICATION, "send", APPLICATION, PRODUCER),
    (PRODUCER, "transmit", PRODUCER, BROKER),
    (PRODUCER, "receive-answer", BROKER, PRODUCER),
    (BROKER, "late-produce-arrives", NETWORK, BROKER),
    (CONSUMER, "join", CONSUMER, COORDINATOR),
    (CONSUMER, "poll", BROKER, CONSUMER),
    (CONSUMER, "commit-automatically", CONSUMER, COORDINATOR),
    (CONSUMER, "receive-commit-answer", COORDINATOR, CONSUMER),
    (COORDINATOR, "late-commit-arrives", NETWORK, COORDINATOR),
];

/// The operations of the consumer's order that call someone: how their sentence begins, and who
/// is called.
const CALLS: [(&str, &str); 7] = [
    ("process", SINK),
    ("skip-if-seen", SINK),
    ("remember", SINK),
    ("save-offset", SINK),
    ("db[", SINK),
    ("commit", COORDINATOR),
    ("commit-async", COORDINATOR),
];

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
            let told = verdict_in_words(verdicts.bound(), judgement.verdict());
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
    let actors = actors(trace);
    writeln!(out, "sequenceDiagram")?;
    writeln!(
        out,
        "    title {} is violated: {}",
        escaped(trace.guarantee()),
        escaped(&trace.design().name)
    )?;
    for (place, actor) in actors.iter().enumerate() {
        writeln!(out, "    participant p{place} as {}", escaped(actor))?;
    }
    for (index, step) in trace.steps().iter().enumerate() {
        if trace.loops_from() == Some(index) {
            writeln!(out, "    loop for ever")?;
        }
        write_step(out, &actors, index + 1, step)?;
    }
    if trace.loops_from().is_some() {
        writeln!(out, "    end")?;
    }
    let all = match actors.len() {
        0 | 1 => "p0".into(),
        several => format!("p0,p{}", several - 1),
    };
    writeln!(out, "    Note over {all}: {}", escaped(trace.violation()))
}

/// Writes a message, or for a fault a note.
fn write_step(out: &mut dyn Write, actors: &[&str], number: usize, step: &Step) -> io::Result<()> {
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
            writeln!(out, "    p{}->>p{}: {number}. {told}", id(from), id(to))
        }
    }
}

/// From whom to whom a step goes.
fn ends(step: &Step) -> (&str, &str) {
    let named = MESSAGES
        .iter()
        .find(|(actor, action, ..)| (*actor, *action) == (step.actor(), step.action()));
    if let Some((_, _, from, to)) = named {
        return (from, to);
    }
    if (step.actor(), step.action()) == (CONSUMER, "operate") {
        let operation = step.sentence().split(": ").next().unwrap_or_default();
        let called = CALLS.iter().find(|(name, _)| {
            operation == *name || name.ends_with('[') && operation.starts_with(name)
        });
        if let Some((_, to)) = called {
            return (step.actor(), to);
        }
    }
    (step.actor(), step.actor())
}

/// Who takes part in a run.
fn actors(trace: &Trace) -> Vec<&str> {
    let taking_part = || {
        trace.steps().iter().flat_map(|step| match step.fault() {
            Some(_) => [step.actor(), step.actor()],
            None => {
                let (from, to) = ends(step);
                [from, to]
            }
        })
    };
    let mut actors: Vec<&str> = ACTORS
        .into_iter()
        .filter(|actor| taking_part().any(|other| other == *actor))
        .collect();
    for actor in taking_part() {
        if !actors.contains(&actor) {
            actors.push(actor);
        }
    }
    actors
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
