//! A state as facts that an engineer would look at.

mod replicas;
mod value;

pub(crate) use replicas::broker_name;
pub(super) use replicas::brokers;
pub(crate) use value::{Fact, Holder, Value};

use semel_models::broker::{Broker, Entry, EntryKind, Stamp};
use semel_models::cluster::State;
use semel_models::consumer::{Consumer, Phase};
use semel_models::fault::Fault;
use semel_models::limbo::{Late, TransactionCall};
use semel_models::offset::Position;
use semel_models::order::Step;
use semel_models::partitions::reader::Reader;
use semel_models::partitions::{OtherPartition, Partition};
use semel_models::pipeline::{
    AfterAttempts, AutoCommit, Dedup, DedupKey, Effect, OnCommitFailure, Pipeline, Source,
};
use semel_models::producer::{Answer, Batch, Flight, Sending};
use semel_models::set::Set;
use semel_models::transaction_coordinator::{self, Outcome, Part};

use super::Change;
use super::narrate::offset_in_retries;

mod output;

/// Every fact about `state` that this design can change, by who holds it.
pub(crate) fn facts(state: &State, pipeline: &Pipeline) -> Vec<Fact> {
    let mut all = of_upstream(state, pipeline);
    all.extend(held_by(Holder::Broker, of_broker(state, pipeline)));
    let committed = ("committed offset".into(), optional(state.group.committed));
    all.extend(held_by(Holder::Coordinator, vec![committed]));
    all.extend(held_by(
        Holder::Broker,
        replicas::of_replicas(state, pipeline),
    ));
    if pipeline.bounds.partitions > 1 || pipeline.faults.contains(Fault::AddPartition) {
        let other = of_other_partition(state, pipeline);
        all.extend(held_by(Holder::OtherPartition, other));
    }
    let upstream = match pipeline.producer.source {
        Source::Memory => None,
        Source::Transaction { .. } => {
            let name = match pipeline.consumer.has_transactions() {
                true => "transaction of the upstream",
                false => "transaction",
            };
            Some((
                Holder::Coordinator,
                (name.into(), transaction(state).into()),
            ))
        }
        Source::Outbox { .. } => Some((
            Holder::Upstream,
            ("outbox table".into(), rows(state, pipeline)),
        )),
        Source::DualWrite(_) => Some((
            Holder::Upstream,
            ("upstream database".into(), rows(state, pipeline)),
        )),
    };
    all.extend(
        upstream
            .into_iter()
            .flat_map(|(holder, fact)| held_by(holder, vec![fact])),
    );
    for who in 0..pipeline.group.instances {
        let holder = Holder::Consumer(who);
        all.extend(held_by(holder, of_consumer(state, who, pipeline)));
    }
    let (holder, effect) = match pipeline.consumer.only_produces() {
        true => (Holder::Output, "results seen"),
        false => (Holder::Sink, "effects"),
    };
    all.extend(held_by(
        holder,
        vec![(effect.into(), effects(state, pipeline))],
    ));
    all.extend(held_by(Holder::Output, output::facts(state, pipeline)));
    let results = replicas::of_results(state, pipeline);
    all.extend(held_by(Holder::Output, results));
    all.extend(held_by(Holder::Sink, of_stores(state, pipeline)));
    all
}

fn held_by(holder: Holder, facts: Vec<(String, Value)>) -> impl Iterator<Item = Fact> {
    facts.into_iter().map(move |(name, value)| Fact {
        holder,
        name,
        value,
    })
}

/// The facts about the records and the producer's client.
fn of_upstream(state: &State, pipeline: &Pipeline) -> Vec<Fact> {
    let facts = vec![
        ("records".into(), records(state, pipeline)),
        (
            "accumulator".into(),
            list(state.producer.queue.iter().map(batch)),
        ),
        (
            "on the wire".into(),
            list(state.producer.flights.iter().map(flight)),
        ),
    ];
    held_by(Holder::Upstream, facts).collect()
}

/// The facts about the log, and about what is still to arrive.
fn of_broker(state: &State, pipeline: &Pipeline) -> Vec<(String, Value)> {
    let requests = state.limbo.requests.iter();
    let mut facts = vec![
        ("log".into(), log(&state.broker, pipeline)),
        (
            "late requests".into(),
            list(requests.map(|request| late(request, state))),
        ),
    ];
    if pipeline.consumer.on_process_failure.then == AfterAttempts::RetryTopic {
        facts.push(("retry topic".into(), retries(state)));
    }
    facts
}

