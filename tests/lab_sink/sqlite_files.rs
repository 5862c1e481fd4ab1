//! What is SQLite's own: one file, and one writer at a time.

use std::fs;

use semel::lab::judge::{Sends, judge};
use semel::lab::sink::{Database, SinkError, Synchronous};
use semel_models::pipeline::{DedupInsert, Pipeline};
use semel_models::store::Store;

use crate::bench::{self, Bench, Tables, perform};
use crate::client::Client;
use crate::databases::Kind;

#[test]
fn the_files_of_a_killed_process_hold_what_was_committed_before() {
    let pipeline = bench::pipeline();
    let bench = Bench::on(Kind::Sqlite, &pipeline);
    let mut sink = bench.connect();
    perform(&mut sink, 0, 0, &pipeline).expect("it takes place");
    let before = bench.tables();
    sink.begin().expect("it begins");
    perform(&mut sink, 1, 0, &pipeline).expect("it takes place");
    let killed = tempfile::tempdir().expect("a directory");
    for file in fs::read_dir(bench.directory()).expect("it can be listed") {
        let file = file.expect("it can be listed");
        let copy = killed.path().join(file.file_name());
        fs::copy(file.path(), copy).expect("it can be copied");
    }
    let database = Database::sqlite(killed.path(), &pipeline.sink, Synchronous::Off);
    let mut sink = database.connect().expect("it recovers");
    let mut client = Client::sqlite(&killed.path().join("sink.db"));
    assert_eq!(Tables::of(&mut client), before);
    perform(&mut sink, 1, 0, &pipeline).expect("the next process goes on");
    assert_eq!(Tables::of(&mut client).effects, [0, 1]);
}

#[test]
fn a_second_writer_is_told_of_the_transaction_that_is_open() {
    let bench = Bench::on(Kind::Sqlite, &bench::pipeline());
    let [mut one, mut other] = [(); 2].map(|()| bench.connect());
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
    let database = |name: &str, pipeline: &Pipeline| {
        let directory = directory.path().join(name);
        Database::sqlite(&directory, &pipeline.sink, Synchronous::Full)
    };
    let open = |name: &str, pipeline: &Pipeline| {
        let error = database(name, pipeline).connect();
        let error = error.expect_err("it cannot be opened");
        let message = error.to_string();
        let path = directory.path().join(name).join("sink.db");
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

    fs::create_dir(directory.path().join("other")).expect("it can be created");
    let first = database("other", &pipeline).connect();
    first.expect("it is created");
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
    let bench = Bench::on(Kind::Sqlite, &bench::pipeline());
    let error = judge(&bench.database, &Sends::default()).expect_err("there is no file");
    assert!(matches!(error, SinkError::ReadOnly { .. }), "{error:?}");
    let mut files = fs::read_dir(bench.directory()).expect("it can be listed");
    assert!(files.next().is_none(), "the judge creates none");
}
