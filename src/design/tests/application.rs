//! What the code around the clients does, resolved.

use semel_models::order::Step;
use semel_models::pipeline::{
    Acks, AfterAttempts, CommitCovers, ConfirmOn, DeadLetterOrder, DualWriteOrder, OnCommitFailure,
    OnProcessFailure, OnRevoke, OutboxCursor, OutboxOrder, Source,
};

use super::super::order::rules::{Surroundings, check};
use super::super::order::syntax;
use super::*;
use semel_models::pipeline::Client;

#[test]
fn an_outbox_is_confirmed_by_its_row() {
    let producer = |lines: &str| {
        accepted(&with_application(lines))
            .pipeline()
            .producer
            .clone()
    };
    let default = producer("source = \"outbox\"");
    assert_eq!(default.confirm_on, ConfirmOn::DatabaseCommit);
    assert_eq!(
        default.source,
        Source::Outbox {
            order: OutboxOrder::PublishMark,
            cursor: OutboxCursor::Status
        }
    );
    let other = producer(
        "source = \"outbox\"\noutbox-order = \"mark -> publish\"\noutbox-cursor = \"highest-id\"\nconfirm-on = \"ack\"",
    );
    assert_eq!(other.confirm_on, ConfirmOn::Ack);
    assert_eq!(
        other.source,
        Source::Outbox {
            order: OutboxOrder::MarkPublish,
            cursor: OutboxCursor::HighestId
        }
    );
}

#[test]
fn a_dual_write_is_confirmed_by_its_row_in_either_order() {
    for (line, order) in [
        ("", DualWriteOrder::DatabaseFirst),
        (
            "dual-write-order = \"database -> kafka\"",
            DualWriteOrder::DatabaseFirst,
        ),
        (
            "dual-write-order = \"kafka -> database\"",
            DualWriteOrder::KafkaFirst,
        ),
    ] {
        let design = accepted(&with_application(&format!(
            "source = \"dual-write\"\n{line}"
        )));
        let producer = &design.pipeline().producer;
        assert_eq!(producer.source, Source::DualWrite(order), "{line}");
        assert_eq!(producer.confirm_on, ConfirmOn::DatabaseCommit);
    }
}

#[test]
fn workers_say_what_a_commit_covers() {
    let covers = |lines: &str| {
        let design = accepted(&with_application(lines));
        let consumer = &design.pipeline().consumer;
        (consumer.workers, consumer.commit_covers)
    };
    assert_eq!(covers("workers = 1"), (1, CommitCovers::Next));
    for (word, covered) in [
        ("contiguous", CommitCovers::Contiguous),
        ("highest", CommitCovers::Highest),
        ("position", CommitCovers::Position),
    ] {
        let lines = format!("workers = 2\ncommit-covers = \"{word}\"");
        assert_eq!(covers(&lines), (2, covered));
    }
    // Nothing of the order's own commits: there is nothing to cover.
    let auto = with_order("process").replace("enable.auto.commit = false", "");
    let auto = auto.replace("[application]", "[application]\nworkers = 4");
    assert_eq!(accepted(&auto).pipeline().consumer.workers, 4);
}

