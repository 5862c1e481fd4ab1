//! Warnings about a design that can be judged: what its author would want to know first.

mod hazards;

use semel_models::guarantee::Guarantee;
use semel_models::order::{Order, Step};
use semel_models::pipeline::{
    AfterAttempts, Assignment, AutoCommit, Dedup, DedupKey, OffsetReset, OnRevoke, Pipeline,
};

use super::application::Application;
use super::kafka::Properties;
use super::order::GroupKind;
use super::report::{Report, alternatives};
use super::sink::Sink;
use super::source::Span;
use super::transactions;
use super::verdicts::Expected;
use super::version::Rule;
use super::warning::WarningKind;

/// Everything that the warnings look at.
pub(crate) struct Judged<'d> {
    pub pipeline: &'d Pipeline,
    pub application: &'d Application,
    pub sink: &'d Sink,
    pub producer: &'d Properties,
    pub consumer: &'d Properties,
    pub broker: &'d Properties,
    /// `[output.producer]`
    pub output: &'d Properties,
    /// Whether offsets of an empty group expire before the topic's records do.
    pub offsets_expire_first: bool,
    pub required: &'d [Guarantee],
    pub expected: &'d [(Guarantee, Expected)],
}

pub(crate) fn warn(judged: &Judged<'_>, report: &mut Report) {
    commits(judged, report);
    offset_reset(judged, report);
    dedup(judged, report);
    offsets_expire(judged, report);
    hazards::warn(judged, report);
    without_effect(judged, report);
    without_meaning(judged, report);
    vacuous(judged, report);
}

fn order<'j>(judged: &'j Judged<'_>) -> &'j Order {
    &judged.pipeline.consumer.order
}

/// Where the first step of this kind stands.
fn step_at(judged: &Judged<'_>, step: Step) -> Option<Span> {
    let written = judged.application.order.as_ref()?;
    super::order::steps(&written.nodes)
        .into_iter()
        .find(|(other, _, _)| *other == step)
        .map(|(_, span, _)| written.text.place(span))
}

fn commits(judged: &Judged<'_>, report: &mut Report) {
    let order = order(judged);
    let own = [Step::Commit, Step::CommitAsync]
        .into_iter()
        .find(|step| order.contains(*step));
    let auto = judged.pipeline.consumer.auto_commit;
    let stores = order.contains(Step::StoreOffset);
    match (auto, own) {
        (AutoCommit::AtPoll | AutoCommit::Background { .. }, Some(step)) => {
            let reason = match judged.consumer.is_set("enable.auto.commit") {
                true => "enable.auto.commit = true",
                false => "enable.auto.commit is left out, and its default is true",
            };
            report.warn(
                WarningKind::BothCommit,
                step_at(judged, step),
                format!("{reason}: automatic commit and `{}` both act. Automatic commit may run ahead of the order; write enable.auto.commit = false if the order alone is to commit.", step.name()),
            );
        }
        (
            AutoCommit::Background {
                automatic_store: true,
            },
            None,
        ) => {
            report.warn(
                WarningKind::UnsafeDefault,
                judged.consumer.at("enable.auto.commit"),
                "librdkafka stores a record's offset when it hands the record over, and commits it in the background at any time: a crash before the record is handled loses it. Write enable.auto.offset.store = false and `store-offset` after `process` to commit only what is handled.",
            );
        }
        (
            AutoCommit::Background {
                automatic_store: false,
            },
            None,
        ) if !stores => {
            report.warn(
                WarningKind::NothingCommits,
                judged.consumer.at("enable.auto.offset.store"),
                "enable.auto.offset.store = false and the order has no `store-offset`: the background commit never finds an offset to commit, and every restart begins where auto.offset.reset says.",
            );
        }
        (AutoCommit::Off, None) if stores => {
            report.warn(
                WarningKind::NothingCommits,
                step_at(judged, Step::StoreOffset),
                "enable.auto.commit = false: stored offsets are never committed, and every restart begins where auto.offset.reset says.",
            );
        }
        (AutoCommit::Off, None)
            if !order.contains(Step::SaveOffset) && !commits_on_callback(judged) =>
        {
            report.warn(
                WarningKind::NothingCommits,
                judged.consumer.at("enable.auto.commit"),
                "Nothing commits an offset: every restart begins where auto.offset.reset says.",
            );
        }
        (AutoCommit::Off | AutoCommit::AtPoll | AutoCommit::Background { .. }, _) => {}
    }
}

