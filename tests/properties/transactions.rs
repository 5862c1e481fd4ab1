//! An upstream that sends in transactions, under faults of brokers.

use proptest::prelude::*;
use semel::Guarantee;
use semel_models::cluster::Reductions;
use semel_models::pipeline::Client;

use crate::designs::{Brokers, any_transactions};
use crate::findings::explored_whole;
use crate::reductions::{
    DEAD_FIELDS, HARMLESS_FAULTS, SPENT_FAULTS, SYMMETRIC_REPLICAS, Switch, WHERE_TO_BEGIN,
    decide_nothing,
};
use crate::trials::{MOST_STATES, reject_kept_epochs, try_kind};

#[test]
fn no_reduction_decides_anything() {
    const ALONE: &[Switch] = &[
        DEAD_FIELDS,
        HARMLESS_FAULTS,
        SPENT_FAULTS,
        WHERE_TO_BEGIN,
        SYMMETRIC_REPLICAS,
    ];
    try_kind(30, any_transactions(Brokers::MayLoseThem), |design| {
        decide_nothing(design, ALONE)
    });
}

/// Java's client repeats in order, and readers who wait are given what was committed.
#[test]
fn brokers_that_keep_their_logs_keep_every_committed_transaction() {
    try_kind(80, any_transactions(Brokers::KeepTheirLogs), |design| {
        if design.pipeline().client != Client::Java {
            return Err(TestCaseError::reject("another client"));
        }
        reject_kept_epochs(design)?;
        let found = explored_whole(design.pipeline(), Reductions::ALL, 4 * MOST_STATES)?;
        for guarantee in [Guarantee::NoLoss, Guarantee::Progress] {
            prop_assert_eq!(found.shortest(guarantee), None, "{}", guarantee);
        }
        Ok(())
    });
}
