//! The explorer against graphs whose numbers are known, and against itself.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use semel::explore::{Exploration, Limit, Livelock, Options, Outcome, Path, explore};
use semel_models::reference::{
    Action, CONSUMER_DOWN, NO_DUP, NO_LOSS, Order, Parameters, RETRY_OF_APPENDED, Reference, State,
};
use stateright::{Checker, Model};

const LOSS: usize = NO_LOSS.trailing_zeros() as usize;
const DUP: usize = NO_DUP.trailing_zeros() as usize;

fn small() -> Reference {
    Reference::new(Parameters::SMALL).expect("small enough")
}

fn commit_first() -> Reference {
    let order = Order::CommitFirst;
    let bounds = Parameters {
        order,
        ..Parameters::SMALL
    };
    Reference::new(bounds).expect("small enough")
}

fn with_jobs(jobs: usize) -> Options {
    Options::default().jobs(NonZeroUsize::new(jobs).expect("at least one"))
}

fn explored<'a>(protocol: &'a Reference, options: &Options) -> Exploration<'a, Reference> {
    explore(protocol, options, &mut |_| {})
}

/// The path to the violation of an invariant, if there is one.
fn trace(found: &Exploration<'_, Reference>, invariant: usize) -> Option<Path<State, Action>> {
    found.violation(invariant).map(|id| found.path_to(id))
}

/// Replays a path, step by step, on the model.
fn assert_replays(protocol: &Reference, path: &Path<State, Action>) {
    assert!(protocol.init_states().contains(&path.start));
    let mut state = path.start;
    for (action, next) in &path.steps {
        let mut actions = Vec::new();
        protocol.actions(&state, &mut actions);
        assert!(actions.contains(action));
        assert_eq!(protocol.next_state(&state, *action), Some(*next));
        state = *next;
    }
}

#[test]
fn small_and_medium_have_the_known_numbers() {
    let known = [
        (Parameters::SMALL, 66_762, 243_629, 40),
        (Parameters::MEDIUM, 535_424, 1_982_089, 48),
    ];
    for (bounds, states, transitions, levels) in known {
        let protocol = Reference::new(bounds).expect("small enough");
        let found = explored(&protocol, &with_jobs(2));
        assert_eq!(found.outcome(), Outcome::Complete);
        assert_eq!(found.unique_states(), states);
        assert_eq!(found.expanded_states(), states);
        assert_eq!(found.transitions(), transitions);
        assert_eq!(found.depth() + 1, levels);
    }
}

#[test]
fn stateright_counts_the_same_states_and_transitions() {
    for protocol in [small(), commit_first()] {
        let found = explored(&protocol, &Options::default());
        let checker = protocol.checker().spawn_dfs().join();
        assert_eq!(found.unique_states(), checker.unique_state_count() as u64);
        let generated = found.transitions() + found.init_states();
        assert_eq!(generated, checker.state_count() as u64);
    }
}

#[test]
fn processing_first_duplicates_and_never_loses() {
    let protocol = small();
    let found = explored(&protocol, &Options::default());
    assert_eq!(found.violated(), NO_DUP);
    assert_eq!(found.counted()[0], 32_342);
    assert_eq!(found.reached(), CONSUMER_DOWN | RETRY_OF_APPENDED);
    assert_eq!(trace(&found, LOSS), None);
}

#[test]
fn committing_first_loses_and_the_path_replays() {
    let protocol = commit_first();
    let found = explored(&protocol, &Options::default());
    assert_eq!(found.violated(), NO_DUP | NO_LOSS);
    for invariant in [LOSS, DUP] {
        let path = trace(&found, invariant).expect("violated");
        assert_replays(&protocol, &path);
    }
}

#[test]
fn any_number_of_jobs_finds_the_same() {
    let protocol = commit_first();
    let all = |jobs| {
        let found = explored(&protocol, &with_jobs(jobs));
        let counts = (found.unique_states(), found.transitions(), found.depth());
        let seen = (found.quiescent_states(), found.reached(), *found.counted());
        let traces = (trace(&found, LOSS), trace(&found, DUP));
        let rest = found.livelock(&with_jobs(jobs));
        let ids = (found.violation(LOSS), found.violation(DUP));
        (counts, seen, traces, rest, ids, found.bytes())
    };
    let alone = all(1);
    for jobs in 2..=4 {
        assert_eq!(all(jobs), alone);
    }
}

#[test]
fn the_protocol_always_comes_to_rest() {
    let protocol = small();
    let found = explored(&protocol, &Options::default());
    assert!(found.quiescent_states() > 0);
    assert_eq!(found.livelock(&with_jobs(2)), Livelock::None);
}

