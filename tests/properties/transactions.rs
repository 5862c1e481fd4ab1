//! An upstream that sends in transactions, under faults of brokers.

use proptest::prelude::*;
use semel::Guarantee;
use semel_models::cluster::Reductions;
use semel_models::pipeline::Client;

use crate::designs::{Brokers, any_transactions};
use crate::findings::explored_whole;
use crate::reductions::{same_lengths, same_verdicts};
use crate::trials::{MOST_STATES, try_kind};

#[test]
fn no_reduction_decides_anything() {
    try_kind(60, any_transactions(Brokers::MayLoseThem), |design| {
        let none = explored_whole(design.pipeline(), Reductions::NONE, 10 * MOST_STATES)?;
        let all = explored_whole(design.pipeline(), Reductions::ALL, MOST_STATES)?;
        same_verdicts(&all, &none)?;
        type Switch = fn(&mut Reductions);
        let keep_lengths: [Switch; 5] = [
            |one| one.dead_fields = true,
            |one| one.harmless_faults = true,
            |one| one.spent_faults = true,
            |one| one.where_to_begin = true,
            |one| one.symmetric_replicas = true,
        ];
        for switch in keep_lengths {
            let mut one = Reductions::NONE;
            switch(&mut one);
            same_lengths(
                &explored_whole(design.pipeline(), one, 10 * MOST_STATES)?,
                &none,
            )?;
        }
        Ok(())
    });
}

/// Java's client repeats in order, and readers who wait are given what was committed.
#[test]
fn brokers_that_keep_their_logs_keep_every_committed_transaction() {
    try_kind(120, any_transactions(Brokers::KeepTheirLogs), |design| {
        if design.pipeline().client != Client::Java {
            return Err(TestCaseError::reject("another client"));
        }
        let found = explored_whole(design.pipeline(), Reductions::ALL, 4 * MOST_STATES)?;
        for guarantee in [Guarantee::NoLoss, Guarantee::Progress] {
            prop_assert_eq!(found.shortest(guarantee), None, "{}", guarantee);
        }
        Ok(())
    });
}
