//! Random pipelines of the kind that the actors cover.

use crate::common::pipeline;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use semel_models::fault::{Call, Fault, FaultBudget, FaultKey};
use semel_models::order::Step::{self, *};
use semel_models::order::{Item, Order};
use semel_models::pipeline::*;

const FAULTS: [(Fault, Option<Call>); 16] = [
    (Fault::ProducerCrash, None),
    (Fault::Abort, None),
    (Fault::DeliveryTimeout, None),
    (Fault::ConsumerCrash, None),
    (Fault::ProcessFailure, None),
    (Fault::ProcessFailureLate, None),
    (Fault::SinkUnavailable, None),
    (Fault::SinkAnswerLost, None),
    (Fault::RequestLost, None),
    (Fault::RequestLost, Some(Call::Produce)),
    (Fault::ResponseLost, None),
    (Fault::ResponseLost, Some(Call::OffsetCommit)),
    (Fault::RequestRefused, None),
    (Fault::RequestRefused, Some(Call::Fetch)),
    (Fault::RequestDelayed, None),
    (Fault::RequestDelayed, Some(Call::Produce)),
];

fn step(step: Step) -> Item {
    Item::Step(step)
}

fn list(steps: &[Step]) -> Vec<Item> {
    steps.iter().copied().map(step).collect()
}

fn database(steps: &[Step]) -> Item {
    Item::Database(list(steps))
}

fn each(steps: &[Step]) -> Item {
    Item::Each(list(steps))
}

/// Orders of single steps.
fn plain_orders() -> Vec<Order> {
    let orders: [&[Step]; 12] = [
        &[Process, Commit],
        &[Commit, Process],
        &[Process, CommitAsync],
        &[CommitAsync, Process],
        &[Process],
        &[Process, StoreOffset],
        &[StoreOffset, Process, Commit],
        &[SkipIfSeen, Process, Remember, Commit],
        &[SkipIfSeen, Remember, Process, CommitAsync],
        &[Process, SaveOffset],
        &[SaveOffset, Process, Commit],
        &[CommitAsync, Process, Commit],
    ];
    orders.map(|steps| Order(list(steps))).to_vec()
}

/// Orders with transactions and loops.
fn grouped_orders() -> Vec<Order> {
    let marked = database(&[Process, Remember]);
    let all = Item::Database(vec![each(&[Process, Remember]), step(SaveOffset)]);
    let orders = [
        vec![step(SkipIfSeen), marked, step(Commit)],
        vec![
            database(&[SkipIfSeen, Process, Remember]),
            step(CommitAsync),
        ],
        vec![database(&[Process, SaveOffset])],
        vec![database(&[Remember, Process, SaveOffset]), step(Commit)],
        vec![each(&[Process]), step(Commit)],
        vec![each(&[SkipIfSeen, Process]), step(Remember), step(Commit)],
        vec![step(Commit), each(&[Process, StoreOffset])],
        vec![each(&[Process, CommitAsync]), step(Commit)],
        vec![all, step(Commit)],
    ];
    orders.map(Order).to_vec()
}

fn orders() -> impl Strategy<Value = Order> {
    select([plain_orders(), grouped_orders()].concat())
}

fn sources() -> impl Strategy<Value = Source> {
    let outbox = |order, cursor| Source::Outbox { order, cursor };
    select(vec![
        Source::Memory,
        Source::Memory,
        outbox(OutboxOrder::PublishMark, OutboxCursor::Status),
        outbox(OutboxOrder::MarkPublish, OutboxCursor::Status),
        outbox(OutboxOrder::PublishMark, OutboxCursor::HighestId),
        Source::DualWrite(DualWriteOrder::DatabaseFirst),
        Source::DualWrite(DualWriteOrder::KafkaFirst),
    ])
}

fn producers() -> impl Strategy<Value = ProducerSettings> {
    let acks = select(vec![Acks::None, Acks::Leader, Acks::All]);
    let confirm = select(vec![
        ConfirmOn::Ack,
        ConfirmOn::Send,
        ConfirmOn::DatabaseCommit,
    ]);
    let failure = select(vec![
        OnSendFailure::GiveUp,
        OnSendFailure::Resend,
        OnSendFailure::Ignore,
    ]);
    let restart = select(vec![OnRestart::Forget, OnRestart::ResendUnconfirmed]);
    let retrying = (any::<bool>(), acks, 0..3u16, any::<bool>(), 1..4u32);
    (retrying, confirm, failure, restart, sources()).prop_map(
        |(
            (idempotence, acks, retries, capped, max_in_flight),
            confirm,
            failure,
            restart,
            source,
        )| {
            ProducerSettings {
                acks: if idempotence { Acks::All } else { acks },
                idempotence,
                retries: if idempotence { retries.max(1) } else { retries },
                retries_are_capped: capped,
                max_in_flight,
                confirm_on: confirm,
                on_send_failure: failure,
                on_restart: restart,
                source,
                id_expires_first: false,
                transactions_time_out: true,
            }
        },
    )
}

