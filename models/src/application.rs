//! What the application does in one operation of its order.
//!
//! An operation is one step, or one `db[...]` transaction. It is atomic towards a crash: of a
//! transaction nothing remains before its commit, and after it everything does; a step has one
//! effect that took place or did not. A crash inside is therefore one just before or just after,
//! and the process loses whatever it knew in both cases.
//!
//! **Concurrent writers.** A transaction is read committed. Its unique inserts and conditional
//! writes wait for whoever holds the row, and see what is committed then: they belong to the moment
//! of the commit. A plain look-up does not wait: it sees what was committed when it was made. Where
//! another consumer or worker can write in between, a transaction with a look-up is therefore two
//! steps, its look-ups ([`Work::look_up`]) and everything else; a record's look-up sees in addition
//! what its own transaction inserted before. That every look-up of a transaction is made at one
//! moment loses nothing: a guarantee is broken for one record, and for that record any moment will
//! do.

use crate::consumer::{Consumer, Hand, dedup_key};
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::offset::{self, NextOffset, Offset, Position};
use crate::order::Step;
use crate::pipeline::{Dedup, DedupInsert, Pipeline};
use crate::program::{Operation, Part, Scope};
use crate::store::{NotDone, Over, Performed, Store, Write};
use std::ops::Range;

/// The records that an operation is about, and what the application knows of them.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// The records in hand.
    pub records: Hand,
    /// Where they were read from.
    pub first: u16,
    /// The offsets from there on at which no record was, as a set of bits.
    pub passed: u32,
    /// Which of them the operation is about, as the first and the one after the last.
    pub places: (u16, u16),
    /// Which of them are skipped.
    pub skipped: u32,
    /// What look-ups that were made before found.
    pub looked: Option<u32>,
    /// The generation under which they were polled.
    pub generation: u16,
}

/// What an operation can change, apart from commits to the group coordinator.
pub struct Work<'a, S> {
    /// The records.
    pub job: Job,
    /// What a commit at this point covers.
    pub covered: Position,
    /// What librdkafka's offset store gets at this point; `None`: the partition is no longer
    /// assigned, and the store refuses.
    pub storable: Option<Position>,
    /// The consumer's process.
    pub consumer: &'a mut Consumer,
    /// The sink.
    pub sink: &'a mut S,
    /// The ledger.
    pub ledger: &'a mut Ledger,
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// Its limits.
    pub limits: &'a Limits,
}

