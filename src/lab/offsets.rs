//! The group's committed offsets on disk: what `__consumer_offsets` holds of one group and a topic of one
//! partition or two.
//!
//! What one request commits is one entry, whichever partitions it names: all of it is there, or nothing.
//!
//! The coordinator's log has its own replicas and is written with `acks=all`, so no fault of the
//! partition's broker reaches it: each commit is synced before it is answered. Unless the brokers
//! flush what they write, that stands for replicas that do not lose power at once: where every
//! broker does, commits are [left to the page cache](OffsetLog::leave_to_page_cache), and
//! [a loss of power](OffsetLog::lose_power_after) takes any number of the last ones. A process that is
//! killed in the middle of a commit leaves a torn tail, which is cut when the file is opened.
//!
//! Offsets of a transaction are pending until its marker is written: they are dropped with an abort, and
//! with a commit they count, unless something newer than they are was committed meanwhile
//! (`OffsetMetadataManager.replayEndTransactionMarker`).
//!
//! **Left out.** Who may commit, which the group's coordinator decides before, and compaction: the
//! file grows with every commit.

use crate::lab::disk::{AppendFile, Directory, StorageError, Sync, Tear};
use crate::lab::fields::Fields;
use crate::lab::frame::{self, Flaw};
use crate::lab::words::{Generation, LeaderEpoch, NextOffset, Position, ProducerId};
use semel_models::transaction_coordinator::Outcome;
use std::path::Path;

/// The file in the directory.
const NAME: &str = "group-offsets.log";

const COMMIT: u8 = 1;
const TOMBSTONE: u8 = 2;
const PENDING: u8 = 3;
const COMMIT_MARKER: u8 = 4;
const ABORT_MARKER: u8 = 5;

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

/// What one request commits in the first partition, and in the second.
pub(crate) type ByPartition = [Option<Commit>; 2];

/// An entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// By partition.
    Commit(ByPartition),
    /// Of every partition.
    Expiry,
    Pending(ProducerId, Commit),
    Marker(ProducerId, Outcome),
}

