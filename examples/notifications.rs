//! A notification sender: its provider is outside, and no transaction covers a message.
//!
//! `cargo run --example notifications` shows what is found; `cargo test --example notifications`
//! checks it.

use semel::Guarantee::{ExactlyOnceEffect, NoDuplicates, NoLoss};
use semel::harness::{BoxError, Error, Kafka, Record, RecordId, Report, Service};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// The provider, whose log of sent messages is a file: it is not part of the service, and a crash of
/// the service does not reach it.
struct Provider<'a> {
    dir: &'a Path,
    /// Whether it recognises the idempotency key of a call that it has answered before.
    knows_keys: bool,
}

impl Provider<'_> {
    fn sent(&self) -> Vec<RecordId> {
        let text = std::fs::read_to_string(self.dir.join("provider")).unwrap_or_default();
        let ids = text.lines().filter_map(|line| line.parse().ok());
        ids.map(RecordId).collect()
    }

    fn send(&self, notification: &Record) -> std::io::Result<()> {
        if self.knows_keys && self.sent().contains(&notification.id) {
            return Ok(());
        }
        let file = self.dir.join("provider");
        let mut log = OpenOptions::new().create(true).append(true).open(file)?;
        writeln!(log, "{}", notification.id.0)
    }
}

/// The sender.
#[derive(Clone, Copy)]
struct Notifications {
    knows_keys: bool,
}

impl Notifications {
    fn provider<'a>(&self, dir: &'a Path) -> Provider<'a> {
        let knows_keys = self.knows_keys;
        Provider { dir, knows_keys }
    }
}

impl Service for Notifications {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let provider = self.provider(dir);
        loop {
            let notifications = kafka.poll()?;
            if notifications.is_empty() {
                return Ok(());
            }
            for notification in &notifications {
                provider.send(notification)?;
                kafka.point_of("sent", notification)?;
            }
            // One commit a poll.
            kafka.commit()?;
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        Ok(self.provider(dir).sent())
    }
}

fn check(knows_keys: bool) -> Result<Report, Error> {
    semel::harness(Notifications { knows_keys })
        .records(1..=4)
        .crashes(0..=2)
        .try_check(&[NoLoss, NoDuplicates, ExactlyOnceEffect])
}

fn main() -> Result<(), Error> {
    println!("without idempotency keys\n{}", check(false)?);
    println!("with idempotency keys\n{}", check(true)?);
    Ok(())
}

#[test]
fn without_idempotency_keys_nobody_is_missed_and_some_hear_twice() -> Result<(), Error> {
    let report = check(false)?;
    assert!(report.violation(NoLoss).is_none());
    let twice = report.violation(NoDuplicates).expect("a repeated message");
    assert_eq!(twice.schedule, "records=1 crash@2");
    assert_eq!(twice.wrong, ["r0: the effect took place twice"]);
    Ok(())
}

#[test]
fn a_provider_that_knows_idempotency_keys_sends_each_once() -> Result<(), Error> {
    use semel::harness::Situation;
    let report = check(true)?;
    assert!(report.holds(), "{report}");
    let coverage = report.coverage();
    assert!(coverage.point("sent").crashed_before > 0);
    assert!(coverage.reached(Situation::RedeliveredAfterEffect) > 0);
    Ok(())
}
