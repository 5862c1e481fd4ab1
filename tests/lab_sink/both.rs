//! The same operations on both stores: the model's sink and the database.

use std::collections::BTreeSet;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use semel::lab::judge::{Judgement, Sends, judge};
use semel::lab::sink::SqlSink;
use semel_models::application::{Job, Work};
use semel_models::consumer::Consumer;
use semel_models::ledger::Ledger;
use semel_models::limits::Limits;
use semel_models::list::List;
use semel_models::offset::{NextOffset, Offset, Position};
use semel_models::pipeline::{Effect, Pipeline};
use semel_models::program::{Operation, Scope};
use semel_models::set::Set;
use semel_models::sink::{Row, Sink};
use semel_models::store::{NotDone, Store, Write};

use crate::bench::{self, Bench, Tables};
use crate::databases::{Kind, over_each_database};
use crate::draws::{self, CONSUMERS, Call, Event, RECORDS, Upstream};

over_each_database!(every_operation_does_the_same_to_the_model_and_to_the_database);

fn every_operation_does_the_same_to_the_model_and_to_the_database(kind: Kind) {
    let searching = std::env::var("SEMEL_CASES").ok();
    let factor = searching.as_ref().map_or(1, |text| {
        text.parse().expect("SEMEL_CASES is a whole number")
    });
    let mut runner = TestRunner::new(Config {
        cases: kind.cases(300) * factor,
        failure_persistence: None,
        rng_seed: match searching {
            Some(_) => RngSeed::Random,
            None => RngSeed::Fixed(1),
        },
        ..Config::default()
    });
    let draw = (draws::pipeline(), draws::upstream(), draws::events());
    let tried = runner.run(&draw, |(pipeline, upstream, events)| {
        let mut pair = Pair::new(kind, pipeline, upstream);
        for event in &events {
            pair.happens(event)?;
            pair.compare()?;
        }
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

/// A store with all that an operation on it can change.
struct Side<S> {
    stores: Vec<S>,
    consumers: [Consumer; CONSUMERS],
    ledger: Ledger,
}

/// What came of an operation.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    refused: bool,
    skipped: u32,
    looked: Option<u32>,
}

struct Pair {
    pipeline: Pipeline,
    limits: Limits,
    operations: Vec<Operation>,
    model: Side<Sink>,
    /// Each consumer has a connection of its own.
    database: Side<SqlSink>,
    bench: Bench,
}

impl Pair {
    fn new(kind: Kind, pipeline: Pipeline, upstream: Upstream) -> Pair {
        let bench = Bench::on(kind, &pipeline);
        let ledger = ledger(upstream);
        let stores = (0..CONSUMERS).map(|_| bench.connect()).collect();
        let database = Side::new(stores, ledger.clone());
        Pair {
            limits: bench::limits(&pipeline),
            operations: bench::operations(&pipeline),
            model: Side::new(vec![Sink::of(&pipeline)], ledger),
            database,
            bench,
            pipeline,
        }
    }

    fn happens(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Run(call) => {
                let operation = &self.operations[call.operation % self.operations.len()];
                let (pipeline, limits) = (&self.pipeline, &self.limits);
                let model = self.model.run(call, operation, pipeline, limits);
                let database = self.database.run(call, operation, pipeline, limits);
                prop_assert_eq!(model, database, "of {:?}", operation.item);
            }
            Event::Take { who, generation } => {
                self.model.take(*who, *generation);
                self.database.take(*who, *generation);
            }
            Event::Forget => {
                self.model.stores[0].seen.forget_oldest();
                self.database.stores[0].forget_oldest().expect("it forgets");
            }
            Event::Crash { who, record } => {
                self.model.consumers[*who] = Consumer::default();
                self.database.consumers[*who] = Consumer::default();
                self.break_off(*who, *record);
            }
        }
        Ok(())
    }

    fn break_off(&mut self, who: usize, record: u16) {
        let store = &mut self.database.stores[who];
        let write = Write {
            record,
            offset: Offset(7),
            generation: u16::MAX,
        };
        store.begin().expect("it begins");
        let performed = store.perform(write, &self.pipeline, &self.model.ledger);
        performed.expect("it has the newest generation");
        drop(self.database.stores.remove(who));
        let next = self.bench.connect();
        self.database.stores.insert(who, next);
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(&self.model.ledger, &self.database.ledger);
        prop_assert_eq!(&self.model.consumers, &self.database.consumers);
        let tables = self.bench.tables();
        let sink = &self.model.stores[0];
        self.compare_effects(&tables)?;
        prop_assert_eq!(&tables.seen[..], &sink.seen.order[..]);
        prop_assert_eq!(tables.saved, sink.saved.map(|next| next.0));
        prop_assert_eq!(tables.fence, sink.fence);
        let sends = sends(&self.model.ledger, self.pipeline.bounds.keys);
        let judged = judge(&self.bench.database, &sends).expect("there is a sink");
        self.compare_verdicts(&judged)
    }

    fn compare_effects(&self, tables: &Tables) -> Result<(), TestCaseError> {
        let mut rows = [None; RECORDS as usize];
        for (key, record, offset) in &tables.rows {
            let guarded = self.pipeline.sink.version_guard;
            rows[usize::from(*key)] = Some(Row {
                record: *record,
                offset: if guarded { *offset } else { 0 },
            });
        }
        let model = &self.model.stores[0].rows;
        let unused = vec![None; rows.len() - model.len()];
        prop_assert_eq!(&rows[..], [&model[..], &unused].concat());
        let effects = tables.effects.len();
        let (balance, calls) = match self.pipeline.sink.effect {
            Effect::Add => (effects, 0),
            Effect::Upsert | Effect::Topic => (0, 0),
            Effect::External { .. } => (0, effects),
        };
        prop_assert_eq!(
            (tables.balance as usize, tables.calls.len()),
            (balance, calls)
        );
        Ok(())
    }

    fn compare_verdicts(&self, judged: &Judgement) -> Result<(), TestCaseError> {
        let ledger = &self.model.ledger;
        let those = |is: &dyn Fn(u16) -> bool| -> BTreeSet<u16> {
            (0..RECORDS).filter(|record| is(*record)).collect()
        };
        let lost = those(&|record| ledger.is_confirmed(record) && !ledger.is_settled(record));
        prop_assert_eq!(&judged.lost, &lost);
        let repeated = those(&|record| ledger.handled[usize::from(record)] == 2);
        prop_assert_eq!(&judged.repeated, &repeated);
        prop_assert_eq!(!judged.out_of_order.is_empty(), ledger.disordered);
        let sent = |record: u16| ledger.sent.contains(record) && !ledger.is_aborted(record);
        let phantom = those(&|record| ledger.is_handled(record) && !sent(record));
        prop_assert_eq!(&judged.phantom, &phantom);
        let failed = |record: u16| ledger.failed.contains(record);
        let in_doubt = those(&|record| ledger.is_handled(record) && failed(record));
        prop_assert_eq!(&judged.in_doubt, &in_doubt);
        Ok(())
    }
}

impl<S: Store<Error: Debug>> Side<S> {
    fn new(stores: Vec<S>, ledger: Ledger) -> Side<S> {
        Side {
            stores,
            consumers: Default::default(),
            ledger,
        }
    }

    fn run(
        &mut self,
        call: &Call,
        operation: &Operation,
        pipeline: &Pipeline,
        limits: &Limits,
    ) -> Outcome {
        let mut records = List::default();
        for record in &call.hand {
            records.push(*record);
        }
        let places = match operation.scope {
            Scope::Record { .. } => (0, 1),
            Scope::Poll => (0, records.len() as u16),
        };
        let store = call.who % self.stores.len();
        let mut work = Work {
            job: Job {
                records,
                first: call.first,
                passed: 0,
                places,
                skipped: call.skipped,
                looked: None,
                generation: call.generation,
            },
            covered: Position::bare(NextOffset(call.first + places.1)),
            storable: None,
            consumer: &mut self.consumers[call.who],
            sink: &mut self.stores[store],
            ledger: &mut self.ledger,
            pipeline,
            limits,
        };
        if call.looks_ahead {
            work.job.looked = Some(work.look_up().expect("it can be read"));
        }
        let refused = match work.run(operation) {
            Ok(()) => false,
            Err(NotDone::Refused) => true,
            Err(NotDone::Failed(error)) => panic!("{error:?}"),
        };
        Outcome {
            refused,
            skipped: work.job.skipped,
            looked: work.job.looked,
        }
    }

    fn take(&mut self, who: usize, generation: u16) {
        let place = who % self.stores.len();
        let store = &mut self.stores[place];
        store.fence(generation).expect("it can be told");
        self.consumers[who].expected = store.saved().expect("it can be read");
    }
}

fn ledger(upstream: Upstream) -> Ledger {
    let mut ledger = Ledger {
        sent: upstream.sent,
        confirmed: upstream.confirmed,
        failed: upstream.failed,
        aborted: upstream.aborted,
        dead_lettered: upstream.dead_lettered,
        ..Ledger::of(RECORDS)
    };
    for (record, overlaps) in (0..).zip(upstream.overlaps) {
        let last = (record + overlaps).min(RECORDS - 1);
        (record + 1..=last).for_each(|later| ledger.commit_beside(later, record));
    }
    ledger
}

fn sends(ledger: &Ledger, keys: u16) -> Sends {
    let those = |set: &Set| set.iter().collect();
    let pairs = (0..RECORDS).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
    Sends {
        keys,
        sent: those(&ledger.sent),
        confirmed: those(&ledger.confirmed),
        failed: those(&ledger.failed),
        aborted: those(&ledger.aborted),
        dead_lettered: those(&ledger.dead_lettered),
        unordered: pairs
            .filter(|(earlier, later)| !ledger.is_before(*earlier, *later))
            .collect(),
    }
}
