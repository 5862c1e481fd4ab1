//! The reductions change what is explored and nothing that is found.

mod support;

use semel::explore::{Livelock, Options, Outcome, explore};
use semel::{Design, Guarantee};
use semel_models::cluster::{Cluster, Reductions};
use support::{derived_designs, preset_designs};

/// The length of the shortest violation of each guarantee, and whether a run can go on for ever.
#[derive(Debug, PartialEq, Eq)]
struct Findings {
    shortest: Vec<Option<usize>>,
    endless: bool,
}

/// Explores a design with these reductions; also returns how many states that took.
fn findings(design: &Design, reductions: Reductions) -> (Findings, u64) {
    let pipeline = design.pipeline().clone();
    let cluster = Cluster::with_reductions(pipeline, reductions).expect("within the limits");
    let found = explore(&cluster, &Options::default(), &mut |_| {});
    assert_eq!(found.outcome(), Outcome::Complete);
    let shortest = |guarantee: Guarantee| {
        found
            .violation(guarantee as usize)
            .map(|state| found.depth_of(state))
    };
    let findings = Findings {
        shortest: Guarantee::ALL.into_iter().map(shortest).collect(),
        endless: found.livelock(&Options::default()) != Livelock::None,
    };
    (findings, found.unique_states())
}

/// What of two findings must be the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Same {
    VerdictsAndLengths,
    Verdicts,
}

fn assert_sound(designs: &[Design], reductions: Reductions, same: Same) {
    let mut saved = 0;
    for design in designs {
        let (mut reduced, few) = findings(design, reductions);
        let (mut full, many) = findings(design, Reductions::NONE);
        if same == Same::Verdicts {
            for length in [&mut reduced.shortest, &mut full.shortest]
                .into_iter()
                .flatten()
            {
                *length = length.map(|_| 0);
            }
        }
        assert_eq!(reduced, full, "{}", design.name());
        assert!(few <= many, "{}", design.name());
        saved += many - few;
    }
    assert!(saved > 0, "the reduction does nothing");
}

fn designs() -> Vec<Design> {
    [preset_designs(), derived_designs()].concat()
}

#[test]
fn clearing_dead_fields_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.dead_fields = true;
    assert_sound(&designs(), reductions, Same::VerdictsAndLengths);
}

#[test]
fn leaving_harmless_faults_out_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.harmless_faults = true;
    assert_sound(&designs(), reductions, Same::VerdictsAndLengths);
}

#[test]
fn taking_a_commit_as_one_step_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.whole_calls = true;
    assert_sound(&designs(), reductions, Same::Verdicts);
}

#[test]
fn all_reductions_together_change_no_verdict() {
    assert_sound(&designs(), Reductions::ALL, Same::Verdicts);
}
