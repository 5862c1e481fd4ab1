//! Results beside faults of brokers: what is not modelled together, in one place.

use semel_models::fault::FaultBudget;
use semel_models::order::Order;
use semel_models::pipeline::{self as model, Pipeline};

use super::super::choices::{Choice, PreparedTransaction, TransactionalId};
use super::super::report::Report;
use super::super::resolve::Parts;
use super::super::version::Rule;

/// Refuses by name what is not modelled where results are written and brokers are struck.
pub(super) fn check(
    parts: &Parts<'_>,
    order: Option<&Order>,
    faults: &FaultBudget,
    report: &mut Report,
) {
    if !faults.strikes_brokers() {
        return;
    }
    let application = parts.application;
    let place = application.order.as_ref().map(|written| written.span);
    for (key, _) in &faults.entries {
        if !model::results::is_followed(key.fault) {
            report
                .not_modelled(
                    place,
                    format!("`produce` or kafka[...] and faults of brokers together with the fault `{key}`"),
                )
                .write("Leave one of the faults out.");
        }
    }
    let Some(order) = order else {
        return;
    };
    let prepared = &application.prepared_transaction;
    if prepared.value == PreparedTransaction::Resume {
        report
            .not_modelled(
                prepared.at,
                "prepared-transaction = \"resume\" together with faults of brokers",
            )
            .write("Take the faults of brokers away.");
    }
    let id = &application.transactional_id;
    let has_transactions = !order.transactions().is_empty();
    if has_transactions && id.value != TransactionalId::Stable {
        report
            .not_modelled(
                id.at,
                format!(
                    "transactional-id = \"{}\" together with faults of brokers",
                    id.value.name()
                ),
            )
            .write("Write transactional-id = \"stable\".");
    }
    if !parts.versions.has(Rule::EpochFencing) {
        report
            .not_modelled(
                parts.versions_at.0,
                format!(
                    "`kafka` = \"{}\" and `produce` or kafka[...] together with faults of brokers",
                    parts.versions.kafka
                ),
            )
            .because("Before Kafka 2.1 replicas and readers do not say which leader epoch they know (KIP-320).")
            .write("Write kafka = \"2.1\" or newer.");
    } else if parts.versions.library == model::Client::Java
        && !parts.versions.has(Rule::LocalEpochBump)
    {
        report
            .not_modelled(
                parts.versions_at.1,
                "a Java client before 2.5 and `produce` or kafka[...] together with faults of brokers",
            )
            .because("Until KIP-360 a producer that lost track starts again under another producer id.")
            .write("Write client-version = \"2.5\" or newer.");
    }
}

/// Whether late requests of any call are not modelled with the results of the design, which meets them only
/// if it names them: a result may come behind its client, or a request to the transaction coordinator be late.
pub(crate) fn leaves_late_requests_out(pipeline: &Pipeline) -> bool {
    let consumer = &pipeline.consumer;
    let coordinate = pipeline.producer.is_transactional() && consumer.has_transactions();
    let is_unfollowed = pipeline.results_come_behind() && !pipeline.can_log_results();
    is_unfollowed || consumer.produces() && coordinate
}

/// Refuses designs whose results may come behind what their clients did without them, where the log that
/// would show it is not modelled. With faults of brokers that has been refused.
pub(crate) fn refuse_unfollowed(parts: &Parts<'_>, pipeline: &Pipeline, report: &mut Report) {
    if pipeline.faults.strikes_brokers()
        || !pipeline.results_come_behind()
        || pipeline.can_log_results()
    {
        return;
    }
    let written = parts.application.order.as_ref().map(|written| written.span);
    report
        .not_modelled(
            written,
            "a result that its client has given up, and that reaches the output topic all the same, in this design",
        )
        .because("A request or an answer of a result can be lost, and its delivery timeout pass while it is sent again; with acks=0 nobody hears of it; a late EndTxn ends the next transaction between two of its calls; and a reader of what is not committed sees it before its transaction ends. That goes with transactional-id = \"stable\", without `poison` and prepared-transaction = \"resume\", and without transactions with Java clients from 2.5 on.")
        .write("Write one of these; or acks other than 0, isolation.level = \"read_committed\" in [output.consumer], a newer `kafka` (from 3.6 on leaders ask for the transaction); or take the faults of the network and the pauses away.");
}
