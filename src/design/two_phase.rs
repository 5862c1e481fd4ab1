//! Two-phase commit (KIP-939): what released clients and brokers make of its settings.
//!
//! `semel_models::cluster`'s module `prepared` says what each release has of it, and what is modelled.

use semel_models::order::{Item, Order, Step};
use semel_models::transaction_coordinator::TransactionVersion;

use super::choices::{Choice, PreparedTransaction, TransactionalId};
use super::clients::refuse;
use super::diagnostic::Code;
use super::java::CONFIG_EXCEPTION;
use super::kafka::Properties;
use super::report::Report;
use super::resolve::Parts;
use super::transactions::{self, TIMEOUT};
use super::version::{Rule, Versions};
use super::warning::WarningKind;

/// `transaction.two.phase.commit.enable`, of producers and of brokers.
const ENABLE: &str = "transaction.two.phase.commit.enable";
const KEY: &str = "prepared-transaction";

/// Whether the coordinator never times a transaction of this producer out: the brokers take its timeout
/// for that of a participant in two-phase commit.
pub(crate) fn is_endless(producer: &Properties, versions: &Versions) -> bool {
    versions.has(Rule::EndlessTimeout)
        && transactions::has_id(producer)
        && producer.integer(TIMEOUT) == Some(i64::from(i32::MAX))
}

/// What the Java producer refuses.
pub(crate) fn timeout_beside(producer: &Properties, report: &mut Report) {
    if producer.is_true(ENABLE) && producer.is_set(TIMEOUT) {
        refuse(
            report,
            producer,
            TIMEOUT,
            format!("the Java producer refuses {TIMEOUT} beside {ENABLE} = true"),
        )
        .because(format!(
            "{CONFIG_EXCEPTION}: transactions of a two-phase commit are not meant to expire."
        ))
        .write(format!("Leave {ENABLE} out: no release up to 4.3 tells its brokers of it, so the transaction would time out after the default all the same."));
    }
}

pub(crate) fn check(parts: &Parts<'_>, order: Option<&Order>, report: &mut Report) {
    for producer in [parts.producer, parts.output_producer] {
        if producer.is_true(ENABLE) {
            let timeout = producer.integer(TIMEOUT).unwrap_or(60_000);
            report.warn(
                WarningKind::NoEffect,
                producer.at(ENABLE),
                format!("{ENABLE} = true: the Java producer {} does not tell the coordinator of it, and has no initTransactions(keepPreparedTxn) (KIP-939 is released in part; KAFKA-19414). Its transactions time out after {timeout} ms, and its restart aborts what is open. From Kafka 4.1 brokers never time a transaction out whose {TIMEOUT} is 2147483647.", parts.versions.client),
            );
        }
    }
    if parts.application.prepared_transaction.value == PreparedTransaction::Resume {
        resume(parts, order, report);
    }
    waits_for_ever(parts, order, report);
}

/// What a start can find to resume.
fn resume(parts: &Parts<'_>, order: Option<&Order>, report: &mut Report) {
    let at = parts.application.prepared_transaction.at;
    let Some(order) = order.filter(|order| order.has_transactions()) else {
        // That it needs kafka[...] has been reported.
        return;
    };
    let prepares = |item: &Item| matches!(item, Item::Database(_) | Item::Step(Step::SaveOffset));
    let is_last = |inner: &&[Item]| {
        let all = inner.iter().filter(|item| prepares(item));
        all.count() == 1 && inner.last().is_some_and(prepares)
    };
    if !order.transactions().iter().all(is_last) {
        report
            .problem(
                Code::Contradiction,
                at,
                format!("{KEY} = \"resume\" needs one db[...], or `save-offset`, as the last of kafka[...]"),
            )
            .because("The transaction is prepared when that database transaction commits: what the next start commits then must hold everything already.")
            .write("Write kafka[produce, db[save-offset]], or leave the key out.");
    }
    not_found(parts, order, report);
    if transactions::rules(&parts.versions, parts.broker).version == TransactionVersion::One {
        report.warn(
            WarningKind::Hazard,
            at,
            format!("{KEY} = \"resume\" under transaction version 1: every transaction of a process has one producer epoch, so the next start may commit one that was never prepared. From Kafka 4.0 Java clients and brokers of transaction.version = 2 give each its own."),
        );
    }
}

/// What a start could not find, or would find in part.
fn not_found(parts: &Parts<'_>, order: &Order, report: &mut Report) {
    let at = parts.application.prepared_transaction.at;
    if order.contains(Step::ProduceAsync) {
        report
            .not_modelled(at, format!("{KEY} = \"resume\" together with `produce-async`"))
            .because("Results that are still on their way when the database commits are not part of what it prepares.")
            .write("Write `produce`.");
    }
    if parts.application.transactional_id.value == TransactionalId::PerStart {
        report
            .not_modelled(
                at,
                format!(
                    "{KEY} = \"resume\" together with transactional-id = \"{}\"",
                    TransactionalId::PerStart.name()
                ),
            )
            .because(
                "A start would have to end transactions under the ids of all starts before it.",
            )
            .write("Write transactional-id = \"stable\" or \"per-partition\".");
    }
}

/// A transaction that nobody ends holds up whoever waits for it. The start of its process ends it.
fn waits_for_ever(parts: &Parts<'_>, order: Option<&Order>, report: &mut Report) {
    let output = parts.output_producer;
    let Some(order) = order.filter(|order| order.has_transactions()) else {
        return;
    };
    let endless = is_endless(output, &parts.versions);
    let application = parts.application;
    let resumes = application.prepared_transaction.value == PreparedTransaction::Resume;
    let ids = &application.transactional_id;
    if endless && ids.value == TransactionalId::PerStart {
        report
            .not_modelled(
                output.at(TIMEOUT),
                format!("{TIMEOUT} = 2147483647 together with transactional-id = \"{}\"", ids.value.name()),
            )
            .because("What a process that is gone left open would never end, and be one more at each start.")
            .write("Write transactional-id = \"stable\" or \"per-partition\", or a shorter timeout.");
    }
    let mut inside = order.transactions().into_iter().flatten();
    let commits = inside.any(|item| matches!(item, Item::Step(Step::Commit)));
    let several = application.instances.value > 1 && ids.value == TransactionalId::Stable;
    if commits && several && (endless || resumes) {
        let (at, what) = match endless {
            true => (output.at(TIMEOUT), format!("{TIMEOUT} = 2147483647")),
            false => (
                application.prepared_transaction.at,
                format!("{KEY} = \"resume\""),
            ),
        };
        report
            .not_modelled(at, format!("{what} together with `commit` in kafka[...] and two instances"))
            .because("Whoever gets the partition of a process that is down waits for its offsets until that one starts again.")
            .write("Write transactional-id = \"per-partition\", instances = 1, or an order that saves its offset in the database.");
    }
}
