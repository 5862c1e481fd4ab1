//! A run in the Informal Trace Format of Apalache and Quint, state by state.
//!
//! The format is that of Apalache's [ADR-015](https://apalache-mc.org/docs/adr/015adr-trace.html). A
//! document holds one run: the first of those that violate something, what the design asks about
//! before the rest. A variable is a fact of the state under a name that is an identifier; `step` tells
//! what led there. Logs are maps from offsets, other facts of several things sequences, offsets
//! integers: -1 where there is none, as in the answer to an offset fetch.

use super::json;
use super::story::{Moment, Story};
use super::words::runs;
use super::{Report, replay::end_in_words};
use crate::replay::{Replay, replay};
use crate::trace::{Fact, Trace, Value, facts};
use crate::verdict::Verdicts;
use semel_models::cluster::State;
use semel_models::pipeline::Pipeline;
use serde_json::{Map, json};
use std::io::{self, Write};

/// What ITF calls itself in traces.
const FORMAT: &str = "ITF";
const DESCRIBED_AT: &str = "https://apalache-mc.org/docs/adr/015adr-trace.html";

/// The variable that tells what led to a state.
const STEP: &str = "step";

/// The first run that violates something, and the names of what other runs violate.
#[derive(Default)]
pub(super) struct Itf {
    first: Option<Trace>,
    left_out: Vec<String>,
}

impl Report for Itf {
    fn add(&mut self, _: &mut dyn Write, verdicts: Verdicts) -> io::Result<()> {
        for (guarantee, trace) in runs(&verdicts) {
            match self.first {
                None => self.first = Some(trace.clone()),
                Some(_) => self
                    .left_out
                    .push(format!("{guarantee} of {}", verdicts.name())),
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Some(trace) = &self.first else {
            note("nothing is violated, so there is no run to print");
            return Ok(());
        };
        if !self.left_out.is_empty() {
            note(&format!(
                "a document of this format holds one run, that against {} of {}; left out: {}. For another: semel check --format json > verdicts.json, then semel replay verdicts.json --format itf --guarantee NAME",
                trace.guarantee(),
                trace.design().name,
                self.left_out.join(", ")
            ));
        }
        write_trace(out, trace)
    }
}

fn note(message: &str) {
    anstream::eprintln!("semel: {message}");
}

/// Writes a run.
pub(super) fn write_trace(out: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    write_replay(out, &replay(trace).map_err(io::Error::other)?)
}

/// Writes a replayed run, as far as it goes.
pub(super) fn write_replay(out: &mut dyn Write, replay: &Replay) -> io::Result<()> {
    let end = end_in_words(replay);
    let story = Story::of(replay, end.clone());
    let names: Vec<String> = facts(story.start, story.pipeline)
        .iter()
        .map(variable)
        .collect();
    let variables: Vec<&str> = std::iter::once(STEP)
        .chain(names.iter().map(String::as_str))
        .collect();
    let mut states = vec![state(0, None, story.start, story.pipeline)];
    for (place, moment) in story.moments.iter().enumerate() {
        let after = state(place + 1, Some(moment), moment.after, story.pipeline);
        states.push(after);
    }
    let mut document = json!({
        "#meta": {
            "format": FORMAT,
            "format-description": DESCRIBED_AT,
            "description": format!("{} is violated: {end}", replay.guarantee()),
            "source": replay.design().file,
        },
        "vars": variables,
        "states": states,
    });
    // A run that stops before its loop has none.
    if let Some(from) = story.loops_from.filter(|from| *from < story.moments.len()) {
        document["loop"] = from.into();
    }
    json::write(out, &document)
}

fn state(
    index: usize,
    moment: Option<&Moment>,
    state: &State,
    pipeline: &Pipeline,
) -> serde_json::Value {
    let mut told = Map::new();
    told.insert("#meta".into(), json!({ "index": index }));
    let step = moment.map(|moment| moment.step);
    told.insert(
        STEP.into(),
        json!({
            "actor": step.map_or("", |step| step.actor()),
            "action": step.map_or("init", |step| step.action()),
            "fault": step.and_then(|step| step.fault()).unwrap_or_default(),
            "sentence": step.map_or("The start.", |step| step.sentence()),
        }),
    );
    for fact in facts(state, pipeline) {
        told.insert(variable(&fact), expression(&fact));
    }
    told.into()
}

/// A fact's name as an identifier.
fn variable(fact: &Fact) -> String {
    fact.name.replace([' ', '-'], "_")
}

fn expression(fact: &Fact) -> serde_json::Value {
    match &fact.value {
        // A partition that is not there has no log.
        Value::Text(_) if is_log(fact) => json!({ "#map": [] }),
        Value::Text(text) => json!(text),
        Value::Offset(offset) => optional(*offset),
        Value::Items { items, note } if is_log(fact) => {
            let entries: Vec<serde_json::Value> = items.iter().map(|item| entry(item)).collect();
            let entries = json!({ "#map": entries });
            match is_replica(fact) {
                true => json!({ "entries": entries, "broker": note.as_deref().unwrap_or("up") }),
                false => entries,
            }
        }
        Value::Items { items, note } => items.iter().chain(note).map(|item| json!(item)).collect(),
    }
}

/// Whether a fact is about a log, whose items begin with their offsets.
fn is_log(fact: &Fact) -> bool {
    matches!(fact.name.as_str(), "log" | "partition 1") || is_replica(fact)
}

/// Whether that log is one of several replicas, whose broker may be down.
fn is_replica(fact: &Fact) -> bool {
    fact.name.starts_with("log of ")
}

/// An entry of a log and its offset.
fn entry(item: &str) -> serde_json::Value {
    let (offset, entry) = item.split_once(": ").unwrap_or(("", item));
    json!([integer(offset), entry])
}

/// An offset as Kafka answers it: -1 where none is committed.
fn optional(offset: Option<u16>) -> serde_json::Value {
    offset.map_or_else(|| integer(-1), integer)
}

fn integer(number: impl ToString) -> serde_json::Value {
    json!({ "#bigint": number.to_string() })
}
