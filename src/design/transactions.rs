//! Transactions: what clients and brokers refuse of them, which rules are in force, and with what an
//! upstream that sends in transactions is not modelled yet.
//!
//! The feature `transaction.version` came with Kafka 4.0: its levels 1 and 2 need the metadata of
//! that release. 3.9 knows the name and no level above 0, older releases not even the name; so
//! level 0, which is to have none, is all that a cluster before 4.0 can be said to have.

use semel_models::fault::{Fault, FaultBudget};
use semel_models::pipeline::{Client, Isolation};
use semel_models::transaction_coordinator::{TransactionRules, TransactionVersion};

use super::choices::{ConfirmOn, OnSendFailure, RecordSource};
use super::clients::refuse;
use super::diagnostic::Code;
use super::kafka::Properties;
use super::report::Report;
use super::resolve::Parts;
use super::source::Span;
use super::version::{Rule, Versions};
use super::warning::WarningKind;

const ID: &str = "transactional.id";
pub(crate) const TIMEOUT: &str = "transaction.timeout.ms";

/// Whether the producer has a transactional id.
pub(crate) fn has_id(producer: &Properties) -> bool {
    producer
        .get(ID)
        .is_some_and(|stated| !stated.value.is_empty())
}

/// The rules about transactions that brokers and clients have.
pub(crate) fn rules(versions: &Versions, broker: &Properties) -> TransactionRules {
    let finalized = broker.integer("transaction.version").unwrap_or(0);
    let two = finalized >= 2 && versions.has(Rule::TransactionVersion2);
    TransactionRules {
        version: match two {
            true => TransactionVersion::Two,
            false => TransactionVersion::One,
        },
        verifies: verifies(Rule::TransactionVerification, versions, broker),
        timeout_fences: versions.has(Rule::TimeoutFences),
        epoch_can_be_expected: versions.has(Rule::EpochAtCoordinator),
        fenced_epoch_is_known: versions.has(Rule::FencedEpochKnown),
        first_number_is_zero: versions.has(Rule::FirstNumberIsZero),
        fence_raises_twice: two && !versions.has(Rule::FenceRaisesOnce),
    }
}

/// Whether a partition that found a sequence number skipped fails the transaction. A client that would go
/// on, but says which epoch it has, is given another one by brokers of 2.5 only: those before do not know
/// the request, which is fatal, as the failure of a transaction is with them.
pub(crate) fn skipped_number_fails(versions: &Versions) -> bool {
    versions.has(Rule::SkippedNumberFails)
        || versions.has(Rule::SaysItsEpoch) && !versions.has(Rule::FencedEpochKnown)
}

/// Whether a client that lost its place asks for an epoch within its transaction, and fences itself: it
/// says which epoch it has, and brokers from 2.6 on take it for an old one when it asks again.
pub(crate) fn fences_itself(versions: &Versions) -> bool {
    versions.has(Rule::EpochAtCoordinator)
        && !versions.has(Rule::FencedEpochKnown)
        && !versions.has(Rule::AbortBeforeEpoch)
}

/// Whether brokers ask the coordinator for the transaction of what `rule` is about: one setting says so
/// for partitions and for the group's offsets (`ReplicaManager`). Under version 2 it is not asked for:
/// there they add the partition instead.
pub(crate) fn verifies(rule: Rule, versions: &Versions, broker: &Properties) -> bool {
    versions.has(rule) && broker.is_true("transaction.partition.verification.enable")
}

/// `isolation.level` in force. Where nobody sends in transactions, every level means the same.
pub(crate) fn isolation(parts: &Parts<'_>) -> Isolation {
    let is_transactional = parts.application.source.value == RecordSource::Transaction;
    match parts.consumer.text("isolation.level") {
        Some("read_committed") if is_transactional => Isolation::ReadCommitted,
        Some(_) | None => Isolation::ReadUncommitted,
    }
}

/// What goes together with transactions, and what does not. `in_order`: where kafka[...] stands.
pub(crate) fn check(
    parts: &Parts<'_>,
    in_order: Option<Span>,
    faults: &FaultBudget,
    report: &mut Report,
) {
    let source = parts
        .application
        .source
        .at
        .filter(|_| has_id(parts.producer));
    version(parts, source.or(in_order), report);
    for producer in [parts.producer, parts.output_producer] {
        if has_id(producer) {
            timeout(producer, parts.broker, report);
        }
    }
    upstream(parts, faults, report);
}

fn upstream(parts: &Parts<'_>, faults: &FaultBudget, report: &mut Report) {
    let is_transactional = parts.application.source.value == RecordSource::Transaction;
    let has_id = has_id(parts.producer);
    if has_id && !is_transactional {
        report
            .problem(
                Code::Contradiction,
                parts.producer.at(ID),
                "`transactional.id` needs source = \"transaction\"",
            )
            .because("A producer with a transactional id sends in transactions only: send() outside of one fails.")
            .write("Write source = \"transaction\" in [application], or leave the id out.");
    }
    if !is_transactional {
        return;
    }
    if !has_id {
        report
            .problem(
                Code::Contradiction,
                parts.application.source.at,
                "source = \"transaction\" needs `transactional.id` in [producer]",
            )
            .because("Without a transactional id the client knows no transactions: initTransactions() fails.")
            .write("Write transactional.id = \"payments\", or any other name, in [producer].");
    }
    application(parts, report);
    not_yet(parts, faults, report);
}

