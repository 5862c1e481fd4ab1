//! More records find more.
//!
//! A run with one record is, with two, the beginning of a run in which the second is not sent yet.
//! So what is violated by a state whatever comes after it, stays violated: `no-duplicates` and
//! `no-phantom` (`in-order` takes two records). What is judged at the end must not be mended by the
//! second record. A record once lost stays lost, and so does a wrong effect, as long as the second
//! record does not write over the first one's row: with a key each. A run that ends with something
//! stuck may go on with the second record, and that may free it: a worker that finishes the second
//! record lets `highest` or `position` commit past the first. Without workers it does not.

use proptest::prelude::*;
use semel::Guarantee;

use crate::budgets::found;
use crate::trials::{MOST_STATES, Trial, try_designs};

#[test]
fn a_second_record_never_mends_a_violation() {
    try_designs(100, |design| {
        let mut one = design.pipeline().clone();
        one.bounds.records = 1;
        one.bounds.keys = 1;
        one.bounds.poll = 1;
        let mut two = one.clone();
        two.bounds.records = 2;
        two.bounds.keys = 2;
        two.bounds.poll = design.pipeline().bounds.poll;
        let (few, many) = (found(&one, MOST_STATES)?, found(&two, 8 * MOST_STATES)?);
        for guarantee in Guarantee::ALL {
            let violated = few.shortest(guarantee).is_some();
            let still = many.shortest(guarantee).is_some();
            let exact = guarantee != Guarantee::Progress || one.consumer.workers == 0;
            prop_assert!(!violated || still || !exact, "{guarantee}");
        }
        let exact = one.consumer.workers == 0;
        prop_assert!(!few.endless() || many.endless() || !exact, "a loop");
        Trial::Ok(())
    });
}
