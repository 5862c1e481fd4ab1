//! What a crash leaves, and what another connection meets.

use std::fs;

use rusqlite::{Connection, ErrorCode};
use semel::lab::judge::{Sends, judge};
use semel::lab::sink::{SinkError, SqliteSink, Synchronous};
use semel_models::application::{Job, Work};
use semel_models::consumer::Consumer;
use semel_models::ledger::Ledger;
use semel_models::list::List;
use semel_models::offset::{NextOffset, Offset, Position};
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{DedupInsert, Effect, Pipeline};
use semel_models::store::{NotDone, Over, Performed, Store, Write};

use crate::bench::{self, Tables};

fn perform(
    sink: &mut SqliteSink,
    record: u16,
    generation: u16,
    pipeline: &Pipeline,
) -> Result<Performed, NotDone<SinkError>> {
    let write = Write {
        record,
        offset: Offset(record),
        generation,
    };
    sink.perform(write, pipeline, &Ledger::of(6))
}

#[test]
fn a_crash_within_a_transaction_leaves_what_was_committed_before() {
    let pipeline = bench::pipeline();
    let [dropped, killed] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let mut sink = bench::open(dropped.path(), &pipeline);
    perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
    sink.save(NextOffset(1), Over::Anything, None)
        .expect("it is saved");
    let before = Tables::of(sink.path());
    sink.begin().expect("it begins");
    perform(&mut sink, 1, 0, &pipeline).expect("it takes place");
    sink.save(NextOffset(2), Over::Anything, None)
        .expect("it is saved");
    // What a process that is killed leaves: the files as they are.
    for file in fs::read_dir(dropped.path()).expect("it can be listed") {
        let file = file.expect("it can be listed");
        let copy = killed.path().join(file.file_name());
        fs::copy(file.path(), copy).expect("it can be copied");
    }
    drop(sink);
    for directory in [dropped, killed] {
        let mut sink = bench::open(directory.path(), &pipeline);
        assert_eq!(Tables::of(sink.path()), before);
        assert_eq!(sink.saved().expect("it can be read"), Some(NextOffset(1)));
        perform(&mut sink, 1, 0, &pipeline).expect("the next process goes on");
        assert_eq!(Tables::of(sink.path()).effects, [0, 1]);
    }
}

#[test]
fn a_committed_transaction_is_there_after_a_crash() {
    let pipeline = bench::pipeline();
    let directory = tempfile::tempdir().expect("a directory");
    let mut sink = bench::open(directory.path(), &pipeline);
    sink.begin().expect("it begins");
    perform(&mut sink, 1, 0, &pipeline).expect("it takes place");
    sink.commit(()).expect("it commits");
    drop(sink);
    let sink = bench::open(directory.path(), &pipeline);
    assert_eq!(Tables::of(sink.path()).effects, [1]);
}

#[test]
fn a_fence_that_one_connection_tells_stops_the_older_writes_of_another() {
    let mut pipeline = bench::pipeline();
    pipeline.sink.fencing = true;
    let directory = tempfile::tempdir().expect("a directory");
    let [mut zombie, mut owner] = [(); 2].map(|()| bench::open(directory.path(), &pipeline));
    perform(&mut zombie, 0, 1, &pipeline).expect("it is the owner still");
    owner.fence(2).expect("it can be told");
    let refused = perform(&mut zombie, 1, 1, &pipeline);
    assert!(matches!(refused, Err(NotDone::Refused)), "{refused:?}");
    let refused = zombie.save(NextOffset(2), Over::Anything, Some(1));
    assert!(matches!(refused, Err(NotDone::Refused)), "{refused:?}");
    perform(&mut owner, 1, 2, &pipeline).expect("it has the newest generation");
    assert_eq!(Tables::of(owner.path()).effects, [0, 1]);
}

#[test]
fn the_database_itself_holds_keys_unique_where_the_design_has_it_so() {
    let external = |idempotency_key| Effect::External { idempotency_key };
    for unique in [true, false] {
        let mut pipeline = bench::pipeline();
        pipeline.sink.effect = external(unique);
        pipeline.sink.dedup_insert = match unique {
            true => DedupInsert::Unique,
            false => DedupInsert::Plain,
        };
        let directory = tempfile::tempdir().expect("a directory");
        let sink = bench::open(directory.path(), &pipeline);
        let other = Connection::open(sink.path()).expect("it can be opened");
        for insert in [
            "INSERT INTO seen (key) VALUES (3)",
            "INSERT INTO calls (record, idempotency_key) VALUES (3, 3)",
        ] {
            other.execute(insert, []).expect("it is the first");
            let again = other.execute(insert, []);
            let code = again.err().and_then(|error| error.sqlite_error_code());
            let conflict = Some(ErrorCode::ConstraintViolation).filter(|_| unique);
            assert_eq!(code, conflict, "{insert}");
        }
    }
}

