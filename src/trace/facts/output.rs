//! The output topic, its producers and their transactions as facts.

use super::{Value, lettered, list, name};
use semel_models::cluster::State;
use semel_models::output::Output;
use semel_models::pipeline::{Pipeline, PreparedTransaction};
use semel_models::transaction_coordinator::{Outcome, Phase, Transaction};

/// Every fact about the output that this design can change, by name.
pub(super) fn facts(state: &State, pipeline: &Pipeline) -> Vec<(String, Value)> {
    let Some(output) = &state.output else {
        return Vec::new();
    };
    let mut facts = Vec::new();
    if !output.produced.is_empty() {
        facts.push(("results seen".into(), seen(output)));
    }
    for who in 0..pipeline.group.instances {
        let on_their_way = on_their_way(output, who);
        let fact = match pipeline.group.instances > 1 {
            true => format!("results on their way of {}", lettered(who)),
            false => "results on their way".into(),
        };
        facts.push((fact, list(on_their_way.into_iter().map(name))));
    }
    if !pipeline.consumer.has_transactions() {
        return facts;
    }
    let unseen = output.unseen.iter().map(|unseen| {
        let state = match unseen.committed {
            true => "committed, behind an open one",
            false => "open",
        };
        format!("{} ({state})", name(unseen.record))
    });
    facts.push(("results not seen yet".into(), list(unseen)));
    let early = output.read_early.iter();
    let early = early.map(|early| name(early.record));
    facts.push(("results seen, their transaction open".into(), list(early)));
    let pending = output.pending.iter();
    let pending = pending.map(|pending| pending.position.next.0.to_string());
    facts.push(("offsets pending".into(), list(pending)));
    let transactions = output.transactions.iter().map(transaction);
    facts.push(("transactions".into(), list(transactions)));
    if pipeline.consumer.output.prepared_transaction == PreparedTransaction::Resume {
        let ids = 0..output.transactions.len();
        let prepared = ids.filter(|id| output.prepared.get(*id).copied().flatten().is_some());
        let names = prepared.map(|id| match output.transactions.len() {
            1 => "the open one".to_string(),
            _ => format!("that of {}", lettered(id as u16)),
        });
        facts.push(("prepared, says the database".into(), list(names)));
    }
    facts
}

/// The results that a client has sent and nobody has heard of, in the order of its queue.
fn on_their_way(output: &Output, who: u16) -> Vec<u16> {
    let sends = output.producers[usize::from(who)].sends.iter();
    let mut records: Vec<u16> = sends.map(|send| send.record).collect();
    if let Some(log) = output.log.as_deref() {
        let producer = &log.clients[usize::from(who)].producer;
        records.extend(producer.flights.iter().map(|flight| flight.batch.record));
        records.extend(producer.queue.iter().map(|batch| batch.record));
    }
    records
}

fn seen(output: &Output) -> Value {
    let times = (0..).zip(output.produced.iter());
    list(times.filter_map(|(record, times)| match times {
        0 => None,
        1 => Some(format!("{} once", name(record))),
        _ => Some(format!("{} more than once", name(record))),
    }))
}

fn transaction(transaction: &Transaction) -> String {
    match transaction.phase {
        Phase::Unknown | Phase::Empty | Phase::Complete(_) => "none".into(),
        Phase::Ongoing => "open".into(),
        Phase::Prepared(Outcome::Commit) => "committing".into(),
        Phase::Prepared(Outcome::Abort) => "aborting".into(),
    }
}
