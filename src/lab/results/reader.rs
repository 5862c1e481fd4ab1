//! The reader of an output topic whose brokers can be struck.

use crate::lab::disk::StorageError;
use crate::lab::log::Log;
use crate::lab::words::{LeaderEpoch, NextOffset, Offset};
use semel_models::pipeline::Isolation;

/// How far the reader has come, and what it was given on the way.
#[derive(Debug, Default)]
pub(in crate::lab) struct Reader {
    next: Offset,
    /// The leader epoch of the entry before that.
    leader_epoch: LeaderEpoch,
    seen: Vec<u16>,
}

impl Reader {
    /// The records that it was given, in their order.
    pub(in crate::lab) fn seen(&self) -> &[u16] {
        &self.seen
    }

    /// Where it goes on, and the leader epoch of the entry before.
    pub(in crate::lab) fn position(&self) -> (Offset, LeaderEpoch) {
        (self.next, self.leader_epoch)
    }

    /// Another leader: it goes back to where the leader epoch of its position ended there (KIP-320).
    pub(in crate::lab) fn turn_back(&mut self, leader: &Log) {
        self.next = self.next.min(leader.end_of_epoch(self.leader_epoch));
        self.leader_epoch = epoch_before(leader, self.next);
    }

    /// It reads on to `to`, if the leader's log is readable so far below its high watermark.
    pub(in crate::lab) fn read_on(
        &mut self,
        to: Offset,
        leader: &Log,
        isolation: Isolation,
        high_watermark: Offset,
    ) -> Result<(), StorageError> {
        let to = to.min(leader.readable_end(isolation, high_watermark));
        if to <= self.next {
            return Ok(());
        }
        let next = NextOffset(self.next.0);
        let read = leader.read(next, usize::MAX, isolation, high_watermark)?;
        let below = read.into_iter().filter(|batch| batch.offset < to);
        let records = below.filter_map(|batch| batch.record);
        self.seen.extend(records.map(|record| record.id.0 as u16));
        (self.next, self.leader_epoch) = (to, epoch_before(leader, to));
        Ok(())
    }
}

/// The leader epoch of the entry before this offset; 0 where there is none.
fn epoch_before(log: &Log, offset: Offset) -> LeaderEpoch {
    let last = log.entries().rfind(|entry| entry.offset < offset);
    last.map_or(LeaderEpoch::default(), |entry| entry.leader_epoch)
}
