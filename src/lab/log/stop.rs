//! How a broker stops, and what outlives it beside its files.

use super::Log;
use super::segment::name_of;
use crate::lab::disk::{StorageError, Tear};
use crate::lab::words::{LeaderEpoch, Offset, ProducerId};
use std::collections::BTreeMap;

/// What outlives the broker's process and is in none of its files.
///
/// The default is that of a directory of which nothing is known: a new one, or one that a killed
/// process left. What is found there is synced when the log is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// What lies below is on the disk; `None`: everything.
    pub(super) recovery_point: Option<Offset>,
    /// The controller's: in which epoch the log will be led at the earliest.
    pub(super) leader_epoch: LeaderEpoch,
    /// Which producer ids are expired. Kafka tells it from the time of their last batch.
    pub(super) expired: BTreeMap<ProducerId, Offset>,
}

impl Log {
    /// The broker's process dies. What it wrote is in the page cache: nothing of it is lost, and
    /// nothing more of it is on the disk.
    pub fn kill(self) -> Remains {
        Remains {
            recovery_point: Some(self.recovery_point),
            ..self.remains()
        }
    }

    /// The power fails. `tear` is asked once for each segment, oldest first, with the number of
    /// its bytes that were not synced, what is left of them. A tear beyond that leaves all.
    pub fn lose_power(self, mut tear: impl FnMut(u64) -> Tear) -> Result<Remains, StorageError> {
        let remains = self.remains();
        for segment in self.segments {
            let tear = tear(segment.unsynced());
            segment.lose_power(tear)?;
        }
        Ok(remains)
    }

    /// The power fails and leaves the batches below `kept`, what was synced, and of the batch at
    /// `kept`, where that was not, as much as `torn` says, but not the whole of it.
    pub fn lose_power_after(self, kept: Offset, torn: Tear) -> Result<Remains, StorageError> {
        let remains = self.remains();
        for segment in self.segments {
            let rest = segment.unsynced_of(kept).saturating_sub(1).min(torn.kept);
            let tear = Tear {
                kept: segment.unsynced_below(kept) + rest,
                hole: torn.hole.min(rest),
            };
            segment.lose_power(tear)?;
        }
        Ok(remains)
    }

    /// The disk is lost, and the broker starts with an empty one.
    pub fn lose_disk(self) -> Result<Remains, StorageError> {
        let remains = self.remains();
        self.log_start_checkpoint.remove()?;
        self.epoch_checkpoint.remove()?;
        for segment in self.segments.iter().rev() {
            self.directory.remove(&name_of(segment.base()))?;
        }
        Ok(remains)
    }

    fn remains(&self) -> Remains {
        Remains {
            recovery_point: None,
            leader_epoch: LeaderEpoch(self.leader_epoch.0 + 1),
            expired: self.expired.clone(),
        }
    }
}
