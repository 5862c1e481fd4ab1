//! A partition that is added while the pipeline runs, step by step.

mod common;

use common::pipeline;
use semel_models::action::{Action, ConsumerStep, ConsumerStrike, PartitionStep, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Phase;
use semel_models::fault::Fault;
use semel_models::offset::NextOffset;
use semel_models::partitions::OtherPartition;
use semel_models::partitions::reader::Reader;
use semel_models::pipeline::{GroupProtocol, OffsetReset, Pipeline};
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

    fn consumer(&mut self, wanted: ConsumerStep) {
        self.take(|action| matches!(action, Action::Consumer { does, .. } if does == wanted));
    }

    fn other(&self) -> &OtherPartition {
        self.state.other.as_deref().expect("it was added")
    }

    fn reader(&self) -> &Reader {
        &self.other().readers[0]
    }

    fn add(&mut self) {
        self.strike(Strike::AddPartition { moves: 1 });
    }

    /// The producer learns of the partition, and a record is written to it.
    fn publish_there(&mut self, record: u16) {
        self.step(Action::Send(record));
        self.step(Action::OtherPartition(PartitionStep::Transmit));
        self.step(Action::OtherPartition(PartitionStep::HandleProduce));
        self.step(Action::OtherPartition(PartitionStep::ReceiveAnswer));
    }

    fn publish_here(&mut self, record: u16) {
        self.step(Action::Send(record));
        self.step(Action::Transmit);
        self.step(Action::HandleProduce);
        self.step(Action::ReceiveAnswer);
    }
}

fn by(protocol: GroupProtocol, reset: OffsetReset, faults: &[Fault]) -> Run {
    let mut pipeline = pipeline(&[&[Fault::AddPartition], faults].concat());
    pipeline.group.protocol = protocol;
    pipeline.consumer.offset_reset = reset;
    Run::of(pipeline)
}

#[test]
fn each_partition_has_offsets_and_commits_of_its_own() {
    let mut run = by(GroupProtocol::Consumer, OffsetReset::Earliest, &[]);
    run.publish_here(0);
    run.add();
    run.step(Action::LearnPartition);
    run.publish_there(1);
    let stamp = run.other().broker.log[0].stamp;
    assert_eq!(stamp.sequence, 0, "numbers are by partition");
    run.consumer(ConsumerStep::Discover);
    run.consumer(ConsumerStep::PollOther(1));
    assert!(run.reader().in_hand);
    assert_eq!(run.state.consumers[0].hand.to_vec(), [1]);
    run.consumer(ConsumerStep::Operate);
    run.consumer(ConsumerStep::Operate);
    let next = run.other().committed.map(|committed| committed.next);
    assert_eq!(next, Some(NextOffset(1)));
    assert_eq!(
        run.state.group.committed, None,
        "nothing of the first was read"
    );
    assert_eq!(run.reader().position, Some(NextOffset(1)));
    assert_eq!(run.state.consumers[0].position().next, NextOffset(0));
    run.consumer(ConsumerStep::Poll(1));
    run.consumer(ConsumerStep::Operate);
    assert!(run.state.ledger.disordered, "r1 came before r0");
}

#[test]
fn what_was_sent_before_stays_where_it_is() {
    let faults = [Fault::ResponseLost];
    let mut run = by(GroupProtocol::Consumer, OffsetReset::Earliest, &faults);
    run.add();
    run.step(Action::Send(0));
    run.step(Action::LearnPartition);
    run.step(Action::Send(1));
    let waits = |queue: &[semel_models::producer::Batch]| -> Vec<u16> {
        queue.iter().map(|batch| batch.record).collect()
    };
    assert_eq!(waits(&run.state.producer.queue), [0]);
    assert_eq!(waits(&run.other().queue), [1]);
    run.step(Action::Transmit);
    run.step(Action::HandleProduce);
    run.strike(Strike::LoseAnswer(Target::Produce));
    assert_eq!(
        waits(&run.state.producer.queue),
        [0],
        "its retry stays, too"
    );
    run.step(Action::Transmit);
    run.step(Action::HandleProduce);
    assert_eq!(run.state.broker.log_end(), 1, "the repeat is recognised");
}

#[test]
fn a_lost_answer_there_is_repeated_there_and_recognised() {
    let faults = [Fault::ResponseLost];
    let mut run = by(GroupProtocol::Consumer, OffsetReset::Earliest, &faults);
    run.add();
    run.step(Action::LearnPartition);
    run.step(Action::Send(0));
    run.step(Action::OtherPartition(PartitionStep::Transmit));
    run.step(Action::OtherPartition(PartitionStep::HandleProduce));
    run.strike(Strike::LoseAnswer(Target::ProduceToOther));
    run.step(Action::OtherPartition(PartitionStep::Transmit));
    run.step(Action::OtherPartition(PartitionStep::HandleProduce));
    assert_eq!(run.other().broker.log_end(), 1);
    assert_eq!(run.state.broker.log_end(), 0);
}

#[test]
fn an_eager_consumer_reads_both_positions_anew() {
    for (protocol, here) in [(GroupProtocol::Eager, 1), (GroupProtocol::Consumer, 0)] {
        let mut run = by(protocol, OffsetReset::Latest, &[]);
        run.publish_here(0);
        run.add();
        run.consumer(ConsumerStep::Discover);
        let position = run.state.consumers[0].position().next;
        assert_eq!(position, NextOffset(here), "{protocol:?}");
        assert_eq!(run.reader().position, Some(NextOffset(0)));
    }
}

#[test]
fn without_a_policy_the_process_ends() {
    let mut run = by(GroupProtocol::Consumer, OffsetReset::None, &[]);
    run.add();
    run.consumer(ConsumerStep::Discover);
    assert_eq!(run.state.consumers[0].phase, Phase::Down);
    assert_eq!(run.reader().position, None);
}

#[test]
fn a_consumer_that_starts_again_is_assigned_both() {
    let faults = [Fault::ConsumerCrash];
    let mut run = by(GroupProtocol::Consumer, OffsetReset::Earliest, &faults);
    run.add();
    run.step(Action::LearnPartition);
    run.publish_there(0);
    run.consumer(ConsumerStep::Discover);
    run.consumer(ConsumerStep::PollOther(1));
    run.strike(Strike::Consumer {
        who: 0,
        how: ConsumerStrike::Crash,
    });
    assert_eq!((run.reader().position, run.reader().in_hand), (None, false));
    run.consumer(ConsumerStep::Join { to: 0 });
    assert_eq!(run.reader().position, Some(NextOffset(0)));
    run.consumer(ConsumerStep::PollOther(1));
}

#[test]
fn which_keys_move_is_open_and_one_partition_is_added() {
    let mut pipeline = pipeline(&[Fault::AddPartition]);
    pipeline.bounds.keys = 2;
    let mut run = Run::of(pipeline);
    let ways = |run: &Run| {
        let adds = |action: &Action| {
            matches!(
                action,
                Action::Fault {
                    strike: Strike::AddPartition { .. },
                    ..
                }
            )
        };
        run.enabled().iter().filter(|action| adds(action)).count()
    };
    assert_eq!(ways(&run), 3, "either key, or both");
    run.strike(Strike::AddPartition { moves: 2 });
    assert_eq!(ways(&run), 0);
    run.step(Action::LearnPartition);
    run.step(Action::Send(0));
    assert!(run.other().queue.is_empty(), "its key stays");
    run.step(Action::Send(1));
    assert_eq!(run.other().queue.len(), 1);
}
