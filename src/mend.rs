//! What would mend a violated guarantee: single changes to the design, each tried on the model.
//!
//! Nothing here knows which change mends what. Every change that applies to the design is made,
//! the changed design is explored within the same bound, and those changes are reported with which
//! the guarantee holds and none is broken that held before.

mod changes;

use crate::check::CheckOptions;
use crate::design::Design;
use crate::explore::{Livelock, Outcome, explore};
use crate::verdict::{Verdict, Verdicts};
use semel_models::cluster::Cluster;
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::Pipeline;
use std::time::Instant;

/// Designs with more states than this are not tried again with changes.
const MAX_STATES: u64 = 200_000;

/// Looks for single changes that mend what `verdicts` found violated.
pub(crate) fn find(design: &Design, verdicts: &mut Verdicts, options: &CheckOptions) {
    let violated: Vec<Guarantee> = verdicts
        .judgements()
        .iter()
        .filter(|judgement| matches!(judgement.verdict(), Verdict::Violated(_)))
        .map(|judgement| judgement.guarantee())
        .collect();
    if violated.is_empty() || verdicts.stop().is_some() || verdicts.unique_states() > MAX_STATES {
        return;
    }
    let kept: Vec<Guarantee> = Guarantee::ALL
        .into_iter()
        .filter(|guarantee| !violated.contains(guarantee))
        .collect();
    let mut mends: Vec<(Guarantee, Vec<String>)> = violated
        .into_iter()
        .map(|guarantee| (guarantee, Vec::new()))
        .collect();
    for change in changes::of(design.pipeline()) {
        let holds = holding(change.pipeline, options);
        if kept.iter().any(|guarantee| !holds.contains(guarantee)) {
            continue;
        }
        for (guarantee, mending) in &mut mends {
            if holds.contains(guarantee) {
                mending.push(change.text.clone());
            }
        }
    }
    verdicts.mends = mends;
}

/// The guarantees that hold for `pipeline`; none if that would take too long to find out.
fn holding(pipeline: Pipeline, options: &CheckOptions) -> Vec<Guarantee> {
    let Ok(cluster) = Cluster::new(pipeline) else {
        return Vec::new();
    };
    let engine = options.engine(Instant::now()).max_states(4 * MAX_STATES);
    let found = explore(&cluster, &engine, &mut |_| {});
    if found.outcome() != Outcome::Complete || found.livelock(&engine) != Livelock::None {
        return Vec::new();
    }
    Guarantee::ALL
        .into_iter()
        .filter(|guarantee| found.violated() & guarantee.bit() == 0)
        .collect()
}
