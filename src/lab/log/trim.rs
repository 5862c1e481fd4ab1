//! What leaves the log: its oldest batches by retention, its newest by truncation.

use super::Log;
use super::segment::{Segment, name_of};
use crate::lab::disk::StorageError;
use crate::lab::words::Offset;

impl Log {
    /// Retention: the batches below `offset` leave the log, at most all that are in it. Returns
    /// where it starts now. Segments of which nothing is left are deleted, but for the one that is
    /// written to.
    ///
    /// What leaves the log had been synced, as only closed segments below the high watermark are
    /// deleted. The log's start is written down first: a process that is killed on the way finds
    /// segments below it, and deletes them when it opens the log.
    pub fn delete_before(&mut self, offset: Offset) -> Result<Offset, StorageError> {
        let start = offset.min(self.log_end());
        if start <= self.log_start {
            return Ok(self.log_start);
        }
        self.flush_up_to(start)?;
        self.log_start_checkpoint.write(&[start.0])?;
        self.log_start = start;
        if !self.settings.rules.producer_state_outlives_records {
            self.producers.forget_gone(start);
        }
        self.delete_dead_segments()?;
        Ok(start)
    }

    /// Deletes the segments below the log's start, oldest first.
    pub(super) fn delete_dead_segments(&mut self) -> Result<(), StorageError> {
        while self.segments.len() > 1 && self.segments[0].end() <= self.log_start {
            self.directory.remove(&name_of(self.segments[0].base()))?;
            self.segments.remove(0);
        }
        Ok(())
    }

    /// A follower whose log ends before its leader's begins has nothing that goes on there: its log starts
    /// anew, and it knows no producer.
    pub fn start_anew_at(&mut self, offset: Offset) -> Result<(), StorageError> {
        let fresh = Segment::create(&self.directory, offset)?;
        self.log_start_checkpoint.write(&[offset.0])?;
        self.replace_segments(fresh)?;
        self.log_start = offset;
        self.recovery_point = offset;
        self.epochs.truncate(Offset(0));
        self.write_epochs()?;
        self.recover_producers();
        Ok(())
    }

    /// An empty segment takes the place of all.
    pub(super) fn replace_segments(&mut self, fresh: Segment) -> Result<(), StorageError> {
        for segment in std::mem::replace(&mut self.segments, vec![fresh]) {
            self.directory.remove(&name_of(segment.base()))?;
        }
        Ok(())
    }

    /// The batches from `offset` on leave the log. What the broker knows of producers is then read
    /// again from the log.
    ///
    /// Segments are deleted from the back: a process that is killed on the way leaves a longer log,
    /// and none with a gap.
    pub fn truncate_to(&mut self, offset: Offset) -> Result<(), StorageError> {
        if offset >= self.log_end() {
            return Ok(());
        }
        if offset < self.log_start {
            self.log_start_checkpoint.write(&[offset.0])?;
            self.log_start = offset;
        }
        while self.segments.len() > 1 && self.active().base() > offset {
            self.directory.remove(&name_of(self.active().base()))?;
            self.segments.pop();
        }
        if self.active().base() > offset {
            let fresh = Segment::create(&self.directory, offset)?;
            self.directory.remove(&name_of(self.active().base()))?;
            self.segments = vec![fresh];
        }
        self.active_mut().truncate_to(offset)?;
        self.recovery_point = self.recovery_point.min(offset);
        self.recovered = self.recovered.min(offset);
        self.epochs.truncate(offset);
        self.write_epochs()?;
        self.expired
            .values_mut()
            .for_each(|end| *end = (*end).min(offset));
        self.recover_producers();
        Ok(())
    }
}
