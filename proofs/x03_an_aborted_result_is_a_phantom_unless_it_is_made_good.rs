//! **Who reads the output topic uncommitted acts on aborted results: on a second one of the record if it
//! is written again, on a phantom if it is not.**
//!
//! A result is appended before its transaction ends, and a reader with `read_uncommitted` takes it
//! then (G1a in Jepsen's words). After the abort an application that seeks back handles the record
//! again and commits a result of it: the aborted one is made good, and the record has had its effect
//! twice. One that goes on leaves the reader with an effect that nothing stands for: that is what
//! `no-phantom` says of a record of the input topic whose every copy was aborted, too.
//!
//! Proved for Java clients, one partition with one replica, up to 2 records and 1 fault.

use crate::support::{changed, judge, one_record, with_faults};
use semel::Guarantee::{ExactlyOnceEffect, NoDuplicates, NoLoss, NoPhantom, Progress};

const DESIGN: &str = r#"
client = "java"
kafka = "4.1"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "kafka[produce, commit]"
on-abort = "continue"
on-process-failure = { attempts = 2, then = "stop" }

[sink]
effect = "topic"

[output.producer]
transactional.id = "results"

[output.consumer]
isolation.level = "read_uncommitted"

[faults]
process-failure-late = 1

[bounds]
records = 2
"#;

fn committed(design: &str) -> String {
    changed(design, "read_uncommitted", "read_committed")
}

fn seeks(design: &str) -> String {
    changed(design, "on-abort = \"continue\"", "on-abort = \"seek\"")
}

#[test]
fn a_result_that_was_aborted_and_is_not_written_again_is_a_phantom() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "Handling r0 fails after its effect (the result of r0 takes place), and the transaction is aborted and the application goes on without rewinding.",
    ];
    judge(&one_record(DESIGN)).is_broken(
        NoPhantom,
        &steps,
        "r0: its effect took place, and its results were all aborted.",
    );
    judge(DESIGN)
        .violates(NoPhantom)
        .violates(ExactlyOnceEffect)
        .holds(NoDuplicates)
        .holds(Progress)
        .explored(159, 329);
    // Nobody has acted on it.
    judge(&committed(DESIGN))
        .holds(NoPhantom)
        .violates(NoLoss)
        .violates(ExactlyOnceEffect);
}

#[test]
fn one_that_is_written_again_is_a_duplicate() {
    judge(&seeks(DESIGN))
        .holds(NoPhantom)
        .violates(NoDuplicates)
        .violates(ExactlyOnceEffect)
        .holds(NoLoss);
    let sound = judge(&committed(&seeks(DESIGN)));
    for guarantee in semel::Guarantee::ALL {
        sound.holds(guarantee);
    }
}

#[test]
fn a_crash_leaves_no_phantom_for_the_restart_makes_it_good() {
    let crash = with_faults(DESIGN, "consumer-crash = 1");
    judge(&crash)
        .holds(NoPhantom)
        .violates(NoDuplicates)
        .holds(NoLoss)
        .reached("the consumer dies with a transaction open");
}

#[test]
fn with_another_effect_beside_it_the_result_counts_alone() {
    let both = changed(
        DESIGN,
        "kafka[produce, commit]",
        "kafka[produce, process, commit]",
    );
    let both = changed(&both, "effect = \"topic\"", "effect = \"add\"");
    judge(&both).violates(NoPhantom).violates(ExactlyOnceEffect);
    judge(&committed(&both)).holds(NoPhantom).violates(NoLoss);
}
