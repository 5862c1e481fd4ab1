//! What would mend a violated guarantee: changes to the design, each tried on the model.
//!
//! Nothing here knows which change mends what. Every change is made in the design's own file, as its
//! reader would make it, and the file is read again: what the clients, the brokers or semel refuse
//! then is no change that could be offered, and nothing that the file states is lost. The changed
//! design is explored within the same bound, and those are reported with which the guarantee holds,
//! each with its price: what else is then violated.

mod change;
pub(crate) mod changes;
mod orders;
mod trial;

pub(crate) use change::{Change, ORDER, quoted};
pub(crate) use trial::Trial;

use crate::check::CheckOptions;
use crate::design::{Design, Expected};
use crate::verdict::{Judgement, Verdict, Verdicts};
use semel_models::guarantee::Guarantee;
use std::time::Instant;

/// Designs with more states than this are not tried again with changes.
const MAX_STATES: u64 = 200_000;

/// A change with which a guarantee holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    change: String,
    keys: usize,
    price: Vec<Guarantee>,
}

impl Mend {
    /// The change, in the design's own words.
    pub fn change(&self) -> &str {
        &self.change
    }

    /// What is violated with the change and was not before, or is required and still violated.
    pub fn price(&self) -> &[Guarantee] {
        &self.price
    }
}

/// What came of trying changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mends {
    /// They were not tried.
    NotTried,
    /// All were tried; per violated guarantee, those with which it holds: those that break the least
    /// first, and of these the smallest.
    Tried(Vec<(Guarantee, Vec<Mend>)>),
    /// The design is too large to be explored again and again.
    TooLarge,
    /// A limit was reached before all were tried.
    Stopped,
}

/// Looks for changes to `design` that mend what `verdicts` found violated. `started` is when the
/// check began: a time limit counts from there.
pub(crate) fn find(
    design: &Design,
    verdicts: &Verdicts,
    options: &CheckOptions,
    started: Instant,
) -> Mends {
    let holds_now = |judgement: &&Judgement| judgement.verdict() == &Verdict::Holds;
    let (kept, violated): (Vec<&Judgement>, Vec<&Judgement>) =
        verdicts.judgements().iter().partition(holds_now);
    if violated.is_empty() || verdicts.stop().is_some() {
        return Mends::NotTried;
    }
    if verdicts.unique_states() > MAX_STATES {
        return Mends::TooLarge;
    }
    let required = violated
        .iter()
        .filter(|judgement| judgement.expected() == Some(Expected::Holds));
    let wanted: Vec<Guarantee> = kept
        .iter()
        .chain(required)
        .map(|judgement| judgement.guarantee())
        .collect();
    let mut mends: Vec<(Guarantee, Vec<Mend>)> = violated
        .iter()
        .map(|judgement| (judgement.guarantee(), Vec::new()))
        .collect();
    // A change that mends none of them need not be explored to the end.
    let targets = violated
        .iter()
        .fold(0, |set, judgement| set | judgement.guarantee().bit());
    let engine = options
        .engine(started)
        .max_states(4 * MAX_STATES)
        .stop_when_violated(targets);
    let mut tried = vec![design.pipeline().clone()];
    for change in changes::of(design) {
        let Some(changed) = change.made_to(design) else {
            continue;
        };
        let changed = changed.pipeline().clone();
        if tried.contains(&changed) {
            continue;
        }
        tried.push(changed.clone());
        let holding = match Trial::of(changed, design, &engine) {
            Trial::Holding(holding) => holding,
            Trial::Stopped { .. } | Trial::NotModelled => Vec::new(),
            Trial::Limit(_) => return Mends::Stopped,
        };
        let missing = wanted
            .iter()
            .filter(|guarantee| !holding.contains(guarantee));
        let price: Vec<Guarantee> = missing.copied().collect();
        for (guarantee, mending) in &mut mends {
            if holding.contains(guarantee) {
                mending.push(Mend {
                    change: change.to_string(),
                    keys: change.keys().count(),
                    price: price.clone(),
                });
            }
        }
    }
    for (_, mending) in &mut mends {
        mending.sort_by_key(|mend| (mend.price.len(), mend.keys));
    }
    Mends::Tried(mends)
}