/// An entry's commit, with its place among the entries.
#[derive(Clone, Copy, Debug)]
struct Placed {
    place: u64,
    commit: Commit,
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

/// The log of the group's committed offsets.
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
    entries: u64,
    /// By partition.
    committed: [Option<Placed>; 2],
    /// Of each transaction under way what it committed last, in the first partition.
    pending: Vec<(ProducerId, Placed)>,
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
            return Ok((OffsetLog::empty(file), None));
        }
        let mut file = AppendFile::open(&directory, NAME)?;
        let scan = frame::scan(&file.read(0, file.len())?, read);
        let bytes = file.len() - scan.end;
        file.cut(scan.end)?;
        file.sync()?;
        let cut = scan.flaw.map(|flaw| OffsetsCut { flaw, bytes });
        let mut offsets = OffsetLog::empty(file);
        for (_, entry) in scan.frames {
            offsets.take(entry);
        }
        Ok((offsets, cut))
    }

    fn empty(file: AppendFile) -> OffsetLog {
        OffsetLog {
            file,
            entries: 0,
            committed: [None; 2],
            pending: Vec::new(),
            syncs: true,
        }
    }

    /// From now on nobody syncs what is committed.
    pub fn leave_to_page_cache(&mut self) {
        self.syncs = false;
    }

    /// The committed offset in the first partition; `None`: there is none, or it expired.
    pub fn committed(&self) -> Option<Commit> {
        let [first, _] = self.committed_by_partition();
        first
    }

    /// The committed offset in each partition.
    pub(crate) fn committed_by_partition(&self) -> ByPartition {
        self.committed.map(|placed| Some(placed?.commit))
    }

    /// Of each transaction under way, in the order in which its offsets came, what the committed offset
    /// is if it commits now.
    pub fn pending(&self) -> impl Iterator<Item = (ProducerId, Commit)> {
        let pending = self.pending.iter();
        pending.map(|(producer, own)| (*producer, self.newer(*own).commit))
    }

    /// Whichever came last of an offset that is pending and the one that is committed.
    fn newer(&self, pending: Placed) -> Placed {
        let [committed, _] = self.committed;
        committed
            .filter(|committed| committed.place > pending.place)
            .unwrap_or(pending)
    }

    /// Commits in the first partition. After an error it may be there or not once the log is opened again, as with any
    /// commit without an answer.
    pub fn commit(&mut self, commit: Commit) -> Result<(), StorageError> {
        self.commit_by_partition([Some(commit), None])
    }

    /// Commits in the partitions that are named, with one request.
    pub(crate) fn commit_by_partition(&mut self, commits: ByPartition) -> Result<(), StorageError> {
        self.write(Entry::Commit(commits))
    }

    /// Commits as part of a transaction: nothing is committed before its marker.
    pub fn commit_in_transaction(
        &mut self,
        producer: ProducerId,
        commit: Commit,
    ) -> Result<(), StorageError> {
        self.write(Entry::Pending(producer, commit))
    }

    /// The transaction's marker is written.
    pub fn end_transaction(
        &mut self,
        producer: ProducerId,
        outcome: Outcome,
    ) -> Result<(), StorageError> {
        self.write(Entry::Marker(producer, outcome))
    }

    /// The committed offsets expire (`offsets.retention.minutes`): a tombstone is written.
    pub fn expire(&mut self) -> Result<(), StorageError> {
        self.write(Entry::Expiry)
    }

    fn write(&mut self, entry: Entry) -> Result<(), StorageError> {
        self.file.append(&frame::seal(&body(entry)))?;
        if self.syncs {
            self.file.sync()?;
        }
        self.take(entry);
        Ok(())
    }

    /// What an entry that was written or found means.
    fn take(&mut self, entry: Entry) {
        let place = self.entries;
        self.entries += 1;
        match entry {
            Entry::Commit(commits) => {
                for (committed, commit) in self.committed.iter_mut().zip(commits) {
                    let new = commit.map(|commit| Placed { place, commit });
                    *committed = new.or(*committed);
                }
            }
            Entry::Expiry => self.committed = [None; 2],
            Entry::Pending(producer, commit) => {
                self.pending.retain(|(other, _)| *other != producer);
                self.pending.push((producer, Placed { place, commit }));
            }
            Entry::Marker(producer, outcome) => {
                let mut pending = self.pending.iter();
                let place = pending.position(|(other, _)| *other == producer);
                let own = place.map(|place| self.pending.remove(place).1);
                if let (Some(pending), Outcome::Commit) = (own, outcome) {
                    self.committed[0] = Some(self.newer(pending));
                }
            }
        }
    }

    /// Every broker loses power. Of what was not synced the entries up to the first commit of
    /// `last` in the first partition are left, none with `None`, and `torn` bytes of what follows, but no whole entry.
    pub fn lose_power_after(self, last: Option<Position>, torn: u64) -> Result<(), StorageError> {
        let synced = self.file.len() - self.file.unsynced();
        let scan = frame::scan(&self.file.read(0, self.file.len())?, read);
        let positions = scan.frames.iter().map(|(_, entry)| match entry {
            Entry::Commit([first, _]) => first.map(|commit| commit.position),
            Entry::Expiry | Entry::Pending(..) | Entry::Marker(..) => None,
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

fn body(entry: Entry) -> Vec<u8> {
    let mut body = Vec::new();
    match entry {
        Entry::Commit(commits) => {
            body.push(COMMIT);
            for (partition, commit) in (0..).zip(commits) {
                if let Some(commit) = commit {
                    body.push(partition);
                    write_commit(&mut body, commit);
                }
            }
        }
        Entry::Expiry => body.push(TOMBSTONE),
        Entry::Pending(producer, commit) => {
            body.push(PENDING);
            body.extend(producer.0.to_be_bytes());
            write_commit(&mut body, commit);
        }
        Entry::Marker(producer, outcome) => {
            body.push(match outcome {
                Outcome::Commit => COMMIT_MARKER,
                Outcome::Abort => ABORT_MARKER,
            });
            body.extend(producer.0.to_be_bytes());
        }
    }
    body
}

fn write_commit(body: &mut Vec<u8>, commit: Commit) {
    let Commit {
        generation,
        position,
    } = commit;
    let leader_epoch = position
        .leader_epoch
        .map_or(NO_LEADER_EPOCH, |epoch| epoch.0);
    body.extend(generation.0.to_be_bytes());
    body.extend(position.next.0.to_be_bytes());
    body.extend(leader_epoch.to_be_bytes());
}

fn read(body: &[u8]) -> Result<Entry, Flaw> {
    let mut fields = Fields(body);
    read_entry(&mut fields)
        .filter(|_| fields.rest().is_empty())
        .ok_or(Flaw::Malformed)
}

fn read_entry(fields: &mut Fields) -> Option<Entry> {
    Some(match fields.u8()? {
        TOMBSTONE => Entry::Expiry,
        COMMIT => Entry::Commit(read_commits(fields)?),
        PENDING => Entry::Pending(ProducerId(fields.u64()?), read_commit(fields)?),
        COMMIT_MARKER => Entry::Marker(ProducerId(fields.u64()?), Outcome::Commit),
        ABORT_MARKER => Entry::Marker(ProducerId(fields.u64()?), Outcome::Abort),
        // Whatever else a byte can be.
        _ => return None,
    })
}

/// At least one, those of the partitions in their order.
fn read_commits(fields: &mut Fields) -> Option<ByPartition> {
    let mut commits = [None; 2];
    let mut next = 0;
    while next == 0 || !fields.is_empty() {
        let partition = usize::from(fields.u8()?);
        *commits.get_mut(partition).filter(|_| partition >= next)? = Some(read_commit(fields)?);
        next = partition + 1;
    }
    Some(commits)
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
mod tests;
