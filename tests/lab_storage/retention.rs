//! Segments roll, and retention and truncation delete them.

use crate::tries::{base, batches, open, record, segment_files, small_segments};
use semel::lab::{
    Fetched, Log, NextOffset, Offset, Produced, ProducerId, Record, Remains, Sequence, Stamp,
};
use std::fs;
use std::path::Path;

fn log_of(dir: &Path, records: u64) -> Log {
    let (mut log, _) = open(dir, &small_segments(), &Remains::default());
    for id in 0..records {
        log.append(None, &record(id)).expect("it can be written");
    }
    log
}

fn bases(dir: &Path) -> Vec<Offset> {
    segment_files(dir).iter().map(|file| base(file)).collect()
}

#[test]
fn a_segment_is_closed_before_it_gets_too_large() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = log_of(dir.path(), 50);
    assert_eq!(log.segments().collect::<Vec<_>>(), bases(dir.path()));
    assert!(log.segments().count() > 10);
    for file in segment_files(dir.path()) {
        let bytes = fs::metadata(&file).expect("it is there").len();
        assert!((1..=200).contains(&bytes), "{bytes} in {}", file.display());
    }
    let ids: Vec<_> = batches(&log)
        .iter()
        .filter_map(|batch| Some(batch.record.as_ref()?.id.0))
        .collect();
    assert_eq!(ids, (0..50).collect::<Vec<_>>());
}

#[test]
fn a_batch_larger_than_a_segment_has_one_of_its_own() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 0);
    for id in 0..3 {
        let mut large = record(id);
        large.payload = vec![0; 300];
        log.append(None, &large).expect("it can be written");
    }
    assert_eq!(bases(dir.path()), [Offset(0), Offset(1), Offset(2)]);
    assert_eq!(log.segments().collect::<Vec<_>>(), bases(dir.path()));
}

#[test]
fn retention_deletes_whole_segments_and_the_start_may_lie_inside_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 50);
    let before = bases(dir.path());
    let inside = Offset(before[2].0 + 1);
    assert!(
        inside < before[3],
        "the third segment has more than one batch"
    );
    assert_eq!(
        log.delete_before(inside).expect("it can be deleted"),
        inside
    );
    assert_eq!(bases(dir.path()), before[2..]);
    assert_eq!(
        log.recovery_point(),
        inside,
        "what left the log had been synced"
    );
    assert_eq!(batches(&log)[0].offset, inside);
    let below = log
        .fetch(NextOffset(before[2].0), 1)
        .expect("it can be read");
    assert_eq!(below, Fetched::OutOfRange);

    let remains = log
        .lose_power(|_| Default::default())
        .expect("it can be cut");
    let (log, _) = open(dir.path(), &small_segments(), &remains);
    assert_eq!(
        (log.log_start(), log.log_end()),
        (inside, inside),
        "also after a power loss"
    );
}

#[test]
fn everything_may_leave_the_log_and_its_offsets_go_on() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 50);
    assert_eq!(
        log.delete_before(Offset(90)).expect("it can be deleted"),
        Offset(50)
    );
    assert_eq!(
        log.delete_before(Offset(3)).expect("nothing to do"),
        Offset(50)
    );
    assert_eq!((batches(&log), log.segments().count()), (Vec::new(), 1));
    let (mut log, _) = open(dir.path(), &small_segments(), &log.kill());
    log.append(None, &record(50)).expect("it can be written");
    assert_eq!(batches(&log)[0].offset, Offset(50));
}

#[test]
fn a_retention_that_was_killed_on_the_way_is_finished_when_the_log_is_opened() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 50);
    let files = segment_files(dir.path());
    let read = |file| (file, fs::read(file).expect("it can be read"));
    let not_yet_deleted: Vec<_> = files[1..3].iter().map(read).collect();
    let start = base(&files[3]);
    log.delete_before(start).expect("it can be deleted");
    let left = batches(&log);
    let remains = log.kill();
    for (file, bytes) in not_yet_deleted {
        fs::write(file, bytes).expect("it can be written");
    }
    let (log, recovery) = open(dir.path(), &small_segments(), &remains);
    assert_eq!((log.log_start(), recovery.cut), (start, None));
    assert_eq!(batches(&log), left);
    assert_eq!(segment_files(dir.path()), files[3..]);
}

