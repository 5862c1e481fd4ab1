//! A consumer that does what an order in the words of a design says, over files.

use semel::harness::{BoxError, Kafka, Record, RecordId, Service};
use std::io::Write;
use std::path::Path;

/// Handles records in this order; understands the steps below, `each(..)` around the first ones, and
/// a `db[..]` of `process` with `remember`.
pub struct Script(pub &'static str);

fn append(dir: &Path, file: &str, id: RecordId) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join(file))?;
    file.write_all(&id.0.to_be_bytes())
}

fn ids(dir: &Path, file: &str) -> Vec<RecordId> {
    let bytes = std::fs::read(dir.join(file)).unwrap_or_default();
    let id = |bytes: &[u8]| RecordId(u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
    bytes.chunks(8).map(id).collect()
}

/// Runs one step for `record`; whether what follows is to be skipped.
fn step(
    step: &str,
    dir: &Path,
    kafka: &Kafka,
    record: &Record,
    seen: bool,
) -> Result<bool, BoxError> {
    match step {
        "process" | "remember" if seen => {}
        "process" => {
            kafka.point_of("before process", record)?;
            append(dir, "effects", record.id)?;
            kafka.point_of("processed", record)?;
        }
        "remember" => append(dir, "seen", record.id)?,
        "skip-if-seen" => return Ok(ids(dir, "seen").contains(&record.id)),
        // One append is both: a file in which each record stands once is its own dedup store.
        "db[process+remember]" => {
            if !ids(dir, "effects").contains(&record.id) {
                append(dir, "effects", record.id)?;
            }
            kafka.point_of("processed", record)?;
        }
        "commit" => kafka.commit_record(record)?,
        "commit-async" => kafka.commit_async()?,
        _ => panic!("no such step: {step}"),
    }
    Ok(seen)
}

impl Script {
    fn handle(&self, dir: &Path, kafka: &Kafka, records: &[Record]) -> Result<(), BoxError> {
        let order = self.0.replace("process, remember", "process+remember");
        let (each, after) = match order
            .strip_prefix("each(")
            .and_then(|rest| rest.split_once(')'))
        {
            Some((each, after)) => (each.to_owned(), after.trim_start_matches(" -> ").to_owned()),
            None => (order, String::new()),
        };
        for record in records {
            let mut seen = false;
            for name in each.split(" -> ") {
                seen = step(name, dir, kafka, record, seen)?;
            }
        }
        match after.as_str() {
            "" => {}
            "commit" => kafka.commit()?,
            "commit-async" => kafka.commit_async()?,
            _ => panic!("no such step: {after}"),
        }
        Ok(())
    }
}

impl Service for Script {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            self.handle(dir, &kafka, &records)?;
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        Ok(ids(dir, "effects"))
    }
}
