//! **A12. At-least-once prefers a duplicate to a loss, in whatever way it is written.**
//!
//! In every design that handles a record before its offset can be committed, and that guards its
//! effect by nothing, the guarantee that breaks is `no-duplicates`, and never `no-loss`.
//!
//! Proved for a family: every combination of a loop (commit for each record or for each poll,
//! waiting for it or not, Java's automatic commit, librdkafka's offset store, the record's own
//! offset instead of the next, a mark that is not in the effect's transaction), a sink (a balance,
//! a row, a provider) and a number of records that a poll may return; each for one partition with
//! one replica, one consumer, 2 records, and at most one crash of the consumer and one lost commit;
//! and each with two consumers, one of which may be taken for dead and go on.
//! The conditions are those of A3: under `latest` every member of the family loses as well.

use crate::support::{changed, faults, judge, story, two_instances, with_faults};
use semel::Guarantee;

/// The client, its settings, and the order of the steps.
const LOOPS: [(&str, &str, &str); 11] = [
    (
        "java",
        "enable.auto.commit = false",
        "order = 'process -> commit'",
    ),
    (
        "java",
        "enable.auto.commit = false",
        "order = 'process -> commit'\ncommit-covers = 'last'",
    ),
    (
        "java",
        "enable.auto.commit = false",
        "order = 'process -> commit-async'",
    ),
    (
        "java",
        "enable.auto.commit = false",
        "order = 'each(process) -> commit'",
    ),
    (
        "java",
        "enable.auto.commit = false",
        "order = 'each(process) -> commit'\ncommit-covers = 'position'",
    ),
    (
        "java",
        "enable.auto.commit = false",
        "order = 'each(process) -> commit-async'",
    ),
    (
        "java",
        "enable.auto.commit = false",
        "order = 'skip-if-seen -> process -> remember -> commit'",
    ),
    ("java", "enable.auto.commit = true", "order = 'process'"),
    (
        "java",
        "enable.auto.commit = true",
        "order = 'each(process)'",
    ),
    (
        "librdkafka",
        "enable.auto.commit = false",
        "order = 'process -> commit'",
    ),
    (
        "librdkafka",
        "enable.auto.commit = true\nenable.auto.offset.store = false",
        "order = 'process -> store-offset'",
    ),
];
const SINKS: [&str; 3] = ["add", "upsert", "external"];
const POLLS: [u16; 2] = [1, 2];

fn family() -> Vec<String> {
    let mut designs = Vec::new();
    for (client, consumer, application) in LOOPS {
        for sink in SINKS {
            for poll in POLLS {
                if client == "librdkafka" && poll > 1 {
                    continue; // it hands over one record at a time
                }
                designs.push(format!(
                    r#"
client = "{client}"

[producer]
acks = "all"
enable.idempotence = true

[consumer]
{consumer}
auto.offset.reset = "earliest"

[application]
{application}

[sink]
effect = "{sink}"

[faults]
consumer-crash = 1
request-lost.offset-commit = 1

[bounds]
records = 2
poll = {poll}
"#
                ));
            }
        }
    }
    designs
}

#[test]
fn no_at_least_once_design_loses_and_one_crash_makes_every_one_repeat() {
    let family = family();
    assert_eq!(family.len(), 60);
    let mut states = 0;
    let mut transitions = 0;
    for design in &family {
        let judged = judge(design);
        assert!(judged.keeps(Guarantee::NoLoss), "loses:\n{design}");
        let run = judged.run_against(Guarantee::NoDuplicates);
        assert_eq!(faults(run), ["consumer-crash"], "{design}");
        judged.reached("consumer-crash").agrees_with_stateright();
        states += judged.verdicts().unique_states();
        transitions += judged.verdicts().transitions();
    }
    assert_eq!((states, transitions), (33_384, 79_110));
}

#[test]
fn under_latest_every_one_loses_as_well() {
    for design in family() {
        let latest = changed(&design, "\"earliest\"", "\"latest\"");
        assert!(
            !judge(&latest).keeps(Guarantee::NoLoss),
            "never loses:\n{latest}"
        );
    }
}

#[test]
fn under_latest_the_plainest_one_loses_like_this() {
    let plainest = family().swap_remove(0);
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The acknowledgement of r0 reaches the producer.",
        "The consumer's process dies between two polls, with nothing in hand.",
        "The consumer starts, joins the group and reads from offset 1 (no offset is committed, auto.offset.reset=latest).",
    ];
    let end = "r0: confirmed to the application, without an effect, and never delivered any more.";
    judge(&story(
        &changed(&plainest, "\"earliest\"", "\"latest\""),
        "consumer-crash",
    ))
    .is_broken(Guarantee::NoLoss, &steps, end)
    .explored(27, 39);
}

#[test]
fn of_two_consumers_a_zombie_is_enough_to_make_every_one_repeat_and_none_loses() {
    let mut states = 0;
    let mut transitions = 0;
    for design in family() {
        let design = two_instances(&with_faults(&design, "consumer-pause = 1"));
        let judged = judge(&design);
        assert!(judged.keeps(Guarantee::NoLoss), "loses:\n{design}");
        let run = judged.run_against(Guarantee::NoDuplicates);
        assert_eq!(faults(run), ["consumer-pause"], "{design}");
        judged
            .reached("a consumer that was put out of the group writes to the sink")
            .agrees_with_stateright();
        states += judged.verdicts().unique_states();
        transitions += judged.verdicts().transitions();
    }
    assert_eq!((states, transitions), (51_203, 113_221));
}
