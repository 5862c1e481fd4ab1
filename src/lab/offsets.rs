//! The group's committed offset on disk: what `__consumer_offsets` holds of one group and
//! partition.
//!
//! Each commit is synced before it is answered: the coordinator's log has its own replicas and is
//! written with `acks=all`, so no fault of the partition's broker reaches it. A process that is
//! killed in the middle of a commit leaves a torn tail, which is cut when the file is opened.
//!
//! **Left out.** Who may commit, which the group's coordinator decides before, and compaction: the
//! file grows with every commit.

use crate::lab::disk::{AppendFile, Directory, StorageError, Sync};
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
        Ok((OffsetLog { file, committed }, cut))
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
        self.file.sync()?;
        self.committed = entry;
        Ok(())
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
    fn a_frame_of_something_else_is_malformed() {
        for body in [&[][..], &[COMMIT, 0], &[3], &[TOMBSTONE, 0]] {
            assert_eq!(read(body), Err(Flaw::Malformed));
        }
    }
}
