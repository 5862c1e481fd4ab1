//! **Offsets in the sink's database: one transaction of effect and offset is exactly-once for one
//! consumer; for two the sink must be able to refuse the one that was put out of the group.**
//!
//! The coordinator refuses a zombie's commit, but with `db[process, save-offset]` there is none:
//! the offset goes to a database that knows nothing of the group. A zombie applies a record that
//! the new owner applies as well, and its older offset overwrites the newer one. Two guards, each
//! of them enough, in the transaction of the effect:
//! - fencing: the new owner tells the sink its generation before it reads the saved offset, and the
//!   sink refuses a write of an older one;
//! - compare-and-set: an offset is saved only over the one that the writer started from or wrote
//!   last. Of two writers that started from the same offset, the second is refused.
//!
//! What they do not do:
//! - they guard nothing that is not in the transaction of the saved offset: neither an effect that
//!   was written before it, nor one whose offset is committed to Kafka. For a record that a zombie
//!   writes before the new owner has told the sink anything is in the sink without its offset;
//! - a row that is written over an older version only (`version-guard` with `upsert`) needs no
//!   transaction: there the version stands in the row itself.
//!
//! An unguarded row shows a trap. Under the eager protocol the zombie's own return makes everyone
//! read the saved offset again, which the zombie has set back: the overwritten row is written once
//! more, by luck. Under the cooperative protocol the owner keeps its position, and the old row
//! stays.
//!
//! Proved: all six guarantees with each guard and under each protocol (eager, cooperative, and the
//! consumer protocol of Kafka 4.1, whose client gives the partition up behind the application's
//! back), for Java clients with an idempotent producer, one partition with one replica, two
//! consumers, 2 records, and at most 2 of the faults consumer crash, consumer pause, slow processing
//! and rebalance.

use crate::support::{GROUP_SITUATIONS, changed, consumer_protocol, judge, story, with_faults};
use semel::Guarantee;

const UNGUARDED: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
instances = 2
order = "db[process, save-offset]"

[sink]
effect = "add"

[faults]
consumer-crash = 1
consumer-pause = 1
slow-processing = 1
rebalance = 1
total = 2

[bounds]
records = 2
"#;

const GUARDS: [&str; 2] = ["fencing = true", "version-guard = true"];

fn guarded(design: &str, guard: &str) -> String {
    changed(design, "[sink]", &format!("[sink]\n{guard}"))
}

fn with_order(order: &str) -> String {
    changed(UNGUARDED, "db[process, save-offset]", order)
}

fn with_upsert(design: &str) -> String {
    changed(design, "\"add\"", "\"upsert\"")
}

fn cooperative(design: &str) -> String {
    let assignor = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    changed(
        design,
        "[consumer]",
        &format!("[consumer]\npartition.assignment.strategy = \"{assignor}\""),
    )
}

#[track_caller]
fn gives_exactly_once(design: &str, unique_states: u64, transitions: u64) {
    let judged = judge(design);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
        .reached_all(&GROUP_SITUATIONS)
        .explored(unique_states, transitions);
}

#[test]
fn unfenced_and_unguarded_a_zombie_applies_the_record_of_the_new_owner() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "Consumer A takes longer than max.poll.interval.ms before db[process, save-offset] of r0: its client leaves the group, and its application goes on.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A: db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(UNGUARDED, "slow-processing"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .violates(Guarantee::ExactlyOnceEffect)
        .reached("a consumer that was put out of the group writes to the sink")
        .explored(29, 42);
}

#[test]
fn one_consumer_needs_no_guard() {
    let alone = changed(UNGUARDED, "instances = 2\n", "");
    let judged = judge(&alone);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
        .reached("a consumer that was put out of the group writes to the sink")
        .explored(417, 1_155);
}

#[test]
fn fencing_refuses_the_zombie() {
    gives_exactly_once(&guarded(UNGUARDED, GUARDS[0]), 2_271, 7_801);
}

#[test]
fn compare_and_set_refuses_the_second_of_two_writers() {
    gives_exactly_once(&guarded(UNGUARDED, GUARDS[1]), 2_571, 8_872);
}

