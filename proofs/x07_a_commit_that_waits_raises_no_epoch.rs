//! **A Java client of transaction version 1 whose result fails while commitTransaction() waits for it loses it;
//! one that is flushed before, or waited for, or a client of version 2, does not.**
//!
//! After a failed result the client has its epoch raised, so that nothing it sent before is taken for what it
//! sends next (KIP-360). While it commits it does not: the number of a result whose answer was missed too
//! late is used again in the same epoch, and the partition takes the next result for a repeat of the one that
//! was aborted. Under version 2 each end raises the epoch.
//!
//! Proved for Kafka 2.5 to 3.9 and 4.1, one partition with one replica, 1 record and 1 fault.

use crate::support::{changed, judge};
use semel::Guarantee::{
    self, ExactlyOnceEffect, InOrder, NoDuplicates, NoLoss, NoPhantom, Progress,
};

const DESIGN: &str = r#"
client = "java"
kafka = "3.9"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "kafka[each(produce-async), commit]"

[sink]
effect = "topic"

[output.producer]
transactional.id = "results"

[output.consumer]
isolation.level = "read_committed"

[faults]
response-lost.output-produce = 1

[bounds]
records = 1
"#;

fn holds(text: &str) {
    let judged = judge(text);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
}

#[test]
fn a_result_that_fails_in_the_commit_is_lost() {
    for version in ["2.5", "2.8", "3.5", "3.9"] {
        let judged = judge(&changed(DESIGN, "3.9", version));
        judged.violates(NoLoss);
        judged.violates(ExactlyOnceEffect);
        for guarantee in [NoDuplicates, InOrder, NoPhantom, Progress] {
            judged.holds(guarantee);
        }
    }
}

#[test]
fn one_that_is_flushed_or_waited_for_is_not() {
    holds(&changed(DESIGN, "commit]", "flush, commit]"));
    holds(&changed(DESIGN, "produce-async", "produce"));
}

#[test]
fn version_2_raises_the_epoch_with_each_end() {
    holds(&changed(DESIGN, "3.9", "4.1"));
}
