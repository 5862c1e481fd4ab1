//! Bounds: what no run can keep is refused, and what is asked for is tried.

use super::script::Script;
use semel::Guarantee::{ExactlyOnceEffect, NoDuplicates, NoLoss};
use semel::harness::{BoxError, Harness, Kafka, RecordId, Service};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

fn commits_first() -> Harness {
    semel::harness(Script("commit -> process")).records(1..=1)
}

fn refused(harness: Harness) -> String {
    let verdict = harness.try_check(&[NoLoss]);
    verdict.expect_err("there is no verdict").to_string()
}

#[test]
fn a_range_without_a_number_is_refused() {
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tried")]
    let told = refused(commits_first().crashes(3..=1));
    assert_eq!(told, "crashes(3..=1): the range is empty");
}

#[test]
fn more_faults_at_least_than_at_most_are_refused() {
    let told = refused(commits_first().crashes(3..=3).faults(2));
    assert!(told.contains("at least 3 faults in each run"), "{told}");
}

#[test]
fn as_many_faults_are_allowed_as_are_asked_for_at_least() {
    let harness = commits_first()
        .crashes(1..=1)
        .lost_requests(0..=0)
        .lost_answers(1..=1)
        .pauses(1..=1)
        .max_poll_records(1)
        .runs(20_000);
    let report = harness.try_check(&[NoLoss]).expect("a verdict");
    let lost = report.violation(NoLoss).expect("a crash loses the record");
    assert_eq!(lost.faults, 3);
}

#[test]
fn where_no_run_has_the_faults_that_are_asked_for_there_is_no_verdict() {
    struct NeverCommits;
    impl Service for NeverCommits {
        fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
            while !kafka.poll()?.is_empty() {}
            Ok(())
        }
        fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
            Ok(Vec::new())
        }
    }
    let told = refused(semel::harness(NeverCommits).lost_requests(1..=1));
    assert!(told.starts_with("none of"), "{told}");
}

/// Reads what it has handled when it starts, and never commits.
struct KnowsFromItsStart;

impl Service for KnowsFromItsStart {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let known = self.effects(dir)?;
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            for record in records.iter().filter(|record| !known.contains(&record.id)) {
                let mut effects = std::fs::read(dir.join("effects")).unwrap_or_default();
                effects.push(record.id.0 as u8);
                std::fs::write(dir.join("effects"), effects)?;
            }
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let ids = std::fs::read(dir.join("effects")).unwrap_or_default();
        Ok(ids.into_iter().map(|id| RecordId(u64::from(id))).collect())
    }
}

#[test]
fn a_process_that_stood_still_at_a_poll_goes_on_with_several_records() {
    let report = semel::harness(KnowsFromItsStart)
        .records(4..=4)
        .max_poll_records(2)
        .crashes(0..=0)
        .try_check(&[NoDuplicates])
        .expect("a verdict");
    let twice = report
        .violation(NoDuplicates)
        .expect("both handle the rest");
    assert_eq!(twice.schedule, "records=4 pause@2");
    assert!(!twice.story.contains("panicked"), "{}", twice.story);
}

#[test]
fn a_thousand_records_are_no_run_without_end() {
    semel::harness(Script("db[process, remember] -> commit"))
        .records(1_000..=1_000)
        .runs(3)
        .check(&[ExactlyOnceEffect]);
}

#[test]
fn effects_that_differ_from_run_to_run_are_no_verdict() {
    struct ByChance(AtomicU64);
    impl Service for ByChance {
        fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
            while !kafka.poll()?.is_empty() {}
            Ok(())
        }
        fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
            // Every third time there is none.
            let run = self.0.fetch_add(1, Ordering::Relaxed);
            Ok(vec![RecordId(0); usize::from(run % 3 != 2)])
        }
    }
    let chance = ByChance(AtomicU64::new(0));
    let told = refused(semel::harness(chance).records(1..=1));
    assert!(told.contains("led to these effects: r0"), "{told}");
}

#[test]
fn a_service_without_points_is_told_what_that_means() {
    struct Idle;
    impl Service for Idle {
        fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
            while !kafka.poll()?.is_empty() {}
            Ok(())
        }
        fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
            Ok(vec![RecordId(0)])
        }
    }
    let report = semel::harness(Idle).records(1..=1).check(&[NoLoss]);
    let told = report.to_string();
    assert!(told.contains("the service names no point(..)"), "{told}");
}
