//! The final ledgers that each host reaches.

use semel_models::actors::{self, Node};
use semel_models::cluster::{Cluster, State};
use semel_models::ledger::Ledger;
use semel_models::pipeline::Pipeline;
use stateright::actor::{ActorModel, ActorModelState};
use stateright::{Checker, Expectation, Model};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// Ledgers, as a set.
pub type Ledgers = HashSet<Ledger>;

/// Where the actor model's checker leaves the final ledgers that it meets.
pub type Recorder = Arc<Mutex<Ledgers>>;

/// Notes the ledger of a final state. A property, so that Stateright's checker looks at every
/// state with it.
fn record(model: &ActorModel<Node, Recorder>, state: &ActorModelState<Node>) -> bool {
    if let Some(ledger) = actors::final_ledger(model, state) {
        model.cfg.lock().expect("no panic").insert(ledger);
    }
    true
}

/// The final ledgers that the actors reach; `None`: that takes more than `limit` steps.
pub fn of_actors(pipeline: &Pipeline, limit: usize) -> Option<Ledgers> {
    of_actors_with(pipeline, limit, |_| {})
}

/// The same after `change` to the model.
pub fn of_actors_with(
    pipeline: &Pipeline,
    limit: usize,
    change: impl FnOnce(&mut ActorModel<Node, Recorder>),
) -> Option<Ledgers> {
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

/// The final ledgers that the cluster reaches.
pub fn of_cluster(pipeline: &Pipeline) -> Ledgers {
    let cluster = Cluster::new(pipeline.clone()).expect("small");
    let mut seen: HashSet<State> = HashSet::new();
    let mut stack = cluster.init_states();
    let mut ledgers = Ledgers::new();
    while let Some(state) = stack.pop() {
        if !seen.insert(state) {
            continue;
        }
        if cluster.is_quiescent(&state) {
            ledgers.insert(state.ledger);
        }
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        let next = actions.into_iter();
        stack.extend(next.filter_map(|action| cluster.next_state(&state, action)));
    }
    ledgers
}

/// What one host reaches and the other does not; `None`: the same.
pub fn difference(cluster: &Ledgers, actors: &Ledgers) -> Option<String> {
    let only = |one: &Ledgers, other: &Ledgers| -> Vec<String> {
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
