//! Designs of a partition that is added while the pipeline runs: how large they are, what they reach,
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

const SIZES: [(&str, u64, u64); 9] = [
    ("new-partition-answer-lost", 3_653, 11_834),
    ("new-partition-crash", 194, 455),
    ("new-partition-eager-latest", 66, 119),
    ("new-partition-earliest", 497, 1_298),
    ("new-partition-latest", 538, 1_360),
    ("new-partition-librdkafka", 229, 581),
    ("new-partition-none", 351, 913),
    ("new-partition-resent", 322, 732),
    ("new-partition-two-keys", 1_155, 3_294),
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
fn every_run_can_be_followed_again() {
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
            followed += 1;
        }
    }
    assert!(followed >= 15, "{followed} runs");
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
fn runs_on_real_files_refuse_it_by_name() {
    let verdicts = checked(&derived("new-partition-latest"));
    let run = replay(verdicts.of(Guarantee::NoLoss).trace().expect("violated")).expect("a run");
    let directory = tempfile::tempdir().expect("a directory");
    let files = on_files(&run, directory.path()).expect("no failure");
    assert_eq!(files, OnFiles::NotHosted("the fault add-partition"));
}

#[test]
fn a_design_without_it_has_no_room_for_it() {
    for design in preset_designs() {
        let cluster = Cluster::new(design.pipeline().clone()).expect("within the limits");
        assert!(!cluster.limits().adds_partition, "{}", design.name());
    }
}
