//! The ends that each host reaches.

use semel_models::actors::{self, End, Node};
use semel_models::cluster::{Cluster, Reductions, State};
use semel_models::ledger::Ledger;
use semel_models::pipeline::Pipeline;
use stateright::actor::{ActorModel, ActorModelState};
use stateright::{Checker, Expectation, Model};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// Ends, as a set.
pub type Ends = HashSet<End>;

/// Where the actor model's checker leaves the ends that it meets.
pub type Recorder = Arc<Mutex<Ends>>;

/// Notes how a run ends. A property, so that Stateright's checker looks at every
/// state with it.
fn record(model: &ActorModel<Node, Recorder>, state: &ActorModelState<Node>) -> bool {
    if let Some(end) = actors::end(model, state) {
        model.cfg.lock().expect("no panic").insert(end);
    }
    true
}

/// The ends that the actors reach; `None`: that takes more than `limit` steps.
pub fn of_actors(pipeline: &Pipeline, limit: usize) -> Option<Ends> {
    of_actors_with(pipeline, limit, |_| {})
}

/// The same after `change` to the model.
pub fn of_actors_with(
    pipeline: &Pipeline,
    limit: usize,
    change: impl FnOnce(&mut ActorModel<Node, Recorder>),
) -> Option<Ends> {
    let recorder = Recorder::default();
    let mut model = actors::model(pipeline.clone(), Arc::clone(&recorder)).expect("small");
    change(&mut model);
    let checker = model
        .property(Expectation::Always, "recorded", record)
        .checker()
        .target_state_count(limit)
        .spawn_dfs()
        .join();
    let complete = checker.state_count() < limit;
    complete.then(|| recorder.lock().expect("no panic").clone())
}

fn end_of(state: &State) -> End {
    let consumer = &state.consumers[0];
    End {
        ledger: Ledger {
            overlaps: Default::default(),
            ..state.ledger.clone()
        },
        log: state.broker.log.iter().map(|entry| entry.record).collect(),
        committed: state.group.committed.map(|position| position.next),
        position: consumer.is_running().then(|| consumer.position().next),
        sink: state.sink.clone(),
    }
}

/// The ends that the cluster reaches.
pub fn of_cluster(pipeline: &Pipeline) -> Ends {
    // Ends are compared by offsets, too, so those that nobody reads any more are kept.
    let mut reductions = Reductions::ALL;
    reductions.where_to_begin = false;
    reductions.commuting_steps = false;
    let cluster = Cluster::with_reductions(pipeline.clone(), reductions).expect("small");
    let mut seen: HashSet<State> = HashSet::new();
    let mut stack = cluster.init_states();
    let mut ends = Ends::new();
    while let Some(state) = stack.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        if cluster.is_quiescent(&state) {
            ends.insert(end_of(&state));
        }
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        let next = actions.into_iter();
        stack.extend(next.filter_map(|action| cluster.next_state(&state, action)));
    }
    ends
}

/// What one host reaches and the other does not; `None`: the same.
pub fn difference(cluster: &Ends, actors: &Ends) -> Option<String> {
    let only = |one: &Ends, other: &Ends| -> Vec<String> {
        let mut only: Vec<String> = one.difference(other).map(|l| format!("{l:?}")).collect();
        only.sort();
        only
    };
    let (missing, extra) = (only(cluster, actors), only(actors, cluster));
    (cluster != actors).then(|| {
        format!(
            "only the cluster:\n  {}\nonly the actors:\n  {}",
            missing.join("\n  "),
            extra.join("\n  ")
        )
    })
}
