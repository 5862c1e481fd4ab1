//! Refuses by name what can be read and is not modelled, or cannot be meant.

use semel_models::fault::{Call, Fault, FaultBudget, FaultKey};
use semel_models::order::{Order, Step};
use semel_models::pipeline::{AutoCommit, Client, CommitCovers, GroupProtocol};

use super::application::Application;
use super::choices::{self, AfterAttempts, Choice};
use super::keys::Stated;
use super::modelled;
use super::order::text::OrderText;
use super::order::{Node, Part};
use super::report::{Report, alternatives};
use super::resolve::Parts;
use super::transactions;
use super::version::{LIBRDKAFKA_VERSIONS, Party, RULES, Rule, Versions, newest, newest_client};

/// What the model makes of a word; refused by name if it makes nothing of it.
pub(crate) fn model<T: Choice, M>(
    key: &str,
    stated: &Stated<T>,
    of: impl Fn(T) -> Option<M>,
    report: &mut Report,
) -> Option<M> {
    let found = of(stated.value);
    // A default that is not modelled follows from a stated source that is refused itself.
    if found.is_none() && stated.is_stated() {
        let accepted = T::ALL.iter().filter(|choice| of(**choice).is_some());
        let accepted: Vec<String> = accepted
            .map(|choice| format!("\"{}\"", choice.name()))
            .collect();
        let accepted = alternatives(accepted.iter().map(String::as_str));
        report
            .not_modelled(stated.at, format!("{key} = \"{}\"", stated.value.name()))
            .write(format!("Accepted: {accepted}."));
    }
    found
}

/// Steps and groups of the order.
pub(crate) fn parts_of_order(application: &Application, report: &mut Report) {
    fn walk(nodes: &[Node], place: &OrderText, report: &mut Report) {
        const ACCEPTED: &str = "Modelled: process, skip-if-seen, remember, commit, commit-async, save-offset, store-offset, produce, produce-async, flush, each(...), db[...] and kafka[...].";
        for node in nodes {
            match &node.part {
                Part::Step(step) if !modelled::step(*step) => {
                    report
                        .not_modelled(place.place(node.span), format!("`{}`", step.name()))
                        .write(ACCEPTED);
                }
                Part::Step(_) => {}
                Part::Group(kind, inner) => {
                    if !modelled::group(*kind) {
                        report
                            .not_modelled(place.place(node.span), kind.shape())
                            .write(ACCEPTED);
                    }
                    walk(inner, place, report);
                }
            }
        }
    }
    if let Some(written) = &application.order {
        walk(&written.nodes, &written.text, report);
    }
}

/// librdkafka's commit without offsets takes what is in the offset store, not the position.
pub(crate) fn position_of_librdkafka(parts: &Parts<'_>, report: &mut Report) {
    let covers = modelled::commit_covers(parts.application.commit_covers.value);
    let manual_store = !parts.rules.consumer.automatic_store
        || matches!(
            parts.rules.consumer.auto_commit,
            AutoCommit::Background {
                automatic_store: false
            }
        );
    let librdkafka = parts.versions.library == Client::Librdkafka;
    if librdkafka && manual_store && covers == Some(CommitCovers::Position) {
        report
            .not_modelled(
                parts.application.commit_covers.at,
                "commit-covers = \"position\" with enable.auto.offset.store = false",
            )
            .because("rd_kafka_commit() without offsets commits what `store-offset` stored, not what the last poll returned.")
            .write("Accepted: commit-covers = \"next\" or \"last\".");
    }
}

