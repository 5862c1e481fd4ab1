//! What Apache Kafka's Java clients refuse, and what they resolve without asking.
//!
//! Follows `ProducerConfig`, `KafkaProducer`, `ConsumerConfig` and `Heartbeat` of Apache Kafka
//! 4.0 to 4.3. A property is "set" when the design states it, be it with its default value.

use semel_models::pipeline::{Acks, AutoCommit, OffsetReset};

use super::clients::{ClientRules, ConsumerRules, ProducerRules, Resolution, refuse};
use super::kafka::Properties;
use super::report::Report;
use super::table::Table;
use super::version::{Version, Versions};
use super::warning::WarningKind;

const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";

/// With more requests in flight the broker could not tell a repeated batch from a new one.
const MAX_IN_FLIGHT_WITH_IDEMPOTENCE: i64 = 5;

pub(crate) fn rules(
    producer: &Properties,
    consumer: &Properties,
    versions: &Versions,
    report: &mut Report,
) -> ClientRules {
    let mut resolutions = Vec::new();
    let idempotence = idempotence(producer, &mut resolutions, report);
    delivery_timeout(producer, &mut resolutions, report);
    let producer = ProducerRules {
        acks: acks(producer),
        idempotence,
        retries: producer.integer("retries").unwrap_or(i64::from(i32::MAX)),
        max_in_flight: in_flight(producer).try_into().unwrap_or(u32::MAX),
        reports_success: true,
        reports: true,
    };
    let consumer = consumer_rules(consumer, versions, report);
    ClientRules {
        producer,
        consumer,
        resolutions,
    }
}

fn acks(producer: &Properties) -> Acks {
    match producer.text("acks") {
        Some("0") => Acks::None,
        Some("1") => Acks::Leader,
        Some(_) | None => Acks::All,
    }
}

fn in_flight(producer: &Properties) -> i64 {
    producer
        .integer("max.in.flight.requests.per.connection")
        .unwrap_or(MAX_IN_FLIGHT_WITH_IDEMPOTENCE)
}

