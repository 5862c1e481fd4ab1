//! No pipeline outgrows the limits that were computed for it, and every state packs without loss.

mod common;

use common::pipeline;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use semel_models::cluster::{Cluster, State};
use semel_models::fault::{Fault, FaultBudget, FaultKey};
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::*;
use semel_models::subject::Subject;
use stateright::Model;
use std::collections::HashSet;

const FAULTS: [Fault; 19] = [
    Fault::ProducerCrash,
    Fault::ProducerPause,
    Fault::ProducerIdExpiry,
    Fault::Retention,
    Fault::Abort,
    Fault::ConsumerCrash,
    Fault::RequestLost,
    Fault::ResponseLost,
    Fault::RequestRefused,
    Fault::RequestDelayed,
    Fault::DeliveryTimeout,
    Fault::BrokerCrash,
    Fault::PowerLoss,
    Fault::PowerLossAll,
    Fault::DiskLoss,
    Fault::ProcessFailure,
    Fault::ProcessFailureLate,
    Fault::SinkUnavailable,
    Fault::SinkAnswerLost,
];

fn orders() -> impl Strategy<Value = Order> {
    let step = |step| Item::Step(step);
    let transaction = |steps: &[Step]| Item::Database(steps.iter().copied().map(step).collect());
    select(vec![
        Order(vec![step(Step::Process), step(Step::Commit)]),
        Order(vec![step(Step::Commit), step(Step::Process)]),
        Order(vec![
            step(Step::SkipIfSeen),
            transaction(&[Step::Process, Step::Remember]),
            step(Step::CommitAsync),
        ]),
        Order(vec![transaction(&[Step::Process, Step::SaveOffset])]),
        Order(vec![
            Item::Each(vec![step(Step::Process), step(Step::StoreOffset)]),
            step(Step::Commit),
        ]),
    ])
}

fn producers() -> impl Strategy<Value = ProducerSettings> {
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
    let acks = select(vec![Acks::None, Acks::Leader, Acks::All]);
    (
        any::<bool>(),
        acks,
        0..3u8,
        any::<bool>(),
        1..4u32,
        confirm,
        failure,
        restart,
        sources(),
        any::<bool>(),
    )
        .prop_map(
            |(
                idempotence,
                acks,
                retries,
                capped,
                max_in_flight,
                confirm_on,
                on_send_failure,
                on_restart,
                source,
                id_expires_first,
            )| {
                ProducerSettings {
                    acks: if idempotence { Acks::All } else { acks },
                    idempotence,
                    retries: if idempotence { retries.max(1) } else { retries },
                    retries_are_capped: capped,
                    max_in_flight,
                    confirm_on,
                    on_send_failure,
                    on_restart,
                    source,
                    id_expires_first,
                }
            },
        )
}

fn sources() -> impl Strategy<Value = Source> {
    let outbox = |order, cursor| Source::Outbox { order, cursor };
    select(vec![
        Source::Memory,
        outbox(OutboxOrder::PublishMark, OutboxCursor::Status),
        outbox(OutboxOrder::MarkPublish, OutboxCursor::Status),
        outbox(OutboxOrder::PublishMark, OutboxCursor::HighestId),
        Source::DualWrite(DualWriteOrder::DatabaseFirst),
        Source::DualWrite(DualWriteOrder::KafkaFirst),
    ])
}

fn rules() -> impl Strategy<Value = KafkaRules> {
    select(vec![
        KafkaRules::CURRENT,
        KafkaRules {
            producer_state_outlives_records: false,
            unknown_producer_starts_anywhere: false,
            ..KafkaRules::CURRENT
        },
        KafkaRules {
            producer_state_outlives_records: false,
            unknown_producer_starts_anywhere: false,
            java_bumps_epoch: false,
            truncation_noticed: false,
        },
    ])
}

fn sinks() -> impl Strategy<Value = SinkSettings> {
    let effect = select(vec![
        Effect::Add,
        Effect::Upsert,
        Effect::External {
            idempotency_key: true,
        },
    ]);
    let dedup = select(vec![Dedup::Durable, Dedup::Separate, Dedup::Memory]);
    let key = select(vec![DedupKey::Record, DedupKey::Offset]);
    (effect, dedup, key).prop_map(|(effect, dedup, dedup_key)| SinkSettings {
        effect,
        dedup,
        dedup_insert: DedupInsert::Unique,
        dedup_key,
        dedup_window: None,
        fencing: false,
        version_guard: false,
    })
}

fn pipelines() -> impl Strategy<Value = Pipeline> {
    let client = select(vec![Client::Java, Client::Librdkafka]);
    let reset = select(vec![
        OffsetReset::Earliest,
        OffsetReset::Latest,
        OffsetReset::None,
    ]);
    let auto = select(vec![
        AutoCommit::Off,
        AutoCommit::AtPoll,
        AutoCommit::Background {
            automatic_store: true,
        },
        AutoCommit::Background {
            automatic_store: false,
        },
    ]);
    let covers = select(vec![
        CommitCovers::Next,
        CommitCovers::Last,
        CommitCovers::Position,
    ]);
    let start = select(vec![Start::Joined, Start::Cold]);
    let budget = subsequence(FAULTS.to_vec(), 1..=4);
    (
        (producers(), sinks(), rules()),
        client,
        orders(),
        reset,
        auto,
        covers,
        start,
        budget,
        1..=2u8,
        2..=3u8,
    )
        .prop_map(
            |(
                (producer, sink, rules),
                client,
                order,
                offset_reset,
                auto_commit,
                commit_covers,
                start,
                faults,
                records,
                total,
            )| {
                let mut pipeline = pipeline(&[]);
                pipeline.client = client;
                pipeline.producer = producer;
                pipeline.sink = sink;
                pipeline.rules = rules;
                pipeline.consumer.order = order;
                pipeline.consumer.offset_reset = offset_reset;
                pipeline.consumer.auto_commit = auto_commit;
                pipeline.consumer.commit_covers = commit_covers;
                pipeline.bounds.start = start;
                pipeline.bounds.records = records;
                pipeline.bounds.poll = records;
                pipeline.faults = FaultBudget {
                    entries: faults
                        .into_iter()
                        .map(|fault| (FaultKey { fault, call: None }, 2))
                        .collect(),
                    total: Some(total),
                };
                pipeline
            },
        )
}

/// How many states of a pipeline are looked at: the deepest first, where values are largest.
const STATES: usize = 5_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_state_stays_within_its_limits_and_packs_without_loss(pipeline in pipelines()) {
        let cluster = Cluster::new(pipeline).expect("small");
        let mut words = vec![0; cluster.words()];
        let mut seen: HashSet<State> = HashSet::new();
        let mut stack = cluster.init_states();
        while let Some(state) = stack.pop() {
            if seen.len() == STATES || !seen.insert(state) {
                continue;
            }
            // Packing panics on a value above its limit.
            cluster.pack(&state, &mut words);
            prop_assert_eq!(cluster.unpack(&words), state);
            let mut actions = Vec::new();
            cluster.actions(&state, &mut actions);
            stack.extend(actions.into_iter().filter_map(|action| cluster.next_state(&state, action)));
        }
    }
}
