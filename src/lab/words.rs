//! Kafka's numbers, each a type of its own.
//!
//! Kafka commits the *next* offset, so a batch's offset and the offset at which reading goes on are
//! different types, with one conversion.

use std::fmt;

/// The offset of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Offset(pub u64);

/// The offset at which reading goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NextOffset(pub u64);

/// The term of a partition leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaderEpoch(pub i32);

/// The id that the broker gave an idempotent producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProducerId(pub u64);

/// The epoch of a producer id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProducerEpoch(pub i32);

/// The sequence number of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(pub i32);

/// The generation of a consumer group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub i32);

/// Which record it is to the application, however often it is in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub u64);

/// The producer id, epoch and sequence number that a batch of an idempotent producer carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stamp {
    /// The producer id.
    pub producer: ProducerId,
    /// The producer epoch.
    pub epoch: ProducerEpoch,
    /// The sequence number.
    pub sequence: Sequence,
}

/// A position in the log with what a client knows of its history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Where reading goes on.
    pub next: NextOffset,
    /// The leader epoch of the batch before it (KIP-320). `None`: not known.
    pub leader_epoch: Option<LeaderEpoch>,
}

impl Offset {
    /// Reading goes on after this batch.
    pub fn next(self) -> NextOffset {
        NextOffset(self.0 + 1)
    }
}

impl Sequence {
    /// The number after this one: 0 follows the largest.
    pub fn next(self) -> Sequence {
        Sequence(self.0.checked_add(1).unwrap_or(0))
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_start_again_at_zero() {
        assert_eq!(Sequence(6).next(), Sequence(7));
        assert_eq!(Sequence(i32::MAX).next(), Sequence(0));
    }
}
