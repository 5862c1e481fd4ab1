//! The log as one of several replicas: what a follower takes from its leader, and what both know of
//! leader epochs.
//!
//! Who leads is the controller's to say, and how far a follower cuts its log is a rule of the
//! release: here is what the files tell of it.

use super::batch::Batch;
use super::{Log, StorageError};
use crate::lab::words::{LeaderEpoch, Offset};

impl Log {
    /// The broker hears of this leader epoch, in which it leads or follows.
    pub fn begin_epoch(&mut self, epoch: LeaderEpoch) {
        self.leader_epoch = epoch;
    }

    /// A follower appends what its leader has, with its offset and leader epoch. Its producers are
    /// remembered, and not checked: the leader has done that.
    ///
    /// # Panics
    /// When the batch lies below the log's end.
    pub fn replicate(&mut self, batch: &Batch) -> Result<(), StorageError> {
        assert!(
            batch.offset >= self.log_end(),
            "a follower goes on at its end"
        );
        self.store(batch)
    }

    /// The leader epoch of the last batch.
    pub fn last_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.last()
    }

    /// The leader epoch of the first batch.
    pub fn first_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.first()
    }

    /// The largest leader epoch up to `epoch` that the log has batches of.
    pub fn known_epoch(&self, epoch: LeaderEpoch) -> Option<LeaderEpoch> {
        self.epochs.largest_up_to(epoch)
    }

    /// `OffsetsForLeaderEpoch`: where the log of `leader_epoch` ends.
    pub fn end_of_epoch(&self, leader_epoch: LeaderEpoch) -> Offset {
        let later = self.epochs.start_after(leader_epoch);
        later.unwrap_or(self.log_end()).max(self.log_start)
    }

    /// Where the first batch of a later epoch than `epoch` lies.
    pub fn start_after_epoch(&self, epoch: LeaderEpoch) -> Option<Offset> {
        self.epochs.start_after(epoch)
    }
}
