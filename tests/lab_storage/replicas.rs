//! Logs of several replicas: what followers cut off and append, under every crash, and the model's
//! replicas beside them.

use crate::tries::{batches, open, record, segment_files, small_segments, try_all};
use proptest::collection::vec;
use proptest::prelude::*;
use semel::lab::{Batch, Fetched};
use semel::lab::{
    LeaderEpoch, Log, NextOffset, Offset, Produced, ProducerId, Remains, Sequence, Stamp, Tear,
};
use semel_models::rules::TruncationRule;
use std::fs;
use std::path::Path;

const REPLICAS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// The leader appends.
    Append,
    /// A follower fetches from the leader, and cuts its log before if it has not yet.
    Fetch(usize),
    /// Another replica leads in a new epoch.
    Lead(usize),
    /// A broker's process dies and starts again.
    Crash(usize),
    /// A broker loses power: this fraction of what it had not synced is left.
    PowerLoss(usize, u16),
    Flush(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..REPLICAS;
    prop_oneof![
        8 => Just(Step::Append),
        8 => who.clone().prop_map(Step::Fetch),
        2 => who.clone().prop_map(Step::Lead),
        1 => who.clone().prop_map(Step::Crash),
        2 => (who.clone(), any::<u16>()).prop_map(|(who, kept)| Step::PowerLoss(who, kept)),
        1 => who.prop_map(Step::Flush),
    ]
}

/// Three replicas, any of which may lead: that is, with unclean elections.
struct Replicas {
    dirs: Vec<tempfile::TempDir>,
    logs: Vec<Option<Log>>,
    in_line: [bool; REPLICAS],
    leader: usize,
    epoch: i32,
    sent: u64,
}

impl Replicas {
    fn new() -> Replicas {
        let dirs: Vec<_> = (0..REPLICAS)
            .map(|_| tempfile::tempdir().expect("a temporary directory"))
            .collect();
        let open = |dir: &tempfile::TempDir| {
            let (log, _) = open(dir.path(), &small_segments(), &Remains::default());
            Some(log)
        };
        Replicas {
            logs: dirs.iter().map(open).collect(),
            dirs,
            in_line: [true; REPLICAS],
            leader: 0,
            epoch: 0,
            sent: 0,
        }
    }

    fn log(&mut self, who: usize) -> &mut Log {
        self.logs[who].as_mut().expect("it is open between steps")
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Append => {
                let record = record(self.sent);
                let stamp = Stamp {
                    producer: ProducerId(1),
                    sequence: Sequence(0),
                    ..Stamp::default()
                };
                self.sent += 1;
                let stamp = self.sent.is_multiple_of(2).then_some(stamp);
                let leader = self.leader;
                self.log(leader)
                    .append(stamp, &record)
                    .expect("it can be written");
            }
            Step::Fetch(who) => return self.fetch(who),
            Step::Lead(who) => {
                self.leader = who;
                self.epoch += 1;
                self.hear();
            }
            Step::Flush(who) => self.log(who).flush().expect("it can be synced"),
            Step::Crash(who) => self.again(who, Log::kill)?,
            Step::PowerLoss(who, fraction) => {
                let (synced, end) = (self.log(who).recovery_point(), self.log(who).log_end());
                let part = (end.0 - synced.0) * u64::from(fraction) / u64::from(u16::MAX);
                let kept = Offset(synced.0 + part);
                let torn = Tear {
                    kept: u64::from(fraction % 97),
                    hole: u64::from(fraction % 5),
                };
                self.again(who, |log| {
                    let lost = log.lose_power_after(kept, torn);
                    lost.expect("it can be cut")
                })?;
                prop_assert_eq!(self.log(who).log_end(), kept);
            }
        }
        Ok(())
    }

    fn hear(&mut self) {
        let (leader, epoch) = (self.leader, self.epoch);
        for who in 0..REPLICAS {
            self.log(who).begin_epoch(LeaderEpoch(epoch));
            self.in_line[who] = who == leader;
        }
    }

    /// A leader that starts again leads in a new epoch.
    fn again(
        &mut self,
        who: usize,
        stop: impl FnOnce(Log) -> Remains,
    ) -> Result<(), TestCaseError> {
        let log = self.logs[who].take().expect("it is open");
        let before = batches(&log);
        let remains = stop(log);
        let (log, _) = open(self.dirs[who].path(), &small_segments(), &remains);
        let left = batches(&log);
        prop_assert_eq!(&before[..left.len()], &left[..]);
        self.logs[who] = Some(log);
        self.epoch += i32::from(who == self.leader);
        self.hear();
        Ok(())
    }

    fn fetch(&mut self, who: usize) -> Result<(), TestCaseError> {
        if who == self.leader {
            return Ok(());
        }
        let mut follower = self.logs[who].take().expect("it is open");
        let leader = self.log(self.leader);
        let (own, led) = (batches(&follower), batches(leader));
        if !std::mem::replace(&mut self.in_line[who], true) {
            let leader = self.logs[self.leader].as_ref().expect("it is open");
            let rule = TruncationRule::EndOfKnownEpoch;
            let cut = follower.align(leader, rule, Offset(0));
            cut.expect("it can be cut");
            let common = own.iter().zip(&led).take_while(|(own, led)| own == led);
            let common = Offset(common.count() as u64);
            prop_assert_eq!(
                follower.log_end(),
                common,
                "what both have is kept, and no more"
            );
        }
        let missing = follower.log_end().0 as usize..;
        for batch in &led[missing] {
            follower.replicate(batch).expect("it can be written");
        }
        prop_assert_eq!(batches(&follower), led);
        let leader = self.logs[self.leader].as_ref().expect("it is open");
        for epoch in 0..=self.epoch {
            let epoch = LeaderEpoch(epoch);
            prop_assert_eq!(follower.end_of_epoch(epoch), leader.end_of_epoch(epoch));
        }
        self.logs[who] = Some(follower);
        Ok(())
    }
}

