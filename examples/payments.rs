//! A payments consumer in four versions, of which one books every payment exactly once.
//!
//! `cargo run --example payments` shows what is found; `cargo test --example payments` checks it.

use rusqlite::{Connection, OptionalExtension, params};
use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
use semel::harness::{BoxError, Kafka, Record, RecordId, Report, Service};
use std::path::Path;

/// In which order a payment is handled.
#[derive(Clone, Copy, Debug)]
enum Version {
    /// Commit the offset, then book.
    CommitFirst,
    /// Book, then commit the offset.
    ProcessFirst,
    /// Look the payment up, book it, remember it: three transactions. Then commit.
    LookUpThenProcess,
    /// Book and remember under a unique key, in one transaction. Then commit.
    DedupInTransaction,
}

/// The consumer over its database.
struct Payments(Version);

fn open(dir: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(dir.join("payments.db"))?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS booking (number INTEGER PRIMARY KEY, payment INTEGER, cents INTEGER);
         CREATE TABLE IF NOT EXISTS seen (payment INTEGER PRIMARY KEY);",
    )?;
    Ok(db)
}

fn book(db: &Connection, payment: &Record) -> Result<(), BoxError> {
    let cents: i64 = std::str::from_utf8(&payment.payload)?.parse()?;
    let id = payment.id.0 as i64;
    db.execute(
        "INSERT INTO booking (payment, cents) VALUES (?1, ?2)",
        params![id, cents],
    )?;
    Ok(())
}

fn is_seen(db: &Connection, payment: &Record) -> rusqlite::Result<bool> {
    let id = payment.id.0 as i64;
    let row = db.query_row("SELECT 1 FROM seen WHERE payment = ?1", [id], |_| Ok(()));
    Ok(row.optional()?.is_some())
}

/// Whether it was not there yet.
fn remember(db: &Connection, payment: &Record) -> rusqlite::Result<bool> {
    let id = payment.id.0 as i64;
    Ok(db.execute("INSERT OR IGNORE INTO seen (payment) VALUES (?1)", [id])? == 1)
}

impl Payments {
    fn handle(&self, db: &mut Connection, kafka: &Kafka, payment: &Record) -> Result<(), BoxError> {
        match self.0 {
            Version::CommitFirst => {
                kafka.commit_record(payment)?;
                kafka.point_of("committed", payment)?;
                book(db, payment)?;
            }
            Version::ProcessFirst => {
                book(db, payment)?;
                kafka.point_of("booked", payment)?;
                kafka.commit_record(payment)?;
            }
            Version::LookUpThenProcess => {
                if !is_seen(db, payment)? {
                    kafka.point_of("looked up", payment)?;
                    book(db, payment)?;
                    kafka.point_of("booked", payment)?;
                    remember(db, payment)?;
                }
                kafka.commit_record(payment)?;
            }
            Version::DedupInTransaction => {
                let transaction = db.transaction()?;
                if remember(&transaction, payment)? {
                    kafka.point_in_transaction("remembered", payment)?;
                    book(&transaction, payment)?;
                    kafka.point_in_transaction("booked", payment)?;
                }
                transaction.commit()?;
                kafka.commit_record(payment)?;
            }
        }
        Ok(())
    }
}

impl Service for Payments {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let mut db = open(dir)?;
        loop {
            let payments = kafka.poll()?;
            if payments.is_empty() {
                return Ok(());
            }
            for payment in &payments {
                self.handle(&mut db, &kafka, payment)?;
            }
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let db = open(dir)?;
        let mut rows = db.prepare("SELECT payment FROM booking ORDER BY number")?;
        let ids = rows.query_map([], |row| Ok(RecordId(row.get::<_, i64>(0)? as u64)))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

fn check(version: Version) -> Result<Report, semel::harness::Error> {
    semel::harness(Payments(version))
        .records(1..=2)
        .payload(|id| format!("{}", 100 + id.0).into_bytes())
        .try_check(&[NoLoss, ExactlyOnceEffect])
}

fn main() -> Result<(), semel::harness::Error> {
    for version in [
        Version::CommitFirst,
        Version::ProcessFirst,
        Version::LookUpThenProcess,
        Version::DedupInTransaction,
    ] {
        println!("{version:?}\n{}", check(version)?);
    }
    Ok(())
}

#[test]
fn commit_first_loses_a_payment() -> Result<(), semel::harness::Error> {
    let report = check(Version::CommitFirst)?;
    let lost = report
        .violation(NoLoss)
        .expect("a payment that nobody books");
    assert_eq!(lost.schedule, "records=1 crash-after@2");
    assert_eq!(
        lost.wrong,
        ["r0: it has no effect, and nobody will deliver it again"]
    );
    assert!(report.violation(ExactlyOnceEffect).is_some());
    Ok(())
}

#[test]
fn process_first_books_a_payment_twice() -> Result<(), semel::harness::Error> {
    let report = check(Version::ProcessFirst)?;
    assert!(report.violation(NoLoss).is_none());
    let twice = report
        .violation(ExactlyOnceEffect)
        .expect("a payment booked twice");
    let calls = [
        "        The service starts.",
        "        It joins the group and reads from offset 0 (no offset is committed).",
        "    1   A poll returns r0 (offset 0).",
        "    2 ! The process dies before point \"booked\" of r0. [crash@2]",
        "        The service starts again.",
        "        It joins the group and reads from offset 0 (no offset is committed).",
        "    3   A poll returns r0 (offset 0; its effect already took place).",
        "    4   Point \"booked\" of r0.",
        "    5   Commit: the group's committed offset is 1.",
        "    6   A poll returns nothing.",
    ];
    assert_eq!(twice.story, calls.join("\n"));
    assert_eq!(twice.wrong, ["r0: the effect took place twice"]);
    Ok(())
}

#[test]
fn a_look_up_outside_of_the_transaction_books_a_payment_twice() -> Result<(), semel::harness::Error>
{
    let report = check(Version::LookUpThenProcess)?;
    assert!(report.violation(NoLoss).is_none());
    let twice = report
        .violation(ExactlyOnceEffect)
        .expect("a payment booked twice");
    assert_eq!(twice.schedule, "records=1 crash@3");
    Ok(())
}

#[test]
fn dedup_in_one_transaction_books_each_payment_once() -> Result<(), semel::harness::Error> {
    use semel::harness::Situation;
    let report = check(Version::DedupInTransaction)?;
    assert!(report.holds(), "{report}");
    // It met what the others fail at.
    let coverage = report.coverage();
    assert!(coverage.point("remembered").crashed_before > 0);
    assert!(coverage.point("booked").crashed_before > 0);
    assert!(coverage.reached(Situation::CrashAfterEffect) > 0);
    assert!(coverage.reached(Situation::RedeliveredAfterEffect) > 0);
    assert!(coverage.reached(Situation::OwnerBeside) > 0);
    Ok(())
}

/// SQLite finds what a killed process left, and rolls it back.
#[cfg(unix)]
#[test]
fn dedup_in_one_transaction_survives_kill_9() -> Result<(), semel::harness::Error> {
    let report = semel::harness(Payments(Version::DedupInTransaction))
        .named("dedup_in_one_transaction_survives_kill_9")
        .records(1..=2)
        .payload(|_| b"100".to_vec())
        .in_child_process()
        .runs(60)
        .try_check(&[NoLoss, ExactlyOnceEffect])?;
    assert!(report.holds(), "{report}");
    assert!(report.coverage().point("booked").crashed_before > 0);
    Ok(())
}