/// What an application that commits its records cannot mean.
fn application(parts: &Parts<'_>, report: &mut Report) {
    let application = parts.application;
    if application.confirm_on.value == ConfirmOn::Send {
        report
            .problem(
                Code::Contradiction,
                application.confirm_on.at,
                "confirm-on = \"send\" and source = \"transaction\" are two answers to one question",
            )
            .because("The records of a transaction may be relied on when its commit is reported.")
            .write("Leave `confirm-on` out.");
    }
    if application.on_send_failure.value == OnSendFailure::Ignore {
        report
            .problem(
                Code::Contradiction,
                application.on_send_failure.at,
                "on-send-failure = \"ignore\" and source = \"transaction\" cannot both hold",
            )
            .because(
                "After a failed send the client refuses to commit: the application has to abort.",
            )
            .write("Write \"give-up\" or \"resend\".");
    }
}

/// Brokers must know the version that the cluster is said to have; clients that do not know it speak
/// the protocol before. `of`: whose transactions there are.
fn version(parts: &Parts<'_>, of: Option<Span>, report: &mut Report) {
    const NAME: &str = "transaction.version";
    let finalized = parts.broker.integer(NAME).unwrap_or(0);
    let row = Rule::TransactionVersion2.introduction();
    let kafka = parts.versions.kafka;
    if finalized > 0 && !kafka.at_least(row.since) {
        refuse(
            report,
            parts.broker,
            NAME,
            format!("brokers of Kafka {kafka} do not know transaction.version = {finalized}"),
        )
        .because(format!(
            "It came with Kafka {} ({}).",
            row.since, row.reference
        ))
        .write(format!("Write kafka = \"{}\", or leave it out.", row.since));
        return;
    }
    if finalized < 2 || of.is_none() || parts.versions.has(row.rule) {
        return;
    }
    report.warn(
        WarningKind::ResolvedByClient,
        parts.broker.at(NAME).or(of),
        format!(
            "The cluster has transaction.version = {finalized}, but this client speaks the protocol of version 1: one producer epoch serves many transactions. Java clients know version 2 from {} on, librdkafka does not.",
            row.since
        ),
    );
}

/// The coordinator takes no timeout above its own limit.
fn timeout(producer: &Properties, broker: &Properties, report: &mut Report) {
    const MOST: &str = "transaction.max.timeout.ms";
    let most = broker.integer(MOST).unwrap_or(900_000);
    let stated = producer.integer(TIMEOUT).unwrap_or(60_000);
    if stated <= most {
        return;
    }
    let message = format!("the coordinator refuses {TIMEOUT} = {stated}");
    let problem = if producer.is_set(TIMEOUT) {
        refuse(report, producer, TIMEOUT, message)
    } else {
        refuse(report, broker, MOST, message)
    };
    let error = match producer.client {
        Client::Java => {
            "org.apache.kafka.common.errors.InvalidTxnTimeoutException at initTransactions()"
        }
        Client::Librdkafka => {
            "RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT of rd_kafka_init_transactions()"
        }
    };
    problem
        .because(format!("{error}: {MOST} = {most}."))
        .write(format!(
            "Write at most {most}, or raise {MOST} in [broker]."
        ));
}

/// Refuses faults that transactions of the upstream are not modelled with yet.
fn not_yet(parts: &Parts<'_>, faults: &FaultBudget, report: &mut Report) {
    for (key, _) in faults
        .entries
        .iter()
        .filter(|(key, _)| !goes_with(key.fault))
    {
        report
            .not_modelled(
                parts.application.source.at,
                format!("source = \"transaction\" together with the fault `{key}`"),
            )
            .because("A transaction is modelled as long as its coordinator's log keeps what it has, its partition is one log without holes, and no broker forgets its producer.")
            .write("Leave the fault out, or write another source.");
    }
}

/// Whether the model knows what the fault does to an upstream that sends in transactions.
pub(crate) fn goes_with(fault: Fault) -> bool {
    match fault {
        Fault::PowerLossAll
        | Fault::ProducerIdExpiry
        | Fault::Retention
        | Fault::Compaction
        | Fault::AddPartition
        | Fault::TopicRecreate => false,
        Fault::BrokerCrash
        | Fault::PowerLoss
        | Fault::DiskLoss
        | Fault::LeaderChange
        | Fault::ReplicaLag
        | Fault::ProducerCrash
        | Fault::ConsumerCrash
        | Fault::GracefulRestart
        | Fault::ProducerPause
        | Fault::ConsumerPause
        | Fault::SlowProcessing
        | Fault::Rebalance
        | Fault::ProcessFailure
        | Fault::ProcessFailureLate
        | Fault::Poison
        | Fault::Abort
        | Fault::SinkUnavailable
        | Fault::SinkAnswerLost
        | Fault::RequestLost
        | Fault::ResponseLost
        | Fault::RequestRefused
        | Fault::RequestDelayed
        | Fault::DeliveryTimeout
        | Fault::TransactionTimeout
        | Fault::CoordinatorFailover
        | Fault::StaleMetadata
        | Fault::OffsetsExpiry
        | Fault::DedupExpiry
        | Fault::OffsetReset => true,
    }
}
