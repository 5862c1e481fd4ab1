//! Flaws in the files: flipped bits and torn ends are found, and what is before them is kept.

use crate::tries::{base, batches, open, record, segment_files, small_segments, try_all};
use proptest::prelude::*;
use semel::lab::{
    Commit, Flaw, Generation, LeaderEpoch, LogSettings, NextOffset, Offset, OffsetLog, Position,
    Remains, StorageError, Sync,
};
use std::fs;
use std::path::Path;

/// Where the frames in a file begin, told from their lengths alone.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        starts.push(at);
        let len = bytes[at..at + 4].try_into().expect("four bytes");
        at += 8 + u32::from_be_bytes(len) as usize;
    }
    starts
}

fn flip(file: &Path, bit: usize) {
    let mut bytes = fs::read(file).expect("it can be read");
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs::write(file, bytes).expect("it can be written");
}

/// A log of `records` in `dir`, closed again.
fn write_log(dir: &Path, records: u64) {
    let (mut log, _) = open(dir, &small_segments(), &Remains::default());
    for id in 0..records {
        log.append(None, &record(id)).expect("it can be written");
    }
}

#[test]
fn a_flipped_bit_is_found_and_the_log_is_cut_before_its_batch() {
    let cases = (
        1..25u64,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    try_all(300, cases, |(records, file, bit)| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_log(dir.path(), records);
        let files = segment_files(dir.path());
        let file = file.get(&files);
        let bytes = fs::read(file).expect("it can be read");
        let bit = bit.index(bytes.len() * 8);
        let starts = frames(&bytes);
        let before = starts.iter().filter(|start| **start <= bit / 8).count() - 1;
        flip(file, bit);

        let (log, recovery) = open(dir.path(), &small_segments(), &Remains::default());
        let cut = recovery.cut.expect("the flaw is found");
        prop_assert_eq!(cut.at, Offset(base(file).0 + before as u64));
        prop_assert_eq!(cut.bytes, (bytes.len() - starts[before]) as u64);
        prop_assert_eq!(log.log_end(), cut.at);
        let left: Vec<_> = batches(&log)
            .into_iter()
            .filter_map(|batch| batch.record)
            .collect();
        prop_assert_eq!(left, (0..cut.at.0).map(record).collect::<Vec<_>>());
        let later: Vec<_> = files
            .iter()
            .map(|file| base(file))
            .filter(|at| *at > base(file))
            .collect();
        prop_assert_eq!(cut.deleted, later);
        Ok(())
    });
}

#[test]
fn a_batch_out_of_its_place_is_cut_off_though_its_checksum_is_right() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_log(dir.path(), 2);
    let file = &segment_files(dir.path())[0];
    let mut bytes = fs::read(file).expect("it can be read");
    bytes.extend(bytes.clone());
    fs::write(file, bytes).expect("it can be written");
    let (log, recovery) = open(dir.path(), &small_segments(), &Remains::default());
    let flaw = Flaw::OutOfPlace {
        expected: Offset(2),
        found: Offset(0),
    };
    assert_eq!(recovery.cut.expect("it is found").flaw, flaw);
    assert_eq!(log.log_end(), Offset(2));
}

#[test]
fn segments_after_a_missing_one_are_deleted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_log(dir.path(), 25);
    let files = segment_files(dir.path());
    fs::remove_file(&files[1]).expect("it can be removed");
    let (log, recovery) = open(dir.path(), &small_segments(), &Remains::default());
    let cut = recovery.cut.expect("the gap is found");
    let flaw = Flaw::OutOfPlace {
        expected: base(&files[1]),
        found: base(&files[2]),
    };
    assert_eq!((log.log_end(), cut.flaw), (base(&files[1]), flaw));
    assert_eq!(segment_files(dir.path()), files[..1]);
}

#[test]
fn a_file_that_changes_under_an_open_log_is_an_error_that_names_the_place() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut log, _) = open(dir.path(), &small_segments(), &Remains::default());
    for id in 0..2 {
        log.append(None, &record(id)).expect("it can be written");
    }
    let file = &segment_files(dir.path())[0];
    let second = frames(&fs::read(file).expect("it can be read"))[1];
    flip(file, second * 8 + 70);
    let error = log.fetch(NextOffset(1), 1).expect_err("the flaw is found");
    assert!(
        matches!(&error, StorageError::Damaged { position, .. } if *position == second as u64),
        "{error}"
    );
    fs::write(file, []).expect("it can be written");
    let error = log.fetch(NextOffset(0), 1).expect_err("the batch is gone");
    assert!(
        matches!(
            error,
            StorageError::Damaged {
                flaw: Flaw::Torn,
                ..
            }
        ),
        "{error}"
    );
}

