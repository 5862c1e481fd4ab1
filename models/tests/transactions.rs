//! What the model says of an upstream that sends in transactions, each design with a twin that
//! differs in one setting. Every verdict is the same without reductions.

mod common;

use semel_models::action::Action;
use semel_models::cluster::{Cluster, Reductions};
use semel_models::fault::{Call, Fault, FaultKey};
use semel_models::guarantee::Guarantee::{self, *};
use semel_models::pipeline::*;
use semel_models::producer::Answer;
use semel_models::producer::transactions::Stage;
use semel_models::transaction_coordinator::{TransactionRules, TransactionVersion};
use stateright::{Checker, Model};
use std::collections::HashSet;

const TWO: TransactionRules = TransactionRules::CURRENT;
const ONE: TransactionRules = TransactionRules {
    version: TransactionVersion::One,
    ..TransactionRules::CURRENT
};
const UNVERIFIED: TransactionRules = TransactionRules {
    verifies: false,
    ..ONE
};

/// What is violated, and how many states there are.
fn explored(pipeline: &Pipeline, reductions: Reductions) -> (Vec<Guarantee>, usize) {
    let cluster = Cluster::with_reductions(pipeline.clone(), reductions).expect("small");
    let checker = cluster.checker().spawn_dfs().join();
    let violated = |guarantee: &Guarantee| checker.discovery(guarantee.name()).is_some();
    let found = Guarantee::ALL.into_iter().filter(violated).collect();
    (found, checker.unique_state_count())
}

#[track_caller]
fn assert_violated(pipeline: &Pipeline, expected: &[Guarantee], states: usize) {
    let (violated, counted) = explored(pipeline, Reductions::ALL);
    assert_eq!(violated, expected);
    assert_eq!(explored(pipeline, Reductions::NONE).0, expected);
    assert_eq!(counted, states);
}

/// Two transactions of one record each, read by who reads what is committed.
fn transactional(rules: TransactionRules, faults: &[Fault]) -> Pipeline {
    let mut pipeline = common::pipeline(faults);
    pipeline.producer.source = Source::Transaction {
        records_per_transaction: 1,
    };
    pipeline.producer.on_restart = OnRestart::Forget;
    pipeline.consumer.isolation = Isolation::ReadCommitted;
    pipeline.rules.transactions = rules;
    pipeline
}

/// Only this call may be struck.
fn on(mut pipeline: Pipeline, fault: Fault, call: Call) -> Pipeline {
    for (key, _) in &mut pipeline.faults.entries {
        if key.fault == fault {
            *key = FaultKey {
                fault,
                call: Some(call),
            };
        }
    }
    pipeline
}

/// Who reads everything instead.
fn uncommitted(mut pipeline: Pipeline) -> Pipeline {
    pipeline.consumer.isolation = Isolation::ReadUncommitted;
    pipeline
}

#[test]
fn without_faults_nothing_is_violated_whoever_reads() {
    assert_violated(&transactional(TWO, &[]), &[], 54);
    assert_violated(&uncommitted(transactional(TWO, &[])), &[], 96);
    assert_violated(&transactional(ONE, &[]), &[], 59);
}

#[test]
fn a_crash_an_abort_and_a_timeout_are_phantoms_only_to_who_reads_everything() {
    for (fault, committed, everything) in [
        (Fault::ProducerCrash, 314, 576),
        (Fault::Abort, 141, 304),
        (Fault::TransactionTimeout, 122, 297),
    ] {
        let design = transactional(TWO, &[fault]);
        assert_violated(&design, &[], committed);
        let phantoms = [ExactlyOnceEffect, NoPhantom];
        assert_violated(&uncommitted(design), &phantoms, everything);
    }
}

#[test]
fn t06_a_transaction_hangs_in_the_log_unless_the_leader_verifies_it() {
    let delayed = |rules| {
        let design = transactional(rules, &[Fault::RequestDelayed]);
        on(design, Fault::RequestDelayed, Call::EndTxn)
    };
    let hangs = [ExactlyOnceEffect, Progress];
    assert_violated(&delayed(UNVERIFIED), &hangs, 275);
    assert_violated(&delayed(ONE), &[], 281);
    assert_violated(&delayed(TWO), &[], 134);
}

#[test]
fn t07_a_late_record_is_committed_with_the_next_transaction() {
    let delayed = |rules| {
        let design = transactional(rules, &[Fault::RequestDelayed]);
        on(design, Fault::RequestDelayed, Call::Produce)
    };
    // It comes to the partition under the number of the next record, which passes for its repeat.
    let violated = [NoLoss, ExactlyOnceEffect, NoPhantom];
    assert_violated(&delayed(UNVERIFIED), &violated, 1050);
    // Behind commitTransaction() the client does not raise its epoch, and the leader is told that the
    // partition belongs to the next transaction.
    assert_violated(&delayed(ONE), &violated, 1081);
    assert_violated(&delayed(TWO), &[], 545);
}

#[test]
fn t07_a_request_outlives_its_record_on_the_wire() {
    let times_out = |rules| transactional(rules, &[Fault::DeliveryTimeout]);
    let phantoms = [ExactlyOnceEffect, NoPhantom];
    // While the application commits or aborts, a first attempt that fails does not raise the epoch.
    assert_violated(&times_out(UNVERIFIED), &phantoms, 628);
    assert_violated(&times_out(ONE), &phantoms, 631);
    assert_violated(&times_out(TWO), &[], 180);
    let aborts = |rules| transactional(rules, &[Fault::DeliveryTimeout, Fault::Abort]);
    assert_violated(&aborts(ONE), &phantoms, 1463);
    assert_violated(&aborts(TWO), &[], 477);
}

