//! What a step does to the log and to the committed offset, and that both are as they should be.

use super::replica_steps::Sender;
use super::{LabError, Run};
use crate::lab::disk::{StorageError, Tear};
use crate::lab::log::{Log, Produced, Remains};
use crate::lab::rig::{LogOf, Side, offset, producer_id, stored};
use crate::lab::words::{LeaderEpoch, RecordId};
use semel_models::action::{Action, ConsumerStrike, Delivery, LogStep, Strike, TransactionStep};
use semel_models::broker::{AppendResult, Broker, Stamp};
use semel_models::cluster::State;
use semel_models::limbo::Late;
use semel_models::offset::Position;
use semel_models::pipeline::Dedup;
use semel_models::transaction_coordinator::Part;

impl Run {
    /// Does for real what the step does, and compares.
    pub(super) fn perform(&mut self, action: Action, after: &State) -> Result<(), LabError> {
        match action {
            Action::HandleProduce => {
                if let Some(index) = self.state.producer.first_unhandled() {
                    let flight = self.state.producer.flights[index];
                    let broker = self.state.broker.clone();
                    let to = LogOf::Replica(Side::Input, 0);
                    self.produce(to, broker, flight.batch.record, flight.wire)?;
                }
            }
            Action::LateArrives(slot) => {
                let late = self.state.limbo.requests[usize::from(slot)];
                if let Late::Produce {
                    record,
                    stamp,
                    partition,
                    to,
                } = late
                {
                    self.late_produce(partition, record, stamp, to)?;
                }
            }
            Action::Consumer { who, does } => self.poll(who, does, after)?,
            Action::OtherPartition(step) => self.step_of_second(step)?,
            Action::Fault { strike, .. } => self.strike(strike, after)?,
            Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::SendToOther(_)
            | Action::Transmit
            | Action::ReceiveAnswer
            | Action::Expire
            | Action::FailTooLate
            | Action::LearnLeader
            | Action::InitProducerId
            | Action::AddPartitions
            | Action::CommitTransaction
            | Action::EndTransaction
            | Action::TimeOutTransaction
            | Action::LearnPartition
            | Action::ReadResult => {}
            Action::WriteMarker => {
                self.write_marker(Side::Input, self.state.producer.session)?;
            }
            Action::Replica { who, does } => self.replica_step(Sender::Upstream, who, does)?,
            Action::OutputTopic { client, does } => match does {
                LogStep::Replica { who, does } => {
                    self.replica_step(Sender::Consumer(client), who, does)?;
                }
                LogStep::LateArrives(slot) => self.late_result(slot)?,
                LogStep::Transmit
                | LogStep::Expire
                | LogStep::FailTooLate
                | LogStep::LearnLeader => {}
            },
            Action::OutputTransaction { id, does } => match does {
                TransactionStep::WriteMarker(Part::Output)
                    if self.cluster.output_topic().is_some() =>
                {
                    self.write_marker(Side::Output, id)?;
                }
                // What else it does is told in the journal.
                TransactionStep::WriteMarker(_)
                | TransactionStep::TimeOut
                | TransactionStep::RaiseEpoch => {}
            },
        }
        self.keep_transactions(after)?;
        for side in Side::BOTH {
            self.follow_brokers(side, after)?;
        }
        self.run_on_sink(action)?;
        self.restart_consumers(action, after)?;
        self.tell_fence(after)?;
        self.write_results(after)?;
        self.read_results(after)?;
        self.commit(after)?;
        self.compare_results(after)?;
        self.compare_log(after)
    }

