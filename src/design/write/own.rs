//! semel's own tables.

use semel_models::order::Step;
use semel_models::pipeline::{
    self as model, AfterAttempts, Client, Effect, GroupProtocol, OnProcessFailure, Pipeline, Source,
};

use super::super::choices::{
    self, Assignment, Choice, CommitCovers, ConfirmOn, DeadLetterOrder, DedupInsert, DedupKey,
    DedupStore, DualWriteOrder, EffectName, OnAbort, OnCommitFailure, OnRestart, OnRevoke,
    OnSendFailure, OutboxCursor, OutboxOrder, PreparedTransaction, RecordSource, Start,
    TransactionalId,
};
use super::super::modelled;
use super::super::table::Table;
use super::{Lines, quoted};

/// The word that the model makes `value` of.
fn word<T: Choice, M: PartialEq>(value: M, of: impl Fn(T) -> Option<M>) -> T {
    let words = || T::ALL.iter().copied();
    words()
        .find(|choice| of(*choice).as_ref() == Some(&value))
        .or_else(|| words().next())
        .expect("a choice has words, and one for each value of the model")
}

pub(super) fn application(pipeline: &Pipeline, lines: &mut Lines) {
    let consumer = &pipeline.consumer;
    lines.table(Table::Application);
    lines.state("order", quoted(&consumer.order.to_string()));
    lines.choice(
        "commit-covers",
        word(consumer.commit_covers, modelled::commit_covers),
        CommitCovers::Next,
    );
    lines.choice(
        "on-commit-failure",
        word(consumer.on_commit_failure, modelled::on_commit_failure),
        OnCommitFailure::RetryLatest,
    );
    if !consumer.seek_on_assign {
        lines.state("seek-on-assign", false);
    }
    if consumer.workers > 0 {
        lines.state("workers", consumer.workers);
    }
    let on_revoke: OnRevoke = word(consumer.on_revoke, modelled::on_revoke);
    if on_revoke != OnRevoke::Nothing || listens_idly(pipeline) {
        lines.state("on-revoke", quoted(on_revoke.name()));
    }
    let on_lost = word(consumer.on_lost, modelled::on_revoke);
    lines.choice("on-lost", on_lost, on_revoke);
    on_process_failure(consumer.on_process_failure, lines);
    if consumer.has_transactions() {
        let output = &consumer.output;
        lines.choice(
            "on-abort",
            word(output.on_abort, modelled::on_abort),
            OnAbort::Seek,
        );
        lines.choice(
            "prepared-transaction",
            word(output.prepared_transaction, modelled::prepared_transaction),
            PreparedTransaction::Abort,
        );
        lines.choice(
            "transactional-id",
            word(output.transactional_id, modelled::transactional_id),
            TransactionalId::Stable,
        );
        if !output.group_metadata && consumer.commits_in_transactions() {
            lines.state("group-metadata", false);
        }
    }
    if pipeline.group.instances > 1 {
        lines.state("instances", pipeline.group.instances);
    }
    lines.choice(
        "assignment",
        word(pipeline.group.assignment, modelled::assignment),
        Assignment::Subscribe,
    );
    upstream(pipeline, lines);
}

fn on_process_failure(stated: OnProcessFailure, lines: &mut Lines) {
    let (then, order) = match stated.then {
        AfterAttempts::Stop => (choices::AfterAttempts::Stop, None),
        AfterAttempts::Close => (choices::AfterAttempts::Close, None),
        AfterAttempts::Skip => (choices::AfterAttempts::Skip, None),
        AfterAttempts::DeadLetter(order) => (choices::AfterAttempts::DeadLetter, Some(order)),
        AfterAttempts::RetryTopic => (choices::AfterAttempts::RetryTopic, None),
        AfterAttempts::Block => (choices::AfterAttempts::Block, None),
    };
    if stated.attempts > 1 || then != choices::AfterAttempts::Stop {
        let (attempts, then) = (stated.attempts, quoted(then.name()));
        let value = format!("{{ attempts = {attempts}, then = {then} }}");
        lines.state("on-process-failure", value);
    }
    if let Some(order) = order {
        lines.choice(
            "dead-letter-order",
            word(order, modelled::dead_letter_order),
            DeadLetterOrder::WriteCommit,
        );
    }
}

