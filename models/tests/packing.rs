//! Every reachable state of varied pipelines packs without loss.

mod common;

use common::pipeline;
use semel_models::cluster::{Cluster, Reductions, State};
use semel_models::fault::Fault;
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::*;
use semel_models::subject::Subject;
use stateright::Model;
use std::collections::HashSet;

/// Explores everything, with whole states; returns how many there are.
fn check_packing(pipeline: &Pipeline, reductions: Reductions) -> usize {
    let cluster = Cluster::with_reductions(pipeline.clone(), reductions).expect("small");
    let mut seen: HashSet<State> = cluster.init_states().into_iter().collect();
    let mut packed = HashSet::new();
    let mut queue: Vec<State> = seen.iter().copied().collect();
    let mut words = vec![0; cluster.words()];
    while let Some(state) = queue.pop() {
        cluster.pack(&state, &mut words);
        assert_eq!(cluster.unpack(&words), state);
        packed.insert(words.clone());
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        for action in actions {
            if let Some(next) = cluster.next_state(&state, action)
                && seen.insert(next)
            {
                queue.push(next);
            }
        }
    }
    assert_eq!(packed.len(), seen.len());
    seen.len()
}

const NETWORK: [Fault; 6] = [
    Fault::ProducerCrash,
    Fault::ConsumerCrash,
    Fault::RequestLost,
    Fault::ResponseLost,
    Fault::RequestRefused,
    Fault::RequestDelayed,
];
const STORAGE: [Fault; 4] = [
    Fault::BrokerCrash,
    Fault::PowerLoss,
    Fault::DiskLoss,
    Fault::ResponseLost,
];

fn variants() -> Vec<Pipeline> {
    let mut variants = Vec::new();
    for faults in [&NETWORK[..], &STORAGE[..]] {
        for client in [Client::Java, Client::Librdkafka] {
            for idempotence in [true, false] {
                let mut pipeline = pipeline(faults);
                pipeline.client = client;
                pipeline.producer.idempotence = idempotence;
                variants.push(pipeline);
            }
        }
        let mut stored = pipeline(faults);
        stored.client = Client::Librdkafka;
        stored.consumer.auto_commit = AutoCommit::Background {
            automatic_store: false,
        };
        stored.consumer.order = Order(vec![
            Item::Database(vec![
                Item::Step(Step::Process),
                Item::Step(Step::Remember),
                Item::Step(Step::SaveOffset),
            ]),
            Item::Step(Step::StoreOffset),
        ]);
        stored.sink.effect = Effect::Upsert;
        stored.bounds.poll = 1;
        variants.push(stored);
        let mut polled = pipeline(faults);
        polled.consumer.auto_commit = AutoCommit::AtPoll;
        polled.consumer.commit_covers = CommitCovers::Position;
        polled.consumer.order = Order(vec![
            Item::Each(vec![
                Item::Step(Step::SkipIfSeen),
                Item::Step(Step::Process),
                Item::Step(Step::Remember),
            ]),
            Item::Step(Step::CommitAsync),
        ]);
        polled.sink.dedup = Dedup::Memory;
        polled.producer.acks = Acks::None;
        polled.producer.idempotence = false;
        variants.push(polled);
    }
    variants
}

#[test]
fn every_reachable_state_packs_without_loss() {
    for pipeline in variants() {
        let reduced = check_packing(&pipeline, Reductions::ALL);
        let full = check_packing(&pipeline, Reductions::NONE);
        println!("{reduced} of {full}");
        assert!(reduced <= full);
    }
}
