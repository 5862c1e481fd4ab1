//! Replicas that are struck, and what comes late to one of them, or leaves it with time.

mod common;

use common::replicas::{Run, only};
use semel_models::action::{Action, ReplicaStep, ReplicaStrike, Strike};
use semel_models::fault::Fault;

const LATE: &[Fault] = &[
    Fault::RequestDelayed,
    Fault::LeaderChange,
    Fault::BrokerCrash,
];
const OLD: &[Fault] = &[Fault::ProducerIdExpiry, Fault::LeaderChange];
const GONE: &[Fault] = &[Fault::Retention, Fault::LeaderChange, Fault::ReplicaLag];

#[test]
fn a_late_request_arrives_at_the_broker_that_it_was_sent_to_and_at_no_other() {
    let mut run = Run::of(LATE);
    run.delay();
    run.lead(1);
    run.replica(0, ReplicaStep::Hear);
    run.step(Action::LateArrives(0));
    assert_eq!(run.ends(), [0, 0], "0 leads no more, 1 is not asked");
}

#[test]
fn a_leader_that_has_not_heard_that_it_is_deposed_takes_a_late_request() {
    let mut run = Run::of(LATE);
    run.delay();
    run.lead(1);
    run.step(Action::LateArrives(0));
    assert_eq!(run.ends(), [1, 0]);
}

#[test]
fn a_broker_that_leads_again_takes_a_late_request() {
    let mut run = Run::of(LATE);
    run.delay();
    run.lead(1);
    run.replica(0, ReplicaStep::Hear);
    run.lead(0);
    run.step(Action::LateArrives(0));
    assert_eq!(run.ends(), [1, 0]);
}

#[test]
fn a_late_request_ends_with_the_process_that_it_was_sent_to() {
    for (who, left) in [(0, 0), (1, 1)] {
        let mut run = Run::of(LATE);
        run.delay();
        let how = ReplicaStrike::Crash;
        run.strike(Strike::Replica { who, how });
        assert_eq!(run.state.limbo.requests.len(), left);
    }
}

#[test]
fn a_late_request_names_another_broker_when_the_brokers_get_other_numbers() {
    let mut run = Run::of(LATE);
    run.delay();
    run.lead(1);
    run.cluster.sort_replicas(&mut run.state);
    let leader = run.replication().controller.leader;
    assert_eq!(leader, Some(0), "it was 1");
    run.step(Action::LateArrives(0));
    assert_eq!(run.ends(), [0, 1]);
}

#[test]
fn each_broker_forgets_a_producer_by_itself() {
    let mut run = Run::of(OLD);
    run.step(Action::Send(0));
    run.append();
    run.replicate();
    run.replica(0, ReplicaStep::Answer);
    assert_eq!(run.knowing(), [true, true]);
    let forgets = |strike: &Strike| matches!(strike, Strike::ForgetAt { .. });
    assert_eq!(run.strikes().into_iter().filter(forgets).count(), 3);
    let brokers = only(0);
    run.strike(Strike::ForgetAt {
        session: 0,
        brokers,
    });
    assert_eq!(run.knowing(), [false, true]);
}

#[test]
fn what_a_follower_fetches_it_knows_though_its_leader_has_forgotten() {
    let mut run = Run::of(&[Fault::ProducerIdExpiry, Fault::ReplicaLag]);
    run.step(Action::Send(0));
    run.append();
    let how = ReplicaStrike::Lag;
    run.strike(Strike::Replica { who: 1, how });
    run.replica(0, ReplicaStep::Answer);
    let brokers = only(0);
    run.strike(Strike::ForgetAt {
        session: 0,
        brokers,
    });
    run.replica(1, ReplicaStep::Fetch);
    assert_eq!(run.knowing(), [false, true]);
}

#[test]
fn a_record_leaves_the_log_below_the_high_watermark_only() {
    let mut run = Run::of(GONE);
    let removes = |strike: &Strike| matches!(strike, Strike::RetentionAt { .. });
    run.step(Action::Send(0));
    run.append();
    run.replica(1, ReplicaStep::Fetch);
    assert_eq!(run.strikes().into_iter().filter(removes).count(), 0);
    run.replica(1, ReplicaStep::Fetch);
    assert_eq!(run.strikes().into_iter().filter(removes).count(), 3);
}

#[test]
fn a_follower_hears_where_its_leaders_log_begins_with_the_next_fetch() {
    let mut run = Run::of(GONE);
    run.step(Action::Send(0));
    run.append();
    run.replicate();
    let brokers = only(0);
    run.strike(Strike::RetentionAt { brokers });
    assert_eq!((run.starts(), run.state.broker.log_start()), ([1, 0], 1));
    let mut moved = Run {
        cluster: run.cluster.clone(),
        state: run.state.clone(),
    };
    moved.lead(1);
    let shown = moved.state.broker.log_start();
    assert_eq!(shown, 0, "1 still has the record");
    run.replica(1, ReplicaStep::Fetch);
    assert_eq!(run.starts(), [1, 1]);
    run.lead(1);
    assert_eq!(run.state.broker.log_start(), 1);
}

#[test]
fn a_follower_whose_log_ends_before_its_leaders_begins_starts_anew_there() {
    let mut run = Run::of(GONE);
    run.step(Action::Send(0));
    run.append();
    let how = ReplicaStrike::Lag;
    run.strike(Strike::Replica { who: 1, how });
    let brokers = only(0);
    run.strike(Strike::RetentionAt { brokers });
    run.replica(1, ReplicaStep::Fetch);
    assert_eq!((run.starts(), run.ends()), ([1, 1], [1, 1]));
    assert_eq!(run.knowing(), [true, false], "1 never had its batch");
}