/// What the application around the upstream producer does.
fn upstream(pipeline: &Pipeline, lines: &mut Lines) {
    let producer = &pipeline.producer;
    let confirmed = match producer.source {
        Source::Memory => ConfirmOn::Ack,
        Source::Outbox { order, cursor } => {
            lines.choice("source", RecordSource::Outbox, RecordSource::Memory);
            let order = match order {
                model::OutboxOrder::PublishMark => OutboxOrder::PublishMark,
                model::OutboxOrder::MarkPublish => OutboxOrder::MarkPublish,
            };
            lines.choice("outbox-order", order, OutboxOrder::PublishMark);
            let cursor = match cursor {
                model::OutboxCursor::Status => OutboxCursor::Status,
                model::OutboxCursor::HighestId => OutboxCursor::HighestId,
            };
            lines.choice("outbox-cursor", cursor, OutboxCursor::Status);
            ConfirmOn::DatabaseCommit
        }
        Source::DualWrite(order) => {
            lines.choice("source", RecordSource::DualWrite, RecordSource::Memory);
            let order = match order {
                model::DualWriteOrder::DatabaseFirst => DualWriteOrder::DatabaseKafka,
                model::DualWriteOrder::KafkaFirst => DualWriteOrder::KafkaDatabase,
            };
            lines.choice("dual-write-order", order, DualWriteOrder::DatabaseKafka);
            ConfirmOn::DatabaseCommit
        }
        Source::Transaction {
            records_per_transaction,
        } => {
            lines.choice("source", RecordSource::Transaction, RecordSource::Memory);
            lines.state("records-per-transaction", records_per_transaction);
            ConfirmOn::Ack
        }
    };
    let confirm_on = word(producer.confirm_on, modelled::confirm_on);
    lines.choice("confirm-on", confirm_on, confirmed);
    lines.choice(
        "on-send-failure",
        word(producer.on_send_failure, modelled::on_send_failure),
        OnSendFailure::GiveUp,
    );
    lines.choice(
        "on-restart",
        word(producer.on_restart, modelled::on_restart),
        OnRestart::Forget,
    );
}

pub(super) fn sink(pipeline: &Pipeline, lines: &mut Lines) {
    let sink = &pipeline.sink;
    lines.table(Table::Sink);
    let (effect, idempotency_key) = match sink.effect {
        Effect::Add => (EffectName::Add, false),
        Effect::Upsert => (EffectName::Upsert, false),
        Effect::External { idempotency_key } => (EffectName::External, idempotency_key),
        Effect::Topic => (EffectName::Topic, false),
    };
    lines.state("effect", quoted(effect.name()));
    if idempotency_key {
        lines.state("idempotency-key", true);
    }
    lines.choice(
        "dedup",
        word(sink.dedup, modelled::dedup),
        DedupStore::Durable,
    );
    lines.choice(
        "dedup-insert",
        word(sink.dedup_insert, modelled::dedup_insert),
        DedupInsert::Unique,
    );
    lines.choice(
        "dedup-key",
        word(sink.dedup_key, modelled::dedup_key),
        DedupKey::Record,
    );
    lines.state_if("dedup-window", sink.dedup_window);
    if sink.fencing {
        lines.state("fencing", true);
    }
    if sink.version_guard {
        lines.state("version-guard", true);
    }
}

pub(super) fn faults(pipeline: &Pipeline, lines: &mut Lines) {
    let faults = &pipeline.faults;
    lines.table(Table::Faults);
    for (key, budget) in &faults.entries {
        // Quoted, a fault of one call keeps its place among the others.
        let name = match key.call {
            Some(_) => quoted(&key.to_string()),
            None => key.to_string(),
        };
        lines.state(&name, budget);
    }
    if faults.entries.is_empty() {
        // A table without a fault would stand for the default ones.
        lines.state("consumer-crash", 0);
    }
    lines.state_if("total", faults.total);
}

pub(super) fn bounds(pipeline: &Pipeline, lines: &mut Lines) {
    let bounds = &pipeline.bounds;
    lines.table(Table::Bounds);
    lines.state("records", bounds.records);
    if bounds.partitions != 1 {
        lines.state("partitions", bounds.partitions);
    }
    lines.state("keys", bounds.keys);
    lines.state("poll", bounds.poll);
    lines.state("retries", bounds.retries);
    lines.choice("start", word(bounds.start, modelled::start), Start::Joined);
}

/// Whether there is a listener that nothing but itself shows: the client waits for it, where it
/// would otherwise act in the background.
fn listens_idly(pipeline: &Pipeline) -> bool {
    let (group, consumer) = (&pipeline.group, &pipeline.consumer);
    let in_background =
        pipeline.client == Client::Librdkafka || group.protocol == GroupProtocol::Consumer;
    let seeks = consumer.seek_on_assign && consumer.order.contains(Step::SaveOffset);
    group.assignment == model::Assignment::Subscribe
        && in_background
        && !group.rejoins_in_background
        && !seeks
        && !pipeline.sink.fencing
}
