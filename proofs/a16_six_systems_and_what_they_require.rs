//! **A16. Six systems, what each requires, and a design that gives it.**
//!
//! | system | guarantee | requires |
//! | --- | --- | --- |
//! | metrics dashboard | at-most-once | no-duplicates, in-order, no-phantom |
//! | payment platform | at-least-once and idempotent | no-loss, exactly-once-effect |
//! | financial ledger | exactly-once | all six |
//! | notification system | at-least-once | no-loss, progress |
//! | fraud detection | at-least-once | no-loss, in-order, progress |
//! | inventory | at-least-once and idempotent | no-loss, exactly-once-effect, in-order |
//!
//! Expected, by hand. Metrics are sent with `acks=0` and committed first: nothing is sent or read
//! twice. The three with money or stock in them write a unique mark with the effect, so neither the
//! consumer's repeats nor those of a producer that sends unconfirmed records again count; their
//! producer is idempotent, and where the order of first effects is required a send that failed is
//! given up, so the first entries of records lie in send order. A notification cannot be taken back
//! and its provider knows no keys: it arrives twice rather than never. For each there is one
//! careless change, and the requirement it breaks: without idempotence a broken connection hands
//! the ledger's requests back newest first; an inventory that sends a failed change again sends it
//! behind a newer one, which it then overwrites.
//!
//! The designs are the presets, each with its own faults: Java clients, one partition with one
//! replica, 2 records, at most 2 of producer crash, consumer crash, lost request and lost answer,
//! and for the ledger consumer pause, with two consumers. The three with a mark are judged with two
//! consumers and at most 2 of consumer crash, consumer pause, slow processing and rebalance, too.

use crate::support::{
    GROUP_FAULTS, GROUP_SITUATIONS, changed, contended, judge, preset, with_faults,
};
use semel::Guarantee::{
    self, ExactlyOnceEffect, InOrder, NoDuplicates, NoLoss, NoPhantom, Progress,
};

struct System {
    preset: &'static str,
    requires: &'static [Guarantee],
    /// One change, and the requirement that it breaks.
    careless: (&'static str, &'static str, Guarantee),
}

const SYSTEMS: [System; 6] = [
    System {
        preset: "metrics-dashboard",
        requires: &[NoDuplicates, InOrder, NoPhantom],
        careless: ("commit -> process", "process -> commit", NoDuplicates),
    },
    System {
        preset: "payment-platform",
        requires: &[NoLoss, ExactlyOnceEffect],
        careless: (
            "dedup-key = \"record\"",
            "dedup-key = \"offset\"",
            ExactlyOnceEffect,
        ),
    },
    System {
        preset: "financial-ledger",
        requires: &[
            NoLoss,
            NoDuplicates,
            ExactlyOnceEffect,
            InOrder,
            NoPhantom,
            Progress,
        ],
        careless: (
            "enable.idempotence = true",
            "enable.idempotence = false",
            InOrder,
        ),
    },
    System {
        preset: "notification-system",
        requires: &[NoLoss, Progress],
        careless: ("process -> commit", "commit -> process", NoLoss),
    },
    System {
        preset: "fraud-detection",
        requires: &[NoLoss, InOrder, Progress],
        careless: ("\"earliest\"", "\"none\"", Progress),
    },
    System {
        preset: "inventory",
        requires: &[NoLoss, ExactlyOnceEffect, InOrder],
        careless: ("\"give-up\"", "\"resend\"", ExactlyOnceEffect),
    },
];

#[test]
fn each_system_gets_what_it_requires() {
    let sizes = SYSTEMS.map(|system| {
        let judged = judge(preset(system.preset));
        for guarantee in system.requires {
            assert!(judged.keeps(*guarantee), "{}: {guarantee}", system.preset);
        }
        judged
            .reached_all(&[
                "producer-crash",
                "consumer-crash",
                "request-lost",
                "response-lost",
            ])
            .agrees_with_stateright();
        (
            judged.verdicts().unique_states(),
            judged.verdicts().transitions(),
        )
    });
    let expected = [
        (373, 686),
        (42_723, 78_144),
        (14_692, 39_542),
        (44_359, 80_371),
        (7_981, 17_133),
        (7_365, 16_466),
    ];
    assert_eq!(sizes, expected);
}

#[test]
fn one_careless_change_breaks_what_a_system_requires() {
    for system in &SYSTEMS {
        let (from, to, guarantee) = system.careless;
        assert!(system.requires.contains(&guarantee), "{}", system.preset);
        let careless = judge(&changed(preset(system.preset), from, to));
        assert!(!careless.keeps(guarantee), "{}", system.preset);
    }
}

#[test]
fn what_a_system_does_not_require_it_may_not_get() {
    let may = |name: &str, guarantee| !judge(preset(name)).keeps(guarantee);
    assert!(may("metrics-dashboard", NoLoss));
    assert!(may("notification-system", NoDuplicates));
    assert!(may("fraud-detection", NoDuplicates));
}

#[test]
fn the_marked_systems_get_it_with_two_consumers_as_well() {
    for system in &SYSTEMS {
        let design = preset(system.preset);
        if !design.contains("remember") {
            continue;
        }
        let judged = if design.contains("instances = 2") {
            judge(&with_faults(design, GROUP_FAULTS))
        } else {
            judge(&contended(design))
        };
        for guarantee in system.requires {
            assert!(judged.keeps(*guarantee), "{}: {guarantee}", system.preset);
        }
        judged
            .reached_all(&GROUP_SITUATIONS)
            .agrees_with_stateright();
    }
}
