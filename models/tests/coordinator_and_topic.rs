//! A group coordinator that moves, and a topic that is created again, step by step.

mod common;

use common::pipeline;
use semel_models::action::{Action, ConsumerStep, Recreation, Strike};
use semel_models::cluster::{Cluster, State};
use semel_models::fault::Fault;
use semel_models::limbo::Late;
use semel_models::offset::{NextOffset, Position};
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{OffsetReset, Pipeline};
use stateright::Model;

/// A run under way.
struct Run {
    cluster: Cluster,
    state: State,
}

impl Run {
    fn of(pipeline: Pipeline) -> Run {
        // In every order, and with the offsets that nobody reads any more.
        let cluster = Cluster::new(pipeline).expect("small").for_telling();
        let state = cluster.init_states().remove(0);
        Run { cluster, state }
    }

    /// Takes the first enabled step of this kind.
    fn take(&mut self, is: impl Fn(Action) -> bool) {
        assert!(self.may(&is), "not enabled in {:#?}", self.state);
        let mut actions = Vec::new();
        self.cluster.actions(&self.state, &mut actions);
        let action = actions.into_iter().find(|action| is(*action));
        let next = action.and_then(|action| self.cluster.next_state(&self.state, action));
        self.state = next.expect("the step changes something");
    }

    fn may(&self, is: impl Fn(Action) -> bool) -> bool {
        let mut actions = Vec::new();
        self.cluster.actions(&self.state, &mut actions);
        actions.into_iter().any(is)
    }

    fn strike(&mut self, wanted: Strike) {
        self.take(|action| matches!(action, Action::Fault { strike, .. } if strike == wanted));
    }

    fn consumer(&mut self, wanted: ConsumerStep) {
        self.take(|action| matches!(action, Action::Consumer { does, .. } if does == wanted));
    }

    /// The application sends the next record, and hears that the broker has it.
    fn publish(&mut self) {
        self.take(|action| matches!(action, Action::Send(_)));
        self.take(|action| action == Action::Transmit);
        self.take(|action| action == Action::HandleProduce);
        self.take(|action| action == Action::ReceiveAnswer);
    }

    /// The consumer polls one record, handles it and commits.
    fn consume(&mut self) {
        self.consumer(ConsumerStep::Poll(1));
        self.consumer(ConsumerStep::Operate);
        self.consumer(ConsumerStep::Operate);
    }

    fn position(&self) -> u16 {
        self.state.consumers[0].position().next.0
    }
}

fn committed(next: u16) -> Option<Position> {
    Some(Position::bare(NextOffset(next)))
}

#[test]
fn a_coordinator_that_moves_keeps_what_was_committed_and_loses_what_nobody_waits_for() {
    let mut pipeline = pipeline(&[Fault::CoordinatorFailover]);
    pipeline.consumer.order = Order(vec![
        Item::Step(Step::Process),
        Item::Step(Step::CommitAsync),
    ]);
    for written in [false, true] {
        let mut run = Run::of(pipeline.clone());
        run.publish();
        run.consume();
        assert!(run.state.consumers[0].pending.is_some());
        run.strike(Strike::CoordinatorFailover { written });
        assert_eq!(run.state.consumers[0].pending, None);
        let expected = committed(1).filter(|_| written);
        assert_eq!(run.state.group.committed, expected);
    }
}

#[test]
fn a_late_commit_comes_to_a_broker_that_is_no_longer_the_coordinator() {
    let mut run = Run::of(pipeline(&[
        Fault::CoordinatorFailover,
        Fault::RequestDelayed,
    ]));
    run.publish();
    run.consumer(ConsumerStep::Poll(1));
    run.consumer(ConsumerStep::Operate);
    run.take(|action| {
        matches!(action, Action::Fault { strike: Strike::Delay(target), .. }
            if target == semel_models::action::Target::Commit(0))
    });
    let is_commit = |late: &Late| matches!(late, Late::Commit { .. });
    assert!(run.state.limbo.requests.iter().any(is_commit));
    run.strike(Strike::CoordinatorFailover { written: false });
    assert!(!run.state.limbo.requests.iter().any(is_commit));
}

/// One record is handled and committed, then the topic is created again, and the other one is sent.
fn over_a_new_topic(reset: OffsetReset, how: Recreation) -> Run {
    let mut pipeline = pipeline(&[Fault::TopicRecreate]);
    pipeline.consumer.offset_reset = reset;
    let mut run = Run::of(pipeline);
    run.publish();
    run.consume();
    assert_eq!(run.state.group.committed, committed(1));
    run.strike(Strike::RecreateTopic(how));
    assert_eq!(run.state.group.committed, None, "offsets go with the topic");
    assert_eq!(run.state.broker.log_end(), 0);
    run
}

#[test]
fn a_position_in_a_new_topic_is_out_of_range_or_skips_what_lies_before() {
    let relocates = |run: &Run| {
        run.may(|action| {
            matches!(action, Action::Consumer { does, .. } if does == ConsumerStep::Relocate)
        })
    };
    let mut seen = over_a_new_topic(OffsetReset::Latest, Recreation::Missed);
    assert_eq!(seen.position(), 0, "it begins anew");
    seen.publish();
    seen.consume();
    // Beyond the end the reset policy decides, as long as the position is looked at in time.
    for how in [Recreation::Unnoticed, Recreation::OtherLeader] {
        let mut early = over_a_new_topic(OffsetReset::Earliest, how);
        assert!(relocates(&early));
        early.consumer(ConsumerStep::Relocate);
        assert_eq!(early.position(), 0);
        let mut late = over_a_new_topic(OffsetReset::Earliest, how);
        late.publish();
        assert!(!relocates(&late), "the old position is valid again");
        assert_eq!(late.position(), 1, "and skips r1");
    }
}

#[test]
fn a_client_without_topic_ids_stays_with_the_metadata_of_a_newer_epoch() {
    let mut pipeline = pipeline(&[Fault::TopicRecreate, Fault::BrokerCrash]);
    for noticed in [false, true] {
        pipeline.rules.recreated_topic_noticed = noticed;
        let mut run = Run::of(pipeline.clone());
        run.strike(Strike::BrokerCrash);
        run.strike(Strike::RecreateTopic(Recreation::Unnoticed));
        run.publish();
        let polls = |action| {
            matches!(
                action,
                Action::Consumer {
                    does: ConsumerStep::Poll(_),
                    ..
                }
            )
        };
        assert_eq!(run.may(polls), noticed);
    }
}
