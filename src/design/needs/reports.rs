//! Delivery reports: who relies on them, and what takes them away.

use super::super::choices::{ConfirmOn, OnRestart, OnSendFailure, RecordSource};
use super::super::diagnostic::Code;
use super::super::kafka::Properties;
use super::super::report::Report;
use super::super::resolve::Parts;

/// The callback that the producer states, and that takes its reports away.
pub(crate) fn callback(producer: &Properties) -> &'static str {
    let callbacks = ["dr_msg_cb", "dr_cb"].into_iter();
    let mut stated = callbacks.filter(|name| producer.is_set(name));
    stated.next().unwrap_or("dr_msg_cb")
}

/// What the application hears of its sends decides what it can rely on.
pub(super) fn check(parts: &Parts<'_>, report: &mut Report) {
    let rules = &parts.rules.producer;
    let application = parts.application;
    let confirms = application.confirm_on.value == ConfirmOn::Ack;
    let resends = application.on_send_failure.value == OnSendFailure::Resend;
    let resumes = application.on_restart.value == OnRestart::ResendUnconfirmed;
    let waits = match application.source.value {
        RecordSource::Outbox | RecordSource::DualWrite => true,
        RecordSource::Memory | RecordSource::Transaction => false,
    };
    let (culprit, needed) = if !rules.reports && (confirms || resends || resumes || waits) {
        (callback(parts.producer), "delivery reports")
    } else if !rules.reports_success && (confirms || resumes || waits) {
        (
            "delivery.report.only.error",
            "reports of records that were acknowledged",
        )
    } else {
        return;
    };
    let relies = match (confirms, waits, resends) {
        (true, _, _) => "confirm-on = \"ack\"",
        (false, true, _) => match application.source.value {
            RecordSource::Outbox => "source = \"outbox\"",
            RecordSource::DualWrite | RecordSource::Memory | RecordSource::Transaction => {
                "source = \"dual-write\""
            }
        },
        (false, false, true) => "on-send-failure = \"resend\"",
        (false, false, false) => "on-restart = \"resend-unconfirmed\"",
    };
    let write = match waits {
        true => format!("Leave `{culprit}` out."),
        false => format!("Leave `{culprit}` out, or write confirm-on = \"send\" in [application]."),
    };
    report
        .problem(
            Code::Contradiction,
            parts.producer.at(culprit),
            format!("{relies} needs {needed}, and `{culprit}` takes them away"),
        )
        .because("The application would never learn that a record was acknowledged.")
        .write(write);
}
