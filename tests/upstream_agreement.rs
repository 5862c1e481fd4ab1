//! semel's engine and Stateright's own depth-first search see the same graph of pipelines with an
//! outbox, a dual write, and faults of the producer's side.

#[path = "../models/tests/common/mod.rs"]
mod common;

use semel::Guarantee;
use semel::explore::{Options, Outcome, explore};
use semel_models::cluster::Cluster;
use semel_models::fault::Fault;
use semel_models::pipeline::{
    ConfirmOn, DualWriteOrder, KafkaRules, OutboxCursor, OutboxOrder, Pipeline, Source,
};
use stateright::{Checker, Model};

fn assert_same_graph(pipeline: Pipeline) {
    let cluster = Cluster::new(pipeline).expect("within the limits");
    let found = explore(&cluster, &Options::default(), &mut |_| {});
    assert_eq!(found.outcome(), Outcome::Complete);
    let checker = cluster.clone().checker().spawn_dfs().join();
    assert_eq!(found.unique_states(), checker.unique_state_count() as u64);
    for guarantee in Guarantee::ALL {
        let violated = found.violation(guarantee as usize).is_some();
        let discovered = checker.discovery(guarantee.name()).is_some();
        assert_eq!(violated, discovered, "{guarantee}");
    }
}

fn sources() -> Vec<Source> {
    let orders = [OutboxOrder::PublishMark, OutboxOrder::MarkPublish];
    let cursors = [OutboxCursor::Status, OutboxCursor::HighestId];
    let outbox = orders
        .into_iter()
        .flat_map(|order| cursors.map(|cursor| Source::Outbox { order, cursor }));
    let dual = [DualWriteOrder::DatabaseFirst, DualWriteOrder::KafkaFirst].map(Source::DualWrite);
    outbox.chain(dual).collect()
}

#[test]
fn both_engines_see_the_same_graph_of_every_source() {
    for source in sources() {
        let mut pipeline = common::pipeline(&[
            Fault::ProducerCrash,
            Fault::ResponseLost,
            Fault::ProducerPause,
            Fault::Abort,
        ]);
        pipeline.producer.source = source;
        pipeline.producer.confirm_on = ConfirmOn::DatabaseCommit;
        assert_same_graph(pipeline);
    }
}

#[test]
fn both_engines_see_the_same_graph_under_every_rule() {
    let older = KafkaRules {
        producer_state_outlives_records: false,
        unknown_producer_starts_anywhere: false,
        java_bumps_epoch: false,
        sequences_outlive_metadata: false,
        recreated_topic_noticed: false,
        produce_names_ids: false,
        truncation_noticed: false,
        ..KafkaRules::CURRENT
    };
    for rules in [KafkaRules::CURRENT, older] {
        let mut pipeline = common::pipeline(&[
            Fault::Retention,
            Fault::ProducerIdExpiry,
            Fault::RequestDelayed,
            Fault::PowerLoss,
        ]);
        pipeline.rules = rules;
        assert_same_graph(pipeline);
    }
}
