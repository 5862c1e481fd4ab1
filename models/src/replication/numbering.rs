//! The numbers of the brokers with a replica, and replicas that change them.

use super::{MAX_REPLICAS, Members, Replication};
use crate::action::{Action, LogStep, Strike};
use crate::limbo::Limbo;
use std::cmp::{Ordering, Reverse};

/// A number for each broker with a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbering([u16; MAX_REPLICAS]);

impl Numbering {
    /// Each has the number that it has.
    pub const SAME: Numbering = Numbering([0, 1, 2]);

    /// The brokers stand in this order.
    ///
    /// # Panics
    /// When one is missing.
    pub fn in_order(brokers: [u16; MAX_REPLICAS]) -> Numbering {
        let place = |who| brokers.iter().position(|other| *other == who);
        let places = Numbering::SAME.0.map(place);
        Numbering(places.map(|place| place.expect("each broker has a place") as u16))
    }

    /// The number of `who`.
    pub fn of(self, who: u16) -> u16 {
        self.0[usize::from(who)]
    }

    /// The numbers of `members`.
    pub fn of_all(self, members: Members) -> Members {
        members.iter().map(|who| self.of(who)).collect()
    }

    /// The numbers that `self` gives, in the place of the numbers that `other` gives.
    pub fn instead_of(self, other: Numbering) -> Numbering {
        let mut numbers = Numbering::SAME;
        for (own, others) in self.0.iter().zip(other.0) {
            numbers.0[usize::from(others)] = *own;
        }
        numbers
    }

    /// The same step of brokers with these numbers.
    pub fn rename(self, action: Action) -> Action {
        match action {
            Action::Replica { who, does } => Action::Replica {
                who: self.of(who),
                does,
            },
            Action::Fault { entry, strike } => Action::Fault {
                entry,
                strike: self.rename_strike(strike),
            },
            Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::SendToOther(_)
            | Action::Transmit
            | Action::HandleProduce
            | Action::ReceiveAnswer
            | Action::Expire
            | Action::FailTooLate
            | Action::InitProducerId
            | Action::AddPartitions
            | Action::CommitTransaction
            | Action::EndTransaction
            | Action::WriteMarker
            | Action::TimeOutTransaction
            | Action::LearnLeader
            | Action::LearnPartition
            | Action::OtherPartition(_)
            | Action::Consumer { .. }
            | Action::LateArrives(_)
            | Action::OutputTransaction { .. }
            | Action::ReadResult => action,
            Action::OutputTopic { client, does } => Action::OutputTopic {
                client,
                does: match does {
                    LogStep::Replica { who, does } => LogStep::Replica {
                        who: self.of(who),
                        does,
                    },
                    LogStep::Transmit
                    | LogStep::Expire
                    | LogStep::FailTooLate
                    | LogStep::LearnLeader
                    | LogStep::LateArrives(_) => does,
                },
            },
        }
    }

    fn rename_strike(self, strike: Strike) -> Strike {
        match strike {
            Strike::Replica { who, how } => Strike::Replica {
                who: self.of(who),
                how,
            },
            Strike::OutputReplica { who, how } => Strike::OutputReplica {
                who: self.of(who),
                how,
            },
            Strike::EveryReplica {
                last,
                commits,
                failed,
            } => Strike::EveryReplica {
                last: last.map(|last| self.of(last)),
                commits,
                failed,
            },
            Strike::ForgetAt { session, brokers } => Strike::ForgetAt {
                session,
                brokers: self.of_all(brokers),
            },
            Strike::RetentionAt { brokers } => Strike::RetentionAt {
                brokers: self.of_all(brokers),
            },
            Strike::CompactionAt { end, brokers } => Strike::CompactionAt {
                end,
                brokers: self.of_all(brokers),
            },
            Strike::RecreateTopicAt { how, leader } => Strike::RecreateTopicAt {
                how,
                leader: self.of(leader),
            },
            Strike::ProducerCrash
            | Strike::ProducerCrashAtEnd
            | Strike::AddPartition { .. }
            | Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::TransactionTimeout
            | Strike::ForgetProducer(_)
            | Strike::Retention
            | Strike::Compaction { .. }
            | Strike::LoseRequest(_)
            | Strike::LoseAnswer(_)
            | Strike::Refuse(_)
            | Strike::Delay(_)
            | Strike::DeliveryTimeout
            | Strike::StaleMetadata
            | Strike::InOther(_)
            | Strike::BrokerCrash
            | Strike::PowerLoss { .. }
            | Strike::PowerLossAll { .. }
            | Strike::DiskLoss
            | Strike::Rebalance { .. }
            | Strike::CoordinatorFailover { .. }
            | Strike::TransactionCoordinatorFailover(_)
            | Strike::OutputCoordinatorFailover(_)
            | Strike::RecreateTopic(_)
            | Strike::RecreateMissingTopic(_)
            | Strike::OffsetsExpiry
            | Strike::OffsetReset { .. }
            | Strike::DedupExpiry { .. }
            | Strike::ExpireResult { .. }
            | Strike::FailWrite { .. }
            | Strike::OutputTransactionTimeout(_)
            | Strike::Consumer { .. } => strike,
        }
    }
}

