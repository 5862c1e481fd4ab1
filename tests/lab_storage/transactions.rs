//! The model's broker and the lab's log under the same transactions: the same answers, the same last
//! stable offset, and the same records to readers of either isolation level.

use crate::tries::{open, small_segments, try_all};
use proptest::collection::vec;
use proptest::prelude::*;
use semel::lab::{
    Log, LogSettings, NextOffset, Offset, Produced, ProducerEpoch, ProducerId, Record, Remains,
    Sequence, Stamp, Tear,
};
use semel_models::broker::{AppendResult, Broker, NotInTransaction, Stamp as ModelStamp, Synced};
use semel_models::limits::MAX_LOG;
use semel_models::pipeline::{Isolation, ReplicationSettings, TopicSettings};
use semel_models::rules::KafkaRules;
use semel_models::transaction_coordinator::{
    CoordinatorAnswer, Outcome, Part, Transaction, TransactionRules, TransactionVersion,
};
use std::path::Path;

const SESSIONS: u16 = 2;

const TOPIC: TopicSettings = TopicSettings {
    replication: ReplicationSettings::ONE,
    flush_messages: None,
    flushes_internal_topics: false,
    retention: false,
    compacted: false,
    cleaned: false,
};

/// A step of a schedule, of one of the producers or of the broker.
#[derive(Clone, Debug)]
enum Step {
    /// A produce request, told relative to the last one that was appended.
    Send {
        session: u16,
        is_late: bool,
        sequence: i8,
    },
    /// The partition is added to the transaction, as clients of version 1 ask for.
    Add(u16),
    End(u16, Outcome),
    TimeOut(u16),
    Initialize(u16),
    /// The marker that is due is written.
    Mark(u16),
    Crash,
    /// The power fails; this fraction of what was not synced is left.
    PowerLoss(u16),
    Flush,
    /// This fraction of the log is left.
    Truncate(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..SESSIONS;
    let outcome = prop_oneof![2 => Just(Outcome::Commit), 1 => Just(Outcome::Abort)];
    let sequence = prop_oneof![6 => Just(1), 2 => -3..=2i8];
    let late = prop::bool::weighted(0.1);
    let send = (session.clone(), late, sequence);
    prop_oneof![
        16 => send.prop_map(|(session, is_late, sequence)| Step::Send { session, is_late, sequence }),
        4 => session.clone().prop_map(Step::Add),
        6 => (session.clone(), outcome).prop_map(|(session, outcome)| Step::End(session, outcome)),
        1 => session.clone().prop_map(Step::TimeOut),
        3 => session.clone().prop_map(Step::Initialize),
        6 => session.prop_map(Step::Mark),
        1 => Just(Step::Crash),
        1 => any::<u16>().prop_map(Step::PowerLoss),
        1 => Just(Step::Flush),
        1 => any::<u16>().prop_map(Step::Truncate),
    ]
}

fn rules(version: TransactionVersion, verifies: bool) -> KafkaRules {
    KafkaRules {
        transactions: TransactionRules {
            version,
            verifies,
            ..TransactionRules::CURRENT
        },
        ..KafkaRules::CURRENT
    }
}

/// Both, side by side.
struct Both<'a> {
    dir: &'a Path,
    settings: LogSettings,
    model: Broker,
    lab: Log,
    transactions: [Transaction; SESSIONS as usize],
    /// Of each producer the epoch and sequence number that were appended last.
    last: [(u16, i32); SESSIONS as usize],
    sent: u16,
}

impl<'a> Both<'a> {
    fn new(dir: &'a Path, rules: KafkaRules) -> Both<'a> {
        let settings = LogSettings {
            rules,
            ..small_segments()
        };
        let mut transactions = [Transaction::default(); SESSIONS as usize];
        for transaction in &mut transactions {
            transaction.initialize(None, &rules.transactions);
        }
        Both {
            dir,
            lab: open(dir, &settings, &Remains::default()).0,
            settings,
            model: Broker::default(),
            transactions,
            last: [(0, -1); SESSIONS as usize],
            sent: 0,
        }
    }

    fn take(self, step: &Step) -> Result<Both<'a>, TestCaseError> {
        let mut both = self;
        let rules = both.settings.rules;
        let end = both.model.log_end();
        let part = |below: u16, fraction: u16| {
            below + (u32::from(end - below) * u32::from(fraction) / u32::from(u16::MAX)) as u16
        };
        match *step {
            Step::Send {
                session,
                is_late,
                sequence,
            } => both.send(session, is_late, sequence)?,
            Step::Add(session) => {
                let transaction = &mut both.transactions[usize::from(session)];
                transaction.add(transaction.epoch, Part::Input);
            }
            Step::End(session, outcome) => {
                let transaction = &mut both.transactions[usize::from(session)];
                transaction.end(transaction.epoch, outcome, rules.transactions.version);
            }
            Step::TimeOut(session) => {
                both.transactions[usize::from(session)].time_out(&rules.transactions);
            }
            Step::Initialize(session) => {
                both.transactions[usize::from(session)].initialize(None, &rules.transactions);
            }
            Step::Mark(session) => both.mark(session)?,
            Step::Flush => {
                both.model.flushed = end;
                both.lab.flush().expect("it can be synced");
            }
            Step::Truncate(fraction) => {
                let kept = part(0, fraction);
                both.model.truncate(kept);
                let cut = both.lab.truncate_to(Offset(kept.into()));
                cut.expect("it can be cut");
            }
            Step::Crash => both = both.again(end, Synced::AsBefore, Log::kill),
            Step::PowerLoss(fraction) => {
                let kept = part(both.model.flushed, fraction);
                let torn = Tear {
                    kept: u64::from(fraction % 97),
                    hole: u64::from(fraction % 5),
                };
                both = both.again(kept, Synced::WhatIsLeft, |log| {
                    let lost = log.lose_power_after(Offset(kept.into()), torn);
                    lost.expect("it can be cut")
                });
            }
        }
        both.compare()?;
        Ok(both)
    }