    /// A request to a broker of a topic is handled for real, and by the model's broker.
    pub(super) fn produce(
        &mut self,
        to: LogOf,
        mut broker: Broker,
        record: u16,
        stamp: Option<Stamp>,
    ) -> Result<(), LabError> {
        let pipeline = to.side().pipeline(&self.cluster);
        if let Some(stamp) = stamp.filter(|_| pipeline.producer.is_transactional()) {
            return self.produce_in_transaction(to, broker, record, stamp);
        }
        let known = stamp.and_then(|stamp| broker.offset_of(stamp));
        let end = broker.log_end();
        let expected = match broker.append(record, stamp, &pipeline.topic, &pipeline.rules) {
            AppendResult::Appended => Produced::Appended(offset(end)),
            AppendResult::Duplicate => Produced::Duplicate(offset(known.unwrap_or(end))),
            AppendResult::OutOfOrder => Produced::OutOfOrder,
            AppendResult::StaleEpoch => Produced::StaleEpoch,
            AppendResult::UnknownProducerId => Produced::UnknownProducerId,
        };
        let produced = self.rig.produce(to, record, stamp)?;
        self.agree("the answer to the produce request", expected, produced)
    }

    /// The only broker stops in this way, and starts again.
    fn restart_broker(
        &mut self,
        stop: impl FnOnce(Log) -> Result<Remains, StorageError>,
    ) -> Result<(), LabError> {
        Ok(self.rig.topic_mut(Side::Input).restart(0, stop)?)
    }

    fn strike(&mut self, strike: Strike, after: &State) -> Result<(), LabError> {
        let torn = self.torn();
        let lose = |kept| move |log: Log| log.lose_power_after(offset(kept), torn);
        match strike {
            Strike::BrokerCrash => self.restart_broker(|log| Ok(log.kill())),
            Strike::PowerLoss { kept } => self.restart_broker(lose(kept)),
            Strike::PowerLossAll { kept, .. } => {
                self.restart_broker(lose(kept))?;
                self.lose_commits(after, torn)
            }
            Strike::FailWrite {
                behind: Delivery::PowerLossAll,
                ..
            } if after.replication.is_none() => self.restart_broker(lose(after.broker.log_end())),
            Strike::DiskLoss => self.restart_broker(Log::lose_disk),
            Strike::Replica { who, how } => self.strike_replicas(who, how),
            // What is left of their logs shows when they start again.
            Strike::EveryReplica { .. } => self.lose_commits(after, torn),
            Strike::ForgetProducer(session) => {
                self.rig.log_mut(0).forget_producer(producer_id(session));
                Ok(())
            }
            Strike::ForgetAt { session, brokers } => {
                for who in brokers.iter() {
                    let log = self.rig.topic_mut(Side::Input).log_mut(who);
                    log.forget_producer(producer_id(session));
                }
                Ok(())
            }
            Strike::RetentionAt { brokers } => self.remove_oldest_at(brokers, after),
            Strike::Retention => {
                let start = offset(after.broker.log_start());
                self.rig.log_mut(0).delete_before(start)?;
                Ok(())
            }
            Strike::Compaction { end } => {
                let clean = self.rig.log_mut(0).clean(offset(end))?;
                self.agree("up to where the log is clean", offset(end), clean)
            }
            Strike::CompactionAt { end, brokers } => {
                for who in brokers.iter() {
                    let log = self.rig.topic_mut(Side::Input).log_mut(who);
                    let clean = log.clean(offset(end))?;
                    self.agree("up to where the log is clean", offset(end), clean)?;
                }
                Ok(())
            }
            Strike::InOther(own) => self.strike_second(own, after),
            Strike::AddPartition { .. } => self.rig.add_partition(),
            Strike::RecreateTopic(_)
            | Strike::RecreateMissingTopic(_)
            | Strike::RecreateTopicAt { .. } => Ok(self.rig.topic_mut(Side::Input).recreate()?),
            Strike::CoordinatorFailover { .. } => {
                self.rig.replace_group_coordinator()?;
                self.compare_committed(&self.state)
            }
            Strike::TransactionCoordinatorFailover(under_way) => {
                self.fail_transactions_over(under_way, after)
            }
            Strike::OutputCoordinatorFailover(unfinished) => {
                self.fail_output_transactions_over(unfinished)
            }
            Strike::DedupExpiry { .. } => match self.cluster.pipeline().sink.dedup {
                Dedup::Durable | Dedup::Separate => Ok(self.rig.sink(0).forget_oldest()?),
                Dedup::Memory => Ok(()),
            },
            // Leadership moves, or a follower does not come: no disk is touched.
            Strike::OutputReplica { .. }
            | Strike::ProducerCrash
            | Strike::ProducerCrashAtEnd
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
            | Strike::OffsetsExpiry
            | Strike::OffsetReset { .. }
            | Strike::ExpireResult { .. }
            | Strike::FailWrite { .. }
            | Strike::OutputTransactionTimeout(_)
            | Strike::Consumer { .. } => Ok(()),
        }
    }