/// The entries of the retry topic that anyone can still read.
fn retries(state: &State) -> Value {
    let committed = state.retries.committed.unwrap_or_default();
    let entries = (0..).zip(state.retries.entries.iter());
    list(entries.map(|(offset, record)| {
        let note = match offset < committed {
            true => " (committed)",
            false => "",
        };
        format!("{}{note}", name(*record))
    }))
}

/// The facts about what is stored beside the effects.
fn of_stores(state: &State, pipeline: &Pipeline) -> Vec<(String, Value)> {
    let mut facts = Vec::new();
    let order = &pipeline.consumer.order;
    if order.contains(Step::Remember) || order.contains(Step::SkipIfSeen) {
        facts.push(("dedup store".into(), dedup_store(state, pipeline)));
    }
    if order.contains(Step::SaveOffset) {
        let saved = state.sink.saved.map(|saved| saved.0);
        facts.push(("saved offset".into(), Value::Offset(saved)));
    }
    facts
}

/// The facts about the partition that was added.
fn of_other_partition(state: &State, pipeline: &Pipeline) -> Vec<(String, Value)> {
    let none = OtherPartition::default();
    let other = state.other.as_deref().unwrap_or(&none);
    let there = match state.other {
        Some(_) => log(&other.broker, pipeline),
        None => "none".into(),
    };
    let mut facts = vec![
        ("partition 1".into(), there),
        (
            "accumulator for partition 1".into(),
            list(other.queue.iter().map(batch)),
        ),
        (
            "on the wire to partition 1".into(),
            list(other.flights.iter().map(flight)),
        ),
        (
            "committed offset of partition 1".into(),
            optional(other.committed),
        ),
    ];
    for who in 0..pipeline.group.instances {
        let fact = match pipeline.group.instances {
            1 => "reads later".into(),
            _ => format!("what {} reads later", lettered(who)),
        };
        facts.push((fact, reads_later(&other.readers[usize::from(who)]).into()));
    }
    if pipeline.consumer.commits_in_background() {
        let [_, sent] = state.pending_commits(0);
        facts.push(("commit on its way to partition 1".into(), optional(sent)));
    }
    if matches!(pipeline.consumer.auto_commit, AutoCommit::Background { .. }) {
        let [_, stored] = state.stored_offsets(0);
        facts.push(("offset store of partition 1".into(), optional(stored)));
    }
    facts
}

/// What the consumer reads in the partition that it has nothing in hand of.
fn reads_later(reader: &Reader) -> String {
    reader
        .position
        .map_or("none".into(), |next| match reader.in_hand {
            true => format!("partition 0 from {}", next.0),
            false => format!("partition 1 from {}", next.0),
        })
}

/// The facts about one consumer.
fn of_consumer(state: &State, who: u16, pipeline: &Pipeline) -> Vec<(String, Value)> {
    let consumer = &state.consumers[usize::from(who)];
    let several = pipeline.group.instances > 1;
    let whose = |fact: &str| {
        if several {
            format!("{fact} of {}", lettered(who))
        } else {
            fact.to_string()
        }
    };
    let mut facts = vec![(
        if several {
            format!("consumer {}", lettered(who))
        } else {
            "consumer".into()
        },
        doing(consumer, state.group.owner == Some(who)).into(),
    )];
    if pipeline.consumer.workers > 0 {
        facts.push((whose("workers"), at_work(consumer)));
    } else {
        facts.push((whose("in hand"), in_hand(consumer)));
    }
    if pipeline.consumer.commits_in_background() {
        let [first, _] = state.pending_commits(who);
        facts.push((whose("commit on its way"), optional(first)));
    }
    if pipeline.consumer.on_commit_failure == OnCommitFailure::RetrySaved {
        facts.push((
            whose("commit to be repeated"),
            optional(consumer.failed_commit),
        ));
    }
    if matches!(pipeline.consumer.auto_commit, AutoCommit::Background { .. }) {
        let [first, _] = state.stored_offsets(who);
        facts.push((whose("offset store"), optional(first)));
    }
    facts
}

