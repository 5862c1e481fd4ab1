//! More faults find more.

use proptest::prelude::*;
use semel::Guarantee;
use semel_models::cluster::Reductions;
use semel_models::fault::{Call, Fault, FaultBudget, FaultKey};
use semel_models::pipeline::{OffsetReset, Pipeline};

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
    try_designs_with(60, Extra::any(), |design, extra| {
        let pipeline = design.pipeline();
        let mut more = pipeline.clone();
        more.faults = with(&pipeline.faults, extra);
        let (few, many) = (found(pipeline, MOST_STATES)?, found(&more, 4 * MOST_STATES)?);
        // A start in vain is a step only where the group could remember another member by it.
        let in_vain = pipeline.consumer.offset_reset == OffsetReset::None;
        for guarantee in Guarantee::ALL {
            let (few, many) = (few.shortest(guarantee), many.shortest(guarantee));
            let Some(few) = few else { continue };
            prop_assert!(many.is_some(), "{guarantee}: {few}, {many:?}");
            prop_assert!(in_vain || many <= Some(few), "{guarantee}: {few}, {many:?}");
        }
        prop_assert!(!few.endless() || many.endless());
        Trial::Ok(())
    });
}
