//! Child processes die by SIGKILL: nothing is flushed, and what is there recovers.
#![cfg(unix)]

use super::script::Script;
use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
use semel::harness::{BoxError, Harness, Kafka, RecordId, Service, Situation};
use std::io::Write;
use std::path::Path;

/// Commits what is still in a buffer. That is written when the buffer is dropped.
struct Buffering;

impl Service for Buffering {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let mut options = std::fs::OpenOptions::new();
        let file = options
            .create(true)
            .append(true)
            .open(dir.join("effects"))?;
        let mut effects = std::io::BufWriter::new(file);
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(effects.flush()?);
            }
            for record in &records {
                effects.write_all(&[record.id.0 as u8])?;
                kafka.commit_record(record)?;
            }
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let ids = std::fs::read(dir.join("effects")).unwrap_or_default();
        Ok(ids.into_iter().map(|id| RecordId(u64::from(id))).collect())
    }
}

fn buffering() -> Harness {
    semel::harness(Buffering)
        .named("children::a_buffer_that_a_destructor_flushes_is_lost_with_the_process")
        .records(1..=1)
        .crashes(0..=1)
        .lost_requests(0..=0)
        .lost_answers(0..=0)
}

#[test]
fn a_buffer_that_a_destructor_flushes_is_lost_with_the_process() {
    let report = buffering()
        .in_child_process()
        .try_check(&[NoLoss])
        .expect("a verdict");
    let lost = report
        .violation(NoLoss)
        .expect("the buffer died with the process");
    assert_eq!(lost.schedule, "records=1 crash-after@2");
}

#[test]
fn the_same_buffer_is_flushed_on_the_way_up_where_no_process_dies() {
    buffering().pauses(0..=0).check(&[NoLoss]);
}

#[test]
fn files_and_story_go_on_from_process_to_process() {
    let order = "db[process, remember] -> commit";
    let harness = || {
        semel::harness(Script(order))
            .named("children::files_and_story_go_on_from_process_to_process")
            .records(1..=2)
            .crashes(0..=2)
            .lost_answers(0..=0)
    };
    let inside = harness()
        .in_child_process()
        .runs(60)
        .check(&[NoLoss, ExactlyOnceEffect]);
    assert!(inside.coverage().reached(Situation::CrashAfterEffect) > 0);
    assert!(inside.coverage().reached(Situation::RedeliveredAfterEffect) > 0);
    let outside = harness()
        .pauses(0..=0)
        .runs(60)
        .check(&[NoLoss, ExactlyOnceEffect]);
    assert_eq!(
        inside.to_string(),
        outside.to_string(),
        "it makes no difference to this service"
    );
}

#[test]
fn a_process_that_is_killed_by_nobody_of_the_schedule_is_no_verdict() {
    struct KillsItself;
    impl Service for KillsItself {
        fn run(&self, _: &Path, _: Kafka) -> Result<(), BoxError> {
            let itself = std::process::id().to_string();
            std::process::Command::new("kill")
                .args(["-9", &itself])
                .status()?;
            std::thread::park();
            Ok(())
        }
        fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
            Ok(Vec::new())
        }
    }
    let harness = semel::harness(KillsItself)
        .named("children::a_process_that_is_killed_by_nobody_of_the_schedule_is_no_verdict")
        .in_child_process();
    let told = harness.try_check(&[NoLoss]).expect_err("no verdict");
    let told = told.to_string();
    assert!(told.contains("no schedule asked for that"), "{told}");
}