/// The facts that differ between two states.
pub(super) fn changes(before: &State, after: &State, pipeline: &Pipeline) -> Vec<Change> {
    facts(before, pipeline)
        .into_iter()
        .zip(facts(after, pipeline))
        .filter(|(before, after)| before.value != after.value)
        .map(|(before, after)| Change {
            fact: after.name,
            before: before.value.to_string(),
            after: after.value.to_string(),
        })
        .collect()
}

/// The letter that stands for one of several consumers.
pub(crate) fn lettered(who: u16) -> char {
    char::from(b'A' + who as u8)
}

pub(super) fn name(record: u16) -> String {
    format!("r{record}")
}

/// These names in a sentence.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".into(),
        some => some.join(" and "),
    }
}

/// That these records are gone.
pub(super) fn are_gone(names: &[String]) -> String {
    let are = if names.len() > 1 { "are" } else { "is" };
    format!("{} {are} gone", listed(names))
}

fn list(items: impl Iterator<Item = String>) -> Value {
    Value::Items {
        items: items.collect(),
        note: None,
    }
}

fn optional(position: Option<Position>) -> Value {
    Value::Offset(position.map(|position| position.next.0))
}

fn records(state: &State, pipeline: &Pipeline) -> Value {
    list((0..pipeline.bounds.records).map(|record| {
        let known = match state.producer.sending[usize::from(record)] {
            Sending::Unsent => "not sent",
            Sending::Pending => "sent",
            Sending::Acknowledged => "acknowledged",
            Sending::Failed => "reported failed",
            Sending::Forgotten => "forgotten",
            Sending::Aborted if pipeline.producer.is_transactional() => "aborted",
            Sending::Aborted => "rolled back",
        };
        let confirmed = state.ledger.is_confirmed(record);
        let note = if confirmed { ", confirmed" } else { "" };
        format!("{} ({known}{note})", name(record))
    }))
}

/// What the upstream database holds.
fn rows(state: &State, pipeline: &Pipeline) -> Value {
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
        Answer::Replicating => format!("{what}, waits for the in-sync replicas{given_up}"),
        Answer::Success => format!("{what} -> success{given_up}"),
        Answer::Refused => format!("{what} -> refused{given_up}"),
        Answer::OutOfOrder => format!("{what} -> out of order{given_up}"),
        Answer::UnknownProducerId => format!("{what} -> unknown producer id{given_up}"),
        Answer::StaleEpoch => format!("{what} -> stale epoch{given_up}"),
        Answer::NotInTransaction => format!("{what} -> not in a transaction{given_up}"),
    }
}

/// What an entry is.
pub(super) fn content(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Marker(outcome) => marker(outcome).into(),
        EntryKind::Plain | EntryKind::Transactional => name(entry.record),
    }
}

/// An entry in a sentence.
pub(super) fn in_a_sentence(entry: &Entry) -> String {
    match entry.is_marker() {
        true => format!("the {}", content(entry)),
        false => content(entry),
    }
}

/// What a marker is called.
pub(super) fn marker(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Commit => "commit marker",
        Outcome::Abort => "abort marker",
    }
}

fn log(broker: &Broker, pipeline: &Pipeline) -> Value {
    let entries = broker.log.iter().enumerate();
    let left = entries
        .skip(usize::from(broker.log_start()))
        .filter(|(_, entry)| !entry.removed);
    list(left.map(|(offset, entry)| {
        let mut text = format!("{offset}: {}", content(entry));
        if entry.forgotten {
            text += " [producer id forgotten]";
        } else if entry.is_marker() {
            text += &format!(" [epoch {}]", entry.stamp.epoch);
        } else if pipeline.producer.idempotence {
            text += &format!(" {}", numbers(entry.stamp));
        }
        text
    }))
}

/// What the coordinator keeps of the transactional id.
fn transaction(state: &State) -> String {
    let Some(transactions) = state.transactions.as_deref() else {
        return String::new();
    };
    let id = &transactions.id;
    use transaction_coordinator::Phase;
    let phase = match id.phase {
        Phase::Unknown => return "none".into(),
        Phase::Empty => "empty",
        Phase::Ongoing => "open",
        Phase::Prepared(Outcome::Commit) => "prepared to commit",
        Phase::Prepared(Outcome::Abort) => "prepared to abort",
        Phase::Complete(Outcome::Commit) => "committed",
        Phase::Complete(Outcome::Abort) => "aborted",
    };
    format!("{phase} [epoch {}]", id.epoch)
}