#[test]
fn stopping_ends_with_the_level_of_the_violation() {
    let protocol = commit_first();
    let whole = explored(&protocol, &Options::default());
    let found = explored(&protocol, &Options::default().stop_when_violated(NO_LOSS));
    assert_eq!(found.outcome(), Outcome::Stopped);
    assert!(found.unique_states() < whole.unique_states());
    let path = trace(&found, LOSS).expect("what it stopped for");
    assert_eq!(Some(&path), trace(&whole, LOSS).as_ref());
    assert_eq!(found.depth() as usize, path.steps.len());
    assert_eq!(found.livelock(&Options::default()), Livelock::Unexplored);

    let never = explored(&small(), &Options::default().stop_when_violated(NO_LOSS)).outcome();
    assert_eq!(never, Outcome::Complete);
}

#[test]
fn limits_keep_what_is_known_for_any_number_of_jobs() {
    let protocol = commit_first();
    let whole = explored(&protocol, &Options::default());
    let limits = [
        (
            Options::default().max_states(whole.unique_states() / 2),
            Limit::States,
        ),
        (
            Options::default().max_bytes(whole.bytes() / 2),
            Limit::Memory,
        ),
    ];
    for (options, limit) in limits {
        let ended = |jobs| {
            let jobs = NonZeroUsize::new(jobs).expect("at least one");
            let found = explored(&protocol, &options.clone().jobs(jobs));
            assert_eq!(found.outcome(), Outcome::Limit(limit));
            assert_eq!(trace(&found, DUP), trace(&whole, DUP));
            assert_eq!(trace(&found, LOSS), trace(&whole, LOSS));
            (found.unique_states(), found.transitions(), found.bytes())
        };
        let alone = ended(1);
        assert!(alone.0 > 10_000 && alone.0 < whole.unique_states());
        assert_eq!(ended(3), alone);
    }
}

#[test]
fn a_limit_on_states_is_nearly_exact() {
    let protocol = small();
    for limit in [0, 1, 2, 10, 100, 1_000, 10_000, 40_000] {
        let found = explored(&protocol, &Options::default().max_states(limit));
        assert_eq!(found.outcome(), Outcome::Limit(Limit::States));
        let stored = found.unique_states();
        assert!(
            stored >= limit && stored <= limit + 100,
            "{limit}: {stored}"
        );
    }
}

#[test]
fn a_limit_on_memory_is_kept() {
    let protocol = small();
    let least = explored(&protocol, &Options::default().max_bytes(0)).bytes();
    assert!(least <= 16 << 10);
    for limit in [0, 1, 1_000, 20_000, 100_000, 1_000_000] {
        let found = explored(&protocol, &Options::default().max_bytes(limit));
        assert_eq!(found.outcome(), Outcome::Limit(Limit::Memory));
        assert!(
            found.bytes() <= limit.max(least),
            "{limit}: {}",
            found.bytes()
        );
    }
}

#[test]
fn a_deadline_that_has_passed_ends_the_search() {
    let protocol = small();
    let now = Options::default().deadline(Instant::now());
    let found = explored(&protocol, &now);
    assert_eq!(found.outcome(), Outcome::Limit(Limit::Deadline));
    assert_eq!(found.unique_states(), 1);

    let whole = explored(&protocol, &Options::default());
    assert_eq!(whole.livelock(&now), Livelock::Limit(Limit::Deadline));
}

#[test]
fn cancelling_ends_the_search_and_keeps_what_is_known() {
    let protocol = small();
    let cancel = Arc::new(AtomicBool::new(false));
    let options = with_jobs(2).cancel(Arc::clone(&cancel));
    let mut last = 0;
    let found = explore(&protocol, &options, &mut |progress| {
        last = progress.unique_states;
        cancel.store(last > 10_000, Ordering::Relaxed);
    });
    assert_eq!(found.outcome(), Outcome::Limit(Limit::Cancelled));
    assert_eq!(found.unique_states(), last);
    assert!(last > 10_000 && last < 66_762);
}

#[test]
fn progress_is_shown_to_the_end() {
    let protocol = small();
    let mut shown = Vec::new();
    let found = explore(&protocol, &Options::default(), &mut |progress| {
        shown.push(*progress)
    });
    let last = shown.last().expect("at least one block");
    assert_eq!(last.unique_states, found.unique_states());
    assert_eq!(last.transitions, found.transitions());
    assert_eq!((last.depth, last.queue), (found.depth(), 0));
    assert_eq!(last.bytes, found.bytes());
    let ascending = |pair: &[semel::explore::Progress]| pair[0].depth <= pair[1].depth;
    assert!(shown.windows(2).all(ascending));
    assert!(shown.len() >= 40);
}
