//! Random budgets.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Every fault that one replica can meet; the network's also for single calls.
const FAULTS: &[&str] = &[
    "consumer-crash",
    "producer-crash",
    "graceful-restart",
    "producer-pause",
    "consumer-pause",
    "slow-processing",
    "rebalance",
    "process-failure",
    "process-failure-late",
    "poison",
    "abort",
    "sink-unavailable",
    "sink-answer-lost",
    "request-lost",
    "response-lost",
    "request-refused",
    "request-delayed",
    "request-lost.produce",
    "response-lost.produce",
    "request-refused.produce",
    "request-delayed.produce",
    "request-lost.offset-commit",
    "response-lost.offset-commit",
    "request-refused.offset-commit",
    "request-delayed.offset-commit",
    "request-lost.output-produce",
    "response-lost.output-produce",
    "request-delayed.output-produce",
    "response-lost.fetch",
    "request-lost.join",
    "delivery-timeout",
    "broker-crash",
    "power-loss",
    "power-loss-all",
    "disk-loss",
    "producer-id-expiry",
    "offsets-expiry",
    "dedup-expiry",
    "retention",
    "offset-reset",
];

/// One fault more than a budget has.
#[derive(Clone, Copy, Debug)]
pub struct Extra {
    /// Its name in `[faults]`.
    pub fault: &'static str,
    /// Whether the cap on all faults grows with it.
    pub total: bool,
}

impl Extra {
    /// Any.
    pub fn any() -> impl Strategy<Value = Extra> {
        (select(FAULTS), any::<bool>()).prop_map(|(fault, total)| Extra { fault, total })
    }
}

/// The table; seldom none, and then what semel takes by itself.
pub(super) fn table() -> impl Strategy<Value = String> {
    let named = (
        subsequence(FAULTS.to_vec(), 1..=4),
        prop::collection::vec(prop_oneof![4 => Just(1), 1 => Just(2)], 4),
        prop_oneof![3 => 1..=2u8, 1 => Just(3u8)],
    );
    let named = named.prop_map(|(faults, counts, total)| {
        let mut text = String::from("[faults]\n");
        let calls = |name: &str| faults.iter().any(|fault| fault.starts_with(name));
        for (fault, count) in faults.iter().zip(counts) {
            // A fault has one budget for every call, or one per call.
            if !calls(&format!("{fault}.")) {
                text += &format!("{fault} = {count}\n");
            }
        }
        text + &format!("total = {total}\n")
    });
    prop_oneof![
        15 => named,
        1 => Just(String::from("[faults]\ntotal = 1\n")),
    ]
}
