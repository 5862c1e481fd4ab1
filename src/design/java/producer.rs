//! The Java producer.
//!
//! Before 3.0 idempotence was asked for, and the client adjusted what was not set beside it. Since
//! then it is the default, and dropped without a word where something else was set.

use semel_models::pipeline::Acks;

use super::super::clients::{ProducerRules, Resolution, refuse};
use super::super::kafka::Properties;
use super::super::report::Report;
use super::super::transactions;
use super::super::two_phase;
use super::super::version::{Rule, Version, Versions};
use super::super::warning::WarningKind;
use super::CONFIG_EXCEPTION;

const IDEMPOTENCE: &str = "enable.idempotence";
const IN_FLIGHT: &str = "max.in.flight.requests.per.connection";

/// With more requests in flight the broker could not tell a repeated batch from a new one.
const MAX_IN_FLIGHT_WITH_IDEMPOTENCE: i64 = 5;

pub(super) fn rules(
    producer: &Properties,
    versions: &Versions,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> ProducerRules {
    let most = most_in_flight(versions);
    let kept = idempotence(producer, versions, resolutions, report);
    // Since 4.0 this is tested even where another setting drops idempotence.
    let tested = kept || producer.is_true(IDEMPOTENCE) && refuses_by_default(versions);
    let fits = !tested || in_flight_fits(producer, versions, most, resolutions, report);
    let idempotence = kept && fits;
    delivery_timeout(producer, resolutions, report);
    two_phase::timeout_beside(producer, report);
    let retries = producer.integer("retries");
    if !idempotence {
        return ProducerRules {
            acks: acks(producer),
            idempotence,
            retries: retries.unwrap_or(i64::from(i32::MAX)),
            max_in_flight: in_flight(producer).try_into().unwrap_or(u32::MAX),
            reports_success: true,
            reports: true,
        };
    }
    let mut adjusted = |name: &'static str, value: i64, word: &str| {
        let default = producer.integer(name).unwrap_or(value);
        if producer.is_set(name) || default == value {
            return default;
        }
        resolutions.push(Resolution {
            table: producer.table,
            name,
            value: String::from(word),
            why: String::from("adjusted by the client because of enable.idempotence = true"),
        });
        value
    };
    let endless = i64::from(i32::MAX);
    let retries = adjusted("retries", endless, "2147483647");
    let flight = adjusted(IN_FLIGHT, most, &most.to_string());
    if !producer.is_set("acks") && acks(producer) != Acks::All {
        resolutions.push(Resolution {
            table: producer.table,
            name: "acks",
            value: String::from("all"),
            why: String::from("adjusted by the client because of enable.idempotence = true"),
        });
    }
    ProducerRules {
        acks: Acks::All,
        idempotence,
        retries,
        max_in_flight: flight.try_into().unwrap_or(u32::MAX),
        reports_success: true,
        reports: true,
    }
}

/// The acknowledgements that the producer asks for, before its own rules.
pub(super) fn acks(producer: &Properties) -> Acks {
    match producer.text("acks") {
        Some("0") => Acks::None,
        Some("1") => Acks::Leader,
        Some(_) | None => Acks::All,
    }
}

fn in_flight(producer: &Properties) -> i64 {
    producer
        .integer(IN_FLIGHT)
        .unwrap_or(MAX_IN_FLIGHT_WITH_IDEMPOTENCE)
}

/// Releases before 1.0 numbered one batch at a time.
fn most_in_flight(versions: &Versions) -> i64 {
    match versions.has(Rule::FiveBatches) {
        true => MAX_IN_FLIGHT_WITH_IDEMPOTENCE,
        false => 1,
    }
}

