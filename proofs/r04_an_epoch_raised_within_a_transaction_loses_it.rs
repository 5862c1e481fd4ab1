//! **A client that has its epoch raised in the middle of a transaction, and goes on in it, commits offsets
//! without their results.**
//!
//! librdkafka before 1.8.2 asked its coordinator for another epoch when a partition found a sequence number
//! skipped, with its transaction open (#3575). The coordinator aborts that transaction. What was refused is
//! sent again, to a partition that the client does not add again; offsets that are added after that are a
//! transaction of their own, and their commit is done. What had been acknowledged is aborted, and what was
//! sent again belongs to no transaction that anyone ends.
//!
//! It takes all of it: a number that is skipped (two changes of leader, or one request that is refused while
//! the next is in flight), a result before it, offsets in the transaction, and a client that does not fail.
//! With the offsets outside, nothing is left to commit, and the application is told; then what was sent again
//! is committed by the next transaction, a second time.
//!
//! Proved for librdkafka 1.6 with brokers of 2.4 and for 1.8.0 with brokers of 2.5, up to 3 records, an output
//! topic with two replicas, and one or two faults.

use crate::support::{Judged, changed, judge, with_faults};
use semel::Guarantee;

const PIPELINE: &str = r#"
client = "librdkafka"
client-version = "1.6"
kafka = "2.4"

[producer]
acks = "all"
enable.idempotence = true
max.in.flight.requests.per.connection = 1

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[output.producer]
transactional.id = "results"

[output.topic]
replication.factor = 2
min.insync.replicas = 1

[output.consumer]
isolation.level = "read_committed"

[application]
order = "kafka[each(produce-async), commit]"

[sink]
effect = "topic"

[faults]
leader-change = 1
request-refused.output-produce = 1
total = 1

[bounds]
records = 3
poll = 3
"#;

/// The newest client that does not fail its transaction says which epoch it has.
fn of_1_8_0() -> String {
    let newer = changed(PIPELINE, "\"1.6\"", "\"1.8.0\"");
    changed(&newer, "\"2.4\"", "\"2.5\"")
}

#[track_caller]
fn holds_all(design: &str) -> Judged {
    let judged = judge(design);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
}

#[test]
fn fast_changes_of_leader_take_an_acknowledged_result_from_a_transaction_that_is_committed() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "Broker 1 appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "Broker 1 appends r1 at offset 1.",
        "The application sends r2.",
        "The acknowledgement of r1 reaches the producer.",
        "The producer puts r2 on the wire.",
        "Broker 1 appends r2 at offset 2.",
        "The acknowledgement of r2 reaches the producer.",
        "A poll returns r0 (offset 0) and r1 (offset 1) and r2 (offset 2).",
        "produce-async: the result of r0 is sent, and nobody waits for its report.",
        "Output topic: The controller elects broker 1, which is in sync; its log has nothing.",
        "Output topic: The producer puts r0 on the wire.",
        "Output topic: Broker 1 appends r0 at offset 0; the answer waits for the in-sync replicas.",
        "produce-async: the result of r1 is sent, and nobody waits for its report.",
        "Output topic: The producer puts r1 on the wire.",
        "Output topic: Broker 2 fetches from broker 1 and gets r0.",
        "Output topic: Broker 2 fetches from broker 1, which learns that it has 1 entry. The high watermark passes r0: broker 1 acknowledges it.",
        "Output topic: Leadership moves to broker 2; broker 1 is alive and has not heard of it.",
        "Output topic: Broker 1 hears that broker 2 leads.",
        "Output topic: Broker 1 refuses r1: it does not lead (NOT_LEADER_OR_FOLLOWER).",
        "Output topic: The acknowledgement of r0 reaches the producer.",
        "produce-async: the result of r2 is sent, and nobody waits for its report.",
        "Output topic: The producer puts r2 on the wire.",
        "Output topic: Leadership moves to broker 1; broker 2 is alive and has not heard of it.",
        "Output topic: The producer learns that r1 was refused with a retriable error; r1 will be retried.",
        "Output topic: Broker 1 refuses r2: sequence number 2 is out of order (OUT_OF_ORDER_SEQUENCE_NUMBER).",
        "Output topic: The producer learns that r2 was out of order; r2 will be retried.",
        "Nothing is in flight any more, and a sequence number was skipped: librdkafka asks for another epoch (InitProducerId). The coordinator aborts the consumer's transaction, which the client does not give up.",
        "The abort marker of the consumer's transaction is appended to the output topic, and waits for the in-sync replicas.",
        "Output topic: Broker 2 hears that broker 1 leads.",
        "InitProducerId is answered: the client goes on in the consumer's transaction with another epoch, and takes its partition for a part of it. The coordinator has no transaction open.",
        "Output topic: The producer puts r1 on the wire.",
        "Output topic: Broker 1 appends r1 at offset 2.",
        "Output topic: The producer puts r2 on the wire.",
        "commit: offset 3 is sent to the transaction, pending.",
        "Output topic: The acknowledgement of r1 reaches the producer.",
        "Output topic: Broker 1 appends r2 at offset 3.",
        "Output topic: The acknowledgement of r2 reaches the producer.",
        "commitTransaction: the coordinator writes down that the transaction commits.",
        "The commit marker of the consumer's transaction reaches the group's offsets: the committed offset is 3.",
    ];
    judge(&with_faults(PIPELINE, "leader-change = 2")).is_broken(
        Guarantee::NoLoss,
        &steps,
        "r0 and r1 and r2: confirmed to the application, without an effect, and never delivered any more.",
    );
}

#[test]
fn a_refused_request_before_one_in_flight_is_enough() {
    judge(PIPELINE)
        .violates(Guarantee::NoLoss)
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::InOrder)
        .violates(Guarantee::Progress)
        .holds(Guarantee::NoPhantom)
        .reached("request-refused.output-produce")
        .explored(19_359, 47_383);
}

#[test]
fn a_client_that_fails_its_transaction_loses_nothing() {
    holds_all(&changed(PIPELINE, "\"1.6\"", "\"1.8.2\""))
        .reached("request-refused.output-produce")
        .explored(18_781, 46_435);
}

#[test]
fn one_change_of_leader_skips_no_number() {
    holds_all(&with_faults(PIPELINE, "leader-change = 1")).reached("leader-change");
}

#[test]
fn without_a_result_before_them_two_skip_no_number() {
    let two = changed(PIPELINE, "records = 3\npoll = 3", "records = 2\npoll = 2");
    holds_all(&two).reached("request-refused.output-produce");
}

#[test]
fn without_offsets_in_it_the_transaction_cannot_be_committed() {
    let outside = changed(
        PIPELINE,
        "kafka[each(produce-async), commit]",
        "kafka[each(produce-async)] -> commit",
    );
    judge(&outside)
        .holds(Guarantee::NoLoss)
        .holds(Guarantee::Progress)
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::InOrder);
}

/// Brokers of 2.5 give the client the epoch that fenced it. What they lose with either version they lose by
/// another rule: they take any sequence number of a producer that they do not know.
#[test]
fn a_client_that_says_which_epoch_it_has_is_given_another_by_brokers_of_2_5() {
    judge(&of_1_8_0())
        .violates(Guarantee::NoDuplicates)
        .violates(Guarantee::Progress)
        .explored(18_621, 46_075);
    judge(&changed(&of_1_8_0(), "\"1.8.0\"", "\"1.8.2\""))
        .holds(Guarantee::NoDuplicates)
        .holds(Guarantee::InOrder)
        .holds(Guarantee::Progress)
        .explored(18_709, 46_315);
}
