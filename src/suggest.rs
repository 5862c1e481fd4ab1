//! Which changes to a design make guarantees hold, the smallest first.
//!
//! Every single change of a setting is tried, and where none is enough, all settings made safe at once;
//! then every order of up to six steps that has the design's effects, with the settings as they are.
//! Where nothing holds by then, these orders are tried with safe settings, too. Of safe settings with
//! which all holds, those are taken back that it does not take. What is tried is the design's own file, edited and read again, and
//! explored within the design's own bound: what is suggested, a check of it confirms.
//!
//! ```
//! use semel::suggest::{Wanted, suggest};
//! use semel::{CheckOptions, Design, Guarantee};
//!
//! let design = Design::parse(
//!     "balance.toml",
//!     br#"
//!         require = ["exactly-once-effect"]
//!         [producer]
//!         enable.idempotence = true
//!         [consumer]
//!         enable.auto.commit = false
//!         auto.offset.reset = "earliest"
//!         [application]
//!         order = "process -> commit"
//!         [faults]
//!         consumer-crash = 1
//!         [bounds]
//!         records = 1
//!     "#,
//! )?;
//! let found = suggest(&design, &Wanted::of(&design), &CheckOptions::default(), &mut |_| {})?;
//! let first = &found.suggestions[0];
//! assert_eq!(first.changes, ["[application] order = \"db[process, save-offset]\""]);
//! assert!(first.cost.calls + first.cost.durable_writes > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod candidate;
mod kept;
mod map;
mod orders;
mod outcome;
mod search;
mod trials;

pub use kept::Kept;
pub use map::{Delivery, MOST_STEPS_ON_A_MAP, Map, Place, map};
pub use search::{Searched, suggest};

use crate::check::CheckError;
use crate::cost::Cost;
use crate::design::{Design, Expected};
use crate::verdict::{Stop, Verdict, Verdicts};
use semel_models::guarantee::Guarantee;

/// The most steps that an order has which is tried.
pub const MOST_STEPS: usize = 6;

/// What is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wanted {
    /// What shall hold.
    pub needs: Vec<Guarantee>,
    /// What shall stay.
    pub kept: Vec<Kept>,
    /// How many suggestions are enough.
    pub most: usize,
}

impl Wanted {
    /// What the design itself requires, or else that nothing is lost, that every effect takes place
    /// exactly once, and what it expects to hold; all may change.
    pub fn of(design: &Design) -> Wanted {
        let mut needs = design.required().to_vec();
        if needs.is_empty() {
            let holds = |(_, expected): &&(_, Expected)| *expected == Expected::Holds;
            let expected = design.expected().iter().filter(holds);
            needs.extend([Guarantee::NoLoss, Guarantee::ExactlyOnceEffect]);
            needs.extend(expected.map(|(guarantee, _)| *guarantee));
            needs.sort();
            needs.dedup();
        }
        Wanted {
            needs,
            kept: Vec::new(),
            most: 5,
        }
    }
}

/// Why nothing can be suggested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuggestError {
    /// No guarantee is named.
    #[error("{0}: nothing is needed, so nothing has to change")]
    NothingNeeded(String),
    /// The design cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// A change with which all holds that is needed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suggestion {
    /// What changes, table by table, in the design's own words.
    pub changes: Vec<String>,
    /// What it takes beyond the file.
    pub notes: Vec<&'static str>,
    /// The design's file with the change.
    pub text: String,
    /// How many keys change.
    pub keys: usize,
    /// What the design costs then.
    pub cost: Cost,
    /// What was not violated before, and is then.
    pub price: Vec<Guarantee>,
    /// What a check of it says.
    pub verdicts: Verdicts,
}

/// What was tried.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tried {
    /// How many orders.
    pub orders: usize,
    /// How many designs.
    pub designs: usize,
    /// How many of them were too large to be explored.
    pub too_large: usize,
    /// How many of them violate each need, among those that were explored until one was violated.
    pub violating: Vec<(Guarantee, usize)>,
}

/// Why there is no suggestion.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Nearest {
    /// What would be changed.
    pub changes: Vec<String>,
    /// What is violated then.
    pub verdicts: Verdicts,
}

/// What was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suggestions {
    /// What shall hold.
    pub needs: Vec<Guarantee>,
    /// What shall stay.
    pub kept: Vec<Kept>,
    /// The verdicts of the design as it is.
    pub now: Verdicts,
    /// What it costs as it is.
    pub cost: Cost,
    /// What nobody warns of first, then the smallest change, then the cheapest design; what only does
    /// more than another is left out.
    pub suggestions: Vec<Suggestion>,
    /// What was tried.
    pub tried: Tried,
    /// Where nothing was found: of what was tried the order nearest to the design's own, and of its
    /// designs the one that takes most steps to break.
    pub nearest: Option<Nearest>,
    /// Where nothing was found: the smallest change if all could be changed.
    pub if_nothing_were_kept: Option<Suggestion>,
    /// Why the search ended early.
    pub stop: Option<Stop>,
}

impl Suggestions {
    /// Whether all that is needed holds as it is.
    pub fn is_fine(&self) -> bool {
        let held = self.held();
        self.needs.iter().all(|need| held.contains(need))
    }

    /// What holds as it is.
    fn held(&self) -> Vec<Guarantee> {
        let holds = |guarantee: &Guarantee| *self.now.of(*guarantee) == Verdict::Holds;
        Guarantee::ALL.into_iter().filter(holds).collect()
    }
}
