//! Each reduction switched off finds the same.

use proptest::prelude::*;
use semel::{Design, Guarantee};
use semel_models::cluster::Reductions;
use semel_models::fault::Fault;
use semel_models::order::Step;
use semel_models::pipeline::{AutoCommit, OffsetReset};

use crate::findings::{Findings, explored, explored_whole};
use crate::trials::{MOST_STATES, Trial, too_large, try_designs};

/// How many states are looked at where a reduction is off: there are more of them.
const MOST_UNREDUCED: u64 = 4 * MOST_STATES;

/// These reductions but one.
pub fn without(mut reductions: Reductions, switch: impl Fn(&mut Reductions)) -> Reductions {
    switch(&mut reductions);
    reductions
}

/// Every reduction that leaves the shortest runs as they are, and taking a commit as one step.
fn of_every_order() -> Reductions {
    without(Reductions::ALL, |all| all.commuting_steps = false)
}

/// The same verdicts; the same lengths, too, as far as both searches went.
pub fn same_lengths(reduced: &Findings, full: &Findings) -> Trial {
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
pub fn same_verdicts(reduced: &Findings, full: &Findings) -> Trial {
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

/// Switches one reduction on.
pub type Switch = fn(&mut Reductions);

/// Reductions that keep the lengths of the shortest runs.
pub const DEAD_FIELDS: Switch = |one| one.dead_fields = true;
pub const HARMLESS_FAULTS: Switch = |one| one.harmless_faults = true;
pub const SPENT_FAULTS: Switch = |one| one.spent_faults = true;
pub const WHERE_TO_BEGIN: Switch = |one| one.where_to_begin = true;
pub const PASSED_RESULTS: Switch = |one| one.passed_results = true;
pub const SYMMETRIC_REPLICAS: Switch = |one| one.symmetric_replicas = true;

/// All reductions together decide nothing, and none of `alone` changes a length.
pub fn decide_nothing(design: &Design, alone: &[Switch]) -> Trial {
    let none = explored_whole(design.pipeline(), Reductions::NONE, 10 * MOST_STATES)?;
    let all = explored_whole(design.pipeline(), Reductions::ALL, MOST_STATES)?;
    same_verdicts(&all, &none)?;
    for switch in alone {
        let one = without(Reductions::NONE, switch);
        let one = explored_whole(design.pipeline(), one, 10 * MOST_STATES)?;
        same_lengths(&one, &none)?;
    }
    Ok(())
}

fn compare(
    design: &Design,
    (with, without): (Reductions, Reductions),
    same: impl Fn(&Findings, &Findings) -> Trial,
) -> Trial {
    let pipeline = design.pipeline();
    let reduced = explored(pipeline, with, MOST_STATES).ok_or_else(too_large)?;
    if !reduced.is_complete() {
        return Err(too_large());
    }
    let full = explored(pipeline, without, MOST_UNREDUCED).ok_or_else(too_large)?;
    same(&reduced, &full)
}

/// A process that is to join again is like one that starts, so under `auto.offset.reset=none` its
/// start in vain is no step any more: there runs that end so are one step shorter.
#[test]
fn dead_fields_decide_nothing() {
    let full = without(of_every_order(), |all| all.dead_fields = false);
    try_designs(80, |design| {
        let in_vain = design.pipeline().consumer.offset_reset == OffsetReset::None;
        let same = if in_vain { same_verdicts } else { same_lengths };
        compare(design, (of_every_order(), full), same)
    });
}

#[test]
fn harmless_faults_decide_nothing() {
    let full = without(of_every_order(), |all| all.harmless_faults = false);
    try_designs(80, |design| {
        compare(design, (of_every_order(), full), same_lengths)
    });
}

#[test]
fn whole_calls_decide_nothing() {
    let full = without(of_every_order(), |all| all.whole_calls = false);
    try_designs(80, |design| {
        compare(design, (of_every_order(), full), same_verdicts)
    });
}

#[test]
fn all_reductions_together_decide_nothing() {
    try_designs(80, |design| {
        compare(design, (Reductions::ALL, Reductions::NONE), same_verdicts)
    });
}

/// Runs lose as many records at most, and end in as many states, unless commits that nobody waits
/// for may end in another way: that is what is left to one order where it makes no difference.
#[test]
fn the_order_of_commuting_steps_decides_nothing() {
    try_designs(200, |design| {
        let consumer = &design.pipeline().consumer;
        let waits =
            consumer.auto_commit == AutoCommit::Off && !consumer.order.contains(Step::CommitAsync);
        let same = |reduced: &Findings, full: &Findings| {
            same_verdicts(reduced, full)?;
            let met = |findings: &Findings| findings.counted().map(|count| count > 0);
            prop_assert_eq!(met(reduced), met(full), "kinds of final states");
            if waits {
                prop_assert_eq!(reduced.counted(), full.counted(), "final states");
            }
            Ok(())
        };
        compare(design, (Reductions::ALL, of_every_order()), same)
    });
}

/// Without numbering anew the space is infinite where a process fails for ever: both are compared
/// as far as the search goes. A start in vain, under `auto.offset.reset=none`, is then a step that
/// leads somewhere; numbered anew it is none, so such designs are left out, as are those in which a
/// process may fail more often than a byte counts.
#[test]
fn the_numbers_of_generations_decide_nothing() {
    let full = without(of_every_order(), |all| all.generations = false);
    try_designs(80, |design| {
        let pipeline = design.pipeline();
        let endless = pipeline.faults.contains(Fault::Poison);
        if pipeline.consumer.offset_reset == OffsetReset::None || endless {
            return Err(too_large());
        }
        compare(design, (of_every_order(), full), same_lengths)
    });
}
