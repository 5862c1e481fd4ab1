//! The log as one of several replicas: what a follower takes from its leader, and what both know of
//! leader epochs.
//!
//! Who leads is the controller's to say, and which rule a follower cuts its log by is the release's:
//! here is what the files tell of it.

use super::batch::Batch;
use super::{Fetched, Log, StorageError};
use crate::lab::words::{LeaderEpoch, NextOffset, Offset};
use semel_models::rules::TruncationRule;

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

    /// A follower cuts its log to what it has in common with its leader's, as far as leader epochs tell
    /// by this rule; `high_watermark` is its own.
    pub fn align(
        &mut self,
        leader: &Log,
        rule: TruncationRule,
        high_watermark: Offset,
    ) -> Result<(), StorageError> {
        match rule {
            // That was done when it heard of the leader.
            TruncationRule::ToHighWatermark => Ok(()),
            TruncationRule::EndOfEpoch => {
                let Some(epoch) = self.epochs.last() else {
                    return Ok(());
                };
                let named = leader.named_end(epoch);
                self.truncate_to(named.unwrap_or(high_watermark))
            }
            TruncationRule::EndOfKnownEpoch => {
                while let Some(epoch) = self.epochs.last() {
                    let known = leader.known_epoch(epoch);
                    let own = self.epochs.start_after(known).unwrap_or(self.log_end());
                    self.truncate_to(leader.end_of_epoch(known).min(own))?;
                    if known == epoch {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Where a leader says that `epoch` ended, before it named the epoch that it speaks of (KIP-279).
    fn named_end(&self, epoch: LeaderEpoch) -> Option<Offset> {
        if self.epochs.last() == Some(epoch) {
            return Some(self.log_end());
        }
        let is_known_of = self.epochs.first().is_some_and(|first| first <= epoch);
        self.epochs.start_after(epoch).filter(|_| is_known_of)
    }

    /// The largest leader epoch up to `epoch` that the leader knows of.
    fn known_epoch(&self, epoch: LeaderEpoch) -> LeaderEpoch {
        if epoch == self.leader_epoch {
            return epoch;
        }
        self.epochs.largest_up_to(epoch).unwrap_or_default()
    }

    /// `OffsetsForLeaderEpoch`: where the log of `leader_epoch` ends.
    pub fn end_of_epoch(&self, leader_epoch: LeaderEpoch) -> Offset {
        let later = self.epochs.start_after(leader_epoch);
        later.unwrap_or(self.log_end()).max(self.log_start)
    }

    /// Every batch from `offset` on, as followers fetch them.
    pub(crate) fn batches_from(&self, offset: Offset) -> Result<Vec<Batch>, StorageError> {
        Ok(match self.fetch(NextOffset(offset.0), usize::MAX)? {
            Fetched::Batches(batches) => batches,
            Fetched::OutOfRange => Vec::new(),
        })
    }
}
