//! Two transactional hops: an upstream that sends in transactions, and an application that writes results.

use proptest::prelude::*;
use semel::Guarantee;
use semel_models::cluster::Reductions;

use crate::designs::{Brokers, Chain, any_chain, any_struck_chain};
use crate::findings::explored_whole;
use crate::reductions::{
    DEAD_FIELDS, HARMLESS_FAULTS, SPENT_FAULTS, Switch, WHERE_TO_BEGIN, decide_nothing,
};
use crate::trials::{MOST_STATES, reject_kept_epochs, try_kind};

#[test]
fn no_reduction_decides_anything() {
    const ALONE: &[Switch] = &[DEAD_FIELDS, HARMLESS_FAULTS, SPENT_FAULTS, WHERE_TO_BEGIN];
    try_kind(40, any_chain(Chain::Any), |design| {
        decide_nothing(design, ALONE)
    });
}

/// Both readers wait, the offset goes with the results, and nothing is late.
#[test]
fn an_application_that_waits_gives_each_committed_record_one_result() {
    try_kind(60, any_chain(Chain::ExactlyOnce), |design| {
        reject_kept_epochs(design)?;
        let found = explored_whole(design.pipeline(), Reductions::ALL, 8 * MOST_STATES)?;
        for guarantee in Guarantee::ALL {
            prop_assert_eq!(found.shortest(guarantee), None, "{}", guarantee);
        }
        Ok(())
    });
}

/// Where brokers keep what they have acknowledged, both topics keep every committed transaction.
#[test]
fn brokers_that_keep_their_logs_keep_every_committed_record_and_its_result() {
    try_kind(12, any_struck_chain(Brokers::KeepTheirLogs), |design| {
        reject_kept_epochs(design)?;
        let found = explored_whole(design.pipeline(), Reductions::ALL, 8 * MOST_STATES)?;
        for guarantee in [Guarantee::NoLoss, Guarantee::NoPhantom, Guarantee::Progress] {
            prop_assert_eq!(found.shortest(guarantee), None, "{}", guarantee);
        }
        Ok(())
    });
}
