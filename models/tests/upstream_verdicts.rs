//! What the model says of published failures upstream, each with a twin that differs in one
//! setting. Every verdict is the same without reductions.

mod common;

use common::pipeline;
use semel_models::cluster::{Cluster, Reductions};
use semel_models::fault::Fault;
use semel_models::guarantee::Guarantee::{self, *};
use semel_models::pipeline::*;
use stateright::{Checker, Model};

fn discovered(pipeline: &Pipeline, reductions: Reductions) -> Vec<Guarantee> {
    let cluster = Cluster::with_reductions(pipeline.clone(), reductions).expect("small");
    let checker = cluster.checker().spawn_dfs().join();
    let violated = |guarantee: &Guarantee| checker.discovery(guarantee.name()).is_some();
    Guarantee::ALL.into_iter().filter(violated).collect()
}

#[track_caller]
fn assert_violated(pipeline: &Pipeline, expected: &[Guarantee]) {
    let violated = discovered(pipeline, Reductions::ALL);
    assert_eq!(violated, expected);
    assert_eq!(discovered(pipeline, Reductions::NONE), expected);
}

fn outbox(order: OutboxOrder, cursor: OutboxCursor, faults: &[Fault]) -> Pipeline {
    let mut pipeline = pipeline(faults);
    pipeline.producer.source = Source::Outbox { order, cursor };
    pipeline.producer.confirm_on = ConfirmOn::DatabaseCommit;
    pipeline
}

fn dual_write(order: DualWriteOrder, faults: &[Fault]) -> Pipeline {
    let mut pipeline = pipeline(faults);
    pipeline.producer.source = Source::DualWrite(order);
    pipeline.producer.confirm_on = ConfirmOn::DatabaseCommit;
    pipeline.producer.on_restart = OnRestart::Forget;
    pipeline
}

/// The sink recognises records by their identity.
fn with_dedup(mut pipeline: Pipeline) -> Pipeline {
    use semel_models::order::{Item, Order, Step};
    let once = vec![Item::Step(Step::Process), Item::Step(Step::Remember)];
    pipeline.consumer.order = Order(vec![Item::Database(once), Item::Step(Step::Commit)]);
    pipeline
}

#[test]
fn p08_a_restarted_producer_repeats_what_it_saw_no_acknowledgement_of() {
    let mut resends = pipeline(&[Fault::ProducerCrash]);
    assert_violated(&resends, &[NoDuplicates, ExactlyOnceEffect]);
    assert_violated(&with_dedup(resends.clone()), &[]);
    resends.producer.on_restart = OnRestart::Forget;
    assert_violated(&resends, &[]);
}

#[test]
fn p11_a_record_confirmed_by_send_dies_in_the_buffer() {
    let mut early = pipeline(&[Fault::ProducerCrash]);
    early.producer.on_restart = OnRestart::Forget;
    early.producer.confirm_on = ConfirmOn::Send;
    assert_violated(&early, &[NoLoss, ExactlyOnceEffect]);
    early.producer.confirm_on = ConfirmOn::Ack;
    assert_violated(&early, &[]);
}

#[test]
fn p13_database_first_loses() {
    let mut writes = dual_write(DualWriteOrder::DatabaseFirst, &[Fault::ProducerCrash]);
    assert_violated(&writes, &[NoLoss, ExactlyOnceEffect]);
    writes.producer.on_restart = OnRestart::ResendUnconfirmed;
    assert_violated(&with_dedup(writes), &[]);
    let aborts = dual_write(DualWriteOrder::DatabaseFirst, &[Fault::Abort]);
    assert_violated(&aborts, &[]);
}

#[test]
fn p13_kafka_first_shows_what_was_rolled_back() {
    for fault in [Fault::Abort, Fault::ProducerCrash, Fault::ProducerPause] {
        let writes = dual_write(DualWriteOrder::KafkaFirst, &[fault]);
        assert_violated(&writes, &[ExactlyOnceEffect, NoPhantom]);
        assert_violated(&with_dedup(writes), &[ExactlyOnceEffect, NoPhantom]);
    }
    assert_violated(&dual_write(DualWriteOrder::KafkaFirst, &[]), &[]);
}

#[test]
fn p13_kafka_first_that_does_everything_again_only_repeats() {
    let faults = [Fault::Abort, Fault::ProducerCrash];
    let mut writes = dual_write(DualWriteOrder::KafkaFirst, &faults);
    writes.producer.on_restart = OnRestart::ResendUnconfirmed;
    writes.producer.on_send_failure = OnSendFailure::Resend;
    assert_violated(&writes, &[NoDuplicates, ExactlyOnceEffect]);
    assert_violated(&with_dedup(writes), &[]);
}