#[test]
fn a_transaction_that_cannot_be_committed_changes_nothing_and_can_be_run_again() {
    let mut pipeline = bench::pipeline();
    let steps = [Step::Process, Step::SaveOffset].map(Item::Step);
    pipeline.consumer.order = Order(vec![Item::Database(steps.to_vec())]);
    pipeline.sink.version_guard = true;
    let directory = tempfile::tempdir().expect("a directory");
    let mut sink = bench::open(directory.path(), &pipeline);
    let operation = &bench::operations(&pipeline)[0];
    let limits = bench::limits(&pipeline);
    let (mut consumer, mut ledger) = (Consumer::default(), Ledger::of(6));
    let mut records = List::default();
    records.push(0);
    let mut run = |sink: &mut SqliteSink| {
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
    let reader = Connection::open(sink.path()).expect("it can be opened");
    // While somebody reads, SQLite does not let the file be written.
    let read = reader.execute_batch("BEGIN; SELECT count(*) FROM effects");
    read.expect("it can be read");
    let (done, expected, handled) = run(&mut sink);
    assert!(
        matches!(done, Err(NotDone::Failed(SinkError::Locked { .. }))),
        "{done:?}"
    );
    assert_eq!((expected, handled), (None, false));
    reader.execute_batch("COMMIT").expect("it ends");
    let (done, expected, handled) = run(&mut sink);
    done.expect("nobody reads");
    assert_eq!((expected, handled), (Some(NextOffset(1)), true));
    assert_eq!(Tables::of(sink.path()).effects, [0]);
}

#[test]
fn a_second_writer_is_told_of_the_transaction_that_is_open() {
    let pipeline = bench::pipeline();
    let directory = tempfile::tempdir().expect("a directory");
    let [mut one, mut other] = [(); 2].map(|()| bench::open(directory.path(), &pipeline));
    one.begin().expect("it begins");
    let error = other.begin().expect_err("one writes at a time");
    assert!(matches!(error, SinkError::Locked { .. }), "{error:?}");
    one.roll_back(()).expect("it is rolled back");
    other.begin().expect("nobody writes");
}

#[test]
fn what_cannot_be_opened_says_which_file_and_what_to_do() {
    let pipeline = bench::pipeline();
    let directory = tempfile::tempdir().expect("a directory");
    let open = |name: &str, pipeline: &Pipeline| {
        let directory = directory.path().join(name);
        let opened = SqliteSink::open(&directory, &pipeline.sink, Synchronous::Full);
        let error = opened.expect_err("it cannot be opened");
        let message = error.to_string();
        let path = directory.join("sink.db");
        let path = path.to_str().expect("it is text");
        assert!(message.starts_with(path), "{message}");
        error
    };
    let error = open("missing", &pipeline);
    assert!(matches!(error, SinkError::ReadOnly { .. }), "{error:?}");

    let folder = directory.path().join("garbage");
    fs::create_dir(&folder).expect("it can be created");
    fs::write(folder.join("sink.db"), "no database ".repeat(999)).expect("it can be written");
    let error = open("garbage", &pipeline);
    assert!(matches!(error, SinkError::Corrupt { .. }), "{error:?}");

    let folder = directory.path().join("other");
    fs::create_dir(&folder).expect("it can be created");
    bench::open(&folder, &pipeline);
    let mut other = pipeline.clone();
    other.sink.dedup_insert = match pipeline.sink.dedup_insert {
        DedupInsert::Unique => DedupInsert::Plain,
        DedupInsert::Plain => DedupInsert::Unique,
    };
    let error = open("other", &other);
    assert!(matches!(error, SinkError::OtherDesign { .. }), "{error:?}");
}

#[test]
fn there_is_nothing_to_judge_where_no_sink_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let error = judge(directory.path(), &Sends::default()).expect_err("there is no file");
    assert!(matches!(error, SinkError::ReadOnly { .. }), "{error:?}");
    let mut files = fs::read_dir(directory.path()).expect("it can be listed");
    assert!(files.next().is_none(), "the judge creates none");
}
