//! From what is stated to what is explored: refuses what is not modelled, and builds the pipeline.

use semel_models::fault::FaultBudget;
use semel_models::order::Order;
use semel_models::pipeline::{
    AutoCommit, Bounds, Client, ConsumerSettings, GroupSettings, KafkaRules, OnProcessFailure,
    OutputSettings, Pipeline, ProducerSettings, SinkSettings, TopicSettings, TruncationRule,
};

use super::application::Application;
use super::bounds::StatedBounds;
use super::choices::{DedupStore, EffectName};
use super::clients::ClientRules;
use super::diagnostic::Code;
use super::kafka::Properties;
use super::modelled;
use super::needs;
use super::order::rules::Surroundings;
use super::order::{order, rules};
use super::output;
use super::partitions;
use super::report::Report;
use super::sink::Sink;
use super::source::Span;
use super::transactions;
use super::two_phase;
use super::unmodelled::{self, model};
use super::version::{Rule, Versions};

/// The parts of a design, read and checked each by itself.
pub(crate) struct Parts<'d> {
    pub versions: Versions,
    /// Where `kafka` stands, and where `client-version` does, or `kafka` in its place.
    pub versions_at: (Option<Span>, Option<Span>),
    pub application: &'d Application,
    pub sink: &'d Sink,
    pub bounds: &'d StatedBounds,
    pub rules: &'d ClientRules,
    pub topic: TopicSettings,
    pub producer: &'d Properties,
    pub consumer: &'d Properties,
    pub broker: &'d Properties,
    /// `[output.producer]`
    pub output_producer: &'d Properties,
    pub group: Option<GroupSettings>,
    /// What is written to other topics; `None`: unreadable, which has been reported.
    pub output: Option<&'d OutputSettings>,
    /// Whether a producer id may expire before a record is given up.
    pub id_expires_first: bool,
}

/// The order without places, if it keeps the rules.
pub(crate) fn checked_order(
    application: &Application,
    sink: &Sink,
    client: Client,
    automatic_store: bool,
    report: &mut Report,
) -> Option<Order> {
    let written = application.order.as_ref()?;
    let around = Surroundings {
        client,
        external: sink.effect.value == EffectName::External,
        topic: sink.effect.value == EffectName::Topic,
        dedup_in_database: sink.dedup.value == DedupStore::Durable,
        automatic_store,
        workers: application.workers.value > 0,
    };
    // With a framework the order is not the one that is written: no other can take its place there.
    let broken = match application.has_framework {
        true => rules::broken_rules(&written.nodes, &around),
        false => rules::check(&written.nodes, &around),
    };
    let keeps = broken.is_empty();
    for rule in broken {
        let place = if written.nodes.is_empty() {
            written.span
        } else {
            written.text.place(rule.span)
        };
        report
            .problem(Code::OrderRule, place, rule.message)
            .because(rule.why)
            .write(rule.write);
    }
    unmodelled::parts_of_order(application, report);
    keeps.then(|| order(&written.nodes))
}

/// The pipeline, if everything that is stated is modelled.
pub(crate) fn pipeline(
    parts: &Parts<'_>,
    order: Option<Order>,
    faults: FaultBudget,
    report: &mut Report,
) -> Option<Pipeline> {
    needs::check(parts, order.as_ref(), report);
    unmodelled::position_of_librdkafka(parts, report);
    unmodelled::rules_of_version(parts, &faults, report);
    unmodelled::recreated_topic(parts, &faults, report);
    unmodelled::retry_topic(parts, order.as_ref(), &faults, report);
    output::of_design(parts, order.as_ref(), &faults, report);
    let has_transactions = order.as_ref().is_some_and(Order::has_transactions);
    let written = parts.application.order.as_ref().map(|written| written.span);
    let in_order = written.filter(|_| has_transactions);
    transactions::check(parts, in_order, &faults, report);
    two_phase::check(parts, order.as_ref(), report);
    partitions::check(parts, order.as_ref(), &faults, report);
    // Each part is looked at before any is found missing, so that all refusals are told.
    let producer = producer(parts, report);
    let consumer = consumer(parts, order, report);
    let sink = sink(parts.sink, report);
    let bounds = bounds(parts, report);
    let pipeline = Pipeline {
        client: parts.versions.library,
        producer: producer?,
        topic: parts.topic.clone(),
        group: parts.group.clone()?,
        consumer: consumer?,
        sink: sink?,
        rules: rules(parts),
        faults,
        bounds: bounds?,
    };
    output::refuse_unfollowed(parts, &pipeline, report);
    Some(pipeline)
}

