//! The retry topic's offsets, step by step.

mod common;

use semel_models::action::{Action, ConsumerStep, ConsumerStrike, Failure, Place, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::fault::Fault;
use semel_models::pipeline::{AfterAttempts, CommitCovers, OffsetReset, Pipeline};
use stateright::Model;

/// A pipeline with a retry topic, one record, and one of each of these faults beside two failures.
fn pipeline(faults: &[Fault]) -> Pipeline {
    let failing: Vec<Fault> = [&[Fault::ProcessFailure], faults].concat();
    let mut pipeline = common::pipeline(&failing);
    pipeline.consumer.on_process_failure.then = AfterAttempts::RetryTopic;
    pipeline.faults.entries[0].1 = 2;
    pipeline.faults.total = None;
    pipeline.bounds.records = 1;
    pipeline.bounds.poll = 1;
    pipeline
}

/// A run under way.
struct Run {
    cluster: Cluster,
    state: State,
}

impl Run {
    /// The record is sent, and nothing else has happened.
    fn of(pipeline: Pipeline) -> Run {
        let cluster = Cluster::new(pipeline).expect("small").for_telling();
        let state = cluster.init_states().remove(0);
        let mut run = Run { cluster, state };
        run.take(|action| matches!(action, Action::Send(_)));
        run.take(|action| action == Action::Transmit);
        run.take(|action| action == Action::HandleProduce);
        run.take(|action| action == Action::ReceiveAnswer);
        run
    }

    /// Takes the first enabled step of this kind.
    fn take(&mut self, is: impl Fn(Action) -> bool) {
        let mut actions = Vec::new();
        self.cluster.actions(&self.state, &mut actions);
        let action = actions.into_iter().find(|action| is(*action));
        let next = action.and_then(|action| self.cluster.next_state(&self.state, action));
        self.state = next.expect("the step is enabled and changes something");
    }

    fn consumer(&mut self, wanted: ConsumerStep) {
        self.take(|action| matches!(action, Action::Consumer { does, .. } if does == wanted));
    }

    fn strike(&mut self, wanted: Strike) {
        self.take(|action| matches!(action, Action::Fault { strike, .. } if strike == wanted));
    }

    fn strike_consumer(&mut self, how: ConsumerStrike) {
        self.strike(Strike::Consumer { who: 0, how });
    }

    /// Handling what is in hand fails, a copy is written, and only the commit is left.
    fn fail(&mut self) {
        let failure = Failure::Before;
        let at = Place::Hand(0);
        self.strike_consumer(ConsumerStrike::Fail { failure, at });
        self.consumer(ConsumerStep::WriteFailed);
        self.consumer(ConsumerStep::Operate);
    }

    /// The record fails, its copy fails as well, and the commit of that copy is left.
    fn fail_twice(&mut self) {
        self.consumer(ConsumerStep::Poll(1));
        self.fail();
        self.consumer(ConsumerStep::Operate);
        self.consumer(ConsumerStep::PollRetries);
        self.fail();
    }

    /// The next copy is handled and committed.
    fn retry(&mut self) {
        self.consumer(ConsumerStep::PollRetries);
        self.consumer(ConsumerStep::Operate);
        self.consumer(ConsumerStep::Operate);
    }

    fn restart(&mut self) {
        self.strike_consumer(ConsumerStrike::Crash);
        self.consumer(ConsumerStep::Join { to: 0 });
    }

    /// What is committed in the retry topic, and how many copies anyone can still read.
    fn retries(&self) -> (Option<u16>, u16) {
        (self.state.retries.committed, self.state.retries.end())
    }

    fn may_retry(&self) -> bool {
        let polls = |action: &Action| {
            let does = ConsumerStep::PollRetries;
            *action == Action::Consumer { who: 0, does }
        };
        self.cluster.steps(&self.state).iter().any(polls)
    }
}

#[test]
fn a_commit_that_is_repeated_passes_one_copy() {
    let mut run = Run::of(pipeline(&[Fault::ResponseLost]));
    run.fail_twice();
    assert_eq!(run.retries(), (Some(0), 2));
    run.strike(Strike::LoseAnswer(Target::Commit(0)));
    assert_eq!(run.retries(), (Some(1), 2), "the first one is in hand");
    run.consumer(ConsumerStep::Operate);
    assert_eq!(run.retries(), (Some(0), 1), "nobody can read the first one");
    assert_eq!(run.state.group.committed.map(|at| at.next.0), Some(1));
    assert!(run.may_retry());
}

#[test]
fn a_commit_that_comes_late_moves_the_offset_of_its_own_topic_back() {
    let mut run = Run::of(pipeline(&[Fault::RequestDelayed, Fault::ConsumerCrash]));
    run.fail_twice();
    run.strike(Strike::Delay(Target::Commit(0)));
    run.consumer(ConsumerStep::Operate);
    run.retry();
    assert_eq!(run.retries(), (Some(1), 1), "the late commit names it");
    run.take(|action| matches!(action, Action::LateArrives(_)));
    assert_eq!(run.retries(), (Some(0), 1));
    assert_eq!(run.state.group.committed.map(|at| at.next.0), Some(1));
    assert!(!run.may_retry(), "a position is not moved by a commit");
    run.restart();
    run.retry();
    assert_eq!(run.state.ledger.handled[0], 2);
}

#[test]
fn with_latest_a_copy_is_passed_where_nothing_is_committed_behind_it() {
    for (covers, may_retry) in [(CommitCovers::Next, false), (CommitCovers::Position, true)] {
        let mut pipeline = pipeline(&[Fault::ConsumerCrash]);
        pipeline.consumer.offset_reset = OffsetReset::Latest;
        pipeline.consumer.commit_covers = covers;
        let mut run = Run::of(pipeline);
        run.consumer(ConsumerStep::Poll(1));
        run.fail();
        run.consumer(ConsumerStep::Operate);
        run.restart();
        assert_eq!(run.may_retry(), may_retry, "{covers:?}");
    }
}

#[test]
fn offsets_that_expire_expire_in_both_topics() {
    let mut run = Run::of(pipeline(&[Fault::OffsetsExpiry, Fault::ConsumerCrash]));
    run.fail_twice();
    run.consumer(ConsumerStep::Operate);
    assert_eq!(run.retries(), (Some(1), 2), "the offset may expire");
    run.strike_consumer(ConsumerStrike::Crash);
    run.strike(Strike::OffsetsExpiry);
    assert_eq!(run.retries(), (Some(0), 2));
    run.consumer(ConsumerStep::Join { to: 0 });
    run.retry();
    run.retry();
    assert_eq!(run.state.ledger.handled[0], 2);
}

#[test]
fn copies_of_a_record_that_can_never_be_handled_do_not_pile_up() {
    let mut pipeline = pipeline(&[Fault::Poison, Fault::RequestDelayed]);
    pipeline.faults.entries.remove(0);
    let mut run = Run::of(pipeline);
    run.consumer(ConsumerStep::Poll(1));
    run.strike_consumer(ConsumerStrike::Fail {
        failure: Failure::Poison,
        at: Place::Hand(0),
    });
    let mut most = 0;
    for round in 0..8 {
        run.consumer(ConsumerStep::WriteFailed);
        run.consumer(ConsumerStep::Operate);
        if round == 1 {
            run.strike(Strike::Delay(Target::Commit(0)));
        }
        run.consumer(ConsumerStep::Operate);
        most = most.max(run.state.retries.end());
        run.consumer(ConsumerStep::PollRetries);
        run.consumer(ConsumerStep::Operate);
    }
    assert_eq!(most, 2, "one that may be read again, and one to be read");
}
