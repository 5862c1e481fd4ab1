//! What a step does to the logs of several replicas, and that each is as it should be.
//!
//! Elections, in-sync replicas and high watermarks are the controller's and the leader's memory, and
//! the model's. Each replica's log is real: what a follower cuts off it tells from the leader epochs
//! in its own files and the leader's, what it appends it reads from the leader's files. A broker that
//! died is stopped for real when it starts again: meanwhile nobody touches its disk.

use super::{LabError, Run};
use crate::lab::disk::Tear;
use crate::lab::log::Log;
use crate::lab::rig::{LogOf, offset};
use crate::lab::words::LeaderEpoch;
use semel_models::action::{Action, ReplicaStep, ReplicaStrike};
use semel_models::cluster::State;
use semel_models::pipeline::{Acks, TruncationRule};
use semel_models::replication::{Replication, Status};

impl Run {
    /// Does what a broker does to its log.
    pub(super) fn replica_step(
        &mut self,
        who: u16,
        does: ReplicaStep,
        torn: Tear,
    ) -> Result<(), LabError> {
        let Some(replication) = &self.state.replication else {
            return Ok(());
        };
        match does {
            ReplicaStep::HandleProduce => self.handle_produce_at(who),
            ReplicaStep::Restart { kept } => {
                let is_powerless = replication.replica(who).status == Status::Unpowered;
                self.rig.restart_broker(who, |log| match is_powerless {
                    true => log.lose_power_after(offset(kept), torn),
                    false => Ok(log.kill()),
                })
            }
            ReplicaStep::Fetch => self.fetch_from_leader(who),
            ReplicaStep::Elected
            | ReplicaStep::Hear
            | ReplicaStep::Propose
            | ReplicaStep::Join
            | ReplicaStep::Answer
            | ReplicaStep::TimeOut => Ok(()),
        }
    }

    /// Does what strikes a broker at once.
    pub(super) fn strike_replica(&mut self, who: u16, how: ReplicaStrike) -> Result<(), LabError> {
        match how {
            ReplicaStrike::DiskLoss => self.rig.restart_broker(who, Log::lose_disk),
            ReplicaStrike::Crash
            | ReplicaStrike::PowerLoss
            | ReplicaStrike::Lag
            | ReplicaStrike::Lead => Ok(()),
        }
    }

    fn handle_produce_at(&mut self, who: u16) -> Result<(), LabError> {
        let Some(replication) = &self.state.replication else {
            return Ok(());
        };
        let Some(index) = self.state.producer.first_unhandled_at(who) else {
            return Ok(());
        };
        let pipeline = self.cluster.pipeline();
        let controller = &replication.controller;
        let waits_for_others =
            pipeline.producer.acks == Acks::All && controller.leader == Some(who);
        let is_refused = !replication.leads(who)
            || waits_for_others
                && controller.in_sync.len() < pipeline.topic.replication.min_in_sync;
        if is_refused {
            return Ok(());
        }
        let flight = self.state.producer.flights[index];
        let broker = replication.replica(who).broker.clone();
        self.produce(
            LogOf::Replica(who),
            broker,
            flight.batch.record,
            flight.wire,
        )
    }

    /// The follower cuts its log to what it has in common with the leader's, and appends the rest.
    fn fetch_from_leader(&mut self, who: u16) -> Result<(), LabError> {
        let Some(replication) = &self.state.replication else {
            return Ok(());
        };
        let rules = self.cluster.pipeline().rules;
        let Some(leader) = replication.fetches_from(who, &rules) else {
            return Ok(());
        };
        let replica = replication.replica(who);
        let watermark = offset(replica.high_watermark);
        let (leader, follower) = self.rig.two_logs(leader, who);
        let end = follower.log_end();
        if !replica.in_line {
            follower.align(leader, rules.truncation, watermark)?;
        }
        let is_cut = follower.log_end() < end;
        if is_cut && rules.truncation.asks_for_high_watermark() {
            return Ok(());
        }
        follower.truncate_to(leader.log_end())?;
        for batch in leader.batches_from(follower.log_end())? {
            follower.replicate(&batch)?;
        }
        Ok(())
    }

    /// Each broker hears what the step tells it of leader epochs.
    pub(super) fn tell_epochs(&mut self, action: Action, after: &State) -> Result<(), LabError> {
        let (Some(before), Some(now)) = (&self.state.replication, &after.replication) else {
            return Ok(());
        };
        let restarts = |who| match action {
            Action::Replica { who: own, does } => {
                own == who && matches!(does, ReplicaStep::Restart { .. })
            }
            _ => false,
        };
        let settings = &self.cluster.pipeline().topic.replication;
        let by_watermark =
            self.cluster.pipeline().rules.truncation == TruncationRule::ToHighWatermark;
        for who in 0..settings.replicas {
            let replica = now.replica(who);
            let log = self.rig.log_mut(who);
            let epoch = LeaderEpoch(replica.broker.leader_epoch.into());
            let hears = restarts(who) || log.leader_epoch() != epoch;
            if replica.status != Status::Up || !hears {
                continue;
            }
            log.begin_epoch(epoch);
            let followed = match restarts(who) {
                true => None,
                false => before.replica(who).follows,
            };
            let leader = now.controller.leader;
            let is_new = leader.is_some() && leader != followed && leader != Some(who);
            if by_watermark && is_new {
                log.truncate_to(offset(before.replica(who).high_watermark))?;
            }
        }
        Ok(())
    }

    /// Compares each replica's log with the model's.
    pub(super) fn compare_replicas(&self, replication: &Replication) -> Result<(), LabError> {
        let replicas = self.cluster.pipeline().topic.replication.replicas;
        // What is on disk the model forgets once no power can fail any more.
        let knows_flushed = (0..replicas).any(|who| replication.replica(who).broker.flushed > 0);
        for who in 0..replicas {
            let replica = replication.replica(who);
            let log = self.rig.log(who);
            self.compare_entries(&replica.broker, log)?;
            if knows_flushed {
                let flushed = offset(replica.broker.flushed);
                self.agree("what is synced of a replica", flushed, log.recovery_point())?;
            }
            if replica.status == Status::Up {
                let epoch = LeaderEpoch(replica.broker.leader_epoch.into());
                self.agree("the leader epoch of a replica", epoch, log.leader_epoch())?;
            }
        }
        Ok(())
    }
}
