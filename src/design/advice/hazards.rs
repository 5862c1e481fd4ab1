//! Combinations that lose, repeat or block by their nature: what an engineer would say in a review,
//! before any verdict.

use semel_models::fault::Fault;
use semel_models::order::Step;
use semel_models::pipeline::{
    Acks, AfterAttempts, Assignment, AutoCommit, Client, Dedup, DedupInsert, Effect, GroupProtocol,
    OnCommitFailure, OnRevoke, OutboxCursor, Source,
};

use super::super::report::Report;
use super::super::source::Span;
use super::super::warning::WarningKind;
use super::{Judged, order, step_at};

/// One thing to say, if it is so.
struct Hazard {
    is_so: bool,
    at: Option<Span>,
    text: &'static str,
}

pub(super) fn warn(judged: &Judged<'_>, report: &mut Report) {
    let all = [
        upstream(judged).as_slice(),
        group(judged).as_slice(),
        sink(judged).as_slice(),
        failures(judged).as_slice(),
    ]
    .into_iter()
    .flatten()
    .filter(|hazard| hazard.is_so)
    .map(|hazard| (hazard.at, hazard.text))
    .collect::<Vec<_>>();
    for (at, text) in all {
        report.warn(WarningKind::Hazard, at, text);
    }
}

fn upstream(judged: &Judged<'_>) -> [Hazard; 2] {
    let application = judged.application;
    let source = judged.pipeline.producer.source;
    [
        Hazard {
            is_so: matches!(source, Source::DualWrite(_)),
            at: application.source.at,
            text: "source = \"dual-write\": database and Kafka have no common transaction. A crash or a failed send between the two writes leaves one without the other, in either order. An outbox (source = \"outbox\") writes the record with the row, in one transaction.",
        },
        Hazard {
            is_so: matches!(
                source,
                Source::Outbox {
                    cursor: OutboxCursor::HighestId,
                    ..
                }
            ),
            at: application.outbox_cursor.at,
            text: "outbox-cursor = \"highest-id\": ids are given when a row is inserted and become visible when its transaction commits. The relay passes over a row that commits after one with a higher id, and never publishes it. A status in each row (outbox-cursor = \"status\") does not.",
        },
    ]
}

fn group(judged: &Judged<'_>) -> [Hazard; 6] {
    let pipeline = judged.pipeline;
    let group = &pipeline.group;
    let two = group.instances > 1;
    let assigns = group.assignment == Assignment::Assign;
    let unsafe_commit = match pipeline.consumer.auto_commit {
        AutoCommit::AtPoll => true,
        // Automatic store has a warning of its own, with workers and without.
        AutoCommit::Off | AutoCommit::Background { .. } => false,
    };
    let application = judged.application;
    [
        Hazard {
            is_so: pipeline.consumer.workers > 0 && unsafe_commit,
            at: judged
                .consumer
                .at("enable.auto.commit")
                .or(application.workers.at),
            text: "Automatic commit with workers: a poll commits all that earlier polls returned, whether a worker has finished it or not. A crash loses what the workers still had in hand. Write enable.auto.commit = false and an order with `commit`.",
        },
        Hazard {
            is_so: two && (group.revokes_in_background || group.rejoins_in_background),
            at: None,
            text: "on-revoke is left out, so there is no rebalance listener: this client then gives the partition up, or joins again, in the background, between two steps of the application. With a listener it does so in polls only: write on-revoke = \"nothing\" for one that commits nothing (confluent-kafka-python always registers one).",
        },
        Hazard {
            is_so: two && commits_while_joining(judged),
            at: step_at(judged, Step::Commit),
            text: "A cooperative Java consumer returns records while it joins, and commitSync() then throws RebalanceInProgressException. on-commit-failure = \"retry-latest\" commits again until the join is complete; write \"ignore\" if the application goes on without. A commit in onPartitionsRevoked() (on-revoke = \"commit\") makes up for it.",
        },
        Hazard {
            is_so: two && assigns,
            at: application.assignment.at,
            text: "Two instances with assignment = \"assign\" both read the whole partition: each record is handled by each of them, and both commit to one group, the last one winning.",
        },
        Hazard {
            is_so: group.static_membership && group.protocol == GroupProtocol::Consumer,
            at: judged.consumer.at("group.instance.id"),
            text: "group.instance.id under the consumer protocol: a member that crashed and starts again before its session expired is refused (UNRELEASED_INSTANCE_ID), which is fatal to it; the partition stays unread until the session has expired.",
        },
        Hazard {
            is_so: group.static_membership && two && group.protocol != GroupProtocol::Consumer,
            at: judged.consumer.at("group.instance.id"),
            text: "group.instance.id with two instances: each of them is taken to have a name of its own. Two with one name fence each other: see that your deployment gives each its own.",
        },
    ]
}

