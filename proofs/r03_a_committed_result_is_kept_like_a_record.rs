//! **A result is kept as far as its topic keeps it: what the input topic's settings promise says nothing of
//! the output topic, and a transaction protects what is committed only as long as its log does.**
//!
//! The offset of a record is committed once its result was acknowledged. An acknowledgement of the leader
//! alone, a minimum of one in-sync replica, an unclean election or an unflushed disk each let the result go
//! when its leader does, and the record is not read again. A transaction adds that nothing is repeated: a
//! result whose delivery failed is aborted with its offset, and the record is handled anew.
//!
//! Proved: for one record, an output topic with two replicas, and one or two faults of brokers, each
//! setting with its twin.

use crate::support::{Judged, changed, judge, with_faults};
use semel::Guarantee;

const PIPELINE: &str = r#"
client = "java"
kafka = "4.1"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[output.producer]
acks = "all"
enable.idempotence = true
transactional.id = "results"

[output.topic]
replication.factor = 2
min.insync.replicas = 1

[output.consumer]
isolation.level = "read_committed"

[application]
order = "kafka[produce, commit]"

[sink]
effect = "topic"

[faults]
broker-crash = 1

[bounds]
records = 1
"#;

#[track_caller]
fn holds_all(design: &str) -> Judged {
    let judged = judge(design);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
}

fn without_transaction(acks: &str, idempotence: bool) -> String {
    let plain = changed(PIPELINE, "kafka[produce, commit]", "produce -> commit");
    let producer = "acks = \"all\"\nenable.idempotence = true\ntransactional.id = \"results\"";
    let instead = format!("acks = \"{acks}\"\nenable.idempotence = {idempotence}");
    changed(&plain, producer, &instead)
}

#[test]
fn a_transaction_survives_the_death_of_its_leader_under_either_version() {
    holds_all(PIPELINE)
        .reached("broker-crash")
        .explored(2_879, 7_244);
    holds_all(&changed(PIPELINE, "4.1", "3.9")).explored(2_729, 6_834);
}

#[test]
fn a_result_that_its_leader_acknowledged_alone_dies_with_it() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "Broker 1 appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "Output topic: The controller elects broker 2, which is in sync; its log has nothing.",
        "produce: the result of r0 is sent, and the application waits for its report.",
        "Output topic: Broker 2 appends r0 at offset 0.",
        "Output topic: The acknowledgement of r0 reaches the producer.",
        "commit: the group's committed offset is 1.",
        "The process of broker 2 dies. The output topic has no leader. In sync of the output topic: broker 1.",
        "Output topic: The controller elects broker 1, which is in sync; its log has nothing.",
    ];
    judge(&without_transaction("1", false))
        .is_broken(
            Guarantee::NoLoss,
            &steps,
            "r0: confirmed to the application, without an effect, and never delivered any more.",
        )
        .violates(Guarantee::NoDuplicates)
        .explored(1_880, 5_087);
    judge(&without_transaction("all", true))
        .holds(Guarantee::NoLoss)
        .explored(1_700, 4_660);
}

#[test]
fn without_a_transaction_a_result_in_doubt_is_written_again() {
    judge(&without_transaction("all", true)).violates(Guarantee::NoDuplicates);
    judge(PIPELINE).holds(Guarantee::NoDuplicates);
}

#[test]
fn idempotence_recognises_what_a_deposed_leader_refused() {
    let moves = |idempotence| {
        with_faults(
            &without_transaction("all", idempotence),
            "leader-change = 1",
        )
    };
    judge(&moves(false))
        .holds(Guarantee::NoLoss)
        .violates(Guarantee::NoDuplicates)
        .explored(197, 382);
    holds_all(&moves(true))
        .reached("leader-change")
        .explored(193, 380);
}

#[test]
fn an_unclean_election_of_the_output_topic_loses_what_was_committed() {
    let faults = "replica-lag = 1\nbroker-crash = 1";
    let clean = with_faults(PIPELINE, faults);
    let minimum = "min.insync.replicas = 1";
    let unclean = format!("{minimum}\nunclean.leader.election.enable = true");
    judge(&changed(&clean, minimum, &unclean))
        .violates(Guarantee::NoLoss)
        .violates(Guarantee::Progress)
        .holds(Guarantee::NoDuplicates)
        .explored(41_700, 154_921);
    holds_all(&clean).explored(41_406, 153_667);
}

#[test]
fn a_reader_who_does_not_wait_takes_the_result_twice() {
    judge(&changed(PIPELINE, "read_committed", "read_uncommitted"))
        .violates(Guarantee::NoDuplicates)
        .holds(Guarantee::NoLoss)
        .holds(Guarantee::NoPhantom)
        .explored(3_425, 9_287);
}
