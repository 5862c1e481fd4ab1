//! What survives a crash of the process, and what a loss of power.

use crate::tries::{batches, open, record, small_segments, try_all};
use proptest::collection::vec;
use proptest::prelude::*;
use semel::lab::{
    Batch, Commit, EntryKind, Generation, Log, LogSettings, NextOffset, Offset, OffsetLog,
    Position, Produced, Remains, Sync, Tear,
};
use std::path::Path;

/// A step of a schedule. Fractions are of 256.
#[derive(Clone, Debug)]
enum Step {
    Append,
    Flush,
    /// Retention, up to a fraction of the log.
    DeleteBefore(u8),
    /// Truncation, to a fraction of the log.
    TruncateTo(u8),
    /// The broker's process dies.
    Kill,
    /// The process that runs the lab dies.
    Drop,
    /// The power fails: for each segment, what is left of the bytes that were not synced, and how
    /// much of that is a hole.
    LosePower(Vec<(u8, u8)>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => Just(Step::Append),
        2 => Just(Step::Flush),
        1 => any::<u8>().prop_map(Step::DeleteBefore),
        1 => any::<u8>().prop_map(Step::TruncateTo),
        1 => Just(Step::Kill),
        1 => Just(Step::Drop),
        3 => vec((fraction(), hole()), 0..4).prop_map(Step::LosePower),
    ]
}

/// Often everything, so that a tear in the middle is followed by segments that are whole.
fn fraction() -> impl Strategy<Value = u8> {
    prop_oneof![Just(255), any::<u8>()]
}

fn hole() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0), 1 => any::<u8>()]
}

fn of(fraction: u8, whole: u64) -> u64 {
    whole * u64::from(fraction) / 255
}

/// A log and what must be in it.
struct Run<'a> {
    dir: &'a Path,
    settings: LogSettings,
    log: Log,
    expected: Vec<Batch>,
    next_id: u64,
}

impl<'a> Run<'a> {
    fn new(dir: &'a Path, settings: LogSettings) -> Run<'a> {
        let (log, _) = open(dir, &settings, &Remains::default());
        Run {
            dir,
            settings,
            log,
            expected: Vec::new(),
            next_id: 0,
        }
    }

    fn take(self, step: &Step) -> Result<Run<'a>, TestCaseError> {
        let mut run = self;
        let (start, end) = (run.log.log_start().0, run.log.log_end().0);
        let part = |fraction| Offset(start + of(fraction, end - start));
        match step {
            Step::Append => run.append(),
            Step::Flush => run.log.flush().expect("it can be synced"),
            Step::DeleteBefore(fraction) => {
                let start = part(*fraction);
                let now = run.log.delete_before(start).expect("it can be deleted");
                run.expected.retain(|batch| batch.offset >= now);
            }
            Step::TruncateTo(fraction) => {
                let end = part(*fraction);
                run.log.truncate_to(end).expect("it can be cut");
                run.expected.retain(|batch| batch.offset < end);
            }
            Step::Kill => return run.again(end, Log::kill),
            Step::Drop => return run.again(end, |_| Remains::default()),
            Step::LosePower(tears) => {
                let synced = run.log.recovery_point().0;
                return run.again(synced, |log| lose_power(log, tears));
            }
        }
        prop_assert_eq!(&batches(&run.log), &run.expected);
        Ok(run)
    }

    fn append(&mut self) {
        let record = record(self.next_id);
        let offset = self.log.log_end();
        let produced = self.log.append(None, &record).expect("it can be written");
        assert_eq!(produced, Produced::Appended(offset));
        let leader_epoch = self.log.leader_epoch();
        self.next_id += 1;
        self.expected.push(Batch {
            offset,
            leader_epoch,
            stamp: None,
            kind: EntryKind::Plain,
            record: Some(record),
        });
    }

