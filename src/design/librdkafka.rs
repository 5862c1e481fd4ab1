//! What librdkafka refuses, and what it adjusts without asking.
//!
//! Follows `rd_kafka_conf_finalize()`, `rd_kafka_topic_conf_finalize()` and the assignor set-up of
//! librdkafka 2.15. It refuses with an error of `rd_kafka_new()`; it never drops idempotence.

use semel_models::pipeline::{Acks, AutoCommit, OffsetReset};

use super::clients::{ConsumerRules, ProducerRules, Resolution, refuse};
use super::kafka::Properties;
use super::report::Report;
use super::transactions;
use super::warning::WarningKind;

const REFUSED: &str = "rd_kafka_new() fails with RD_KAFKA_RESP_ERR__INVALID_ARG";
const MAX_IN_FLIGHT: &str = "max.in.flight.requests.per.connection";
const MAX_IN_FLIGHT_WITH_IDEMPOTENCE: i64 = 5;

pub(crate) fn producer(
    producer: &Properties,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> ProducerRules {
    let transactional = transactions::has_id(producer);
    let idempotence = producer.is_true("enable.idempotence") || transactional;
    if transactional {
        with_transactions(producer, resolutions, report);
    }
    if idempotence {
        with_idempotence(producer, report);
    } else {
        without_idempotence(producer, report);
    }
    timeouts(producer, resolutions, report);
    let stated = producer.integer(MAX_IN_FLIGHT).unwrap_or(1_000_000);
    let max_in_flight = if idempotence && !producer.is_set(MAX_IN_FLIGHT) {
        resolutions.push(Resolution {
            table: producer.table,
            name: MAX_IN_FLIGHT,
            value: MAX_IN_FLIGHT_WITH_IDEMPOTENCE.to_string(),
            why: String::from("lowered by the client because of enable.idempotence = true"),
        });
        MAX_IN_FLIGHT_WITH_IDEMPOTENCE
    } else {
        stated
    };
    let callback = |name| producer.text(name) != Some("false");
    ProducerRules {
        acks: acks(producer, report),
        idempotence,
        retries: producer
            .integer("message.send.max.retries")
            .unwrap_or(i64::from(i32::MAX)),
        max_in_flight: max_in_flight.try_into().unwrap_or(u32::MAX),
        reports_success: !producer.is_true("delivery.report.only.error"),
        // Either callback is enough; left out, the application has one.
        reports: callback("dr_cb") && callback("dr_msg_cb")
            || producer.is_true("dr_cb")
            || producer.is_true("dr_msg_cb"),
    }
}

/// A transactional id turns idempotence on, and ties the timeouts to one another.
fn with_transactions(
    producer: &Properties,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) {
    const IDEMPOTENCE: &str = "enable.idempotence";
    if producer.is_set(IDEMPOTENCE) && !producer.is_true(IDEMPOTENCE) {
        refuse(
            report,
            producer,
            IDEMPOTENCE,
            "librdkafka refuses enable.idempotence = false with transactional.id",
        )
        .because(format!(
            "{REFUSED}: a transactional producer is idempotent."
        ))
        .write("Leave `enable.idempotence` out.");
    } else if !producer.is_set(IDEMPOTENCE) {
        resolutions.push(Resolution {
            table: producer.table,
            name: IDEMPOTENCE,
            value: String::from("true"),
            why: String::from("turned on by the client because of transactional.id"),
        });
    }
    let of = |name| producer.integer(name);
    let transaction = of("transaction.timeout.ms").unwrap_or(60_000);
    let ties = [
        ("message.timeout.ms", transaction),
        ("socket.timeout.ms", transaction + 100),
    ];
    for (name, most) in ties {
        let stated = of(name).filter(|_| producer.is_set(name));
        let Some(stated) = stated.filter(|stated| *stated > most) else {
            continue;
        };
        refuse(
            report,
            producer,
            name,
            format!("librdkafka refuses {name} = {stated} with transactional.id"),
        )
        .because(format!(
            "{REFUSED}: transaction.timeout.ms = {transaction} would pass before it."
        ))
        .write(format!("Write at most {most}, or leave it out."));
    }
}

fn acks(producer: &Properties, report: &mut Report) -> Acks {
    const NAME: &str = "request.required.acks";
    match producer.integer(NAME) {
        Some(0) => Acks::None,
        Some(1) => Acks::Leader,
        Some(-1) | None => Acks::All,
        Some(other) => {
            refuse(
                report,
                producer,
                NAME,
                format!("the broker refuses acks = {other}"),
            )
            .because("org.apache.kafka.common.errors.InvalidRequiredAcksException: librdkafka takes up to 1000, but brokers know 0, 1 and all (-1) only, and refuse every record.")
            .write("Write 0, 1 or all.");
            Acks::All
        }
    }
}

fn with_idempotence(producer: &Properties, report: &mut Report) {
    let mut must = |name: &str, holds: bool, needed: &str| {
        let Some(stated) = producer.get(name).filter(|_| !holds) else {
            return;
        };
        let message = format!(
            "librdkafka refuses {} = {} with enable.idempotence = true",
            stated.name, stated.value
        );
        let written = stated.name.clone();
        refuse(report, producer, name, message)
            .because(format!("{REFUSED}: with idempotence it must be {needed}."))
            .write(match transactions::has_id(producer) {
                true => format!("Leave `{written}` out."),
                false => format!("Leave `{written}` out, or write enable.idempotence = false."),
            });
    };
    let of = |name| producer.integer(name);
    must(
        "request.required.acks",
        of("request.required.acks") == Some(-1),
        "all (-1)",
    );
    must(
        "message.send.max.retries",
        of("message.send.max.retries").is_some_and(|retries| retries >= 1),
        "at least 1",
    );
    must(
        MAX_IN_FLIGHT,
        of(MAX_IN_FLIGHT).is_some_and(|flight| flight <= MAX_IN_FLIGHT_WITH_IDEMPOTENCE),
        "at most 5",
    );
    must(
        "queuing.strategy",
        producer.text("queuing.strategy") == Some("fifo"),
        "fifo",
    );
    must(
        "queue.buffering.backpressure.threshold",
        of("queue.buffering.backpressure.threshold").is_some_and(|threshold| threshold <= 1),
        "1",
    );
}

fn without_idempotence(producer: &Properties, report: &mut Report) {
    const GAPLESS: &str = "enable.gapless.guarantee";
    if producer.is_true(GAPLESS) {
        refuse(
            report,
            producer,
            GAPLESS,
            "librdkafka refuses enable.gapless.guarantee = true without enable.idempotence = true",
        )
        .because(format!(
            "{REFUSED}: a gap is only seen where records are numbered."
        ))
        .write("Write enable.idempotence = true.");
    }
    let repeats = producer
        .integer("message.send.max.retries")
        .is_none_or(|retries| retries > 0);
    if !producer.is_set("enable.idempotence") && repeats {
        report.warn(
            WarningKind::UnsafeDefault,
            None,
            "enable.idempotence is left out, and librdkafka's default is false: a retry may write a record twice, and with more than one request in flight (1000000 by default) out of order.",
        );
    }
}

fn timeouts(producer: &Properties, resolutions: &mut Vec<Resolution>, report: &mut Report) {
    const TIMEOUT: &str = "message.timeout.ms";
    const LINGER: &str = "queue.buffering.max.ms";
    let timeout = producer.integer(TIMEOUT).unwrap_or(300_000);
    if timeout == 0 {
        let name = producer.get(TIMEOUT).map_or(TIMEOUT, |stated| &stated.name);
        let what = format!("`{name}` = 0 (no timeout)");
        report
            .not_modelled(producer.at(TIMEOUT), what)
            .because("The model gives a record up in the end: after [bounds] retries, as a delivery timeout.")
            .write("Write any other number of milliseconds: how many does not matter.");
        return;
    }
    let linger: f64 = producer
        .text(LINGER)
        .and_then(|text| text.parse().ok())
        .unwrap_or(5.0);
    // Milliseconds up to 2^31 are exact as f64.
    let timeout_ms = timeout as f64;
    if timeout_ms > linger {
        return;
    }
    if let Some(stated) = producer.get(LINGER) {
        let message = format!(
            "librdkafka refuses {} = {}: message.timeout.ms = {timeout} is not greater",
            stated.name, stated.value
        );
        refuse(report, producer, LINGER, message)
            .because(format!(
                "{REFUSED}: a record would expire before it was sent."
            ))
            .write("Lower the linger, or raise message.timeout.ms.");
    } else {
        report.warn(
            WarningKind::ResolvedByClient,
            producer.at(TIMEOUT),
            format!("message.timeout.ms = {timeout} is not greater than the default linger.ms = {linger}: librdkafka lowers linger.ms to {}.", timeout_ms - 0.1),
        );
        resolutions.push(Resolution {
            table: producer.table,
            name: LINGER,
            value: (timeout_ms - 0.1).to_string(),
            why: String::from("lowered by the client below message.timeout.ms"),
        });
    }
}

pub(crate) fn consumer(consumer: &Properties, report: &mut Report) -> ConsumerRules {
    if consumer.text("group.id") == Some("") {
        refuse(
            report,
            consumer,
            "group.id",
            "librdkafka does not subscribe without a group.id",
        )
        .because("rd_kafka_subscribe() returns RD_KAFKA_RESP_ERR__UNKNOWN_GROUP.")
        .write("Name the group, or leave group.id out: then the design has a group of some name.");
    }
    protocol(consumer, report);
    fetch(consumer, report);
    assignors(consumer, report);
    let automatic_store = consumer.is_true("enable.auto.offset.store");
    let auto_commit = if consumer.is_true("enable.auto.commit") {
        timer(consumer, report);
        AutoCommit::Background { automatic_store }
    } else {
        AutoCommit::Off
    };
    ConsumerRules {
        offset_reset: offset_reset(consumer),
        auto_commit,
        automatic_store,
        poll: Some(1),
    }
}

fn protocol(consumer: &Properties, report: &mut Report) {
    if consumer.text("group.protocol") == Some("consumer") {
        for name in [
            "session.timeout.ms",
            "heartbeat.interval.ms",
            "partition.assignment.strategy",
            "group.protocol.type",
        ] {
            if consumer.is_set(name) {
                let message = format!("librdkafka refuses `{name}` with group.protocol = consumer");
                refuse(report, consumer, name, message)
                    .because(format!(
                        "{REFUSED}: under this protocol the group coordinator decides it."
                    ))
                    .write(format!("Leave `{name}` out."));
            }
        }
        return;
    }
    let of = |name| consumer.integer(name).unwrap_or(0);
    let (poll, session) = (of("max.poll.interval.ms"), of("session.timeout.ms"));
    if poll < session {
        let culprit = if consumer.is_set("max.poll.interval.ms") {
            "max.poll.interval.ms"
        } else {
            "session.timeout.ms"
        };
        let message = format!(
            "librdkafka refuses max.poll.interval.ms = {poll}: it is less than session.timeout.ms = {session}"
        );
        refuse(report, consumer, culprit, message)
            .because(format!("{REFUSED}."))
            .write(format!("Write a poll interval of at least {session}."));
    }
}

fn fetch(consumer: &Properties, report: &mut Report) {
    const NAME: &str = "fetch.min.bytes";
    let bytes = consumer.integer(NAME).unwrap_or(1);
    if !(1..=100_000_000).contains(&bytes) {
        let message = format!("librdkafka refuses fetch.min.bytes = {bytes}");
        refuse(report, consumer, NAME, message)
            .because(format!(
                "{REFUSED}: outside share groups it takes 1 to 100000000."
            ))
            .write("Write a number in this range.");
    }
}

fn assignors(consumer: &Properties, report: &mut Report) {
    const NAME: &str = "partition.assignment.strategy";
    let Some(stated) = consumer.get(NAME) else {
        return;
    };
    let words: Vec<&str> = stated.value.split(',').map(str::trim).collect();
    let cooperative = words
        .iter()
        .filter(|word| **word == "cooperative-sticky")
        .count();
    let problem = if cooperative > 0 && cooperative < words.len() {
        refuse(
            report,
            consumer,
            NAME,
            "librdkafka refuses to mix eager and cooperative assignors",
        )
        .because(format!(
            "{REFUSED}: all assignors must have one rebalance protocol."
        ))
    } else if words
        .iter()
        .any(|word| word.starts_with("org.apache.kafka."))
    {
        refuse(
            report,
            consumer,
            NAME,
            "librdkafka knows no assignor by the name of a Java class",
        )
        .because(format!(
            "{REFUSED}: its assignors are range, roundrobin and cooperative-sticky."
        ))
    } else {
        return;
    };
    problem.write("Write \"range,roundrobin\" or \"cooperative-sticky\".");
}

/// Without its timer the automatic commit only acts when partitions are given up.
fn timer(consumer: &Properties, report: &mut Report) {
    const NAME: &str = "auto.commit.interval.ms";
    if consumer.integer(NAME) == Some(0) {
        report
            .not_modelled(consumer.at(NAME), format!("`{NAME}` = 0 with automatic commit"))
            .because("librdkafka starts no commit timer then: stored offsets are committed only when partitions are given up.")
            .write("Write any other number of milliseconds, or enable.auto.commit = false.");
    }
}

fn offset_reset(consumer: &Properties) -> OffsetReset {
    match consumer.text("auto.offset.reset") {
        Some("smallest" | "earliest" | "beginning") => OffsetReset::Earliest,
        Some("error") => OffsetReset::None,
        Some(_) | None => OffsetReset::Latest,
    }
}
