//! Random budgets.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use semel_models::fault::{Call, Fault, FaultBudget, FaultKey};

/// Every fault that a design with one replica can meet.
const FAULTS: &[Fault] = &[
    Fault::ProducerCrash,
    Fault::ConsumerCrash,
    Fault::GracefulRestart,
    Fault::ProducerPause,
    Fault::ConsumerPause,
    Fault::SlowProcessing,
    Fault::Rebalance,
    Fault::ProcessFailure,
    Fault::ProcessFailureLate,
    Fault::Poison,
    Fault::Abort,
    Fault::SinkUnavailable,
    Fault::SinkAnswerLost,
    Fault::RequestLost,
    Fault::ResponseLost,
    Fault::RequestRefused,
    Fault::RequestDelayed,
    Fault::DeliveryTimeout,
    Fault::BrokerCrash,
    Fault::PowerLoss,
    Fault::PowerLossAll,
    Fault::DiskLoss,
    Fault::LeaderChange,
    Fault::ReplicaLag,
    Fault::ProducerIdExpiry,
    Fault::OffsetsExpiry,
    Fault::DedupExpiry,
    Fault::Retention,
    Fault::OffsetReset,
    Fault::TransactionTimeout,
    Fault::Compaction,
    Fault::CoordinatorFailover,
    Fault::TopicRecreate,
    Fault::StaleMetadata,
];

/// Some of them, one or two of each, for any call or for one.
pub fn budgets() -> impl Strategy<Value = FaultBudget> {
    let calls = [
        Call::Produce,
        Call::OffsetCommit,
        Call::OutputProduce,
        Call::TxnOffsetCommit,
        Call::EndTxn,
    ];
    let calls = prop::option::weighted(0.3, select(calls.to_vec()));
    let faults = subsequence(FAULTS.to_vec(), 1..=4);
    let counts = prop::collection::vec(1..=2u16, 4);
    (faults, counts, calls, 1..=3u16).prop_map(|(faults, counts, call, total)| {
        let entry = |(fault, count): (Fault, u16)| {
            let call = call.filter(|_| fault.strikes_calls());
            (FaultKey { fault, call }, count)
        };
        FaultBudget {
            entries: faults.into_iter().zip(counts).map(entry).collect(),
            total: Some(total),
        }
    })
}

/// What can strike an upstream that sends in transactions, and its readers.
pub fn transaction_budgets() -> impl Strategy<Value = FaultBudget> {
    let faults = [
        Fault::ProducerCrash,
        Fault::ConsumerCrash,
        Fault::ProducerPause,
        Fault::Abort,
        Fault::TransactionTimeout,
        Fault::CoordinatorFailover,
        Fault::StaleMetadata,
        Fault::RequestLost,
        Fault::ResponseLost,
        Fault::RequestRefused,
        Fault::RequestDelayed,
        Fault::DeliveryTimeout,
        Fault::ConsumerPause,
        Fault::ProcessFailure,
    ];
    let calls = [
        Call::Produce,
        Call::OutputProduce,
        Call::TxnOffsetCommit,
        Call::InitProducerId,
        Call::AddPartitions,
        Call::EndTxn,
    ];
    let calls = prop::option::weighted(0.3, select(calls.to_vec()));
    let counts = prop::collection::vec(1..=2u16, 4);
    let faults = subsequence(faults.to_vec(), 1..=4);
    (faults, counts, calls, 1..=3u16).prop_map(|(faults, counts, call, total)| {
        let entry = |(fault, count): (Fault, u16)| {
            let call = call.filter(|_| fault.strikes_calls());
            (FaultKey { fault, call }, count)
        };
        FaultBudget {
            entries: faults.into_iter().zip(counts).map(entry).collect(),
            total: Some(total),
        }
    })
}