/// Whether the rebalance listener commits.
fn commits_on_callback(judged: &Judged<'_>) -> bool {
    let consumer = &judged.pipeline.consumer;
    [consumer.on_revoke, consumer.on_lost].contains(&OnRevoke::Commit)
}

fn offset_reset(judged: &Judged<'_>, report: &mut Report) {
    let saved = order(judged).contains(Step::SaveOffset) && judged.pipeline.consumer.seek_on_assign;
    let left_out = !judged.consumer.is_set("auto.offset.reset");
    let latest = judged.pipeline.consumer.offset_reset == OffsetReset::Latest;
    if left_out && latest && !saved {
        report.warn(
            WarningKind::UnsafeDefault,
            None,
            "auto.offset.reset is left out, and its default is latest: a consumer that restarts before its first commit begins at the log's end and skips what was sent meanwhile.",
        );
    }
}

/// Offsets that go before the records leave the reset policy to decide, long after the first start.
fn offsets_expire(judged: &Judged<'_>, report: &mut Report) {
    const NAME: &str = "offsets.retention.minutes";
    let recent = judged.broker.versions.has(Rule::OffsetsExpireWithTheGroup);
    let stated = judged.broker.is_set(NAME);
    // An unlimited topic outlives every offset; that alone is no news.
    if !judged.offsets_expire_first || !judged.pipeline.consumer.commits() || recent && !stated {
        return;
    }
    let consequence = match judged.pipeline.consumer.offset_reset {
        OffsetReset::Earliest => "everything in the log is read again",
        OffsetReset::Latest => "everything in the log that was not read yet is skipped",
        OffsetReset::None => "the consumer fails",
    };
    let minutes = judged.broker.text(NAME).unwrap_or("");
    let since = match recent {
        true => "A group that is empty for longer",
        false => {
            "Brokers before 2.1 count from the commit: a group that commits nothing for longer, be it active,"
        }
    };
    let fault = match recent {
        true => " The fault `offsets-expiry` shows it.",
        false => "",
    };
    let place = judged.broker.at(NAME);
    report.warn(
        match stated {
            true => WarningKind::Hazard,
            false => WarningKind::UnsafeDefault,
        },
        place,
        format!("{NAME} = {minutes} is less than the topic's retention. {since} loses its offsets while the records are still there: {consequence}.{fault}"),
    );
}

fn dedup(judged: &Judged<'_>, report: &mut Report) {
    let steps = order(judged).steps();
    let first = |step: Step| steps.iter().position(|other| *other == step);
    if let Some(look) = first(Step::SkipIfSeen) {
        if first(Step::Remember).is_none() {
            report.warn(
                WarningKind::DeadStep,
                step_at(judged, Step::SkipIfSeen),
                "`skip-if-seen` never finds a record: the order has no `remember`.",
            );
        } else if first(Step::Process).is_some_and(|process| process < look) {
            report.warn(
                WarningKind::DeadStep,
                step_at(judged, Step::SkipIfSeen),
                "`skip-if-seen` stands after `process`: it comes too late to skip the effect.",
            );
        }
    }
    let looks = first(Step::SkipIfSeen).is_some();
    let plain = judged.sink.dedup_insert.value == super::choices::DedupInsert::Plain;
    if first(Step::Remember).is_some() && plain && !looks {
        report.warn(
            WarningKind::DeadStep,
            step_at(judged, Step::Remember),
            "`remember` keeps nothing out: with dedup-insert = \"plain\" a second insert does not conflict, and the order has no `skip-if-seen`.",
        );
    }
}

