//! The runs that are found: each can be taken, and none is shorter.

use std::collections::HashSet;

use proptest::prelude::*;
use semel::explore::{Exploration, Livelock, Options, Outcome, Path, explore};
use semel::trace::{Step, Trace};
use semel::{CheckOptions, Guarantee, check};
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::subject::Subject;
use stateright::Model;

use crate::brute::{Graph, steps};
use crate::trials::{MOST_STATES, Trial, too_large, try_designs};

/// Takes each step of a path on the model.
fn replay(cluster: &Cluster, path: &Path<State, Action>) -> Trial {
    prop_assert!(cluster.init_states().contains(&path.start));
    let mut state = path.start.clone();
    for step in &path.steps {
        prop_assert!(steps(cluster, &state).contains(step), "{:?}", step.0);
        state = step.1.clone();
    }
    Ok(())
}

/// A shortest violation of one guarantee against all that the graph has.
fn violation(
    cluster: &Cluster,
    graph: &Graph,
    found: &Exploration<'_, Cluster>,
    guarantee: Guarantee,
) -> Trial {
    let state = found.violation(guarantee as usize);
    let length = state.map(|state| found.depth_of(state));
    prop_assert_eq!(length, graph.shortest(cluster, guarantee), "{}", guarantee);
    let Some(state) = state else {
        return Ok(());
    };
    let path = found.path_to(state);
    replay(cluster, &path)?;
    let end = path.steps.last().map_or(&path.start, |step| &step.1);
    let seen = cluster.observe(end, cluster.is_quiescent(end));
    prop_assert!(seen.violated & guarantee.bit() != 0, "{guarantee}");
    Ok(())
}

/// A run without end: it can be taken, its loop closes, and nothing in it ever rests.
fn endless_run(cluster: &Cluster, graph: &Graph, found: &Exploration<'_, Cluster>) -> Trial {
    let restful = graph.restful();
    let restless = (0..graph.states.len()).filter(|index| !restful[*index]);
    let nearest = restless.map(|index| graph.depths[index]).min();
    let entry = match found.livelock(&Options::default()) {
        Livelock::None => None,
        Livelock::From(entry) => Some(entry),
        other => return Err(TestCaseError::fail(format!("{other:?}"))),
    };
    prop_assert_eq!(entry.map(|entry| found.depth_of(entry)), nearest);
    let Some(entry) = entry else {
        return Ok(());
    };
    let lasso = found.lasso(entry).expect("a way round");
    replay(cluster, &lasso.stem)?;
    let start = lasso
        .stem
        .steps
        .last()
        .map_or(&lasso.stem.start, |step| &step.1);
    let mut state = start.clone();
    for step in &lasso.cycle {
        prop_assert!(steps(cluster, &state).contains(step), "{:?}", step.0);
        prop_assert!(!cluster.is_fault(&step.0));
        state = step.1.clone();
        let index = graph.index(&state).expect("a state of the graph");
        prop_assert!(!graph.is_quiescent(index) && !restful[index]);
    }
    prop_assert_eq!(&state, start, "the loop does not close");
    prop_assert!(!lasso.cycle.is_empty());
    Ok(())
}

#[test]
fn each_violation_is_a_run_and_none_is_shorter() {
    try_designs(100, |design| {
        let cluster = Cluster::new(design.pipeline().clone()).map_err(|_| too_large())?;
        // As verdicts are found, and as runs are.
        runs_are_shortest(&cluster)?;
        runs_are_shortest(&cluster.in_every_order())
    });
}

fn runs_are_shortest(cluster: &Cluster) -> Trial {
    let options = Options::default().max_states(MOST_STATES);
    let found = explore(cluster, &options, &mut |_| {});
    if found.outcome() != Outcome::Complete {
        return Err(too_large());
    }
    let graph = Graph::of(cluster, usize::MAX).expect("no limit");
    prop_assert_eq!(found.unique_states(), graph.states.len() as u64);
    prop_assert_eq!(found.transitions(), graph.transitions);
    for guarantee in Guarantee::ALL {
        violation(cluster, &graph, &found, guarantee)?;
    }
    endless_run(cluster, &graph, &found)
}

/// The states in which a run may be that spends the same faults at the same steps.
fn follow(cluster: &Cluster, trace: &Trace) -> Vec<HashSet<State>> {
    let spends = |action: &Action| match action {
        Action::Fault { entry, .. } => Some(cluster.fault_key(*entry).to_string()),
        _ => None,
    };
    let mut met = vec![HashSet::from_iter(cluster.init_states())];
    for told in trace.steps() {
        let fits = |step: &(Action, State)| spends(&step.0).as_deref() == Step::fault(told);
        let now = met.last().into_iter().flatten();
        let next = now.flat_map(|state| steps(cluster, state)).filter(fits);
        met.push(next.map(|step| step.1).collect());
    }
    met
}

#[test]
fn each_trace_is_told_of_a_run_that_ends_in_its_violation() {
    try_designs(80, |design| {
        let mut options = CheckOptions::default();
        options.max_states = Some(MOST_STATES);
        let verdicts = check(design, &options).map_err(|_| too_large())?;
        if verdicts.unique_states() >= MOST_STATES {
            return Err(too_large());
        }
        let cluster = Cluster::new(design.pipeline().clone())
            .expect("as before")
            .in_every_order();
        let found = explore(&cluster, &Options::default(), &mut |_| {});
        for guarantee in Guarantee::ALL {
            let Some(trace) = verdicts.of(guarantee).trace() else {
                continue;
            };
            let met = follow(&cluster, trace);
            let violates = |state: &State| {
                let seen = cluster.observe(state, cluster.is_quiescent(state));
                seen.violated & guarantee.bit() != 0
            };
            let shortest = found
                .violation(guarantee as usize)
                .map(|state| found.depth_of(state));
            if trace.loops_from().is_none() && trace.is_shortest() {
                prop_assert_eq!(Some(trace.steps().len()), shortest, "{}", guarantee);
            }
            let ends = met.last().is_some_and(|last| match trace.loops_from() {
                None => last.iter().any(violates),
                Some(before) => last.iter().any(|state| met[before].contains(state)),
            });
            prop_assert!(ends, "{guarantee}: {:#?}", trace.steps());
        }
        Ok(())
    });
}
