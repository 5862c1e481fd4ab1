//! What a design costs when nothing goes wrong: the price of its guarantees.
//!
//! One run without any fault is walked through the model, from the first send until everything is
//! handled and committed, and its work is counted.
//!
//! | counted as | what |
//! | --- | --- |
//! | a call | a request from one process to another: a produce request, a fetch that returns something, a commit of an offset, a statement to a database or a dedup store, a database's COMMIT, a call of a provider outside |
//! | a durable write | an append to one of Kafka's logs (a record, a marker, a committed offset, what the transaction coordinator notes) and a commit of a database; a statement outside a `db[...]` is one of its own |
//! | a transaction | a `db[...]`, a `kafka[...]`, the upstream's transaction of an outbox, and its Kafka transaction |
//!
//! **Left out**, because it comes per process or per interval and not per record: connections,
//! metadata, producer ids, heartbeats, joins, polls that return nothing, automatic commits. What a
//! provider outside writes is its own affair, and so is replication: an append counts once,
//! whatever `acks` waits for.

use crate::check::{CheckError, cluster};
use crate::design::Design;
use semel_models::action::{Action, ConsumerStep, ReplicaStep, TransactionStep};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Consumer;
use semel_models::fault::FaultBudget;
use semel_models::order::Step;
use semel_models::output;
use semel_models::pipeline::{Dedup, Effect, Pipeline, Source};
use semel_models::program::{self, Operation, OutputStep, Scope};
use semel_models::transaction_coordinator::{Part, TransactionVersion};
use stateright::Model;
use std::cmp::Reverse;
use std::fmt;
use std::ops::AddAssign;

/// How many records a poll returns in the run that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polls {
    /// One: nothing is shared.
    One,
    /// As many as the design's bound allows: what is done once per poll is shared.
    Full,
}

/// The work of one run.
///
/// [`Display`](fmt::Display) shows it per record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// How many records the run is about.
    pub records: u32,
    /// Requests from one process to another.
    pub calls: u32,
    /// Appends to Kafka's logs and commits of databases.
    pub durable_writes: u32,
    /// Transactions of several statements.
    pub transactions: u32,
}

impl Cost {
    const NOTHING: Cost = Cost::of(0, 0, 0);
    /// An append before which the partition leader has its partition added to a transaction: the
    /// coordinator writes that down.
    const FIRST_APPEND: Cost = Cost::of(1, 2, 0);
    /// A marker is written, and the coordinator writes down that the transaction is complete.
    const MARKER: Cost = Cost::of(1, 2, 0);
    /// A call that writes nothing durable.
    const CALL: Cost = Cost::of(1, 0, 0);
    /// A durable write for which no call is counted here.
    const WRITE: Cost = Cost::of(0, 1, 0);
    /// A call that writes.
    const WRITING_CALL: Cost = Cost::of(1, 1, 0);

    /// All of it as one number, to compare designs by.
    pub(crate) fn sum(self) -> u32 {
        self.calls + self.durable_writes + self.transactions
    }

    const fn of(calls: u32, durable_writes: u32, transactions: u32) -> Cost {
        Cost {
            records: 0,
            calls,
            durable_writes,
            transactions,
        }
    }

    /// The cost of one database transaction with these statements.
    fn transaction(statements: Cost) -> Cost {
        Cost::of(statements.calls + 1, 1, 1)
    }

    fn times(self, count: u32) -> Cost {
        Cost::of(
            self.calls * count,
            self.durable_writes * count,
            self.transactions * count,
        )
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.records += other.records;
        self.calls += other.calls;
        self.durable_writes += other.durable_writes;
        self.transactions += other.transactions;
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |total: u32, what: &str| {
            let hundredths = total * 100 / self.records.max(1);
            let digits = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            let plural = if digits == "1" { "" } else { "s" };
            format!("{digits} {what}{plural}")
        };
        write!(
            f,
            "{}, {}, {}",
            share(self.calls, "call"),
            share(self.durable_writes, "durable write"),
            share(self.transactions, "transaction")
        )
    }
}