/// What is stated and cannot matter.
fn without_effect(judged: &Judged<'_>, report: &mut Report) {
    let order = order(judged);
    let application = judged.application;
    let sink = judged.sink;
    let dedups = order.contains(Step::Remember) || order.contains(Step::SkipIfSeen);
    let on_callback = commits_on_callback(judged);
    let commits = order.contains(Step::Commit) || order.contains(Step::CommitAsync) || on_callback;
    let saves = order.contains(Step::SaveOffset);
    let mut unused = |at: Option<Span>, used: bool, key: &str, needs: &[&str]| {
        if let Some(at) = at.filter(|_| !used) {
            let steps: Vec<String> = needs.iter().map(|step| format!("`{step}`")).collect();
            let steps = alternatives(steps.iter().map(String::as_str));
            report.warn(
                WarningKind::NoEffect,
                at,
                format!("`{key}` has no bearing: the order has no {steps}."),
            );
        }
    };
    let dedup_steps = ["skip-if-seen", "remember"];
    unused(sink.dedup.at, dedups, "dedup", &dedup_steps);
    unused(sink.dedup_key.at, dedups, "dedup-key", &dedup_steps);
    unused(
        sink.dedup_insert.at,
        order.contains(Step::Remember),
        "dedup-insert",
        &["remember"],
    );
    let covers = commits || saves;
    unused(
        application.commit_covers.at,
        covers,
        "commit-covers",
        &["commit", "commit-async", "save-offset"],
    );
    unused(
        application.on_commit_failure.at,
        order.contains(Step::Commit) || on_callback,
        "on-commit-failure",
        &["commit"],
    );
    unused(
        application.seek_on_assign.at,
        saves,
        "seek-on-assign",
        &["save-offset"],
    );
    if judged.pipeline.sink.dedup == Dedup::Memory && order.contains(Step::Remember) {
        // Said because the word "dedup" promises more than a process's memory can keep.
        report.warn(
            WarningKind::UnsafeDefault,
            sink.dedup.at,
            "dedup = \"memory\": what is remembered is gone when the process restarts.",
        );
    }
    without_transactions(judged, report);
}

/// What goes with transactions, or with what is outside of them.
fn without_transactions(judged: &Judged<'_>, report: &mut Report) {
    for producer in [judged.producer, judged.output] {
        let timeout = producer.at("transaction.timeout.ms");
        if let Some(at) = timeout.filter(|_| !transactions::has_id(producer)) {
            report.warn(
                WarningKind::NoEffect,
                at,
                "`transaction.timeout.ms` has no bearing without transactional.id.",
            );
        }
    }
    let written = judged.application.order.as_ref();
    let mut commits = written
        .map_or_else(Vec::new, |written| super::order::steps(&written.nodes))
        .into_iter()
        .filter(|(step, _, _)| *step == Step::Commit)
        .map(|(_, _, groups)| groups.contains(&GroupKind::Kafka))
        .peekable();
    let only_inside = commits.peek().is_some() && commits.all(|inside| inside);
    let stated = judged.application.on_commit_failure.at;
    if let Some(at) = stated.filter(|_| only_inside && !commits_on_callback(judged)) {
        report.warn(
            WarningKind::NoEffect,
            at,
            "`on-commit-failure` has no bearing: the order has no `commit` outside of kafka[...], and one that fails inside aborts the transaction.",
        );
    }
}
/// What is stated beside something that takes its meaning away.
fn without_meaning(judged: &Judged<'_>, report: &mut Report) {
    let application = judged.application;
    let pipeline = judged.pipeline;
    let assigns = pipeline.group.assignment == Assignment::Assign;
    let instance = judged.consumer.at("group.instance.id");
    if let Some(at) = instance.filter(|_| assigns) {
        report.warn(
            WarningKind::NoEffect,
            at,
            "`group.instance.id` has no bearing: a consumer that calls assign() is no member of a group.",
        );
    }
    let blocks = pipeline.consumer.on_process_failure.then == AfterAttempts::Block;
    if blocks && pipeline.consumer.on_process_failure.attempts > 1 {
        report.warn(
            WarningKind::NoEffect,
            application.attempts.at,
            "`attempts` has no bearing with then = \"block\": the record is tried for ever.",
        );
    }
    let window = pipeline.sink.dedup_window;
    let keeps_all = window.is_some_and(|window| window >= pipeline.bounds.records);
    if keeps_all && pipeline.sink.dedup_key == DedupKey::Record {
        report.warn(
            WarningKind::NoEffect,
            judged.sink.dedup_window.at,
            format!("`dedup-window` has no bearing within this bound: {} records have no more identities than it keeps. Raise `records` in [bounds] or lower the window.", pipeline.bounds.records),
        );
    }
}

/// A guarantee that the bound makes trivially true.
fn vacuous(judged: &Judged<'_>, report: &mut Report) {
    let bounds = &judged.pipeline.bounds;
    let per_key = bounds.records.div_ceil(bounds.keys.max(1));
    let asked = judged.required.contains(&Guarantee::InOrder)
        || judged
            .expected
            .iter()
            .any(|(guarantee, _)| *guarantee == Guarantee::InOrder);
    if asked && per_key < 2 {
        report.warn(
            WarningKind::Vacuous,
            None,
            format!("`in-order` cannot be violated: with {} records and {} keys no key has two records. Raise `records` or lower `keys` in [bounds].", bounds.records, bounds.keys),
        );
    }
}
