//! The packed form of a consumer.

use super::{Call, Consumer, Phase, Recovery};
use crate::broker::Broker;
use crate::codec::Codec;
use crate::limits::Limits;
use crate::offset::{self, NextOffset};
use crate::pipeline::{Dedup, Pipeline};
use crate::sink;

impl Consumer {
    /// Visits how far a call has come.
    pub fn code_call(&mut self, codec: &mut impl Codec, limits: &Limits) {
        let mut call = self.call as u16;
        codec.field(&mut call, Call::ALL.len() as u16 - 1);
        self.call = Call::ALL[usize::from(call)];
        if limits.tasks > 0 {
            offset::code_optional(&mut self.called, codec, limits);
        }
    }

    /// Visits the other fields. Without truncation the records in hand are those of the log.
    pub fn code(
        &mut self,
        codec: &mut impl Codec,
        limits: &Limits,
        pipeline: &Pipeline,
        broker: &Broker,
    ) {
        let mut phase = self.phase as u16;
        codec.field(&mut phase, Phase::ALL.len() as u16 - 1);
        self.phase = Phase::ALL[usize::from(phase)];
        codec.field(&mut self.generation, limits.generations);
        codec.flag_if(limits.zombies, &mut self.slow);
        codec.field(&mut self.first, limits.log);
        if limits.recreates {
            codec.field(&mut self.seen_epoch, limits.leader_epochs);
        }
        offset::code_leader_epoch(&mut self.leader_epoch, codec, limits);
        if pipeline.consumer.workers > 0 {
            self.crew.code(codec, limits);
        } else {
            self.code_hand(codec, limits, broker);
        }
        if limits.remembers && pipeline.sink.dedup == Dedup::Memory {
            self.memory.code(codec, limits, pipeline);
        }
        self.code_commits(codec, limits, pipeline);
    }

    fn code_hand(&mut self, codec: &mut impl Codec, limits: &Limits, broker: &Broker) {
        let mut held = self.hand.len() as u16;
        codec.field(&mut held, limits.poll);
        self.hand.resize(usize::from(held));
        if limits.gaps {
            codec.bits(&mut self.passed, limits.log);
        }
        if limits.retries > 0 {
            codec.flag(&mut self.retrying);
            self.retry_position.code(codec, limits);
        }
        if limits.polls_both {
            codec.field(&mut self.behind, limits.poll);
        }
        for place in 0..codec.places(self.hand.len(), limits.poll) {
            let mut record = self.hand.get(place).copied().unwrap_or_default();
            let is_elsewhere = limits.retries > 0 || limits.second_partition;
            if limits.truncation || is_elsewhere {
                codec.field(&mut record, limits.records - 1);
            } else if let Some(entry) = broker.log.get(usize::from(self.offset(place as u16).0)) {
                record = entry.record;
            }
            if let Some(slot) = self.hand.get_mut(place) {
                *slot = record;
            }
        }
        codec.field(&mut self.cursor, limits.poll - 1);
        codec.field(&mut self.operation, limits.operations - 1);
        if limits.skips {
            codec.bits(&mut self.skipped, limits.poll);
        }
        if limits.looks_ahead {
            let mut there = self.looked.is_some();
            codec.flag(&mut there);
            let mut looked = self.looked.unwrap_or_default();
            codec.bits(&mut looked, limits.poll);
            self.looked = there.then_some(looked);
        }
        if limits.reads_on_elsewhere {
            offset::code_optional(&mut self.reassigned, codec, limits);
        }
        codec.field(&mut self.attempts, limits.failures);
        if limits.writes_failed {
            codec.field(&mut self.failing, limits.poll - 1);
            let mut recovery = self.recovery as u16;
            codec.field(&mut recovery, Recovery::ALL.len() as u16 - 1);
            self.recovery = Recovery::ALL[usize::from(recovery)];
        }
    }

    fn code_commits(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        if limits.stores {
            offset::code_optional(&mut self.stored, codec, limits);
            let mut known = self.known_committed.map_or(0, |known| known.0 + 1);
            codec.field(&mut known, limits.log + 1);
            self.known_committed = known.checked_sub(1).map(NextOffset);
        }
        if limits.background_commits {
            offset::code_optional(&mut self.pending, codec, limits);
        }
        if limits.saves_failed_commits {
            offset::code_optional(&mut self.failed_commit, codec, limits);
        }
        if limits.saves && pipeline.sink.version_guard {
            sink::code_saved(&mut self.expected, codec, limits);
        }
        if limits.assigned_at {
            codec.field(&mut self.assigned_at, limits.log);
        }
        if limits.leaves {
            self.owed.code(codec);
        }
    }
}
