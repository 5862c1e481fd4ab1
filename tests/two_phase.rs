//! A transaction that a database decides (`proofs/derivations-two-phase.md`).

mod support;

use semel::lab::{Remnant, Run, Sync};
use semel::replay::{OnFiles, on_files, replay};
use semel::{CheckOptions, Design, Guarantee, Verdicts, check};
use support::{derived_designs, preset_designs};

use semel_models::cluster::Cluster;

fn derived(name: &str) -> Design {
    let mut designs = derived_designs().into_iter();
    designs
        .find(|design| design.name() == name)
        .expect("a design of tests/derived")
}

fn checked(design: &Design) -> Verdicts {
    check(design, &CheckOptions::default()).expect("within the model's limits")
}

fn reached(verdicts: &Verdicts, situation: &str) -> bool {
    let mut witnesses = verdicts.witnesses().iter();
    let own = witnesses.find(|witness| witness.name.contains(situation));
    own.expect("the verdict speaks of it").reached
}

#[test]
fn a_start_that_finds_a_prepared_transaction_is_among_the_runs_that_hold() {
    let verdicts = checked(&derived("two-phase-endless"));
    assert!(reached(&verdicts, "the database says is prepared"));
    assert!(reached(&verdicts, "between produce and db[save-offset]"));
    assert!(reached(&verdicts, "db[save-offset] and the end of"));
}

#[test]
fn the_shortest_loss_is_a_crash_a_timeout_and_a_start_behind_the_checkpoint() {
    let verdicts = checked(&derived("two-phase-timed-out"));
    let trace = verdicts.of(Guarantee::NoLoss).trace().expect("violated");
    let last: Vec<&str> = trace.steps()[trace.steps().len() - 3..]
        .iter()
        .map(|step| step.action())
        .collect();
    assert_eq!(last, ["crash", "time-out", "join"]);
}

#[test]
fn a_fault_that_a_timeout_of_2147483647_rules_out_is_never_met() {
    let verdicts = checked(&derived("two-phase-healthy-endless"));
    assert!(!reached(&verdicts, "transaction-timeout"));
}

#[test]
fn on_real_files_a_database_has_what_is_prepared_in_a_row_from_its_commit_on() {
    let design = derived("two-phase-timed-out");
    let verdicts = checked(&design);
    let trace = verdicts.of(Guarantee::NoLoss).trace().expect("violated");
    let run = replay(trace).expect("a run");
    let directory = tempfile::tempdir().expect("a directory");
    let mut on_files = Run::start(directory.path(), design.pipeline().clone(), Sync::Simulated);
    let on_files = on_files.as_mut().expect("it starts");
    let mut said = Vec::new();
    for step in run.steps() {
        on_files
            .take(step.action())
            .expect("the disk does its work");
        let left = Remnant::recover(directory.path(), design.pipeline());
        let left = left.expect("it recovers");
        assert_eq!(left.prepared.is_empty(), left.saved.is_none());
        said.push(left.prepared.len());
    }
    assert!(said.contains(&0) && said.last() == Some(&1), "{said:?}");
}

#[test]
fn every_counterexample_comes_to_the_same_ledger_on_real_files() {
    let designs = derived_designs().into_iter();
    let mut replayed = 0;
    for design in designs.filter(|design| design.name().starts_with("two-phase")) {
        let verdicts = checked(&design);
        for guarantee in Guarantee::ALL {
            if let Some(trace) = verdicts.of(guarantee).trace() {
                let run = replay(trace).expect("a run");
                let directory = tempfile::tempdir().expect("a directory");
                let files = on_files(&run, directory.path()).expect("the disk does its work");
                assert_eq!(files, OnFiles::Agrees, "{}: {guarantee}", design.name());
                replayed += 1;
            }
        }
    }
    assert!(replayed > 15, "{replayed}");
}

#[test]
fn a_design_without_it_has_no_room_for_it() {
    for design in preset_designs() {
        let cluster = Cluster::new(design.pipeline().clone()).expect("within the limits");
        assert!(!cluster.limits().prepares, "{}", design.name());
    }
}
