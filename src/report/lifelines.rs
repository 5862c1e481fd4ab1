//! Who takes part in a run, and between whom each of its steps goes: what all diagrams share.

use crate::trace::Step;

/// The kinds of actors in the order in which they stand, as far as they take part. One that is not
/// among them stands behind.
const ACTORS: [&str; 14] = [
    DATABASE,
    APPLICATION,
    RELAY,
    PRODUCER,
    NETWORK,
    CONTROLLER,
    BROKER,
    TRANSACTION_COORDINATOR,
    COORDINATOR,
    CONSUMER,
    WORKER,
    SINK,
    OUTPUT,
    OPERATOR,
];
const DATABASE: &str = "database";
const RELAY: &str = "relay";
const WORKER: &str = "worker";
const APPLICATION: &str = "application";
pub(super) const PRODUCER: &str = "producer";
pub(super) const NETWORK: &str = "network";
pub(super) const BROKER: &str = "broker";
pub(super) const COORDINATOR: &str = "group coordinator";
pub(super) const CONSUMER: &str = "consumer";
const SINK: &str = "sink";
pub(super) const OUTPUT: &str = "output topic";
pub(super) const TRANSACTION_COORDINATOR: &str = "transaction coordinator";
pub(super) const CONTROLLER: &str = "controller";
const OPERATOR: &str = "operator";

/// The steps that are a message from one actor to another: actor, action, from, to. Any other step
/// is something that its actor does by itself.
const MESSAGES: [(&str, &str, &str, &str); 27] = [
    (APPLICATION, "send", APPLICATION, PRODUCER),
    (RELAY, "send", RELAY, PRODUCER),
    (RELAY, "mark", RELAY, DATABASE),
    (PRODUCER, "transmit", PRODUCER, BROKER),
    (PRODUCER, "receive-answer", BROKER, PRODUCER),
    (BROKER, "late-produce-arrives", NETWORK, BROKER),
    (CONSUMER, "transmit", CONSUMER, OUTPUT),
    (CONSUMER, "receive-answer", OUTPUT, CONSUMER),
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
    (COORDINATOR, "commit-arrives", CONSUMER, COORDINATOR),
    (CONSUMER, "fetch-offset", COORDINATOR, CONSUMER),
    (CONSUMER, "rejoin", CONSUMER, COORDINATOR),
    (
        PRODUCER,
        "init-producer-id",
        PRODUCER,
        TRANSACTION_COORDINATOR,
    ),
    (
        PRODUCER,
        "add-partitions",
        PRODUCER,
        TRANSACTION_COORDINATOR,
    ),
    (
        PRODUCER,
        "end-transaction",
        PRODUCER,
        TRANSACTION_COORDINATOR,
    ),
    (
        TRANSACTION_COORDINATOR,
        "late-commit-of-transaction-arrives",
        NETWORK,
        TRANSACTION_COORDINATOR,
    ),
];

/// The operations of the consumer's order that call someone: how their sentence begins, and who
/// is called.
const CALLS: [(&str, &str); 9] = [
    ("process", SINK),
    ("skip-if-seen", SINK),
    ("remember", SINK),
    ("save-offset", SINK),
    ("db[", SINK),
    ("produce", OUTPUT),
    ("commitTransaction", TRANSACTION_COORDINATOR),
    ("commit", COORDINATOR),
    ("commit-async", COORDINATOR),
];

/// From whom to whom a step goes.
pub(super) fn ends(step: &Step) -> (String, String) {
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

/// What kind of actor one is: consumers are told apart by a letter, brokers by a number.
pub(super) fn kind(actor: &str) -> &str {
    match actor.rsplit_once(' ') {
        Some((kind, one)) if matches!(one, "A" | "B") || one.parse::<u16>().is_ok() => kind,
        Some(_) | None => actor,
    }
}

/// The actor of a kind that a step is about.
fn told(kind: &str, step: &Step) -> String {
    match step.parameters().get("consumer") {
        Some(letter) if kind == CONSUMER || kind == WORKER => format!("{kind} {letter}"),
        Some(_) | None => kind.to_string(),
    }
}

/// Those who take part, each once, in the order in which they stand.
pub(super) fn actors(taking_part: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for actor in taking_part {
        if !all.contains(&actor) {
            all.push(actor);
        }
    }
    let place = |actor: &String| ACTORS.iter().position(|other| *other == kind(actor));
    let (mut standing, others): (Vec<String>, Vec<String>) =
        all.into_iter().partition(|actor| place(actor).is_some());
    standing.sort_by_key(|actor| (place(actor), actor.clone()));
    standing.extend(others);
    standing
}
