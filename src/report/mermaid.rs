//! Shortest runs as Mermaid sequence diagrams: one per violated guarantee.

use super::Report;
use super::replay::end_in_words;
use super::words::{bound_in_words, verdict_in_words};
use crate::replay::{Replay, Replayed};
use crate::trace::{Step, Trace};
use crate::verdict::Verdicts;
use std::io::{self, Write};

/// The kinds of actors in the order in which they stand, as far as they take part. One that is not
/// among them stands behind.
const ACTORS: [&str; 10] = [
    DATABASE,
    APPLICATION,
    RELAY,
    PRODUCER,
    NETWORK,
    BROKER,
    COORDINATOR,
    CONSUMER,
    WORKER,
    SINK,
];
const DATABASE: &str = "database";
const RELAY: &str = "relay";
const WORKER: &str = "worker";
const APPLICATION: &str = "application";
const PRODUCER: &str = "producer";
const NETWORK: &str = "network";
const BROKER: &str = "broker";
const COORDINATOR: &str = "group coordinator";
const CONSUMER: &str = "consumer";
const SINK: &str = "sink";

/// The steps that are a message from one actor to another: actor, action, from, to. Any other step
/// is something that its actor does by itself.
const MESSAGES: [(&str, &str, &str, &str); 18] = [
    (APPLICATION, "send", APPLICATION, PRODUCER),
    (RELAY, "send", RELAY, PRODUCER),
    (RELAY, "mark", RELAY, DATABASE),
    (PRODUCER, "transmit", PRODUCER, BROKER),
    (PRODUCER, "receive-answer", BROKER, PRODUCER),
    (BROKER, "late-produce-arrives", NETWORK, BROKER),
    (CONSUMER, "join", CONSUMER, COORDINATOR),
    (CONSUMER, "poll", BROKER, CONSUMER),
    (CONSUMER, "poll-retries", BROKER, CONSUMER),
    (CONSUMER, "write-failed", CONSUMER, BROKER),
    (CONSUMER, "leave", CONSUMER, COORDINATOR),
    (CONSUMER, "commit-done", CONSUMER, COORDINATOR),
    (CONSUMER, "commit-saved", CONSUMER, COORDINATOR),
    (CONSUMER, "notice-loss", COORDINATOR, CONSUMER),
    (COORDINATOR, "assign", COORDINATOR, CONSUMER),
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
    let actors = actors(steps);
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

/// From whom to whom a step goes.
fn ends(step: &Step) -> (String, String) {
    let kind = kind(step.actor());
    let own = || step.actor().to_string();
    let named = MESSAGES
        .iter()
        .find(|(actor, action, ..)| (*actor, *action) == (kind, step.action()));
    if let Some((_, _, from, to)) = named {
        return (told(from, step), told(to, step));
    }
    let works = kind == CONSUMER && step.action() == "operate";
    if works && let Some((_, to)) = CALLS.iter().find(|(name, _)| calls(step, name)) {
        return (own(), told(to, step));
    }
    if kind == WORKER {
        return (own(), SINK.to_string());
    }
    (own(), own())
}

/// Whether the step is the operation `name`; a name that ends with a bracket stands for a group.
fn calls(step: &Step, name: &str) -> bool {
    let whose = step.parameters().get("consumer");
    let sentence = whose
        .and_then(|letter| step.sentence().strip_prefix(&format!("{letter}: ")))
        .unwrap_or(step.sentence());
    let operation = sentence.split(": ").next().unwrap_or_default();
    operation == name || name.ends_with('[') && operation.starts_with(name)
}

/// What kind of actor one is: two consumers are told apart by a letter.
fn kind(actor: &str) -> &str {
    let without = |letter| actor.strip_suffix(letter);
    without(" A").or(without(" B")).unwrap_or(actor)
}

/// The actor of a kind that a step is about.
fn told(kind: &str, step: &Step) -> String {
    match step.parameters().get("consumer") {
        Some(letter) if kind == CONSUMER || kind == WORKER => format!("{kind} {letter}"),
        Some(_) | None => kind.to_string(),
    }
}

/// Who takes part in a run.
fn actors(steps: &[&Step]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for step in steps {
        let both = match step.fault() {
            Some(_) => [step.actor().to_string(), step.actor().to_string()],
            None => ends(step).into(),
        };
        for actor in both {
            if !all.contains(&actor) {
                all.push(actor);
            }
        }
    }
    let place = |actor: &String| {
        let known = ACTORS.iter().position(|other| *other == kind(actor));
        (known.unwrap_or(ACTORS.len()), actor.clone())
    };
    let known = |actor: &&String| ACTORS.contains(&kind(actor));
    let mut standing: Vec<String> = all.iter().filter(known).cloned().collect();
    standing.sort_by_key(place);
    standing.extend(all.iter().filter(|actor| !known(actor)).cloned());
    standing
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
