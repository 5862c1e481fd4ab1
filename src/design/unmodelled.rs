//! Refuses by name what can be read and is not modelled, or cannot be meant.

use semel_models::pipeline::{AutoCommit, Client, CommitCovers, OnRestart, OnSendFailure};

use super::application::Application;
use super::choices::{self, Choice};
use super::diagnostic::Code;
use super::keys::Stated;
use super::modelled;
use super::order::text::OrderText;
use super::order::{Node, Part};
use super::report::{Report, alternatives};
use super::resolve::Parts;

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
        const ACCEPTED: &str = "Modelled: process, skip-if-seen, remember, commit, commit-async, save-offset, store-offset, each(...) and db[...].";
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

/// Keys of `[application]` that the pipeline has no field for.
pub(crate) fn keys_of_application(parts: &Parts<'_>, report: &mut Report) {
    let application = parts.application;
    model("source", &application.source, modelled::source, report);
    model(
        "assignment",
        &application.assignment,
        modelled::assignment,
        report,
    );
    model(
        "on-revoke",
        &application.on_revoke,
        modelled::on_revoke,
        report,
    );
    model("on-lost", &application.on_lost, modelled::on_revoke, report);
    model(
        "on-process-failure.then",
        &application.after_attempts,
        modelled::after_attempts,
        report,
    );
    for (key, stated, accepted) in [
        ("workers", &application.workers, 0),
        ("instances", &application.instances, 1),
        ("on-process-failure.attempts", &application.attempts, 1),
    ] {
        if stated.value != accepted {
            report
                .not_modelled(stated.at, format!("{key} = {}", stated.value))
                .write(format!("Accepted: {accepted}."));
        }
    }
    // These only mean something together with a source, a step or a framework that is refused.
    let needs = [
        (
            "outbox-order",
            application.outbox_order.at,
            "source = \"outbox\"",
        ),
        (
            "outbox-cursor",
            application.outbox_cursor.at,
            "source = \"outbox\"",
        ),
        (
            "dual-write-order",
            application.dual_write_order.at,
            "source = \"dual-write\"",
        ),
        (
            "records-per-transaction",
            application
                .records_per_transaction
                .as_ref()
                .and_then(|stated| stated.at),
            "source = \"transaction\"",
        ),
        (
            "dead-letter-order",
            application.dead_letter_order.at,
            "then = \"dead-letter\"",
        ),
        ("on-abort", application.on_abort.at, "kafka[...]"),
        (
            "transactional-id",
            application.transactional_id.at,
            "kafka[...]",
        ),
        (
            "group-metadata",
            application.group_metadata.at,
            "kafka[...]",
        ),
        (
            "framework",
            application.framework.as_ref().and_then(|stated| stated.at),
            "the order that the framework expands to",
        ),
        (
            "ack-mode",
            application.ack_mode.as_ref().and_then(|stated| stated.at),
            "framework = \"spring-kafka\"",
        ),
        (
            "processing.guarantee",
            application
                .processing_guarantee
                .as_ref()
                .and_then(|stated| stated.at),
            "framework = \"kafka-streams\"",
        ),
    ];
    for (key, at, needed) in needs {
        if at.is_some() {
            report
                .not_modelled(at, format!("`{key}`"))
                .because(format!(
                    "It goes with {needed}, which is not modelled yet either."
                ))
                .write("Leave it out.");
        }
    }
}

/// What the application hears of its sends decides what it can rely on.
pub(crate) fn delivery_reports(parts: &Parts<'_>, report: &mut Report) {
    let rules = &parts.rules.producer;
    let application = parts.application;
    let confirms = application.confirm_on.value == choices::ConfirmOn::Ack;
    let resends =
        modelled::on_send_failure(application.on_send_failure.value) == Some(OnSendFailure::Resend);
    let resumes =
        modelled::on_restart(application.on_restart.value) == Some(OnRestart::ResendUnconfirmed);
    let (culprit, needed) = if !rules.reports && (confirms || resends || resumes) {
        let callback = ["dr_msg_cb", "dr_cb"]
            .into_iter()
            .find(|name| parts.producer.is_set(name))
            .unwrap_or("dr_msg_cb");
        (callback, "delivery reports")
    } else if !rules.reports_success && (confirms || resumes) {
        (
            "delivery.report.only.error",
            "reports of records that were acknowledged",
        )
    } else {
        return;
    };
    let relies = if confirms {
        "confirm-on = \"ack\""
    } else if resends {
        "on-send-failure = \"resend\""
    } else {
        "on-restart = \"resend-unconfirmed\""
    };
    report
        .problem(
            Code::Contradiction,
            parts.producer.at(culprit),
            format!("{relies} needs {needed}, and `{culprit}` takes them away"),
        )
        .because("The application would never learn that a record was acknowledged.")
        .write(format!(
            "Leave `{culprit}` out, or write confirm-on = \"send\" in [application]."
        ));
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