#[test]
fn s08_publish_then_mark_repeats_and_mark_then_publish_loses() {
    let faults = [Fault::ProducerCrash];
    let repeats = outbox(OutboxOrder::PublishMark, OutboxCursor::Status, &faults);
    assert_violated(&repeats, &[NoDuplicates, ExactlyOnceEffect]);
    assert_violated(&with_dedup(repeats), &[]);
    let loses = outbox(OutboxOrder::MarkPublish, OutboxCursor::Status, &faults);
    assert_violated(&loses, &[NoLoss, ExactlyOnceEffect]);
}

#[test]
fn s09_the_highest_id_misses_a_row_without_any_fault() {
    let by_id = outbox(OutboxOrder::PublishMark, OutboxCursor::HighestId, &[]);
    assert_violated(&by_id, &[NoLoss, ExactlyOnceEffect]);
    let by_status = outbox(OutboxOrder::PublishMark, OutboxCursor::Status, &[]);
    assert_violated(&by_status, &[]);
}

#[test]
fn rows_whose_transactions_overlapped_may_arrive_in_any_order() {
    let mut rows = outbox(OutboxOrder::PublishMark, OutboxCursor::Status, &[]);
    rows.sink.effect = Effect::Upsert;
    rows.bounds.records = 3;
    assert_violated(&rows, &[]);
}

#[test]
fn p09_an_older_broker_forgets_a_producer_whose_records_left_the_log() {
    let faults = [Fault::Retention, Fault::ResponseLost];
    let mut current = pipeline(&faults);
    current.consumer.offset_reset = OffsetReset::Earliest;
    assert_violated(&current, &[NoLoss, ExactlyOnceEffect]);
    let twice = [NoLoss, NoDuplicates, ExactlyOnceEffect];
    for java_bumps_epoch in [true, false] {
        let mut older = current.clone();
        older.rules.producer_state_outlives_records = false;
        older.rules.unknown_producer_starts_anywhere = false;
        older.rules.java_bumps_epoch = java_bumps_epoch;
        assert_violated(&older, &twice);
        older.rules.producer_state_outlives_records = true;
        if java_bumps_epoch {
            assert_violated(&older, &[NoLoss, ExactlyOnceEffect]);
        }
    }
}

#[test]
fn a_pause_repeats_without_idempotence_and_also_with_it() {
    // An epoch bump after a timeout repeats a batch that was appended behind it.
    let mut paused = pipeline(&[Fault::ProducerPause]);
    assert_violated(&paused, &[NoDuplicates, ExactlyOnceEffect]);
    paused.producer.idempotence = false;
    assert_violated(&paused, &[NoDuplicates, ExactlyOnceEffect]);
    paused.producer.acks = Acks::None;
    assert_violated(&paused, &[]);
}

#[test]
fn one_record_and_a_pause_are_safe_with_idempotence_only() {
    let mut paused = pipeline(&[Fault::ProducerPause]);
    paused.bounds.records = 1;
    paused.bounds.poll = 1;
    assert_violated(&paused, &[]);
    paused.producer.idempotence = false;
    assert_violated(&paused, &[NoDuplicates, ExactlyOnceEffect]);
}

#[test]
fn a_late_request_that_outlives_its_producer_id_is_written_again() {
    let late = pipeline(&[Fault::RequestDelayed]);
    assert_violated(&late, &[]);
    let expired = pipeline(&[Fault::RequestDelayed, Fault::ProducerIdExpiry]);
    assert_violated(&expired, &[NoDuplicates, ExactlyOnceEffect, InOrder]);
}

#[test]
fn a_retry_is_written_again_only_where_the_producer_id_expires_first() {
    let mut expires = pipeline(&[Fault::ResponseLost, Fault::ProducerIdExpiry]);
    assert_violated(&expires, &[]);
    expires.producer.id_expires_first = true;
    assert_violated(&expires, &[NoDuplicates, ExactlyOnceEffect]);
}

#[test]
fn c12_what_retention_takes_is_lost_and_latest_loses_more() {
    let mut gone = pipeline(&[Fault::Retention]);
    assert_violated(&gone, &[NoLoss, ExactlyOnceEffect]);
    gone.consumer.offset_reset = OffsetReset::None;
    assert_violated(&gone, &[NoLoss, ExactlyOnceEffect, Progress]);
}
