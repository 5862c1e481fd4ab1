//! The log cleaner: what it removes, and what a crash in the middle of it leaves.

use crate::tries::{open, segment_files, small_segments, try_all};
use proptest::collection::vec;
use proptest::prelude::*;
use semel::lab::{
    LeaderEpoch, Log, LogSettings, NextOffset, Offset, Produced, ProducerId, Record, RecordId,
    Remains, Sequence, Stamp, Tear,
};
use semel_models::broker::{Broker, Stamp as ModelStamp, Synced};
use semel_models::limits::MAX_LOG;
use semel_models::pipeline::{Isolation, ReplicationSettings, TopicSettings};
use semel_models::rules::KafkaRules;
use std::fs;
use std::path::Path;

const TOPIC: TopicSettings = TopicSettings {
    replication: ReplicationSettings::ONE,
    flush_messages: None,
    flushes_internal_topics: false,
    retention: true,
    compacted: true,
    cleaned: true,
};

const KEYS: u16 = 3;

/// Each record in a segment of its own.
fn compacted() -> LogSettings {
    LogSettings {
        compacted: true,
        segment_bytes: 1,
        ..small_segments()
    }
}

fn keyed(id: u16) -> Record {
    Record {
        id: RecordId(id.into()),
        key: (id % KEYS).to_be_bytes().to_vec(),
        payload: vec![id as u8; usize::from(id % 5)],
    }
}

fn left(log: &Log) -> Vec<(u64, u64, i32)> {
    let read = log.read(
        NextOffset(0),
        usize::MAX,
        Isolation::ReadUncommitted,
        log.log_end(),
    );
    let read = read.expect("it can be read").into_iter();
    read.map(|batch| {
        let record = batch.record.expect("only records are read");
        (batch.offset.0, record.id.0, batch.leader_epoch.0)
    })
    .collect()
}

#[derive(Clone, Debug)]
enum Step {
    /// A record of a session, in the order of its sequence numbers.
    Append(u16),
    /// The cleaner comes; where the closed segments end is one of the ends at which it may.
    Clean(u16),
    RemoveOldest,
    Crash,
    /// The power fails; this fraction of what was not synced is left.
    PowerLoss(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..2u16).prop_map(Step::Append),
        4 => any::<u16>().prop_map(Step::Clean),
        1 => Just(Step::RemoveOldest),
        1 => Just(Step::Crash),
        2 => any::<u16>().prop_map(Step::PowerLoss),
    ]
}

/// The model's broker and the log, side by side.
struct Both<'a> {
    dir: &'a Path,
    model: Broker,
    lab: Log,
    sequences: [u16; 2],
    sent: u16,
}

impl<'a> Both<'a> {
    fn take(self, step: &Step) -> Result<Both<'a>, TestCaseError> {
        let mut both = self;
        match *step {
            Step::Append(session) => both.append(session)?,
            Step::Clean(which) => {
                let ends = both.model.cleanable_ends(KEYS);
                if let Some(end) = ends.get(usize::from(which) % ends.len().max(1)) {
                    both.model.compact(*end, KEYS);
                    let clean = both.lab.clean(Offset((*end).into()));
                    prop_assert_eq!(clean.expect("it can be written"), Offset((*end).into()));
                }
            }
            Step::RemoveOldest => {
                if both.model.records_from(0).next().is_some() {
                    both.model.remove_oldest(&KafkaRules::CURRENT);
                    let start = Offset(both.model.log_start.into());
                    both.lab.delete_before(start).expect("it can be deleted");
                }
            }
            Step::Crash => {
                let end = both.model.log_end();
                both = both.again(end, Synced::AsBefore, Log::kill);
            }
            Step::PowerLoss(fraction) => {
                let (flushed, end) = (both.model.flushed, both.model.log_end());
                let part = u32::from(end - flushed) * u32::from(fraction) / u32::from(u16::MAX);
                let kept = flushed + part as u16;
                let torn = Tear::keeping(u64::from(fraction % 97));
                both = both.again(kept, Synced::WhatIsLeft, |log| {
                    let lost = log.lose_power_after(Offset(kept.into()), torn);
                    lost.expect("it can be cut")
                });
            }
        }
        both.compare()?;
        Ok(both)
    }

    fn append(&mut self, session: u16) -> Result<(), TestCaseError> {
        if self.model.log.len() >= MAX_LOG {
            return Ok(());
        }
        let sequence = self.sequences[usize::from(session)];
        let model_stamp = ModelStamp {
            session,
            epoch: 0,
            sequence,
        };
        let stamp = Stamp {
            producer: ProducerId(session.into()),
            sequence: Sequence(sequence.into()),
            ..Stamp::default()
        };
        let end = Offset(self.model.log_end().into());
        let rules = KafkaRules::CURRENT;
        self.model
            .append(self.sent, Some(model_stamp), &TOPIC, &rules);
        let produced = self.lab.append(Some(stamp), &keyed(self.sent));
        let appended = self.model.log_end() > end.0 as u16;
        let is_appended = produced.expect("it can be written") == Produced::Appended(end);
        prop_assert_eq!(is_appended, appended);
        if appended {
            self.sequences[usize::from(session)] += 1;
            self.sent += 1;
        }
        Ok(())
    }

    fn again(mut self, kept: u16, synced: Synced, stop: impl FnOnce(Log) -> Remains) -> Both<'a> {
        self.model.restart(kept, synced);
        let remains = stop(self.lab);
        self.lab = open(self.dir, &compacted(), &remains).0;
        self
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let (model, lab) = (&self.model, &self.lab);
        prop_assert_eq!(lab.log_start(), Offset(model.log_start.into()));
        prop_assert_eq!(lab.log_end(), Offset(model.log_end().into()));
        prop_assert_eq!(lab.recovery_point(), Offset(model.flushed.into()));
        let entries = model.records_from(0).map(|(at, entry)| {
            let epoch = i32::from(entry.leader_epoch);
            (u64::from(at.0), u64::from(entry.record), epoch)
        });
        prop_assert_eq!(left(lab), entries.collect::<Vec<_>>());
        for epoch in 0..=model.leader_epoch {
            let end = lab.end_of_epoch(LeaderEpoch(epoch.into()));
            let expected = Offset(model.end_of_epoch(epoch).into());
            prop_assert_eq!(end, expected, "of epoch {}", epoch);
        }
        for session in 0..2 {
            let knows = lab.knows(ProducerId(session.into()));
            prop_assert_eq!(knows, model.knows(session));
        }
        Ok(())
    }
}