#[test]
fn with_workers_an_order_ends_with_its_commit() {
    let around = Surroundings {
        client: Client::Java,
        external: false,
        topic: false,
        dedup_in_database: true,
        automatic_store: true,
        workers: true,
    };
    let nearest = |text: &str| {
        let broken = check(&syntax::parse(text).unwrap(), &around);
        let write = broken.first().map_or("", |rule| rule.write.as_str());
        write
            .split_once("can be built: `")
            .map(|(_, order)| order.trim_end_matches("`.").to_owned())
    };
    for text in [
        "process",
        "process -> commit",
        "skip-if-seen -> db[process, remember] -> commit-async",
        "db[process, save-offset]",
    ] {
        assert_eq!(nearest(text), None, "{text}");
    }
    for (text, expected) in [
        ("commit -> process", "process -> commit"),
        (
            "process -> commit -> remember",
            "process -> remember -> commit",
        ),
        ("process -> commit -> commit-async", "process -> commit"),
        ("each(process) -> commit", "process -> commit"),
        ("each(process -> commit)", "process -> commit"),
        ("db[each(process), save-offset]", "db[process, save-offset]"),
        ("db[each(process -> commit)]", "db[process] -> commit"),
    ] {
        assert_eq!(nearest(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_failure_that_stays_is_handled_as_stated() {
    let failure = |value: &str, more: &str| {
        let lines = format!("on-process-failure = {value}\n{more}");
        accepted(&with_application(&lines))
            .pipeline()
            .consumer
            .on_process_failure
    };
    for (word, then) in [
        ("stop", AfterAttempts::Stop),
        ("close", AfterAttempts::Close),
        ("skip", AfterAttempts::Skip),
        (
            "dead-letter",
            AfterAttempts::DeadLetter(DeadLetterOrder::WriteCommit),
        ),
        ("retry-topic", AfterAttempts::RetryTopic),
        ("block", AfterAttempts::Block),
    ] {
        assert_eq!(
            failure(&format!("{{ attempts = 3, then = \"{word}\" }}"), ""),
            OnProcessFailure { attempts: 3, then }
        );
    }
    let reverse = failure(
        "{ then = \"dead-letter\" }",
        "dead-letter-order = \"commit -> write\"",
    );
    assert_eq!(
        reverse,
        OnProcessFailure {
            attempts: 1,
            then: AfterAttempts::DeadLetter(DeadLetterOrder::CommitWrite)
        }
    );
}

#[test]
fn dead_letters_are_acknowledged_as_their_producer_asks() {
    let acks = |then: &str, output: &str| {
        let lines = format!("on-process-failure = {{ then = \"{then}\" }}");
        let text = with_application(&lines) + output;
        accepted(&text).pipeline().consumer.output.acks
    };
    assert_eq!(acks("dead-letter", ""), Acks::All);
    assert_eq!(
        acks("retry-topic", "[output.producer]\nacks = 1\n"),
        Acks::Leader
    );
    assert_eq!(
        acks("dead-letter", "[output.producer]\nacks = 0\n"),
        Acks::None
    );
    let refused_by_client = with_application("on-process-failure = { then = \"dead-letter\" }")
        + "[output.producer]\nacks = 0\nenable.idempotence = true\n";
    assert_eq!(only(&refused_by_client).0, Code::RefusedByKafka);
    let transactional = with_application("on-process-failure = { then = \"dead-letter\" }")
        + "[output.producer]\ntransactional.id = \"letters\"\n";
    assert_eq!(only(&transactional).0, Code::NotModelled);
    let nothing_written = SOUND.to_owned() + "[output.producer]\nacks = \"all\"\n";
    assert_eq!(only(&nothing_written).0, Code::Contradiction);
}

#[test]
fn a_listener_is_told_of_lost_partitions_as_of_revoked_ones_unless_it_says_otherwise() {
    let listener = |lines: &str| {
        let design = accepted(&with_application(lines));
        let consumer = &design.pipeline().consumer;
        (consumer.on_revoke, consumer.on_lost)
    };
    assert_eq!(listener(""), (OnRevoke::Nothing, OnRevoke::Nothing));
    assert_eq!(
        listener("on-revoke = \"commit\""),
        (OnRevoke::Commit, OnRevoke::Commit)
    );
    assert_eq!(
        listener("on-revoke = \"commit\"\non-lost = \"nothing\""),
        (OnRevoke::Commit, OnRevoke::Nothing)
    );
    assert_eq!(
        listener("workers = 1\non-revoke = \"drop-buffered\""),
        (OnRevoke::DropBuffered, OnRevoke::DropBuffered)
    );
}

#[test]
fn a_failed_commit_may_be_repeated_later() {
    let design = accepted(&with_application("on-commit-failure = \"retry-saved\""));
    assert_eq!(
        design.pipeline().consumer.on_commit_failure,
        OnCommitFailure::RetrySaved
    );
}

#[test]
fn a_sink_may_forget_fence_and_guard() {
    let text = with_order("db[process, remember, save-offset]")
        + "[sink]\neffect = \"upsert\"\ndedup-window = 2\nfencing = true\nversion-guard = true\n";
    let design = accepted(&text);
    let sink = &design.pipeline().sink;
    assert_eq!(sink.dedup_window, Some(2));
    assert!(sink.fencing && sink.version_guard);
    assert!(design.pipeline().consumer.order.contains(Step::SaveOffset));
    // A saved offset can be guarded whatever the effect is.
    let saved = with_order("db[process, save-offset]") + "[sink]\nversion-guard = true\n";
    assert!(accepted(&saved).pipeline().sink.version_guard);
}
