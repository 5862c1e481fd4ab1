//! Random outputs, and what the design reader refuses beside them.

use super::replications;
use proptest::prelude::*;
use proptest::sample::select;
use semel_models::fault::Fault;
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::*;
use semel_models::transaction_coordinator::{TransactionRules, TransactionVersion};

/// Orders that write results.
pub fn orders() -> Vec<Order> {
    use Step::*;
    let items = |steps: &[Step]| -> Vec<Item> { steps.iter().copied().map(Item::Step).collect() };
    let kafka = |steps: &[Step]| Item::Kafka(items(steps));
    let marked = || Item::Database(items(&[Process, Remember]));
    vec![
        Order(items(&[Produce, Commit])),
        Order(items(&[Commit, ProduceAsync])),
        Order(items(&[SkipIfSeen, Process, ProduceAsync, Flush, Remember])),
        Order(vec![
            Item::Each(items(&[ProduceAsync])),
            Item::Step(Flush),
            Item::Step(CommitAsync),
        ]),
        Order(vec![kafka(&[Produce, Commit])]),
        Order(vec![kafka(&[ProduceAsync]), Item::Step(Commit)]),
        Order(vec![kafka(&[Process, Produce, Commit])]),
        Order(vec![Item::Kafka(vec![
            marked(),
            Item::Step(Produce),
            Item::Step(Commit),
        ])]),
        Order(vec![Item::Kafka(vec![
            Item::Each(items(&[Process, ProduceAsync])),
            Item::Step(Commit),
        ])]),
        Order(vec![
            Item::Each(vec![kafka(&[Produce])]),
            Item::Step(SaveOffset),
        ]),
        Order(vec![Item::Kafka(vec![
            Item::Step(Produce),
            Item::Database(items(&[SaveOffset])),
        ])]),
        Order(vec![Item::Kafka(vec![
            Item::Step(Produce),
            Item::Step(Commit),
            Item::Database(items(&[Process])),
        ])]),
    ]
}

/// Settings of the output, some of which fit no order.
pub fn outputs() -> impl Strategy<Value = OutputSettings> {
    let acks = select(vec![Acks::None, Acks::Leader, Acks::All]);
    let ids = select(vec![
        TransactionalId::Stable,
        TransactionalId::PerStart,
        TransactionalId::PerPartition,
    ]);
    let topic = (replications(), select(vec![None, None, Some(1)]));
    (acks, 0..=2u16, 1..=3u32, ids, any::<[bool; 7]>(), topic).prop_map(
        |(acks, retries, max_in_flight, transactional_id, flags, topic)| OutputSettings {
            acks,
            idempotence: acks == Acks::All && retries > 0,
            retries,
            retries_are_capped: flags[0],
            max_in_flight,
            isolation: match flags[1] {
                true => Isolation::ReadCommitted,
                false => Isolation::ReadUncommitted,
            },
            transactional_id,
            group_metadata: flags[2],
            on_abort: match flags[3] {
                true => OnAbort::Seek,
                false => OnAbort::Continue,
            },
            transactions_time_out: flags[6],
            prepared_transaction: match flags[5] {
                true => PreparedTransaction::Resume,
                false => PreparedTransaction::Abort,
            },
            offsets_are_awaited: flags[4],
            offsets_are_verified: true,
            replication: topic.0,
            flush_messages: topic.1,
        },
    )
}

/// The brokers' rules about transactions.
pub fn transactions() -> impl Strategy<Value = TransactionRules> {
    let first = TransactionRules {
        version: TransactionVersion::One,
        ..TransactionRules::CURRENT
    };
    let unverified = TransactionRules {
        verifies: false,
        ..first
    };
    let before_kip_360 = TransactionRules {
        epoch_can_be_expected: false,
        ..unverified
    };
    let of_2_5 = TransactionRules {
        fenced_epoch_is_known: true,
        ..unverified
    };
    select(vec![
        TransactionRules::CURRENT,
        first,
        unverified,
        before_kip_360,
        of_2_5,
    ])
}

/// Takes away what the design reader refuses beside results.
pub fn fit(pipeline: &mut Pipeline) {
    let consumer = &mut pipeline.consumer;
    consumer.output.offsets_are_verified = pipeline.rules.transactions.verifies;
    if !consumer.produces() {
        return;
    }
    let transactions = consumer.has_transactions();
    let commits = consumer.commits_in_transactions();
    let is_database = |item: &Item| matches!(item, Item::Database(_));
    let prepares = transactions
        && consumer
            .order
            .transactions()
            .iter()
            .all(|inner| inner.last().is_some_and(is_database));
    let output = &mut consumer.output;
    if transactions {
        (output.acks, output.idempotence) = (Acks::All, true);
        if consumer.on_process_failure.goes_on() {
            consumer.on_process_failure.then = AfterAttempts::Skip;
        }
    }
    let stable = output.transactional_id == TransactionalId::Stable;
    if output.transactional_id == TransactionalId::PerStart || !prepares {
        output.prepared_transaction = PreparedTransaction::Abort;
    }
    let waits = stable && pipeline.group.instances > 1;
    if waits && commits {
        output.prepared_transaction = PreparedTransaction::Abort;
    }
    output.transactions_time_out |=
        output.transactional_id == TransactionalId::PerStart || waits && commits;
    let late = !transactions || stable || pipeline.rules.transactions.verifies;
    let rules = &pipeline.rules;
    let new = rules.stale_fetches_refused && rules.java_bumps_epoch;
    let aborts = consumer.output.prepared_transaction == PreparedTransaction::Abort;
    let goes_with_brokers = (!transactions || stable) && new && aborts;
    pipeline.faults.entries.retain(|(key, _)| match key.fault {
        Fault::BrokerCrash
        | Fault::PowerLoss
        | Fault::DiskLoss
        | Fault::LeaderChange
        | Fault::ReplicaLag => goes_with_brokers,
        Fault::PowerLossAll
        | Fault::ProducerIdExpiry
        | Fault::TopicRecreate
        | Fault::StaleMetadata => false,
        Fault::RequestDelayed | Fault::DeliveryTimeout => late,
        _ => true,
    });
    if pipeline.logs_results() && !goes_with_brokers {
        pipeline.faults.entries.clear();
    } else if pipeline.logs_results() {
        pipeline
            .faults
            .entries
            .retain(|(key, _)| !matches!(key.fault, Fault::RequestDelayed | Fault::Poison));
    }
}
