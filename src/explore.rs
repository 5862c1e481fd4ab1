//! An exact breadth-first search over any [`Subject`].
//!
//! It stores packed states, never only their fingerprints: a hash finds the place of a state, and
//! its words decide. Zeros at the end of a packed state take no room. It goes level by level, so that a violation is found with as few steps as
//! possible, and its results, the chosen counterexamples among them, do not depend on the number
//! of threads: states are spread over a fixed number of shards, each level is expanded in the order
//! of the shards, and each shard takes up new states in the order in which one thread would have
//! generated them.
//!
//! A level is worked off in blocks. First threads share the states of a block: they generate the
//! successors, judge the state, and put the successors into an outbox for each shard. Then they
//! share the shards: each takes up what is new in the outboxes for it. Neither half needs a lock
//! on a state.
//!
//! Several processes share an exploration by owning some of the shards each (`together`): what the
//! others' shards may store is sent to them at the end of a level, in the order in which one process
//! would have come to it.
//!
//! ```
//! use semel::explore::{Options, Outcome, explore};
//! use semel_models::reference::{NO_DUP, Parameters, Reference};
//!
//! let protocol = Reference::new(Parameters::SMALL).unwrap();
//! let found = explore(&protocol, &Options::default(), &mut |_| {});
//! assert_eq!(found.outcome(), Outcome::Complete);
//! assert_eq!(found.unique_states(), 66_762);
//! assert_eq!(found.violated(), NO_DUP);
//!
//! let twice = found.violation(NO_DUP.trailing_zeros() as usize).unwrap();
//! let path = found.path_to(twice);
//! assert_eq!(path.steps.len(), found.depth_of(twice));
//! ```

mod arena;
mod calm;
mod expand;
mod exploration;
mod frontier;
mod hash;
mod id;
mod lasso;
mod livelock;
mod marks;
mod options;
mod outbox;
mod packed;
mod path;
mod peers;
mod search;
mod shard;
mod slots;
mod store;
mod tally;
#[cfg(test)]
mod tests;
mod together;
mod wire;
mod workers;

use semel_models::subject::Subject;

pub use exploration::{Exploration, Outcome};
pub use id::StateId;
pub use lasso::Lasso;
pub use livelock::Livelock;
pub use options::{Limit, Options};
pub use path::Path;
pub use peers::{Lost, MOST_PEERS, Peers};
pub use search::Progress;

/// Explores what `subject` can reach, and shows `watch` its progress after each block of work.
pub fn explore<'a, S: Subject>(
    subject: &'a S,
    options: &Options,
    watch: &mut dyn FnMut(&Progress),
) -> Exploration<'a, S> {
    search::search(subject, options, hash::Spread::FULL, watch)
}

/// Explores what `subject` can reach together with other processes that do the same: each stores
/// its share of the states. What is found is what [`explore`] finds, and every process comes to know
/// it; the memory and the times are each process's own.
pub fn explore_together<'a, S: Subject>(
    subject: &'a S,
    options: &Options,
    peers: &mut dyn Peers,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Exploration<'a, S>, Lost> {
    together::explore(subject, options, hash::Spread::FULL, peers, watch)
}
