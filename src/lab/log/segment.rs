//! A segment: a part of the log in a file of its own, named by the offset of its first batch.
//!
//! Where each batch begins is kept in memory; Kafka's index files hold nothing that the log does
//! not, and are left out.

use super::batch::Batch;
use crate::lab::disk::{AppendFile, Directory, StorageError, Tear};
use crate::lab::frame::{self, Flaw};
use crate::lab::words::{LeaderEpoch, Offset, RecordId, Stamp};
use semel_models::broker::EntryKind;

/// What is remembered of a stored batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    position: u64,
    /// Its offset.
    pub(crate) offset: Offset,
    /// The leader epoch in which it was appended.
    pub(crate) leader_epoch: LeaderEpoch,
    /// Where it came from.
    pub(crate) stamp: Option<Stamp>,
    /// What it is.
    pub(crate) kind: EntryKind,
    /// Which record it holds.
    pub(crate) record: Option<RecordId>,
}

impl Header {
    /// Whether it is a marker, or holds a record.
    pub(crate) fn holds_something(&self) -> bool {
        let is_marker = match self.kind {
            EntryKind::Plain | EntryKind::Transactional => false,
            EntryKind::Marker(_) => true,
        };
        is_marker || self.record.is_some()
    }

    fn of(batch: &Batch, position: u64) -> Header {
        Header {
            position,
            offset: batch.offset,
            leader_epoch: batch.leader_epoch,
            stamp: batch.stamp,
            kind: batch.kind,
            record: batch.record.as_ref().map(|record| record.id),
        }
    }
}

/// A flaw at the end of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadTail {
    /// What is wrong with its first byte or what follows.
    pub(crate) flaw: Flaw,
    /// How many bytes it has.
    pub(crate) bytes: u64,
}

/// Which offsets may follow each other in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offsets {
    /// Each is the one after that before it.
    WithoutGaps,
    /// They grow: the log cleaner has been there.
    Growing,
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    base: Offset,
    end: Offset,
    file: AppendFile,
    headers: Vec<Header>,
    /// Where the last whole batch ends.
    whole: u64,
}

/// The name of the segment that begins at `base`.
pub(crate) fn name_of(base: Offset) -> String {
    format!("{base:0>20}.log")
}

/// The name under which the segment at `base` is written anew.
pub(crate) fn cleaned_name(base: Offset) -> String {
    name_of(base) + ".cleaned"
}

/// The name under which what was written anew waits for those that it replaces to be deleted.
pub(crate) fn swap_name(base: Offset) -> String {
    name_of(base) + ".swap"
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
        Ok(Segment::empty(base, file))
    }

    /// The segment from `base` on, written anew without what the log cleaner removes, in a
    /// file that is not a segment's yet. It is synced.
    pub(crate) fn write_cleaned(
        directory: &Directory,
        base: Offset,
        batches: &[Batch],
    ) -> Result<Segment, StorageError> {
        let file = AppendFile::create(directory, &cleaned_name(base))?;
        let mut segment = Segment::empty(base, file);
        for batch in batches {
            segment.append(batch)?;
        }
        segment.file.sync()?;
        Ok(segment)
    }

    /// Its file becomes a swap: from now on it is sure to take the place of what it replaces.
    pub(crate) fn begin_swap(&mut self, directory: &Directory) -> Result<(), StorageError> {
        self.file.rename(directory, &swap_name(self.base))
    }

    /// Its file takes its place.
    pub(crate) fn end_swap(&mut self, directory: &Directory) -> Result<(), StorageError> {
        self.file.rename(directory, &name_of(self.base))
    }

    fn empty(base: Offset, file: AppendFile) -> Segment {
        Segment {
            base,
            end: base,
            file,
            headers: Vec::new(),
            whole: 0,
        }
    }

    /// What of the stored segment is whole, and what is wrong after that. Nothing is cut yet.
    pub(crate) fn scan(
        directory: &Directory,
        base: Offset,
        offsets: Offsets,
    ) -> Result<(Segment, Option<BadTail>), StorageError> {
        Segment::scan_file(directory, &name_of(base), base, offsets)
    }

    /// The swap that a killed process left at `base`.
    pub(crate) fn scan_swap(
        directory: &Directory,
        base: Offset,
    ) -> Result<(Segment, Option<BadTail>), StorageError> {
        Segment::scan_file(directory, &swap_name(base), base, Offsets::Growing)
    }

    fn scan_file(
        directory: &Directory,
        name: &str,
        base: Offset,
        offsets: Offsets,
    ) -> Result<(Segment, Option<BadTail>), StorageError> {
        let file = AppendFile::open(directory, name)?;
        let mut expected = base;
        let scan = frame::scan(&file.read(0, file.len())?, |body| {
            let batch = Batch::from_body(body)?;
            let fits = match offsets {
                Offsets::WithoutGaps => batch.offset == expected,
                Offsets::Growing => batch.offset >= expected,
            };
            if !fits {
                return Err(Flaw::OutOfPlace {
                    expected,
                    found: batch.offset,
                });
            }
            expected = Offset(batch.offset.0 + 1);
            Ok(batch)
        });
        let header = |(position, batch): (u64, Batch)| Header::of(&batch, position);
        let bytes = file.len() - scan.end;
        let bad_tail = scan.flaw.map(|flaw| BadTail { flaw, bytes });
        let headers = scan.frames.into_iter().map(header).collect();
        Ok((
            Segment {
                base,
                end: expected,
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
        self.end
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.len()
    }

    /// What is remembered of its batches.
    pub(crate) fn headers(&self) -> impl DoubleEndedIterator<Item = &Header> + Clone {
        self.headers.iter()
    }

    /// Appends `batch`, whose offset is not below the end.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<(), StorageError> {
        let position = self.file.len();
        self.file.append(&batch.to_frame())?;
        self.headers.push(Header::of(batch, position));
        self.end = Offset(batch.offset.0 + 1);
        self.whole = self.file.len();
        Ok(())
    }

    /// Up to `most` batches from `from` on.
    pub(crate) fn read(&self, from: Offset, most: usize) -> Result<Vec<Batch>, StorageError> {
        let first = self.index_of(from);
        let wanted = most.min(self.headers.len() - first);
        let start = self.position_at(first);
        let bytes = self.file.read(start, self.position_at(first + wanted))?;
        let scan = frame::scan(&bytes, Batch::from_body);
        // Fewer than were recovered or appended: somebody else cut the file.
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

    /// Where the first batch at or above `offset` begins; the end of the last, if there is none.
    fn position_of(&self, offset: Offset) -> u64 {
        self.position_at(self.index_of(offset))
    }

    /// The place of the first batch at or above `offset`.
    fn index_of(&self, offset: Offset) -> usize {
        self.headers
            .partition_point(|header| header.offset < offset)
    }

    fn position_at(&self, index: usize) -> u64 {
        let header = self.headers.get(index);
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
        self.end = self.end.min(offset).max(self.base);
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
        if offset < self.base
            || offset >= self.end
            || self.position_of(offset) < self.file.len() - self.file.unsynced()
        {
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
