//! **With two partitions a key keeps its order, as long as it stays in one; a partition that is added takes
//! that away.**
//!
//! The hash of a key, modulo the number of partitions, is the same for every record of it. So a key's
//! records lie in one log, in the order in which an idempotent producer sends them, whatever happens to
//! those of other keys beside it, and one consumer reads them in that order. When a partition is added, the
//! hash may lead elsewhere from some record on, and which of two logs is read first is open.
//!
//! Proved: `in-order` and `no-loss` for 3 records of 2 keys in 2 partitions, every way in which the keys
//! may lie, and one fault of processes, network or group; the same with two consumers that share the
//! partitions. The twin adds the second partition instead.

use crate::support::{changed, judge};
use semel::Guarantee;

const TWO: &str = r#"
client = "java"
kafka = "4.1"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "process -> commit"

[sink]
effect = "add"

[faults]
producer-crash = 1
consumer-crash = 1
rebalance = 1
request-lost = 1
response-lost = 1
total = 1

[bounds]
records = 3
keys = 2
partitions = 2
poll = 1
"#;

const BOTH: &str = "both partitions get a record";

#[test]
fn a_key_that_stays_in_one_of_two_partitions_keeps_its_order() {
    judge(TWO)
        .holds(Guarantee::InOrder)
        .holds(Guarantee::NoLoss)
        .violates(Guarantee::NoDuplicates)
        .reached(BOTH)
        .explored(12_261, 34_386);
}

#[test]
fn two_consumers_that_share_the_partitions_keep_it_too() {
    let shared = changed(TWO, "[application]", "[application]\ninstances = 2");
    judge(&shared)
        .holds(Guarantee::InOrder)
        .holds(Guarantee::NoLoss)
        .reached(BOTH)
        .reached("the partition goes to the other consumer")
        .explored(18_807, 60_469);
}

#[test]
fn with_one_key_one_partition_stays_empty() {
    let one_key = changed(TWO, "keys = 2", "keys = 1");
    let judged = judge(&one_key);
    judged.holds(Guarantee::InOrder);
    let mut witnesses = judged.verdicts().witnesses().iter();
    assert!(witnesses.any(|witness| witness.name == BOTH && !witness.reached));
}

#[test]
fn a_partition_that_is_added_breaks_the_order_of_a_key_that_moves() {
    let grows = changed(TWO, "\npartitions = 2", "");
    let grows = changed(&grows, "\ntotal = 1", "\nadd-partition = 1\ntotal = 1");
    judge(&grows)
        .is_broken(
            Guarantee::InOrder,
            &[
                "The application sends r0.",
                "The application sends r1.",
                "The topic gets partition 1: records of k0 and k1 will be sent there once the producer knows of it.",
                "The producer's new metadata has partition 1: from now on it sends records of k0 and k1 there.",
                "The application sends r2.",
                "The producer puts r2 on the wire (partition 1).",
                "The broker appends r2 at offset 0 (partition 1).",
                "The producer puts r0 on the wire.",
                "The broker appends r0 at offset 0.",
                "The group rebalances, for the topic's metadata has partition 1 now: the consumer gives everything up and gets both partitions. It reads partition 0 from offset 0. It reads partition 1 from offset 0 (no offset is committed there, auto.offset.reset=earliest).",
                "A poll of partition 1 returns r2 (offset 0).",
                "process: the effect of r2 takes place.",
                "commit: the group's committed offset is 1 (partition 1).",
                "A poll returns r0 (offset 0).",
                "process: the effect of r0 takes place.",
            ],
            "r0: its first effect came after that of r2, which was sent later with the same key.",
        )
        .holds(Guarantee::NoLoss)
        .explored(9_574, 26_435);
}
