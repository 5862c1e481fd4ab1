//! A state as facts that an engineer would look at.

use semel_models::broker::Stamp;
use semel_models::cluster::State;
use semel_models::consumer::Phase;
use semel_models::limbo::Late;
use semel_models::offset::Position;
use semel_models::order::Step;
use semel_models::pipeline::{AutoCommit, DedupKey, Effect, Pipeline, Source};
use semel_models::producer::{Answer, Batch, Flight, Sending};

use super::Change;

/// Every fact about `state` that this design can change, by name.
fn facts(state: &State, pipeline: &Pipeline) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("records", records(state, pipeline)),
        ("accumulator", list(state.producer.queue.iter().map(batch))),
        (
            "on the wire",
            list(state.producer.flights.iter().map(flight)),
        ),
        ("log", log(state, pipeline)),
        ("late requests", list(state.limbo.requests.iter().map(late))),
        ("committed offset", optional(state.group.committed)),
        ("consumer", consumer(state)),
        ("in hand", in_hand(state)),
        ("effects", effects(state, pipeline)),
    ];
    match pipeline.producer.source {
        Source::Memory => {}
        Source::Outbox { .. } => facts.push(("outbox table", rows(state, pipeline))),
        Source::DualWrite(_) => facts.push(("upstream database", rows(state, pipeline))),
    }
    let order = &pipeline.consumer.order;
    if order.contains(Step::Remember) || order.contains(Step::SkipIfSeen) {
        facts.push(("dedup store", dedup_store(state, pipeline)));
    }
    if order.contains(Step::SaveOffset) {
        let saved = state
            .sink
            .saved
            .map_or("none".into(), |saved| saved.0.to_string());
        facts.push(("saved offset", saved));
    }
    if pipeline.consumer.commits_in_background() {
        facts.push(("commit on its way", optional(state.consumer.pending)));
    }
    if matches!(pipeline.consumer.auto_commit, AutoCommit::Background { .. }) {
        facts.push(("offset store", optional(state.consumer.stored)));
    }
    facts
}

/// The facts that differ between two states.
pub(super) fn changes(before: &State, after: &State, pipeline: &Pipeline) -> Vec<Change> {
    facts(before, pipeline)
        .into_iter()
        .zip(facts(after, pipeline))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((fact, before), (_, after))| Change {
            fact: fact.into(),
            before,
            after,
        })
        .collect()
}

pub(super) fn name(record: u8) -> String {
    format!("r{record}")
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "empty".into()
    } else {
        items.join(", ")
    }
}

fn optional(position: Option<Position>) -> String {
    position.map_or("none".into(), |position| position.next.0.to_string())
}

fn records(state: &State, pipeline: &Pipeline) -> String {
    list((0..pipeline.bounds.records).map(|record| {
        let known = match state.producer.sending[usize::from(record)] {
            Sending::Unsent => "not sent",
            Sending::Pending => "sent",
            Sending::Acknowledged => "acknowledged",
            Sending::Failed => "reported failed",
            Sending::Forgotten => "forgotten",
            Sending::Aborted => "rolled back",
        };
        let confirmed = state.ledger.is_confirmed(record);
        let note = if confirmed { ", confirmed" } else { "" };
        format!("{} ({known}{note})", name(record))
    }))
}

/// What the upstream database holds.
fn rows(state: &State, pipeline: &Pipeline) -> String {
    let database = &state.database;
    let rows = (0..pipeline.bounds.records).filter(|record| database.is_committed(*record));
    list(rows.map(|row| {
        let note = if database.is_marked(row) {
            " (marked)"
        } else {
            ""
        };
        format!("{}{note}", name(row))
    }))
}

fn batch(batch: &Batch) -> String {
    let mut text = name(batch.record);
    if let Some(stamp) = batch.stamp {
        text += &format!(" {}", numbers(stamp));
    }
    if batch.attempts > 0 {
        text += &format!(" retry {}", batch.attempts);
    }
    text
}

fn numbers(stamp: Stamp) -> String {
    format!("[epoch {}, sequence {}]", stamp.epoch, stamp.sequence)
}

fn flight(flight: &Flight) -> String {
    let what = batch(&flight.batch);
    let given_up = if flight.expired { ", given up" } else { "" };
    match flight.answer {
        Answer::None => format!("{what}{given_up}"),
        Answer::Success => format!("{what} -> success{given_up}"),
        Answer::Refused => format!("{what} -> refused{given_up}"),
        Answer::OutOfOrder => format!("{what} -> out of order{given_up}"),
        Answer::UnknownProducerId => format!("{what} -> unknown producer id{given_up}"),
        Answer::StaleEpoch => format!("{what} -> stale epoch{given_up}"),
    }
}

fn log(state: &State, pipeline: &Pipeline) -> String {
    let entries = state.broker.log.iter().enumerate();
    let left = entries.skip(usize::from(state.broker.log_start()));
    list(left.map(|(offset, entry)| {
        let mut text = format!("{offset}: {}", name(entry.record));
        if entry.forgotten {
            text += " [producer id forgotten]";
        } else if pipeline.producer.idempotence {
            text += &format!(" {}", numbers(entry.stamp));
        }
        text
    }))
}

fn late(late: &Late) -> String {
    match late {
        Late::Produce { record, .. } => format!("produce {}", name(*record)),
        Late::Commit { position, .. } => format!("commit {}", position.next.0),
    }
}

fn consumer(state: &State) -> String {
    match state.consumer.phase {
        Phase::Down => "not running".into(),
        Phase::Polling => format!("polls from {}", state.consumer.position().next.0),
        Phase::Handling => {
            let place = usize::from(state.consumer.cursor);
            let record = state.consumer.hand.get(place).copied().unwrap_or_default();
            format!(
                "handles {}, step {}",
                name(record),
                state.consumer.operation + 1
            )
        }
    }
}

fn in_hand(state: &State) -> String {
    list(
        state
            .consumer
            .hand
            .iter()
            .enumerate()
            .map(|(place, record)| {
                let skipped = state.consumer.skipped & (1 << place) != 0;
                let note = if skipped { " (skipped)" } else { "" };
                format!("{}{note}", name(*record))
            }),
    )
}

fn effects(state: &State, pipeline: &Pipeline) -> String {
    let counts =
        list((0..pipeline.bounds.records).filter_map(|record| {
            match state.ledger.handled[usize::from(record)] {
                0 => None,
                1 => Some(format!("{} once", name(record))),
                _ => Some(format!("{} more than once", name(record))),
            }
        }));
    if pipeline.sink.effect != Effect::Upsert {
        return counts;
    }
    let rows = state.sink.rows[..usize::from(pipeline.bounds.keys)]
        .iter()
        .enumerate();
    let rows = list(rows.filter_map(|(key, row)| row.map(|row| format!("k{key} = {}", name(row)))));
    format!("{counts}; rows: {rows}")
}

fn dedup_store(state: &State, pipeline: &Pipeline) -> String {
    let store = state.dedup_store(pipeline);
    let keys = (0..u32::BITS).filter(|key| store & (1 << key) != 0);
    list(keys.map(|key| match pipeline.sink.dedup_key {
        DedupKey::Record => format!("r{key}"),
        DedupKey::Offset => format!("offset {key}"),
    }))
}