#[test]
fn each_guard_holds_where_the_owner_keeps_its_position() {
    gives_exactly_once(&cooperative(&guarded(UNGUARDED, GUARDS[0])), 2_694, 8_936);
    gives_exactly_once(&cooperative(&guarded(UNGUARDED, GUARDS[1])), 2_738, 9_288);
}

#[test]
fn each_guard_holds_where_the_partition_is_given_up_behind_the_applications_back() {
    let behind = |guard| consumer_protocol(&guarded(UNGUARDED, guard), "4.1");
    gives_exactly_once(&behind(GUARDS[0]), 2_694, 9_050);
    gives_exactly_once(&behind(GUARDS[1]), 2_741, 9_454);
}

#[test]
fn a_guard_on_the_offset_does_not_guard_an_effect_outside_its_transaction() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "Consumer A takes longer than max.poll.interval.ms before process of r0: its client leaves the group, and its application goes on.",
        "A: process: the effect of r0 takes place.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    let apart = with_order("process -> save-offset");
    judge(&story(&guarded(&apart, GUARDS[1]), "slow-processing"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(43, 68);
    judge(&story(&guarded(&apart, GUARDS[0]), "slow-processing")).violates(Guarantee::NoDuplicates);
}

#[test]
fn fencing_does_not_guard_an_effect_whose_offset_is_committed_to_kafka() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll of A returns r0 (offset 0).",
        "A: process: the effect of r0 takes place.",
        "Consumer A takes longer than max.poll.interval.ms before commit of r0: its client leaves the group, and its application goes on.",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0; its effect already took place).",
        "B: process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    let in_kafka = guarded(&with_order("process -> commit"), GUARDS[0]);
    judge(&story(&in_kafka, "slow-processing"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .violates(Guarantee::ExactlyOnceEffect)
        .explored(52, 75);
}

#[test]
fn a_zombie_overwrites_a_newer_row_for_good_where_the_owner_keeps_its_position() {
    let row = with_faults(&with_upsert(UNGUARDED), "consumer-pause = 1");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "The acknowledgement of r0 reaches the producer.",
        "The acknowledgement of r1 reaches the producer.",
        "Consumer A stands still between two polls; its session expires, and the group goes on without it. It does not know.",
        "A poll of A returns r0 (offset 0).",
        "The group assigns the partition to B, which reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll of B returns r0 (offset 0) and r1 (offset 1).",
        "B: db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "B: db[process, save-offset] of r1 is committed to the database: the effect of r1 takes place and offset 2 is saved.",
        "A: db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time and offset 1 is saved.",
        "Consumer A learns that it is no longer a member of the group.",
        "Consumer A joins the group again; the partition stays with B.",
    ];
    let end = "The sink holds an older record's value where a newer confirmed one should stand.";
    judge(&cooperative(&row))
        .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
        .explored(405, 832);
}

#[test]
fn under_the_eager_protocol_the_zombies_return_writes_the_row_once_more() {
    judge(&with_upsert(UNGUARDED))
        .holds(Guarantee::ExactlyOnceEffect)
        .violates(Guarantee::NoDuplicates)
        .reached_all(&GROUP_SITUATIONS)
        .explored(3_614, 11_601);
}

#[test]
fn a_row_that_carries_its_version_needs_no_transaction() {
    let rows = with_upsert(&with_order("process -> commit"));
    gives_exactly_once(&guarded(&rows, GUARDS[1]), 5_566, 17_638);
    judge(&rows).violates(Guarantee::ExactlyOnceEffect);
}

#[test]
fn a_row_behind_a_fence_is_right_in_the_end_though_written_more_than_once() {
    let rows = with_upsert(&with_order("process -> commit"));
    judge(&guarded(&rows, GUARDS[0]))
        .holds(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::NoLoss)
        .violates(Guarantee::NoDuplicates)
        .reached_all(&GROUP_SITUATIONS)
        .explored(6_070, 18_986);
}