/// The rules of brokers and clients that these versions have.
fn rules(parts: &Parts<'_>) -> KafkaRules {
    let versions = &parts.versions;
    KafkaRules {
        producer_state_outlives_records: versions.has(Rule::StateOutlivesRecords),
        unknown_producer_starts_anywhere: versions.has(Rule::AnySequenceWithoutState),
        java_bumps_epoch: versions.has(Rule::LocalEpochBump),
        flights_expire: versions.has(Rule::DeliveryTimeout),
        sequences_outlive_metadata: versions.has(Rule::SequencesOutliveMetadata),
        skipped_number_fails_transaction: transactions::skipped_number_fails(versions),
        recreated_topic_noticed: versions.has(Rule::TopicIdsInMetadata)
            || !versions.has(Rule::EpochInCommits),
        produce_names_ids: versions.has(Rule::ProduceNamesIds),
        truncation_noticed: versions.has(Rule::PositionValidation),
        transactions: transactions::rules(versions, parts.broker),
        truncation: match (
            versions.has(Rule::TruncationByEpoch),
            versions.has(Rule::EpochOfTheAnswer),
        ) {
            (false, _) => TruncationRule::ToHighWatermark,
            (true, false) => TruncationRule::EndOfEpoch,
            (true, true) => TruncationRule::EndOfKnownEpoch,
        },
        stale_fetches_refused: versions.has(Rule::EpochFencing),
        broker_epoch_checked: versions.has(Rule::BrokerEpochInFetch),
        high_watermark_waits: versions.has(Rule::HighWatermarkWaits),
    }
}

fn producer(parts: &Parts<'_>, report: &mut Report) -> Option<ProducerSettings> {
    let application = parts.application;
    let rules = &parts.rules.producer;
    let confirm_on = model(
        "confirm-on",
        &application.confirm_on,
        modelled::confirm_on,
        report,
    );
    let on_send_failure = model(
        "on-send-failure",
        &application.on_send_failure,
        modelled::on_send_failure,
        report,
    );
    let on_restart = model(
        "on-restart",
        &application.on_restart,
        modelled::on_restart,
        report,
    );
    let per_transaction = application.records_per_transaction.as_ref();
    let records_per_transaction = per_transaction
        .and_then(|stated| u16::try_from(stated.value).ok())
        .unwrap_or(1);
    let source = model(
        "source",
        &application.source,
        |source| {
            modelled::source(
                source,
                application.outbox_order.value,
                application.outbox_cursor.value,
                application.dual_write_order.value,
                records_per_transaction,
            )
        },
        report,
    );
    let retries = rules.retries.min(parts.bounds.retries.value);
    Some(ProducerSettings {
        acks: rules.acks,
        idempotence: rules.idempotence,
        retries: u16::try_from(retries).unwrap_or(u16::MAX),
        max_in_flight: rules.max_in_flight,
        retries_are_capped: rules.retries > parts.bounds.retries.value,
        confirm_on: confirm_on?,
        on_send_failure: on_send_failure?,
        on_restart: on_restart?,
        source: source?,
        id_expires_first: parts.id_expires_first,
        transactions_time_out: !two_phase::is_endless(parts.producer, &parts.versions),
    })
}

