//! The packed form of the output.

use super::producer::{OutputProducer, Send};
use super::{Output, ReadEarly, Unseen};
use crate::codec::Codec;
use crate::limits::{Limits, MAX_RAISED};
use crate::pipeline::Pipeline;
use crate::transaction_coordinator::Part;

/// What a consumer's transaction writes to.
const PARTS: [Part; 2] = [Part::Output, Part::Offsets];
/// The most epochs that a state tells apart of one id: the current one, the one before, any older.
const EPOCHS: u16 = 2;

fn epochs(limits: &Limits) -> u16 {
    match limits.logs_results {
        true => MAX_RAISED,
        false => EPOCHS,
    }
}

impl Output {
    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        for producer in &mut self.producers[..usize::from(limits.instances)] {
            producer.code(codec, limits, pipeline);
        }
        if !pipeline.consumer.only_produces() && pipeline.consumer.produces() {
            self.produced
                .code_all(codec, limits.records, |times, codec| codec.field(times, 2));
            self.complete.code(codec, limits.records);
            codec.flag_if(limits.records > 1, &mut self.disordered);
        }
        if limits.transactional_ids == 0 {
            return;
        }
        let ids = limits.transactional_ids;
        self.transactions.code(codec, ids, |transaction, codec| {
            transaction.code(codec, epochs(limits), &PARTS);
        });
        self.unseen.code(codec, limits.unseen, |unseen, codec| {
            let Unseen {
                record,
                id,
                committed,
            } = unseen;
            codec.field(record, limits.records - 1);
            codec.field(id, ids - 1);
            codec.flag(committed);
        });
        if limits.reads_early {
            let most = limits.records * ids;
            self.read_early.code(codec, most, |early, codec| {
                let ReadEarly { id, record } = early;
                codec.field(id, ids - 1);
                codec.field(record, limits.records - 1);
            });
            self.made_good.code(codec, limits.records);
        }
        if limits.prepares {
            for (prepared, transaction) in self.prepared.iter_mut().zip(self.transactions.iter()) {
                let mut is_prepared = prepared.is_some();
                codec.flag(&mut is_prepared);
                *prepared = is_prepared.then_some(transaction.epoch);
            }
        }
        self.pending.code(codec, ids, |pending, codec| {
            codec.field(&mut pending.id, ids - 1);
            pending.position.code(codec, limits);
        });
    }
}

impl OutputProducer {
    fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        let attempts = limits.output_attempts;
        self.sends.code(codec, limits.output_sends, |send, codec| {
            let Send {
                record,
                attempts: failed,
                appended,
                overtakes,
                doubtful,
            } = send;
            codec.field(record, limits.records - 1);
            codec.field(failed, attempts);
            codec.flag(appended);
            codec.flag(overtakes);
            codec.flag_if(limits.results_expire, doubtful);
        });
        codec.field(&mut self.attempts, attempts);
        codec.flag(&mut self.appended);
        codec.flag_if(limits.results_expire, &mut self.doubtful);
        codec.flag(&mut self.failed);
        if pipeline.consumer.has_transactions() {
            codec.field(&mut self.epoch, epochs(limits));
            codec.flag(&mut self.open);
            codec.flag_if(limits.ends_between, &mut self.offsets_added);
            codec.flag_if(limits.zombies, &mut self.timed_out);
            codec.flag_if(limits.forgets_epochs, &mut self.awaits_epoch);
        }
    }
}