    /// Stops the broker and starts it again: everything below `kept` must be left.
    fn again(
        mut self,
        kept: u64,
        stop: impl FnOnce(Log) -> Remains,
    ) -> Result<Run<'a>, TestCaseError> {
        let (start, end, led) = (
            self.log.log_start(),
            self.log.log_end(),
            self.log.leader_epoch(),
        );
        let remains = stop(self.log);
        let (log, recovery) = open(self.dir, &self.settings, &remains);
        prop_assert!(
            log.log_end().0 >= kept,
            "{} of {kept} are left",
            log.log_end()
        );
        prop_assert!(log.log_end() <= end);
        prop_assert_eq!(log.log_start(), start);
        if remains != Remains::default() {
            prop_assert!(log.leader_epoch() > led);
        }
        for batch in batches(&log) {
            prop_assert!(log.leader_epoch() > batch.leader_epoch);
        }
        if let Some(cut) = recovery.cut {
            prop_assert_eq!(cut.at, log.log_end());
        }
        self.expected.retain(|batch| batch.offset < log.log_end());
        prop_assert_eq!(&batches(&log), &self.expected);

        let remains = log.kill();
        let (log, recovery) = open(self.dir, &self.settings, &remains);
        prop_assert_eq!(recovery.cut, None, "the first recovery left nothing to cut");
        self.log = log;
        Ok(self)
    }
}

fn lose_power(log: Log, tears: &[(u8, u8)]) -> Remains {
    let mut tears = tears.iter().copied().chain(std::iter::repeat((0, 0)));
    log.lose_power(|unsynced| {
        let (kept, hole) = tears.next().expect("it is endless");
        let kept = of(kept, unsynced);
        Tear {
            kept,
            hole: of(hole, kept),
        }
    })
    .expect("it can be cut")
}

fn try_schedules(cases: u32, most_steps: usize, sync: Sync) {
    let flush = prop_oneof![Just(None), (1..5u64).prop_map(Some)];
    let schedule = (flush, vec(step(), 1..most_steps));
    try_all(cases, schedule, |(flush_messages, steps)| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let settings = LogSettings {
            flush_messages,
            sync,
            ..small_segments()
        };
        let mut run = Run::new(dir.path(), settings);
        for step in &steps {
            run = run.take(step)?;
        }
        Ok(())
    });
}

#[test]
fn what_was_synced_survives_and_what_is_recovered_is_a_prefix_of_what_was_appended() {
    try_schedules(300, 60, Sync::Simulated);
}

#[test]
fn long_schedules_recover_as_short_ones_do() {
    try_schedules(6, 500, Sync::Simulated);
}

#[test]
fn the_same_holds_with_syncs_of_the_disk() {
    try_schedules(10, 40, Sync::Real);
}

#[test]
fn a_crash_of_the_process_keeps_everything_and_a_loss_of_power_nothing_that_was_not_synced() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut run = Run::new(dir.path(), small_segments());
    for _ in 0..20 {
        run.append();
    }
    assert_eq!(run.log.recovery_point(), Offset(0));
    let remains = run.log.kill();
    let (log, recovery) = open(dir.path(), &small_segments(), &remains);
    assert_eq!((log.log_end(), recovery.cut), (Offset(20), None));
    assert_eq!(
        log.recovery_point(),
        Offset(0),
        "nothing was synced by the crash"
    );
    let remains = lose_power(log, &[]);
    let (log, _) = open(dir.path(), &small_segments(), &remains);
    assert_eq!(log.log_end(), Offset(0));
}

fn commit(next: u64) -> Commit {
    Commit {
        generation: Generation(0),
        position: Position {
            next: NextOffset(next),
            leader_epoch: None,
        },
    }
}

#[test]
fn a_loss_of_power_takes_no_commit_but_those_that_were_left_to_the_page_cache() {
    let last = prop::option::of(0..12u64);
    try_all(200, (0..6u64, 0..6u64, last, 0..40u64), |case| {
        let (synced, cached, last, torn) = case;
        let dir = tempfile::tempdir().expect("a temporary directory");
        let open = || OffsetLog::open(dir.path(), Sync::Simulated).expect("it can be opened");
        let (mut offsets, _) = open();
        for next in 0..synced {
            offsets.commit(commit(next)).expect("it can be written");
        }
        offsets.leave_to_page_cache();
        for next in synced..synced + cached {
            offsets.commit(commit(next)).expect("it can be written");
        }
        let position = last.map(|next| commit(next).position);
        let lost = offsets.lose_power_after(position, torn);
        lost.expect("it can be cut");
        let kept = last.map_or(0, |last| last + 1).min(synced + cached);
        let expected = kept.max(synced).checked_sub(1).map(commit);
        prop_assert_eq!(open().0.committed(), expected);
        prop_assert_eq!(open().1, None, "the first recovery left nothing to cut");
        Ok(())
    });
}
