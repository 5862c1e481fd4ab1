//! No pipeline outgrows the limits that were computed for it, and every state packs without loss.

#[path = "limits/consumer.rs"]
mod consumer;
#[path = "limits/faults.rs"]
mod faults;
#[path = "limits/output.rs"]
mod output;
#[path = "limits/upstream.rs"]
mod upstream;

use consumer::{consumers, groups, sinks};
use faults::budgets;
use proptest::prelude::*;
use proptest::sample::select;
use semel_models::cluster::{Cluster, Reductions, State};
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::*;
use semel_models::subject::Subject;
use semel_models::transaction_coordinator::{TransactionRules, TransactionVersion};
use stateright::Model;
use std::collections::HashSet;
use upstream::{producers, rules};

fn topics() -> impl Strategy<Value = TopicSettings> {
    let flush = select(vec![None, None, Some(1), Some(2)]);
    let flags = any::<[bool; 3]>();
    (flush, flags, replications()).prop_map(
        |(flush_messages, [retention, compacted, cleaned], replication)| TopicSettings {
            replication,
            flush_messages,
            flushes_internal_topics: false,
            retention,
            compacted,
            cleaned: compacted && cleaned,
        },
    )
}

pub(crate) fn replications() -> impl Strategy<Value = ReplicationSettings> {
    let replicas = select(vec![1, 1, 2, 3]);
    (replicas, 1..=2u16, any::<bool>(), any::<bool>()).prop_map(
        |(replicas, minimum, unclean_leader_election, eligible_leader_replicas)| {
            let several = replicas > 1;
            ReplicationSettings {
                replicas,
                min_in_sync: minimum.min(replicas),
                unclean_leader_election: several && unclean_leader_election,
                eligible_leader_replicas: several && eligible_leader_replicas,
            }
        },
    )
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let start = select(vec![Start::Joined, Start::Cold]);
    (1..=3u16, any::<bool>(), any::<bool>(), start).prop_map(|(records, keys, poll, start)| {
        Bounds {
            records,
            partitions: 1,
            keys: if keys { records } else { 1 },
            poll: if poll { records } else { 1 },
            retries: 2,
            start,
        }
    })
}

/// Pipelines that a design can state.
fn pipelines() -> impl Strategy<Value = Pipeline> {
    let client = select(vec![Client::Java, Client::Librdkafka]);
    let parts = (producers(), consumers(), groups(), sinks(), topics());
    (client, parts, rules(), budgets(), bounds()).prop_map(
        |(client, (producer, consumer, group, sink, topic), rules, faults, bounds)| {
            let mut pipeline = Pipeline {
                client,
                producer,
                consumer,
                group,
                sink,
                topic,
                rules,
                faults,
                bounds,
            };
            fit(&mut pipeline);
            pipeline
        },
    )
}

/// Pipelines that send in transactions.
fn transactional() -> impl Strategy<Value = Pipeline> {
    let size = 1..=2u16;
    let versions = select(vec![
        (TransactionVersion::One, true),
        (TransactionVersion::One, false),
        (TransactionVersion::Two, true),
    ]);
    let isolation = select(vec![Isolation::ReadCommitted, Isolation::ReadUncommitted]);
    let parts = (size, versions, isolation, any::<bool>());
    (pipelines(), faults::transaction_budgets(), parts).prop_map(
        |(mut pipeline, budget, (size, (version, verifies), isolation, can_expect))| {
            let two = version == TransactionVersion::Two;
            if two {
                pipeline.client = Client::Java;
            }
            pipeline.faults = budget;
            pipeline.topic.replication = ReplicationSettings::ONE;
            pipeline.rules = KafkaRules {
                transactions: TransactionRules {
                    version,
                    verifies,
                    epoch_can_be_expected: two || can_expect,
                    ..TransactionRules::CURRENT
                },
                ..KafkaRules::CURRENT
            };
            pipeline.consumer.isolation = isolation;
            pipeline.producer.source = Source::Transaction {
                records_per_transaction: size,
            };
            pipeline.producer.idempotence = true;
            pipeline.producer.acks = Acks::All;
            pipeline.producer.confirm_on = ConfirmOn::Ack;
            output::fit(&mut pipeline);
            if pipeline.producer.on_send_failure == OnSendFailure::Ignore {
                pipeline.producer.on_send_failure = OnSendFailure::Resend;
            }
            pipeline
        },
    )
}