/// Counts the work of `design` on the path without faults.
///
/// ```
/// use semel::{Polls, cost, presets};
///
/// let preset = presets::named("at-least-once").expect("a preset");
/// let design = presets::design(preset)?;
///
/// // Produce, fetch, the effect and the commit; the record, the effect and the offset.
/// let alone = cost(&design, Polls::One)?;
/// assert_eq!(alone.to_string(), "4 calls, 3 durable writes, 0 transactions");
///
/// // Two records share a fetch.
/// let shared = cost(&design, Polls::Full)?;
/// assert_eq!(shared.to_string(), "3.5 calls, 3 durable writes, 0 transactions");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cost(design: &Design, polls: Polls) -> Result<Cost, CheckError> {
    let mut pipeline = design.pipeline().clone();
    pipeline.faults = FaultBudget::default();
    if polls == Polls::One {
        pipeline.bounds.poll = 1;
    }
    let cluster = cluster(design, pipeline)?.in_every_order();
    let mut total = Cost {
        records: u32::from(cluster.pipeline().bounds.records),
        ..Cost::NOTHING
    };
    let mut state = cluster.init_states().remove(0);
    while let Some((action, next)) = next_step(&cluster, &state) {
        total += of_step(&cluster, &state, action, &next);
        state = next;
    }
    Ok(total)
}

/// The step that the run takes: commits on their way arrive first, then everything is sent, then
/// the records in hand are handled, and only then the next ones are polled, as many as can be.
fn next_step(cluster: &Cluster, state: &State) -> Option<(Action, State)> {
    let mut actions = Vec::new();
    cluster.actions(state, &mut actions);
    actions.sort_by_key(|action| turn(*action));
    actions
        .into_iter()
        .filter(|action| turn(*action).0 < NEVER)
        .find_map(|action| Some((action, cluster.next_state(state, action)?)))
}

const NEVER: u16 = 10;

/// When a step has its turn, and of several polls the largest.
fn turn(action: Action) -> (u16, Reverse<u16>) {
    let turn = match action {
        Action::CommitUpstream(_)
        | Action::Mark(_)
        | Action::Send(_)
        | Action::SendToOther(_)
        | Action::Transmit
        | Action::HandleProduce
        | Action::ReceiveAnswer
        | Action::Expire
        | Action::FailTooLate
        | Action::LearnLeader
        | Action::Replica { .. }
        | Action::InitProducerId
        | Action::AddPartitions
        | Action::CommitTransaction
        | Action::EndTransaction
        | Action::WriteMarker
        | Action::TimeOutTransaction
        | Action::LearnPartition
        | Action::OtherPartition(_) => 2,
        Action::LateArrives(_)
        | Action::OutputTransaction { .. }
        | Action::OutputTopic { .. }
        | Action::ReadResult => 0,
        Action::Fault { .. } => NEVER,
        Action::Consumer { does, .. } => match does {
            ConsumerStep::CommitArrives
            | ConsumerStep::ResultArrives(_)
            | ConsumerStep::ResultExpires { .. }
            | ConsumerStep::HandleCommit
            | ConsumerStep::ReceiveCommitAnswer => 0,
            ConsumerStep::Join { .. }
            | ConsumerStep::InitTransactions
            | ConsumerStep::TakeOver
            | ConsumerStep::FetchOffset
            | ConsumerStep::Leave
            | ConsumerStep::Rejoin
            | ConsumerStep::NoticeLoss
            | ConsumerStep::Drop(_)
            | ConsumerStep::Discover
            | ConsumerStep::Relocate
            | ConsumerStep::RelocateOther => 1,
            ConsumerStep::Operate
            | ConsumerStep::Work(_)
            | ConsumerStep::WriteFailed
            | ConsumerStep::CommitSaved => 3,
            ConsumerStep::CommitDone => 4,
            ConsumerStep::Poll(count) | ConsumerStep::PollOther(count) => {
                return (5, Reverse(count));
            }
            ConsumerStep::PollBoth(both) => return (5, Reverse(both.count + both.behind)),
            ConsumerStep::PollRetries => 5,
            ConsumerStep::CommitAutomatically => NEVER,
        },
    };
    (turn, Reverse(0))
}

