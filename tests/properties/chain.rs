//! Two transactional hops: an upstream that sends in transactions, and an application that writes results.

use proptest::prelude::*;
use semel::Guarantee;
use semel_models::cluster::Reductions;

use crate::designs::{Brokers, Chain, any_chain, any_struck_chain};
use crate::findings::explored_whole;
use crate::reductions::{same_lengths, same_verdicts};
use crate::trials::{MOST_STATES, try_kind};

#[test]
fn no_reduction_decides_anything() {
    try_kind(40, any_chain(Chain::Any), |design| {
        let none = explored_whole(design.pipeline(), Reductions::NONE, 10 * MOST_STATES)?;
        let all = explored_whole(design.pipeline(), Reductions::ALL, MOST_STATES)?;
        same_verdicts(&all, &none)?;
        type Switch = fn(&mut Reductions);
        let keep_lengths: [Switch; 4] = [
            |one| one.dead_fields = true,
            |one| one.harmless_faults = true,
            |one| one.spent_faults = true,
            |one| one.where_to_begin = true,
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

/// Both readers wait, the offset goes with the results, and nothing is late.
#[test]
fn an_application_that_waits_gives_each_committed_record_one_result() {
    try_kind(60, any_chain(Chain::ExactlyOnce), |design| {
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
        let found = explored_whole(design.pipeline(), Reductions::ALL, 8 * MOST_STATES)?;
        for guarantee in [Guarantee::NoLoss, Guarantee::NoPhantom, Guarantee::Progress] {
            prop_assert_eq!(found.shortest(guarantee), None, "{}", guarantee);
        }
        Ok(())
    });
}
