//! Which schedules are tried.

use super::script::Script;
use semel::Guarantee::{ExactlyOnceEffect, InOrder, NoDuplicates, NoLoss, Progress};
use semel::harness::{BoxError, Extent, Harness, Kafka, RecordId, Service, Situation};
use std::path::Path;

fn only_crashes(order: &'static str) -> Harness {
    semel::harness(Script(order))
        .lost_requests(0..=0)
        .lost_answers(0..=0)
        .pauses(0..=0)
}

#[test]
fn small_inputs_are_tried_whole() {
    // The calls are poll, point, commit and poll: before each a crash, and one after the commit.
    let report = only_crashes("db[process, remember] -> commit")
        .records(1..=1)
        .crashes(0..=1);
    let report = report.check(&[ExactlyOnceEffect]);
    assert_eq!((report.extent(), report.runs()), (&Extent::All, 1 + 5));
}

#[test]
fn two_crashes_are_tried_at_all_pairs_of_calls() {
    // After a crash before the k-th of these calls the start that follows makes 4 calls, if the
    // commit was not taken, or else 1.
    let report = only_crashes("db[process, remember] -> commit")
        .records(1..=1)
        .crashes(0..=2);
    let report = report.check(&[ExactlyOnceEffect]);
    let second: [u64; 5] = [5, 5, 5, 1, 1];
    assert_eq!(report.runs(), 1 + 5 + second.iter().sum::<u64>());
}

#[test]
fn runs_with_fewer_faults_than_asked_for_are_not_judged() {
    let calm = only_crashes("commit").records(1..=1).crashes(0..=1);
    let calm = calm.try_check(&[NoLoss]).expect("a verdict");
    assert_eq!(calm.violations()[0].schedule, "records=1");
    let crashed = only_crashes("commit").records(1..=1).crashes(1..=1);
    let crashed = crashed.try_check(&[NoLoss]).expect("a verdict");
    assert_eq!(crashed.violations()[0].schedule, "records=1 crash@1");
}

/// Loses the effect of what it was doing when it dies while the seventh record is in hand.
struct SeventhHeaven;

impl Service for SeventhHeaven {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            for record in &records {
                let is_seventh = record.id == RecordId(6);
                if is_seventh {
                    kafka.commit_record(record)?;
                }
                if !self.effects(dir)?.contains(&record.id) {
                    let effects = std::fs::read(dir.join("effects")).unwrap_or_default();
                    std::fs::write(
                        dir.join("effects"),
                        [effects, vec![record.id.0 as u8]].concat(),
                    )?;
                }
                if !is_seventh {
                    kafka.commit_record(record)?;
                }
            }
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let ids = std::fs::read(dir.join("effects")).unwrap_or_default();
        Ok(ids.into_iter().map(|id| RecordId(u64::from(id))).collect())
    }
}

#[test]
fn large_inputs_are_drawn_at_random_and_what_fails_is_shrunk() {
    let tried = || {
        let harness = semel::harness(SeventhHeaven)
            .records(1..=20)
            .crashes(0..=3)
            .runs(600);
        harness
            .try_check(&[NoLoss, ExactlyOnceEffect])
            .expect("a verdict")
    };
    let report = tried();
    let Extent::Part(parts) = report.extent() else {
        panic!("there are more schedules than that");
    };
    assert_eq!(
        parts.first(),
        Some(&(1..=1, 3)),
        "all of those with one record"
    );
    // Seven records and the one crash after the commit of the seventh.
    let lost = report.violation(NoLoss).expect("it is found");
    assert_eq!(lost.schedule, "records=7 crash-after@8");
    assert_eq!(
        report.to_string(),
        tried().to_string(),
        "it is found in the same way"
    );
}

#[test]
fn what_holds_reached_what_it_is_afraid_of() {
    let report = semel::harness(Script("db[process, remember] -> commit"));
    let report = report.check(&[NoLoss, ExactlyOnceEffect, InOrder, NoDuplicates, Progress]);
    for situation in [
        Situation::CrashAfterEffect,
        Situation::RedeliveredAfterEffect,
        Situation::CommitRefused,
        Situation::RequestLost,
        Situation::AnswerLost,
        Situation::OwnerBeside,
    ] {
        assert!(report.coverage().reached(situation) > 0, "{situation}");
    }
    for situation in [
        Situation::CrashAfterCommit,
        Situation::OwnerFailed,
        Situation::SentAgain,
    ] {
        assert_eq!(report.coverage().reached(situation), 0, "{situation}");
    }
}

#[test]
fn a_point_at_which_no_run_died_is_warned_about() {
    let with = only_crashes("process -> commit")
        .records(1..=1)
        .crashes(0..=1)
        .check(&[NoLoss]);
    assert_eq!(with.coverage().never_crashed_at().count(), 0);
    let point = with.coverage().point("processed");
    assert!(point.crashed_before > 0 && point.crashed_after == 0 && point.reached > 4);
    assert!(with.coverage().point("commit").crashed_after > 0);

    let without = only_crashes("process -> commit")
        .records(1..=1)
        .crashes(0..=0)
        .check(&[NoLoss]);
    assert!(
        without
            .to_string()
            .contains("warning: no run died at commit")
    );
}