fn consumer(
    parts: &Parts<'_>,
    order: Option<Order>,
    report: &mut Report,
) -> Option<ConsumerSettings> {
    let application = parts.application;
    let rules = &parts.rules.consumer;
    let commit_covers = model(
        "commit-covers",
        &application.commit_covers,
        modelled::commit_covers,
        report,
    );
    let on_commit_failure = model(
        "on-commit-failure",
        &application.on_commit_failure,
        modelled::on_commit_failure,
        report,
    );
    let on_revoke = model(
        "on-revoke",
        &application.on_revoke,
        modelled::on_revoke,
        report,
    );
    let on_lost = model("on-lost", &application.on_lost, modelled::on_revoke, report);
    Some(ConsumerSettings {
        offset_reset: rules.offset_reset,
        isolation: transactions::isolation(parts),
        auto_commit: rules.auto_commit,
        order: order?,
        commit_covers: commit_covers?,
        on_commit_failure: on_commit_failure?,
        seek_on_assign: application.seek_on_assign.value,
        workers: u16::try_from(application.workers.value).ok()?,
        on_revoke: on_revoke?,
        on_lost: on_lost?,
        on_process_failure: on_process_failure(application, report)?,
        output: parts.output?.clone(),
    })
}

fn on_process_failure(application: &Application, report: &mut Report) -> Option<OnProcessFailure> {
    let order = model(
        "dead-letter-order",
        &application.dead_letter_order,
        modelled::dead_letter_order,
        report,
    );
    Some(OnProcessFailure {
        attempts: u16::try_from(application.attempts.value).ok()?,
        then: modelled::after_attempts(application.after_attempts.value, order)?,
    })
}

fn sink(stated: &Sink, report: &mut Report) -> Option<SinkSettings> {
    let key = stated.idempotency_key.value;
    let effect = model(
        "effect",
        &stated.effect,
        |effect| modelled::effect(effect, key),
        report,
    );
    let dedup = model("dedup", &stated.dedup, modelled::dedup, report);
    let dedup_insert = model(
        "dedup-insert",
        &stated.dedup_insert,
        modelled::dedup_insert,
        report,
    );
    let dedup_key = model("dedup-key", &stated.dedup_key, modelled::dedup_key, report);
    Some(SinkSettings {
        effect: effect?,
        dedup: dedup?,
        dedup_insert: dedup_insert?,
        dedup_key: dedup_key?,
        dedup_window: stated
            .dedup_window
            .value
            .and_then(|window| u16::try_from(window).ok()),
        fencing: stated.fencing.value,
        version_guard: stated.version_guard.value,
    })
}

/// Whether a poll may return several records of librdkafka: `rd_kafka_consume_batch_queue()` takes what is
/// there. With automatic commits it matters when each of them was handed over, which is told record by
/// record only.
fn takes_batches(parts: &Parts<'_>) -> bool {
    parts.versions.library == Client::Librdkafka
        && parts.rules.consumer.auto_commit == AutoCommit::Off
}

fn bounds(parts: &Parts<'_>, report: &mut Report) -> Option<Bounds> {
    let stated = parts.bounds;
    let records = stated.records.value;
    let most = parts
        .rules
        .consumer
        .poll
        .unwrap_or(records)
        .min(records)
        .max(1);
    let poll = match &stated.poll {
        None => most,
        Some(poll) if poll.value <= most || poll.value > records => poll.value.min(records),
        Some(poll) if takes_batches(parts) => poll.value,
        Some(poll) => {
            let why = match parts.versions.library {
                Client::Java => format!("max.poll.records = {most}."),
                Client::Librdkafka => String::from(
                    "librdkafka returns one record a poll; how an automatic commit covers the batch of rd_kafka_consume_batch_queue() is not modelled.",
                ),
            };
            report
                .problem(
                    Code::Contradiction,
                    poll.at,
                    format!("a poll of {} is more than the consumer returns", poll.value),
                )
                .because(why)
                .write(format!("Write poll = {most}, or leave it out."));
            most
        }
    };
    let start = model("start", &stated.start, modelled::start, report);
    let small = |number: i64| u16::try_from(number).ok();
    Some(Bounds {
        records: small(records)?,
        partitions: small(stated.partitions.value)?,
        keys: small(stated.keys.value)?,
        poll: small(poll)?,
        retries: small(stated.retries.value)?,
        start: start?,
    })
}
