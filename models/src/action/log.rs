//! Steps in the output topic, where faults can strike it.

use super::{Action, ReplicaStep};

/// A step of the output topic, where faults can strike it, or of a client that writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogStep {
    /// See [`Action::Transmit`].
    Transmit,
    /// See [`Action::Expire`].
    Expire,
    /// See [`Action::FailTooLate`].
    FailTooLate,
    /// See [`Action::LearnLeader`].
    LearnLeader,
    /// See [`Action::LateArrives`].
    LateArrives(u16),
    /// See [`Action::Replica`].
    Replica {
        /// Which broker.
        who: u16,
        /// What it does.
        does: ReplicaStep,
    },
}

impl LogStep {
    /// The same step of the output topic.
    pub fn of(action: Action) -> Option<LogStep> {
        match action {
            Action::Transmit => Some(LogStep::Transmit),
            Action::Expire => Some(LogStep::Expire),
            Action::FailTooLate => Some(LogStep::FailTooLate),
            Action::LearnLeader => Some(LogStep::LearnLeader),
            Action::LateArrives(slot) => Some(LogStep::LateArrives(slot)),
            Action::Replica { who, does } => Some(LogStep::Replica { who, does }),
            Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::SendToOther(_)
            | Action::HandleProduce
            | Action::ReceiveAnswer
            | Action::InitProducerId
            | Action::AddPartitions
            | Action::CommitTransaction
            | Action::EndTransaction
            | Action::WriteMarker
            | Action::TimeOutTransaction
            | Action::LearnPartition
            | Action::OtherPartition(_)
            | Action::Consumer { .. }
            | Action::OutputTransaction { .. }
            | Action::OutputTopic { .. }
            | Action::ReadResult
            | Action::Fault { .. } => None,
        }
    }

    /// The same step of the first topic.
    pub fn action(self) -> Action {
        match self {
            LogStep::Transmit => Action::Transmit,
            LogStep::Expire => Action::Expire,
            LogStep::FailTooLate => Action::FailTooLate,
            LogStep::LearnLeader => Action::LearnLeader,
            LogStep::LateArrives(slot) => Action::LateArrives(slot),
            LogStep::Replica { who, does } => Action::Replica { who, does },
        }
    }

    /// Whether it is about one client.
    pub fn is_of_client(self) -> bool {
        match self {
            LogStep::Transmit
            | LogStep::Expire
            | LogStep::FailTooLate
            | LogStep::LearnLeader
            | LogStep::LateArrives(_) => true,
            LogStep::Replica { does, .. } => match does {
                ReplicaStep::HandleProduce | ReplicaStep::Answer | ReplicaStep::TimeOut => true,
                ReplicaStep::Restart { .. }
                | ReplicaStep::Elected
                | ReplicaStep::Hear
                | ReplicaStep::Fetch
                | ReplicaStep::Propose
                | ReplicaStep::Join => false,
            },
        }
    }
}