impl<S: Store> Work<'_, S> {
    /// Runs an operation; one that is not done changes nothing. Commits are not run here: they are
    /// calls.
    pub fn run(&mut self, operation: &Operation) -> Result<(), NotDone<S::Error>> {
        if operation.transaction {
            return self.run_transaction(operation);
        }
        // A single step is refused before it changes anything.
        self.job.skipped |= self.run_parts(operation)?;
        Ok(())
    }

    /// Makes the look-ups of a transaction; returns what they found.
    pub fn look_up(&mut self) -> Result<u32, S::Error> {
        let mut found = 0;
        for place in self.places() {
            if self.knows(place)? {
                found |= 1 << place;
            }
        }
        Ok(found)
    }

    /// Runs a transaction, again without the records whose insert conflicted until none does.
    fn run_transaction(&mut self, operation: &Operation) -> Result<(), NotDone<S::Error>> {
        let before = (self.ledger.clone(), self.consumer.clone());
        loop {
            let skipped = self.job.skipped;
            let begun = self.sink.begin()?;
            let ran = self.run_parts(operation);
            let ended = match ran {
                Ok(0) => match self.sink.commit(begun) {
                    Ok(()) => return Ok(()),
                    Err(error) => Err(error),
                },
                Ok(_) | Err(_) => self.sink.roll_back(begun),
            };
            (*self.ledger, *self.consumer) = before.clone();
            if let Err(NotDone::Failed(_)) = ran {
                // It says more than what may have failed after it.
                return ran.map(|_| ());
            }
            ended?;
            self.job.skipped = skipped | ran?;
        }
    }

    /// Runs every part once; returns the places in the hand whose unique insert conflicted.
    fn run_parts(&mut self, operation: &Operation) -> Result<u32, NotDone<S::Error>> {
        let mut conflicts = 0;
        let mut inserted = 0;
        for part in &operation.parts {
            match (part, operation.scope) {
                (Part::Step(step), Scope::Record { .. }) => {
                    conflicts |= self.step(*step, self.job.places.0, &mut inserted)?;
                }
                (Part::Step(step), Scope::Poll) if step.is_about_a_record() => {
                    // Beside an `each`, or in a transaction around one, only steps that cover the
                    // whole poll stand alone; the others run for every record of it.
                    for place in self.places() {
                        conflicts |= self.step(*step, place, &mut inserted)?;
                    }
                }
                (Part::Step(step), Scope::Poll) => {
                    conflicts |= self.step(*step, self.job.places.0, &mut inserted)?;
                }
                (Part::Each(steps), _) => {
                    for place in self.places() {
                        for step in steps {
                            conflicts |= self.step(*step, place, &mut inserted)?;
                        }
                    }
                }
            }
        }
        Ok(conflicts)
    }

    fn places(&self) -> Range<u16> {
        self.job.places.0..self.job.places.1
    }

    fn key(&self, place: u16) -> u16 {
        let record = self.job.records[usize::from(place)];
        dedup_key(record, self.offset(place), self.pipeline)
    }

    fn offset(&self, place: u16) -> Offset {
        offset::in_hand(self.job.first, self.job.passed, place)
    }

    /// Does one step; `inserted`: the places whose key this operation has inserted.
    fn step(
        &mut self,
        step: Step,
        place: u16,
        inserted: &mut u32,
    ) -> Result<u32, NotDone<S::Error>> {
        let skipped = self.job.skipped & (1 << place) != 0;
        match step {
            Step::Process if !skipped => self.process(place)?,
            Step::Remember if !skipped => {
                let conflict = self.remember(place)?;
                *inserted |= 1 << place;
                return Ok(conflict);
            }
            Step::SkipIfSeen => {
                let seen = match self.job.looked {
                    Some(looked) => (looked | *inserted) & (1 << place) != 0,
                    None => self.knows(place)?,
                };
                if seen {
                    self.job.skipped |= 1 << place;
                }
            }
            Step::SaveOffset => self.save_offset()?,
            Step::StoreOffset => self.consumer.stored = self.storable.or(self.consumer.stored),
            Step::CommitAsync => self.consumer.pending = Some(self.covered),
            Step::Process | Step::Remember => {}
            Step::Commit | Step::Produce | Step::ProduceAsync | Step::Flush => {
                unreachable!("{} is a call, not a step of the process", step.name())
            }
        }
        Ok(0)
    }

    fn process(&mut self, place: u16) -> Result<(), NotDone<S::Error>> {
        let record = self.job.records[usize::from(place)];
        let write = Write {
            record,
            offset: self.offset(place),
            generation: self.job.generation,
        };
        match self.sink.perform(write, self.pipeline, self.ledger)? {
            Performed::TookPlace => self.ledger.handle(record, self.pipeline.bounds.keys),
            Performed::Superseded => self.ledger.supersede(record),
            Performed::Recognised => {}
        }
        Ok(())
    }

    fn save_offset(&mut self) -> Result<(), NotDone<S::Error>> {
        let next: NextOffset = self.covered.next;
        let fenced = self.pipeline.sink.fencing.then_some(self.job.generation);
        if self.pipeline.sink.version_guard {
            let over = Over::Only(self.consumer.expected);
            self.sink.save(next, over, fenced)?;
            self.consumer.expected = Some(next);
            return Ok(());
        }
        self.sink.save(next, Over::Anything, fenced)
    }

    /// Inserts the record's dedup key; returns its place if a unique insert conflicts.
    fn remember(&mut self, place: u16) -> Result<u32, NotDone<S::Error>> {
        let key = self.key(place);
        let (limits, pipeline) = (self.limits, self.pipeline);
        let fenced = pipeline.sink.fencing.then_some(self.job.generation);
        let known = match pipeline.sink.dedup {
            Dedup::Durable => self.sink.insert(key, fenced, pipeline, limits)?,
            // A store of its own is told of no generation.
            Dedup::Separate => self.sink.insert(key, None, pipeline, limits)?,
            Dedup::Memory => self.consumer.memory.insert(key, limits, pipeline),
        };
        Ok(match pipeline.sink.dedup_insert {
            DedupInsert::Unique if known => 1 << place,
            DedupInsert::Unique | DedupInsert::Plain => 0,
        })
    }

    fn knows(&self, place: u16) -> Result<bool, S::Error> {
        let key = self.key(place);
        match self.pipeline.sink.dedup {
            Dedup::Durable | Dedup::Separate => self.sink.knows(key),
            Dedup::Memory => Ok(self.consumer.memory.knows(key)),
        }
    }
}
