//! semel's engine and Stateright's own depth-first search see the same graph and the same
//! violations.

mod support;

use semel::catalogue::{ENTRIES, broken, fixed};
use semel::explore::{Options, Outcome, explore};
use semel::{Design, Guarantee};
use semel_models::cluster::Cluster;
use stateright::{Checker, Model};
use support::{derived_designs, preset_designs};

/// The most states that a derived design may have, for this to end in a minute or so.
const MOST_STATES: u64 = 50_000;

/// Explores a design with both, and compares, unless a limit comes first. Stateright goes on as long
/// as a property is not discovered, and in each of these designs something holds, so it sees the
/// whole graph.
fn is_same_graph(design: &Design, options: &Options) -> bool {
    let cluster = Cluster::new(design.pipeline().clone()).expect("within the model's limits");
    let found = explore(&cluster, options, &mut |_| {});
    if found.outcome() != Outcome::Complete {
        return false;
    }
    let checker = cluster.clone().checker().spawn_dfs().join();
    let name = design.name();
    assert_eq!(
        found.unique_states(),
        checker.unique_state_count() as u64,
        "states of {name}"
    );
    // Stateright counts the one initial state among the generated.
    assert_eq!(
        found.transitions() + 1,
        checker.state_count() as u64,
        "transitions of {name}"
    );
    for guarantee in Guarantee::ALL {
        let violated = found.violation(guarantee as usize).is_some();
        let discovered = checker.discovery(guarantee.name()).is_some();
        assert_eq!(violated, discovered, "{guarantee} of {name}");
    }
    true
}

#[test]
fn both_engines_see_the_same_graph_of_every_preset() {
    let options = Options::default();
    let same = |design| is_same_graph(design, &options);
    assert!(preset_designs().iter().all(same));
}

#[test]
fn both_engines_see_the_same_graph_of_every_derived_design() {
    let options = Options::default().max_states(MOST_STATES);
    let designs = derived_designs();
    let compared = designs
        .iter()
        .filter(|design| is_same_graph(design, &options));
    let compared = compared.count();
    assert!(compared + 20 > designs.len(), "{compared} were compared");
}

#[test]
fn both_engines_see_the_same_graph_of_both_designs_of_every_catalogue_entry() {
    for entry in ENTRIES {
        for design in [broken(entry), fixed(entry)] {
            let design = design.expect("a design");
            assert!(is_same_graph(&design, &Options::default()));
        }
    }
}
