//! Outbox, dual write and what time does to producer and broker, step by step.

mod common;

use common::pipeline;
use semel_models::action::{Action, ConsumerStep, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Phase;
use semel_models::fault::Fault;
use semel_models::pipeline::*;
use semel_models::producer::{Answer, Sending};
use stateright::Model;

const FAULTS: [Fault; 8] = [
    Fault::ProducerCrash,
    Fault::ResponseLost,
    Fault::RequestDelayed,
    Fault::ProducerPause,
    Fault::ProducerIdExpiry,
    Fault::Abort,
    Fault::Retention,
    Fault::PowerLoss,
];

/// Records from `source`, confirmed when the database commits; at most three faults.
fn from(source: Source) -> Pipeline {
    let mut pipeline = pipeline(&FAULTS);
    pipeline.producer.source = source;
    if source != Source::Memory {
        pipeline.producer.confirm_on = ConfirmOn::DatabaseCommit;
    }
    for (_, budget) in &mut pipeline.faults.entries {
        *budget = 2;
    }
    pipeline.faults.total = Some(3);
    pipeline
}

fn outbox(order: OutboxOrder, cursor: OutboxCursor) -> Pipeline {
    from(Source::Outbox { order, cursor })
}

/// Publish, wait, mark; by status.
fn relay() -> Pipeline {
    outbox(OutboxOrder::PublishMark, OutboxCursor::Status)
}

fn database_first() -> Pipeline {
    from(Source::DualWrite(DualWriteOrder::DatabaseFirst))
}

fn kafka_first() -> Pipeline {
    from(Source::DualWrite(DualWriteOrder::KafkaFirst))
}

fn steps_of(pipeline: Pipeline, steps: &[Action]) -> (Cluster, State) {
    let cluster = Cluster::new(pipeline).expect("small");
    let mut state = cluster.init_states().remove(0);
    for step in steps {
        let action = enabled(&cluster, &state)
            .into_iter()
            .find(|action| same(*action, *step))
            .unwrap_or_else(|| panic!("{step:?} is not enabled in {state:#?}"));
        state = cluster
            .next_state(&state, action)
            .expect("the step changes something");
    }
    (cluster, state)
}

/// Takes the steps one after the other; each must be enabled.
fn run(pipeline: Pipeline, steps: &[Action]) -> State {
    steps_of(pipeline, steps).1
}

fn enabled(cluster: &Cluster, state: &State) -> Vec<Action> {
    let mut actions = Vec::new();
    cluster.actions(state, &mut actions);
    actions
}

/// Whether a step can be taken after the others.
fn may(pipeline: &Pipeline, steps: &[Action], next: Action) -> bool {
    let (cluster, state) = steps_of(pipeline.clone(), steps);
    let mut actions = enabled(&cluster, &state).into_iter();
    actions.any(|action| same(action, next) && cluster.next_state(&state, action).is_some())
}

/// Equal, whatever entry of the budget pays for it.
fn same(left: Action, right: Action) -> bool {
    match (left, right) {
        (Action::Fault { strike: left, .. }, Action::Fault { strike: right, .. }) => left == right,
        _ => left == right,
    }
}

const fn fault(strike: Strike) -> Action {
    Action::Fault { entry: 0, strike }
}

const CRASH: Action = fault(Strike::ProducerCrash);
const ABORT: Action = fault(Strike::Abort);
const LOSE_ANSWER: Action = fault(Strike::LoseAnswer(Target::Produce));
const DELAY: Action = fault(Strike::Delay(Target::Produce));
const PAUSE: Action = fault(Strike::ProducerPause);
const PAUSE_OF_REQUESTS: Action = fault(Strike::ProducerPauseOfRequests);
const FORGET: Action = fault(Strike::ForgetProducer(0));
const RETENTION: Action = fault(Strike::Retention);

use Action::{CommitUpstream, Expire, HandleProduce, Mark, ReceiveAnswer, Send, Transmit};

/// `record` is sent and acknowledged.
fn delivered(record: u16) -> [Action; 4] {
    [Send(record), Transmit, HandleProduce, ReceiveAnswer]
}

fn then(parts: &[&[Action]]) -> Vec<Action> {
    parts.concat()
}

fn log(state: &State) -> Vec<u16> {
    let start = usize::from(state.broker.log_start());
    let left = &state.broker.log[start..];
    left.iter().map(|entry| entry.record).collect()
}

#[test]
fn a_row_that_commits_below_the_highest_id_is_never_read() {
    let steps = then(&[
        &[CommitUpstream(1)],
        &delivered(1),
        &[Mark(1), CommitUpstream(0)],
    ]);
    let by_id = outbox(OutboxOrder::PublishMark, OutboxCursor::HighestId);
    assert!(!may(&by_id, &steps, Send(0)));
    assert!(run(by_id, &steps).ledger.is_confirmed(0));
    assert!(may(&relay(), &steps, Send(0)));
}

#[test]
fn at_most_two_transactions_are_open_at_once() {
    let mut pipeline = relay();
    pipeline.bounds.records = 3;
    assert!(may(&pipeline, &[], CommitUpstream(1)));
    assert!(!may(&pipeline, &[], CommitUpstream(2)));
    assert!(may(&pipeline, &[CommitUpstream(1)], CommitUpstream(2)));
}

#[test]
fn the_relay_waits_for_the_report_and_the_mark_before_the_next_row() {
    let both = [CommitUpstream(0), CommitUpstream(1)];
    let published = then(&[&both, &[Send(0)]]);
    assert!(!may(&relay(), &published, Send(1)));
    let acknowledged = then(&[&both, &delivered(0)]);
    assert!(!may(&relay(), &acknowledged, Send(1)));
    assert!(may(&relay(), &then(&[&acknowledged, &[Mark(0)]]), Send(1)));
}

#[test]
fn a_relay_that_dies_before_its_mark_publishes_again() {
    let steps = then(&[
        &[CommitUpstream(0)],
        &delivered(0),
        &[CRASH],
        &delivered(0),
        &[Mark(0)],
    ]);
    assert_eq!(log(&run(relay(), &steps)), [0, 0]);
}

#[test]
fn a_relay_that_dies_after_its_mark_and_before_its_publish_loses_the_row() {
    let pipeline = outbox(OutboxOrder::MarkPublish, OutboxCursor::Status);
    let steps = [CommitUpstream(0), Mark(0), CRASH];
    let state = run(pipeline.clone(), &steps);
    assert_eq!(state.producer.sending[0], Sending::Forgotten);
    assert!(!may(&pipeline, &steps, Send(0)));
}

#[test]
fn a_failed_publish_leaves_the_row_unmarked_unless_the_failure_is_ignored() {
    let failed = [
        CommitUpstream(0),
        Send(0),
        Transmit,
        HandleProduce,
        LOSE_ANSWER,
        Expire,
    ];
    assert!(may(&relay(), &failed, Send(0)));
    assert!(!may(&relay(), &failed, Mark(0)));
    assert!(run(relay(), &failed).ledger.failed.is_empty());
    let mut ignores = relay();
    ignores.producer.on_send_failure = OnSendFailure::Ignore;
    assert!(may(&ignores, &failed, Mark(0)));
    assert!(!may(&ignores, &failed, Send(0)));
}

#[test]
fn a_relay_replaces_a_client_in_a_fatal_state() {
    let mut pipeline = relay();
    pipeline.client = Client::Librdkafka;
    pipeline.bounds.records = 3;
    // r1 was acknowledged and is gone, so the sequence number of r2 does not follow r0's.
    let published = |row: u16| then(&[&[CommitUpstream(row)], &delivered(row), &[Mark(row)]]);
    let cut = fault(Strike::PowerLoss { kept: 1 });
    let fatal = then(&[
        &published(0),
        &published(1),
        &[cut, CommitUpstream(2)],
        &delivered(2),
    ]);
    assert!(run(pipeline.clone(), &fatal).producer.librdkafka.fatal);
    let again = run(pipeline, &then(&[&fatal, &delivered(2)]));
    assert_eq!((again.producer.session, log(&again)), (1, vec![0, 2]));
}

#[test]
fn a_dual_write_that_dies_between_database_and_kafka_loses_the_record() {
    let mut pipeline = database_first();
    let steps = [CommitUpstream(0), CRASH];
    assert!(may(&pipeline, &steps, Send(0)), "unconfirmed: sent again");
    pipeline.producer.on_restart = OnRestart::Forget;
    assert!(!may(&pipeline, &steps, Send(0)));
    let state = run(pipeline, &steps);
    assert!(state.ledger.is_confirmed(0));
    assert_eq!(state.producer.sending[0], Sending::Forgotten);
}

#[test]
fn an_abort_before_the_send_leaves_nothing_in_kafka() {
    let pipeline = database_first();
    let state = run(pipeline.clone(), &[ABORT]);
    assert!(state.ledger.is_aborted(0) && !state.ledger.is_confirmed(0));
    assert!(!may(&pipeline, &[ABORT], Send(0)));
    assert!(may(&pipeline, &[ABORT], CommitUpstream(1)));
}

#[test]
fn a_rollback_after_the_acknowledgement_aborts_a_record_that_is_in_the_log() {
    let acknowledged = delivered(0);
    assert!(!may(&kafka_first(), &[Send(0)], Send(1)), "it waits");
    assert!(!may(&kafka_first(), &acknowledged, Send(1)), "it commits");
    let state = run(kafka_first(), &then(&[&acknowledged, &[ABORT]]));
    assert!(state.ledger.is_aborted(0) && !state.ledger.is_confirmed(0));
    assert_eq!(log(&state), [0]);
}

#[test]
fn an_aborted_record_is_done_again_only_with_resend() {
    let aborted = then(&[&delivered(0), &[ABORT]]);
    assert!(!may(&kafka_first(), &aborted, Transmit));
    let mut resends = kafka_first();
    resends.producer.on_send_failure = OnSendFailure::Resend;
    let again = [Transmit, HandleProduce, ReceiveAnswer, CommitUpstream(0)];
    let state = run(resends, &then(&[&aborted, &again]));
    assert!(!state.ledger.is_aborted(0) && state.ledger.is_confirmed(0));
    assert_eq!(log(&state), [0, 0]);
}

#[test]
fn a_crash_before_the_database_commit_rolls_it_back() {
    let unanswered = then(&[&[Send(0), Transmit, HandleProduce], &[CRASH]]);
    let again = run(kafka_first(), &unanswered);
    assert_eq!(again.producer.sending[0], Sending::Unsent);
    assert!(!again.ledger.is_aborted(0), "another copy follows");
    let acknowledged = then(&[&delivered(0), &[CRASH]]);
    let mut forgets = kafka_first();
    forgets.producer.on_restart = OnRestart::Forget;
    for (pipeline, steps) in [
        (kafka_first(), &acknowledged),
        (forgets.clone(), &acknowledged),
        (forgets, &unanswered),
    ] {
        let left = run(pipeline, steps);
        assert_eq!(left.producer.sending[0], Sending::Aborted);
        assert!(left.ledger.is_aborted(0));
    }
}

#[test]
fn a_dual_write_that_ignores_failures_commits_what_was_never_delivered() {
    let failed = [Send(0), PAUSE, Expire];
    let mut ignores = kafka_first();
    ignores.producer.on_send_failure = OnSendFailure::Ignore;
    let state = run(ignores, &then(&[&failed, &[CommitUpstream(0)]]));
    assert!(state.ledger.is_confirmed(0) && log(&state).is_empty());
    let state = run(kafka_first(), &failed);
    assert!(state.ledger.is_aborted(0), "a failed send rolls it back");
}

#[test]
fn after_a_pause_a_healthy_send_may_time_out_or_be_acknowledged() {
    let answered = [Send(0), Transmit, HandleProduce];
    let pipeline = from(Source::Memory);
    assert!(!may(&pipeline, &answered, Expire));
    let paused = then(&[&answered, &[PAUSE]]);
    assert!(may(&pipeline, &paused, Expire));
    assert!(may(&pipeline, &paused, ReceiveAnswer));
}

#[test]
fn a_pause_may_outlive_the_requests_and_repeat_them() {
    let steps = [
        Send(0),
        Transmit,
        HandleProduce,
        PAUSE_OF_REQUESTS,
        Transmit,
        HandleProduce,
    ];
    for client in [Client::Java, Client::Librdkafka] {
        let mut pipeline = from(Source::Memory);
        pipeline.client = client;
        assert_eq!(log(&run(pipeline.clone(), &steps)), [0]);
        pipeline.producer.idempotence = false;
        assert_eq!(log(&run(pipeline, &steps)), [0, 0]);
    }
}

#[test]
fn a_retry_outlives_its_producer_id_only_where_the_settings_let_it() {
    let mut pipeline = from(Source::Memory);
    let waiting = [Send(0), Transmit, HandleProduce, LOSE_ANSWER];
    assert!(!may(&pipeline, &waiting, FORGET));
    pipeline.producer.id_expires_first = true;
    let steps = then(&[&waiting, &[FORGET, Transmit, HandleProduce]]);
    assert_eq!(log(&run(pipeline, &steps)), [0, 0]);
}

#[test]
fn a_late_request_always_may_outlive_its_producer_id() {
    let retried = [Transmit, HandleProduce, ReceiveAnswer];
    let steps = then(&[
        &[Send(0), Transmit, DELAY],
        &retried,
        &[FORGET, Action::LateArrives(0)],
    ]);
    assert_eq!(log(&run(from(Source::Memory), &steps)), [0, 0]);
}

/// The rules of brokers before KAFKA-7190 and KIP-360, and of clients before it.
fn before_kip_360(java_bumps_epoch: bool) -> KafkaRules {
    KafkaRules {
        producer_state_outlives_records: false,
        unknown_producer_starts_anywhere: false,
        java_bumps_epoch,
        ..KafkaRules::CURRENT
    }
}

/// r0 is acknowledged, the answer for r1 is lost, and retention removes both.
fn both_gone() -> Vec<Action> {
    let in_doubt = [Send(1), Transmit, HandleProduce, LOSE_ANSWER];
    then(&[&delivered(0), &in_doubt, &[RETENTION, RETENTION]])
}

#[test]
fn a_broker_remembers_a_producer_whose_records_left_the_log() {
    let steps = then(&[&both_gone(), &[Transmit, HandleProduce]]);
    assert!(log(&run(from(Source::Memory), &steps)).is_empty());
}

#[test]
fn an_older_broker_forgets_it_and_both_kinds_of_client_write_the_record_again() {
    for java_bumps_epoch in [true, false] {
        let mut pipeline = from(Source::Memory);
        pipeline.rules = before_kip_360(java_bumps_epoch);
        let refused = then(&[&both_gone(), &[Transmit, HandleProduce]]);
        let state = run(pipeline.clone(), &refused);
        assert_eq!(state.producer.flights[0].answer, Answer::UnknownProducerId);
        let again = [ReceiveAnswer, Transmit, HandleProduce];
        let state = run(pipeline, &then(&[&refused, &again]));
        assert_eq!(log(&state), [1]);
        let stamp = state.broker.log[2].stamp;
        let epoch = u16::from(java_bumps_epoch);
        assert_eq!((stamp.epoch, stamp.sequence), (epoch, 0));
    }
}

#[test]
fn an_older_client_that_lost_no_record_asks_for_a_new_producer_id() {
    let mut pipeline = from(Source::Memory);
    pipeline.rules = before_kip_360(false);
    // The log's end was lost, not its head: r0 was acknowledged at an offset that is there again.
    let cut = fault(Strike::PowerLoss { kept: 0 });
    let steps = then(&[&delivered(0), &[cut], &delivered(1)]);
    let state = run(pipeline, &steps);
    assert_eq!(state.producer.sending[1], Sending::Failed);
    assert_eq!(state.producer.session, 1);
}

#[test]
fn librdkafka_bumps_its_epoch_for_a_first_attempt_and_is_fatal_for_a_repeated_one() {
    let mut pipeline = from(Source::Memory);
    pipeline.client = Client::Librdkafka;
    pipeline.rules = before_kip_360(true);
    let first = then(&[&delivered(0), &[RETENTION], &delivered(1)]);
    let state = run(pipeline.clone(), &first);
    assert!(!state.producer.librdkafka.fatal);
    assert_eq!(state.producer.librdkafka.epoch, 1);
    let repeated = [Transmit, HandleProduce, ReceiveAnswer];
    let state = run(pipeline, &then(&[&both_gone(), &repeated]));
    assert_eq!(state.producer.sending[1], Sending::Failed);
}

#[test]
fn a_position_below_the_log_start_is_reset_by_the_policy() {
    let gone = then(&[&delivered(0), &delivered(1), &[RETENTION]]);
    for (policy, next) in [(OffsetReset::Earliest, 1), (OffsetReset::Latest, 2)] {
        let mut pipeline = from(Source::Memory);
        pipeline.consumer.offset_reset = policy;
        let state = run(
            pipeline,
            &then(&[&gone, &[by_consumer(ConsumerStep::Relocate)]]),
        );
        assert_eq!(state.consumers[0].position().next.0, next);
    }
    let mut pipeline = from(Source::Memory);
    pipeline.consumer.offset_reset = OffsetReset::None;
    let state = run(
        pipeline,
        &then(&[&gone, &[by_consumer(ConsumerStep::Relocate)]]),
    );
    assert_eq!(state.consumers[0].phase, Phase::Down);
}

#[test]
fn before_kip_320_a_position_is_valid_once_the_log_has_grown_over_it() {
    let mut pipeline = from(Source::Memory);
    let cut = fault(Strike::PowerLoss { kept: 0 });
    let handled = [
        by_consumer(ConsumerStep::Operate),
        by_consumer(ConsumerStep::Operate),
    ];
    let steps = then(&[
        &delivered(0),
        &[by_consumer(ConsumerStep::Poll(1))],
        &handled,
        &[cut],
        &delivered(1),
    ]);
    assert!(may(&pipeline, &steps, by_consumer(ConsumerStep::Relocate)));
    pipeline.rules.truncation_noticed = false;
    assert!(!may(&pipeline, &steps, by_consumer(ConsumerStep::Relocate)));
}

fn by_consumer(does: ConsumerStep) -> Action {
    Action::Consumer { who: 0, does }
}
