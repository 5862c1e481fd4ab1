//! From what is stated to what is explored: refuses what is not modelled, and builds the pipeline.

use semel_models::fault::FaultBudget;
use semel_models::order::Order;
use semel_models::pipeline::{
    Acks, AfterAttempts, Assignment, Bounds, Client, ConfirmOn, ConsumerSettings, GroupProtocol,
    GroupSettings, KafkaRules, OnProcessFailure, OnRevoke, Pipeline, ProducerSettings,
    SinkSettings, Source, TopicSettings,
};

use super::application::Application;
use super::bounds::StatedBounds;
use super::choices::{self, Choice, DedupStore, EffectName};
use super::clients::ClientRules;
use super::diagnostic::Code;
use super::kafka::Properties;
use super::modelled;
use super::order::rules::Surroundings;
use super::order::{order, rules};
use super::report::Report;
use super::sink::Sink;
use super::table::Table;
use super::unmodelled::{self, model};
use super::version::Versions;

/// The parts of a design, read and checked each by itself.
pub(crate) struct Parts<'d> {
    pub versions: Versions,
    pub application: &'d Application,
    pub sink: &'d Sink,
    pub bounds: &'d StatedBounds,
    pub rules: &'d ClientRules,
    pub topic: TopicSettings,
    pub producer: &'d Properties,
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
    };
    let broken = rules::check(&written.nodes, &around);
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
    unmodelled::keys_of_application(parts, report);
    unmodelled::delivery_reports(parts, report);
    unmodelled::position_of_librdkafka(parts, report);
    // Each part is looked at before any is found missing, so that all refusals are told.
    let producer = producer(parts, report);
    let consumer = consumer(parts, order, report);
    let sink = sink(parts.sink, report);
    let bounds = bounds(parts, report);
    Some(Pipeline {
        client: parts.versions.library,
        producer: producer?,
        topic: parts.topic.clone(),
        group: GroupSettings {
            instances: 1,
            assignment: Assignment::Subscribe,
            protocol: GroupProtocol::Eager,
            sticky: false,
            static_membership: false,
            revokes_in_background: false,
            rejoins_in_background: false,
        },
        consumer: consumer?,
        sink: sink?,
        rules: KafkaRules::CURRENT,
        faults,
        bounds: bounds?,
    })
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
    let retries = rules.retries.min(parts.bounds.retries.value);
    Some(ProducerSettings {
        acks: rules.acks,
        idempotence: rules.idempotence,
        retries: u8::try_from(retries).unwrap_or(u8::MAX),
        max_in_flight: rules.max_in_flight,
        retries_are_capped: rules.retries > parts.bounds.retries.value,
        confirm_on: confirm_on?,
        on_send_failure: on_send_failure?,
        on_restart: on_restart?,
        source: Source::Memory,
        id_expires_first: false,
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
    Some(ConsumerSettings {
        offset_reset: rules.offset_reset,
        auto_commit: rules.auto_commit,
        order: order?,
        commit_covers: commit_covers?,
        on_commit_failure: on_commit_failure?,
        seek_on_assign: application.seek_on_assign.value,
        workers: 0,
        on_revoke: OnRevoke::Nothing,
        on_lost: OnRevoke::Nothing,
        on_process_failure: OnProcessFailure {
            attempts: 1,
            then: AfterAttempts::Stop,
        },
        output_acks: Acks::All,
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
    if let Some(window) = stated.dedup_window.value {
        report
            .not_modelled(stated.dedup_window.at, format!("dedup-window = {window}"))
            .write("Accepted: \"unlimited\".");
    }
    for (key, stated) in [
        ("fencing", &stated.fencing),
        ("version-guard", &stated.version_guard),
    ] {
        if stated.value {
            report
                .not_modelled(stated.at, format!("{key} = true"))
                .write("Accepted: false.");
        }
    }
    Some(SinkSettings {
        effect: effect?,
        dedup: dedup?,
        dedup_insert: dedup_insert?,
        dedup_key: dedup_key?,
        dedup_window: None,
        fencing: false,
        version_guard: false,
    })
}

fn bounds(parts: &Parts<'_>, report: &mut Report) -> Option<Bounds> {
    let stated = parts.bounds;
    if stated.partitions.value != 1 {
        report
            .not_modelled(
                stated.partitions.at,
                format!("partitions = {}", stated.partitions.value),
            )
            .write("Accepted: 1.");
    }
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
        Some(poll) => {
            let why = match parts.versions.library {
                Client::Java => format!("max.poll.records = {most}."),
                Client::Librdkafka => String::from("librdkafka returns one record a poll."),
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
    let small = |number: i64| u8::try_from(number).ok();
    Some(Bounds {
        records: small(records)?,
        keys: small(stated.keys.value)?,
        poll: small(poll)?,
        retries: small(stated.retries.value)?,
        start: start?,
    })
}

/// semel's defaults in force, for the list of settings.
pub(crate) fn defaults(pipeline: &Pipeline, into: &mut Vec<super::settings::Setting>) {
    use super::settings::default;
    let application = Table::Application;
    let confirm = match pipeline.producer.confirm_on {
        ConfirmOn::Ack => choices::ConfirmOn::Ack,
        ConfirmOn::Send => choices::ConfirmOn::Send,
        ConfirmOn::DatabaseCommit => choices::ConfirmOn::DatabaseCommit,
    };
    default(application, "confirm-on", confirm.name(), into);
    default(
        application,
        "on-send-failure",
        choices::OnSendFailure::GiveUp.name(),
        into,
    );
    default(
        application,
        "on-restart",
        choices::OnRestart::Forget.name(),
        into,
    );
    default(
        application,
        "commit-covers",
        choices::CommitCovers::Next.name(),
        into,
    );
    default(
        application,
        "on-commit-failure",
        choices::OnCommitFailure::RetryLatest.name(),
        into,
    );
    default(
        application,
        "seek-on-assign",
        pipeline.consumer.seek_on_assign,
        into,
    );
    default(Table::Sink, "effect", EffectName::Add.name(), into);
    default(Table::Sink, "dedup", DedupStore::Durable.name(), into);
    default(
        Table::Sink,
        "dedup-insert",
        choices::DedupInsert::Unique.name(),
        into,
    );
    default(
        Table::Sink,
        "dedup-key",
        choices::DedupKey::Record.name(),
        into,
    );
    default(Table::Bounds, "records", pipeline.bounds.records, into);
    default(Table::Bounds, "partitions", 1, into);
    default(Table::Bounds, "keys", pipeline.bounds.keys, into);
    default(Table::Bounds, "poll", pipeline.bounds.poll, into);
    default(Table::Bounds, "retries", pipeline.bounds.retries, into);
    default(Table::Bounds, "start", choices::Start::Joined.name(), into);
    if !into.iter().any(|setting| setting.table == Table::Faults) {
        for (key, budget) in &pipeline.faults.entries {
            default(Table::Faults, &key.to_string(), budget, into);
        }
        default(Table::Faults, "total", pipeline.faults.total(), into);
    }
}
