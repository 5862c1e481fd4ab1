//! What the application does in one operation of its order.
//!
//! An operation is one step, or one `db[...]` transaction. It is atomic towards a crash: of a
//! transaction nothing remains before its commit, and after it everything does; a step has one
//! effect that took place or did not. A crash inside is therefore one just before or just after,
//! and the process loses whatever it knew in both cases. That holds while no other consumer or
//! worker can write to the sink in between.

use crate::consumer::Consumer;
use crate::ledger::Ledger;
use crate::order::Step;
use crate::pipeline::{Dedup, DedupInsert, Pipeline};
use crate::program::{Operation, Part, Scope};
use crate::sink::Sink;

/// What an operation can change, apart from commits to the group coordinator.
pub struct Workplace<'a> {
    /// The consumer's process.
    pub consumer: &'a mut Consumer,
    /// The sink.
    pub sink: &'a mut Sink,
    /// The ledger.
    pub ledger: &'a mut Ledger,
}

impl Workplace<'_> {
    /// Runs the operation that the consumer stands at. Commits are not run here: they are calls.
    pub fn run(&mut self, operation: &Operation, pipeline: &Pipeline) {
        if operation.transaction {
            self.run_transaction(operation, pipeline);
        } else {
            let conflicts = self.run_parts(operation, pipeline);
            self.consumer.skipped |= conflicts;
        }
    }

    /// Runs a transaction, again without the records whose insert conflicted until none does.
    fn run_transaction(&mut self, operation: &Operation, pipeline: &Pipeline) {
        let before = (*self.sink, *self.ledger);
        loop {
            let conflicts = self.run_parts(operation, pipeline);
            if conflicts == 0 {
                break;
            }
            (*self.sink, *self.ledger) = before;
            self.consumer.skipped |= conflicts;
        }
    }

    /// Runs every part once; returns the places in the hand whose unique insert conflicted.
    fn run_parts(&mut self, operation: &Operation, pipeline: &Pipeline) -> u32 {
        let mut conflicts = 0;
        let whole = 0..self.consumer.hand.len() as u8;
        for part in &operation.parts {
            match (part, operation.scope) {
                (Part::Step(step), Scope::Record { .. }) => {
                    let place = self.consumer.cursor;
                    conflicts |= self.step(*step, place, operation.scope, pipeline);
                }
                (Part::Step(Step::Process | Step::Remember | Step::SkipIfSeen), Scope::Poll) => {
                    // Beside an `each`, or in a transaction around one, only steps that cover the
                    // whole poll stand alone; the others run for every record of it.
                    let Part::Step(step) = part else { continue };
                    for place in whole.clone() {
                        conflicts |= self.step(*step, place, operation.scope, pipeline);
                    }
                }
                (Part::Step(step), Scope::Poll) => {
                    conflicts |= self.step(*step, 0, operation.scope, pipeline);
                }
                (Part::Each(steps), _) => {
                    for place in whole.clone() {
                        for step in steps {
                            conflicts |= self.step(*step, place, operation.scope, pipeline);
                        }
                    }
                }
            }
        }
        conflicts
    }

    fn step(&mut self, step: Step, place: u8, scope: Scope, pipeline: &Pipeline) -> u32 {
        let skipped = self.consumer.skipped & (1 << place) != 0;
        match step {
            Step::Process if !skipped => {
                let record = self.consumer.hand[usize::from(place)];
                self.sink.apply(record, pipeline, self.ledger);
            }
            Step::Remember if !skipped => return self.remember(place, pipeline),
            Step::SkipIfSeen => {
                if *self.store(pipeline) & self.consumer.dedup_key(place, pipeline) != 0 {
                    self.consumer.skipped |= 1 << place;
                }
            }
            Step::SaveOffset => {
                self.sink.saved = Some(self.consumer.covered(scope, pipeline).next);
            }
            Step::StoreOffset => self.consumer.stored = Some(self.consumer.storable(scope)),
            Step::CommitAsync => {
                self.consumer.pending = Some(self.consumer.covered(scope, pipeline));
            }
            Step::Process | Step::Remember => {}
            Step::Commit | Step::Produce | Step::ProduceAsync | Step::Flush => {
                unreachable!("{} is a call, not a step of the process", step.name())
            }
        }
        0
    }

    /// Inserts the record's dedup key; returns its place if a unique insert conflicts.
    fn remember(&mut self, place: u8, pipeline: &Pipeline) -> u32 {
        let key = self.consumer.dedup_key(place, pipeline);
        let store = self.store(pipeline);
        let known = *store & key != 0;
        *store |= key;
        match pipeline.sink.dedup_insert {
            DedupInsert::Unique if known => 1 << place,
            DedupInsert::Unique | DedupInsert::Plain => 0,
        }
    }

    fn store(&mut self, pipeline: &Pipeline) -> &mut u32 {
        match pipeline.sink.dedup {
            Dedup::Durable | Dedup::Separate => &mut self.sink.seen,
            Dedup::Memory => &mut self.consumer.remembered,
        }
    }
}
