//! Replicas that their brokers clean, each its own.

mod common;

use common::replicas::{Run, only};
use semel_models::action::{Action, ReplicaStep, ReplicaStrike, Strike};
use semel_models::broker::Stamp;
use semel_models::fault::Fault;
use semel_models::pipeline::Acks;
use semel_models::replication::Members;

const FAULTS: &[Fault] = &[
    Fault::Compaction,
    Fault::LeaderChange,
    Fault::ReplicaLag,
    Fault::BrokerCrash,
    Fault::DiskLoss,
];

/// Three records of one key, and six faults.
fn compacted() -> Run {
    compacted_with(Acks::All)
}

fn compacted_with(acks: Acks) -> Run {
    Run::with(FAULTS, |pipeline| {
        (pipeline.producer.acks, pipeline.producer.idempotence) = (acks, acks == Acks::All);
        let topic = &mut pipeline.topic;
        (topic.compacted, topic.cleaned, topic.retention) = (true, true, false);
        topic.replication.unclean_leader_election = true;
        pipeline.bounds.records = 3;
        pipeline.faults.total = Some(6);
    })
}

fn append_next(run: &mut Run, record: u16) {
    run.step(Action::Send(record));
    run.append();
}

fn on_both(run: &mut Run, record: u16) {
    append_next(run, record);
    run.replicate();
    run.replica(0, ReplicaStep::Answer);
}

fn on_one(run: &mut Run, record: u16) {
    append_next(run, record);
    run.replica(0, ReplicaStep::Answer);
}

/// The passes that may come now.
fn passes(run: &Run) -> Vec<(u16, Members)> {
    let own = |strike| match strike {
        Strike::CompactionAt { end, brokers } => Some((end, brokers)),
        _ => None,
    };
    run.strikes().into_iter().filter_map(own).collect()
}

fn clean(run: &mut Run, end: u16, brokers: Members) {
    run.strike(Strike::CompactionAt { end, brokers });
}

fn strike(run: &mut Run, who: u16, how: ReplicaStrike) {
    run.strike(Strike::Replica { who, how });
}

/// The records that a broker has, by their offsets.
fn records(run: &Run, who: u16) -> Vec<u16> {
    let broker = &run.replication().replica(who).broker;
    broker.records_from(0).map(|(at, _)| at.0).collect()
}

/// What a consumer is given.
fn readable(run: &Run) -> Vec<u16> {
    let broker = &run.state.broker;
    broker.records_from(0).map(|(at, _)| at.0).collect()
}

#[test]
fn each_broker_cleans_its_own_replica() {
    let mut run = compacted();
    (0..3).for_each(|record| on_both(&mut run, record));
    let sets = [only(0), only(1), only(0).with(1)];
    assert_eq!(passes(&run), sets.map(|brokers| (2, brokers)));
    clean(&mut run, 2, only(1));
    assert_eq!(
        (records(&run, 0), records(&run, 1)),
        (vec![0, 1, 2], vec![1, 2])
    );
    assert_eq!(passes(&run), [(2, only(0))], "1 has nothing left to remove");
    assert_eq!(readable(&run), [0, 1, 2]);
    run.lead(1);
    assert_eq!(readable(&run), [1, 2]);
    assert_eq!(run.state.broker.log_start(), 0, "it is a gap");
}

#[test]
fn no_record_above_the_high_watermark_replaces_another() {
    let mut run = compacted_with(Acks::Leader);
    (0..3).for_each(|record| on_one(&mut run, record));
    assert_eq!(passes(&run), []);
    run.replicate();
    assert_eq!(passes(&run).len(), 3);
}

#[test]
fn the_last_record_of_a_follower_replaces_nothing_there() {
    let mut run = compacted();
    on_both(&mut run, 0);
    on_both(&mut run, 1);
    append_next(&mut run, 2);
    assert_eq!(passes(&run), [(2, only(0))]);
}

#[test]
fn a_follower_fetches_a_gap_and_does_not_know_the_producer_by_it() {
    let mut run = compacted();
    (0..3).for_each(|record| on_both(&mut run, record));
    clean(&mut run, 2, only(0));
    strike(&mut run, 1, ReplicaStrike::DiskLoss);
    run.replica(1, ReplicaStep::Restart { kept: 0 });
    run.replica(1, ReplicaStep::Fetch);
    assert_eq!((records(&run, 1), run.ends()), (vec![1, 2], [3, 3]));
    let known = |who: u16, sequence| {
        let stamp = Stamp {
            sequence,
            ..Stamp::default()
        };
        run.replication().replica(who).broker.offset_of(stamp)
    };
    assert_eq!([known(0, 0), known(1, 0)], [Some(0), None]);
    assert_eq!([known(0, 1), known(1, 1)], [Some(1), Some(1)]);
}

/// 1 leads with the first record alone, which 0 has not any more: it had been replaced there.
fn cut_behind_a_gap() -> Run {
    let mut run = compacted();
    on_both(&mut run, 0);
    append_next(&mut run, 1);
    strike(&mut run, 1, ReplicaStrike::Lag);
    run.replica(0, ReplicaStep::Answer);
    on_one(&mut run, 2);
    clean(&mut run, 2, only(0));
    strike(&mut run, 0, ReplicaStrike::Crash);
    run.replica(1, ReplicaStep::Elected);
    run.replica(0, ReplicaStep::Restart { kept: 3 });
    run.replica(0, ReplicaStep::Fetch);
    run
}

#[test]
fn a_cut_may_take_the_record_that_had_replaced_another() {
    let mut run = cut_behind_a_gap();
    assert_eq!((readable(&run), records(&run, 0)), (vec![0], vec![]));
    assert_eq!(run.ends(), [1, 1]);
    run.replica(0, ReplicaStep::Join);
    run.lead(0);
    assert_eq!(readable(&run), [0; 0]);
    assert_eq!(run.ends(), [1, 1], "1 keeps what it has");
}

#[test]
fn a_log_that_is_found_ends_behind_its_last_batch() {
    let mut run = cut_behind_a_gap();
    strike(&mut run, 0, ReplicaStrike::Crash);
    run.replica(0, ReplicaStep::Restart { kept: 0 });
    assert_eq!(run.ends(), [0, 1]);
    run.replica(0, ReplicaStep::Fetch);
    assert_eq!(records(&run, 0), [0]);
}

#[test]
fn a_leader_whose_log_ends_in_a_gap_has_nothing_to_send() {
    let mut run = cut_behind_a_gap();
    run.replica(0, ReplicaStep::Join);
    run.lead(0);
    strike(&mut run, 1, ReplicaStrike::DiskLoss);
    run.replica(1, ReplicaStep::Restart { kept: 0 });
    run.replica(1, ReplicaStep::Fetch);
    assert_eq!(run.ends(), [1, 0]);
    let fetch = Action::Replica {
        who: 1,
        does: ReplicaStep::Fetch,
    };
    assert!(!run.cluster.steps(&run.state).contains(&fetch));
}