fn sinks() -> impl Strategy<Value = SinkSettings> {
    let effect = select(vec![
        Effect::Add,
        Effect::Upsert,
        Effect::External {
            idempotency_key: false,
        },
        Effect::External {
            idempotency_key: true,
        },
    ]);
    let dedup = select(vec![Dedup::Durable, Dedup::Separate, Dedup::Memory]);
    let insert = select(vec![DedupInsert::Unique, DedupInsert::Plain]);
    let key = select(vec![DedupKey::Record, DedupKey::Offset]);
    let window = select(vec![None, Some(1)]);
    (effect, dedup, insert, key, window, any::<bool>()).prop_map(
        |(effect, dedup, dedup_insert, dedup_key, dedup_window, version_guard)| SinkSettings {
            effect,
            dedup,
            dedup_insert,
            dedup_key,
            dedup_window,
            fencing: false,
            version_guard,
        },
    )
}

fn automatic_commits() -> impl Strategy<Value = AutoCommit> {
    let background = |automatic_store| AutoCommit::Background { automatic_store };
    select(vec![
        AutoCommit::Off,
        AutoCommit::AtPoll,
        background(true),
        background(false),
    ])
}

fn consumers() -> impl Strategy<Value = ConsumerSettings> {
    let reset = select(vec![
        OffsetReset::Earliest,
        OffsetReset::Latest,
        OffsetReset::None,
    ]);
    let covers = select(vec![
        CommitCovers::Next,
        CommitCovers::Last,
        CommitCovers::Position,
    ]);
    let failed = select(vec![
        OnCommitFailure::RetryLatest,
        OnCommitFailure::RetrySaved,
        OnCommitFailure::Ignore,
    ]);
    let then = select(vec![
        AfterAttempts::Stop,
        AfterAttempts::Skip,
        AfterAttempts::Block,
    ]);
    let handling = (then, 1..=2u16, any::<bool>());
    (
        orders(),
        reset,
        automatic_commits(),
        covers,
        failed,
        handling,
    )
        .prop_map(
            |(order, offset_reset, auto_commit, commit_covers, on_commit_failure, handling)| {
                let (then, attempts, seek_on_assign) = handling;
                ConsumerSettings {
                    offset_reset,
                    auto_commit,
                    order,
                    commit_covers,
                    on_commit_failure,
                    seek_on_assign,
                    on_process_failure: OnProcessFailure { attempts, then },
                    ..pipeline(&[]).consumer
                }
            },
        )
}

fn rules() -> impl Strategy<Value = KafkaRules> {
    let old = KafkaRules {
        producer_state_outlives_records: false,
        unknown_producer_starts_anywhere: false,
        ..KafkaRules::CURRENT
    };
    select(vec![
        KafkaRules::CURRENT,
        old,
        KafkaRules {
            java_bumps_epoch: false,
            truncation_noticed: false,
            ..old
        },
    ])
}

/// Pipelines of one or two records and up to four kinds of faults, of which one or two happen.
pub fn pipelines() -> impl Strategy<Value = Pipeline> {
    let client = select(vec![Client::Java, Client::Librdkafka]);
    let start = select(vec![Start::Joined, Start::Cold]);
    let assignment = select(vec![Assignment::Subscribe, Assignment::Assign]);
    let bounds = (1..=2u16, 1..=2u16, 1..=2u16, 1..=2u16);
    let faults = subsequence(FAULTS.to_vec(), 1..=4);
    let actors = (producers(), consumers(), sinks(), rules());
    (actors, client, start, assignment, bounds, faults).prop_map(
        |((producer, consumer, sink, rules), client, start, assignment, bounds, faults)| {
            let (records, keys, poll, total) = bounds;
            let mut drawn = pipeline(&[]);
            drawn.producer = producer;
            drawn.consumer = consumer;
            drawn.sink = sink;
            drawn.rules = rules;
            drawn.client = client;
            drawn.group.assignment = assignment;
            drawn.bounds.start = start;
            drawn.bounds.records = records;
            drawn.bounds.keys = keys.min(records);
            drawn.bounds.poll = poll.min(records);
            let entries = faults
                .into_iter()
                .map(|(fault, call)| (FaultKey { fault, call }, 2));
            drawn.faults = FaultBudget {
                entries: entries.collect(),
                total: Some(total),
            };
            drawn
        },
    )
}
