//! The test that the README shows, as it stands there.

use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
use semel::harness::{BoxError, Kafka, RecordId, Service};
use std::path::Path;

struct Balance;

fn open(dir: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let db = rusqlite::Connection::open(dir.join("balance.db"))?;
    db.execute_batch("CREATE TABLE IF NOT EXISTS payment (id INTEGER)")?;
    Ok(db)
}

impl Service for Balance {
    // One life of your process: open the storage in `dir`, consume until a poll returns nothing.
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let db = open(dir)?;
        loop {
            let payments = kafka.poll()?;
            if payments.is_empty() {
                return Ok(());
            }
            for payment in &payments {
                db.execute("INSERT INTO payment VALUES (?1)", [payment.id.0 as i64])?;
                kafka.point_of("booked", payment)?; // it may die here, too
                kafka.commit_record(payment)?;
            }
        }
    }

    // Which records had their effect; one that had it twice is there twice.
    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let db = open(dir)?;
        let mut rows = db.prepare("SELECT id FROM payment ORDER BY rowid")?;
        let ids = rows.query_map([], |row| Ok(RecordId(row.get::<_, i64>(0)? as u64)))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

#[test]
#[should_panic(expected = "exactly-once-effect is violated")]
fn each_payment_is_booked_once() {
    semel::harness(Balance)
        .records(1..=20)
        .crashes(0..=3)
        .check(&[NoLoss, ExactlyOnceEffect]);
}

/// What follows is not in the README: it checks that the README shows what is above, and what that
/// prints.
mod shown {
    use std::process::Command;

    const README: &str = include_str!("../README.md");
    const THIS: &str = include_str!("balance.rs");

    #[test]
    fn the_readme_shows_this_test() {
        let (_, text) = THIS.split_once("\n\n").expect("it begins there");
        let (shown, _) = text
            .split_once("\n\n/// What follows")
            .expect("it ends there");
        let expected = |line: &&str| line.starts_with("#[should_panic");
        let lines: Vec<&str> = shown.lines().filter(|line| !expected(line)).collect();
        let block = format!("```rust\n{}\n```", lines.join("\n"));
        assert!(README.contains(&block), "the README lacks\n{block}");
    }

    #[test]
    fn the_readme_shows_what_this_test_prints() {
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args(["each_payment_is_booked_once", "--exact", "--nocapture"])
            .output()
            .expect("it can be started");
        let printed = String::from_utf8(output.stderr).expect("text");
        let (_, from) = printed.split_once("no-loss ").expect("a report");
        let (report, _) = from.split_once("\n\ncrash point").expect("its coverage");
        let block = format!("```text\nno-loss {report}\n```");
        assert!(README.contains(&block), "the README lacks\n{block}");
    }
}
