//! The group's committed offset on disk: what `__consumer_offsets` holds of one group and
//! partition.
//!
//! The coordinator's log has its own replicas and is written with `acks=all`, so no fault of the
//! partition's broker reaches it: each commit is synced before it is answered. Unless the brokers
//! flush what they write, that stands for replicas that do not lose power at once: where every
//! broker does, commits are [left to the page cache](OffsetLog::leave_to_page_cache), and
//! [a loss of power](OffsetLog::lose_power_after) takes any number of the last ones. A process that is
//! killed in the middle of a commit leaves a torn tail, which is cut when the file is opened.
//!
//! **Left out.** Who may commit, which the group's coordinator decides before, and compaction: the
//! file grows with every commit.

use crate::lab::disk::{AppendFile, Directory, StorageError, Sync, Tear};
use crate::lab::fields::Fields;
use crate::lab::frame::{self, Flaw};
use crate::lab::words::{Generation, LeaderEpoch, NextOffset, Position};
use std::path::Path;

/// The file in the directory.
const NAME: &str = "group-offsets.log";

const COMMIT: u8 = 1;
const TOMBSTONE: u8 = 2;

/// The leader epoch of a position without one, as on Kafka's wire.
const NO_LEADER_EPOCH: i32 = -1;

/// A committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// The generation whose member committed it.
    pub generation: Generation,
    /// What was committed.
    pub position: Position,
}

/// What was cut off a file of offsets when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OffsetsCut {
    /// What was wrong.
    pub flaw: Flaw,
    /// How many bytes were cut off.
    pub bytes: u64,
}

/// The log of the group's committed offset.
///
/// ```
/// use semel::lab::{Commit, Generation, NextOffset, OffsetLog, Position, Sync};
///
/// let dir = tempfile::tempdir()?;
/// let (mut offsets, _) = OffsetLog::open(dir.path(), Sync::Real)?;
/// let position = Position { next: NextOffset(7), leader_epoch: None };
/// let commit = Commit { generation: Generation(1), position };
/// offsets.commit(commit)?;
/// drop(offsets);
///
/// let (offsets, cut) = OffsetLog::open(dir.path(), Sync::Real)?;
/// assert_eq!((offsets.committed(), cut), (Some(commit), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OffsetLog {
    file: AppendFile,
    committed: Option<Commit>,
    /// Whether each entry is synced.
    syncs: bool,
}

impl OffsetLog {
    /// Opens the log in the directory `path`, or starts one there. A tail that is not as it was
    /// written is cut off and returned.
    pub fn open(path: &Path, sync: Sync) -> Result<(OffsetLog, Option<OffsetsCut>), StorageError> {
        let directory = Directory::open(path, sync)?;
        if !directory.names()?.iter().any(|name| name == NAME) {
            let file = AppendFile::create(&directory, NAME)?;
            return Ok((
                OffsetLog {
                    file,
                    committed: None,
                    syncs: true,
                },
                None,
            ));
        }
        let mut file = AppendFile::open(&directory, NAME)?;
        let scan = frame::scan(&file.read(0, file.len())?, read);
        let bytes = file.len() - scan.end;
        file.cut(scan.end)?;
        file.sync()?;
        let cut = scan.flaw.map(|flaw| OffsetsCut { flaw, bytes });
        let committed = scan.frames.last().and_then(|(_, entry)| *entry);
        let offsets = OffsetLog {
            file,
            committed,
            syncs: true,
        };
        Ok((offsets, cut))
    }

    /// From now on nobody syncs what is committed.
    pub fn leave_to_page_cache(&mut self) {
        self.syncs = false;
    }

    /// The committed offset; `None`: there is none, or it expired.
    pub fn committed(&self) -> Option<Commit> {
        self.committed
    }

    /// Commits. After an error it may be there or not once the log is opened again, as with any
    /// commit without an answer.
    pub fn commit(&mut self, commit: Commit) -> Result<(), StorageError> {
        self.write(Some(commit))
    }

    /// The committed offset expires (`offsets.retention.minutes`): a tombstone is written.
    pub fn expire(&mut self) -> Result<(), StorageError> {
        self.write(None)
    }

    fn write(&mut self, entry: Option<Commit>) -> Result<(), StorageError> {
        self.file.append(&frame::seal(&body(entry)))?;
        if self.syncs {
            self.file.sync()?;
        }
        self.committed = entry;
        Ok(())
    }

    /// Every broker loses power. Of what was not synced the entries up to the first commit of
    /// `last` are left, none with `None`, and `torn` bytes of what follows, but no whole entry.
    pub fn lose_power_after(self, last: Option<Position>, torn: u64) -> Result<(), StorageError> {
        let synced = self.file.len() - self.file.unsynced();
        let scan = frame::scan(&self.file.read(0, self.file.len())?, read);
        let positions = scan.frames.iter().map(|(_, entry)| {
            let commit = entry.as_ref();
            commit.map(|commit| commit.position)
        });
        let kept = match last {
            None => 0,
            Some(last) => positions
                .take_while(|position| *position != Some(last))
                .count()
                .saturating_add(1),
        };
        let start = |index: usize| scan.frames.get(index).map_or(scan.end, |(start, _)| *start);
        let rest = (start(kept + 1) - start(kept)).saturating_sub(1).min(torn);
        let kept = start(kept).saturating_sub(synced) + rest;
        self.file.lose_power(Tear::keeping(kept))
    }
}

