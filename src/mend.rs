//! What would mend a violated guarantee: changes to the design, each tried on the model.
//!
//! Nothing here knows which change mends what. Every change is made in the design's own file, as its
//! reader would make it, and the file is read again: what the clients, the brokers or semel refuse
//! then is no change that could be offered, and nothing that the file states is lost. The changed
//! design is explored within the same bound, and those are reported with which the guarantee holds,
//! each with its price: what else is then violated.

mod change;
mod changes;
mod orders;

use crate::check::CheckOptions;
use crate::design::{Design, Expected, write};
use crate::explore::{Livelock, Options, Outcome, explore};
use crate::verdict::{Judgement, Verdict, Verdicts};
use change::Change;
use semel_models::cluster::Cluster;
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::Pipeline;
use std::time::Instant;

/// Designs with more states than this are not tried again with changes.
const MAX_STATES: u64 = 200_000;

/// A change with which a guarantee holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    change: String,
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
    /// All were tried; per violated guarantee, those with which it holds, the cheapest first.
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
        let Some(changed) = changed(design, &change) else {
            continue;
        };
        if tried.contains(&changed) {
            continue;
        }
        tried.push(changed.clone());
        let Some(holding) = holding_within(changed, design, &engine) else {
            return Mends::Stopped;
        };
        let missing = wanted
            .iter()
            .filter(|guarantee| !holding.contains(guarantee));
        let price: Vec<Guarantee> = missing.copied().collect();
        for (guarantee, mending) in &mut mends {
            if holding.contains(guarantee) {
                mending.push(Mend {
                    change: change.to_string(),
                    price: price.clone(),
                });
            }
        }
    }
    for (_, mending) in &mut mends {
        mending.sort_by_key(|mend| mend.price.len());
    }
    Mends::Tried(mends)
}

/// What is explored of the design once the change is made in its file; `None`: it is refused.
fn changed(design: &Design, change: &Change) -> Option<Pipeline> {
    let text = change.made_in(design.text(), design.pipeline().client)?;
    let changed = Design::parse(design.file(), text.as_bytes()).ok()?;
    Some(changed.pipeline().clone())
}

/// The guarantees that hold for `changed` within the bound of `design`. Where no faults are stated,
/// those of a changed design may be others: then a guarantee has to hold under either.
fn holding_within(changed: Pipeline, design: &Design, engine: &Options) -> Option<Vec<Guarantee>> {
    let faults = &design.pipeline().faults;
    if changed.faults == *faults {
        return holding(changed, engine);
    }
    let bounded = Pipeline {
        faults: faults.clone(),
        ..changed.clone()
    };
    let mut holds = holding(changed, engine)?;
    // The faults of `design` may be among those that are not modelled with the change.
    let text = write(&bounded, &design.versions());
    if holds.is_empty() || Design::parse(design.file(), text.as_bytes()).is_err() {
        return Some(Vec::new());
    }
    let under_those = holding(bounded, engine)?;
    holds.retain(|guarantee| under_those.contains(guarantee));
    Some(holds)
}

/// The guarantees that hold for `pipeline`, or none where none of those that `engine` stops for
/// does; `None` if a limit came first. A changed design that is too large for the model mends
/// nothing that could be shown.
fn holding(pipeline: Pipeline, engine: &Options) -> Option<Vec<Guarantee>> {
    let Ok(cluster) = Cluster::new(pipeline) else {
        return Some(Vec::new());
    };
    let found = explore(&cluster, engine, &mut |_| {});
    match found.outcome() {
        Outcome::Complete => {}
        Outcome::Stopped => return Some(Vec::new()),
        Outcome::Limit(_) => return None,
    }
    let endless = match found.livelock(engine) {
        Livelock::None => 0,
        Livelock::From(_) => Guarantee::Progress.bit(),
        Livelock::Unexplored | Livelock::Limit(_) => return None,
    };
    let violated = found.violated() | endless;
    let holds = |guarantee: &Guarantee| violated & guarantee.bit() == 0;
    Some(Guarantee::ALL.into_iter().filter(holds).collect())
}