    fn lose_commits(&mut self, after: &State, torn: Tear) -> Result<(), LabError> {
        let (before, left) = (self.state.group.committed, after.group.committed);
        match before == left {
            true => Ok(()),
            false => self.rig.lose_commits(left, torn),
        }
    }

    /// How much of the next frame a loss of power leaves: as good as any number, and the same
    /// whenever this run is repeated.
    pub(super) fn torn(&self) -> Tear {
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

    /// Commits what the step has committed, with one request, or has the offsets expire.
    fn commit(&mut self, after: &State) -> Result<(), LabError> {
        let now = committed(after);
        let pairs = || now.into_iter().zip(self.rig.committed());
        if pairs().any(|(now, found)| now.is_none() && found.is_some()) {
            self.rig.expire_offsets()?;
        }
        let found = self.rig.committed();
        let new = [0, 1].map(|of| now[of].filter(|now| found[of] != Some(stored(*now))));
        if new.iter().any(Option::is_some) {
            self.rig.commit(new, after.group.generation)?;
        }
        self.compare_committed(after)
    }

    /// Compares what the group has committed in each partition.
    fn compare_committed(&self, state: &State) -> Result<(), LabError> {
        let expected = committed(state).map(|position| position.map(stored));
        self.agree("what is committed", expected, self.rig.committed())
    }

    fn compare_log(&self, after: &State) -> Result<(), LabError> {
        self.compare_transactions(after)?;
        self.compare_replicas(Side::Output, after)?;
        if after.replication.is_some() {
            return self.compare_replicas(Side::Input, after);
        }
        self.compare_second(after)?;
        let (log, broker) = (self.rig.log(0), &after.broker);
        self.compare_entries(broker, log)?;
        let epoch = LeaderEpoch(broker.leader_epoch.into());
        self.agree("the leader epoch", epoch, log.leader_epoch())?;
        if self.cluster.limits().truncation {
            let flushed = offset(broker.flushed);
            self.agree("what is synced", flushed, log.recovery_point())?;
        }
        Ok(())
    }

    /// Compares what a log holds with what the model's broker has.
    pub(super) fn compare_entries(&self, broker: &Broker, log: &Log) -> Result<(), LabError> {
        let expected = (offset(broker.log_start()), offset(broker.log_end()));
        let found = (log.log_start(), log.log_end());
        self.agree("where the log begins and ends", expected, found)?;
        let entries = (0..).zip(broker.log.iter());
        let there = entries.filter(|(at, entry)| *at >= broker.log_start() && !entry.removed);
        let expected = there.map(|(at, entry)| {
            let epoch = LeaderEpoch(entry.leader_epoch.into());
            let record = entry.is_record().then(|| RecordId(entry.record.into()));
            (offset(at), epoch, entry.kind, record)
        });
        let entries = log.entries().filter(|entry| entry.holds_something());
        let found =
            entries.map(|entry| (entry.offset, entry.leader_epoch, entry.kind, entry.record));
        if !expected.clone().eq(found.clone()) {
            let expected: Vec<_> = expected.collect();
            self.agree("what the log holds", expected, found.collect())?;
        }
        Ok(())
    }
}

/// What the group has committed, by partition.
fn committed(state: &State) -> [Option<Position>; 2] {
    let second = state.other.as_deref().and_then(|other| other.committed);
    [state.group.committed, second]
}
