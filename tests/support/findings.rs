//! What an exploration finds, in short.

use semel::Guarantee;
use semel::explore::{Livelock, Options, Outcome, explore};
use semel_models::cluster::{Cluster, Reductions};
use semel_models::pipeline::Pipeline;

/// The length of the shortest violation of each guarantee, and whether a run can go on for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    shortest: Vec<Option<usize>>,
    endless: bool,
    states: u64,
}

impl Findings {
    /// How long the shortest run is that ends in a violation of `guarantee`.
    pub fn shortest(&self, guarantee: Guarantee) -> Option<usize> {
        self.shortest[guarantee as usize]
    }

    /// Whether a run can go on for ever.
    pub fn endless(&self) -> bool {
        self.endless
    }

    /// How many states that took.
    pub fn states(&self) -> u64 {
        self.states
    }
}

/// Explores a pipeline with these reductions, unless it has more than about `most` states, or more
/// than the model holds.
pub fn findings_within(pipeline: &Pipeline, reductions: Reductions, most: u64) -> Option<Findings> {
    let cluster = Cluster::with_reductions(pipeline.clone(), reductions).ok()?;
    let found = explore(&cluster, &Options::default().max_states(most), &mut |_| {});
    if found.outcome() != Outcome::Complete {
        return None;
    }
    let shortest = |guarantee: Guarantee| {
        let state = found.violation(guarantee as usize)?;
        Some(found.depth_of(state))
    };
    Some(Findings {
        shortest: Guarantee::ALL.into_iter().map(shortest).collect(),
        endless: found.livelock(&Options::default()) != Livelock::None,
        states: found.unique_states(),
    })
}
