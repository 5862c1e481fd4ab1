//! What each client does when requests and answers go wrong, step by step.

mod common;

use common::pipeline;
use semel_models::action::{Action, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::fault::Fault;
use semel_models::pipeline::{Acks, Client, Pipeline};
use semel_models::producer::Sending;
use stateright::Model;

const FAULTS: [Fault; 5] = [
    Fault::RequestLost,
    Fault::ResponseLost,
    Fault::RequestRefused,
    Fault::RequestDelayed,
    Fault::ProducerCrash,
];

fn producer(client: Client, idempotence: bool) -> Pipeline {
    let mut pipeline = pipeline(&FAULTS);
    pipeline.client = client;
    pipeline.producer.idempotence = idempotence;
    pipeline
}

/// Takes the steps one after the other; each must be enabled.
fn run(pipeline: Pipeline, steps: &[Do]) -> State {
    let cluster = Cluster::new(pipeline).expect("small");
    let mut state = cluster.init_states().remove(0);
    for step in steps {
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        let action = actions
            .into_iter()
            .find(|action| step.is(*action))
            .unwrap_or_else(|| panic!("{step:?} is not enabled in {state:#?}"));
        state = cluster
            .next_state(&state, action)
            .expect("the step changes something");
    }
    state
}

/// A step of the producer's side.
#[derive(Clone, Copy, Debug)]
enum Do {
    Send,
    Transmit,
    Handle,
    Receive,
    Expire,
    Late,
    LoseRequest,
    LoseAnswer,
    Refuse,
    Delay,
    Crash,
}

impl Do {
    fn is(self, action: Action) -> bool {
        let strike = match action {
            Action::Fault { strike, .. } => Some(strike),
            _ => None,
        };
        match self {
            Do::Send => matches!(action, Action::Send(_)),
            Do::Transmit => action == Action::Transmit,
            Do::Handle => action == Action::HandleProduce,
            Do::Receive => action == Action::ReceiveAnswer,
            Do::Expire => action == Action::Expire,
            Do::Late => matches!(action, Action::LateArrives(_)),
            Do::LoseRequest => strike == Some(Strike::LoseRequest(Target::Produce)),
            Do::LoseAnswer => strike == Some(Strike::LoseAnswer(Target::Produce)),
            Do::Refuse => strike == Some(Strike::Refuse(Target::Produce)),
            Do::Delay => strike == Some(Strike::Delay(Target::Produce)),
            Do::Crash => strike == Some(Strike::ProducerCrash),
        }
    }
}

use Do::*;

fn log(state: &State) -> Vec<u16> {
    state.broker.log.iter().map(|entry| entry.record).collect()
}

/// Both records on the wire.
const BOTH: [Do; 4] = [Send, Send, Transmit, Transmit];

fn after_both(steps: &[Do]) -> Vec<Do> {
    [&BOTH[..], steps].concat()
}

#[test]
fn a_broken_connection_reverses_the_batches_of_a_plain_java_producer() {
    let steps = after_both(&[LoseRequest, Transmit, Handle, Transmit, Handle]);
    assert_eq!(log(&run(producer(Client::Java, false), &steps)), [1, 0]);
}

#[test]
fn a_broken_connection_keeps_the_order_with_idempotence_and_in_librdkafka() {
    let one_by_one = after_both(&[LoseRequest, Transmit, Handle, Receive, Transmit, Handle]);
    assert_eq!(log(&run(producer(Client::Java, true), &one_by_one)), [0, 1]);
    let pipelined = after_both(&[LoseRequest, Transmit, Handle, Transmit, Handle]);
    for idempotence in [true, false] {
        let pipeline = producer(Client::Librdkafka, idempotence);
        assert_eq!(log(&run(pipeline, &pipelined)), [0, 1]);
    }
}

#[test]
fn one_request_in_flight_keeps_the_order_without_idempotence() {
    let mut pipeline = producer(Client::Java, false);
    pipeline.producer.max_in_flight = 1;
    let steps = [
        Send, Send, Transmit, Refuse, Receive, Transmit, Handle, Receive, Transmit, Handle,
    ];
    assert_eq!(log(&run(pipeline, &steps)), [0, 1]);
}

#[test]
fn a_lost_answer_repeats_the_record_unless_the_producer_is_idempotent() {
    let steps = [
        Send, Transmit, Handle, LoseAnswer, Transmit, Handle, Receive,
    ];
    for client in [Client::Java, Client::Librdkafka] {
        let plain = run(producer(client, false), &steps);
        assert_eq!(log(&plain), [0, 0]);
        let idempotent = run(producer(client, true), &steps);
        assert_eq!(log(&idempotent), [0]);
        assert!(idempotent.ledger.is_confirmed(0));
    }
}

#[test]
fn an_overtaken_first_batch_of_a_java_producer_is_reported_failed_in_the_end() {
    // The broker does not know the producer id, so it takes sequence number 1 first.
    let overtaken = [Refuse, Handle, Receive, Receive];
    let retry = [Transmit, Handle, Receive];
    let steps = after_both(&[&overtaken[..], &retry, &retry[..2], &[Receive]].concat());
    let state = run(producer(Client::Java, true), &steps);
    assert_eq!(log(&state), [1]);
    assert_eq!(state.producer.sending[0], Sending::Failed);
    assert!(state.ledger.is_confirmed(1) && !state.ledger.is_confirmed(0));
}

#[test]
fn an_epoch_bump_of_a_java_producer_writes_a_batch_again_whose_answer_was_lost() {
    // r0 is refused and overtaken by r1, whose answer is lost; when r0 is then out of order, the
    // client takes it for lost state of the broker and starts a new epoch with both.
    let steps = after_both(&[
        Refuse, Handle, Receive, LoseAnswer, Transmit, Handle, Receive, Transmit, Handle, Receive,
        Transmit, Handle,
    ]);
    let state = run(producer(Client::Java, true), &steps);
    assert_eq!(log(&state), [1, 0, 1]);
    assert_eq!(state.producer.java.epoch, 1);
}

#[test]
fn librdkafka_takes_a_later_success_for_one_of_an_overtaken_message() {
    let steps = after_both(&[Refuse, Handle, Receive, Receive]);
    let state = run(producer(Client::Librdkafka, true), &steps);
    assert_eq!(log(&state), [1]);
    assert!(state.ledger.is_confirmed(0), "confirmed, and in no log");
    assert!(state.producer.queue.is_empty());
}

#[test]
fn an_expired_send_is_in_doubt_and_may_be_in_the_log() {
    let steps = [Send, Transmit, Handle, LoseAnswer, Expire];
    let state = run(producer(Client::Java, true), &steps);
    assert_eq!(log(&state), [0]);
    assert!(state.ledger.failed.iter().eq([0]));
    assert!(!state.ledger.is_confirmed(0));
}

#[test]
fn a_late_request_is_appended_again_unless_its_sequence_number_is_known() {
    let steps = [Send, Transmit, Delay, Transmit, Handle, Receive, Late];
    assert_eq!(log(&run(producer(Client::Java, false), &steps)), [0, 0]);
    assert_eq!(log(&run(producer(Client::Java, true), &steps)), [0]);
}

#[test]
fn a_restart_forgets_the_producer_id_and_so_the_repeat() {
    let steps = [Send, Transmit, Handle, Crash, Send, Transmit, Handle];
    assert_eq!(log(&run(producer(Client::Java, true), &steps)), [0, 0]);
}

#[test]
fn with_acks_0_a_record_counts_as_delivered_when_it_is_written_to_the_wire() {
    let mut pipeline = producer(Client::Java, false);
    pipeline.producer.acks = Acks::None;
    let state = run(pipeline, &[Send, Transmit, LoseRequest]);
    assert!(state.ledger.is_confirmed(0));
    assert!(log(&state).is_empty() && state.producer.queue.is_empty());
}

#[test]
fn a_message_that_times_out_in_flight_takes_the_connection_of_librdkafka_along() {
    // r0's answer is lost and r0 sent again; while it is in flight its timeout passes. Behind it
    // r1 was appended, and its answer is now lost with the connection.
    let steps = [
        Send, Transmit, Handle, LoseAnswer, Transmit, Send, Transmit, Handle, Handle, Expire,
        Transmit, Handle,
    ];
    assert_eq!(
        log(&run(producer(Client::Librdkafka, false), &steps)),
        [0, 0, 1, 1]
    );
    // With idempotence the epoch is bumped, and the broker cannot recognise r1 either.
    assert_eq!(
        log(&run(producer(Client::Librdkafka, true), &steps)),
        [0, 1, 1]
    );
}