#[test]
fn a_follower_keeps_what_it_has_in_common_with_its_leader_and_fetches_the_rest() {
    try_all(300, vec(step(), 1..70), |steps| {
        let mut replicas = Replicas::new();
        for step in &steps {
            replicas.take(step)?;
        }
        Ok(())
    });
}

/// A leader and a follower that has all it has.
fn two(dir: &Path, records: u64) -> (Log, Log) {
    let (mut leader, _) = open(&dir.join("leader"), &small_segments(), &Remains::default());
    let (mut follower, _) = open(
        &dir.join("follower"),
        &small_segments(),
        &Remains::default(),
    );
    let stamp = |sequence: u64| Stamp {
        producer: ProducerId(1),
        sequence: Sequence(sequence as i32),
        ..Stamp::default()
    };
    for id in 0..records {
        let produced = leader.append(Some(stamp(id)), &record(id));
        produced.expect("it can be written");
    }
    for batch in batches(&leader) {
        follower.replicate(&batch).expect("it can be written");
    }
    (leader, follower)
}

fn repeat(log: &mut Log, sequence: i32) -> Produced {
    let stamp = Stamp {
        producer: ProducerId(1),
        sequence: Sequence(sequence),
        ..Stamp::default()
    };
    let produced = log.append(Some(stamp), &record(sequence as u64));
    produced.expect("it can be written")
}

#[test]
fn a_follower_that_leads_knows_the_producers_of_what_it_fetched() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, mut follower) = two(dir.path(), 4);
    follower.begin_epoch(LeaderEpoch(1));
    assert_eq!(repeat(&mut follower, 1), Produced::Duplicate(Offset(1)));
    assert_eq!(repeat(&mut follower, 4), Produced::Appended(Offset(4)));
    assert_eq!(batches(&follower)[4].leader_epoch, LeaderEpoch(1));
    assert_eq!(batches(&follower)[3].leader_epoch, LeaderEpoch(0));
}

#[test]
fn a_truncation_that_was_killed_on_the_way_leaves_a_longer_log_without_a_gap() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, mut follower) = two(dir.path(), 30);
    let whole = batches(&follower);
    let path = dir.path().join("follower");
    let files = segment_files(&path);
    let bytes: Vec<_> = files
        .iter()
        .map(|file| fs::read(file).expect("it can be read"))
        .collect();
    follower.truncate_to(Offset(7)).expect("it can be cut");
    assert_eq!(batches(&follower), whole[..7]);
    drop(follower);
    // Segments go from the back: so many of them were still there.
    for still_there in 0..=files.len() {
        for (file, bytes) in files.iter().zip(&bytes).take(still_there) {
            fs::write(file, bytes).expect("it can be written");
        }
        for file in &files[still_there..] {
            if still_there > 0 {
                let _ = fs::remove_file(file);
            }
        }
        let (log, recovery) = open(&path, &small_segments(), &Remains::default());
        let left = batches(&log);
        assert_eq!(left, whole[..left.len()]);
        assert!(left.len() >= 7 || still_there > 0, "{still_there}");
        assert_eq!(recovery.cut, None);
    }
}

/// The batches of a log of these leader epochs.
fn of_epochs(dir: &Path, epochs: &[i32]) -> Log {
    let (mut log, _) = open(dir, &small_segments(), &Remains::default());
    for (id, epoch) in (0..).zip(epochs) {
        log.begin_epoch(LeaderEpoch(*epoch));
        log.append(None, &record(id)).expect("it can be written");
    }
    log
}

fn aligned(follower: &[i32], leader: &[i32], leads_in: i32, rule: TruncationRule) -> u64 {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut leader = of_epochs(&dir.path().join("leader"), leader);
    let mut follower = of_epochs(&dir.path().join("follower"), follower);
    leader.begin_epoch(LeaderEpoch(leads_in));
    let cut = follower.align(&leader, rule, Offset(1));
    cut.expect("it can be cut");
    match follower
        .fetch(NextOffset(0), usize::MAX)
        .expect("it can be read")
    {
        Fetched::Batches(left) => left.len() as u64,
        Fetched::OutOfRange => panic!("{:?}", Vec::<Batch>::new()),
    }
}

#[test]
fn how_much_a_follower_cuts_is_a_rule_of_the_release() {
    let known = TruncationRule::EndOfKnownEpoch;
    let named = TruncationRule::EndOfEpoch;
    // A tail of an epoch that the leader does not have, and one of an older one.
    assert_eq!(aligned(&[0, 0, 1], &[0, 0, 2], 2, known), 2);
    assert_eq!(aligned(&[0, 0, 1], &[0, 0, 2], 2, named), 2);
    // The leader has appended nothing since: it knows no end of what is not its own.
    assert_eq!(aligned(&[0, 0, 1], &[0, 0], 2, known), 2);
    assert_eq!(aligned(&[0, 0, 1], &[0, 0], 2, named), 1);
    // Fast changes of leader (KAFKA-6361): the end of an epoch that the leader never had.
    assert_eq!(aligned(&[0, 1, 1], &[0, 0, 2], 2, known), 1);
    assert_eq!(aligned(&[0, 1, 1], &[0, 0, 2], 2, named), 2);
    // Before leader epochs nothing is cut here.
    assert_eq!(
        aligned(&[0, 1], &[0], 2, TruncationRule::ToHighWatermark),
        2
    );
}
