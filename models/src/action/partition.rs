//! What happens to one of two partitions, and what a poll returns of both.

use super::{Action, Strike};
use crate::partitions::Partition;

/// A step of the producer's side that is about one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartitionStep {
    /// See [`Action::Transmit`].
    Transmit,
    /// See [`Action::HandleProduce`].
    HandleProduce,
    /// See [`Action::ReceiveAnswer`].
    ReceiveAnswer,
    /// See [`Action::Expire`].
    Expire,
    /// See [`Action::FailTooLate`].
    FailTooLate,
}

impl PartitionStep {
    /// Every step.
    pub const ALL: [PartitionStep; 5] = [
        PartitionStep::Transmit,
        PartitionStep::HandleProduce,
        PartitionStep::ReceiveAnswer,
        PartitionStep::Expire,
        PartitionStep::FailTooLate,
    ];

    /// The same step in the first partition.
    pub fn action(self) -> Action {
        match self {
            PartitionStep::Transmit => Action::Transmit,
            PartitionStep::HandleProduce => Action::HandleProduce,
            PartitionStep::ReceiveAnswer => Action::ReceiveAnswer,
            PartitionStep::Expire => Action::Expire,
            PartitionStep::FailTooLate => Action::FailTooLate,
        }
    }
}

/// A fault that strikes one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartitionStrike {
    /// See [`Strike::DeliveryTimeout`].
    DeliveryTimeout,
    /// See [`Strike::ForgetProducer`].
    ForgetProducer(u16),
    /// See [`Strike::Retention`].
    Retention,
    /// See [`Strike::OffsetReset`].
    OffsetReset {
        /// The offset.
        to: u16,
    },
}

impl PartitionStrike {
    /// The same fault in the first partition.
    pub fn strike(self) -> Strike {
        match self {
            PartitionStrike::DeliveryTimeout => Strike::DeliveryTimeout,
            PartitionStrike::ForgetProducer(session) => Strike::ForgetProducer(session),
            PartitionStrike::Retention => Strike::Retention,
            PartitionStrike::OffsetReset { to } => Strike::OffsetReset { to },
        }
    }
}

/// A poll that returns records of both partitions, those of one behind those of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PollBoth {
    /// Whose records come first.
    pub begins: Partition,
    /// How many of those there are.
    pub count: u16,
    /// How many of the other partition are behind them.
    pub behind: u16,
}