/// What makes a design meet a rule that older or newer versions have otherwise.
fn meets(rule: Rule, parts: &Parts<'_>, faults: &FaultBudget) -> bool {
    let any = |named: &[Fault]| named.iter().any(|fault| faults.contains(*fault));
    let idempotent = parts.rules.producer.idempotence;
    let protocol = parts.group.as_ref().map(|group| group.protocol);
    match rule {
        Rule::AnySequenceWithoutState | Rule::LocalEpochBump => {
            idempotent
                && any(&[
                    Fault::ProducerIdExpiry,
                    Fault::Retention,
                    Fault::TopicRecreate,
                    Fault::PowerLoss,
                    Fault::PowerLossAll,
                    Fault::DiskLoss,
                ])
        }
        Rule::AbortBeforeEpoch => {
            let producers = [parts.producer, parts.output_producer];
            producers.into_iter().any(transactions::has_id)
                && fails_deliveries(faults)
                && transactions::fences_itself(&parts.versions)
        }
        // The output's client is modelled whole beside faults of brokers, the upstream's transaction only
        // as long as it has the epoch that it began with. A leader that asks the coordinator refuses what
        // is sent after that.
        Rule::SkippedNumberFails => {
            let upstream = transactions::has_id(parts.producer);
            let results = transactions::has_id(parts.output_producer);
            let is_whole = faults.strikes_brokers();
            let asks = parts.versions.has(Rule::TransactionVerification);
            fails_deliveries(faults)
                && !transactions::skipped_number_fails(&parts.versions)
                && (upstream || results && (asks || !is_whole))
        }
        Rule::FatalInTransactions => {
            let producers = [parts.producer, parts.output_producer];
            producers.into_iter().any(transactions::has_id) && fails_deliveries(faults)
        }
        Rule::EmptyAbortsSkipped => transactions::has_id(parts.producer),
        Rule::TimedCommitsWait => parts.rules.consumer.auto_commit != AutoCommit::Off,
        Rule::ResetForGoodReason => {
            let own = |key: &FaultKey| {
                key.fault.strikes_calls()
                    && !matches!(key.call, Some(Call::Produce | Call::OutputProduce))
            };
            faults.entries.iter().any(|(key, _)| own(key))
        }
        Rule::SequenceAfterLostAnswer => {
            idempotent
                && any(&[
                    Fault::RequestLost,
                    Fault::ResponseLost,
                    Fault::RequestDelayed,
                    Fault::ProducerPause,
                    Fault::DeliveryTimeout,
                    Fault::BrokerCrash,
                    Fault::PowerLoss,
                    Fault::PowerLossAll,
                    Fault::DiskLoss,
                ])
        }
        Rule::StoreOfOwnPartitions => {
            parts.rules.consumer.auto_commit
                == AutoCommit::Background {
                    automatic_store: false,
                }
        }
        Rule::TopicIdsAfterAbsence | Rule::OffsetsGoWithTheTopic => any(&[Fault::TopicRecreate]),
        Rule::CleanerStops => strikes_replicas(parts, faults) && any(&[Fault::Compaction]),
        Rule::StrayReplicas => strikes_replicas(parts, faults) && any(&[Fault::TopicRecreate]),
        Rule::OffsetsExpireWithTheGroup => any(&[Fault::OffsetsExpiry]),
        Rule::PollDuringRebalance => {
            protocol == Some(GroupProtocol::Cooperative)
                && parts.versions.has(Rule::CooperativeRebalancing)
        }
        Rule::CommitBehindRebalance => {
            protocol == Some(GroupProtocol::Eager)
                && parts.rules.consumer.auto_commit != AutoCommit::Off
        }
        Rule::HeartbeatThread
        | Rule::TopicIdsInMetadata
        | Rule::ProduceNamesIds
        | Rule::SequencesOutliveMetadata
        | Rule::UnknownProducerId
        | Rule::StateOutlivesRecords
        | Rule::EpochInCommits
        | Rule::PositionValidation
        | Rule::IdempotentProducer
        | Rule::IdempotenceByDefault
        | Rule::AcksAllByDefault
        | Rule::FiveBatches
        | Rule::DeliveryTimeout
        | Rule::StaticMembership
        | Rule::CooperativeRebalancing
        | Rule::ConsumerProtocol
        | Rule::CommitOverPoll
        | Rule::RevocationInPollsOnly
        | Rule::AssignmentInPollsOnly
        | Rule::EpochOfTheAssignment
        | Rule::TruncationByEpoch
        | Rule::EpochOfTheAnswer
        | Rule::EpochFencing
        | Rule::BrokerEpochInFetch
        | Rule::HighWatermarkWaits
        | Rule::EligibleLeaderReplicas
        | Rule::TimeoutFences
        | Rule::FirstNumberIsZero
        | Rule::FenceRaisesOnce
        | Rule::EpochAtCoordinator
        | Rule::SaysItsEpoch
        | Rule::FencedEpochKnown
        | Rule::GroupMetadata
        | Rule::TransactionVerification
        | Rule::OffsetVerification
        | Rule::TransactionVersion2
        | Rule::EndlessTimeout => true,
    }
}

/// Whether the topic has several replicas, and a fault can strike one.
fn strikes_replicas(parts: &Parts<'_>, faults: &FaultBudget) -> bool {
    parts.topic.replication.replicas > 1 && faults.strikes_brokers()
}

/// Whether a fault can make a delivery fail, or have a request refused while another is in flight.
fn fails_deliveries(faults: &FaultBudget) -> bool {
    let fails = |fault: Fault| {
        fault.strikes_calls()
            || fault.strikes_brokers()
            || fault == Fault::DeliveryTimeout
            || fault == Fault::ProducerPause
            || fault == Fault::StaleMetadata
    };
    faults.entries.iter().any(|(key, _)| fails(key.fault))
}