/// A client that can raise no epoch takes numbers back, and goes on behind what it gave up on the wire.
#[test]
fn before_kip_360_the_epoch_stays_after_a_delivery_that_failed() {
    let rules = TransactionRules {
        epoch_can_be_expected: false,
        ..ONE
    };
    let lost = transactional(rules, &[Fault::ResponseLost]);
    let lost = on(lost, Fault::ResponseLost, Call::Produce);
    assert_violated(&lost, &[NoLoss, ExactlyOnceEffect], 214);
    let given_up = transactional(rules, &[Fault::DeliveryTimeout]);
    assert_violated(&given_up, &[ExactlyOnceEffect, NoPhantom], 293);
}

#[test]
fn t08_a_late_end_hits_the_next_transaction_under_version_1() {
    let delayed = |rules| {
        let design = transactional(rules, &[Fault::RequestDelayed, Fault::Abort]);
        on(design, Fault::RequestDelayed, Call::EndTxn)
    };
    let phantoms = [ExactlyOnceEffect, NoPhantom];
    assert_violated(&delayed(ONE), &phantoms, 935);
    assert_violated(&delayed(TWO), &[], 372);
}

#[test]
fn t09_a_timeout_that_does_not_fence_lets_its_producer_go_on() {
    let times_out = |timeout_fences| {
        let rules = TransactionRules {
            timeout_fences,
            epoch_can_be_expected: false,
            ..UNVERIFIED
        };
        transactional(rules, &[Fault::TransactionTimeout])
    };
    assert_violated(&times_out(false), &[ExactlyOnceEffect, NoPhantom], 220);
    assert_violated(&times_out(true), &[], 201);
}

#[test]
fn a_late_initialisation_fences_its_own_producer_and_nothing_else_happens() {
    let delayed = |rules| {
        let design = transactional(rules, &[Fault::RequestDelayed]);
        on(design, Fault::RequestDelayed, Call::InitProducerId)
    };
    assert_violated(&delayed(ONE), &[], 447);
    assert_violated(&delayed(TWO), &[], 345);
}

#[test]
fn a_commit_whose_answer_was_lost_is_done_twice_after_a_crash_by_who_resends() {
    let mut design = transactional(TWO, &[Fault::ProducerCrash, Fault::ResponseLost]);
    assert_violated(&design, &[], 1761);
    design.producer.on_restart = OnRestart::ResendUnconfirmed;
    assert_violated(&design, &[NoDuplicates, ExactlyOnceEffect], 4088);
}

#[test]
fn a_transaction_of_two_is_made_again_as_a_whole() {
    let mut design = transactional(TWO, &[Fault::Abort, Fault::TransactionTimeout]);
    design.producer.source = Source::Transaction {
        records_per_transaction: 2,
    };
    design.producer.on_send_failure = OnSendFailure::Resend;
    assert_violated(&design, &[], 1518);
    // A commit that finds its transaction timed out ends the process, which forgets its records.
    let violated = [NoDuplicates, ExactlyOnceEffect, NoPhantom];
    assert_violated(&uncommitted(design), &violated, 9539);
}

/// `rd_kafka_toppar_purge_queues` gives the sequence number of a message that waits to be repeated
/// to the next one, which the broker then takes for the repeat. Java's client does so with one whose answer
/// is found to be missing too late, while its transaction ends.
#[test]
fn what_follows_an_abort_with_the_number_of_a_repeat_is_lost() {
    let mut design = transactional(ONE, &[Fault::ResponseLost, Fault::Abort]);
    assert_violated(&design, &[NoLoss, ExactlyOnceEffect], 1605);
    design.client = Client::Librdkafka;
    assert_violated(&design, &[NoLoss, ExactlyOnceEffect], 875);
}

/// What the producer is about to do once it has heard that a record was out of order.
fn stages_after_out_of_order(client: Client) -> Vec<Stage> {
    let design = transactional(ONE, &[Fault::RequestRefused]);
    let mut pipeline = on(design, Fault::RequestRefused, Call::Produce);
    pipeline.client = client;
    pipeline.bounds.records = 3;
    pipeline.producer.source = Source::Transaction {
        records_per_transaction: 3,
    };
    let cluster = Cluster::new(pipeline).expect("small");
    let mut left = cluster.init_states();
    let mut seen: HashSet<_> = left.iter().cloned().collect();
    let mut stages = Vec::new();
    while let Some(state) = left.pop() {
        let first = state.producer.flights.first().map(|flight| flight.answer);
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        for action in actions {
            let Some(next) = cluster.next_state(&state, action) else {
                continue;
            };
            if action == Action::ReceiveAnswer && first == Some(Answer::OutOfOrder) {
                stages.extend(next.transactions.as_deref().map(|own| own.stage));
            }
            if seen.insert(next.clone()) {
                left.push(next);
            }
        }
    }
    stages
}

#[test]
fn librdkafka_aborts_what_is_out_of_order_and_java_waits_for_what_comes_first() {
    let librdkafka = stages_after_out_of_order(Client::Librdkafka);
    assert!(librdkafka.contains(&Stage::Aborting), "it is met");
    assert!(!librdkafka.contains(&Stage::Open), "{librdkafka:?}");
    assert!(stages_after_out_of_order(Client::Java).contains(&Stage::Open));
}