/// Whether idempotence is in force, but for the number of requests in flight.
fn idempotence(
    producer: &Properties,
    versions: &Versions,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> bool {
    let transactional = transactions::has_id(producer);
    if !producer.is_true(IDEMPOTENCE) {
        if !transactional {
            return false;
        }
        if producer.is_set(IDEMPOTENCE) {
            refuse(
                report,
                producer,
                IDEMPOTENCE,
                "the Java producer refuses enable.idempotence = false with transactional.id",
            )
            .because(format!(
                "{CONFIG_EXCEPTION}: a transactional producer is idempotent."
            ))
            .write("Leave `enable.idempotence` out.");
            return true;
        }
        // Before it was the default, a transactional id turned it on.
    }
    // Before 3.0 the defaults did not fit, and the client adjusted what was not set.
    let adjusts = !versions.has(Rule::AcksAllByDefault);
    let left_out = |name| adjusts && !producer.is_set(name);
    let mut against = Vec::new();
    if producer.integer("retries") == Some(0) && !left_out("retries") {
        against.push(("retries", String::from("retries = 0"), "a retry cannot repeat a record if there is none, and the client does not number records then"));
    }
    if acks(producer) != Acks::All && !left_out("acks") {
        let stated = producer.text("acks").unwrap_or("1");
        against.push((
            "acks",
            format!("acks = {stated}"),
            "the leader alone cannot promise that a new leader knows what was written",
        ));
    }
    if producer.is_set(IDEMPOTENCE) || transactional {
        let with = match transactional {
            true => "transactional.id",
            false => "enable.idempotence = true",
        };
        for (name, stated, why) in &against {
            refuse(
                report,
                producer,
                name,
                format!("the Java producer refuses {stated} with {with}"),
            )
            .because(format!(
                "{CONFIG_EXCEPTION}: idempotence needs retries > 0 and acks = all; {why}."
            ))
            .write(match transactional {
                true => format!("Leave `{name}` out."),
                false => format!("Leave `{name}` out, or write enable.idempotence = false."),
            });
        }
        return against.is_empty() || transactional;
    }
    if let Some((name, stated, _)) = against.first() {
        dropped(producer, name, stated, resolutions, report);
    }
    against.is_empty()
}

/// Idempotence that was not set, and is dropped without a word.
fn dropped(
    producer: &Properties,
    culprit: &str,
    stated: &str,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) {
    let retries = producer.integer("retries") != Some(0) && producer.text("acks") != Some("0");
    let consequence = match retries {
        true => " A retry may then write a record twice or out of order.",
        false => "",
    };
    report.warn(
        WarningKind::ResolvedByClient,
        producer.at(culprit),
        format!("{stated} silently turns idempotence off: enable.idempotence is not set, so the Java producer drops it with a line in its log.{consequence} Write enable.idempotence = true to have the client refuse the combination, or false to say that it is meant."),
    );
    resolutions.push(Resolution {
        table: producer.table,
        name: IDEMPOTENCE,
        value: String::from("false"),
        why: format!("dropped by the client because of {stated}"),
    });
}

/// Whether an idempotent producer has few enough requests in flight. From 3.0 to 3.9 more of them
/// dropped an idempotence that was not set; since 4.0 they are refused even then.
fn in_flight_fits(
    producer: &Properties,
    versions: &Versions,
    most: i64,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> bool {
    let stated = in_flight(producer);
    if stated <= most || !producer.is_set(IN_FLIGHT) {
        return true;
    }
    let drops = versions.has(Rule::AcksAllByDefault) && !refuses_by_default(versions);
    if drops && !producer.is_set(IDEMPOTENCE) && !transactions::has_id(producer) {
        let stated = format!("{IN_FLIGHT} = {stated}");
        dropped(producer, IN_FLIGHT, &stated, resolutions, report);
        return false;
    }
    let transactional = transactions::has_id(producer);
    let default = match (producer.is_set(IDEMPOTENCE), transactional) {
        (true, _) => "",
        (false, true) => ", which transactional.id asks for",
        (false, false) => ", which is on by default",
    };
    let (requests, batches) = match most {
        1 => ("1 request", "last batch"),
        _ => ("5 requests", "last five batches"),
    };
    refuse(
        report,
        producer,
        IN_FLIGHT,
        format!(
            "the Java producer refuses more than {requests} in flight with idempotence{default}"
        ),
    )
    .because(format!(
        "{CONFIG_EXCEPTION}: the broker remembers the {batches} of a producer."
    ))
    .write(match transactional {
        true => format!("Write at most {most}."),
        false => format!("Write at most {most}, or enable.idempotence = false."),
    });
    true
}

fn refuses_by_default(versions: &Versions) -> bool {
    versions.client.at_least(Version {
        major: 4,
        minor: 0,
        patch: None,
        fix: None,
    })
}

fn delivery_timeout(producer: &Properties, resolutions: &mut Vec<Resolution>, report: &mut Report) {
    const NAME: &str = "delivery.timeout.ms";
    // Before 2.1 there was no such limit.
    if producer.integer(NAME).is_none() {
        return;
    }
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
            table: producer.table,
            name: NAME,
            value: sum.to_string(),
            why: String::from("raised by the client to linger.ms + request.timeout.ms"),
        });
    }
}
