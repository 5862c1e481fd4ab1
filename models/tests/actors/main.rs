//! The actors of Stateright's `ActorModel` and the cluster reach the same ends; a host
//! with one actor that does something else is told apart; and no states collide.

#[path = "../common/mod.rs"]
mod common;
mod covered;
mod hosts;

use common::pipeline;
use proptest::prelude::*;
use semel_models::actors::message::{Event, Role, Timer};
use semel_models::actors::{self, Node, covers};
use semel_models::fault::Fault;
use semel_models::order::Step;
use semel_models::pipeline::*;
use stateright::actor::{Actor, ActorModel, ActorModelState, Id, Out, model_timeout};
use stateright::{Checker, Expectation, Model};
use std::borrow::Cow;
use std::collections::HashSet;

/// A pipeline that takes more steps than this is left out.
const LIMIT: usize = 60_000;

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    })]

    #[test]
    fn both_hosts_reach_the_same_ends_of_random_pipelines(
        pipeline in covered::pipelines().prop_filter("not covered", covers),
    ) {
        if let Some(actors) = hosts::of_actors(&pipeline, LIMIT) {
            let difference = hosts::difference(&hosts::of_cluster(&pipeline), &actors);
            prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
        }
    }
}

/// A host in which the actors of these roles follow another design is told apart.
fn assert_caught(pipeline: &Pipeline, roles: &[Role], change: impl Fn(&mut Pipeline)) {
    let right = hosts::of_cluster(pipeline);
    assert_eq!(hosts::of_actors(pipeline, LIMIT), Some(right.clone()));
    let mut changed = pipeline.clone();
    change(&mut changed);
    let broken = hosts::of_actors_with(pipeline, LIMIT, |model| {
        let other = actors::model(changed, ()).expect("small");
        for role in roles {
            model.actors[*role as usize] = other.actors[*role as usize].clone();
        }
    });
    let broken = broken.expect("within the limit");
    assert!(hosts::difference(&right, &broken).is_some());
}

#[test]
fn a_consumer_actor_that_commits_before_it_should_is_caught() {
    let pipeline = pipeline(&[Fault::ConsumerCrash]);
    assert_caught(&pipeline, &[Role::Consumer], |changed| {
        changed.consumer.commit_covers = CommitCovers::Position;
    });
    // The sink knows the application's order, too.
    assert_caught(&pipeline, &[Role::Consumer, Role::Sink], |changed| {
        changed.consumer.order.0.reverse();
    });
}

#[test]
fn a_consumer_actor_that_commits_too_little_is_caught() {
    let pipeline = pipeline(&[Fault::ConsumerCrash]);
    assert_caught(&pipeline, &[Role::Consumer], |changed| {
        changed.consumer.commit_covers = CommitCovers::Last;
    });
}

#[test]
fn a_producer_actor_that_forgets_what_it_sent_is_caught() {
    let pipeline = pipeline(&[Fault::ProducerCrash]);
    assert_caught(&pipeline, &[Role::Producer], |changed| {
        changed.producer.on_restart = OnRestart::Forget;
    });
}

#[test]
fn a_producer_actor_whose_repeats_are_not_recognised_is_caught() {
    let pipeline = pipeline(&[Fault::ResponseLost]);
    assert_caught(&pipeline, &[Role::Producer], |changed| {
        changed.producer.idempotence = false;
    });
}

#[test]
fn a_sink_actor_that_acts_after_all_is_caught() {
    let mut pipeline = pipeline(&[Fault::ProducerCrash]);
    pipeline
        .consumer
        .order
        .0
        .insert(0, semel_models::order::Item::Step(Step::Remember));
    assert_caught(&pipeline, &[Role::Sink], |changed| {
        changed.sink.dedup_insert = DedupInsert::Plain;
    });
}

/// The states told apart by their values, not by their fingerprints.
fn exactly(model: &ActorModel<Node>) -> HashSet<ActorModelState<Node>> {
    let mut seen = HashSet::new();
    let mut stack = model.init_states();
    while let Some(state) = stack.pop() {
        if seen.contains(&state) {
            continue;
        }
        let mut steps = Vec::new();
        model.actions(&state, &mut steps);
        let next = steps.into_iter();
        stack.extend(next.filter_map(|step| model.next_state(&state, step)));
        seen.insert(state);
    }
    seen
}

#[test]
fn no_two_states_of_the_actors_collide() {
    let mut pipeline = pipeline(&[
        Fault::ConsumerCrash,
        Fault::ProducerCrash,
        Fault::RequestDelayed,
        Fault::ResponseLost,
    ]);
    pipeline.consumer.auto_commit = AutoCommit::AtPoll;
    pipeline.faults.total = Some(1);
    let model = actors::model(pipeline, ()).expect("small");
    let states = exactly(&model);
    for state in &states {
        let owners = state.timers_set.iter().zip(Role::ALL);
        for (timers, role) in owners {
            assert!(timers.iter().all(|timer| timer.owner == role));
        }
    }
    let checker = model
        .property(Expectation::Always, "everything", |_, _| true)
        .checker()
        .spawn_dfs()
        .join();
    assert_eq!(checker.unique_state_count(), states.len());
}

/// An actor with one timer.
#[derive(Clone)]
struct Ticker(Timer);

impl Actor for Ticker {
    type Msg = ();
    type Timer = Timer;
    type State = ();
    type Storage = ();
    type Random = ();

    fn on_start(&self, _: Id, _: &Option<()>, out: &mut Out<Self>) {
        out.set_timer(self.0, model_timeout());
    }

    fn on_timeout(&self, _: Id, _: &mut Cow<'_, ()>, _: &Timer, _: &mut Out<Self>) {}
}

/// How many states Stateright finds of one actor with a timer for each of `owners`.
fn states_of_timers(owners: impl Iterator<Item = Role>) -> usize {
    let event = Event::Transmit;
    let actors = owners.map(|owner| Ticker(Timer { owner, event }));
    ActorModel::new((), ())
        .actors(actors)
        .property(Expectation::Always, "everything", |_, _| true)
        .checker()
        .spawn_dfs()
        .join()
        .unique_state_count()
}

#[test]
fn timers_that_name_their_owners_do_not_collide() {
    let everyone = Role::ALL.into_iter();
    assert_eq!(states_of_timers(everyone.clone()), 1 << Role::ALL.len());
    // Why they have to.
    let nameless = everyone.map(|_| Role::Producer);
    assert_eq!(states_of_timers(nameless), Role::ALL.len() + 1);
}
