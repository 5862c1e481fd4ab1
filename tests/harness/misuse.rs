//! What is no verdict is told, with what to do.

use super::script::Script;
use semel::Guarantee::{InOrder, NoLoss, Progress};
use semel::harness::{BoxError, Error, Kafka, RecordId, Report, Service};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

struct Only<F>(F);

impl<F> Service for Only<F>
where
    F: Fn(&Path, &Kafka) -> Result<(), BoxError> + Send + Sync + 'static,
{
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        (self.0)(dir, &kafka)
    }

    fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
        Ok(vec![RecordId(0)])
    }
}

fn check(
    service: impl Fn(&Path, &Kafka) -> Result<(), BoxError> + Send + Sync + 'static,
) -> Result<Report, Error> {
    semel::harness(Only(service))
        .records(1..=1)
        .calls(50)
        .try_check(&[NoLoss])
}

fn refused(
    service: impl Fn(&Path, &Kafka) -> Result<(), BoxError> + Send + Sync + 'static,
) -> String {
    check(service).expect_err("there is no verdict").to_string()
}

#[test]
fn a_service_that_takes_its_death_for_the_end_of_the_topic_is_told_so() {
    let told = refused(|_, kafka| {
        while kafka.poll().is_ok_and(|records| !records.is_empty()) {}
        Ok(())
    });
    assert!(told.contains("it returned Ok(())"), "{told}");
    assert!(told.contains("pass it up with '?'"), "{told}");
    assert!(
        told.contains("The process dies before poll. [crash@1]"),
        "{told}"
    );
}

#[test]
fn a_service_that_polls_on_after_its_death_is_stopped() {
    let told = refused(|_, kafka| {
        loop {
            if kafka.poll().is_ok_and(|records| records.is_empty()) {
                return Ok(());
            }
        }
    });
    assert!(told.contains("it went on calling Kafka"), "{told}");
}

#[test]
fn a_service_that_does_something_else_each_time_is_told_so() {
    let calls = AtomicU64::new(0);
    let told = refused(move |_, kafka| {
        kafka.point(&format!("number {}", calls.fetch_add(1, Ordering::Relaxed)))?;
        while !kafka.poll()?.is_empty() {}
        Ok(())
    });
    assert!(told.contains("is not deterministic"), "{told}");
    assert!(
        told.contains("call 1 was point \"number 1\" before, and is point \"number 2\" now"),
        "{told}"
    );
}

#[test]
fn a_service_that_fails_although_nothing_went_wrong_gets_no_verdict() {
    let told = refused(|_, _| Err("no table 'payment'".into()));
    assert!(told.contains("fails although nothing went wrong"), "{told}");
    assert!(told.contains("no table 'payment'"), "{told}");
    let told = refused(|_, _| panic!("left and right differ"));
    assert!(
        told.contains("it panicked: left and right differ"),
        "{told}"
    );
    let told = refused(|_, _| Ok(()));
    assert!(
        told.contains("returns before a poll returned nothing"),
        "{told}"
    );
}

#[test]
fn a_service_without_end_violates_progress_asked_for_or_not() {
    let report = check(|_, kafka| {
        loop {
            kafka.poll()?;
        }
    });
    let report = report.expect("a verdict");
    let endless = report.violation(Progress).expect("it has no end");
    assert_eq!(endless.wrong, ["after 50 calls the service still goes on"]);
}

#[test]
fn a_service_that_cannot_start_again_violates_progress() {
    let report = check(|dir, kafka| {
        std::fs::File::create_new(dir.join("lock"))?;
        while !kafka.poll()?.is_empty() {}
        Ok(std::fs::remove_file(dir.join("lock"))?)
    });
    let report = report.expect("a verdict");
    let stuck = report.violation(Progress).expect("the lock stays");
    assert_eq!(stuck.schedule, "records=1 crash@1");
    assert!(
        stuck.wrong[0].contains("start after start, the service ends in an error: File exists")
    );
}

#[test]
fn a_directory_that_cannot_be_written_to_is_named() {
    let folder = tempfile::tempdir().expect("a directory");
    let missing = folder.path().join("missing");
    let error = semel::harness(Script("commit"))
        .directory(&missing)
        .try_check(&[NoLoss]);
    let told = error.expect_err("there is no verdict").to_string();
    assert!(
        told.contains(&format!("cannot use the directory {}", missing.display())),
        "{told}"
    );
    assert!(told.contains(".directory(..)"), "{told}");
}

/// `/sys` can be written to by nobody, the superuser included.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_directory_is_named() {
    let error = semel::harness(Script("commit"))
        .directory("/sys")
        .try_check(&[NoLoss]);
    let told = error.expect_err("there is no verdict").to_string();
    assert!(told.contains("cannot use the directory /sys"), "{told}");
}

/// `/dev/full` is a disk that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_verdict_even_if_it_fills_up_after_a_crash() {
    let told = refused(|dir, kafka| {
        let marker = dir.join("started");
        if marker.exists() {
            std::fs::write("/dev/full", "effect")?;
        }
        std::fs::write(marker, "")?;
        while !kafka.poll()?.is_empty() {}
        Ok(())
    });
    assert!(told.contains("a disk that is full or read-only"), "{told}");
    assert!(told.contains("No space left"), "{told}");
}

#[test]
fn a_guarantee_that_the_effects_do_not_tell_of_is_refused_by_name() {
    let harness = || semel::harness(Script("process -> commit")).unordered_effects();
    let error = harness()
        .try_check(&[NoLoss, InOrder])
        .expect_err("it is refused");
    assert!(error.to_string().starts_with("in-order cannot be judged: "));
    assert!(harness().try_check(&[NoLoss]).is_ok());
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let refused = |harness: semel::harness::Harness| {
        harness
            .try_check(&[NoLoss])
            .expect_err("it is refused")
            .to_string()
    };
    let harness = || semel::harness(Script("process -> commit"));
    assert!(refused(harness().records(0..=3)).contains("at least one"));
    assert!(refused(harness().keys(0)).contains("at least 1"));
    let both = harness().in_child_process().pauses(0..=1);
    assert!(refused(both).contains("knows no pauses"));
}
