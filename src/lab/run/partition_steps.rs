//! What a step does to the log of the second partition, and that it is as it should be.
//!
//! Each partition is a directory of segment files. The second one has one replica, or several that are one
//! log, and no fault stops its broker; what a request writes there, and what a poll reads, is done as in the
//! first. What is committed in each lies in the group's offset log (`disk_steps.rs`).

use super::{LabError, Run};
use crate::lab::rig::{LogOf, Side, offset, producer_id};
use crate::lab::words::LeaderEpoch;
use semel_models::action::{PartitionStep, PartitionStrike};
use semel_models::broker::{Broker, Stamp};
use semel_models::cluster::State;
use semel_models::partitions::Partition;

impl Run {
    /// Does what a step of the producer's side does to the second partition.
    pub(super) fn step_of_second(&mut self, step: PartitionStep) -> Result<(), LabError> {
        match step {
            PartitionStep::HandleProduce => {}
            PartitionStep::Transmit
            | PartitionStep::ReceiveAnswer
            | PartitionStep::Expire
            | PartitionStep::FailTooLate => return Ok(()),
        }
        let State {
            producer, broker, ..
        } = self.state.turned();
        let Some(index) = producer.first_unhandled() else {
            return Ok(());
        };
        let flight = producer.flights[index];
        self.produce(LogOf::Second, broker, flight.batch.record, flight.wire)
    }

    /// A produce request arrives that its client has given up.
    pub(super) fn late_produce(
        &mut self,
        partition: Partition,
        record: u16,
        stamp: Option<Stamp>,
        who: u16,
    ) -> Result<(), LabError> {
        if self.state.replication.is_some() {
            return self.request_at(Side::Input, who, record, stamp);
        }
        let broker = self.broker_of(partition);
        let to = match partition {
            Partition::First => LogOf::Replica(Side::Input, 0),
            Partition::Second => LogOf::Second,
        };
        self.produce(to, broker, record, stamp)
    }

    /// What the model has of a partition's leader.
    pub(super) fn broker_of(&self, partition: Partition) -> Broker {
        match partition {
            Partition::First => self.state.broker.clone(),
            Partition::Second => self.state.turned().broker,
        }
    }

    /// Does what strikes the second partition.
    pub(super) fn strike_second(
        &mut self,
        own: PartitionStrike,
        after: &State,
    ) -> Result<(), LabError> {
        match own {
            PartitionStrike::ForgetProducer(session) => {
                let log = self.rig.log_of_mut(LogOf::Second);
                log.forget_producer(producer_id(session));
            }
            PartitionStrike::Retention => {
                let start = offset(after.turned().broker.log_start());
                self.rig.log_of_mut(LogOf::Second).delete_before(start)?;
            }
            PartitionStrike::DeliveryTimeout | PartitionStrike::OffsetReset { .. } => {}
        }
        Ok(())
    }

    /// Compares the log of the second partition with the model's, if there is one.
    pub(super) fn compare_second(&self, after: &State) -> Result<(), LabError> {
        let is_there = self.rig.second().is_some();
        self.agree(
            "whether there is a second partition",
            after.other.is_some(),
            is_there,
        )?;
        let (Some(other), Some(log)) = (after.other.as_deref(), self.rig.second()) else {
            return Ok(());
        };
        self.compare_entries(&other.broker, log)?;
        let epoch = LeaderEpoch(other.broker.leader_epoch.into());
        self.agree(
            "the leader epoch of the second partition",
            epoch,
            log.leader_epoch(),
        )
    }
}
