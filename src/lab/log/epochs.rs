//! Where each leader epoch begins in a log (KIP-101: `LeaderEpochFileCache`).
//!
//! The batches tell it, each by the epoch in which it was appended. Once the log cleaner has been
//! there they no longer do, so what they told is written down before.

use crate::lab::words::{LeaderEpoch, Offset};

/// The first offset of each leader epoch that has batches, in the order of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epochs {
    starts: Vec<(LeaderEpoch, Offset)>,
}

impl Epochs {
    /// A batch of `epoch` lies at `offset`, the first of those that are known of beyond.
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, offset: Offset) {
        if self.last().is_none_or(|last| last < epoch) {
            self.starts.push((epoch, offset));
        }
    }

    /// The log ends at `end` now.
    pub(crate) fn truncate(&mut self, end: Offset) {
        self.starts.retain(|(_, start)| *start < end);
    }

    /// The newest epoch.
    pub(crate) fn last(&self) -> Option<LeaderEpoch> {
        self.starts.last().map(|(epoch, _)| *epoch)
    }

    /// The oldest epoch.
    pub(crate) fn first(&self) -> Option<LeaderEpoch> {
        self.starts.first().map(|(epoch, _)| *epoch)
    }

    /// The largest epoch up to `epoch`.
    pub(crate) fn largest_up_to(&self, epoch: LeaderEpoch) -> Option<LeaderEpoch> {
        let mut newest_first = self.starts.iter().rev();
        newest_first
            .find(|(own, _)| *own <= epoch)
            .map(|(own, _)| *own)
    }

    /// Where the first epoch after `epoch` begins.
    pub(crate) fn start_after(&self, epoch: LeaderEpoch) -> Option<Offset> {
        let mut starts = self.starts.iter();
        starts
            .find(|(own, _)| *own > epoch)
            .map(|(_, start)| *start)
    }

    /// As numbers to be stored.
    pub(crate) fn to_numbers(&self) -> Vec<u64> {
        let pairs = self.starts.iter();
        pairs
            .flat_map(|(epoch, start)| [epoch.0 as u64, start.0])
            .collect()
    }

    /// From stored numbers.
    pub(crate) fn from_numbers(numbers: &[u64]) -> Epochs {
        let pairs = numbers.chunks_exact(2);
        Epochs {
            starts: pairs
                .map(|pair| (LeaderEpoch(pair[0] as i32), Offset(pair[1])))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Epochs {
        let mut epochs = Epochs::default();
        for (epoch, offset) in [(0, 0), (0, 1), (2, 4), (5, 6)] {
            epochs.assign(LeaderEpoch(epoch), Offset(offset));
        }
        epochs
    }

    #[test]
    fn an_epoch_ends_where_the_next_that_has_batches_begins() {
        let epochs = three();
        let after = |epoch| epochs.start_after(LeaderEpoch(epoch));
        assert_eq!(after(0), Some(Offset(4)));
        assert_eq!(after(1), Some(Offset(4)));
        assert_eq!(after(3), Some(Offset(6)));
        assert_eq!(after(5), None);
        let known = |epoch| epochs.largest_up_to(LeaderEpoch(epoch));
        assert_eq!(known(1), Some(LeaderEpoch(0)));
        assert_eq!(known(4), Some(LeaderEpoch(2)));
    }

    #[test]
    fn a_truncated_log_knows_the_epochs_that_are_left() {
        let mut epochs = three();
        epochs.truncate(Offset(5));
        assert_eq!(epochs.last(), Some(LeaderEpoch(2)));
        epochs.truncate(Offset(4));
        assert_eq!(epochs.last(), Some(LeaderEpoch(0)));
        epochs.truncate(Offset(0));
        assert_eq!(epochs, Epochs::default());
    }

    #[test]
    fn epochs_are_read_as_they_were_stored() {
        assert_eq!(Epochs::from_numbers(&three().to_numbers()), three());
    }
}
