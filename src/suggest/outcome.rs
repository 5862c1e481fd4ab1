//! From what was tried to what is suggested.

use semel_models::guarantee::Guarantee;
use semel_models::order::Step;

use super::candidate::Candidate;
use super::search::rank;
use super::{Nearest, SuggestError, Suggestion};
use crate::check::{CheckOptions, check};
use crate::design::{Design, Expected, Table};
use crate::mend::{Change, quoted};

/// A candidate with which all holds that is needed.
pub(super) struct Holding {
    pub candidate: Candidate,
    /// What is violated with it and is not now.
    pub price: Vec<Guarantee>,
    holding: Vec<Guarantee>,
}

impl Holding {
    pub fn new(candidate: &Candidate, holding: &[Guarantee], held: &[Guarantee]) -> Holding {
        let is_lost = |guarantee: &&Guarantee| !holding.contains(guarantee);
        Holding {
            candidate: candidate.clone(),
            price: held.iter().filter(is_lost).copied().collect(),
            holding: holding.to_vec(),
        }
    }

    fn steps(&self) -> Vec<Step> {
        self.candidate.pipeline.consumer.order.steps()
    }

    /// Whether it does all that `other` does, and more, for nothing.
    fn is_more_than(&self, other: &Holding) -> bool {
        let (own, less) = (self.steps(), other.steps());
        let has_more_steps = own.len() > less.len() && less.iter().all(|step| own.contains(step));
        let changes_more = self
            .candidate
            .change
            .settings_include(&other.candidate.change);
        (has_more_steps || changes_more)
            && rank(&self.candidate) >= rank(&other.candidate)
            && self.candidate.cost.sum() >= other.candidate.cost.sum()
            && self.price.len() >= other.price.len()
    }
}

/// The best of what was found: what takes nothing away, then the smallest change, then the cheapest
/// design. Each is checked.
pub(super) fn suggestions(
    design: &Design,
    mut found: Vec<Holding>,
    most: usize,
    options: &CheckOptions,
) -> Result<Vec<Suggestion>, SuggestError> {
    found.sort_by_key(|own| (own.price.len(), rank(&own.candidate)));
    let mut kept: Vec<Holding> = Vec::new();
    for own in found {
        if !kept.iter().any(|other| own.is_more_than(other)) {
            kept.push(own);
        }
    }
    let kept = kept.into_iter().take(most);
    kept.map(|own| suggestion(design, own, options)).collect()
}

fn suggestion(
    design: &Design,
    own: Holding,
    options: &CheckOptions,
) -> Result<Suggestion, SuggestError> {
    let candidate = own.candidate;
    // What the design expects to be violated, and is no more, is expected to hold.
    let mended = design.expected().iter().filter(|(guarantee, expected)| {
        *expected == Expected::Violated && own.holding.contains(guarantee)
    });
    let change = mended.fold(candidate.change.clone(), |change, (guarantee, _)| {
        change.and(Table::Expect, guarantee.name(), quoted("holds"))
    });
    let changed = made(&change, design);
    Ok(Suggestion {
        changes: change.told(),
        notes: change.notes().to_vec(),
        keys: candidate.change.keys().count(),
        cost: candidate.cost,
        price: own.price,
        verdicts: check(&changed, options)?,
        text: changed.text().to_owned(),
    })
}

fn made(change: &Change, design: &Design) -> Design {
    let changed = change.made_to(design);
    changed.expect("it was made when it was tried")
}

/// What is violated with a candidate.
pub(super) fn nearest(
    design: &Design,
    candidate: &Candidate,
    options: &CheckOptions,
) -> Result<Nearest, SuggestError> {
    Ok(Nearest {
        changes: candidate.change.told(),
        verdicts: check(&made(&candidate.change, design), options)?,
    })
}
