//! Dead-letter and retry topics: which faults are not modelled beside them, in one place.
//!
//! These topics have no replicas in the model: what is written there stays, and a write waits for no leader. Only
//! the loss of power of every broker takes dead letters along.

use semel_models::fault::{Fault, FaultBudget};
use semel_models::order::Order;
use semel_models::pipeline::{Acks, Pipeline};

use super::super::report::Report;
use super::super::resolve::Parts;
use super::{produces, writes};

/// Whether the model knows what the fault does where dead letters or retries are written.
pub(crate) fn go_with(fault: Fault) -> bool {
    !fault.strikes_brokers() || fault == Fault::PowerLossAll
}

/// Whether the fault is known where `pipeline` meets no other one.
pub(super) fn go_with_alone(pipeline: &Pipeline, fault: Fault) -> bool {
    let consumer = &pipeline.consumer;
    let from_results = consumer.writes_failed() && fails_with_results(consumer.produces(), fault);
    !from_results || go_with(fault)
}

/// Whether results that fail lead to records that are written there: in a transaction they abort it.
fn fails_with_results(produces: bool, fault: Fault) -> bool {
    produces && fault.strikes_brokers()
}

/// Refuses by name what is not modelled where dead letters or retries are written.
pub(super) fn check(
    parts: &Parts<'_>,
    order: Option<&Order>,
    faults: &FaultBudget,
    report: &mut Report,
) {
    let application = parts.application;
    let produces = produces(order);
    // Something fails first, unless a result does by the same fault.
    let enough = if produces { 1 } else { 2 };
    if !writes(application) || faults.total() < enough {
        return;
    }
    let mut all = faults.entries.iter().map(|(key, _)| key.fault);
    if !all.any(|fault| fault.fails_handling() || fails_with_results(produces, fault)) {
        return;
    }
    let what = "a dead-letter or retry topic that is written";
    for (key, _) in &faults.entries {
        let meets = parts.topic.replication.replicas > 1
            || !matches!(key.fault, Fault::LeaderChange | Fault::ReplicaLag);
        if meets && !go_with(key.fault) {
            report
                .not_modelled(
                    application.after_attempts.at,
                    format!("{what} together with the fault `{key}`"),
                )
                .because("The fault may strike the broker of that topic as well, take what it holds, or make a write time out.")
                .write("Leave the fault out, or those by which handling fails (process-failure, process-failure-late, poison, sink-unavailable, sink-answer-lost).");
        }
    }
    let unanswered = parts.output.is_some_and(|own| own.acks == Acks::None);
    if unanswered && faults.contains(Fault::ConsumerCrash) {
        report
            .not_modelled(
                parts
                    .output_producer
                    .at("acks")
                    .or(parts.output_producer.at("request.required.acks")),
                format!("{what} with acks = 0 together with the fault `consumer-crash`"),
            )
            .because("With acks=0 a record counts as written while it is on its way, and goes with the process.")
            .write("Write acks = 1 or \"all\" in [output.producer], or leave the fault out.");
    }
}
