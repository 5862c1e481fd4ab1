//! Each reduction switched off finds the same.

use proptest::prelude::*;
use semel::{Design, Guarantee};
use semel_models::cluster::Reductions;
use semel_models::fault::Fault;
use semel_models::pipeline::OffsetReset;

use crate::findings::{Findings, explored};
use crate::trials::{MOST_STATES, Trial, too_large, try_designs};

/// How many states are looked at where a reduction is off: there are more of them.
const MOST_UNREDUCED: u64 = 4 * MOST_STATES;

/// Every reduction but one.
fn without(switch: impl Fn(&mut Reductions)) -> Reductions {
    let mut reductions = Reductions::ALL;
    switch(&mut reductions);
    reductions
}

/// The same verdicts; the same lengths, too, as far as both searches went.
fn same_lengths(reduced: &Findings, full: &Findings) -> Trial {
    let depth = reduced.known_to().min(full.known_to());
    for guarantee in Guarantee::ALL {
        let within = |length: &usize| *length < depth;
        prop_assert_eq!(
            reduced.shortest(guarantee).filter(within),
            full.shortest(guarantee).filter(within),
            "{}",
            guarantee
        );
    }
    if reduced.is_complete() && full.is_complete() {
        prop_assert_eq!(reduced.endless(), full.endless(), "a loop");
    }
    Ok(())
}

/// The same verdicts, where both searches went to the end.
fn same_verdicts(reduced: &Findings, full: &Findings) -> Trial {
    if !full.is_complete() {
        return Err(too_large());
    }
    for guarantee in Guarantee::ALL {
        let (reduced, full) = (reduced.shortest(guarantee), full.shortest(guarantee));
        prop_assert_eq!(reduced.is_some(), full.is_some(), "{}", guarantee);
    }
    prop_assert_eq!(reduced.endless(), full.endless(), "a loop");
    Ok(())
}

fn compare(
    design: &Design,
    reductions: Reductions,
    same: impl Fn(&Findings, &Findings) -> Trial,
) -> Trial {
    let pipeline = design.pipeline();
    let reduced = explored(pipeline, Reductions::ALL, MOST_STATES).ok_or_else(too_large)?;
    if !reduced.is_complete() {
        return Err(too_large());
    }
    let full = explored(pipeline, reductions, MOST_UNREDUCED).ok_or_else(too_large)?;
    same(&reduced, &full)
}

#[test]
fn dead_fields_decide_nothing() {
    let reductions = without(|all| all.dead_fields = false);
    try_designs(80, |design| compare(design, reductions, same_lengths));
}

#[test]
fn harmless_faults_decide_nothing() {
    let reductions = without(|all| all.harmless_faults = false);
    try_designs(80, |design| compare(design, reductions, same_lengths));
}

#[test]
fn whole_calls_decide_nothing() {
    let reductions = without(|all| all.whole_calls = false);
    try_designs(80, |design| compare(design, reductions, same_verdicts));
}

#[test]
fn all_reductions_together_decide_nothing() {
    try_designs(80, |design| {
        compare(design, Reductions::NONE, same_verdicts)
    });
}

/// Without numbering anew the space is infinite where a process fails for ever: both are compared
/// as far as the search goes. A start in vain, under `auto.offset.reset=none`, is then a step that
/// leads somewhere; numbered anew it is none, so such designs are left out, as are those in which a
/// process may fail more often than a byte counts.
#[test]
fn the_numbers_of_generations_decide_nothing() {
    let reductions = without(|all| all.generations = false);
    try_designs(80, |design| {
        let pipeline = design.pipeline();
        let endless = pipeline.faults.contains(Fault::Poison);
        if pipeline.consumer.offset_reset == OffsetReset::None || endless {
            return Err(too_large());
        }
        compare(design, reductions, same_lengths)
    });
}
