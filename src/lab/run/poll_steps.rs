//! What a poll reads of the logs, and that it is what it returns in the model.

use super::{LabError, Run};
use crate::lab::rig::{LogOf, Polled, Side, offset};
use crate::lab::words::{LeaderEpoch, Offset};
use semel_models::action::{ConsumerStep, PollBoth};
use semel_models::cluster::State;
use semel_models::partitions::Partition;

impl Run {
    /// Reads what the step of a consumer reads, if it polls.
    pub(super) fn poll(&self, who: u16, does: ConsumerStep, after: &State) -> Result<(), LabError> {
        let polled = match does {
            ConsumerStep::Poll(count) => self.poll_of(who, Partition::First, count)?,
            ConsumerStep::PollOther(count) => self.poll_of(who, Partition::Second, count)?,
            ConsumerStep::PollBoth(PollBoth {
                begins,
                count,
                behind,
            }) => {
                let mut polled = self.poll_of(who, begins, count)?;
                polled.extend(self.poll_of(who, begins.other(), behind)?);
                polled
            }
            ConsumerStep::Join { .. }
            | ConsumerStep::InitTransactions
            | ConsumerStep::TakeOver
            | ConsumerStep::FetchOffset
            | ConsumerStep::Leave
            | ConsumerStep::Rejoin
            | ConsumerStep::NoticeLoss
            | ConsumerStep::Relocate
            | ConsumerStep::Discover
            | ConsumerStep::RelocateOther
            | ConsumerStep::PollRetries
            | ConsumerStep::Operate
            | ConsumerStep::Work(_)
            | ConsumerStep::Drop(_)
            | ConsumerStep::CommitDone
            | ConsumerStep::WriteFailed
            | ConsumerStep::CommitSaved
            | ConsumerStep::HandleCommit
            | ConsumerStep::ReceiveCommitAnswer
            | ConsumerStep::CommitAutomatically
            | ConsumerStep::CommitArrives
            | ConsumerStep::ResultArrives(_)
            | ConsumerStep::ResultExpires { .. } => return Ok(()),
        };
        if self.cluster.pipeline().consumer.workers > 0 {
            // They have it already.
            return Ok(());
        }
        let hand = after.consumers[usize::from(who)].hand.iter().copied();
        let records = polled.iter().map(|polled| polled.record);
        let (expected, polled): (Vec<_>, Vec<_>) = (hand.collect(), records.collect());
        self.agree("what is in hand", expected, polled)
    }

    /// The records that a poll returns of one partition.
    fn poll_of(&self, who: u16, partition: Partition, count: u16) -> Result<Vec<Polled>, LabError> {
        let [first, second] = self.state.positions(who);
        let position = match partition {
            Partition::First => first,
            Partition::Second => second,
        };
        let from = position.unwrap_or_default().next.0;
        let broker = self.broker_of(partition);
        let visible = broker.visible_from(from, self.cluster.pipeline().isolation());
        let expected = visible.take(count.into()).map(|(at, entry)| Polled {
            offset: offset(at.0),
            record: entry.record,
            leader_epoch: LeaderEpoch(entry.leader_epoch.into()),
        });
        let (log, end) = self.readable(partition);
        let fetched = self.rig.fetch(log, from, count, end)?;
        self.agree("what the poll returns", expected.collect(), fetched.clone())?;
        Ok(fetched)
    }

    /// The log that a partition is read from, and up to where.
    fn readable(&self, partition: Partition) -> (LogOf, Offset) {
        let log = match (partition, &self.state.replication) {
            (Partition::First, Some(replication)) => {
                let leader = replication.controller.leader.unwrap_or(0);
                return (
                    LogOf::Replica(Side::Input, leader),
                    offset(replication.visible),
                );
            }
            (Partition::First, None) => LogOf::Replica(Side::Input, 0),
            (Partition::Second, _) => LogOf::Second,
        };
        (log, self.rig.log_of(log).log_end())
    }
}
