//! A topic with two partitions beside the same topic with one.

use proptest::prelude::*;
use semel::replay::{Outcome, replay};
use semel::trace::Trace;
use semel::{CheckOptions, Design, Guarantee, Verdict, Verdicts, check};
use semel_models::cluster::Cluster;
use semel_models::pipeline::OffsetReset;
use stateright::{Checker, Model};

use crate::designs::any_partitions;
use crate::reductions::{
    DEAD_FIELDS, HARMLESS_FAULTS, SPENT_FAULTS, Switch, WHERE_TO_BEGIN, decide_nothing,
};
use crate::trials::{MOST_STATES, Trial, read, runner, too_large};

/// Tries `property` on random designs, each with one partition and with two.
fn try_pairs(number: u32, property: impl Fn(&Design, &Design) -> Trial) {
    let tried = runner(number).run(&any_partitions(), |pair| {
        let refused = || TestCaseError::fail("refused");
        let one = read(&pair.one).ok_or_else(refused)?;
        property(&one, &read(&pair.two).ok_or_else(refused)?)
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

fn judged(design: &Design) -> Result<Verdicts, TestCaseError> {
    let mut options = CheckOptions::default();
    options.max_states = Some(4 * MOST_STATES);
    let verdicts = check(design, &options).map_err(|_| too_large())?;
    match verdicts.stop() {
        None => Ok(verdicts),
        Some(_) => Err(too_large()),
    }
}

fn is_violated(verdicts: &Verdicts, guarantee: Guarantee) -> bool {
    verdicts.of(guarantee).trace().is_some()
}

/// Nothing is ever committed in an empty partition, so who has no reset policy cannot begin there.
fn has_a_policy(design: &Design) -> Trial {
    match design.pipeline().consumer.offset_reset {
        OffsetReset::None => Err(TestCaseError::reject("no policy")),
        OffsetReset::Earliest | OffsetReset::Latest => Ok(()),
    }
}

/// All keys may lie in one of the partitions: then the topic is one with a single partition, beside
/// which there is an empty one.
#[test]
fn what_is_violated_in_one_partition_is_violated_in_two() {
    try_pairs(120, |one, two| {
        has_a_policy(one)?;
        let (alone, both) = (judged(one)?, judged(two)?);
        for guarantee in Guarantee::ALL {
            let (of_one, of_two) = (
                is_violated(&alone, guarantee),
                is_violated(&both, guarantee),
            );
            prop_assert!(of_two || !of_one, "{} is violated in one only", guarantee);
        }
        Ok(())
    });
}

/// With one key the second partition stays empty.
#[test]
fn with_one_key_the_second_partition_changes_no_verdict() {
    try_pairs(120, |one, two| {
        has_a_policy(one)?;
        if one.pipeline().bounds.keys > 1 {
            return Err(TestCaseError::reject("two keys"));
        }
        let (alone, both) = (judged(one)?, judged(two)?);
        for guarantee in Guarantee::ALL {
            let (of_one, of_two) = (
                is_violated(&alone, guarantee),
                is_violated(&both, guarantee),
            );
            prop_assert_eq!(of_one, of_two, "{}", guarantee);
        }
        Ok(())
    });
}

#[test]
fn both_engines_see_the_same_graph_of_two_partitions() {
    try_pairs(60, |_, two| {
        let verdicts = judged(two)?;
        let decided = |guarantee: &Guarantee| verdicts.of(*guarantee) == &Verdict::Holds;
        if !Guarantee::ALL.iter().any(decided) {
            return Err(TestCaseError::reject(
                "Stateright stops when nothing is open",
            ));
        }
        let cluster = Cluster::new(two.pipeline().clone()).map_err(|_| too_large())?;
        let checker = cluster.checker().spawn_dfs().join();
        prop_assert_eq!(
            verdicts.unique_states(),
            checker.unique_state_count() as u64
        );
        prop_assert_eq!(verdicts.transitions() + 1, checker.state_count() as u64);
        for guarantee in Guarantee::ALL {
            let ends = |trace: &Trace| trace.loops_from().is_none();
            let violated = verdicts.of(guarantee).trace().is_some_and(ends);
            prop_assert_eq!(violated, checker.discovery(guarantee.name()).is_some());
        }
        Ok(())
    });
}

#[test]
fn every_run_in_two_partitions_can_be_followed_again() {
    try_pairs(60, |_, two| {
        let verdicts = judged(two)?;
        for guarantee in Guarantee::ALL {
            if let Some(trace) = verdicts.of(guarantee).trace() {
                let run = replay(trace).map_err(|error| TestCaseError::fail(error.to_string()))?;
                let as_recorded = matches!(run.outcome(), Outcome::AsRecorded { .. });
                prop_assert!(as_recorded, "{}: {:?}", guarantee, run.outcome());
            }
        }
        Ok(())
    });
}

#[test]
fn no_reduction_decides_anything_in_two_partitions() {
    const ALONE: &[Switch] = &[DEAD_FIELDS, HARMLESS_FAULTS, SPENT_FAULTS, WHERE_TO_BEGIN];
    try_pairs(60, |_, two| {
        // A start in vain is no step any more: see `dead_fields_decide_nothing`.
        let alone = if has_a_policy(two).is_ok() {
            ALONE
        } else {
            &[]
        };
        decide_nothing(two, alone)
    });
}
