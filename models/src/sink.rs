//! The sink: where effects take place, and what is stored beside them.
//!
//! **Modelled.** A database with a balance (`add`) or a row per key (`upsert`), or a provider
//! outside (`external`), with or without idempotency keys; a dedup store with or without a unique
//! key; the offset that the application saves beside its effects. A committed database
//! transaction is durable.
//!
//! **Guards.** With `fencing` the sink knows the newest generation that a new owner told it, and
//! refuses writes of an older one. With `version-guard` a row is written only over an older
//! offset, and an offset is saved only over the one that the writer started from or last wrote
//! (compare-and-set): both are conditional writes, which the database checks when the transaction
//! that holds the row before has ended, so they see what is committed.
//!
//! **Left out.** Balances and provider calls are counted in the ledger, which knows how often each
//! record's effect took place; only `upsert` overwrites, so only its rows are kept here.

use crate::codec::Codec;
use crate::dedup::DedupStore;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::list::List;
use crate::offset::NextOffset;
use crate::pipeline::{Dedup, Effect, Pipeline};
use crate::store::{NotDone, Over, Performed, Store, Write};
use std::convert::Infallible;

/// A row of an upsert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Row {
    /// The record that was written last.
    pub record: u16,
    /// Its offset, where the design guards rows by it.
    pub offset: u16,
}

/// The sink's durable state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sink {
    /// With `upsert`: the row of each key; without: none.
    pub rows: List<Option<Row>, 2>,
    /// The durable dedup store.
    pub seen: DedupStore,
    /// The saved offset.
    pub saved: Option<NextOffset>,
    /// With `fencing`: the newest generation that the sink was told.
    pub fence: u16,
}

impl Sink {
    /// An empty sink.
    pub fn of(pipeline: &Pipeline) -> Sink {
        let rows = match pipeline.sink.effect {
            Effect::Upsert => pipeline.bounds.keys,
            Effect::Add | Effect::External { .. } | Effect::Topic => 0,
        };
        Sink {
            rows: List::of_len(rows.into()),
            ..Sink::default()
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        if pipeline.sink.effect == Effect::Upsert {
            self.rows
                .code_all(codec, pipeline.bounds.keys, |row, codec| {
                    let mut value = row.map_or(0, |row| row.record + 1);
                    codec.field(&mut value, limits.records);
                    let mut offset = row.map_or(0, |row| row.offset);
                    if pipeline.sink.version_guard {
                        codec.field(&mut offset, limits.log);
                    }
                    *row = value.checked_sub(1).map(|record| Row { record, offset });
                });
        }
        if limits.remembers && pipeline.sink.dedup != Dedup::Memory {
            self.seen.code(codec, limits, pipeline);
        }
        if limits.saves {
            code_saved(&mut self.saved, codec, limits);
        }
        if pipeline.sink.fencing {
            codec.field(&mut self.fence, limits.generations);
        }
    }
}

impl Sink {
    fn check_fence(&self, fenced: Option<u16>) -> Result<(), NotDone<Infallible>> {
        match fenced {
            Some(generation) if generation < self.fence => Err(NotDone::Refused),
            Some(_) | None => Ok(()),
        }
    }

    fn upsert(&mut self, write: Write, pipeline: &Pipeline) -> Performed {
        let guard = pipeline.sink.version_guard;
        let row = &mut self.rows[usize::from(write.record % pipeline.bounds.keys)];
        if guard && row.is_some_and(|row| row.offset >= write.offset.0) {
            return Performed::Superseded;
        }
        *row = Some(Row {
            record: write.record,
            offset: if guard { write.offset.0 } else { 0 },
        });
        Performed::TookPlace
    }
}

impl Store for Sink {
    type Error = Infallible;
    /// The sink as it was.
    type Begun = Sink;

    fn begin(&mut self) -> Result<Sink, Infallible> {
        Ok(self.clone())
    }

    fn commit(&mut self, _: Sink) -> Result<(), Infallible> {
        Ok(())
    }

    fn roll_back(&mut self, before: Sink) -> Result<(), Infallible> {
        *self = before;
        Ok(())
    }

    fn knows(&self, key: u16) -> Result<bool, Infallible> {
        Ok(self.seen.knows(key))
    }

    fn insert(
        &mut self,
        key: u16,
        fenced: Option<u16>,
        pipeline: &Pipeline,
        limits: &Limits,
    ) -> Result<bool, NotDone<Infallible>> {
        self.check_fence(fenced)?;
        Ok(self.seen.insert(key, limits, pipeline))
    }

    fn perform(
        &mut self,
        write: Write,
        pipeline: &Pipeline,
        ledger: &Ledger,
    ) -> Result<Performed, NotDone<Infallible>> {
        self.check_fence(pipeline.sink.fencing.then_some(write.generation))?;
        Ok(match pipeline.sink.effect {
            Effect::Upsert => self.upsert(write, pipeline),
            Effect::External {
                idempotency_key: true,
            } if ledger.is_handled(write.record) => Performed::Recognised,
            Effect::External { .. } | Effect::Add | Effect::Topic => Performed::TookPlace,
        })
    }

    fn saved(&self) -> Result<Option<NextOffset>, Infallible> {
        Ok(self.saved)
    }

    fn save(
        &mut self,
        next: NextOffset,
        over: Over,
        fenced: Option<u16>,
    ) -> Result<(), NotDone<Infallible>> {
        self.check_fence(fenced)?;
        match over {
            Over::Only(expected) if self.saved != expected => return Err(NotDone::Refused),
            Over::Only(_) | Over::Anything => {}
        }
        self.saved = Some(next);
        Ok(())
    }

    fn fence(&mut self, generation: u16) -> Result<(), Infallible> {
        self.fence = generation;
        Ok(())
    }
}

/// Visits a saved offset.
pub fn code_saved(saved: &mut Option<NextOffset>, codec: &mut impl Codec, limits: &Limits) {
    let mut value = saved.map_or(0, |saved| saved.0 + 1);
    codec.field(&mut value, limits.log + 1);
    *saved = value.checked_sub(1).map(NextOffset);
}
