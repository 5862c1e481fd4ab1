//! What the model says of an upstream that sends in transactions, each design with a twin that
//! differs in one setting. Every verdict is the same without reductions.

mod common;

use semel_models::cluster::{Cluster, Reductions};
use semel_models::fault::Fault;
use semel_models::guarantee::Guarantee::{self, *};
use semel_models::pipeline::*;
use semel_models::transaction_coordinator::{TransactionRules, TransactionVersion};
use stateright::{Checker, Model};

fn discovered(pipeline: &Pipeline, reductions: Reductions) -> Vec<Guarantee> {
    let cluster = Cluster::with_reductions(pipeline.clone(), reductions).expect("small");
    let started = std::time::Instant::now();
    let checker = cluster.checker().spawn_dfs().join();
    let violated = |guarantee: &Guarantee| checker.discovery(guarantee.name()).is_some();
    let found = Guarantee::ALL.into_iter().filter(violated).collect();
    println!(
        "{} states, {:?}: {:?}",
        checker.unique_state_count(),
        started.elapsed(),
        found
    );
    found
}

/// Transactions of one record, read by a committed reader.
fn transactional(records: u16, rules: TransactionRules, faults: &[Fault]) -> Pipeline {
    let mut pipeline = common::pipeline(faults);
    pipeline.producer.source = Source::Transaction {
        records_per_transaction: 1,
    };
    pipeline.producer.on_restart = OnRestart::Forget;
    pipeline.consumer.isolation = Isolation::ReadCommitted;
    pipeline.rules.transactions = rules;
    pipeline.bounds.records = records;
    pipeline
}

const TWO: TransactionRules = TransactionRules::CURRENT;
const ONE: TransactionRules = TransactionRules {
    version: TransactionVersion::One,
    ..TransactionRules::CURRENT
};
const UNVERIFIED: TransactionRules = TransactionRules {
    version: TransactionVersion::One,
    verifies: false,
    ..TransactionRules::CURRENT
};

#[test]
fn try_out() {
    for (name, rules) in [("two", TWO), ("one", ONE), ("unverified", UNVERIFIED)] {
        for faults in [
            &[][..],
            &[Fault::ProducerCrash],
            &[Fault::Abort],
            &[Fault::TransactionTimeout],
            &[Fault::DeliveryTimeout],
            &[Fault::RequestDelayed],
            &[Fault::RequestDelayed, Fault::Abort],
            &[Fault::ResponseLost, Fault::Abort],
        ] {
            for isolation in [Isolation::ReadCommitted, Isolation::ReadUncommitted] {
                for client in [Client::Java, Client::Librdkafka] {
                    if client == Client::Librdkafka && name == "two" {
                        continue;
                    }
                    let mut pipeline = transactional(2, rules, faults);
                    pipeline.client = client;
                    pipeline.consumer.isolation = isolation;
                    println!("{name} {client:?} {isolation:?} {faults:?}");
                    discovered(&pipeline, Reductions::ALL);
                }
            }
        }
    }
}
