//! The reductions change what is explored and nothing that is found.

mod support;

use semel::catalogue::{ENTRIES, broken, fixed};
use semel::explore::{Exploration, Livelock, Options, Outcome, explore};
use semel::{Design, Guarantee};
use semel_models::cluster::{Cluster, Reductions, State};
use semel_models::fault::Fault;
use semel_models::pipeline::OffsetReset;
use semel_models::replication::Numbering;
use semel_models::subject::Subject;
use stateright::Model;
use std::collections::HashSet;
use std::sync::LazyLock;
use support::{derived_designs, preset_designs};

/// The length of the shortest violation of each guarantee, and whether a run can go on for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Findings {
    shortest: Vec<Option<usize>>,
    endless: bool,
}

/// Explores a design with these reductions; also returns how many states that took.
fn findings(design: &Design, reductions: Reductions) -> (Findings, u64) {
    findings_within(&Options::default(), design, reductions).expect("nothing limits it")
}

/// The same, unless a limit comes first.
fn findings_within(
    options: &Options,
    design: &Design,
    reductions: Reductions,
) -> Option<(Findings, u64)> {
    let pipeline = design.pipeline().clone();
    let cluster = Cluster::with_reductions(pipeline, reductions).expect("within the limits");
    let found = explore(&cluster, options, &mut |_| {});
    if found.outcome() != Outcome::Complete {
        return None;
    }
    let shortest = |guarantee: Guarantee| {
        found
            .violation(guarantee as usize)
            .map(|state| found.depth_of(state))
    };
    let findings = Findings {
        shortest: Guarantee::ALL.into_iter().map(shortest).collect(),
        endless: found.livelock(options) != Livelock::None,
    };
    Some((findings, found.unique_states()))
}

/// What of two findings must be the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Same {
    VerdictsAndLengths,
    Verdicts,
}

/// The most states that a design may have without any reduction, for this to end in minutes.
const MOST_STATES: u64 = 10_000;

/// The designs, each with what is found without any reduction.
static FULL: LazyLock<Vec<(Design, Findings, u64)>> = LazyLock::new(|| {
    let options = Options::default().max_states(MOST_STATES);
    let without = |design: Design| {
        let (findings, states) = findings_within(&options, &design, Reductions::NONE)?;
        Some((design, findings, states))
    };
    designs().into_iter().filter_map(without).collect()
});

fn assert_sound(reductions: Reductions, same: Same) {
    let mut saved = 0;
    for (design, full, many) in FULL.iter() {
        let (mut reduced, few) = findings(design, reductions);
        let mut full = full.clone();
        if same == Same::Verdicts {
            for length in [&mut reduced.shortest, &mut full.shortest]
                .into_iter()
                .flatten()
            {
                *length = length.map(|_| 0);
            }
        }
        assert_eq!(reduced, full, "{}", design.name());
        assert!(few <= *many, "{}", design.name());
        saved += many - few;
    }
    assert!(saved > 0, "the reduction does nothing");
}

fn designs() -> Vec<Design> {
    let published = ENTRIES
        .iter()
        .flat_map(|entry| [broken(entry), fixed(entry)]);
    let published: Vec<Design> = published.map(|design| design.expect("a design")).collect();
    [preset_designs(), derived_designs(), published].concat()
}

#[test]
fn clearing_dead_fields_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.dead_fields = true;
    assert_sound(reductions, Same::VerdictsAndLengths);
}

#[test]
fn leaving_harmless_faults_out_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.harmless_faults = true;
    assert_sound(reductions, Same::VerdictsAndLengths);
}

#[test]
fn taking_a_commit_as_one_step_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.whole_calls = true;
    assert_sound(reductions, Same::Verdicts);
}

#[test]
fn forgetting_which_faults_were_spent_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.spent_faults = true;
    assert_sound(reductions, Same::VerdictsAndLengths);
}

#[test]
fn forgetting_where_to_begin_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.where_to_begin = true;
    assert_sound(reductions, Same::VerdictsAndLengths);
}

#[test]
fn forgetting_results_that_were_passed_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.passed_results = true;
    assert_sound(reductions, Same::VerdictsAndLengths);
}

#[test]
fn taking_commuting_steps_in_one_order_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.commuting_steps = true;
    assert_sound(reductions, Same::Verdicts);
}

