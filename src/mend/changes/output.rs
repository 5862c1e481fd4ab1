//! Changes to how results are written, and read.

use super::{Add, MAX_IDEMPOTENT_IN_FLIGHT};
use semel_models::order::{Item, Step};
use semel_models::pipeline::{Acks, Isolation, OnAbort, Pipeline, TransactionalId};

/// Every single change to the settings of the output.
pub(super) fn changes(pipeline: &Pipeline, add: &mut Add<'_>) {
    let consumer = &pipeline.consumer;
    if consumer.produces() && !consumer.has_transactions() {
        add("[output.producer] acks = \"all\"", &|pipeline| {
            pipeline.consumer.output.acks = Acks::All;
        });
        add(
            "[output.producer] enable.idempotence = true, with the acks, retries and requests in flight that it needs",
            &|pipeline| {
                let retries = pipeline.bounds.retries;
                let output = &mut pipeline.consumer.output;
                if !output.idempotence {
                    output.idempotence = true;
                    output.acks = Acks::All;
                    output.max_in_flight = output.max_in_flight.min(MAX_IDEMPOTENT_IN_FLIGHT);
                    if output.retries == 0 {
                        (output.retries, output.retries_are_capped) = (retries, true);
                    }
                }
            },
        );
    }
    if !consumer.has_transactions() {
        return;
    }
    add(
        "[output.consumer] isolation.level = \"read_committed\"",
        &|pipeline| {
            pipeline.consumer.output.isolation = Isolation::ReadCommitted;
        },
    );
    add("[application] on-abort = \"seek\"", &|pipeline| {
        pipeline.consumer.output.on_abort = OnAbort::Seek;
    });
    add("[application] group-metadata = true", &|pipeline| {
        pipeline.consumer.output.group_metadata = true;
    });
    add(
        "[application] transactional-id = \"per-partition\"",
        &|pipeline| {
            pipeline.consumer.output.transactional_id = TransactionalId::PerPartition;
        },
    );
}

/// Orders with the commit inside the Kafka transaction that stands beside it.
pub(super) fn orders(items: &[Item]) -> Vec<Vec<Item>> {
    let mut orders = Vec::new();
    let is_commit = |item: &Item| *item == Item::Step(Step::Commit);
    let transaction = items.iter().position(|item| matches!(item, Item::Kafka(_)));
    if let (Some(commit), Some(_)) = (items.iter().position(is_commit), transaction) {
        let mut joined = items.to_vec();
        joined.remove(commit);
        for item in &mut joined {
            if let Item::Kafka(inner) = item
                && !inner.iter().any(is_commit)
            {
                inner.push(Item::Step(Step::Commit));
            }
        }
        orders.push(joined);
    }
    orders
}