fn of_step(cluster: &Cluster, state: &State, action: Action, next: &State) -> Cost {
    let pipeline = cluster.pipeline();
    match action {
        Action::Transmit => Cost::CALL,
        Action::HandleProduce if begins(state, next) => Cost::FIRST_APPEND,
        Action::HandleProduce
        | Action::Replica {
            does: ReplicaStep::HandleProduce,
            ..
        } => Cost::WRITE,
        Action::OutputTransaction { id, does } => of_transaction(state, id, does),
        Action::AddPartitions => Cost::WRITING_CALL,
        Action::EndTransaction => Cost::transaction(Cost::NOTHING),
        Action::WriteMarker => Cost::MARKER,
        Action::CommitUpstream(_) | Action::Mark(_) | Action::Send(_) | Action::SendToOther(_) => {
            of_source(pipeline, action)
        }
        Action::ReceiveAnswer
        | Action::Expire
        | Action::FailTooLate
        | Action::LearnLeader
        | Action::Replica { .. }
        | Action::InitProducerId
        | Action::CommitTransaction
        | Action::TimeOutTransaction
        | Action::LearnPartition
        | Action::OtherPartition(_)
        | Action::LateArrives(_)
        // The output topic has steps of its own where faults can strike it only.
        | Action::OutputTopic { .. }
        | Action::ReadResult
        | Action::Fault { .. } => Cost::NOTHING,
        Action::Consumer {
            who,
            does: ConsumerStep::Operate,
        } if cluster.output_call(state, who).is_some() => of_output(cluster, state, who),
        Action::Consumer { who, does } => {
            let who = usize::from(who);
            of_consumer(cluster, does, &state.consumers[who], &next.consumers[who])
        }
    }
}

/// What the transaction coordinator does: with the first marker it has written down that the
/// transaction commits, with the last that it is complete.
fn of_transaction(state: &State, id: u16, does: TransactionStep) -> Cost {
    let output = state.output.as_ref();
    let left = output.map_or(0, |output| {
        output.transactions[usize::from(id)].markers().count()
    });
    match does {
        TransactionStep::TimeOut => Cost::NOTHING,
        TransactionStep::RaiseEpoch => Cost::WRITING_CALL,
        TransactionStep::WriteMarker(_) if left == 1 => Cost::of(1, 2, 0),
        TransactionStep::WriteMarker(_) => Cost::WRITING_CALL,
    }
}

/// Whether the partition leader adds its partition to a transaction.
fn begins(before: &State, after: &State) -> bool {
    let phase = |state: &State| state.transactions.as_deref().map(|own| own.id.phase);
    phase(before) != phase(after)
}

/// What is done beside the producer: by the application that fills an outbox or writes twice, and
/// by the relay, which reads and marks row by row.
fn of_source(pipeline: &Pipeline, action: Action) -> Cost {
    match (pipeline.producer.source, action) {
        (Source::Outbox { .. }, Action::CommitUpstream(_)) => {
            Cost::transaction(Cost::WRITING_CALL.times(2))
        }
        (Source::Outbox { .. }, Action::Send(_) | Action::SendToOther(_)) => Cost::CALL,
        (Source::Outbox { .. }, Action::Mark(_))
        | (Source::DualWrite(_), Action::CommitUpstream(_)) => Cost::WRITING_CALL,
        (
            Source::Outbox { .. }
            | Source::DualWrite(_)
            | Source::Memory
            | Source::Transaction { .. },
            _,
        ) => Cost::NOTHING,
    }
}

