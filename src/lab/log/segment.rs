//! A segment: a part of the log in a file of its own, named by the offset of its first batch.
//!
//! Where each batch begins is kept in memory; Kafka's index files hold nothing that the log does
//! not, and are left out.

use super::batch::Batch;
use crate::lab::disk::{AppendFile, Directory, StorageError, Tear};
use crate::lab::frame::{self, Flaw};
use crate::lab::words::{LeaderEpoch, Offset, Stamp};

/// What is remembered of a stored batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    position: u64,
    /// The leader epoch in which it was appended.
    pub(crate) leader_epoch: LeaderEpoch,
    /// Where it came from.
    pub(crate) stamp: Option<Stamp>,
}

/// A flaw at the end of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadTail {
    /// What is wrong with its first byte or what follows.
    pub(crate) flaw: Flaw,
    /// How many bytes it has.
    pub(crate) bytes: u64,
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    base: Offset,
    file: AppendFile,
    headers: Vec<Header>,
    /// Where the last whole batch ends.
    whole: u64,
}

/// The name of the segment that begins at `base`.
pub(crate) fn name_of(base: Offset) -> String {
    format!("{base:0>20}.log")
}

/// The offset at which the segment of that name begins; `None`: it is no segment's name.
pub(crate) fn base_of(name: &str) -> Option<Offset> {
    let base = Offset(name.strip_suffix(".log")?.parse().ok()?);
    (name_of(base) == name).then_some(base)
}

impl Segment {
    /// A new segment that begins at `base`.
    pub(crate) fn create(directory: &Directory, base: Offset) -> Result<Segment, StorageError> {
        let file = AppendFile::create(directory, &name_of(base))?;
        Ok(Segment {
            base,
            file,
            headers: Vec::new(),
            whole: 0,
        })
    }

    /// What of the stored segment is whole, and what is wrong after that. Nothing is cut yet.
    pub(crate) fn scan(
        directory: &Directory,
        base: Offset,
    ) -> Result<(Segment, Option<BadTail>), StorageError> {
        let file = AppendFile::open(directory, &name_of(base))?;
        let mut expected = base;
        let scan = frame::scan(&file.read(0, file.len())?, |body| {
            let batch = Batch::from_body(body)?;
            if batch.offset != expected {
                return Err(Flaw::OutOfPlace {
                    expected,
                    found: batch.offset,
                });
            }
            expected = Offset(expected.0 + 1);
            Ok(batch)
        });
        let header = |(position, batch): (u64, Batch)| Header {
            position,
            leader_epoch: batch.leader_epoch,
            stamp: batch.stamp,
        };
        let bytes = file.len() - scan.end;
        let bad_tail = scan.flaw.map(|flaw| BadTail { flaw, bytes });
        let headers = scan.frames.into_iter().map(header).collect();
        Ok((
            Segment {
                base,
                file,
                headers,
                whole: scan.end,
            },
            bad_tail,
        ))
    }

    /// The offset of its first batch.
    pub(crate) fn base(&self) -> Offset {
        self.base
    }

    /// The offset after its last batch.
    pub(crate) fn end(&self) -> Offset {
        Offset(self.base.0 + self.headers.len() as u64)
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.len()
    }

    /// What is remembered of its batches, with their offsets.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (Offset, &Header)> {
        let base = self.base.0;
        (base..).map(Offset).zip(&self.headers)
    }

    /// Appends `frame`, which holds a batch with that stamp and the next offset.
    pub(crate) fn append(
        &mut self,
        frame: &[u8],
        leader_epoch: LeaderEpoch,
        stamp: Option<Stamp>,
    ) -> Result<(), StorageError> {
        let position = self.file.len();
        self.file.append(frame)?;
        self.headers.push(Header {
            position,
            leader_epoch,
            stamp,
        });
        self.whole = self.file.len();
        Ok(())
    }

    /// Up to `most` batches from `from` on, which lies in the segment.
    pub(crate) fn read(&self, from: Offset, most: usize) -> Result<Vec<Batch>, StorageError> {
        let to = Offset(from.0.saturating_add(most as u64)).min(self.end());
        let start = self.position_of(from);
        let bytes = self.file.read(start, self.position_of(to))?;
        let scan = frame::scan(&bytes, Batch::from_body);
        // Fewer than were recovered or appended: somebody else cut the file.
        let wanted = usize::try_from(to.0 - from.0).unwrap_or(usize::MAX);
        let missing = (scan.frames.len() != wanted).then_some(Flaw::Torn);
        match scan.flaw.or(missing) {
            None => Ok(scan.frames.into_iter().map(|(_, batch)| batch).collect()),
            Some(flaw) => Err(StorageError::Damaged {
                path: self.file.path().to_owned(),
                position: start + scan.end,
                flaw,
            }),
        }
    }

    /// Where the batch at `offset` begins; the end of the last batch, if it lies beyond that.
    fn position_of(&self, offset: Offset) -> u64 {
        let index = offset.0.saturating_sub(self.base.0);
        let header = usize::try_from(index)
            .ok()
            .and_then(|index| self.headers.get(index));
        header.map_or(self.whole, |header| header.position)
    }

    /// Removes what follows the last whole batch.
    pub(crate) fn cut_bad_tail(&mut self) -> Result<(), StorageError> {
        self.file.cut(self.whole)
    }

    /// Removes the batches from `offset` on.
    pub(crate) fn truncate_to(&mut self, offset: Offset) -> Result<(), StorageError> {
        let position = self.position_of(offset);
        self.file.cut(position)?;
        self.whole = position;
        self.headers.retain(|header| header.position < position);
        Ok(())
    }

    /// The batches below `offset` survive a power loss.
    pub(crate) fn sync_up_to(&mut self, offset: Offset) -> Result<(), StorageError> {
        self.file.sync_up_to(self.position_of(offset))
    }

    /// The batches below `offset` were synced by the process before.
    pub(crate) fn was_synced_up_to(&mut self, offset: Offset) {
        self.file.was_synced_up_to(self.position_of(offset));
    }

    /// How many bytes a power loss may take.
    pub(crate) fn unsynced(&self) -> u64 {
        self.file.unsynced()
    }

    /// How many of those bytes belong to batches below `offset`.
    pub(crate) fn unsynced_below(&self, offset: Offset) -> u64 {
        let synced = self.file.len() - self.file.unsynced();
        self.position_of(offset).saturating_sub(synced)
    }

    /// How many bytes the batch at `offset` has, if it is in the segment and was not synced.
    pub(crate) fn unsynced_of(&self, offset: Offset) -> u64 {
        if offset < self.base || self.position_of(offset) < self.file.len() - self.file.unsynced() {
            return 0;
        }
        self.position_of(Offset(offset.0 + 1)) - self.position_of(offset)
    }

    /// The power fails.
    pub(crate) fn lose_power(self, tear: Tear) -> Result<(), StorageError> {
        self.file.lose_power(tear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_its_base_offset_in_twenty_digits() {
        assert_eq!(name_of(Offset(42)), "00000000000000000042.log");
        assert_eq!(base_of("00000000000000000042.log"), Some(Offset(42)));
        assert_eq!(base_of("42.log"), None);
        assert_eq!(base_of("+0000000000000000042.log"), None);
        assert_eq!(base_of("00000000000000000042.tmp"), None);
    }
}
