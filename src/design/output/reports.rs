//! Delivery reports of results: which steps rely on them, and what takes them away.

use semel_models::order::Step;

use super::super::clients::ProducerRules;
use super::super::diagnostic::Code;
use super::super::needs::callback;
use super::super::report::Report;
use super::{Stated, writes};

/// A step that waits for reports needs them: of what was delivered, or of what was not at least.
pub(super) fn check(stated: &Stated<'_>, rules: &ProducerRules, report: &mut Report) {
    let steps = |step| stated.order.is_some_and(|order| order.contains(step));
    let waits = if steps(Step::Produce) {
        "`produce`"
    } else if writes(stated.application) {
        "a dead-letter or retry topic"
    } else {
        ""
    };
    let looks = match waits {
        "" if steps(Step::Flush) => "`flush`",
        _ => waits,
    };
    let (culprit, who, needed) = if !rules.reports && !looks.is_empty() {
        (callback(stated.producer), looks, "delivery reports")
    } else if !rules.reports_success && !waits.is_empty() {
        (
            "delivery.report.only.error",
            waits,
            "reports of what was delivered",
        )
    } else {
        return;
    };
    report
        .problem(
            Code::Contradiction,
            stated.producer.at(culprit),
            format!("{who} needs {needed}, and `{culprit}` takes them away"),
        )
        .because("The application would never learn what has become of its results.")
        .write(format!("Leave `{culprit}` out."));
}
