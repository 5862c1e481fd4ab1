//! semel's own settings in force, for the list of settings: what the design leaves out.

use semel_models::pipeline::Pipeline;

use super::application::Application;
use super::choices::{AfterAttempts, Choice, OnRevoke, RecordSource, Start};
use super::settings::{Setting, default};
use super::sink::Sink;
use super::table::Table;

/// Adds what the design does not state.
pub(crate) fn defaults(
    pipeline: &Pipeline,
    application: &Application,
    sink: &Sink,
    into: &mut Vec<Setting>,
) {
    of_application(application, into);
    of_sink(sink, into);
    let bounds = &pipeline.bounds;
    default(Table::Bounds, "records", bounds.records, into);
    default(Table::Bounds, "partitions", 1, into);
    default(Table::Bounds, "keys", bounds.keys, into);
    default(Table::Bounds, "poll", bounds.poll, into);
    default(Table::Bounds, "retries", bounds.retries, into);
    default(Table::Bounds, "start", Start::Joined.name(), into);
    if !into.iter().any(|setting| setting.table == Table::Faults) {
        for (key, budget) in &pipeline.faults.entries {
            default(Table::Faults, &key.to_string(), budget, into);
        }
        default(Table::Faults, "total", pipeline.faults.total(), into);
    }
}

fn of_application(application: &Application, into: &mut Vec<Setting>) {
    let mut add = |name: &str, value: &str| default(Table::Application, name, value, into);
    add("source", application.source.value.name());
    match application.source.value {
        RecordSource::Outbox => {
            add("outbox-order", application.outbox_order.value.name());
            add("outbox-cursor", application.outbox_cursor.value.name());
        }
        RecordSource::DualWrite => {
            add(
                "dual-write-order",
                application.dual_write_order.value.name(),
            );
        }
        RecordSource::Memory | RecordSource::Transaction => {}
    }
    add("confirm-on", application.confirm_on.value.name());
    add("on-send-failure", application.on_send_failure.value.name());
    add("on-restart", application.on_restart.value.name());
    add("instances", &application.instances.value.to_string());
    add("assignment", application.assignment.value.name());
    add("workers", &application.workers.value.to_string());
    add("commit-covers", application.commit_covers.value.name());
    add(
        "on-commit-failure",
        application.on_commit_failure.value.name(),
    );
    add(
        "seek-on-assign",
        &application.seek_on_assign.value.to_string(),
    );
    let attempts = application.attempts.value.to_string();
    add("on-process-failure.attempts", &attempts);
    let then = application.after_attempts.value;
    add("on-process-failure.then", then.name());
    if then == AfterAttempts::DeadLetter {
        add(
            "dead-letter-order",
            application.dead_letter_order.value.name(),
        );
    }
    add("on-revoke", application.on_revoke.value.name());
    if application.on_revoke.value != OnRevoke::Nothing {
        add("on-lost", application.on_lost.value.name());
    }
}

fn of_sink(sink: &Sink, into: &mut Vec<Setting>) {
    let mut add = |name: &str, value: &str| default(Table::Sink, name, value, into);
    add("effect", sink.effect.value.name());
    add("dedup", sink.dedup.value.name());
    add("dedup-insert", sink.dedup_insert.value.name());
    add("dedup-key", sink.dedup_key.value.name());
    add("fencing", &sink.fencing.value.to_string());
    add("version-guard", &sink.version_guard.value.to_string());
}
