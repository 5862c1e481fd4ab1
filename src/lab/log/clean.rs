//! The log cleaner (`cleanup.policy=compact`): closed segments are written anew without the records
//! that a newer one of their key replaces.
//!
//! As in Kafka, what is written anew is synced before anything else is touched. It waits under a name
//! of its own, is renamed to a swap, and only then are the old segments deleted: a process that is
//! killed before has cleaned nothing, one that is killed after finishes when it opens the log. Of each
//! producer id the last batch of what is cleaned stays, empty if need be, and the leader epochs are
//! written down first. Kafka keeps it only where there is no later one beyond; what a loss of power
//! takes there it has in the snapshot of producers beside the next segment.

use super::batch::Batch;
use super::segment::{Segment, base_of, cleaned_name, name_of};
use super::{Log, StorageError};
use crate::lab::disk::Directory;
use crate::lab::words::Offset;
use semel_models::broker::EntryKind;
use std::collections::HashMap;

impl Log {
    /// Cleans the closed segments that end at or below `below`. Returns up to where the log is clean.
    ///
    /// # Panics
    /// When the log is not compacted: it may have no gaps.
    pub fn clean(&mut self, below: Offset) -> Result<Offset, StorageError> {
        assert!(self.settings.compacted, "the log is compacted");
        let closed = &self.segments[..self.segments.len() - 1];
        let count = closed
            .iter()
            .take_while(|segment| segment.end() <= below)
            .count();
        let Some(last) = count.checked_sub(1) else {
            return Ok(self.segments[0].base());
        };
        let (base, end) = (self.segments[0].base(), self.segments[last].end());
        let mut batches = Vec::new();
        for segment in &self.segments[..count] {
            batches.extend(segment.read(segment.base(), usize::MAX)?);
        }
        let left = Log::without_replaced(batches);
        self.write_epochs()?;
        let mut cleaned = Segment::write_cleaned(&self.directory, base, &left)?;
        cleaned.begin_swap(&self.directory)?;
        for segment in &self.segments[1..count] {
            self.directory.remove(&name_of(segment.base()))?;
        }
        cleaned.end_swap(&self.directory)?;
        self.segments.splice(..count, [cleaned]);
        self.recovery_point = self.recovery_point.max(end);
        Ok(end)
    }

    /// Writes down where each leader epoch begins, if the batches may no longer tell it.
    pub(super) fn write_epochs(&self) -> Result<(), StorageError> {
        match self.settings.compacted {
            true => self.epoch_checkpoint.write(&self.epochs.to_numbers()),
            false => Ok(()),
        }
    }

    /// What the cleaner keeps of these batches.
    fn without_replaced(batches: Vec<Batch>) -> Vec<Batch> {
        let mut newest = HashMap::new();
        let mut last = HashMap::new();
        for batch in &batches {
            if let Some(stamp) = batch.stamp {
                last.insert(stamp.producer, batch.offset);
            }
            if let Some(record) = &batch.record {
                newest.insert(record.key.clone(), batch.offset);
            }
        }
        let kept = |mut batch: Batch| {
            let is_marker = match batch.kind {
                EntryKind::Plain | EntryKind::Transactional => false,
                EntryKind::Marker(_) => true,
            };
            let record = batch.record.as_ref();
            let is_newest = record.is_some_and(|record| newest[&record.key] == batch.offset);
            if is_marker || is_newest {
                return Some(batch);
            }
            batch.record = None;
            let stamp = batch.stamp?;
            (last[&stamp.producer] == batch.offset).then_some(batch)
        };
        batches.into_iter().filter_map(kept).collect()
    }
}

/// Finishes what a killed process had begun: what was to replace nothing yet is deleted, a swap
/// takes its place.
pub(super) fn finish(directory: &Directory) -> Result<(), StorageError> {
    for name in directory.names()? {
        if let Some(base) = name.strip_suffix(".cleaned").and_then(base_of) {
            directory.remove(&cleaned_name(base))?;
        }
    }
    let names = directory.names()?;
    for base in names
        .iter()
        .filter_map(|name| base_of(name.strip_suffix(".swap")?))
    {
        let (mut swap, _) = Segment::scan_swap(directory, base)?;
        let replaced = |other: &Offset| *other > base && *other < swap.end();
        let others = names.iter().filter_map(|name| base_of(name));
        for other in others.filter(replaced) {
            directory.remove(&name_of(other))?;
        }
        swap.end_swap(directory)?;
    }
    Ok(())
}
