//! What would mend a violated guarantee: changes to the design, each tried on the model.
//!
//! Nothing here knows which change mends what. Every change that applies to the design is made,
//! the changed design is explored within the same bound, and those are reported with which the
//! guarantee holds, each with its price: what else is then violated.

mod changes;

use crate::check::CheckOptions;
use crate::design::{Design, Expected, write};
use crate::explore::{Livelock, Options, Outcome, explore};
use crate::verdict::{Judgement, Verdict, Verdicts};
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
    for change in changes::of(design.pipeline()) {
        let Some(changed) = as_written(&change.pipeline, design) else {
            continue;
        };
        let Some(holding) = holding(changed, &engine) else {
            return Mends::Stopped;
        };
        let missing = wanted
            .iter()
            .filter(|guarantee| !holding.contains(guarantee));
        let price: Vec<Guarantee> = missing.copied().collect();
        for (guarantee, mending) in &mut mends {
            if holding.contains(guarantee) {
                mending.push(Mend {
                    change: change.text.clone(),
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

/// What a changed pipeline is once it is written down as a design: a change may have others follow
/// from it. `None`: as a design it would be refused.
fn as_written(changed: &Pipeline, design: &Design) -> Option<Pipeline> {
    let text = write(changed, &design.versions());
    let design = Design::parse(design.file(), text.as_bytes()).ok()?;
    Some(design.pipeline().clone())
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
