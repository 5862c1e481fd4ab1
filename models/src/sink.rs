//! The sink: where effects take place, and what is stored beside them.
//!
//! **Modelled.** A database with a balance (`add`) or a row per key (`upsert`), or a provider
//! outside (`external`), with or without idempotency keys; a dedup store with or without a unique
//! key; the offset that the application saves beside its effects. A committed database
//! transaction is durable.
//!
//! **Left out.** Balances and provider calls are counted in the ledger, which knows how often each
//! record's effect took place; only `upsert` overwrites, so only its rows are kept here.

use crate::codec::Codec;
use crate::ledger::Ledger;
use crate::limits::{Limits, MAX_RECORDS};
use crate::offset::NextOffset;
use crate::pipeline::{Dedup, DedupKey, Effect, Pipeline};

/// The sink's durable state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sink {
    /// With `upsert`: per key, the record that was written last.
    pub rows: [Option<u8>; MAX_RECORDS],
    /// The durable dedup store, as a set of dedup keys.
    pub seen: u32,
    /// The saved offset.
    pub saved: Option<NextOffset>,
}

impl Sink {
    /// Performs the effect of `record`.
    pub fn apply(&mut self, record: u8, pipeline: &Pipeline, ledger: &mut Ledger) {
        let keys = pipeline.bounds.keys;
        match pipeline.sink.effect {
            Effect::Upsert => {
                self.rows[usize::from(record % keys)] = Some(record);
                ledger.handle(record, keys);
            }
            Effect::External {
                idempotency_key: true,
            } if ledger.is_handled(record) => {}
            Effect::External { .. } | Effect::Add => ledger.handle(record, keys),
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        if pipeline.sink.effect == Effect::Upsert {
            for row in &mut self.rows[..usize::from(pipeline.bounds.keys)] {
                let mut value = row.map_or(0, |record| record + 1);
                codec.field(&mut value, limits.records);
                *row = value.checked_sub(1);
            }
        }
        if limits.remembers && pipeline.sink.dedup != Dedup::Memory {
            codec.set(&mut self.seen, dedup_keys(limits, pipeline));
        }
        if limits.saves {
            let mut value = self.saved.map_or(0, |saved| saved.0 + 1);
            codec.field(&mut value, limits.log + 1);
            self.saved = value.checked_sub(1).map(NextOffset);
        }
    }
}

/// How many dedup keys there are.
pub fn dedup_keys(limits: &Limits, pipeline: &Pipeline) -> u8 {
    match pipeline.sink.dedup_key {
        DedupKey::Record => limits.records,
        DedupKey::Offset => limits.log,
    }
}
