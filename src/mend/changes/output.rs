//! Changes to how results are written, and read.

use semel_models::pipeline::{Pipeline, PreparedTransaction};

use super::super::change::Change;
use super::{idempotence, log_changes, states};
use crate::design::{Design, Rule, Table};

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
    if consumer.produces() && pipeline.faults.strikes_brokers() {
        changes.push(Change::set(Table::OutputTopic, "replication.factor", "3"));
        log_changes(Table::OutputTopic, &output.replication, changes);
    }
}

const RESUME: (&str, &str) = ("prepared-transaction", "resume");
const ENDLESS: &str = "2147483647";

/// A start that commits what the database says is prepared, and a transaction that is still open then.
/// Without the first nobody needs the second, and who is to end what is open should be known.
pub(super) fn two_phase(design: &Design, changes: &mut Vec<Change>) {
    let pipeline = design.pipeline();
    if !pipeline.consumer.has_transactions() {
        return;
    }
    let resume = || Change::word(Table::Application, RESUME.0, RESUME.1);
    changes.push(resume());
    let can_be_endless = design.versions().has(Rule::EndlessTimeout);
    if !can_be_endless || !pipeline.consumer.output.transactions_time_out {
        return;
    }
    let endless = |change: Change| {
        const FLAG: &str = "transaction.two.phase.commit.enable";
        let change = change
            .and(Table::OutputProducer, "transaction.timeout.ms", ENDLESS)
            .and(Table::Broker, "transaction.max.timeout.ms", ENDLESS);
        match states(design, Table::OutputProducer, FLAG) {
            true => change.and_without(Table::OutputProducer, FLAG),
            false => change,
        }
    };
    changes.push(endless(
        match pipeline.consumer.output.prepared_transaction {
            PreparedTransaction::Resume => Change::default(),
            PreparedTransaction::Abort => resume(),
        },
    ));
}