impl Replication {
    /// Gives each broker its number in `numbers`.
    pub fn renumber(&mut self, numbers: Numbering) {
        let one = |broker: &mut Option<u16>| *broker = broker.map(|who| numbers.of(who));
        let all = |members: &mut Members| {
            *members = numbers.of_all(*members);
        };
        let before = std::mem::take(&mut self.replicas);
        for (mut replica, number) in before.into_iter().zip(numbers.0) {
            one(&mut replica.follows);
            self.replicas[usize::from(number)] = replica;
        }
        one(&mut self.controller.leader);
        all(&mut self.controller.in_sync);
        all(&mut self.controller.eligible);
        one(&mut self.controller.last_known);
        one(&mut self.controller.proposal);
        one(&mut self.known);
    }

    /// The numbers that the first `replicas` brokers get where each is told by what it is, not by
    /// the number that it has: the leader comes first. `requests`: the places of the produce
    /// requests that are on their way to a broker, or answered by it, as bits; `limbo`: those that are
    /// late. Those that nothing tells from each other keep their order.
    pub fn numbers_by_state(
        &self,
        replicas: u16,
        requests: [u16; MAX_REPLICAS],
        limbo: &Limbo,
    ) -> Numbering {
        let mut brokers = Numbering::SAME.0;
        brokers[..usize::from(replicas)].sort_by(|one, other| {
            self.compare(*one, *other, &requests)
                .then_with(|| limbo.compare(*one, *other))
        });
        Numbering::in_order(brokers)
    }

    /// Compares two brokers by what they are.
    pub fn compare(&self, one: u16, other: u16, requests: &[u16; MAX_REPLICAS]) -> Ordering {
        self.role(one, requests)
            .cmp(&self.role(other, requests))
            .then_with(|| self.compare_replicas(one, other))
    }

    /// What others say of a broker.
    fn role(&self, who: u16, requests: &[u16; MAX_REPLICAS]) -> impl Ord {
        let controller = &self.controller;
        let is = |broker: Option<u16>| broker == Some(who);
        Reverse((
            is(controller.leader),
            controller.in_sync.contains(who),
            controller.eligible.contains(who),
            is(controller.last_known),
            is(controller.proposal),
            is(self.known),
            requests[usize::from(who)],
        ))
    }

    /// Compares what two brokers have. Whom they follow is told by the leader epoch that they heard
    /// of, which has one leader; what is left to tell is whether they follow anyone, or lead.
    fn compare_replicas(&self, one: u16, other: u16) -> Ordering {
        let follows = |who: u16| {
            let follows = self.replica(who).follows;
            follows.map(|leader| leader == who)
        };
        let (own, others) = (self.replica(one), self.replica(other));
        follows(one)
            .cmp(&follows(other))
            .then(own.status.cmp(&others.status))
            .then(own.in_line.cmp(&others.in_line))
            .then(own.known_end.cmp(&others.known_end))
            .then(own.high_watermark.cmp(&others.high_watermark))
            .then_with(|| own.broker.cmp(&others.broker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_can_be_taken_instead_of_others() {
        let (one, other) = ([2, 0, 1], [1, 0, 2]);
        let (one, other) = (Numbering::in_order(one), Numbering::in_order(other));
        for who in 0..3 {
            assert_eq!(one.instead_of(other).of(other.of(who)), one.of(who));
        }
        assert_eq!(one.instead_of(Numbering::SAME), one);
    }
}
