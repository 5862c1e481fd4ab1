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

/// How often a sentence is told that comes again and again.
const TOLD_REPEATS: usize = 3;

/// The sentences of a run, a line each. What comes again and again is told a few times.
pub(super) fn tell(entries: &[Entry]) -> String {
    let told: Vec<&Entry> = entries
        .iter()
        .filter(|entry| line(entry).is_some())
        .collect();
    let mut lines = Vec::new();
    for same in told.chunk_by(|one, next| is_repeated(one, next)) {
        let lines_of_it = same.iter().filter_map(|entry| line(entry));
        lines.extend(lines_of_it.take(TOLD_REPEATS));
        if let Some(more) = same
            .len()
            .checked_sub(TOLD_REPEATS)
            .filter(|more| *more > 0)
        {
            lines.push(format!("        ... and so on, {more} times more"));
        }
    }
    lines.join("\n")
}

fn is_repeated(one: &Entry, next: &Entry) -> bool {
    match (one, next) {
        (Entry::Told { text: one, .. }, Entry::Told { text: next, .. }) => one == next,
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_and_again_is_told_a_few_times() {
        let told = |step: u32, text: &str| Entry::Told {
            step: Some(step),
            depth: 0,
            text: text.into(),
            fault: None,
        };
        let mut entries = vec![told(1, "It begins.")];
        entries.extend((2..=9).map(|step| told(step, "A poll returns nothing.")));
        entries.push(told(10, "It ends."));
        let story = tell(&entries);
        let lines: Vec<&str> = story.lines().map(str::trim).collect();
        assert_eq!(
            lines[3..],
            [
                "4   A poll returns nothing.",
                "... and so on, 5 times more",
                "10   It ends."
            ]
        );
    }
}