fn late(late: &Late, state: &State) -> String {
    let is_replicated = state.replication.is_some();
    match late {
        Late::Produce { record, to, .. } if is_replicated => {
            format!("produce {} ({})", name(*record), broker_name(*to))
        }
        Late::Produce {
            record, partition, ..
        } => match partition {
            Partition::First => format!("produce {}", name(*record)),
            Partition::Second => format!("produce {} (partition 1)", name(*record)),
        },
        Late::Commit {
            position, second, ..
        } => {
            let first = position.map(|at| at.next.0.to_string());
            let second = second.map(|at| match state.other {
                Some(_) => format!("{} (partition 1)", at.next.0),
                None => offset_in_retries(state, at.next.0),
            });
            let both: Vec<String> = first.into_iter().chain(second).collect();
            format!("commit {}", both.join(" and "))
        }
        Late::Output { record, .. } => format!("failed {}", name(*record)),
        Late::Result { record, .. } => format!("result of {}", name(*record)),
        Late::Call { call, .. } => match call {
            TransactionCall::Start => "InitProducerId of a process that started".into(),
            TransactionCall::Add(Part::Offsets) => "AddOffsetsToTxn".into(),
            TransactionCall::Add(Part::Input | Part::Output) => "AddPartitionsToTxn".into(),
            TransactionCall::Offsets { position, .. } => format!("offsets {}", position.next.0),
            TransactionCall::End(Outcome::Commit) => "commit of a transaction".into(),
            TransactionCall::End(Outcome::Abort) => "abort of a transaction".into(),
        },
        Late::InitProducerId { .. } => "InitProducerId".into(),
        Late::AddPartitions { .. } => "AddPartitionsToTxn".into(),
        Late::EndTransaction { outcome, .. } => match outcome {
            Outcome::Commit => "EndTxn (commit)".into(),
            Outcome::Abort => "EndTxn (abort)".into(),
        },
    }
}

fn doing(consumer: &Consumer, is_owner: bool) -> String {
    match consumer.phase {
        Phase::Down => "not running".into(),
        Phase::Outside => "out of the group".into(),
        Phase::Idle if is_owner => "waits for its committed offset".into(),
        Phase::Idle => "a member without the partition".into(),
        Phase::Leaving => "giving the partition up".into(),
        Phase::Polling => format!("polls from {}", consumer.position().next.0),
        Phase::Handling => {
            let place = usize::from(consumer.cursor);
            let record = consumer.hand.get(place).copied().unwrap_or_default();
            format!("handles {}, step {}", name(record), consumer.operation + 1)
        }
    }
}

fn in_hand(consumer: &Consumer) -> Value {
    list(consumer.hand.iter().enumerate().map(|(place, record)| {
        let skipped = consumer.skipped & (1 << place) != 0;
        let note = if skipped { " (skipped)" } else { "" };
        format!("{}{note}", name(*record))
    }))
}

fn at_work(consumer: &Consumer) -> Value {
    list(consumer.crew.tasks.iter().map(|task| {
        let state = match task.done {
            true => "done".into(),
            false => format!("step {}", task.operation + 1),
        };
        let orphan = if task.orphaned { ", orphaned" } else { "" };
        format!("{} ({state}{orphan})", name(task.record))
    }))
}

fn effects(state: &State, pipeline: &Pipeline) -> Value {
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
    let rows =
        list(rows.filter_map(|(key, row)| row.map(|row| format!("k{key} = {}", name(row.record)))));
    counts.with_note(format!("rows: {rows}"))
}

fn dedup_store(state: &State, pipeline: &Pipeline) -> Value {
    match pipeline.sink.dedup {
        Dedup::Durable | Dedup::Separate => keys(&state.sink.seen.keys, pipeline),
        Dedup::Memory if pipeline.group.instances == 1 => {
            keys(&state.dedup_store(0, pipeline).keys, pipeline)
        }
        Dedup::Memory => {
            let stores = (0..pipeline.group.instances)
                .map(|who| keys(&state.dedup_store(who, pipeline).keys, pipeline).to_string());
            stores.collect::<Vec<_>>().join("; ").into()
        }
    }
}

fn keys(store: &Set, pipeline: &Pipeline) -> Value {
    list(store.iter().map(|key| match pipeline.sink.dedup_key {
        DedupKey::Record => format!("r{key}"),
        DedupKey::Offset => format!("offset {key}"),
    }))
}
