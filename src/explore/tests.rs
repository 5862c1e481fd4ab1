//! What can only be tested from within: that no result rests on the hash.

use semel_models::reference::{Order, Parameters, Reference};
use semel_models::subject::Subject;

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