fn body(entry: Option<Commit>) -> Vec<u8> {
    let Some(Commit {
        generation,
        position,
    }) = entry
    else {
        return vec![TOMBSTONE];
    };
    let leader_epoch = position
        .leader_epoch
        .map_or(NO_LEADER_EPOCH, |epoch| epoch.0);
    let mut body = vec![COMMIT];
    body.extend(generation.0.to_be_bytes());
    body.extend(position.next.0.to_be_bytes());
    body.extend(leader_epoch.to_be_bytes());
    body
}

fn read(body: &[u8]) -> Result<Option<Commit>, Flaw> {
    let mut fields = Fields(body);
    let entry = match fields.u8() {
        Some(TOMBSTONE) => Some(None),
        Some(COMMIT) => read_commit(&mut fields).map(Some),
        // Whatever else a byte can be.
        Some(_) | None => None,
    };
    entry
        .filter(|_| fields.rest().is_empty())
        .ok_or(Flaw::Malformed)
}

fn read_commit(fields: &mut Fields) -> Option<Commit> {
    let generation = Generation(fields.i32()?);
    let next = NextOffset(fields.u64()?);
    let leader_epoch = fields.i32()?;
    let leader_epoch = (leader_epoch != NO_LEADER_EPOCH).then_some(LeaderEpoch(leader_epoch));
    Some(Commit {
        generation,
        position: Position { next, leader_epoch },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(generation: i32, next: u64, leader_epoch: Option<i32>) -> Commit {
        Commit {
            generation: Generation(generation),
            position: Position {
                next: NextOffset(next),
                leader_epoch: leader_epoch.map(LeaderEpoch),
            },
        }
    }

    fn open(dir: &tempfile::TempDir) -> (OffsetLog, Option<OffsetsCut>) {
        OffsetLog::open(dir.path(), Sync::Simulated).expect("it can be opened")
    }

    #[test]
    fn the_last_commit_counts_even_if_it_goes_back() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut offsets, _) = open(&dir);
        assert_eq!(offsets.committed(), None);
        for commit in [commit(1, 9, Some(0)), commit(1, 4, None)] {
            offsets.commit(commit).expect("it can be written");
            assert_eq!(open(&dir).0.committed(), Some(commit));
        }
    }

    #[test]
    fn an_expired_offset_is_gone_until_the_next_commit() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut offsets, _) = open(&dir);
        offsets
            .commit(commit(1, 9, None))
            .expect("it can be written");
        offsets.expire().expect("it can be written");
        assert_eq!(offsets.committed(), None);
        let (mut offsets, _) = open(&dir);
        assert_eq!(offsets.committed(), None);
        offsets
            .commit(commit(2, 3, None))
            .expect("it can be written");
        assert_eq!(open(&dir).0.committed(), Some(commit(2, 3, None)));
    }

    #[test]
    fn a_commit_is_synced_before_it_is_answered() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut offsets, _) = open(&dir);
        offsets
            .commit(commit(1, 9, None))
            .expect("it can be written");
        assert_eq!(offsets.file.unsynced(), 0);
    }

    #[test]
    fn a_power_loss_takes_the_last_commits_that_nobody_synced() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let commits = [4, 9, 4, 12].map(|next| commit(1, next, None));
        let left = |last: Option<u64>, torn: u64| {
            let (mut offsets, _) = open(&dir);
            offsets.leave_to_page_cache();
            for commit in commits {
                offsets.commit(commit).expect("it can be written");
            }
            let last = last.map(|next| Position {
                next: NextOffset(next),
                leader_epoch: None,
            });
            let lost = offsets.lose_power_after(last, torn);
            lost.expect("it can be cut");
            let (offsets, cut) = open(&dir);
            (offsets.committed(), cut.is_some())
        };
        assert_eq!(left(None, 0), (None, false));
        assert_eq!(left(Some(9), 3), (Some(commits[1]), true));
        let (mut offsets, _) = open(&dir);
        offsets.commit(commits[3]).expect("it can be written");
        let lost = offsets.lose_power_after(None, 0);
        lost.expect("there is nothing to cut");
        let synced = open(&dir).0.committed();
        assert_eq!(synced, Some(commits[3]), "what was synced is left");
    }

    #[test]
    fn a_frame_of_something_else_is_malformed() {
        for body in [&[][..], &[COMMIT, 0], &[3], &[TOMBSTONE, 0]] {
            assert_eq!(read(body), Err(Flaw::Malformed));
        }
    }
}
