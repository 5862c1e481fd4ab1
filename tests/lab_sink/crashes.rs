//! What a crash leaves, and what another connection meets.

use semel::lab::sink::{SinkError, SqlSink};
use semel_models::application::{Job, Work};
use semel_models::consumer::Consumer;
use semel_models::ledger::Ledger;
use semel_models::list::List;
use semel_models::offset::{NextOffset, Position};
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{DedupInsert, Effect};
use semel_models::store::{NotDone, Over, Store};

use crate::bench::{self, Bench, perform};
use crate::client::Failure;
use crate::databases::{Kind, over_each_database};

over_each_database! {
    a_crash_within_a_transaction_leaves_what_was_committed_before
    a_committed_transaction_is_there_after_a_crash
    a_fence_that_one_connection_tells_stops_the_older_writes_of_another
    the_database_itself_holds_keys_unique_where_the_design_has_it_so
    a_transaction_that_cannot_be_committed_changes_nothing_and_can_be_run_again
}

fn a_crash_within_a_transaction_leaves_what_was_committed_before(kind: Kind) {
    let pipeline = bench::pipeline();
    let bench = Bench::on(kind, &pipeline);
    let mut sink = bench.connect();
    perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
    let saved = sink.save(NextOffset(1), Over::Anything, None);
    saved.expect("it is saved");
    let before = bench.tables();
    sink.begin().expect("it begins");
    perform(&mut sink, 1, 0, &pipeline).expect("it takes place");
    let saved = sink.save(NextOffset(2), Over::Anything, None);
    saved.expect("it is saved");
    drop(sink);
    assert_eq!(bench.tables(), before);
    let mut sink = bench.connect();
    assert_eq!(sink.saved().expect("it can be read"), Some(NextOffset(1)));
    perform(&mut sink, 1, 0, &pipeline).expect("the next process goes on");
    assert_eq!(bench.tables().effects, [0, 1]);
}

fn a_committed_transaction_is_there_after_a_crash(kind: Kind) {
    let pipeline = bench::pipeline();
    let bench = Bench::on(kind, &pipeline);
    let mut sink = bench.connect();
    sink.begin().expect("it begins");
    perform(&mut sink, 1, 0, &pipeline).expect("it takes place");
    sink.commit(()).expect("it commits");
    drop(sink);
    bench.connect();
    assert_eq!(bench.tables().effects, [1]);
}

fn a_fence_that_one_connection_tells_stops_the_older_writes_of_another(kind: Kind) {
    let mut pipeline = bench::pipeline();
    pipeline.sink.fencing = true;
    let bench = Bench::on(kind, &pipeline);
    let [mut zombie, mut owner] = [(); 2].map(|()| bench.connect());
    perform(&mut zombie, 0, 1, &pipeline).expect("it is the owner still");
    owner.fence(2).expect("it can be told");
    let refused = perform(&mut zombie, 1, 1, &pipeline);
    assert!(matches!(refused, Err(NotDone::Refused)), "{refused:?}");
    let refused = zombie.save(NextOffset(2), Over::Anything, Some(1));
    assert!(matches!(refused, Err(NotDone::Refused)), "{refused:?}");
    perform(&mut owner, 1, 2, &pipeline).expect("it has the newest generation");
    assert_eq!(bench.tables().effects, [0, 1]);
}

fn the_database_itself_holds_keys_unique_where_the_design_has_it_so(kind: Kind) {
    let external = |idempotency_key| Effect::External { idempotency_key };
    for unique in [true, false] {
        let mut pipeline = bench::pipeline();
        pipeline.sink.effect = external(unique);
        pipeline.sink.dedup_insert = match unique {
            true => DedupInsert::Unique,
            false => DedupInsert::Plain,
        };
        let bench = Bench::on(kind, &pipeline);
        bench.connect();
        let mut other = bench.client();
        for insert in [
            "INSERT INTO seen (key) VALUES (3)",
            "INSERT INTO calls (record, idempotency_key) VALUES (3, 3)",
        ] {
            other.run(insert).expect("it is the first");
            let conflict = Some(Failure::Conflict).filter(|_| unique);
            assert_eq!(other.run(insert).err(), conflict, "{insert}");
        }
    }
}

fn a_transaction_that_cannot_be_committed_changes_nothing_and_can_be_run_again(kind: Kind) {
    let mut pipeline = bench::pipeline();
    let steps = [Step::Process, Step::SaveOffset].map(Item::Step);
    pipeline.consumer.order = Order(vec![Item::Database(steps.to_vec())]);
    pipeline.sink.version_guard = true;
    let bench = Bench::on(kind, &pipeline);
    let mut sink = bench.connect();
    let operation = &bench::operations(&pipeline)[0];
    let limits = bench::limits(&pipeline);
    let (mut consumer, mut ledger) = (Consumer::default(), Ledger::of(6));
    let mut records = List::default();
    records.push(0);
    let mut run = |sink: &mut SqlSink| {
        let mut work = Work {
            job: Job {
                records: records.clone(),
                places: (0, 1),
                ..Job::default()
            },
            covered: Position::bare(NextOffset(1)),
            storable: None,
            consumer: &mut consumer,
            sink,
            ledger: &mut ledger,
            pipeline: &pipeline,
            limits: &limits,
        };
        let done = work.run(operation);
        (done, consumer.expected, ledger.is_handled(0))
    };
    let mut other = bench.client();
    let [hinder, let_go] = obstacle(kind);
    other.run(hinder).expect("it can be hindered");
    let (done, expected, handled) = run(&mut sink);
    let Err(NotDone::Failed(error)) = done else {
        panic!("{done:?}");
    };
    assert_told(&error);
    assert_eq!((expected, handled), (None, false));
    other.run(let_go).expect("it ends");
    let (done, expected, handled) = run(&mut sink);
    done.expect("nothing hinders it");
    assert_eq!((expected, handled), (Some(NextOffset(1)), true));
    assert_eq!(bench.tables().effects, [0]);
}

/// What keeps a transaction from its commit and no statement before, and what ends that.
fn obstacle(kind: Kind) -> [&'static str; 2] {
    match kind {
        // While somebody reads, SQLite does not let the file be written.
        Kind::Sqlite => ["BEGIN; SELECT count(*) FROM effects", "COMMIT"],
        #[cfg(feature = "postgres")]
        Kind::Postgres => [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''hindered''; END';
             CREATE CONSTRAINT TRIGGER hindered AFTER INSERT ON effects
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
            "DROP TRIGGER hindered ON effects",
        ],
    }
}

fn assert_told(error: &SinkError) {
    let message = error.to_string();
    match error {
        SinkError::Locked { .. } => {}
        #[cfg(feature = "postgres")]
        SinkError::Postgres(_) => {
            assert!(message.contains("cannot commit a transaction"), "{message}");
        }
        _ => panic!("{message}"),
    }
}
