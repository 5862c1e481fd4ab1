//! semel's engine and Stateright's depth-first search.

use proptest::prelude::*;
use semel::trace::Trace;
use semel::{CheckOptions, Design, Guarantee, Verdict, check};
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::subject::Subject;
use stateright::{Checker, Model, Property};

use crate::designs::{any_cleaned, any_recreated, any_replicas};
use crate::trials::{MOST_STATES, Trial, too_large, try_designs, try_kind};

/// A cluster of which Stateright sees the whole graph: it stops when every property is decided,
/// and one more never is.
struct Whole(Cluster);

/// Whether a state keeps the guarantee with this bit.
fn keeps<const BIT: u32>(whole: &Whole, state: &State) -> bool {
    let quiescent = whole.0.is_quiescent(state);
    whole.0.observe(state, quiescent).violated & (1 << BIT) == 0
}

impl Model for Whole {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.0.init_states()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.0.next_state(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let name = |bit: usize| Guarantee::ALL[bit].name();
        vec![
            Property::always(name(0), keeps::<0>),
            Property::always(name(1), keeps::<1>),
            Property::always(name(2), keeps::<2>),
            Property::always(name(3), keeps::<3>),
            Property::always(name(4), keeps::<4>),
            Property::always(name(5), keeps::<5>),
            Property::always("goes on", |_, _| true),
        ]
    }
}

fn agree(design: &Design) -> Trial {
    let mut options = CheckOptions::default();
    options.max_states = Some(MOST_STATES);
    let verdicts = check(design, &options).map_err(|_| too_large())?;
    let undecided = |guarantee| verdicts.of(guarantee) == &Verdict::Undecided;
    if verdicts.unique_states() >= MOST_STATES || undecided(Guarantee::Progress) {
        return Err(too_large());
    }
    let cluster = Cluster::new(design.pipeline().clone()).expect("as before");
    let checker = Whole(cluster).checker().spawn_dfs().join();
    prop_assert_eq!(
        verdicts.unique_states(),
        checker.unique_state_count() as u64
    );
    // Stateright counts the one initial state among the generated.
    prop_assert_eq!(verdicts.transitions() + 1, checker.state_count() as u64);
    for guarantee in Guarantee::ALL {
        // A loop without exit is no property of a single state.
        let ends = |trace: &Trace| trace.loops_from().is_none();
        let trace = verdicts.of(guarantee).trace();
        let discovered = checker.discovery(guarantee.name()).is_some();
        prop_assert!(
            !trace.is_some_and(ends) || discovered,
            "{guarantee} is Stateright's"
        );
        prop_assert!(trace.is_some() || !discovered, "{guarantee} is semel's");
    }
    Trial::Ok(())
}

#[test]
fn both_engines_see_the_same_graph_and_the_same_violations() {
    try_designs(100, agree);
    try_kind(30, any_replicas(), agree);
    try_kind(8, any_cleaned(), agree);
    try_kind(15, any_recreated(), agree);
}
