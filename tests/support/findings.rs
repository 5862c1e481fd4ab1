//! What an exploration finds, in short.

use proptest::test_runner::TestCaseError;
use semel::Guarantee;
use semel::explore::{Livelock, Options, Outcome, explore};
use semel_models::cluster::{Cluster, Reductions};
use semel_models::pipeline::Pipeline;

use crate::trials::too_large;

/// The length of the shortest violation of each guarantee, and whether a run can go on for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    shortest: Vec<Option<usize>>,
    endless: bool,
    counted: [u64; 32],
    /// How deep everything is known; `None`: to the end.
    depth: Option<usize>,
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

    /// How many final states there are of each kind.
    pub fn counted(&self) -> [u64; 32] {
        self.counted
    }

    /// Whether everything was explored.
    pub fn is_complete(&self) -> bool {
        self.depth.is_none()
    }

    /// All that is shorter than this is known.
    pub fn known_to(&self) -> usize {
        self.depth.unwrap_or(usize::MAX)
    }
}

/// Explores about `most` states of a pipeline with these reductions, unless its bound is more than
/// the model holds.
pub fn explored(pipeline: &Pipeline, reductions: Reductions, most: u64) -> Option<Findings> {
    let cluster = Cluster::with_reductions(pipeline.clone(), reductions).ok()?;
    let found = explore(&cluster, &Options::default().max_states(most), &mut |_| {});
    let shortest = |guarantee: Guarantee| {
        let state = found.violation(guarantee as usize)?;
        Some(found.depth_of(state))
    };
    let endless = match found.livelock(&Options::default()) {
        Livelock::From(_) => true,
        Livelock::None | Livelock::Unexplored | Livelock::Limit(_) => false,
    };
    Some(Findings {
        shortest: Guarantee::ALL.into_iter().map(shortest).collect(),
        endless,
        counted: *found.counted(),
        depth: (found.outcome() != Outcome::Complete).then_some(found.depth() as usize),
    })
}

/// The same of all states; a design that has more than about `most` is discarded.
pub fn explored_whole(
    pipeline: &Pipeline,
    reductions: Reductions,
    most: u64,
) -> Result<Findings, TestCaseError> {
    let found = explored(pipeline, reductions, most);
    found.filter(Findings::is_complete).ok_or_else(too_large)
}
