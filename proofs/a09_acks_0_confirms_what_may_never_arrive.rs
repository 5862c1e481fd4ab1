//! **A9, the part of `acks=0`: a record that nobody has is confirmed, and whatever strikes the
//! request loses it.**
//!
//! With `acks=0` the producer counts a record as delivered when it is on the wire. A connection
//! that breaks, a producer that dies and a broker that dies each lose what is there, and nobody
//! sends it again, for nobody knows. With `acks=1` and `acks=all` the confirmation is the broker's,
//! and the same faults lose nothing. What no setting of `acks` helps against is a single replica
//! that has not flushed what it confirmed: there is no other one to ask.
//!
//! Proved: `no-loss` for `acks=1` and `acks=all`, with a Java producer without idempotence and a
//! consumer that applies what is in the log exactly once; one partition with one replica, one
//! consumer, 2 records, and at most 2 of the faults producer crash, lost request, lost answer and
//! crash of the broker. Which failure loses what where there are more replicas is not part of this.

use crate::support::{changed, judge, story, with_faults};
use semel::Guarantee;

const UNASKED: &str = r#"
client = "java"

[producer]
acks = "0"
enable.idempotence = false

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "db[process, save-offset]"
on-restart = "forget"

[sink]
effect = "add"

[faults]
producer-crash = 1
request-lost = 1
response-lost = 1
broker-crash = 1
total = 2

[bounds]
records = 2
"#;

const LOST: &str =
    "r0: confirmed to the application, without an effect, and never delivered any more.";

fn with_acks(acks: &str) -> String {
    changed(UNASKED, "acks = \"0\"", &format!("acks = \"{acks}\""))
}

#[test]
fn a_broken_connection_loses_what_is_on_the_wire() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire; with acks=0 it counts as delivered at once.",
        "The connection breaks: the produce request of r0 never reaches the broker.",
    ];
    judge(&story(UNASKED, "request-lost"))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .explored(7, 6);
}

#[test]
fn a_producer_that_dies_loses_what_is_on_the_wire() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire; with acks=0 it counts as delivered at once.",
        "The producer's process dies and starts again; r0 was still on the wire and is gone.",
    ];
    judge(&story(UNASKED, "producer-crash"))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .explored(14, 13);
}

#[test]
fn a_broker_that_dies_loses_what_is_on_the_wire() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire; with acks=0 it counts as delivered at once.",
        "The broker's process dies and starts again; the producer's connection breaks.",
    ];
    judge(&story(UNASKED, "broker-crash"))
        .is_broken(Guarantee::NoLoss, &steps, LOST)
        .explored(16, 18);
}

#[test]
fn who_is_not_asked_does_not_send_twice() {
    judge(UNASKED)
        .holds(Guarantee::NoDuplicates)
        .holds(Guarantee::InOrder)
        .reached("request-lost")
        .reached("producer-crash")
        .reached("broker-crash")
        .explored(263, 427);
}

#[test]
fn acks_1_loses_nothing_to_the_same_faults() {
    judge(&with_acks("1"))
        .holds(Guarantee::NoLoss)
        .reached("request-lost")
        .reached("producer-crash")
        .reached("broker-crash")
        .reached("a record is sent again after its answer was lost")
        .explored(12_469, 24_106);
}

#[test]
fn acks_all_loses_nothing_to_the_same_faults() {
    judge(&with_acks("all"))
        .holds(Guarantee::NoLoss)
        .reached("request-lost")
        .reached("producer-crash")
        .reached("broker-crash")
        .reached("a record is sent again after its answer was lost")
        .explored(12_469, 24_106);
}

#[test]
fn no_acks_help_against_a_single_replica_that_is_not_flushed() {
    for acks in ["0", "1", "all"] {
        let unflushed = with_faults(&with_acks(acks), "power-loss-all = 1");
        judge(&unflushed)
            .violates(Guarantee::NoLoss)
            .agrees_with_stateright();
        let flushed = changed(
            &unflushed,
            "[consumer]",
            "[topic]\nflush.messages = 1\n\n[consumer]",
        );
        assert_eq!(judge(&flushed).keeps(Guarantee::NoLoss), acks != "0");
    }
}