/// Takes away what the design reader refuses in one part for another's sake.
fn fit(pipeline: &mut Pipeline) {
    let Pipeline {
        producer,
        group,
        consumer,
        sink,
        ..
    } = pipeline;
    let two = pipeline.rules.transactions.version == TransactionVersion::Two;
    pipeline.rules.skipped_number_fails_transaction |= two || producer.is_transactional();
    if matches!(producer.source, Source::Outbox { .. }) {
        producer.on_restart = OnRestart::Forget;
    } else if producer.source == Source::Memory && producer.confirm_on == ConfirmOn::DatabaseCommit
    {
        producer.confirm_on = ConfirmOn::Ack;
    }
    if group.assignment == Assignment::Assign {
        (consumer.on_revoke, consumer.on_lost) = (OnRevoke::Nothing, OnRevoke::Nothing);
        sink.fencing = false;
    }
    let in_database = |order: &Order, step: Step| {
        let holds = |item: &Item| match item {
            Item::Database(_) => Order(vec![item.clone()]).contains(step),
            Item::Step(_) | Item::Each(_) | Item::Kafka(_) => false,
        };
        order.0.iter().any(holds)
    };
    if matches!(sink.effect, Effect::External { .. }) {
        sink.fencing = false;
        if in_database(&consumer.order, Step::Process) {
            sink.effect = Effect::Add;
        }
    }
    if in_database(&consumer.order, Step::Remember) {
        sink.dedup = Dedup::Durable;
    }
    if !consumer.order.contains(Step::Remember) {
        sink.dedup_window = None;
    }
    let guards = sink.effect == Effect::Upsert || consumer.order.contains(Step::SaveOffset);
    sink.version_guard &= guards;
    output::fit(pipeline);
    let Pipeline { consumer, sink, .. } = pipeline;
    if consumer.on_process_failure.then == AfterAttempts::RetryTopic {
        (sink.dedup_key, sink.version_guard) = (DedupKey::Record, false);
    }
}

/// How many states of a pipeline are looked at in one descent.
const STATES: usize = 1_000;

/// Descents into one pipeline.
const DESCENTS: u64 = 5;

/// Looks at states, the deepest first, where values are largest; which way down is taken first
/// depends on `seed`.
fn descend(cluster: &Cluster, mut seed: u64) -> Result<(), TestCaseError> {
    let mut words = vec![0; cluster.words()];
    let mut seen: HashSet<State> = HashSet::new();
    let mut stack = cluster.init_states();
    while let Some(state) = stack.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        if seen.len() > STATES {
            break;
        }
        // Packing panics on a value above its limit.
        cluster.pack(&mut state.clone(), &mut words);
        prop_assert_eq!(&cluster.unpack(&words), &state);
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        let next = actions
            .into_iter()
            .filter_map(|action| cluster.next_state(&state, action));
        let mut next: Vec<State> = next.collect();
        for last in (1..next.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            next.swap(last, (seed >> 33) as usize % (last + 1));
        }
        stack.extend(next);
    }
    Ok(())
}

/// How many pipelines are tried: `SEMEL_CASES` times as many, where that is set.
fn cases() -> u32 {
    let stated = std::env::var("SEMEL_CASES").ok();
    let factor = stated.map_or(1, |text| text.parse().expect("a whole number"));
    100 * factor
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_global_rejects: 4 * cases(),
        ..ProptestConfig::with_cases(cases())
    })]

    #[test]
    fn every_state_stays_within_its_limits_and_packs_without_loss(
        pipeline in pipelines(),
        whole in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut reductions = if whole { Reductions::NONE } else { Reductions::ALL };
        reductions.commuting_steps = false;
        let Ok(cluster) = Cluster::with_reductions(pipeline, reductions) else {
            return Err(TestCaseError::reject("too large"));
        };
        for descent in 0..DESCENTS {
            descend(&cluster, seed ^ descent)?;
        }
    }

    #[test]
    fn transactions_stay_within_their_limits_too(
        pipeline in transactional(),
        whole in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut reductions = if whole { Reductions::NONE } else { Reductions::ALL };
        reductions.commuting_steps = false;
        let Ok(cluster) = Cluster::with_reductions(pipeline, reductions) else {
            return Err(TestCaseError::reject("too large"));
        };
        for descent in 0..DESCENTS {
            descend(&cluster, seed ^ descent)?;
        }
    }
}
