//! What a step does to the logs of several replicas, and that each is as it should be.
//!
//! Elections, in-sync replicas and high watermarks are the controller's and the leader's memory, and
//! the model's. Each replica's log is real: what a follower cuts off it tells from the leader epochs
//! in its own files and the leader's, what it appends it reads from the leader's files. A broker that
//! died is stopped for real when it starts again: meanwhile nobody touches its disk.
//!
//! What brokers do by themselves the model says in order ([`Deed`]), for one step may hold several deeds.

use super::{LabError, Run};
use crate::lab::log::Log;
use crate::lab::rig::{LogOf, Side, offset};
use crate::lab::words::LeaderEpoch;
use semel_models::action::{ReplicaStep, ReplicaStrike};
use semel_models::broker::Stamp;
use semel_models::cluster::State;
use semel_models::limbo::Late;
use semel_models::pipeline::Acks;
use semel_models::producer::Producer;
use semel_models::replication::{Deed, Members, Status};

/// Who sends to a topic with several replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The producer of the first topic.
    Upstream,
    /// This consumer's output producer, to the output topic.
    Consumer(u16),
}

impl Sender {
    fn side(self) -> Side {
        match self {
            Sender::Upstream => Side::Input,
            Sender::Consumer(_) => Side::Output,
        }
    }
}

impl Run {
    /// Does what a broker does with a request. What else it does follows in the journal.
    pub(super) fn replica_step(
        &mut self,
        sender: Sender,
        who: u16,
        does: ReplicaStep,
    ) -> Result<(), LabError> {
        match does {
            ReplicaStep::HandleProduce => self.handle_produce_at(sender, who),
            ReplicaStep::Restart { .. }
            | ReplicaStep::Fetch
            | ReplicaStep::Elected
            | ReplicaStep::Hear
            | ReplicaStep::Propose
            | ReplicaStep::Join
            | ReplicaStep::Answer
            | ReplicaStep::TimeOut => Ok(()),
        }
    }

    /// Does what strikes a broker at once, with its replica of each topic that is up.
    pub(super) fn strike_replicas(&mut self, who: u16, how: ReplicaStrike) -> Result<(), LabError> {
        match how {
            ReplicaStrike::DiskLoss => {}
            ReplicaStrike::Crash
            | ReplicaStrike::PowerLoss
            | ReplicaStrike::Lag
            | ReplicaStrike::Lead => return Ok(()),
        }
        for side in Side::BOTH {
            let replicas = side.pipeline(&self.cluster).topic.replication.replicas;
            let replication = side.replication(&self.state).filter(|_| who < replicas);
            if replication.is_some_and(|own| own.replica(who).status == Status::Up) {
                self.rig.topic_mut(side).restart(who, Log::lose_disk)?;
            }
        }
        Ok(())
    }

    /// What this sender has under way.
    fn sends_of(&self, sender: Sender) -> Option<&Producer> {
        match sender {
            Sender::Upstream => Some(&self.state.producer),
            Sender::Consumer(who) => {
                let client = self.cluster.output_client(&self.state, who)?;
                Some(&client.producer)
            }
        }
    }

    fn handle_produce_at(&mut self, sender: Sender, who: u16) -> Result<(), LabError> {
        let Some(producer) = self.sends_of(sender) else {
            return Ok(());
        };
        let Some(index) = producer.first_unhandled_at(who) else {
            return Ok(());
        };
        let flight = producer.flights[index];
        self.request_at(sender.side(), who, flight.batch.record, flight.wire)
    }

    /// A late result reaches a broker.
    pub(super) fn late_result(&mut self, slot: u16) -> Result<(), LabError> {
        let output = self.state.output.as_deref();
        let log = output.and_then(|output| output.log.as_deref());
        let late = log.map(|log| log.limbo.requests[usize::from(slot)]);
        match late {
            Some(Late::Produce {
                record, stamp, to, ..
            }) => self.request_at(Side::Output, to, record, stamp),
            _ => Ok(()),
        }
    }

