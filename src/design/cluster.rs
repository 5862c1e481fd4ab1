//! The topic and the brokers: what they refuse, and what is in force.

use semel_models::pipeline::TopicSettings;

use super::clients::{Resolution, refuse};
use super::kafka::Properties;
use super::replication;
use super::report::Report;
use super::version::Versions;

/// The broker's default where a creation argument is left out or -1.
const BROKERS_DEFAULT: i64 = -1;

pub(crate) fn topic(
    topic: &Properties,
    broker: &Properties,
    versions: &Versions,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> TopicSettings {
    let partitions = created(topic, broker, "partitions", "num.partitions");
    one_only(
        topic,
        broker,
        "partitions",
        "num.partitions",
        partitions,
        report,
    );
    let replicas = created(
        topic,
        broker,
        "replication.factor",
        "default.replication.factor",
    );
    let replication = replication::settings(topic, broker, replicas, versions, report);
    broker_start(broker, report);
    let flush = match (
        topic.get("flush.messages"),
        broker.integer("log.flush.interval.messages"),
    ) {
        (Some(_), _) => topic.integer("flush.messages"),
        (None, Some(inherited)) if broker.is_set("log.flush.interval.messages") => {
            resolutions.push(Resolution {
                table: topic.table,
                name: "flush.messages",
                value: inherited.to_string(),
                why: String::from("the broker's log.flush.interval.messages"),
            });
            Some(inherited)
        }
        (None, _) => None,
    };
    let policy = CleanupPolicy::of(topic, broker);
    TopicSettings {
        replication,
        flush_messages: often_enough(flush),
        flushes_internal_topics: broker.integer("log.flush.interval.messages") == Some(1),
        retention: policy.delete && retention(topic, broker),
        compacted: policy.compact,
        cleaned: policy.compact
            && broker.text("log.cleaner.enable") != Some("false")
            && !never_old_enough(topic, broker),
    }
}

/// The interval in records, where flushes are asked for.
fn often_enough(flush: Option<i64>) -> Option<u64> {
    flush
        .filter(|messages| *messages != i64::MAX)
        .and_then(|messages| u64::try_from(messages).ok())
}

/// After how many records the log of a topic is flushed: its own setting, or the broker's.
pub(crate) fn flush_messages(topic: &Properties, broker: &Properties) -> Option<u64> {
    let own = topic.integer("flush.messages");
    let own = own.filter(|_| topic.is_set("flush.messages"));
    often_enough(own.or_else(|| broker.integer("log.flush.interval.messages")))
}

/// What `cleanup.policy` asks for.
struct CleanupPolicy {
    delete: bool,
    compact: bool,
}

impl CleanupPolicy {
    fn of(topic: &Properties, broker: &Properties) -> CleanupPolicy {
        let own = topic.get("cleanup.policy");
        let stated = own.or_else(|| broker.get("log.cleanup.policy"));
        let names = stated.map_or("delete", |stated| stated.value.as_str());
        let has = |name| names.split(',').any(|own| own.trim() == name);
        CleanupPolicy {
            delete: has("delete"),
            compact: has("compact"),
        }
    }
}

pub(super) fn created(topic: &Properties, broker: &Properties, name: &str, default: &str) -> i64 {
    let stated = topic.get(name).and_then(|stated| stated.value.parse().ok());
    stated
        .filter(|number| *number != BROKERS_DEFAULT)
        .or_else(|| broker.integer(default))
        .unwrap_or(1)
}

fn one_only(
    topic: &Properties,
    broker: &Properties,
    name: &str,
    default: &str,
    number: i64,
    report: &mut Report,
) {
    if number == 1 {
        return;
    }
    let own = topic
        .at(name)
        .filter(|_| topic.integer(name) != Some(BROKERS_DEFAULT));
    let (place, what) = match own {
        Some(place) => (Some(place), format!("`{name}` = {number}")),
        None => (broker.at(default), format!("`{default}` = {number}")),
    };
    report
        .not_modelled(place, what)
        .because("How many partitions are explored is a bound.")
        .write(format!(
            "Write {name} = 1 in [topic], or leave it out, and [bounds] partitions = 2 for two."
        ));
}

/// Whether no record ever gets old enough to be cleaned.
fn never_old_enough(topic: &Properties, broker: &Properties) -> bool {
    const OWN: &str = "min.compaction.lag.ms";
    let own = topic.integer(OWN).filter(|_| topic.is_set(OWN));
    let lag = own.or_else(|| broker.integer("log.cleaner.min.compaction.lag.ms"));
    lag == Some(i64::MAX)
}

/// Whether retention may delete records by age or size.
fn retention(topic: &Properties, broker: &Properties) -> bool {
    let unlimited = |own: &str, inherited: &[&str]| {
        let of_broker = || {
            let stated = inherited.iter().find(|name| broker.is_set(name));
            stated.and_then(|name| broker.integer(name))
        };
        let own = topic.get(own).and_then(|_| topic.integer(own));
        own.or_else(of_broker).map(|limit| limit < 0)
    };
    let hours = [
        "log.retention.ms",
        "log.retention.minutes",
        "log.retention.hours",
    ];
    let by_age = !unlimited("retention.ms", &hours).unwrap_or(false);
    let by_size = !unlimited("retention.bytes", &["log.retention.bytes"]).unwrap_or(true);
    by_age || by_size
}

/// A consumer that its broker does not let join.
pub(crate) fn join(consumer: &Properties, broker: &Properties, report: &mut Report) {
    rebalance_protocol(consumer, broker, report);
    session_timeout(consumer, broker, report);
}

/// Brokers may switch a group protocol off, but not the classic one.
fn rebalance_protocol(consumer: &Properties, broker: &Properties, report: &mut Report) {
    const NAME: &str = "group.coordinator.rebalance.protocols";
    let Some(stated) = broker.get(NAME) else {
        return;
    };
    let protocols: Vec<&str> = stated.value.split(',').map(str::trim).collect();
    let wanted = consumer.text("group.protocol").unwrap_or("classic");
    let (message, because) = if !protocols.contains(&"classic") {
        (
            format!("a broker does not start without the classic protocol in {NAME}"),
            "org.apache.kafka.common.config.ConfigException: it cannot be switched off.",
        )
    } else if !protocols.contains(&wanted) {
        (
            format!("the broker refuses consumers of group.protocol = {wanted}"),
            "org.apache.kafka.common.errors.UnsupportedVersionException when the consumer joins: the protocol is switched off.",
        )
    } else {
        return;
    };
    refuse(report, broker, NAME, message)
        .because(because)
        .write(format!("Add the protocol to {NAME}."));
}

/// A classic member whose session timeout lies outside the broker's bounds never joins.
fn session_timeout(consumer: &Properties, broker: &Properties, report: &mut Report) {
    const NAME: &str = "session.timeout.ms";
    if consumer.text("group.protocol") == Some("consumer") {
        return;
    }
    let session = consumer.integer(NAME).unwrap_or(45_000);
    let (low, high) = (
        "group.min.session.timeout.ms",
        "group.max.session.timeout.ms",
    );
    let bound = |name, default| broker.integer(name).unwrap_or(default);
    let (min, max) = (bound(low, 6_000), bound(high, 1_800_000));
    if (min..=max).contains(&session) {
        return;
    }
    let message = format!("the broker refuses session.timeout.ms = {session}");
    let because = format!(
        "org.apache.kafka.common.errors.InvalidSessionTimeoutException when the consumer joins: {low} = {min}, {high} = {max}."
    );
    let write = "Write a session timeout between the two, or move the bound in [broker].";
    let problem = if consumer.is_set(NAME) {
        refuse(report, consumer, NAME, message)
    } else {
        let culprit = if session < min { low } else { high };
        refuse(report, broker, culprit, message)
    };
    problem.because(because).write(write);
}

/// Comparisons that keep a broker from starting.
fn broker_start(broker: &Properties, report: &mut Report) {
    const SMALLER: [(&str, &str, bool); 7] = [
        (
            "replica.fetch.wait.max.ms",
            "replica.socket.timeout.ms",
            false,
        ),
        (
            "replica.fetch.wait.max.ms",
            "replica.lag.time.max.ms",
            false,
        ),
        (
            "group.consumer.heartbeat.interval.ms",
            "group.consumer.session.timeout.ms",
            true,
        ),
        (
            "group.consumer.min.session.timeout.ms",
            "group.consumer.session.timeout.ms",
            false,
        ),
        (
            "group.consumer.session.timeout.ms",
            "group.consumer.max.session.timeout.ms",
            false,
        ),
        (
            "group.consumer.min.heartbeat.interval.ms",
            "group.consumer.heartbeat.interval.ms",
            false,
        ),
        (
            "group.consumer.heartbeat.interval.ms",
            "group.consumer.max.heartbeat.interval.ms",
            false,
        ),
    ];
    for (small, large, strictly) in SMALLER {
        let (Some(low), Some(high)) = (broker.integer(small), broker.integer(large)) else {
            continue;
        };
        if low < high || low == high && !strictly {
            continue;
        }
        let culprit = if broker.is_set(small) { small } else { large };
        let relation = if strictly { "less than" } else { "at most" };
        refuse(
            report,
            broker,
            culprit,
            format!("a broker does not start with {small} = {low} and {large} = {high}"),
        )
        .because(format!(
            "java.lang.IllegalArgumentException: {small} must be {relation} {large}."
        ))
        .write("Change one of the two.");
    }
}
