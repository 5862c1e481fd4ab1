//! Replicas of a topic that is deleted and created again.

mod common;

use common::replicas::Run;
use semel_models::action::{Action, Recreation, ReplicaStep, ReplicaStrike, Strike};
use semel_models::fault::Fault;
use semel_models::pipeline::Pipeline;
use semel_models::producer::Answer;

const FAULTS: &[Fault] = &[
    Fault::TopicRecreate,
    Fault::LeaderChange,
    Fault::BrokerCrash,
    Fault::PowerLoss,
];

fn on_both(run: &mut Run, record: u16) {
    run.step(Action::Send(record));
    run.append();
    run.replicate();
    run.replica(0, ReplicaStep::Answer);
}

fn strike(run: &mut Run, who: u16, how: ReplicaStrike) {
    run.strike(Strike::Replica { who, how });
}

fn recreate(run: &mut Run, how: Recreation, leader: u16) {
    run.strike(Strike::RecreateTopicAt { how, leader });
}

/// Who may lead the new topic, and what is seen of it.
fn ways(run: &Run) -> Vec<(Recreation, u16)> {
    let own = |strike| match strike {
        Strike::RecreateTopicAt { how, leader } => Some((how, leader)),
        _ => None,
    };
    run.strikes().into_iter().filter_map(own).collect()
}

#[test]
fn every_broker_that_is_up_has_an_empty_replica_in_sync() {
    let mut run = Run::of(FAULTS);
    on_both(&mut run, 0);
    run.lead(1);
    recreate(&mut run, Recreation::OtherLeader, 0);
    assert_eq!(run.ends(), [0, 0]);
    assert_eq!(run.knowing(), [false, false]);
    let controller = &run.replication().controller;
    assert_eq!((controller.leader, controller.epoch), (Some(0), 0));
    assert_eq!(controller.in_sync.len(), 2);
    assert!(
        !run.replication().is_behind(0),
        "what it had not heard of is gone"
    );
}

#[test]
fn a_broker_that_was_down_has_nothing_of_the_old_topic_when_it_is_back() {
    for how in [ReplicaStrike::Crash, ReplicaStrike::PowerLoss] {
        let mut run = Run::of(FAULTS);
        on_both(&mut run, 0);
        strike(&mut run, 0, how);
        run.replica(1, ReplicaStep::Elected);
        recreate(&mut run, Recreation::Unnoticed, 1);
        assert_eq!(run.replication().controller.in_sync.len(), 1);
        run.replica(0, ReplicaStep::Restart { kept: 0 });
        assert_eq!(run.ends(), [0, 0]);
        run.replica(0, ReplicaStep::Fetch);
        run.replica(0, ReplicaStep::Join);
        assert_eq!(run.replication().controller.in_sync.len(), 2);
    }
}

#[test]
fn what_waits_for_the_in_sync_replicas_is_refused() {
    let mut run = Run::of(FAULTS);
    run.step(Action::Send(0));
    run.append();
    assert_eq!(run.state.producer.flights[0].answer, Answer::Replicating);
    recreate(&mut run, Recreation::Unnoticed, 0);
    assert_eq!(run.state.producer.flights[0].answer, Answer::Refused);
    run.replica(0, ReplicaStep::Answer);
    run.append();
    assert_eq!(run.ends(), [1, 0], "it is appended to the new log");
}

#[test]
fn what_is_on_the_wire_is_refused_by_a_broker_that_does_not_lead_the_new_partition() {
    for (leader, answer) in [(0, Answer::Replicating), (1, Answer::Refused)] {
        let by_name = |pipeline: &mut Pipeline| pipeline.rules.produce_names_ids = false;
        let mut run = Run::with(FAULTS, by_name);
        run.step(Action::Send(0));
        run.step(Action::Transmit);
        let how = match leader {
            0 => Recreation::Unnoticed,
            _ => Recreation::OtherLeader,
        };
        recreate(&mut run, how, leader);
        run.replica(0, ReplicaStep::HandleProduce);
        assert_eq!(run.state.producer.flights[0].answer, answer);
    }
}

#[test]
fn what_names_the_topic_by_its_id_is_refused_by_the_same_leader_too() {
    let mut run = Run::of(FAULTS);
    run.step(Action::Send(0));
    run.step(Action::Transmit);
    recreate(&mut run, Recreation::Unnoticed, 0);
    assert_eq!(run.state.producer.flights[0].answer, Answer::Refused);
}

#[test]
fn a_topic_needs_a_broker_that_is_up_and_the_same_leader_may_go_unnoticed() {
    let mut run = Run::of(FAULTS);
    on_both(&mut run, 0);
    let kept = |run: &Run| {
        let ways = ways(run).into_iter();
        ways.filter(|(how, _)| *how != Recreation::Missed)
            .collect::<Vec<_>>()
    };
    let first = [(Recreation::Unnoticed, 0), (Recreation::OtherLeader, 1)];
    assert_eq!(kept(&run), first);
    strike(&mut run, 0, ReplicaStrike::Crash);
    assert_eq!(kept(&run), [(Recreation::OtherLeader, 1)]);
    strike(&mut run, 1, ReplicaStrike::Crash);
    assert_eq!(ways(&run), []);
}