/// Idempotence is asked for by default, and dropped without a word unless it was set.
fn idempotence(
    producer: &Properties,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> bool {
    const NAME: &str = "enable.idempotence";
    if !producer.is_true(NAME) {
        return false;
    }
    let mut dropped_by = Vec::new();
    if producer.integer("retries") == Some(0) {
        dropped_by.push(("retries", String::from("retries = 0"), "a retry cannot repeat a record if there is none, and the client does not number records then"));
    }
    if acks(producer) != Acks::All {
        let stated = producer.text("acks").unwrap_or("1");
        dropped_by.push((
            "acks",
            format!("acks = {stated}"),
            "the leader alone cannot promise that a new leader knows what was written",
        ));
    }
    if producer.is_set(NAME) {
        for (name, stated, why) in &dropped_by {
            refuse(
                report,
                producer,
                name,
                format!("the Java producer refuses {stated} with enable.idempotence = true"),
            )
            .because(format!(
                "{CONFIG_EXCEPTION}: idempotence needs retries > 0 and acks = all; {why}."
            ))
            .write(format!(
                "Leave `{name}` out, or write enable.idempotence = false."
            ));
        }
    }
    if in_flight(producer) > MAX_IN_FLIGHT_WITH_IDEMPOTENCE {
        refuse(
            report,
            producer,
            "max.in.flight.requests.per.connection",
            "the Java producer refuses more than 5 requests in flight with idempotence, which is on by default",
        )
        .because(format!("{CONFIG_EXCEPTION}: the broker remembers the last five batches of a producer. This is tested even where another setting drops idempotence."))
        .write("Write at most 5, or enable.idempotence = false.");
    }
    let Some((name, stated, _)) = dropped_by.first() else {
        return true;
    };
    if !producer.is_set(NAME) {
        let retries = producer.integer("retries") != Some(0) && producer.text("acks") != Some("0");
        let consequence = match retries {
            true => " A retry may then write a record twice or out of order.",
            false => "",
        };
        report.warn(
            WarningKind::ResolvedByClient,
            producer.at(name),
            format!("{stated} silently turns idempotence off: enable.idempotence is not set, so the Java producer drops it with a line in its log.{consequence} Write enable.idempotence = true to have the client refuse the combination, or false to say that it is meant."),
        );
        resolutions.push(Resolution {
            table: Table::Producer,
            name: NAME,
            value: String::from("false"),
            why: format!("dropped by the client because of {stated}"),
        });
    }
    false
}

fn delivery_timeout(producer: &Properties, resolutions: &mut Vec<Resolution>, report: &mut Report) {
    const NAME: &str = "delivery.timeout.ms";
    let of = |name| producer.integer(name).unwrap_or(0);
    let max = i64::from(i32::MAX);
    let sum = of("linger.ms")
        .min(max)
        .saturating_add(of("request.timeout.ms"))
        .min(max);
    if of(NAME) >= sum {
        return;
    }
    if producer.is_set(NAME) {
        refuse(
            report,
            producer,
            NAME,
            format!("the Java producer refuses delivery.timeout.ms = {}: it is less than linger.ms + request.timeout.ms = {sum}", of(NAME)),
        )
        .because(format!("{CONFIG_EXCEPTION}: a record could expire before its first request was answered."))
        .write(format!("Write at least {sum}, or lower linger.ms or request.timeout.ms."));
    } else {
        let culprit = ["request.timeout.ms", "linger.ms"]
            .into_iter()
            .find_map(|name| producer.at(name));
        report.warn(
            WarningKind::ResolvedByClient,
            culprit,
            format!("delivery.timeout.ms is not set and its default is less than linger.ms + request.timeout.ms: the Java producer raises it to {sum}."),
        );
        resolutions.push(Resolution {
            table: Table::Producer,
            name: NAME,
            value: sum.to_string(),
            why: String::from("raised by the client to linger.ms + request.timeout.ms"),
        });
    }
}

fn consumer_rules(
    consumer: &Properties,
    versions: &Versions,
    report: &mut Report,
) -> ConsumerRules {
    group(consumer, report);
    protocol(consumer, report);
    assignors(consumer, report);
    let auto_commit = if consumer.is_true("enable.auto.commit") {
        open_race(consumer, versions, report);
        AutoCommit::AtPoll
    } else {
        AutoCommit::Off
    };
    ConsumerRules {
        offset_reset: offset_reset(consumer, report),
        auto_commit,
        automatic_store: true,
        poll: consumer.integer("max.poll.records"),
    }
}

fn group(consumer: &Properties, report: &mut Report) {
    // A group.id that is left out only says that the design does not name its group.
    if consumer.text("group.id") == Some("") {
        refuse(report, consumer, "group.id", "the Java consumer refuses an empty group.id")
            .because("org.apache.kafka.common.errors.InvalidGroupIdException: without a group there is no subscription, no commit and no committed offset.")
            .write("Name the group, or leave group.id out: then the design has a group of some name.");
    }
}

fn protocol(consumer: &Properties, report: &mut Report) {
    let uses_consumer = consumer.text("group.protocol") == Some("consumer");
    let refused: &[&str] = if uses_consumer {
        &[
            "partition.assignment.strategy",
            "heartbeat.interval.ms",
            "session.timeout.ms",
        ]
    } else {
        &["group.remote.assignor"]
    };
    let protocol = if uses_consumer { "consumer" } else { "classic" };
    for name in refused {
        let blank = consumer
            .text(name)
            .is_none_or(|text| text.trim().is_empty());
        if consumer.is_set(name) && !blank {
            refuse(
                report,
                consumer,
                name,
                format!("the Java consumer refuses `{name}` with group.protocol = {protocol}"),
            )
            .because(format!("{CONFIG_EXCEPTION}: under this protocol {}.", if uses_consumer {
                "the group coordinator decides it, from the group's or the broker's configuration"
            } else {
                "the group's leader computes the assignment, not the coordinator"
            }))
            .write(format!("Leave `{name}` out."));
        }
    }
    let of = |name| consumer.integer(name).unwrap_or(0);
    let (heartbeat, session) = (of("heartbeat.interval.ms"), of("session.timeout.ms"));
    if !uses_consumer && heartbeat >= session {
        let culprit = if consumer.is_set("heartbeat.interval.ms") {
            "heartbeat.interval.ms"
        } else {
            "session.timeout.ms"
        };
        refuse(
            report,
            consumer,
            culprit,
            format!("the Java consumer refuses heartbeat.interval.ms = {heartbeat}: it is not less than session.timeout.ms = {session}"),
        )
        .because("java.lang.IllegalArgumentException: the session would expire between two heartbeats.")
        .write("Write a heartbeat interval of at most a third of the session timeout.");
    }
}

fn assignors(consumer: &Properties, report: &mut Report) {
    const NAME: &str = "partition.assignment.strategy";
    let Some(stated) = consumer.get(NAME) else {
        return;
    };
    let short = ["range", "roundrobin", "cooperative-sticky"];
    if let Some(word) = stated
        .value
        .split(',')
        .map(str::trim)
        .find(|word| short.contains(word))
    {
        refuse(
            report,
            consumer,
            NAME,
            format!("the Java consumer knows no assignor `{word}`"),
        )
        .because(format!(
            "{CONFIG_EXCEPTION}: it takes names of classes; the short names are librdkafka's."
        ))
        .write(
            "Write, for instance, \"org.apache.kafka.clients.consumer.CooperativeStickyAssignor\".",
        );
    }
}

fn offset_reset(consumer: &Properties, report: &mut Report) -> OffsetReset {
    const NAME: &str = "auto.offset.reset";
    match consumer.text(NAME) {
        Some("earliest") => OffsetReset::Earliest,
        Some("none") => OffsetReset::None,
        Some("latest") | None => OffsetReset::Latest,
        Some(by_duration) => {
            let what = format!("`{NAME}` = \"{by_duration}\"");
            report
                .not_modelled(consumer.at(NAME), what)
                .write("Accepted: earliest, latest and none.");
            OffsetReset::Latest
        }
    }
}

/// Since 4.2 `poll()` does not wait for the background thread's commit step, which may then read
/// positions that cover records which this very poll returns. Not reproduced on a broker; told so
/// that nobody takes the verdict for more than it is.
fn open_race(consumer: &Properties, versions: &Versions, report: &mut Report) {
    let first = Version { major: 4, minor: 2 };
    if versions.client >= first && consumer.text("group.protocol") == Some("consumer") {
        report.warn(
            WarningKind::OpenRace,
            consumer.at("group.protocol"),
            "With group.protocol = consumer and automatic commit, Java clients since 4.2 have an open race: the background thread may commit records that the current poll is only now returning, and a crash then loses them. The model commits what earlier polls returned, and does not contain this race.",
        );
    }
}