/// Refuses versions whose rules are others than the model's, where the design meets them.
pub(crate) fn rules_of_version(parts: &Parts<'_>, faults: &FaultBudget, report: &mut Report) {
    let newest = Versions {
        kafka: newest(),
        client: newest_client(parts.versions.library),
        library: parts.versions.library,
    };
    let other = RULES.iter().find(|row| {
        let rule = row.rule;
        parts.versions.has(rule) != newest.has(rule)
            && !modelled::former_rule(rule, &parts.versions)
            && meets(rule, parts, faults)
    });
    let Some(row) = other else {
        return;
    };
    let (key, version, at) = match row.party {
        Party::Broker | Party::Both => ("kafka", parts.versions.kafka, parts.versions_at.0),
        // Left out, the clients are as old as the brokers.
        Party::Client if parts.versions_at.0 == parts.versions_at.1 => {
            ("kafka", parts.versions.client, parts.versions_at.0)
        }
        Party::Client => ("client-version", parts.versions.client, parts.versions_at.1),
    };
    let since = match parts.versions.library {
        Client::Librdkafka if row.party == Party::Client => row.librdkafka.unwrap_or(row.since),
        Client::Java | Client::Librdkafka => row.since,
    };
    let (what, until) = match row.until {
        None => ("is not in force yet", since),
        Some(until) => ("is in force", until),
    };
    // Of librdkafka not every version is known: the next one that is.
    let mut known = LIBRDKAFKA_VERSIONS.into_iter();
    let until = match (key, parts.versions.library) {
        ("client-version", Client::Librdkafka) => {
            known.find(|own| own.at_least(until)).unwrap_or(until)
        }
        (_, Client::Java | Client::Librdkafka) => until,
    };
    report
        .not_modelled(at, format!("`{key}` = \"{version}\" in this design"))
        .because(format!(
            "The design meets a rule that {what} in this version: {} ({}).",
            row.summary, row.reference
        ))
        .write(format!(
            "Write {key} = \"{until}\" or newer, or take the fault or setting away that meets the rule."
        ));
}

/// Offsets of a topic that is created again begin anew: modelled where nothing but the consumer's
/// position and its commits remembers the old ones.
pub(crate) fn recreated_topic(parts: &Parts<'_>, faults: &FaultBudget, report: &mut Report) {
    if !faults.contains(Fault::TopicRecreate) {
        return;
    }
    let application = parts.application;
    let (with, at) = if parts.versions.library == Client::Librdkafka {
        ("client = \"librdkafka\"", None)
    } else if parts.sink.version_guard.value {
        ("version-guard = true", parts.sink.version_guard.at)
    } else if application.workers.value > 0 {
        ("`workers`", application.workers.at)
    } else if application.after_attempts.value == AfterAttempts::RetryTopic {
        ("then = \"retry-topic\"", application.after_attempts.at)
    } else if parts.topic.replication.replicas > 1 && !parts.versions.has(Rule::TopicIdsInMetadata)
    {
        (
            "several replicas and clients before 3.0",
            parts.versions_at.1,
        )
    } else {
        return;
    };
    report
        .not_modelled(at, format!("the fault topic-recreate together with {with}"))
        .because("The new log begins at offset 0 again, and what remembers offsets of the old one is only modelled for the Java consumer's position and its commits.")
        .write("Take the fault away, or what it does not go together with.");
}

/// A retry topic is a second topic whose offsets are committed beside the first one's: modelled
/// where each commit is waited for and repeated until it succeeds.
pub(crate) fn retry_topic(
    parts: &Parts<'_>,
    order: Option<&Order>,
    faults: &FaultBudget,
    report: &mut Report,
) {
    let application = parts.application;
    if application.after_attempts.value != AfterAttempts::RetryTopic {
        return;
    }
    let lacks_commit = order.is_some_and(|order| !order.contains(Step::Commit));
    let stores = [Step::CommitAsync, Step::SaveOffset, Step::StoreOffset];
    let other = order.and_then(|order| stores.into_iter().find(|step| order.contains(*step)));
    let with = if lacks_commit {
        Some("an order without `commit`".to_string())
    } else if let Some(step) = other {
        Some(format!("`{}`", step.name()))
    } else if parts.rules.consumer.auto_commit != AutoCommit::Off {
        Some("automatic commit".into())
    } else if application.workers.value > 0 {
        Some("`workers`".into())
    } else if application.on_commit_failure.value != choices::OnCommitFailure::RetryLatest {
        Some(format!(
            "on-commit-failure = \"{}\"",
            application.on_commit_failure.value.name()
        ))
    } else if parts.sink.dedup_key.value == choices::DedupKey::Offset {
        Some("dedup-key = \"offset\"".into())
    } else if parts.sink.version_guard.value {
        Some("version-guard = true".into())
    } else if faults.contains(Fault::PowerLossAll) {
        Some("the fault power-loss-all".into())
    } else {
        None
    };
    if let Some(with) = with {
        report
            .not_modelled(
                application.after_attempts.at,
                format!("then = \"retry-topic\" together with {with}"),
            )
            .because("The retry topic has offsets of its own, which are modelled where `commit` waits for its answer and is repeated until it succeeds.")
            .write("Accepted with it: an order with `commit`, enable.auto.commit = false, workers = 0, on-commit-failure = \"retry-latest\", dedup-key = \"record\", version-guard = false.");
    }
}
