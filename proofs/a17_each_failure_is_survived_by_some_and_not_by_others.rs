//! **A17. Every failure of the list is survived by some preset, and not by another.**
//!
//! A preset survives a failure if, with it as the only fault, it keeps `exactly-once-effect` and
//! `in-order`. Without any fault each of them does.
//!
//! | failure | as a fault | survived by | not by, and why |
//! | --- | --- | --- | --- |
//! | consumer crash | `consumer-crash` | dedup-in-transaction | at-least-once: repeats |
//! | broker failure | `broker-crash` | dedup-in-transaction | fire-and-forget: what was on the wire is gone |
//! | lost acknowledgement | `response-lost.produce` | idempotent-producer | retrying-producer: a second entry |
//! | producer retry | `request-refused.produce` | idempotent-producer | retrying-producer: the later record is first |
//! | restart of the producer | `producer-crash` | idempotent-producer | fire-and-forget: what was on the wire is gone |
//! | restart of both sides | `graceful-restart`, `producer-crash` | dedup-in-transaction | dedup-in-memory: the new process does not know what the old one did |
//! | time-out of the session | `consumer-pause` | dedup-in-transaction | at-least-once: the zombie's commit is refused |
//! | time-out of the poll interval | `slow-processing` | dedup-in-transaction | at-least-once: the same |
//! | lost packet, before the broker acted | `request-lost` | idempotent-producer | retrying-producer: reorders |
//! | lost packet, after the broker acted | `response-lost` | idempotent-producer | retrying-producer: a second entry |
//!
//! Of the broker failure one would expect that the idempotent producer survives it, too. It does not
//! with more than one request in flight: the broken connection takes both answers, the client gives
//! the first record up because its time is over while retries are left, and starts a new epoch
//! (`Sender.failBatch`, `TransactionManager.handleFailedBatch`). The second record, which is in the
//! log, is numbered anew and sent again.
//!
//! Proved for the presets as they are (Java clients, one partition with one replica, one consumer,
//! 2 records) with these faults in place of their own, one of each.

use crate::support::{Judged, changed, faults, judge, one_record, preset, with_faults};
use semel::Guarantee;

/// A failure, the fault, a preset that survives, one that does not, and what that one breaks.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Guarantee,
);

const FAILURES: [Row; 10] = [
    (
        "consumer crash",
        "consumer-crash = 1",
        "dedup-in-transaction",
        "at-least-once",
        Guarantee::ExactlyOnceEffect,
    ),
    (
        "broker failure",
        "broker-crash = 1",
        "dedup-in-transaction",
        "fire-and-forget",
        Guarantee::ExactlyOnceEffect,
    ),
    (
        "lost acknowledgement",
        "response-lost.produce = 1",
        "idempotent-producer",
        "retrying-producer",
        Guarantee::ExactlyOnceEffect,
    ),
    (
        "producer retry",
        "request-refused.produce = 1",
        "idempotent-producer",
        "retrying-producer",
        Guarantee::InOrder,
    ),
    (
        "restart of the producer",
        "producer-crash = 1",
        "idempotent-producer",
        "fire-and-forget",
        Guarantee::ExactlyOnceEffect,
    ),
    (
        "restart of both sides",
        "graceful-restart = 1\nproducer-crash = 1",
        "dedup-in-transaction",
        "dedup-in-memory",
        Guarantee::ExactlyOnceEffect,
    ),
    (
        "time-out of the session",
        "consumer-pause = 1",
        "dedup-in-transaction",
        "at-least-once",
        Guarantee::ExactlyOnceEffect,
    ),
    (
        "time-out of the poll interval",
        "slow-processing = 1",
        "dedup-in-transaction",
        "at-least-once",
        Guarantee::ExactlyOnceEffect,
    ),
    (
        "lost packet, before the broker acted",
        "request-lost = 1",
        "idempotent-producer",
        "retrying-producer",
        Guarantee::InOrder,
    ),
    (
        "lost packet, after the broker acted",
        "response-lost = 1",
        "idempotent-producer",
        "retrying-producer",
        Guarantee::ExactlyOnceEffect,
    ),
];

