//! Results that are written to brokers that are struck.

use proptest::prelude::*;
use semel::{Design, Guarantee};
use semel_models::cluster::Reductions;

use crate::designs::{Brokers, Text, any_results};
use crate::findings::{Findings, explored};
use crate::reductions::{same_lengths, same_verdicts};
use crate::trials::{MOST_STATES, Trial, read, runner, too_large};

/// Tries `property` on random designs of this kind.
fn try_results(number: u32, brokers: Brokers, property: impl Fn(&Design) -> Trial) {
    let tried = runner(number).run(&any_results(brokers), |text: Text| {
        let refused = || TestCaseError::fail("refused");
        property(&read(&text).ok_or_else(refused)?)
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

fn found(design: &Design, reductions: Reductions, most: u64) -> Result<Findings, TestCaseError> {
    let found = explored(design.pipeline(), reductions, most);
    found.filter(Findings::is_complete).ok_or_else(too_large)
}

#[test]
fn no_reduction_decides_anything() {
    try_results(15, Brokers::MayLoseThem, |design| {
        let none = found(design, Reductions::NONE, 10 * MOST_STATES)?;
        let all = found(design, Reductions::ALL, MOST_STATES)?;
        same_verdicts(&all, &none)?;
        type Switch = fn(&mut Reductions);
        let keep_lengths: [Switch; 3] = [
            |one| one.harmless_faults = true,
            |one| one.spent_faults = true,
            |one| one.symmetric_replicas = true,
        ];
        for switch in keep_lengths {
            let mut one = Reductions::NONE;
            switch(&mut one);
            same_lengths(&found(design, one, 10 * MOST_STATES)?, &none)?;
        }
        Ok(())
    });
}

/// Where the broker of the first topic's only replica is struck, only its page cache may matter: no record
/// of it is lost, and neither is a result that was committed.
#[test]
fn brokers_that_keep_their_logs_keep_every_committed_result() {
    try_results(40, Brokers::KeepTheirLogs, |design| {
        let found = found(design, Reductions::ALL, 4 * MOST_STATES)?;
        for guarantee in [Guarantee::NoLoss, Guarantee::Progress] {
            prop_assert_eq!(found.shortest(guarantee), None, "{}", guarantee);
        }
        Ok(())
    });
}
