//! A second partition, from the start or added while the pipeline runs: with what it is modelled, in one
//! place.

use semel_models::fault::{Fault, FaultBudget};
use semel_models::order::{Order, Step};
use semel_models::pipeline::{AutoCommit, Client, GroupProtocol};

use super::choices::{
    AfterAttempts, Assignment, Choice, DedupKey, OnCommitFailure, OnRevoke, RecordSource,
};
use super::report::Report;
use super::resolve::Parts;
use super::source::Span;
use super::version::Rule;

/// Refuses by name what goes together with a second partition and is not modelled with it.
pub(crate) fn check(
    parts: &Parts<'_>,
    order: Option<&Order>,
    faults: &FaultBudget,
    report: &mut Report,
) {
    let from_the_start = parts.bounds.partitions.value > 1;
    let second = match from_the_start {
        true => "partitions = 2",
        false if faults.contains(Fault::AddPartition) => "the fault add-partition",
        false => return,
    };
    let refused = of_faults(faults, from_the_start)
        .or_else(|| of_results(order))
        .or_else(|| of_clients(parts))
        .or_else(|| of_application(parts))
        .or_else(|| of_instances(parts, from_the_start))
        .or_else(|| of_order(order))
        .or_else(|| of_offsets(parts));
    if let Some((with, at)) = refused {
        report
            .not_modelled(at, format!("{second} together with {with}"))
            .because(match from_the_start && faults.contains(Fault::AddPartition) {
                true => "What lies between three partitions lies between two.",
                false => "Offsets, sequence numbers and requests are by partition, and what this does to those of two is not modelled.",
            })
            .write(match from_the_start {
                true => "Write partitions = 1, or take away what does not go together with two.",
                false => "Take the fault away, or what it does not go together with.",
            });
    }
}

type Refused = Option<(String, Option<Span>)>;

fn of_faults(faults: &FaultBudget, from_the_start: bool) -> Refused {
    if from_the_start && faults.contains(Fault::AddPartition) {
        return Some(("the fault add-partition".into(), None));
    }
    let mut added = faults.entries.iter();
    if added.any(|(key, count)| key.fault == Fault::AddPartition && *count > 1) {
        return Some(("itself: only one partition is added".into(), None));
    }
    let mut entries = faults.entries.iter();
    let other = entries.find(|(key, _)| !goes_with(key.fault))?;
    Some((format!("the fault {}", other.0), None))
}

/// Whether the model knows what the fault does beside a second partition.
pub(crate) fn goes_with(fault: Fault) -> bool {
    match fault {
        Fault::AddPartition
        | Fault::ProducerCrash
        | Fault::ConsumerCrash
        | Fault::GracefulRestart
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
        | Fault::CoordinatorFailover
        | Fault::OffsetsExpiry
        | Fault::DedupExpiry
        | Fault::ProducerPause
        | Fault::RequestDelayed
        | Fault::DeliveryTimeout
        | Fault::ProducerIdExpiry
        | Fault::Retention
        | Fault::OffsetReset => true,
        Fault::TransactionTimeout
        | Fault::BrokerCrash
        | Fault::PowerLoss
        | Fault::PowerLossAll
        | Fault::DiskLoss
        | Fault::LeaderChange
        | Fault::ReplicaLag
        | Fault::Compaction
        | Fault::TopicRecreate
        | Fault::StaleMetadata => false,
    }
}

fn of_clients(parts: &Parts<'_>) -> Refused {
    let versions = &parts.versions;
    let cooperative = parts
        .group
        .as_ref()
        .is_some_and(|group| group.protocol == GroupProtocol::Cooperative);
    if parts.rules.producer.idempotence && versions.library == Client::Librdkafka {
        let at = parts.producer.at("enable.idempotence");
        Some(("an idempotent producer of librdkafka".into(), at))
    } else if parts.rules.producer.idempotence && !versions.has(Rule::LocalEpochBump) {
        let with = "an idempotent Java producer before 2.5";
        Some((with.into(), parts.versions_at.1))
    } else if cooperative {
        let at = parts.consumer.at("partition.assignment.strategy");
        Some(("a cooperative consumer".into(), at))
    } else if parts.topic.compacted {
        Some(("cleanup.policy = \"compact\"".into(), None))
    } else {
        None
    }
}

/// Two consumers share two partitions in eager rebalances that owe nothing, from the start.
fn of_instances(parts: &Parts<'_>, from_the_start: bool) -> Refused {
    let application = parts.application;
    let (Some(group), true) = (parts.group.as_ref(), application.instances.value > 1) else {
        return None;
    };
    let with = |what: &str| format!("instances = {} and {what}", application.instances.value);
    let at = application.instances.at;
    if !from_the_start {
        Some((format!("instances = {}", application.instances.value), at))
    } else if group.protocol != GroupProtocol::Eager {
        Some((
            with("a protocol in which a member keeps one partition while another moves"),
            at,
        ))
    } else if group.sticky {
        Some((with("a sticky assignor"), at))
    } else if group.static_membership {
        Some((with("group.instance.id"), at))
    } else if group.revokes_in_background || group.rejoins_in_background {
        Some((with("a client that rebalances without a listener"), at))
    } else if parts.rules.consumer.auto_commit != AutoCommit::Off {
        Some((with("automatic commit"), at))
    } else {
        None
    }
}

fn of_application(parts: &Parts<'_>) -> Refused {
    let application = parts.application;
    if application.workers.value > 0 {
        Some(("`workers`".into(), application.workers.at))
    } else if application.assignment.value == Assignment::Assign {
        Some(("assignment = \"assign\"".into(), application.assignment.at))
    } else if application.source.value == RecordSource::Transaction {
        Some(("source = \"transaction\"".into(), application.source.at))
    } else if application.after_attempts.value == AfterAttempts::RetryTopic {
        let at = application.after_attempts.at;
        Some(("then = \"retry-topic\"".into(), at))
    } else if application.on_revoke.value == OnRevoke::Commit {
        Some(("on-revoke = \"commit\"".into(), application.on_revoke.at))
    } else if application.on_lost.value == OnRevoke::Commit {
        Some(("on-lost = \"commit\"".into(), application.on_lost.at))
    } else {
        None
    }
}

/// Results are written to an output topic of one partition; offsets that a transaction commits, and to which
/// an abort goes back, are those of one.
fn of_results(order: Option<&Order>) -> Refused {
    let writes = |order: &Order| {
        let steps = [Step::Produce, Step::ProduceAsync];
        order.has_transactions() || steps.into_iter().any(|step| order.contains(step))
    };
    order
        .is_some_and(writes)
        .then(|| ("`produce` or `kafka[...]`".into(), None))
}

fn of_order(order: Option<&Order>) -> Refused {
    let others = [Step::CommitAsync, Step::SaveOffset];
    let other = others
        .into_iter()
        .find(|step| order.is_some_and(|order| order.contains(*step)))?;
    Some((format!("`{}`", other.name()), None))
}

fn of_offsets(parts: &Parts<'_>) -> Refused {
    let (application, sink) = (parts.application, parts.sink);
    if application.on_commit_failure.value != OnCommitFailure::RetryLatest {
        let failure = &application.on_commit_failure;
        let with = format!("on-commit-failure = \"{}\"", failure.value.name());
        Some((with, failure.at))
    } else if sink.dedup_key.value == DedupKey::Offset {
        Some(("dedup-key = \"offset\"".into(), sink.dedup_key.at))
    } else if sink.version_guard.value {
        Some(("version-guard = true".into(), sink.version_guard.at))
    } else {
        None
    }
}