    fn send(&mut self, session: u16, is_late: bool, sequence: i8) -> Result<(), TestCaseError> {
        if self.model.log.len() >= MAX_LOG {
            return Ok(());
        }
        let rules = self.settings.rules;
        let transaction = &mut self.transactions[usize::from(session)];
        let last = &mut self.last[usize::from(session)];
        let epoch = transaction.epoch.saturating_sub(u16::from(is_late));
        let sequence = match epoch > last.0 {
            true => 0,
            false => (last.1 + i32::from(sequence)).max(0),
        };
        let wire = stamp(session, epoch, sequence);
        let mut asked = *transaction;
        let ask = || match rules.transactions.version {
            TransactionVersion::One if !rules.transactions.verifies => CoordinatorAnswer::Done,
            TransactionVersion::One => asked.verify(epoch, Part::Input),
            TransactionVersion::Two => asked.add(epoch, Part::Input),
        };
        let record = Record::bare(self.sent.into());
        let produced = self.lab.append_in_transaction(wire, &record, ask);
        let model_stamp = ModelStamp {
            session,
            epoch,
            sequence: sequence as u16,
        };
        let end = Offset(self.model.log_end().into());
        let known = self.model.offset_of(model_stamp);
        let says = self.model.append_in_transaction(
            self.sent,
            model_stamp,
            (transaction, Part::Input),
            &TOPIC,
            &rules,
        );
        let expected = match says {
            Ok(AppendResult::Appended) => Produced::Appended(end),
            Ok(AppendResult::Duplicate) => {
                Produced::Duplicate(Offset(known.expect("a duplicate is in the log").into()))
            }
            Ok(AppendResult::OutOfOrder) => Produced::OutOfOrder,
            Ok(AppendResult::StaleEpoch) => Produced::StaleEpoch,
            Ok(AppendResult::UnknownProducerId) => Produced::UnknownProducerId,
            Err(NotInTransaction::Concurrent) => Produced::Concurrent,
            Err(NotInTransaction::NotAdded) => Produced::NotAdded,
        };
        prop_assert_eq!(produced.expect("it can be written"), expected);
        if says == Ok(AppendResult::Appended) {
            *last = (epoch, sequence);
            self.sent += 1;
        }
        Ok(())
    }

    fn mark(&mut self, session: u16) -> Result<(), TestCaseError> {
        let transaction = &mut self.transactions[usize::from(session)];
        let due = transaction.markers().next();
        let Some(marker) = due.filter(|_| self.model.log.len() < MAX_LOG) else {
            return Ok(());
        };
        let end = Offset(self.model.log_end().into());
        let rules = self.settings.rules;
        let says = self.model.append_marker(session, marker, &TOPIC, &rules);
        let epoch = ProducerEpoch(marker.epoch.into());
        let producer = ProducerId(session.into());
        let written = self.lab.append_marker(producer, epoch, marker.outcome);
        let expected = match says {
            AppendResult::Appended => Produced::Appended(end),
            _ => Produced::StaleEpoch,
        };
        prop_assert_eq!(written.expect("it can be written"), expected);
        transaction.marker_is_written(Part::Input);
        Ok(())
    }