    /// A produce request reaches a broker, in time or late.
    pub(super) fn request_at(
        &mut self,
        side: Side,
        who: u16,
        record: u16,
        stamp: Option<Stamp>,
    ) -> Result<(), LabError> {
        let Some(replication) = side.replication(&self.state) else {
            return Ok(());
        };
        let pipeline = side.pipeline(&self.cluster);
        let controller = &replication.controller;
        let waits_for_others =
            pipeline.producer.acks == Acks::All && controller.leader == Some(who);
        let is_refused = !replication.leads(who)
            || waits_for_others
                && controller.in_sync.len() < pipeline.topic.replication.min_in_sync;
        if is_refused {
            return Ok(());
        }
        let broker = replication.replica(who).broker.clone();
        self.produce(LogOf::Replica(side, who), broker, record, stamp)
    }

    /// Does what the brokers of a topic did by themselves in this step.
    pub(super) fn follow_brokers(&mut self, side: Side, after: &State) -> Result<(), LabError> {
        let replication = side.replication(after);
        let deeds = replication
            .into_iter()
            .flat_map(|own| own.journal.happened());
        for deed in deeds {
            self.do_deed(side, deed)?;
        }
        Ok(())
    }

    fn do_deed(&mut self, side: Side, deed: Deed) -> Result<(), LabError> {
        let torn = self.torn();
        match deed {
            Deed::Restarts { who, found, kept } => {
                let topic = self.rig.topic_mut(side);
                Ok(topic.restart(who, |log| match found {
                    Status::Unpowered => log.lose_power_after(offset(kept), torn),
                    Status::Up | Status::Down => Ok(log.kill()),
                })?)
            }
            Deed::Leads { who, epoch } => {
                let log = self.rig.topic_mut(side).log_mut(who);
                log.begin_epoch(LeaderEpoch(epoch.into()));
                if side == Side::Output {
                    self.rig.results_mut().turn_back_to(who);
                }
                Ok(())
            }
            Deed::Hears { who, epoch, cuts } => {
                let log = self.rig.topic_mut(side).log_mut(who);
                log.begin_epoch(LeaderEpoch(epoch.into()));
                match cuts {
                    Some(end) => Ok(log.truncate_to(offset(end))?),
                    None => Ok(()),
                }
            }
            Deed::Fetches {
                who,
                from,
                in_line,
                high_watermark,
            } => self.fetch_from(side, from, who, in_line, high_watermark),
        }
    }

    /// The follower cuts its log to what it has in common with the leader's, and appends the rest.
    fn fetch_from(
        &mut self,
        side: Side,
        leader: u16,
        who: u16,
        in_line: bool,
        high_watermark: u16,
    ) -> Result<(), LabError> {
        let rule = self.cluster.pipeline().rules.truncation;
        let cuts = (!in_line).then(|| (rule, offset(high_watermark)));
        Ok(self.rig.topic_mut(side).fetch(leader, who, cuts)?)
    }

    /// The oldest record leaves the logs of these brokers.
    pub(super) fn remove_oldest_at(
        &mut self,
        brokers: Members,
        after: &State,
    ) -> Result<(), LabError> {
        let Some(replication) = after.replication.as_deref() else {
            return Ok(());
        };
        for who in brokers.iter() {
            let start = offset(replication.replica(who).broker.log_start());
            let log = self.rig.topic_mut(Side::Input).log_mut(who);
            log.delete_before(start)?;
        }
        Ok(())
    }

    /// Compares each replica's log of a topic with the model's.
    pub(super) fn compare_replicas(&self, side: Side, state: &State) -> Result<(), LabError> {
        let Some(replication) = side.replication(state) else {
            return Ok(());
        };
        let replicas = side.pipeline(&self.cluster).topic.replication.replicas;
        // What is on disk the model forgets once no power can fail any more.
        let knows_flushed = (0..replicas).any(|who| replication.replica(who).broker.flushed > 0);
        for who in 0..replicas {
            let replica = replication.replica(who);
            let log = self.rig.topic(side).log(who);
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