/// The names of the faults in a budget.
fn names(budget: &str) -> Vec<&str> {
    budget
        .lines()
        .filter_map(|line| line.split(" = ").next())
        .collect()
}

fn survives(judged: &Judged) -> bool {
    judged.keeps(Guarantee::ExactlyOnceEffect) && judged.keeps(Guarantee::InOrder)
}

#[test]
fn each_failure_is_survived_by_one_preset_and_not_by_another() {
    for (failure, budget, survivor, victim, broken) in FAILURES {
        let survivor = judge(&with_faults(preset(survivor), budget));
        assert!(survives(&survivor), "{failure}");
        survivor
            .reached_all(&names(budget))
            .agrees_with_stateright();

        let victim = judge(&with_faults(preset(victim), budget));
        let mut struck = faults(victim.run_against(broken));
        let mut whole = names(budget);
        struck.sort_unstable();
        whole.sort_unstable();
        assert_eq!(struck, whole, "{failure}");
        victim.agrees_with_stateright();
    }
}

#[test]
fn without_a_failure_each_of_them_survives() {
    for (_, _, survivor, victim, _) in FAILURES {
        for name in [survivor, victim] {
            let calm = judge(&with_faults(preset(name), "consumer-crash = 1\ntotal = 0"));
            for guarantee in Guarantee::ALL {
                assert!(calm.keeps(guarantee), "{name}: {guarantee}");
            }
        }
    }
}

/// The least expected of them, told.
#[test]
fn both_sides_restart_in_good_order_and_a_record_is_applied_twice() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The producer's process dies and starts again with a new producer id.",
        "After its restart the application sends r0 again, which it never saw acknowledged.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "skip-if-seen: the dedup store does not know r0.",
        "process: the effect of r0 takes place.",
        "remember: r0 is in the dedup store.",
        "commit: the group's committed offset is 1.",
        "The consumer is shut down with nothing in hand.",
        "The consumer starts, joins the group and reads from offset 1 (the committed offset).",
        "A poll returns r0 (offset 1; its effect already took place).",
        "skip-if-seen: the dedup store does not know r0.",
        "process: the effect of r0 takes place a second time.",
    ];
    let end = "r0: the effect took place twice.";
    let budget = "graceful-restart = 1\nproducer-crash = 1";
    let design = one_record(&with_faults(preset("dedup-in-memory"), budget));
    judge(&design)
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(169, 259);
}

#[test]
fn an_idempotent_producer_alone_does_not_survive_a_broker_failure() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "The broker's process dies and starts again; the producer's connection breaks.",
        "The missing answer for r0 is noticed when delivery.timeout.ms has passed, so that it is not sent again; r0 is reported failed, and the client starts a new producer epoch with new sequence numbers.",
        "The producer puts r1 on the wire again (retry 1).",
        "The broker appends r1 at offset 2, a second entry of the same record.",
        "A poll returns r0 (offset 0) and r1 (offset 1).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "db[process, save-offset] of r1 is committed to the database: the effect of r1 takes place and offset 2 is saved.",
        "A poll returns r1 (offset 2; its effect already took place).",
        "db[process, save-offset] of r1 is committed to the database: the effect of r1 takes place a second time and offset 3 is saved.",
    ];
    let end = "r1: the effect took place twice.";
    let failing = with_faults(preset("idempotent-producer"), "broker-crash = 1");
    judge(&failing)
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(971, 1_630);
    let one_at_a_time = changed(
        &failing,
        "max.in.flight.requests.per.connection = 5",
        "max.in.flight.requests.per.connection = 1",
    );
    assert!(survives(&judge(&one_at_a_time)));
}
