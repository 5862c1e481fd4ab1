//! A transaction that a database decides (`proofs/derivations-two-phase.md`).

mod support;

use semel::lab::not_hosted;
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
fn runs_on_real_files_refuse_it_by_name() {
    let design = derived("two-phase-timed-out");
    let what = "prepared-transaction = \"resume\"";
    assert_eq!(not_hosted(design.pipeline()), Some(what));
    let verdicts = checked(&design);
    let run = replay(verdicts.of(Guarantee::NoLoss).trace().expect("violated")).expect("a run");
    let directory = tempfile::tempdir().expect("a directory");
    let files = on_files(&run, directory.path()).expect("no failure");
    assert_eq!(files, OnFiles::NotHosted(what));
}

#[test]
fn a_design_without_it_has_no_room_for_it() {
    for design in preset_designs() {
        let cluster = Cluster::new(design.pipeline().clone()).expect("within the limits");
        assert!(!cluster.limits().prepares, "{}", design.name());
    }
}