/// What a model says of its runs is true of each; and elsewhere some runs are longer, or nothing need be said.
#[test]
fn taking_commuting_steps_in_one_order_shows_the_shortest_runs_that_it_says_it_does() {
    let options = Options::default().max_states(MOST_STATES);
    let (mut equal, mut longer) = (0, 0);
    for design in designs() {
        let cluster = Cluster::new(design.pipeline().clone()).expect("within the limits");
        let in_one_order = explore(&cluster, &options, &mut |_| {});
        let cluster_in_every_order = cluster.in_every_order();
        let in_every_order = explore(&cluster_in_every_order, &options, &mut |_| {});
        let outcomes = [in_one_order.outcome(), in_every_order.outcome()];
        if outcomes != [Outcome::Complete; 2] {
            continue;
        }
        for guarantee in Guarantee::ALL {
            let shortest = |found: &Exploration<'_, Cluster>| {
                let violation = found.violation(guarantee as usize);
                violation.map(|state| found.depth_of(state))
            };
            let lengths = [&in_one_order, &in_every_order].map(shortest);
            let [Some(one), Some(every)] = lengths else {
                continue;
            };
            if cluster.shows_shortest(guarantee) {
                assert_eq!(one, every, "{guarantee} of {}", design.name());
                equal += 1;
            }
            longer += usize::from(one > every);
        }
    }
    assert!(equal > 50 && longer > 50, "{equal}, {longer}");
}

#[test]
fn one_log_for_replicas_that_nothing_strikes_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.healthy_replicas = true;
    let replicated = "[topic]\nreplication.factor = 3\nmin.insync.replicas = 2\n\n[consumer]";
    for id in ["P04", "P08", "C01", "C02"] {
        let entry = ENTRIES.iter().find(|entry| entry.id == id);
        let entry = entry.expect("an entry");
        for text in [entry.broken, entry.fixed] {
            assert_eq!(text.matches("[consumer]").count(), 1, "{id}");
            let text = text.replace("[consumer]", replicated);
            let design = Design::parse(id, text.as_bytes()).expect("a design");
            let (mut apart, many) = findings(&design, Reductions::NONE);
            let (mut one, few) = findings(&design, reductions);
            assert!(few < many, "{id}: {few}, {many}");
            // Fetches are steps: runs get longer.
            for length in apart.shortest.iter_mut().chain(&mut one.shortest) {
                *length = length.map(|_| 0);
            }
            assert_eq!(apart, one, "{id}");
        }
    }
}

/// Runs are other ones with a client and a log: a reader takes a result in a step of its own.
#[test]
fn taking_results_as_calls_changes_no_verdict() {
    let mut logged = Reductions::ALL;
    logged.whole_results = false;
    let options = Options::default().max_states(MOST_STATES / 2);
    let mut compared = 0;
    for design in designs() {
        let pipeline = design.pipeline();
        let results = pipeline.consumer.produces();
        if !results || pipeline.logs_results() || !pipeline.can_log_results() {
            continue;
        }
        let found = |reductions| findings_within(&options, &design, reductions);
        let Some(((mut whole, few), (mut logged, many))) =
            found(Reductions::ALL).zip(found(logged))
        else {
            continue;
        };
        for length in whole.shortest.iter_mut().chain(&mut logged.shortest) {
            *length = length.map(|_| 0);
        }
        assert_eq!(whole, logged, "{}", design.name());
        assert!(few < many, "{}: {few}, {many}", design.name());
        compared += 1;
    }
    assert!(compared > 50, "{compared} designs");
}

#[test]
fn numbering_replicas_by_what_they_are_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.symmetric_replicas = true;
    assert_sound(reductions, Same::VerdictsAndLengths);
}

#[test]
fn all_reductions_together_change_no_verdict() {
    assert_sound(Reductions::ALL, Same::Verdicts);
}

/// These have too many states without any reduction to be among the others.
#[test]
fn all_reductions_together_change_no_verdict_where_an_epoch_is_raised_within_a_transaction() {
    let named = [
        "epoch-raised-within-2.5",
        "epoch-raised-within-offsets-outside",
    ];
    let designs = derived_designs();
    let designs = designs.iter().filter(|one| named.contains(&one.name()));
    let verdicts = |design: &Design, reductions: Reductions| {
        let (found, many) = findings(design, reductions);
        let violated: Vec<bool> = found.shortest.iter().map(Option::is_some).collect();
        (violated, found.endless, many)
    };
    let mut compared = 0;
    for design in designs {
        let (full, full_endless, many) = verdicts(design, Reductions::NONE);
        let (reduced, endless, few) = verdicts(design, Reductions::ALL);
        assert_eq!(
            (reduced, endless),
            (full, full_endless),
            "{}",
            design.name()
        );
        assert!(few < many, "{}", design.name());
        compared += 1;
    }
    assert_eq!(compared, named.len());
}

/// Whether a process can end over and over again without a fault.
fn may_loop(design: &Design) -> bool {
    let pipeline = design.pipeline();
    pipeline.faults.contains(Fault::Poison) || pipeline.consumer.offset_reset == OffsetReset::None
}

