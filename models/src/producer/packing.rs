//! The packed form of the producer.

use super::{Answer, Batch, Flight, Producer, Sending};
use crate::broker::Stamp;
use crate::codec::Codec;
use crate::limits::Limits;
use crate::pipeline::{Client, Pipeline};

impl Producer {
    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.sending
            .code_all(codec, limits.records, |sending, codec| {
                let mut index = *sending as u16;
                codec.field(&mut index, Sending::ALL.len() as u16 - 1);
                *sending = Sending::ALL[usize::from(index)];
            });
        self.queue.code(codec, limits.queue, |batch, codec| {
            batch.code(codec, limits, pipeline);
        });
        self.flights.code(codec, limits.flights, |flight, codec| {
            flight.code(codec, limits, pipeline);
        });
        codec.field(&mut self.session, limits.sessions);
        codec.field(&mut self.created, limits.sends);
        if pipeline.producer.idempotence {
            match pipeline.client {
                Client::Java => self.java.code(codec, limits),
                Client::Librdkafka => self.librdkafka.code(codec, limits),
            }
        }
    }
}

impl Batch {
    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        codec.field(&mut self.record, limits.records - 1);
        codec.field(&mut self.created, limits.sends);
        codec.field(&mut self.attempts, limits.attempts);
        code_stamp(&mut self.stamp, codec, limits, pipeline);
        codec.flag_if(limits.epochs > 0, &mut self.renumbered);
        codec.flag_if(limits.attempts > 0 || limits.strikes, &mut self.doubtful);
    }
}

impl Flight {
    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.batch.code(codec, limits, pipeline);
        code_stamp(&mut self.wire, codec, limits, pipeline);
        codec.flag_if(limits.strikes, &mut self.expired);
        let mut index = self.answer as u16;
        codec.field(&mut index, Answer::ALL.len() as u16 - 1);
        self.answer = Answer::ALL[usize::from(index)];
        if limits.answered_offsets || limits.replicas > 1 {
            codec.field(&mut self.offset, limits.log);
        }
        codec.field(&mut self.to, limits.replicas - 1);
    }
}

/// Visits a stamp that may be missing.
pub fn code_stamp(
    stamp: &mut Option<Stamp>,
    codec: &mut impl Codec,
    limits: &Limits,
    pipeline: &Pipeline,
) {
    if !pipeline.producer.idempotence {
        return;
    }
    let mut there = stamp.is_some();
    codec.flag(&mut there);
    let mut value = stamp.unwrap_or_default();
    if codec.places(usize::from(there), 1) == 1 {
        value.code(codec, limits, pipeline);
    }
    *stamp = there.then_some(value);
}