    fn again(mut self, kept: u16, synced: Synced, stop: impl FnOnce(Log) -> Remains) -> Both<'a> {
        self.model.restart(kept, synced);
        let remains = stop(self.lab);
        self.lab = open(self.dir, &self.settings, &remains).0;
        self
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let (model, lab) = (&self.model, &self.lab);
        prop_assert_eq!(lab.log_end(), Offset(model.log_end().into()));
        let stable = Offset(model.last_stable_offset().into());
        prop_assert_eq!(lab.last_stable_offset(), stable);
        for isolation in [Isolation::ReadUncommitted, Isolation::ReadCommitted] {
            let read = lab.read(NextOffset(0), usize::MAX, isolation, lab.log_end());
            let read = read.expect("it can be read").into_iter();
            let read = read.map(|batch| (batch.offset.0, batch.record.map(|record| record.id.0)));
            let shown = model.visible_from(0, isolation);
            let shown = shown.map(|(at, entry)| (u64::from(at.0), Some(u64::from(entry.record))));
            prop_assert_eq!(read.collect::<Vec<_>>(), shown.collect::<Vec<_>>());
        }
        for session in 0..SESSIONS {
            let producer = ProducerId(session.into());
            prop_assert_eq!(lab.is_open(producer), model.is_open(session));
            prop_assert_eq!(lab.knows(producer), model.knows(session));
        }
        Ok(())
    }
}

fn stamp(session: u16, epoch: u16, sequence: i32) -> Stamp {
    Stamp {
        producer: ProducerId(session.into()),
        epoch: ProducerEpoch(epoch.into()),
        sequence: Sequence(sequence),
    }
}

#[test]
fn transactions_are_answered_and_read_as_from_the_models_broker() {
    let version = prop_oneof![
        Just((TransactionVersion::One, false)),
        Just((TransactionVersion::One, true)),
        Just((TransactionVersion::Two, true)),
    ];
    try_all(
        500,
        (version, vec(step(), 1..80)),
        |((version, verifies), steps)| {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let mut both = Both::new(dir.path(), rules(version, verifies));
            for step in &steps {
                both = both.take(step)?;
            }
            Ok(())
        },
    );
}

/// A log with r0 of an aborted transaction, and r1 of an open one.
fn aborted_and_open(dir: &Path) -> Log {
    let (mut log, _) = open(dir, &small_segments(), &Remains::default());
    let mut append = |session, record| {
        let stamp = stamp(session, 0, 0);
        let done = || CoordinatorAnswer::Done;
        let record = Record::bare(record);
        let produced = log.append_in_transaction(stamp, &record, done);
        produced.expect("it can be written")
    };
    assert_eq!(append(0, 0), Produced::Appended(Offset(0)));
    assert_eq!(append(1, 1), Produced::Appended(Offset(1)));
    let marked = log.append_marker(ProducerId(0), ProducerEpoch(1), Outcome::Abort);
    assert_eq!(
        marked.expect("it can be written"),
        Produced::Appended(Offset(2))
    );
    log
}

fn committed(log: &Log) -> Vec<Offset> {
    committed_below(log, log.log_end())
}

/// What a reader of what is committed is given while the high watermark is `end`.
fn committed_below(log: &Log, end: Offset) -> Vec<Offset> {
    let read = log.read(NextOffset(0), usize::MAX, Isolation::ReadCommitted, end);
    let read = read.expect("it can be read").into_iter();
    read.map(|batch| batch.offset).collect()
}

#[test]
fn a_torn_marker_leaves_its_transaction_open() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = aborted_and_open(dir.path());
    log.flush().expect("it can be synced");
    let marked = log.append_marker(ProducerId(1), ProducerEpoch(1), Outcome::Commit);
    marked.expect("it can be written");
    assert_eq!(committed(&log), [Offset(1)]);
    let remains = log.lose_power(|unsynced| Tear::keeping(unsynced.saturating_sub(1)));
    let remains = remains.expect("it can be cut");
    let (mut log, recovery) = open(dir.path(), &small_segments(), &remains);
    assert_eq!(recovery.cut.expect("a torn marker").at, Offset(3));
    assert!(log.is_open(ProducerId(1)));
    assert_eq!(log.last_stable_offset(), Offset(1));
    assert_eq!(committed(&log), []);
    // The coordinator writes it again.
    let marked = log.append_marker(ProducerId(1), ProducerEpoch(1), Outcome::Commit);
    assert_eq!(
        marked.expect("it can be written"),
        Produced::Appended(Offset(3))
    );
    assert_eq!(committed(&log), [Offset(1)]);
}

#[test]
fn a_marker_ends_its_transaction_for_readers_once_the_high_watermark_has_passed_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = aborted_and_open(dir.path());
    let marked = log.append_marker(ProducerId(1), ProducerEpoch(1), Outcome::Commit);
    marked.expect("it can be written");
    assert_eq!(committed_below(&log, Offset(3)), []);
    assert_eq!(committed_below(&log, Offset(4)), [Offset(1)]);
}

#[test]
fn a_marker_fences_older_epochs_also_after_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut log = aborted_and_open(dir.path());
    for _ in 0..2 {
        let late = log.append_in_transaction(stamp(0, 0, 1), &Record::bare(2), || {
            panic!("a stale request is refused before anybody is asked")
        });
        assert_eq!(late.expect("nothing is written"), Produced::StaleEpoch);
        let (again, _) = open(dir.path(), &small_segments(), &log.kill());
        log = again;
    }
}
