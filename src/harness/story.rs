//! What happened in a run, as it is told, counted and followed up.

use super::coverage::Situation;
use super::schedule::Action;
use serde::{Deserialize, Serialize};

/// A moment at which the environment could choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    /// The number of the call.
    pub(super) step: u32,
    /// What was called.
    pub(super) label: String,
    /// Under which name the coverage counts it.
    pub(super) counted_as: String,
    /// What could be out of the ordinary here.
    pub(super) options: Vec<Action>,
    /// What was.
    pub(super) chosen: Option<Action>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Entry {
    /// The environment could choose.
    Choice(Choice),
    /// A sentence; of a call with its number, of a fault with its place in the schedule.
    Told {
        step: Option<u32>,
        depth: usize,
        text: String,
        fault: Option<String>,
    },
    /// A hard situation was reached.
    Situation(Situation),
    /// The group's generation is now this one.
    Generation(i32),
    /// A poll returned these records.
    Polled(Vec<u64>),
    /// This message was sent.
    Sent(u64),
    /// The service ended by itself, in this error if in one.
    Ended(Option<String>),
}

/// The sentences of a run, a line each.
pub(super) fn tell(entries: &[Entry]) -> String {
    let lines: Vec<String> = entries.iter().filter_map(line).collect();
    lines.join("\n")
}

fn line(entry: &Entry) -> Option<String> {
    let Entry::Told {
        step,
        depth,
        text,
        fault,
    } = entry
    else {
        return None;
    };
    let number = step.map_or(String::new(), |step| step.to_string());
    let mark = if fault.is_some() { '!' } else { ' ' };
    let indent = "  ".repeat(*depth);
    let fault = fault
        .as_ref()
        .map_or(String::new(), |fault| format!(" [{fault}]"));
    Some(format!("{number:>5} {mark} {indent}{text}{fault}"))
}

/// The choices of a run, in their order.
pub(super) fn choices(entries: &[Entry]) -> impl Iterator<Item = &Choice> + Clone {
    entries.iter().filter_map(|entry| match entry {
        Entry::Choice(choice) => Some(choice),
        Entry::Told { .. }
        | Entry::Situation(_)
        | Entry::Generation(_)
        | Entry::Polled(_)
        | Entry::Sent(_)
        | Entry::Ended(_) => None,
    })
}