#[test]
fn truncation_deletes_what_lies_beyond_and_can_go_below_the_start() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 50);
    let before = bases(dir.path());
    log.truncate_to(Offset(before[3].0 + 1))
        .expect("it can be cut");
    assert_eq!(bases(dir.path()), before[..4]);
    assert_eq!(log.log_end(), Offset(before[3].0 + 1));
    log.delete_before(before[2]).expect("it can be deleted");
    log.truncate_to(Offset(1)).expect("it can be cut");
    assert_eq!((log.log_start(), log.log_end()), (Offset(1), Offset(1)));
    for id in 0..40 {
        log.append(None, &record(id)).expect("it can be written");
    }
    let (log, recovery) = open(dir.path(), &small_segments(), &log.kill());
    assert_eq!(
        (log.log_start(), log.log_end(), recovery.cut),
        (Offset(1), Offset(41), None)
    );
}

#[test]
fn a_start_beyond_what_a_flaw_left_is_taken_back_for_good() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 50);
    let base = log.segments().nth(2).expect("it has more");
    log.delete_before(Offset(base.0 + 1))
        .expect("it can be deleted");
    drop(log);
    let file = &segment_files(dir.path())[0];
    let mut bytes = fs::read(file).expect("it can be read");
    bytes[10] ^= 1;
    fs::write(file, bytes).expect("it can be written");
    let (mut log, _) = open(dir.path(), &small_segments(), &Remains::default());
    assert_eq!((log.log_start(), log.log_end()), (base, base));
    for id in 0..3 {
        log.append(None, &record(id)).expect("it can be written");
    }
    let (log, _) = open(dir.path(), &small_segments(), &log.kill());
    assert_eq!(log.log_start(), base);
}

#[test]
fn after_a_truncation_the_broker_knows_of_producers_what_is_left() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 0);
    let stamp = |sequence| Stamp {
        producer: ProducerId(1),
        sequence: Sequence(sequence),
        ..Stamp::default()
    };
    let append = |log: &mut Log, sequence| {
        log.append(Some(stamp(sequence)), &Record::bare(0))
            .expect("it can be written")
    };
    for sequence in 0..6 {
        append(&mut log, sequence);
    }
    log.truncate_to(Offset(4)).expect("it can be cut");
    assert_eq!(
        append(&mut log, 2),
        Produced::Duplicate(Offset(2)),
        "what is left was read again"
    );
    assert_eq!(append(&mut log, 3), Produced::Duplicate(Offset(3)));
    assert_eq!(append(&mut log, 4), Produced::Appended(Offset(4)));

    log.forget_producer(ProducerId(1));
    log.truncate_to(Offset(2)).expect("it can be cut");
    assert!(!log.knows(ProducerId(1)), "what is left of it expired");
    assert_eq!(append(&mut log, 9), Produced::Appended(Offset(2)));
    let (log, _) = open(dir.path(), &small_segments(), &log.kill());
    assert!(log.knows(ProducerId(1)), "by what came after the cut");
}

#[test]
fn a_lost_disk_starts_an_empty_log_in_a_new_epoch() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = log_of(dir.path(), 50);
    log.delete_before(Offset(20)).expect("it can be deleted");
    let led = log.leader_epoch();
    let remains = log.lose_disk().expect("it can be removed");
    assert_eq!(segment_files(dir.path()).len(), 0);
    let (log, _) = open(dir.path(), &small_segments(), &remains);
    assert_eq!((log.log_start(), log.log_end()), (Offset(0), Offset(0)));
    assert!(log.leader_epoch() > led);
}
