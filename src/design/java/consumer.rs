//! The Java consumer.

use semel_models::pipeline::{AutoCommit, OffsetReset};

use super::super::clients::{ConsumerRules, refuse};
use super::super::kafka::Properties;
use super::super::report::Report;
use super::super::version::{Rule, Versions};
use super::super::warning::WarningKind;
use super::CONFIG_EXCEPTION;

pub(super) fn rules(
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
    let uses_consumer = consumer.text("group.protocol") == Some("consumer");
    if versions.has(Rule::CommitOverPoll) && uses_consumer {
        report.warn(
            WarningKind::OpenRace,
            consumer.at("group.protocol"),
            "With group.protocol = consumer and automatic commit, Java clients since 4.2 have an open race: the background thread may commit records that the current poll is only now returning, and a crash then loses them. The model commits what earlier polls returned, and does not contain this race.",
        );
    }
}
