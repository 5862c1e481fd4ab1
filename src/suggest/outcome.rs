//! From what was tried to what is suggested.

use semel_models::guarantee::Guarantee;
use semel_models::order::Step;

use super::candidate::Candidate;
use super::search::{price, rank};
use super::{Nearest, SuggestError, Suggestion};
use crate::check::{CheckOptions, check};
use crate::design::Design;

/// A candidate with which all holds that is needed.
pub(super) struct Holding {
    pub candidate: Candidate,
    /// What is violated with it and is not now.
    pub price: Vec<Guarantee>,
}

impl Holding {
    pub fn new(candidate: &Candidate, holding: &[Guarantee], held: &[Guarantee]) -> Holding {
        let is_lost = |guarantee: &&Guarantee| !holding.contains(guarantee);
        Holding {
            candidate: candidate.clone(),
            price: held.iter().filter(is_lost).copied().collect(),
        }
    }

    fn steps(&self) -> Vec<Step> {
        self.candidate.pipeline.consumer.order.steps()
    }

    /// Whether it does all that `other` does, and more, for nothing.
    fn is_more_than(&self, other: &Holding) -> bool {
        let (own, less) = (self.steps(), other.steps());
        own.len() > less.len()
            && less.iter().all(|step| own.contains(step))
            && rank(&self.candidate) >= rank(&other.candidate)
            && price(self.candidate.cost) >= price(other.candidate.cost)
            && self.price.len() >= other.price.len()
    }
}

/// The best of what was found: what takes nothing away, then the smallest change, then the cheapest
/// design.
pub(super) fn suggestions(mut found: Vec<Holding>, most: usize) -> Vec<Suggestion> {
    found.sort_by_key(|own| (own.price.len(), rank(&own.candidate)));
    let mut kept: Vec<Holding> = Vec::new();
    for own in found {
        if !kept.iter().any(|other| own.is_more_than(other)) {
            kept.push(own);
        }
    }
    kept.into_iter().take(most).map(suggestion).collect()
}

fn suggestion(holding: Holding) -> Suggestion {
    let Holding { candidate, price } = holding;
    Suggestion {
        changes: candidate.change.told(),
        notes: candidate.change.notes().to_vec(),
        text: candidate.text,
        keys: candidate.size.keys,
        cost: candidate.cost,
        price,
    }
}

/// What is violated with a candidate.
pub(super) fn nearest(
    design: &Design,
    candidate: &Candidate,
    options: &CheckOptions,
) -> Result<Nearest, SuggestError> {
    let changed = Design::parse(design.file(), candidate.text.as_bytes());
    let changed = changed.expect("it was read when it was tried");
    Ok(Nearest {
        changes: candidate.change.told(),
        verdicts: check(&changed, options)?,
    })
}
