//! **A18. Both sides are needed: a reliable consumer behind an unreliable producer still loses or
//! duplicates, and the reverse.**
//!
//! | | commit, then process | process, then commit | effect and offset in one transaction |
//! | --- | --- | --- | --- |
//! | `acks=0` | loses | loses, duplicates | loses |
//! | `acks=all`, no idempotence | loses, duplicates | duplicates | duplicates |
//! | `acks=all`, idempotent | loses | duplicates | neither |
//!
//! By hand: a producer that is not answered loses what a broken connection swallows, and one whose
//! retries nobody recognises puts a record into the log twice; a consumer that commits first loses in
//! a crash, and one that handles first repeats. Each side's faults show on its own axis, and the
//! other side cannot see them: a lost record was never in the log, and a second entry of a record is
//! an entry like any other, unless the consumer knows records by name (A8), which mends the
//! duplicates of either side and the losses of neither.
//!
//! Proved for each cell with Java clients, one partition with one replica, one consumer, 2 records,
//! and at most 2 of the faults consumer crash, lost request and lost answer.

use crate::support::{changed, judge, story};
use semel::Guarantee;

const RELIABLE: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "db[process, save-offset]"
on-restart = "forget"

[sink]
effect = "add"

[faults]
consumer-crash = 1
request-lost = 1
response-lost = 1
total = 2

[bounds]
records = 2
"#;

const RECORDED: &str = "acks = \"all\"\nenable.idempotence = true";
const PRODUCERS: [&str; 3] = [
    "acks = \"0\"\nenable.idempotence = false",
    "acks = \"all\"\nenable.idempotence = false",
    RECORDED,
];
const ORDERS: [&str; 3] = [
    "commit -> process",
    "process -> commit",
    "db[process, save-offset]",
];

fn pairing(producer: &str, order: &str) -> String {
    let design = changed(RELIABLE, RECORDED, producer);
    changed(&design, "db[process, save-offset]", order)
}

#[test]
fn only_a_reliable_pair_neither_loses_nor_duplicates() {
    let cell = |producer, order| {
        let judged = judge(&pairing(producer, order));
        judged
            .reached("consumer-crash")
            .reached("request-lost")
            .agrees_with_stateright();
        (
            !judged.keeps(Guarantee::NoLoss),
            !judged.keeps(Guarantee::NoDuplicates),
        )
    };
    let table = PRODUCERS.map(|producer| ORDERS.map(|order| cell(producer, order)));
    // Loses, duplicates.
    let expected = [
        [(true, false), (true, true), (true, false)],
        [(true, true), (false, true), (false, true)],
        [(true, false), (false, true), (false, false)],
    ];
    assert_eq!(table, expected);
}

#[test]
fn the_reliable_pair_gives_exactly_once() {
    judge(RELIABLE)
        .holds(Guarantee::ExactlyOnceEffect)
        .holds(Guarantee::InOrder)
        .reached("a record is sent again after its answer was lost")
        .explored(1_615, 4_226);
}

#[test]
fn a_reliable_consumer_loses_behind_a_producer_that_is_not_answered() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire; with acks=0 it counts as delivered at once.",
        "The connection breaks: the produce request of r0 never reaches the broker.",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(&pairing(PRODUCERS[0], ORDERS[2]), "request-lost"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(7, 6);
}

#[test]
fn a_reliable_consumer_duplicates_behind_a_producer_whose_retries_nobody_recognises() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The broker's answer for r0 is lost; r0 will be retried.",
        "The producer puts r0 on the wire again (retry 1).",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time and offset 2 is saved.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&pairing(PRODUCERS[1], ORDERS[2]), "response-lost"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(35, 45);
}

#[test]
fn behind_a_reliable_producer_a_consumer_loses_or_duplicates_as_its_order_has_it() {
    judge(&story(&pairing(RECORDED, ORDERS[0]), "consumer-crash"))
        .violates(Guarantee::NoLoss)
        .holds(Guarantee::NoDuplicates)
        .explored(27, 39);
    judge(&story(&pairing(RECORDED, ORDERS[1]), "consumer-crash"))
        .violates(Guarantee::NoDuplicates)
        .holds(Guarantee::NoLoss)
        .explored(30, 42);
}

#[test]
fn a_consumer_that_knows_records_by_name_mends_the_duplicates_of_the_producer_and_not_its_losses() {
    let order = "db[process, remember] -> commit";
    judge(&pairing(PRODUCERS[1], order))
        .holds(Guarantee::NoLoss)
        .holds(Guarantee::NoDuplicates)
        .reached("the dedup store recognises a record")
        .explored(3_834, 8_529);
    judge(&pairing(PRODUCERS[0], order))
        .violates(Guarantee::NoLoss)
        .holds(Guarantee::NoDuplicates);
}
