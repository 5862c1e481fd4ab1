//! A topic with two partitions from the start, step by step.

mod common;

use common::pipeline;
use semel_models::action::{
    Action, ConsumerStep, ConsumerStrike, PartitionStep, PartitionStrike, PollBoth, Strike, Target,
};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Phase;
use semel_models::fault::Fault;
use semel_models::limbo::Late;
use semel_models::offset::NextOffset;
use semel_models::partitions::Partition;
use semel_models::pipeline::{AutoCommit, Client, CommitCovers, OffsetReset, Pipeline};
use stateright::Model;

/// A run under way.
struct Run {
    cluster: Cluster,
    state: State,
}

impl Run {
    fn of(pipeline: Pipeline) -> Run {
        let cluster = Cluster::new(pipeline).expect("small").for_telling();
        let state = cluster.init_states().remove(0);
        Run { cluster, state }
    }

    fn enabled(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        self.cluster.actions(&self.state, &mut actions);
        actions
    }

    fn can(&self, wanted: Action) -> bool {
        self.enabled().contains(&wanted)
    }

    fn take(&mut self, is: impl Fn(Action) -> bool) {
        let action = self.enabled().into_iter().find(|action| is(*action));
        let action = action.unwrap_or_else(|| panic!("not enabled in {:#?}", self.state));
        let next = self.cluster.next_state(&self.state, action);
        self.state = next.expect("the step changes something");
    }

    fn step(&mut self, wanted: Action) {
        self.take(|action| action == wanted);
    }

    fn strike(&mut self, wanted: Strike) {
        self.take(|action| matches!(action, Action::Fault { strike, .. } if strike == wanted));
    }

    fn consumer(&mut self, who: u16, does: ConsumerStep) {
        self.step(Action::Consumer { who, does });
    }

    /// Both keys are sent: r0 to the first partition, r1 to the second.
    fn publish_both(&mut self) {
        self.step(Action::Send(0));
        self.step(Action::Transmit);
        self.step(Action::HandleProduce);
        self.step(Action::ReceiveAnswer);
        self.step(Action::SendToOther(1));
        self.step(Action::OtherPartition(PartitionStep::Transmit));
        self.step(Action::OtherPartition(PartitionStep::HandleProduce));
        self.step(Action::OtherPartition(PartitionStep::ReceiveAnswer));
    }

    /// What is committed, by partition.
    fn committed(&self) -> [Option<u16>; 2] {
        let other = self.state.other.as_deref().expect("a second partition");
        [self.state.group.committed, other.committed].map(|at| at.map(|at| at.next.0))
    }

    /// Where a consumer reads next, by partition.
    fn positions(&self, who: u16) -> [Option<u16>; 2] {
        self.state.positions(who).map(|at| at.map(|at| at.next.0))
    }

    fn has_first(&self, who: u16) -> bool {
        let reader = self.state.reader(who).expect("a second partition");
        self.state.consumers[usize::from(who)].reads() && !reader.without_first
    }
}

fn two(faults: &[Fault]) -> Pipeline {
    let mut pipeline = pipeline(faults);
    pipeline.bounds.partitions = 2;
    pipeline.bounds.keys = 2;
    pipeline
}

const BOTH: PollBoth = PollBoth {
    begins: Partition::First,
    count: 1,
    behind: 1,
};

#[test]
fn where_a_key_goes_is_open_until_it_is_sent_and_fixed_from_then_on() {
    let mut pipeline = two(&[]);
    pipeline.bounds.records = 4;
    let mut run = Run::of(pipeline);
    assert!(
        !run.can(Action::SendToOther(0)),
        "the first key names the first partition"
    );
    run.step(Action::Send(0));
    assert!(run.can(Action::Send(1)));
    run.step(Action::SendToOther(1));
    assert!(
        !run.can(Action::SendToOther(2)),
        "its key was sent to the first"
    );
    run.step(Action::Send(2));
    run.step(Action::Send(3));
    let queue = |run: &Run| -> Vec<u16> {
        let other = run.state.other.as_deref().expect("a second partition");
        other.queue.iter().map(|batch| batch.record).collect()
    };
    assert_eq!(queue(&run), [1, 3]);
}

#[test]
fn a_consumer_that_is_alone_reads_both_from_the_start() {
    let run = Run::of(two(&[]));
    assert_eq!(run.positions(0), [Some(0), Some(0)]);
    let discovers = |action: &Action| {
        matches!(
            action,
            Action::LearnPartition
                | Action::Consumer {
                    does: ConsumerStep::Discover,
                    ..
                }
        )
    };
    assert!(!run.enabled().iter().any(discovers));
}

