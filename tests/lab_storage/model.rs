//! The model's broker and the lab's log under the same requests, restarts and removals: the same
//! answers, contents and offsets.

use crate::tries::{batches, open, small_segments, try_all};
use proptest::collection::vec;
use proptest::prelude::*;
use semel::lab::{
    LeaderEpoch, Log, LogSettings, Offset, Produced, ProducerEpoch, ProducerId, Record, Remains,
    Sequence, Stamp, Tear,
};
use semel_models::broker::{AppendResult, Broker, Stamp as ModelStamp, Synced};
use semel_models::limits::MAX_LOG;
use semel_models::pipeline::{ReplicationSettings, TopicSettings};
use semel_models::rules::KafkaRules;
use std::path::Path;

const SESSIONS: u16 = 3;

/// A step of a schedule.
#[derive(Clone, Debug)]
enum Step {
    /// A produce request of a session, told relative to its last one that was appended.
    Append {
        session: u16,
        epoch: i8,
        sequence: i8,
    },
    Crash,
    /// The power fails; this fraction of 255 of what was not synced is left.
    PowerLoss(u16),
    DiskLoss,
    RemoveOldest,
    Forget(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let epoch = prop_oneof![12 => Just(0), 2 => Just(1), 1 => Just(-1)];
    let sequence = prop_oneof![6 => Just(1), 4 => -6..=2i8];
    let append =
        (0..SESSIONS, epoch, sequence).prop_map(|(session, epoch, sequence)| Step::Append {
            session,
            epoch,
            sequence,
        });
    prop_oneof![
        24 => append,
        2 => Just(Step::Crash),
        2 => any::<u16>().prop_map(Step::PowerLoss),
        1 => Just(Step::DiskLoss),
        4 => Just(Step::RemoveOldest),
        1 => (0..SESSIONS).prop_map(Step::Forget),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    idempotence: bool,
    flush_messages: Option<u64>,
    rules: KafkaRules,
}

fn settings() -> impl Strategy<Value = Settings> {
    let flush = prop_oneof![Just(None), (1..4u64).prop_map(Some)];
    (
        prop::bool::weighted(0.8),
        flush,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(idempotence, flush_messages, outlives, anywhere)| Settings {
                idempotence,
                flush_messages,
                rules: KafkaRules {
                    producer_state_outlives_records: outlives,
                    unknown_producer_starts_anywhere: anywhere,
                    ..KafkaRules::CURRENT
                },
            },
        )
}

/// Both, side by side.
struct Both<'a> {
    dir: &'a Path,
    settings: Settings,
    model: Broker,
    lab: Log,
    /// Of each session the epoch and sequence number that were appended last.
    last: [(i8, i8); SESSIONS as usize],
    sent: u16,
}

impl<'a> Both<'a> {
    fn new(dir: &'a Path, settings: Settings) -> Both<'a> {
        let (lab, _) = open(dir, &on_disk(settings), &Remains::default());
        let last = [(0, -1); SESSIONS as usize];
        Both {
            dir,
            settings,
            model: Broker::default(),
            lab,
            last,
            sent: 0,
        }
    }

    fn take(self, step: &Step) -> Result<Both<'a>, TestCaseError> {
        let mut both = self;
        match *step {
            Step::Append {
                session,
                epoch,
                sequence,
            } => {
                if both.model.log.len() < MAX_LOG {
                    both.append(session, epoch, sequence)?;
                }
            }
            Step::Crash => {
                let kept = both.model.log_end();
                both = both.again(kept, Synced::AsBefore, Log::kill);
            }
            Step::PowerLoss(fraction) => {
                let (flushed, end) = (both.model.flushed, both.model.log_end());
                let part = u32::from(end - flushed) * u32::from(fraction) / u32::from(u16::MAX);
                let kept = flushed + part as u16;
                both = both.again(kept, Synced::WhatIsLeft, |log| {
                    let torn = Tear {
                        kept: u64::from(fraction % 97),
                        hole: u64::from(fraction % 5),
                    };
                    log.lose_power_after(Offset(kept.into()), torn)
                        .expect("it can be cut")
                });
            }
            Step::DiskLoss => {
                both = both.again(0, Synced::WhatIsLeft, |log| {
                    log.lose_disk().expect("it can be removed")
                });
            }
            Step::RemoveOldest => {
                if both.model.log_start < both.model.log_end() {
                    both.model.remove_oldest(&both.settings.rules);
                    let start = Offset(both.model.log_start.into());
                    both.lab.delete_before(start).expect("it can be deleted");
                }
            }
            Step::Forget(session) => {
                both.model.forget_producer(session);
                both.lab.forget_producer(ProducerId(session.into()));
            }
        }
        both.compare()?;
        Ok(both)
    }