fn of_consumer(cluster: &Cluster, does: ConsumerStep, before: &Consumer, after: &Consumer) -> Cost {
    let operations = &cluster.program().operations;
    let pipeline = cluster.pipeline();
    match does {
        ConsumerStep::Poll(_)
        | ConsumerStep::PollOther(_)
        | ConsumerStep::PollBoth(_)
        | ConsumerStep::PollRetries => Cost::CALL,
        ConsumerStep::CommitArrives | ConsumerStep::CommitDone | ConsumerStep::ResultArrives(_) => {
            Cost::WRITING_CALL
        }
        ConsumerStep::Operate => {
            let operation = &operations[usize::from(before.operation)];
            let looks_up = before.looked.is_none() && after.looked.is_some();
            let records = before.places(operation.scope).len() as u32;
            of_operation(pipeline, operation, records, looks_up)
        }
        ConsumerStep::Work(index) => {
            let task = before.crew.tasks[usize::from(index)];
            let kept = after.crew.tasks.get(usize::from(index));
            let looks_up = task.looked.is_none() && kept.is_some_and(|kept| kept.looked.is_some());
            of_operation(
                pipeline,
                &operations[usize::from(task.operation)],
                1,
                looks_up,
            )
        }
        ConsumerStep::Join { .. }
        | ConsumerStep::InitTransactions
        | ConsumerStep::TakeOver
        | ConsumerStep::FetchOffset
        | ConsumerStep::Leave
        | ConsumerStep::Drop(_)
        | ConsumerStep::Rejoin
        | ConsumerStep::NoticeLoss
        | ConsumerStep::Relocate
        | ConsumerStep::RelocateOther
        | ConsumerStep::Discover
        | ConsumerStep::WriteFailed
        | ConsumerStep::CommitSaved
        | ConsumerStep::HandleCommit
        | ConsumerStep::ReceiveCommitAnswer
        | ConsumerStep::ResultExpires { .. }
        | ConsumerStep::CommitAutomatically => Cost::NOTHING,
    }
}

/// The cost of an operation; of its look-ups none yet, for they are counted with the rest of it.
fn of_operation(pipeline: &Pipeline, operation: &Operation, records: u32, looks_up: bool) -> Cost {
    if looks_up {
        return Cost::NOTHING;
    }
    let mut statements = Cost::NOTHING;
    for part in &operation.parts {
        match (part, operation.scope) {
            (program::Part::Step(step), Scope::Poll) if !step.is_about_a_record() => {
                statements += of_statement(pipeline, *step);
            }
            (program::Part::Step(step), Scope::Poll | Scope::Record { .. }) => {
                statements += of_statement(pipeline, *step).times(records);
            }
            (program::Part::Each(steps), Scope::Poll | Scope::Record { .. }) => {
                for step in steps {
                    statements += of_statement(pipeline, *step).times(records);
                }
            }
        }
    }
    match operation.transaction {
        true => Cost::transaction(statements),
        false => statements,
    }
}

/// The cost of a call of the output producer. What is new to a transaction, the coordinator writes
/// down: asked by the client under version 1, where the partition leader asks as well whether it was
/// told, and by the partition leader under version 2.
fn of_output(cluster: &Cluster, state: &State, who: u16) -> Cost {
    let consumer = &cluster.pipeline().consumer;
    let rules = cluster.pipeline().rules.transactions;
    let Some((step, output)) = cluster.output_call(state, who).zip(state.output.as_ref()) else {
        return Cost::NOTHING;
    };
    let part = match step {
        // The asynchronous ones are counted when they arrive.
        OutputStep::ProduceAsync | OutputStep::Flush => return Cost::NOTHING,
        OutputStep::End if output.producers[usize::from(who)].open => return Cost::of(1, 1, 1),
        OutputStep::End => return Cost::NOTHING,
        OutputStep::Produce => Part::Output,
        OutputStep::Offsets => Part::Offsets,
    };
    let mut cost = Cost::WRITING_CALL;
    let id = usize::from(output::id_of(who, cluster.pipeline()));
    if consumer.has_transactions() && !output.transactions[id].added.contains(part) {
        cost += Cost::WRITING_CALL;
        if rules.version == TransactionVersion::One && rules.verifies {
            cost += Cost::CALL;
        }
    }
    cost
}

fn of_statement(pipeline: &Pipeline, step: Step) -> Cost {
    let in_process = pipeline.sink.dedup == Dedup::Memory;
    match step {
        Step::Process => match pipeline.sink.effect {
            Effect::Add | Effect::Upsert => Cost::WRITING_CALL,
            Effect::External { .. } | Effect::Topic => Cost::CALL,
        },
        Step::SkipIfSeen | Step::Remember if in_process => Cost::NOTHING,
        Step::SkipIfSeen => Cost::CALL,
        Step::Remember | Step::SaveOffset | Step::Commit => Cost::WRITING_CALL,
        Step::Produce | Step::ProduceAsync => Cost::WRITING_CALL,
        // An asynchronous commit is counted when it arrives.
        Step::CommitAsync | Step::StoreOffset | Step::Flush => Cost::NOTHING,
    }
}
