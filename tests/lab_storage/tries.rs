//! What the properties of the lab's storage share.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use semel::lab::{
    Batch, Fetched, Log, LogSettings, NextOffset, Offset, Record, RecordId, Recovery, Remains,
};
use std::path::{Path, PathBuf};

/// Tries `property` on `cases` values drawn from `strategy`.
///
/// # Panics
/// With the shrunk value, when the property does not hold.
pub fn try_all<T: std::fmt::Debug>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    property: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let stated = std::env::var("SEMEL_CASES").ok();
    let factor: Option<u32> =
        stated.map(|text| text.parse().expect("SEMEL_CASES is a whole number"));
    let mut runner = TestRunner::new(Config {
        cases: cases.saturating_mul(factor.unwrap_or(1)),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        rng_seed: match factor {
            Some(_) => RngSeed::Random,
            None => RngSeed::Fixed(1),
        },
        ..Config::default()
    });
    if let Err(error) = runner.run(&strategy, property) {
        panic!("{error}");
    }
}

/// Segments of a few batches.
pub fn small_segments() -> LogSettings {
    LogSettings {
        segment_bytes: 200,
        ..LogSettings::default()
    }
}

/// Opens a log that must open.
pub fn open(dir: &Path, settings: &LogSettings, remains: &Remains) -> (Log, Recovery) {
    Log::open(dir, settings.clone(), remains).unwrap_or_else(|error| panic!("{error}"))
}

/// Every batch of a log.
pub fn batches(log: &Log) -> Vec<Batch> {
    let start = NextOffset(log.log_start().0);
    match log.fetch(start, usize::MAX).expect("it can be read") {
        Fetched::Batches(batches) => batches,
        Fetched::OutOfRange => panic!("the log's start is in range"),
    }
}

/// A record whose size differs from that of its neighbours.
pub fn record(id: u64) -> Record {
    Record {
        id: RecordId(id),
        key: vec![b'k'; (id % 3) as usize],
        payload: vec![id as u8; (id * 7 % 23) as usize],
    }
}

/// The segment files of a log, in their order.
pub fn segment_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("it can be listed");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files
}

/// The offset at which the segment in that file begins.
pub fn base(file: &Path) -> Offset {
    let stem = file.file_stem().expect("it has a name").to_string_lossy();
    Offset(stem.parse().expect("a segment's name is an offset"))
}
