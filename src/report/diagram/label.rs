//! The few words on an arrow.

use super::text::cut;
use crate::report::lifelines::kind;
use crate::report::story::{Moment, Story};
use semel_models::action::{Action, ConsumerStep, Strike};
use semel_models::cluster::State;
use semel_models::consumer::Consumer;

/// What some actions are called where there is little room; others by their own names.
const SHORT: [(&str, &str); 15] = [
    ("commit-done", "commit"),
    ("commit-saved", "commit"),
    ("commit-arrives", "commit"),
    ("transmit", "produce"),
    ("handle-produce", "append"),
    ("receive-answer", "answer"),
    ("commit-automatically", "auto commit"),
    ("receive-commit-answer", "answer"),
    ("late-produce-arrives", "late produce"),
    ("late-commit-arrives", "late commit"),
    ("late-commit-of-transaction-arrives", "late EndTxn"),
    ("init-producer-id", "InitProducerId"),
    ("end-transaction", "EndTxn"),
    ("time-out-transaction", "time out"),
    ("commit-upstream", "commit"),
];

/// The most letters that fit beside a lifeline.
const MOST: usize = 18;

/// The words on the arrow of the step in this place.
pub(super) fn of(story: &Story, place: usize) -> String {
    let moment = &story.moments[place];
    let before = story.before(place);
    let label = match moment.action {
        Action::Fault { strike, .. } => struck(strike, moment),
        Action::Consumer { who, does } => match does {
            ConsumerStep::Poll(_) | ConsumerStep::PollOther(_) | ConsumerStep::PollBoth(_) => {
                let who = usize::from(who);
                polled(&before.consumers[who], &moment.after.consumers[who], moment)
            }
            ConsumerStep::Operate => committing(operation(moment), moment, before),
            ConsumerStep::Leave if commits(moment, before) => {
                committing("commit".into(), moment, before)
            }
            _ => committing(short(moment), moment, before),
        },
        _ => short(moment),
    };
    cut(&label, MOST)
}

fn struck(strike: Strike, moment: &Moment) -> String {
    match strike {
        Strike::LoseRequest(_) => "request lost".into(),
        Strike::LoseAnswer(_) => "answer lost".into(),
        Strike::Refuse(_) => "refused".into(),
        Strike::Delay(_) => "held up".into(),
        _ => {
            let fault = moment.step.fault().unwrap_or_default();
            let actor = kind(moment.step.actor());
            let own = fault.strip_prefix(actor).unwrap_or(fault);
            own.trim_start_matches('-').replace('-', " ")
        }
    }
}

fn short(moment: &Moment) -> String {
    let action = moment.step.action();
    let known = SHORT.iter().find(|(name, _)| *name == action);
    let verb = known.map_or(action.replace('-', " "), |(_, short)| short.to_string());
    match moment.step.parameters().get("record") {
        Some(record) => format!("{verb} {record}"),
        None => verb,
    }
}

/// The records that a poll returns: into the hand, or to the workers.
fn polled(before: &Consumer, after: &Consumer, moment: &Moment) -> String {
    let at_work = before.crew.tasks.len();
    let handed = after
        .crew
        .tasks
        .iter()
        .skip(at_work)
        .map(|task| task.record);
    let names = after.hand.iter().copied().chain(handed);
    let names: Vec<String> = names.map(|record| format!("r{record}")).collect();
    match names.is_empty() {
        true => short(moment),
        false => names.join(", "),
    }
}

/// The operation, in few letters.
fn operation(moment: &Moment) -> String {
    let step = moment.step.parameters().get("step");
    let step = step.map_or("operate", String::as_str);
    match step.split_once('[') {
        Some((group, _)) => match group.strip_prefix("the end of ") {
            Some(_) => "EndTxn".into(),
            None => format!("{group}[…]"),
        },
        None => step.to_string(),
    }
}

/// What is done, with the offset if it commits one.
fn committing(label: String, moment: &Moment, before: &State) -> String {
    match moment.after.group.committed {
        Some(at) if commits(moment, before) => format!("{label} {}", at.next.0),
        Some(_) | None => label,
    }
}

/// Whether the group's committed offset is another than before.
fn commits(moment: &Moment, before: &State) -> bool {
    moment.after.group.committed != before.group.committed
}
