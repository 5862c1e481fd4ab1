//! semel's engine and Stateright's own depth-first search see the same graph and the same
//! violations.

mod support;

use semel::catalogue::{ENTRIES, broken, fixed};
use semel::trace::Trace;
use semel::{CheckOptions, Design, Guarantee, check};
use semel_models::cluster::Cluster;
use stateright::{Checker, Model};
use support::{derived_designs, preset_designs};

/// Explores a design with both, and compares. Stateright goes on as long as a property is not
/// discovered, and in each of these designs something holds, so it sees the whole graph.
fn assert_same_graph(design: &Design) {
    let verdicts = check(design, &CheckOptions::default()).expect("within the model's limits");
    let cluster = Cluster::new(design.pipeline().clone()).expect("within the model's limits");
    let checker = cluster.checker().spawn_dfs().join();
    let name = design.name();
    assert_eq!(
        verdicts.unique_states(),
        checker.unique_state_count() as u64,
        "states of {name}"
    );
    // Stateright counts the one initial state among the generated.
    assert_eq!(
        verdicts.transitions() + 1,
        checker.state_count() as u64,
        "transitions of {name}"
    );
    for guarantee in Guarantee::ALL {
        // A loop without exit is no property of a single state.
        let ends = |trace: &Trace| trace.loops_from().is_none();
        let violated = verdicts.of(guarantee).trace().is_some_and(ends);
        let discovered = checker.discovery(guarantee.name()).is_some();
        assert_eq!(violated, discovered, "{guarantee} of {name}");
    }
}

#[test]
fn both_engines_see_the_same_graph_of_every_preset() {
    preset_designs().iter().for_each(assert_same_graph);
}

#[test]
fn both_engines_see_the_same_graph_of_every_derived_design() {
    derived_designs().iter().for_each(assert_same_graph);
}

#[test]
fn both_engines_see_the_same_graph_of_both_designs_of_every_catalogue_entry() {
    for entry in ENTRIES {
        for design in [broken(entry), fixed(entry)] {
            assert_same_graph(&design.expect("a design"));
        }
    }
}
