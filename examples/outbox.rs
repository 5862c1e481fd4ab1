//! The relay of an outbox: it publishes the rows that its service wrote.
//!
//! `cargo run --example outbox` shows what is found; `cargo test --example outbox` checks it.

use rusqlite::Connection;
use semel::Guarantee::{InOrder, NoDuplicates, NoLoss};
use semel::harness::{
    BoxError, Error, Kafka, Message, Producer, RecordId, Report, harness_producer,
};
use std::path::Path;

/// In which order a row is relayed.
#[derive(Clone, Copy, Debug)]
enum Relay {
    /// Publish the row, then mark it.
    PublishFirst,
    /// Mark the row, then publish it.
    MarkFirst,
}

fn open(dir: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(dir.join("outbox.db"))?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, is_published INTEGER)",
    )?;
    Ok(db)
}

fn next_row(db: &Connection) -> rusqlite::Result<Option<i64>> {
    let next = "SELECT min(id) FROM outbox WHERE NOT is_published";
    db.query_row(next, [], |row| row.get(0))
}

fn publish(kafka: &Kafka, row: i64) -> Result<(), BoxError> {
    // An error ends the process: what timed out may be in the topic or not.
    Ok(kafka.send(&Message {
        id: RecordId(row as u64),
        key: b"outbox".to_vec(),
        payload: Vec::new(),
    })?)
}

fn mark(db: &Connection, row: i64) -> Result<(), BoxError> {
    db.execute("UPDATE outbox SET is_published = 1 WHERE id = ?1", [row])?;
    Ok(())
}

impl Producer for Relay {
    /// The service's own transactions have written the rows.
    fn prepare(&self, dir: &Path, messages: &[Message]) -> Result<(), BoxError> {
        let db = open(dir)?;
        for message in messages {
            db.execute("INSERT INTO outbox VALUES (?1, 0)", [message.id.0 as i64])?;
        }
        Ok(())
    }

    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let db = open(dir)?;
        while let Some(row) = next_row(&db)? {
            match self {
                Relay::PublishFirst => {
                    publish(&kafka, row)?;
                    kafka.point("published")?;
                    mark(&db, row)?;
                }
                Relay::MarkFirst => {
                    mark(&db, row)?;
                    kafka.point("marked")?;
                    publish(&kafka, row)?;
                }
            }
        }
        Ok(())
    }
}

fn check(relay: Relay) -> Result<Report, Error> {
    harness_producer(relay)
        .records(1..=3)
        .crashes(0..=2)
        .pauses(0..=0)
        .runs(600)
        .try_check(&[NoLoss, NoDuplicates, InOrder])
}

fn main() -> Result<(), Error> {
    for relay in [Relay::PublishFirst, Relay::MarkFirst] {
        println!("{relay:?}\n{}", check(relay)?);
    }
    Ok(())
}

#[test]
fn publish_first_loses_no_row_and_may_publish_one_twice() -> Result<(), Error> {
    let report = check(Relay::PublishFirst)?;
    assert!(report.violation(NoLoss).is_none());
    assert!(report.violation(InOrder).is_none());
    let twice = report
        .violation(NoDuplicates)
        .expect("a row published twice");
    assert_eq!(twice.schedule, "records=1 crash-after@1");
    let again = semel::harness::Situation::SentAgain;
    assert!(report.coverage().reached(again) > 0);
    Ok(())
}

#[test]
fn mark_first_publishes_no_row_twice_and_may_lose_one() -> Result<(), Error> {
    let report = check(Relay::MarkFirst)?;
    assert!(report.violation(NoDuplicates).is_none());
    let lost = report
        .violation(NoLoss)
        .expect("a row marked and never published");
    assert_eq!(lost.schedule, "records=1 crash@1");
    Ok(())
}