#[test]
fn a_poll_of_both_is_committed_as_a_whole_by_its_position() {
    let mut pipeline = two(&[Fault::ConsumerCrash]);
    pipeline.consumer.commit_covers = CommitCovers::Position;
    let mut run = Run::of(pipeline);
    run.publish_both();
    run.consumer(0, ConsumerStep::PollBoth(BOTH));
    assert_eq!(run.state.consumers[0].hand.to_vec(), [0, 1]);
    run.consumer(0, ConsumerStep::Operate);
    run.consumer(0, ConsumerStep::Operate);
    assert_eq!(run.committed(), [Some(1), Some(1)], "r1 is not handled");
    assert!(!run.state.ledger.is_handled(1));
    run.consumer(0, ConsumerStep::Operate);
    run.consumer(0, ConsumerStep::Operate);
    assert_eq!(run.state.consumers[0].phase, Phase::Polling);
    assert_eq!(run.positions(0), [Some(1), Some(1)]);
}

#[test]
fn without_the_position_a_commit_covers_its_record_alone() {
    let mut pipeline = two(&[]);
    pipeline.consumer.auto_commit = AutoCommit::AtPoll;
    let mut run = Run::of(pipeline);
    run.publish_both();
    let both = PollBoth {
        begins: Partition::Second,
        ..BOTH
    };
    run.consumer(0, ConsumerStep::PollBoth(both));
    assert_eq!(run.state.consumers[0].hand.to_vec(), [1, 0]);
    run.consumer(0, ConsumerStep::Operate);
    run.consumer(0, ConsumerStep::Operate);
    assert_eq!(run.committed(), [None, Some(1)]);
    run.consumer(0, ConsumerStep::Operate);
    run.consumer(0, ConsumerStep::Operate);
    assert_eq!(run.committed(), [Some(1), Some(1)]);
}

#[test]
fn java_commits_both_positions_at_a_poll_in_one_request() {
    let mut pipeline = two(&[Fault::RequestLost]);
    pipeline.consumer.auto_commit = AutoCommit::AtPoll;
    pipeline.consumer.order.0.truncate(1);
    let mut run = Run::of(pipeline);
    run.publish_both();
    run.consumer(0, ConsumerStep::PollBoth(BOTH));
    run.consumer(0, ConsumerStep::Operate);
    run.consumer(0, ConsumerStep::Operate);
    run.consumer(0, ConsumerStep::CommitAutomatically);
    run.strike(Strike::LoseRequest(Target::BackgroundCommit(0)));
    assert_eq!(run.committed(), [None, None]);
    run.consumer(0, ConsumerStep::CommitAutomatically);
    run.consumer(0, ConsumerStep::CommitArrives);
    assert_eq!(run.committed(), [Some(1), Some(1)]);
    let again = Action::Consumer {
        who: 0,
        does: ConsumerStep::CommitAutomatically,
    };
    assert!(!run.can(again), "that is no news");
}

#[test]
fn librdkafka_commits_the_partition_in_which_something_is_stored() {
    let mut pipeline = two(&[]);
    pipeline.client = Client::Librdkafka;
    pipeline.producer.idempotence = false;
    pipeline.bounds.poll = 1;
    pipeline.consumer.order.0.truncate(1);
    pipeline.consumer.auto_commit = AutoCommit::Background {
        automatic_store: true,
    };
    let mut run = Run::of(pipeline);
    run.publish_both();
    run.consumer(0, ConsumerStep::PollOther(1));
    run.consumer(0, ConsumerStep::CommitAutomatically);
    run.consumer(0, ConsumerStep::Operate);
    run.consumer(0, ConsumerStep::CommitArrives);
    assert_eq!(run.committed(), [None, Some(1)]);
    run.consumer(0, ConsumerStep::Poll(1));
    run.consumer(0, ConsumerStep::CommitAutomatically);
    run.consumer(0, ConsumerStep::CommitArrives);
    assert_eq!(run.committed(), [Some(1), Some(1)]);
}

#[test]
fn a_late_request_comes_to_its_own_partition() {
    let mut pipeline = two(&[Fault::RequestDelayed]);
    pipeline.producer.idempotence = false;
    let mut run = Run::of(pipeline);
    run.step(Action::Send(0));
    run.step(Action::SendToOther(1));
    run.step(Action::OtherPartition(PartitionStep::Transmit));
    run.strike(Strike::Delay(Target::ProduceToOther));
    let late = run.state.limbo.requests[0];
    assert!(matches!(
        late,
        Late::Produce {
            record: 1,
            partition: Partition::Second,
            ..
        }
    ));
    let from_there = run.state.turned().limbo.requests[0];
    assert!(matches!(
        from_there,
        Late::Produce {
            partition: Partition::First,
            ..
        }
    ));
    run.step(Action::LateArrives(0));
    let other = run.state.other.as_deref().expect("a second partition");
    assert_eq!((other.broker.log_end(), run.state.broker.log_end()), (1, 0));
}

