//! Designs of two partitions, from the start or since one was added: how large they are, what they reach,
//! and how their runs are told and followed.

mod support;

use semel::catalogue::{broken, fixed, named};
use semel::replay::{OnFiles, Outcome, on_files, replay};
use semel::{CheckOptions, Design, Guarantee, Verdict, Verdicts, check};
use semel_models::cluster::Cluster;
use support::{derived_designs, preset_designs};

fn checked(design: &Design) -> Verdicts {
    check(design, &CheckOptions::default()).expect("within the model's limits")
}

fn derived(name: &str) -> Design {
    let mut designs = derived_designs().into_iter();
    designs
        .find(|design| design.name() == name)
        .expect("a derived design")
}

const SIZES: [(&str, u64, u64); 37] = [
    ("new-partition-answer-lost", 3_653, 11_834),
    ("new-partition-crash", 194, 455),
    ("new-partition-eager-latest", 66, 119),
    ("new-partition-earliest", 497, 1_298),
    ("new-partition-latest", 538, 1_360),
    ("new-partition-librdkafka", 229, 581),
    ("new-partition-none", 351, 913),
    ("new-partition-resent", 322, 732),
    ("new-partition-two-keys", 1_155, 3_294),
    ("two-partitions-auto-java-close-poll-one", 650, 1_741),
    ("two-partitions-auto-java-close", 782, 2_103),
    ("two-partitions-auto-java", 2_117, 6_117),
    ("two-partitions-auto-librdkafka", 1_623, 4_282),
    ("two-partitions-cold-latest", 243, 485),
    ("two-partitions-commit-first", 454, 1_082),
    ("two-partitions-crash", 590, 1_382),
    ("two-partitions-delivery-timeout-resent", 1_780, 4_412),
    ("two-partitions-delivery-timeout", 360, 812),
    (
        "two-partitions-late-produce-without-idempotence",
        2_693,
        6_951,
    ),
    ("two-partitions-late-produce", 1_799, 4_936),
    ("two-partitions-offset-reset", 476, 1_096),
    ("two-partitions-order", 5_728, 17_533),
    ("two-partitions-position-per-poll", 786, 1_827),
    ("two-partitions-position-poll-one", 554, 1_301),
    ("two-partitions-position", 740, 1_733),
    ("two-partitions-producer-id-expiry", 3_312, 8_543),
    ("two-partitions-producer-pause", 22_125, 66_844),
    ("two-partitions-reorder", 2_534, 6_803),
    ("two-partitions-retention", 390, 963),
    ("two-partitions-shared-commit-first", 1_228, 3_622),
    ("two-partitions-shared-crash", 1_700, 4_850),
    ("two-partitions-shared-order", 1_322, 4_083),
    ("two-partitions-shared-rebalance-latest", 456, 1_032),
    ("two-partitions-shared-rebalance", 326, 799),
    ("two-partitions-shared-slow-dedup", 1_585, 4_558),
    ("two-partitions-shared-slow", 1_801, 5_001),
    ("two-partitions-store-after", 1_378, 3_419),
];

#[test]
fn each_design_has_exactly_so_many_states_and_transitions() {
    for (name, states, transitions) in SIZES {
        let verdicts = checked(&derived(name));
        let found = (verdicts.unique_states(), verdicts.transitions());
        assert_eq!(found, (states, transitions), "{name}");
        let mut witnesses = verdicts.witnesses().iter();
        assert!(witnesses.all(|witness| witness.reached), "{name}");
    }
}

#[test]
fn what_is_written_before_the_consumer_knows_of_it_is_passed_over() {
    let entry = named("C14").expect("an entry");
    let verdicts = checked(&broken(entry).expect("a design"));
    let found = (verdicts.unique_states(), verdicts.transitions());
    assert_eq!(found, (63, 116));
    let Verdict::Violated(run) = verdicts.of(Guarantee::NoLoss) else {
        panic!("r0 is lost");
    };
    let last = run.steps().last().expect("a step");
    assert_eq!(
        (run.steps().len(), last.action()),
        (7, "discover-partition")
    );
    let told = "It reads partition 1 from offset 1, behind r0 (no offset is committed there, auto.offset.reset=latest).";
    assert!(last.sentence().ends_with(told), "{}", last.sentence());
    let verdicts = checked(&fixed(entry).expect("a design"));
    let found = (verdicts.unique_states(), verdicts.transitions());
    assert_eq!(found, (61, 115));
    assert_eq!(verdicts.of(Guarantee::NoLoss), &Verdict::Holds);
}

#[test]
fn every_run_can_be_followed_again_on_the_model_and_on_real_files() {
    let mut followed = 0;
    for (name, _, _) in SIZES {
        let verdicts = checked(&derived(name));
        for guarantee in Guarantee::ALL {
            let Some(trace) = verdicts.of(guarantee).trace() else {
                continue;
            };
            let run = replay(trace).expect("it can be replayed");
            let as_recorded = matches!(run.outcome(), Outcome::AsRecorded { .. });
            assert!(as_recorded, "{guarantee} of {name}: {:?}", run.outcome());
            let directory = tempfile::tempdir().expect("a directory");
            let files = on_files(&run, directory.path()).expect("the disk does its work");
            assert_eq!(files, OnFiles::Agrees, "{guarantee} of {name}");
            followed += 1;
        }
    }
    assert!(followed >= 40, "{followed} runs");
}

#[test]
fn names_of_anomalies_are_by_partition() {
    let verdicts = checked(&derived("new-partition-crash"));
    let run = verdicts.of(Guarantee::ExactlyOnceEffect).trace();
    let run = run.expect("it is violated");
    assert!(run.anomalies().is_empty(), "its log is in order");
    let verdicts = checked(&derived("new-partition-latest"));
    let run = verdicts.of(Guarantee::NoLoss).trace();
    let names: Vec<&str> = run
        .expect("it is violated")
        .anomalies()
        .iter()
        .map(|anomaly| anomaly.name())
        .collect();
    assert_eq!(names, ["unseen"]);
}

#[test]
fn every_verdict_says_two_partitions() {
    let design = derived("two-partitions-order");
    let verdicts = checked(&design);
    assert_eq!(verdicts.bound().partitions, 2);
    let text = semel::design::write(design.pipeline(), &design.versions());
    assert!(text.contains("partitions = 2"), "{text}");
    let again = Design::parse("again.toml", text.as_bytes()).expect("a design");
    assert_eq!(again.pipeline(), design.pipeline());
}

#[test]
fn a_commit_of_the_position_is_told_with_both_offsets() {
    let verdicts = checked(&derived("two-partitions-position"));
    let run = verdicts.of(Guarantee::NoLoss).trace().expect("violated");
    let told: Vec<&str> = run.steps().iter().map(|step| step.sentence()).collect();
    let told = told.join("\n");
    assert!(told.contains("and then r0 (offset 0)"), "{told}");
    assert!(
        told.contains("commit: the group's committed offsets are 1 and 1 (partition 1)."),
        "{told}"
    );
}

#[test]
fn a_design_without_it_has_no_room_for_it() {
    for design in preset_designs() {
        let cluster = Cluster::new(design.pipeline().clone()).expect("within the limits");
        assert!(!cluster.limits().second_partition, "{}", design.name());
    }
}