#[test]
fn numbering_generations_anew_changes_no_verdict() {
    let mut reductions = Reductions::NONE;
    reductions.generations = false;
    for (design, full, _) in FULL.iter().filter(|(design, ..)| !may_loop(design)) {
        let (other, _) = findings(design, reductions);
        assert_eq!(&other, full, "{}", design.name());
    }
}

/// The violations of states at most this many steps away.
fn violations_within(design: &Design, reductions: Reductions, steps: usize) -> Vec<u32> {
    let pipeline = design.pipeline().clone();
    let cluster = Cluster::with_reductions(pipeline, reductions).expect("within the limits");
    let mut seen: HashSet<_> = cluster.init_states().into_iter().collect();
    let mut level: Vec<_> = seen.iter().cloned().collect();
    let mut violated = Vec::new();
    for _ in 0..steps {
        let quiescent = |state| cluster.is_quiescent(state);
        let here = level
            .iter()
            .map(|state| cluster.observe(state, quiescent(state)).violated);
        violated.push(here.fold(0, |all, bits| all | bits));
        let next = level.iter().flat_map(|state| {
            let mut actions = Vec::new();
            cluster.actions(state, &mut actions);
            let state = state.clone();
            let cluster = &cluster;
            actions
                .into_iter()
                .filter_map(move |action| cluster.next_state(&state, action))
        });
        let next: Vec<_> = next.collect();
        level = next
            .into_iter()
            .filter(|state| seen.insert(state.clone()))
            .collect();
    }
    violated
}

#[test]
fn numbering_generations_anew_changes_no_verdict_where_it_keeps_the_space_finite() {
    let mut reductions = Reductions::ALL;
    reductions.generations = false;
    // A start in vain changes nothing but the generation: numbered anew, it is no step at all.
    let in_vain = |design: &Design| design.pipeline().consumer.offset_reset == OffsetReset::None;
    let looping = designs().into_iter().filter(may_loop);
    let looping: Vec<Design> = looping.filter(|design| !in_vain(design)).collect();
    assert!(looping.len() > 10, "there are such designs");
    for design in looping {
        assert_eq!(
            violations_within(&design, reductions, 14),
            violations_within(&design, Reductions::ALL, 14),
            "{}",
            design.name()
        );
    }
}

/// The states that a state leads to.
fn successors(cluster: &Cluster, state: &State) -> HashSet<State> {
    let mut actions = Vec::new();
    cluster.actions(state, &mut actions);
    let next = |action| cluster.next_state(state, action);
    actions.into_iter().filter_map(next).collect()
}

/// Every numbering of the first `replicas` of three brokers.
fn numberings(replicas: u16) -> Vec<Numbering> {
    let orders = [
        [0, 1, 2],
        [1, 0, 2],
        [0, 2, 1],
        [2, 1, 0],
        [1, 2, 0],
        [2, 0, 1],
    ];
    let keeps = |order: &[u16; 3]| (replicas..3).all(|who| order[usize::from(who)] == who);
    let orders = orders.into_iter().filter(keeps);
    orders.map(Numbering::in_order).collect()
}

fn renumbered(state: &State, numbers: Numbering) -> State {
    let mut other = state.clone();
    other.renumber_replicas(numbers);
    other
}

#[test]
fn other_numbers_for_replicas_are_an_automorphism_and_one_state_when_sorted() {
    let mut apart = Reductions::ALL;
    apart.symmetric_replicas = false;
    apart.commuting_steps = false;
    let mut seen = 0;
    for design in designs() {
        let pipeline = design.pipeline().clone();
        if !pipeline.tells_replicas_apart() {
            continue;
        }
        let cluster = Cluster::with_reductions(pipeline, apart).expect("within the limits");
        let numberings = numberings(cluster.alike_brokers());
        let sorted = |mut state: State| {
            cluster.sort_replicas(&mut state);
            state
        };
        let mut level: HashSet<State> = cluster.init_states().into_iter().collect();
        while !level.is_empty() && seen < 500 {
            let mut next = HashSet::new();
            for state in &level {
                seen += 1;
                let after = successors(&cluster, state);
                for numbers in &numberings {
                    let other = renumbered(state, *numbers);
                    let expected = after.iter().map(|state| renumbered(state, *numbers));
                    assert_eq!(successors(&cluster, &other), expected.collect());
                    assert_eq!(sorted(other), sorted(state.clone()), "{}", design.name());
                }
                next.extend(after);
            }
            level = next;
        }
        assert!(seen > 0);
        seen = 0;
    }
}