/// An offset that is committed, or expires.
fn entry() -> impl Strategy<Value = Option<Commit>> {
    let position = (0..9u64, prop::option::of(0..3i32)).prop_map(|(next, epoch)| Position {
        next: NextOffset(next),
        leader_epoch: epoch.map(LeaderEpoch),
    });
    let commit = (0..4i32, position).prop_map(|(generation, position)| Commit {
        generation: Generation(generation),
        position,
    });
    prop::option::weighted(0.8, commit)
}

#[test]
fn of_a_torn_or_flipped_offset_log_the_last_whole_commit_counts() {
    let entries = prop::collection::vec(entry(), 1..12);
    let cases = (entries, any::<bool>(), any::<prop::sample::Index>());
    try_all(200, cases, |(entries, flips, place)| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let open = || OffsetLog::open(dir.path(), Sync::Simulated).expect("it can be opened");
        let (mut offsets, _) = open();
        for entry in &entries {
            match entry {
                Some(commit) => offsets.commit(*commit),
                None => offsets.expire(),
            }
            .expect("it can be written");
            prop_assert_eq!(offsets.committed(), *entry);
            prop_assert_eq!(open().0.committed(), *entry);
        }
        drop(offsets);
        let file = segment_files(dir.path()).remove(0);
        let bytes = fs::read(&file).expect("it can be read");
        let byte = place.index(bytes.len());
        match flips {
            true => flip(&file, place.index(bytes.len() * 8)),
            false => fs::write(&file, &bytes[..byte]).expect("it can be written"),
        }
        let starts = frames(&bytes);
        let whole = starts.iter().filter(|start| **start <= byte).count() - 1;
        let torn = !flips && starts.contains(&byte);

        let (mut offsets, cut) = open();
        prop_assert_eq!(
            cut.is_none(),
            torn,
            "a cut between two frames leaves no flaw"
        );
        let expected = entries[..whole].last().copied().flatten();
        prop_assert_eq!(offsets.committed(), expected);
        offsets.expire().expect("it can be written");
        prop_assert_eq!(open().1, None, "what follows the cut is whole");
        Ok(())
    });
}

/// A directory in which nothing can be created: the system's where this user may write anywhere.
#[cfg(target_os = "linux")]
fn read_only_directory(own: &Path) -> std::path::PathBuf {
    let mut permissions = fs::metadata(own).expect("it is there").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(own, permissions).expect("it is ours");
    let probe = fs::write(own.join("probe"), []);
    match probe {
        Ok(()) => "/sys".into(),
        Err(_) => own.to_owned(),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_directory_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let read_only = read_only_directory(dir.path());
    let log = semel::lab::Log::open(&read_only, LogSettings::default(), &Remains::default());
    let error = log.expect_err("nothing can be created there");
    assert!(matches!(error, StorageError::Refused { .. }), "{error:?}");
    let path = read_only.join("00000000000000000000.log");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot create {}: the directory is read-only or not this user's; \
             give the lab a directory that it may write to (TMPDIR)",
            path.display()
        )
    );
    let offsets = OffsetLog::open(&read_only, Sync::Simulated);
    let error = offsets.expect_err("nothing can be created there");
    assert!(matches!(error, StorageError::Refused { .. }), "{error:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_commit_that_could_not_be_written_does_not_count() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::os::unix::fs::symlink("/dev/full", dir.path().join("group-offsets.log")).expect("a link");
    let (mut offsets, _) = OffsetLog::open(dir.path(), Sync::Simulated).expect("it can be opened");
    let position = Position {
        next: NextOffset(7),
        leader_epoch: None,
    };
    let commit = Commit {
        generation: Generation(1),
        position,
    };
    let error = offsets.commit(commit).expect_err("no space is left");
    assert!(matches!(error, StorageError::Full { .. }), "{error:?}");
    assert_eq!(offsets.committed(), None);
}
