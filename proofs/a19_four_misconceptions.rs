//! **A19. Four misconceptions, each refuted by a run, with what is true instead.**
//!
//! 1. *Exactly-once means that nothing is ever handled twice.* It is the effect that is there once:
//!    a run handles a record twice, and the sink is what it should be in every run (A7, A8).
//! 2. *Kafka gives exactly-once everywhere by itself.* Its guarantees end at its log: behind an
//!    idempotent producer with `acks=all` a provider outside is called twice, until the provider or
//!    the application recognises the repeat (A11).
//! 3. *At-most-once is the safer choice.* It loses what at-least-once keeps (A13).
//! 4. *`acks=all`, or an idempotent producer, is enough.* `acks=all` alone lets a retry into the log
//!    twice; an idempotent producer is recognised only as long as its process lives, and a new one
//!    that sends again is a stranger (A10).
//!
//! Which four they are is this file's choice: the ones that A7, A8, A10, A11 and A13 answer.
//!
//! Proved with Java clients, one partition with one replica, one consumer and 2 records, and at most
//! 2 of the faults producer crash, consumer crash, lost request and lost answer. The runs are told
//! with one record and one fault.

use crate::support::{changed, judge, story};
use semel::Guarantee;

const DESIGN: &str = r#"
client = "java"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "process -> commit"
on-restart = "forget"

[sink]
effect = "external"

[faults]
producer-crash = 1
consumer-crash = 1
request-lost = 1
response-lost = 1
total = 2

[bounds]
records = 2
"#;

fn with_effect(effect: &str) -> String {
    changed(DESIGN, "effect = \"external\"", effect)
}

#[test]
fn exactly_once_does_not_mean_that_nothing_is_ever_handled_twice() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    let row = with_effect("effect = \"upsert\"");
    judge(&story(&row, "consumer-crash"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .holds(Guarantee::ExactlyOnceEffect);
    judge(&row)
        .violates(Guarantee::NoDuplicates)
        .holds(Guarantee::ExactlyOnceEffect)
        .explored(4_163, 10_139);
}

#[test]
fn kafka_does_not_give_exactly_once_outside_its_log() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "process: the effect of r0 takes place.",
        "The consumer's process dies after process and before commit of r0.",
        "The consumer starts, joins the group and reads from offset 0 (no offset is committed, auto.offset.reset=earliest).",
        "A poll returns r0 (offset 0; its effect already took place).",
        "process: the effect of r0 takes place a second time.",
        "commit: the group's committed offset is 1.",
    ];
    let end = "r0: the effect is in the sink twice.";
    judge(&story(DESIGN, "consumer-crash"))
        .is_broken(Guarantee::ExactlyOnceEffect, &steps, end)
        .explored(30, 42);
    judge(&with_effect(
        "effect = \"external\"\nidempotency-key = true",
    ))
    .holds(Guarantee::ExactlyOnceEffect)
    .reached("the consumer dies between process and commit")
    .explored(3_754, 9_503);
}

#[test]
fn at_most_once_is_not_the_safer_choice() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "A poll returns r0 (offset 0).",
        "commit: the group's committed offset is 1.",
        "The consumer's process dies after commit and before process of r0.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    let commits_first = changed(DESIGN, "process -> commit", "commit -> process");
    judge(&story(&commits_first, "consumer-crash"))
        .is_broken(Guarantee::NoLoss, &steps, end)
        .explored(27, 39);
    judge(DESIGN)
        .holds(Guarantee::NoLoss)
        .reached("the consumer dies between process and commit")
        .explored(4_163, 10_139);
}

#[test]
fn acks_all_alone_is_not_enough() {
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
    // A consumer that applies each entry of the log once: what is doubled is doubled in the log.
    let applied = changed(
        &with_effect("effect = \"add\""),
        "process -> commit",
        "db[process, save-offset]",
    );
    let plain = changed(
        &applied,
        "enable.idempotence = true",
        "enable.idempotence = false",
    );
    judge(&story(&plain, "response-lost"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(35, 45);
    judge(&applied)
        .holds(Guarantee::NoDuplicates)
        .reached("a record is sent again after its answer was lost")
        .explored(2_398, 6_145);
}

#[test]
fn an_idempotent_producer_is_not_enough() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The producer's process dies and starts again with a new producer id.",
        "After its restart the application sends r0 again, which it never saw acknowledged.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time and offset 2 is saved.",
    ];
    let end = "r0: the effect took place twice.";
    let applied = changed(
        &with_effect("effect = \"add\""),
        "process -> commit",
        "db[process, save-offset]",
    );
    let resending = changed(&applied, "\"forget\"", "\"resend-unconfirmed\"");
    judge(&story(&resending, "producer-crash"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(33, 39);
    let marked = changed(
        &resending,
        "db[process, save-offset]",
        "db[process, remember] -> commit",
    );
    judge(&marked)
        .holds(Guarantee::NoDuplicates)
        .holds(Guarantee::ExactlyOnceEffect)
        .reached("the dedup store recognises a record")
        .explored(7_365, 16_466);
}
