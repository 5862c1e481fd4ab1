//! Results that are written to brokers that are struck.

use proptest::prelude::*;
use semel::Guarantee;
use semel_models::cluster::Reductions;

use crate::designs::{Brokers, any_results, any_unstruck_results};
use crate::findings::explored_whole;
use crate::reductions::{
    HARMLESS_FAULTS, PASSED_RESULTS, SPENT_FAULTS, SYMMETRIC_REPLICAS, Switch, decide_nothing,
    same_lengths, same_verdicts, without,
};
use crate::trials::{MOST_STATES, read, runner, try_kind};

#[test]
fn no_reduction_decides_anything() {
    const ALONE: &[Switch] = &[
        HARMLESS_FAULTS,
        SPENT_FAULTS,
        SYMMETRIC_REPLICAS,
        PASSED_RESULTS,
    ];
    try_kind(8, any_results(Brokers::MayLoseThem), |design| {
        decide_nothing(design, ALONE)
    });
}

/// Where the broker of the first topic's only replica is struck, only its page cache may matter: no record
/// of it is lost, and neither is a result that was committed.
#[test]
fn brokers_that_keep_their_logs_keep_every_committed_result() {
    try_kind(40, any_results(Brokers::KeepTheirLogs), |design| {
        if design.pipeline().keeps_epochs_of_results() {
            return Err(TestCaseError::reject("its epoch may stay"));
        }
        let found = explored_whole(design.pipeline(), Reductions::ALL, 4 * MOST_STATES)?;
        for guarantee in [Guarantee::NoLoss, Guarantee::Progress] {
            prop_assert_eq!(found.shortest(guarantee), None, "{}", guarantee);
        }
        Ok(())
    });
}

/// What is forgotten of a log of results, and in which order its steps are taken.
#[test]
fn no_reduction_of_a_log_decides_anything() {
    let logged = |switch: Switch| {
        without(Reductions::ALL, |all| {
            (all.whole_results, all.commuting_steps) = (false, false);
            switch(all);
        })
    };
    let tried = runner(25).run(&any_unstruck_results(), |text| {
        let design = read(&text).ok_or_else(|| TestCaseError::reject("refused"))?;
        let pipeline = design.pipeline();
        if !pipeline.can_log_results() {
            return Err(TestCaseError::reject("no log"));
        }
        let explored = |switch| explored_whole(pipeline, logged(switch), 10 * MOST_STATES);
        let reduced = explored(|_| {})?;
        same_lengths(&reduced, &explored(|all| all.passed_results = false)?)?;
        // A late repeat need not arrive any more.
        same_verdicts(&reduced, &explored(|all| all.dead_fields = false)?)?;
        same_verdicts(&explored(|all| all.commuting_steps = true)?, &reduced)
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

/// A result is a call with an outcome where none can come behind its client: with a client and a log of its
/// own it comes to the same.
#[test]
fn whole_results_decide_nothing() {
    let logged = without(Reductions::ALL, |all| all.whole_results = false);
    let tried = runner(50).run(&any_unstruck_results(), |text| {
        let design = read(&text).ok_or_else(|| TestCaseError::reject("refused"))?;
        let pipeline = design.pipeline();
        if !pipeline.can_log_results() || pipeline.logs_results() {
            return Err(TestCaseError::reject("not a call"));
        }
        let whole = explored_whole(pipeline, Reductions::ALL, MOST_STATES)?;
        let logged = explored_whole(pipeline, logged, 10 * MOST_STATES)?;
        same_verdicts(&whole, &logged)
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}
