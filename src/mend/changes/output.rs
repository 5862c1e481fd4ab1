//! Changes to how results are written, and read.

use semel_models::pipeline::Pipeline;

use super::super::change::Change;
use super::idempotence;
use crate::design::Table;

/// Every single change to the settings of the output.
pub(super) fn changes(pipeline: &Pipeline, changes: &mut Vec<Change>) {
    let consumer = &pipeline.consumer;
    let output = &consumer.output;
    if consumer.has_transactions() {
        changes.push(Change::word(
            Table::OutputConsumer,
            "isolation.level",
            "read_committed",
        ));
        for (key, word) in [("on-abort", "seek"), ("transactional-id", "per-partition")] {
            changes.push(Change::word(Table::Application, key, word));
        }
        changes.push(Change::set(Table::Application, "group-metadata", "true"));
    } else if consumer.produces() {
        changes.push(Change::word(Table::OutputProducer, "acks", "all"));
        if !output.idempotence {
            changes.push(idempotence(
                Table::OutputProducer,
                output.acks,
                output.retries,
                output.max_in_flight,
            ));
        }
    }
    if pipeline.strikes_results() {
        replicas(pipeline, changes);
    }
}

/// Changes to the replicas of the output topic.
fn replicas(pipeline: &Pipeline, changes: &mut Vec<Change>) {
    let replication = &pipeline.consumer.output.replication;
    let mut set = |name: &'static str, value: &'static str| {
        changes.push(Change::set(Table::OutputTopic, name, value));
    };
    set("replication.factor", "3");
    if replication.replicas >= 2 && replication.min_in_sync == 1 {
        set("min.insync.replicas", "2");
    }
    set("unclean.leader.election.enable", "false");
    set("flush.messages", "1");
}
