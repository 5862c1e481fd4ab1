//! What can only be tested from within: that no result rests on the hash, nor on how many of its words
//! a state uses.

use semel_models::reference::{Order, Parameters, Reference};
use semel_models::subject::{Observation, Subject};
use stateright::Model;

use super::hash::Spread;
use super::search::search;
use super::{Exploration, Livelock, Options, Outcome};

fn tiny(order: Order) -> Reference {
    let bounds = Parameters {
        records: 2,
        retries: 0,
        crashes: 1,
        window: 2,
        order,
    };
    Reference::new(bounds).expect("small enough")
}

fn explored<S: Subject>(subject: &S, spread: Spread) -> Exploration<'_, S> {
    search(subject, &Options::default(), spread, &mut |_| {})
}

/// All that must be the same however the states are spread.
fn findings<S: Subject>(found: &Exploration<'_, S>) -> impl PartialEq + std::fmt::Debug {
    let shortest = |bit| found.violation(bit).map(|id| found.depth_of(id));
    (
        found.outcome(),
        (found.unique_states(), found.transitions()),
        (found.quiescent_states(), found.depth()),
        (found.reached(), *found.counted()),
        (shortest(0), shortest(1)),
    )
}

#[test]
fn colliding_hashes_change_no_finding() {
    for order in [Order::ProcessFirst, Order::CommitFirst] {
        let protocol = tiny(order);
        let full = explored(&protocol, Spread::FULL);
        assert!(full.unique_states() > 1_000);
        for spread in [Spread::NONE, Spread::POOR] {
            let found = explored(&protocol, spread);
            assert_eq!(findings(&found), findings(&full));
            assert_eq!(found.livelock(&Options::default()), Livelock::None);
        }
    }
}

#[test]
fn a_poor_hash_still_gives_whole_paths() {
    let protocol = tiny(Order::CommitFirst);
    let found = explored(&protocol, Spread::POOR);
    assert_eq!(found.outcome(), Outcome::Complete);
    let id = found.violation(0).expect("committing first loses");
    let path = found.path_to(id);
    assert_eq!(path.steps.len(), found.depth_of(id));
    let last = path.steps.last().map(|(_, state)| *state);
    assert_eq!(last, Some(found.state(id)));
}

/// A counter of wheels with the digits 0 to 2, each a word of the packed state, behind which all is zero:
/// many a state is another one and zeros.
struct Wheels {
    wheels: usize,
    words: usize,
}

impl Model for Wheels {
    type State = Vec<u32>;
    type Action = usize;

    fn init_states(&self) -> Vec<Vec<u32>> {
        vec![vec![0; self.wheels]]
    }

    fn actions(&self, _: &Vec<u32>, actions: &mut Vec<usize>) {
        actions.extend(0..self.wheels);
    }

    fn next_state(&self, state: &Vec<u32>, wheel: usize) -> Option<Vec<u32>> {
        let mut next = state.clone();
        next[wheel] = (next[wheel] + 1) % 3;
        Some(next)
    }
}

impl Subject for Wheels {
    fn words(&self) -> usize {
        self.words
    }

    fn pack(&self, state: &mut Vec<u32>, words: &mut [u32]) {
        let (used, left) = words.split_at_mut(self.wheels);
        used.copy_from_slice(state);
        left.fill(0);
    }

    fn unpack(&self, words: &[u32]) -> Vec<u32> {
        let mut state = words.to_vec();
        state.resize(self.wheels, 0);
        state
    }

    fn is_fault(&self, _: &usize) -> bool {
        false
    }

    fn observe(&self, state: &Vec<u32>, _: bool) -> Observation {
        let all_two = state.iter().all(|digit| *digit == 2);
        Observation {
            violated: u32::from(all_two),
            ..Observation::default()
        }
    }

    fn reached_by(&self, _: &Vec<u32>, _: &usize) -> u64 {
        0
    }
}

#[test]
fn a_state_that_is_another_one_and_zeros_is_a_state_of_its_own() {
    for (wheels, words) in [(1, 1), (4, 4), (1, 17), (4, 20), (7, 33)] {
        let subject = Wheels { wheels, words };
        for spread in [Spread::FULL, Spread::NONE, Spread::POOR] {
            let found = explored(&subject, spread);
            assert_eq!(found.outcome(), Outcome::Complete);
            assert_eq!(found.unique_states(), 3_u64.pow(wheels as u32));
            assert_eq!(found.depth() as usize, 2 * wheels);
            let id = found.violation(0).expect("all wheels show two");
            assert_eq!(found.state(id), vec![2; wheels]);
            assert_eq!(found.path_to(id).steps.len(), 2 * wheels);
            let Livelock::From(entry) = found.livelock(&Options::default()) else {
                panic!("no wheel ever rests");
            };
            assert_eq!(found.state(entry), vec![0; wheels]);
            let lasso = found.lasso(entry).expect("round and round");
            assert_eq!(lasso.cycle.len(), 3);
        }
    }
}

#[test]
fn what_states_leave_unused_takes_no_memory() {
    let bytes = |words| {
        let subject = Wheels { wheels: 10, words };
        explored(&subject, Spread::FULL).bytes()
    };
    let (few, many) = (bytes(10), bytes(300));
    assert!(many < 2 * few, "{few}, {many}");
}