#[test]
fn what_the_cleaner_leaves_is_what_it_leaves_in_the_models_broker() {
    try_all(500, vec(step(), 1..80), |steps| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut both = Both {
            dir: dir.path(),
            model: Broker::default(),
            lab: open(dir.path(), &compacted(), &Remains::default()).0,
            sequences: [0; 2],
            sent: 0,
        };
        for step in &steps {
            both = both.take(step)?;
        }
        Ok(())
    });
}

/// A log of twelve records in small segments, closed again, and its files.
fn uncleaned(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let (mut log, _) = open(dir, &compacted(), &Remains::default());
    for id in 0..12 {
        log.append(None, &keyed(id)).expect("it can be written");
    }
    drop(log);
    let read = |file: std::path::PathBuf| {
        let bytes = fs::read(&file).expect("it can be read");
        (file, bytes)
    };
    segment_files(dir).into_iter().map(read).collect()
}

/// The log cleaned below `end`, and the bytes of the segment that is left of it.
fn cleaned(dir: &Path, end: u64) -> (Log, Vec<u8>) {
    let (mut log, _) = open(dir, &compacted(), &Remains::default());
    log.clean(Offset(end)).expect("it can be written");
    let bytes = fs::read(&segment_files(dir)[0]).expect("it can be read");
    (log, bytes)
}

#[test]
fn a_cleaning_that_was_killed_on_the_way_has_not_been_or_is_finished() {
    for end in 1..12u64 {
        // How far it came: with what was written anew, with the swap, with so many old segments gone.
        for deleted in 0..end {
            for is_swap in [false, true] {
                let dir = tempfile::tempdir().expect("a temporary directory");
                let before = uncleaned(dir.path());
                let uncut: Vec<_> = (0..12).map(|id| (id, id, 0)).collect();
                let (log, bytes) = cleaned(dir.path(), end);
                let after = left(&log);
                drop(log);
                let name = before[0].0.to_string_lossy().into_owned();
                fs::remove_file(&before[0].0).expect("it can be removed");
                let gone = if is_swap {
                    1..1 + deleted as usize
                } else {
                    0..0
                };
                for (place, (file, bytes)) in before.iter().enumerate() {
                    if !gone.contains(&place) {
                        fs::write(file, bytes).expect("it can be written");
                    }
                }
                let suffix = if is_swap { ".swap" } else { ".cleaned" };
                fs::write(name + suffix, bytes).expect("it can be written");
                let expected = if is_swap { &after } else { &uncut };
                for _ in 0..2 {
                    let (log, recovery) = open(dir.path(), &compacted(), &Remains::default());
                    assert_eq!(&left(&log), expected, "{end} {deleted} {is_swap}");
                    assert_eq!(recovery.cut, None);
                }
            }
        }
    }
}

#[test]
fn a_flaw_in_a_cleaned_segment_cuts_the_log_there() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    uncleaned(dir.path());
    let (log, _) = cleaned(dir.path(), 9);
    assert_eq!(left(&log).first(), Some(&(6, 6, 0)));
    drop(log);
    let file = &segment_files(dir.path())[0];
    let mut bytes = fs::read(file).expect("it can be read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(file, bytes).expect("it can be written");
    let (log, recovery) = open(dir.path(), &compacted(), &Remains::default());
    assert_eq!(recovery.cut.expect("the flaw is found").at, Offset(8));
    assert_eq!(left(&log), [(6, 6, 0), (7, 7, 0)]);
}

#[test]
fn a_cleaned_log_that_was_cut_in_a_gap_is_found_without_it_and_not_below_its_start() {
    for (start, found) in [(0, 0), (1, 1)] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut log, _) = open(dir.path(), &compacted(), &Remains::default());
        for round in 0..4 {
            let record = keyed(round * KEYS);
            log.append(None, &record).expect("it can be written");
        }
        log.clean(Offset(3)).expect("it can be written");
        log.delete_before(Offset(start)).expect("it can be written");
        log.truncate_to(Offset(2)).expect("it can be written");
        assert_eq!(log.log_end(), Offset(2), "it goes on where it was cut");
        let (log, _) = open(dir.path(), &compacted(), &log.kill());
        assert_eq!(
            (log.log_start(), log.log_end()),
            (Offset(found), Offset(found))
        );
    }
}
