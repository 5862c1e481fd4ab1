//! More faults find more.
//!
//! A run under the smaller budget is one under the larger. Its length is not compared: a fault that
//! could strike gives states more to remember (a leader epoch, another owner), and a step that
//! changes nothing else is then one more before the end at which a run is judged.

use proptest::prelude::*;
use semel::Guarantee;
use semel_models::cluster::Reductions;
use semel_models::fault::{Call, Fault, FaultBudget, FaultKey};
use semel_models::pipeline::Pipeline;

use crate::designs::Extra;
use crate::findings::{Findings, explored};
use crate::trials::{MOST_STATES, Trial, too_large, try_designs_with};

/// The budget with one fault more, and room for it if that is asked for.
fn with(budget: &FaultBudget, extra: Extra) -> FaultBudget {
    let (fault, call) = match extra.fault.split_once('.') {
        None => (extra.fault, None),
        Some((fault, call)) => (fault, Call::named(call)),
    };
    let fault = Fault::named(fault).expect("a fault");
    let key = FaultKey { fault, call };
    let mut more = budget.clone();
    match more.entries.iter_mut().find(|(own, _)| *own == key) {
        Some((_, count)) => *count += 1,
        None => more.entries.push((key, 1)),
    }
    if extra.total {
        more.total = budget.total.map(|total| total + 1);
    }
    more
}

/// All that is to be found of a pipeline, if it is small enough.
pub fn found(pipeline: &Pipeline, most: u64) -> Result<Findings, TestCaseError> {
    let found = explored(pipeline, Reductions::ALL, most);
    found.filter(Findings::is_complete).ok_or_else(too_large)
}

#[test]
fn more_faults_never_mend_a_violation() {
    try_designs_with(100, Extra::any(), |design, extra| {
        let pipeline = design.pipeline();
        let mut more = pipeline.clone();
        more.faults = with(&pipeline.faults, extra);
        let (few, many) = (
            found(pipeline, MOST_STATES)?,
            found(&more, 4 * MOST_STATES)?,
        );
        for guarantee in Guarantee::ALL {
            let (few, many) = (few.shortest(guarantee), many.shortest(guarantee));
            prop_assert!(
                few.is_none() || many.is_some(),
                "{guarantee}: {few:?} steps"
            );
        }
        prop_assert!(!few.endless() || many.endless());
        Trial::Ok(())
    });
}
