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
//! producer is idempotent, so the first entries of records lie in send order. The ledger could do
//! with less (offsets in its database and a producer that forgets), but not if what is in doubt must
//! be sent again. A notification cannot be taken back and its provider knows no keys: it arrives
//! twice rather than never. For each there is one careless change, and the requirement it breaks.
//!
//! Proved with Java clients, one partition with one replica, one consumer, 2 records, and at most 2
//! of the faults producer crash, consumer crash, lost request and lost answer; for the three with a
//! mark also with two consumers, and at most 2 of consumer crash, consumer pause, slow processing
//! and rebalance.

mod support;

use semel::Guarantee::{
    self, ExactlyOnceEffect, InOrder, NoDuplicates, NoLoss, NoPhantom, Progress,
};
use support::{GROUP_SITUATIONS, changed, contended, judge};

struct System {
    name: &'static str,
    producer: &'static str,
    application: &'static str,
    sink: &'static str,
    requires: &'static [Guarantee],
    /// One change, and the requirement that it breaks.
    careless: (&'static str, &'static str, Guarantee),
}

const IDEMPOTENT: &str = "acks = \"all\"\nenable.idempotence = true";

const SYSTEMS: [System; 6] = [
    System {
        name: "metrics dashboard",
        producer: "acks = \"0\"\nenable.idempotence = false",
        application: "order = \"commit -> process\"\non-restart = \"forget\"",
        sink: "effect = \"add\"",
        requires: &[NoDuplicates, InOrder, NoPhantom],
        careless: ("commit -> process", "process -> commit", NoDuplicates),
    },
    System {
        name: "payment platform",
        producer: IDEMPOTENT,
        application: "order = \"db[remember, process] -> commit\"\non-restart = \"resend-unconfirmed\"",
        sink: "effect = \"add\"\ndedup-key = \"record\"",
        requires: &[NoLoss, ExactlyOnceEffect],
        careless: ("\"record\"", "\"offset\"", ExactlyOnceEffect),
    },
    System {
        name: "financial ledger",
        producer: IDEMPOTENT,
        application: "order = \"skip-if-seen -> db[process, remember] -> commit\"\non-restart = \"resend-unconfirmed\"",
        sink: "effect = \"add\"",
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
        name: "notification system",
        producer: IDEMPOTENT,
        application: "order = \"process -> commit\"\non-restart = \"resend-unconfirmed\"",
        sink: "effect = \"external\"",
        requires: &[NoLoss, Progress],
        careless: ("process -> commit", "commit -> process", NoLoss),
    },
    System {
        name: "fraud detection",
        producer: IDEMPOTENT,
        application: "order = \"process -> commit\"\non-restart = \"forget\"",
        sink: "effect = \"add\"",
        requires: &[NoLoss, InOrder, Progress],
        careless: ("\"earliest\"", "\"none\"", Progress),
    },
    System {
        name: "inventory",
        producer: IDEMPOTENT,
        application: "order = \"db[process, remember] -> commit\"\non-restart = \"resend-unconfirmed\"",
        sink: "effect = \"add\"",
        requires: &[NoLoss, ExactlyOnceEffect, InOrder],
        careless: (
            "db[process, remember]",
            "process -> remember",
            ExactlyOnceEffect,
        ),
    },
];

fn design(system: &System) -> String {
    format!(
        r#"
client = "java"

[producer]
{}

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
{}

[sink]
{}

[faults]
producer-crash = 1
consumer-crash = 1
request-lost = 1
response-lost = 1
total = 2

[bounds]
records = 2
"#,
        system.producer, system.application, system.sink
    )
}

#[test]
fn each_system_gets_what_it_requires() {
    let sizes = SYSTEMS.map(|system| {
        let judged = judge(&design(&system));
        for guarantee in system.requires {
            assert!(judged.keeps(*guarantee), "{}: {guarantee}", system.name);
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
        (366, 676),
        (7_365, 16_466),
        (9_453, 20_718),
        (8_000, 17_402),
        (4_163, 10_139),
        (7_365, 16_466),
    ];
    assert_eq!(sizes, expected);
}

#[test]
fn one_careless_change_breaks_what_a_system_requires() {
    for system in &SYSTEMS {
        let (from, to, guarantee) = system.careless;
        assert!(system.requires.contains(&guarantee), "{}", system.name);
        let careless = judge(&changed(&design(system), from, to));
        assert!(!careless.keeps(guarantee), "{}", system.name);
    }
}

#[test]
fn what_a_system_does_not_require_it_may_not_get() {
    let may = |name: &str, guarantee| {
        let system = SYSTEMS.iter().find(|system| system.name == name);
        !judge(&design(system.expect("a system"))).keeps(guarantee)
    };
    assert!(may("metrics dashboard", NoLoss));
    assert!(may("notification system", NoDuplicates));
    assert!(may("fraud detection", NoDuplicates));
}

#[test]
fn the_marked_systems_get_it_with_two_consumers_as_well() {
    for system in &SYSTEMS {
        if system.application.contains("remember") {
            let judged = judge(&contended(&design(system)));
            for guarantee in system.requires {
                assert!(judged.keeps(*guarantee), "{}: {guarantee}", system.name);
            }
            judged
                .reached_all(&GROUP_SITUATIONS)
                .agrees_with_stateright();
        }
    }
}