/// Whether the order's commits may fail because a rebalance is under way, and nothing makes up for
/// it but their repetition.
fn commits_while_joining(judged: &Judged<'_>) -> bool {
    let consumer = &judged.pipeline.consumer;
    judged.pipeline.client == Client::Java
        && judged.pipeline.group.protocol == GroupProtocol::Cooperative
        && order(judged).contains(Step::Commit)
        && consumer.on_commit_failure == OnCommitFailure::RetryLatest
        && consumer.on_revoke != OnRevoke::Commit
}

fn sink(judged: &Judged<'_>) -> [Hazard; 3] {
    let pipeline = judged.pipeline;
    let sink = &pipeline.sink;
    let two = pipeline.group.instances > 1;
    let subscribes = pipeline.group.assignment == Assignment::Subscribe;
    let has = |step| order(judged).contains(step);
    let guarded = sink.fencing || sink.version_guard;
    [
        Hazard {
            is_so: skips_a_result(judged),
            at: step_at(judged, Step::Remember),
            text: "`remember` stands before the result: after a crash between the two the record comes again, its identity is known, and its result, which was not written or was aborted, is skipped with the rest. Write the result first: kafka[produce, db[process, remember], commit].",
        },
        Hazard {
            is_so: two && sink.dedup == Dedup::Memory && has(Step::Remember),
            at: judged.sink.dedup.at,
            text: "dedup = \"memory\" with two instances: each remembers only what it handled itself, and nothing of what the partition's former owner did.",
        },
        Hazard {
            is_so: two && subscribes && has(Step::SaveOffset) && !guarded,
            at: step_at(judged, Step::SaveOffset),
            // Only the database of the offsets can guard them where the effect is in a topic.
            text: match sink.effect == Effect::Topic {
                true => {
                    "`save-offset` with two instances and no version-guard: a former owner that was paused or slow writes its older offset over the new owner's. Write version-guard = true in [sink], if the database of the offsets can do that."
                }
                false => {
                    "`save-offset` with two instances and neither fencing nor version-guard: a former owner that was paused or slow writes its older offset over the new owner's. Write fencing = true or version-guard = true in [sink], if the sink can do either."
                }
            },
        },
    ]
}

/// Whether an identity that is remembered keeps a result out that was not written yet.
fn skips_a_result(judged: &Judged<'_>) -> bool {
    let order = order(judged);
    let steps = order.steps();
    let is_result = |step: &Step| matches!(step, Step::Produce | Step::ProduceAsync);
    let remembered = steps.iter().position(|step| *step == Step::Remember);
    let sent = steps.iter().rposition(is_result);
    let skips = judged.pipeline.sink.dedup_insert == DedupInsert::Unique
        || order.contains(Step::SkipIfSeen);
    skips && remembered.is_some_and(|remembered| sent.is_some_and(|sent| remembered < sent))
}

fn failures(judged: &Judged<'_>) -> [Hazard; 3] {
    let consumer = &judged.pipeline.consumer;
    let application = judged.application;
    let then = consumer.on_process_failure.then;
    let poisoned = judged.pipeline.faults.contains(Fault::Poison);
    let writes = match then {
        AfterAttempts::DeadLetter(_) | AfterAttempts::RetryTopic => true,
        AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Skip | AfterAttempts::Block => {
            false
        }
    };
    [
        Hazard {
            is_so: then == AfterAttempts::Skip,
            at: application.after_attempts.at,
            text: "then = \"skip\": a record whose handling failed for good is passed over, and lost. A dead-letter topic (then = \"dead-letter\") keeps it.",
        },
        Hazard {
            is_so: poisoned && matches!(then, AfterAttempts::Stop | AfterAttempts::Block),
            at: application.after_attempts.at,
            text: "A poisonous record blocks its partition: handling it fails on every attempt and after every restart, and nothing behind it is handled. then = \"dead-letter\" or \"skip\" passes over it.",
        },
        Hazard {
            is_so: writes && consumer.output.acks == Acks::None,
            at: judged
                .output
                .at("acks")
                .or(judged.output.at("request.required.acks")),
            text: "acks = 0 in [output.producer]: nobody hears of a dead letter or retry that is lost, and the record's offset is committed all the same.",
        },
    ]
}