    fn append(&mut self, session: u16, epoch: i8, sequence: i8) -> Result<(), TestCaseError> {
        let last = &mut self.last[usize::from(session)];
        let epoch = (last.0 + epoch).max(0);
        let sequence = match epoch > last.0 {
            true => (sequence - 1).max(0),
            false => (last.1 + sequence).max(0),
        };
        let model_stamp = ModelStamp {
            session,
            epoch: epoch as u16,
            sequence: sequence as u16,
        };
        let stamp = Stamp {
            producer: ProducerId(session.into()),
            epoch: ProducerEpoch(epoch.into()),
            sequence: Sequence(sequence.into()),
        };
        let topic = TopicSettings {
            replication: ReplicationSettings::ONE,
            flush_messages: self.settings.flush_messages,
            flushes_internal_topics: false,
            retention: true,
            compacted: false,
            cleaned: false,
        };
        let id = self.sent;
        self.sent += 1;
        let idempotence = self.settings.idempotence;
        let end = Offset(self.model.log_end().into());
        let known = self.model.offset_of(model_stamp);
        let says = self.model.append(
            id,
            idempotence.then_some(model_stamp),
            &topic,
            &self.settings.rules,
        );
        let expected = match says {
            AppendResult::Appended => Produced::Appended(end),
            AppendResult::Duplicate => {
                Produced::Duplicate(Offset(known.expect("a duplicate is in the log").into()))
            }
            AppendResult::OutOfOrder => Produced::OutOfOrder,
            AppendResult::StaleEpoch => Produced::StaleEpoch,
            AppendResult::UnknownProducerId => Produced::UnknownProducerId,
        };
        let record = Record::bare(id.into());
        let produced = self.lab.append(idempotence.then_some(stamp), &record);
        prop_assert_eq!(produced.expect("it can be written"), expected);
        if says == AppendResult::Appended {
            *last = (epoch, sequence);
        }
        Ok(())
    }

    fn again(mut self, kept: u16, synced: Synced, stop: impl FnOnce(Log) -> Remains) -> Both<'a> {
        self.model.restart(kept, synced);
        let remains = stop(self.lab);
        self.lab = open(self.dir, &on_disk(self.settings), &remains).0;
        self
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let (model, lab) = (&self.model, &self.lab);
        prop_assert_eq!(lab.log_start(), Offset(model.log_start.into()));
        prop_assert_eq!(lab.log_end(), Offset(model.log_end().into()));
        prop_assert_eq!(lab.recovery_point(), Offset(model.flushed.into()));
        prop_assert_eq!(lab.leader_epoch(), LeaderEpoch(model.leader_epoch.into()));
        let stored = batches(lab).into_iter().map(|batch| {
            (
                batch.record.expect("nothing was removed").id.0,
                batch.leader_epoch.0,
            )
        });
        let entries = model.log[usize::from(model.log_start)..].iter();
        let modelled =
            entries.map(|entry| (u64::from(entry.record), i32::from(entry.leader_epoch)));
        prop_assert_eq!(stored.collect::<Vec<_>>(), modelled.collect::<Vec<_>>());
        for epoch in 0..=model.leader_epoch {
            let end = lab.end_of_epoch(LeaderEpoch(epoch.into()));
            prop_assert_eq!(
                end,
                Offset(model.end_of_epoch(epoch).into()),
                "of epoch {}",
                epoch
            );
        }
        if self.settings.idempotence {
            for session in 0..SESSIONS {
                prop_assert_eq!(lab.knows(ProducerId(session.into())), model.knows(session));
            }
        }
        Ok(())
    }
}

fn on_disk(settings: Settings) -> LogSettings {
    LogSettings {
        flush_messages: settings.flush_messages,
        rules: settings.rules,
        ..small_segments()
    }
}

#[test]
fn the_log_answers_and_holds_what_the_models_broker_does() {
    try_all(
        500,
        (settings(), vec(step(), 1..70)),
        |(settings, steps)| {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let mut both = Both::new(dir.path(), settings);
            for step in &steps {
                both = both.take(step)?;
            }
            Ok(())
        },
    );
}
