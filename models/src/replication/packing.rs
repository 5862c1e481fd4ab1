//! The packed form of the replicas and their controller.

use super::{Controller, Members, Replica, Replication, Status};
use crate::codec::Codec;
use crate::limits::Limits;
use crate::pipeline::Pipeline;

impl Replication {
    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        let replicas = pipeline.topic.replication.replicas;
        self.controller.code(codec, limits, pipeline);
        codec.field(&mut self.visible, limits.log);
        code_broker(&mut self.known, codec, replicas);
        for who in 0..replicas {
            self.replicas[usize::from(who)].code(codec, limits, pipeline);
        }
        for who in 0..replicas {
            // Where stale fetches are refused, who has not heard is a deposed leader.
            if pipeline.rules.stale_fetches_refused {
                let behind = self.is_behind(who) && self.replica(who).status == Status::Up;
                self.replica_mut(who).follows = behind.then_some(who);
            }
        }
    }
}

impl Replica {
    fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        let mut status = self.status as u16;
        codec.field(&mut status, Status::ALL.len() as u16 - 1);
        self.status = Status::ALL[usize::from(status)];
        self.broker.code(codec, limits, pipeline);
        if !pipeline.rules.stale_fetches_refused {
            code_broker(
                &mut self.follows,
                codec,
                pipeline.topic.replication.replicas,
            );
        }
        codec.flag(&mut self.in_line);
        codec.field(&mut self.known_end, limits.log);
        if pipeline.rules.truncation.asks_for_high_watermark() {
            codec.field(&mut self.high_watermark, limits.log);
        }
    }
}

impl Controller {
    fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        let settings = &pipeline.topic.replication;
        let replicas = settings.replicas;
        code_broker(&mut self.leader, codec, replicas);
        codec.field(&mut self.epoch, limits.leader_epochs);
        code_members(&mut self.in_sync, codec, replicas);
        if settings.eligible_leader_replicas {
            code_members(&mut self.eligible, codec, replicas);
            code_broker(&mut self.last_known, codec, replicas);
        }
        if !pipeline.rules.broker_epoch_checked {
            code_broker(&mut self.proposal, codec, replicas);
        }
    }
}

/// Visits a broker that may be missing.
pub(crate) fn code_broker(broker: &mut Option<u16>, codec: &mut impl Codec, replicas: u16) {
    let mut value = broker.map_or(0, |broker| broker + 1);
    codec.field(&mut value, replicas);
    *broker = value.checked_sub(1);
}

fn code_members(members: &mut Members, codec: &mut impl Codec, replicas: u16) {
    codec.field(&mut members.bits, (1 << replicas) - 1);
}