#[test]
fn a_late_commit_of_both_arrives_as_one() {
    let mut pipeline = two(&[Fault::RequestDelayed]);
    pipeline.consumer.commit_covers = CommitCovers::Position;
    let mut run = Run::of(pipeline);
    run.publish_both();
    run.consumer(0, ConsumerStep::PollBoth(BOTH));
    run.consumer(0, ConsumerStep::Operate);
    run.strike(Strike::Delay(Target::Commit(0)));
    assert_eq!(run.committed(), [None, None]);
    run.step(Action::LateArrives(0));
    assert_eq!(run.committed(), [Some(1), Some(1)]);
}

#[test]
fn retention_moves_the_position_in_its_own_partition() {
    let mut run = Run::of(two(&[Fault::Retention]));
    run.publish_both();
    run.strike(Strike::InOther(PartitionStrike::Retention));
    assert_eq!(run.state.broker.log_start(), 0);
    let there = Action::Consumer {
        who: 0,
        does: ConsumerStep::PollOther(1),
    };
    assert!(!run.can(there), "the position is out of range");
    run.consumer(0, ConsumerStep::RelocateOther);
    assert_eq!(run.positions(0), [Some(0), Some(1)]);
    run.consumer(0, ConsumerStep::Poll(1));
}

#[test]
fn the_oldest_send_of_both_partitions_times_out_first() {
    let mut run = Run::of(two(&[Fault::DeliveryTimeout]));
    run.step(Action::Send(0));
    run.step(Action::SendToOther(1));
    let there = Strike::InOther(PartitionStrike::DeliveryTimeout);
    let strikes = |run: &Run, wanted: Strike| {
        run.enabled()
            .iter()
            .any(|action| matches!(action, Action::Fault { strike, .. } if *strike == wanted))
    };
    assert!(strikes(&run, Strike::DeliveryTimeout) && !strikes(&run, there));
    run.step(Action::Transmit);
    run.step(Action::HandleProduce);
    run.step(Action::ReceiveAnswer);
    assert!(!strikes(&run, Strike::DeliveryTimeout) && strikes(&run, there));
}

fn shared(faults: &[Fault], reset: OffsetReset) -> Run {
    let mut pipeline = two(faults);
    pipeline.group.instances = 2;
    pipeline.consumer.offset_reset = reset;
    Run::of(pipeline)
}

#[test]
fn of_two_consumers_each_has_one_partition() {
    let mut run = shared(&[], OffsetReset::Earliest);
    run.publish_both();
    let polls = |who, does| Action::Consumer { who, does };
    assert!(run.can(polls(0, ConsumerStep::Poll(1))));
    assert!(!run.can(polls(0, ConsumerStep::PollOther(1))));
    assert!(run.can(polls(1, ConsumerStep::PollOther(1))));
    assert!(!run.can(polls(1, ConsumerStep::Poll(1))));
    run.consumer(1, ConsumerStep::PollOther(1));
    run.consumer(1, ConsumerStep::Operate);
    run.consumer(1, ConsumerStep::Operate);
    assert_eq!(run.committed(), [None, Some(1)]);
}

#[test]
fn who_is_left_alone_gets_both_once_it_polls() {
    let mut run = shared(&[Fault::ConsumerCrash], OffsetReset::Earliest);
    run.publish_both();
    run.consumer(1, ConsumerStep::PollOther(1));
    run.strike(Strike::Consumer {
        who: 0,
        how: ConsumerStrike::Crash,
    });
    let takes = Action::Consumer {
        who: 1,
        does: ConsumerStep::TakeOver,
    };
    assert!(!run.can(takes), "it has r1 in hand");
    run.consumer(1, ConsumerStep::Operate);
    run.consumer(1, ConsumerStep::Operate);
    run.step(takes);
    assert_eq!(run.positions(1), [Some(0), Some(1)]);
    // The one that comes back gets either of them.
    for (to, first) in [(0, [true, false]), (1, [false, true])] {
        let mut again = Run {
            cluster: run.cluster.clone(),
            state: run.state.clone(),
        };
        again.consumer(0, ConsumerStep::Join { to });
        assert_eq!([0, 1].map(|who| again.has_first(who)), first);
    }
}

#[test]
fn a_rebalance_waits_for_both_and_reads_both_positions_anew() {
    let mut run = shared(&[Fault::Rebalance], OffsetReset::Latest);
    run.publish_both();
    let strikes = |run: &Run| {
        let is_one = |action: &&Action| {
            matches!(
                action,
                Action::Fault {
                    strike: Strike::Rebalance { .. },
                    ..
                }
            )
        };
        run.enabled().iter().filter(is_one).count()
    };
    assert_eq!(strikes(&run), 2, "either may get either");
    run.consumer(1, ConsumerStep::PollOther(1));
    assert_eq!(strikes(&run), 0);
    run.consumer(1, ConsumerStep::Operate);
    run.consumer(1, ConsumerStep::Operate);
    run.strike(Strike::Rebalance { to: 1 });
    assert_eq!(run.positions(1)[0], Some(1), "behind r0");
    assert!(!run.has_first(0));
    assert_eq!(
        run.state.reader(0).and_then(|reader| reader.position),
        Some(NextOffset(1))
    );
}
