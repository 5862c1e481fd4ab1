//! What a step does to the log and to the committed offset, and that both are as they should be.

use super::{LabError, Run};
use crate::lab::disk::Tear;
use crate::lab::log::{Log, Produced};
use crate::lab::rig::{offset, producer_id, stored};
use crate::lab::words::LeaderEpoch;
use semel_models::action::{Action, ConsumerStep, ConsumerStrike, Strike};
use semel_models::broker::{AppendResult, Stamp};
use semel_models::cluster::State;
use semel_models::limbo::Late;
use semel_models::pipeline::Dedup;

impl Run {
    /// Does for real what the step does, and compares.
    pub(super) fn perform(&mut self, action: Action, after: &State) -> Result<(), LabError> {
        match action {
            Action::HandleProduce => {
                if let Some(index) = self.state.producer.first_unhandled() {
                    let flight = self.state.producer.flights[index];
                    self.produce(flight.batch.record, flight.wire)?;
                }
            }
            Action::LateArrives(slot) => {
                let late = self.state.limbo.requests[usize::from(slot)];
                if let Late::Produce { record, stamp } = late {
                    self.produce(record, stamp)?;
                }
            }
            Action::Consumer {
                who,
                does: ConsumerStep::Poll(count),
            } => self.poll(who, count)?,
            Action::Fault { strike, .. } => self.strike(strike, after)?,
            Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::Transmit
            | Action::ReceiveAnswer
            | Action::Expire
            | Action::FailTooLate
            | Action::InitProducerId
            | Action::AddPartitions
            | Action::EndTransaction
            | Action::WriteMarker
            | Action::TimeOutTransaction
            | Action::LearnPartition
            | Action::OtherPartition(_)
            | Action::Consumer { .. } => {}
        }
        self.run_on_sink(action)?;
        self.restart_consumers(action, after)?;
        self.tell_fence(after)?;
        self.commit(after)?;
        self.compare_log(after)
    }

    fn produce(&mut self, record: u16, stamp: Option<Stamp>) -> Result<(), LabError> {
        let pipeline = self.cluster.pipeline();
        let mut broker = self.state.broker.clone();
        let known = stamp.and_then(|stamp| broker.offset_of(stamp));
        let end = broker.log_end();
        let expected = match broker.append(record, stamp, &pipeline.topic, &pipeline.rules) {
            AppendResult::Appended => Produced::Appended(offset(end)),
            AppendResult::Duplicate => Produced::Duplicate(offset(known.unwrap_or(end))),
            AppendResult::OutOfOrder => Produced::OutOfOrder,
            AppendResult::StaleEpoch => Produced::StaleEpoch,
            AppendResult::UnknownProducerId => Produced::UnknownProducerId,
        };
        let produced = self.rig.produce(record, stamp)?;
        self.agree("the answer to the produce request", expected, produced)
    }

    fn poll(&mut self, who: u16, count: u16) -> Result<(), LabError> {
        let first = self.state.consumers[usize::from(who)].position().next.0;
        let entries = &self.state.broker.log[usize::from(first)..][..usize::from(count)];
        let expected = entries
            .iter()
            .map(|entry| (entry.record, i32::from(entry.leader_epoch)));
        let fetched = self.rig.fetch(first, count)?;
        self.agree("what the poll returns", expected.collect(), fetched)
    }

    fn strike(&mut self, strike: Strike, after: &State) -> Result<(), LabError> {
        let torn = self.torn();
        let lose = |kept| move |log: Log| log.lose_power_after(offset(kept), torn);
        match strike {
            Strike::BrokerCrash => self.rig.restart_broker(|log| Ok(log.kill())),
            Strike::PowerLoss { kept } => self.rig.restart_broker(lose(kept)),
            Strike::PowerLossAll { kept, .. } => {
                self.rig.restart_broker(lose(kept))?;
                let (before, left) = (self.state.group.committed, after.group.committed);
                match before == left {
                    true => Ok(()),
                    false => self.rig.lose_commits(left, torn),
                }
            }
            Strike::DiskLoss => self.rig.restart_broker(Log::lose_disk),
            Strike::ForgetProducer(session) => {
                self.rig.log_mut().forget_producer(producer_id(session));
                Ok(())
            }
            Strike::Retention => {
                let start = offset(after.broker.log_start());
                self.rig.log_mut().delete_before(start)?;
                Ok(())
            }
            Strike::DedupExpiry { .. } => match self.cluster.pipeline().sink.dedup {
                Dedup::Durable | Dedup::Separate => Ok(self.rig.sink(0).forget_oldest()?),
                Dedup::Memory => Ok(()),
            },
            Strike::ProducerCrash
            | Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::TransactionTimeout
            | Strike::LoseRequest(_)
            | Strike::LoseAnswer(_)
            | Strike::Refuse(_)
            | Strike::Delay(_)
            | Strike::DeliveryTimeout
            | Strike::StaleMetadata
            | Strike::Rebalance { .. }
            | Strike::Compaction { .. }
            | Strike::CoordinatorFailover { .. }
            | Strike::RecreateTopic(_)
            | Strike::AddPartition { .. }
            | Strike::OffsetsExpiry
            | Strike::OffsetReset { .. }
            | Strike::Consumer { .. } => Ok(()),
        }
    }

    /// How much of the next frame a loss of power leaves: as good as any number, and the same
    /// whenever this run is repeated.
    fn torn(&self) -> Tear {
        let mixed = (self.taken.len() as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        Tear {
            kept: mixed % 80,
            hole: mixed / 80 % 8,
        }
    }

    /// A process that ended has lost its connection to the sink.
    fn restart_consumers(&mut self, action: Action, after: &State) -> Result<(), LabError> {
        for who in 0..self.cluster.pipeline().group.instances {
            let crash = Strike::Consumer {
                who,
                how: ConsumerStrike::Crash,
            };
            let crashes = matches!(action, Action::Fault { strike, .. } if strike == crash);
            let runs = |state: &State| state.consumers[usize::from(who)].is_running();
            if crashes || runs(&self.state) && !runs(after) {
                self.rig.restart_consumer(who)?;
            }
        }
        Ok(())
    }

    fn commit(&mut self, after: &State) -> Result<(), LabError> {
        let committed = after.group.committed;
        if self.rig.committed() != committed.map(stored) {
            self.rig.commit(committed, after.group.generation)?;
        }
        Ok(())
    }

    fn compare_log(&self, after: &State) -> Result<(), LabError> {
        let (log, broker) = (self.rig.log(), &after.broker);
        let expected = (offset(broker.log_start()), offset(broker.log_end()));
        self.agree(
            "where the log begins and ends",
            expected,
            (log.log_start(), log.log_end()),
        )?;
        let epoch = LeaderEpoch(broker.leader_epoch.into());
        self.agree("the leader epoch", epoch, log.leader_epoch())?;
        if self.cluster.limits().truncation {
            let flushed = offset(broker.flushed);
            self.agree("what is synced", flushed, log.recovery_point())?;
        }
        Ok(())
    }
}
