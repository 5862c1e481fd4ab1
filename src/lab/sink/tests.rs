//! Failures of the disk, as SQLite can be made to meet them.

use super::connection::Using;
use super::sqlite::Sqlite;
use super::{SinkError, SqlSink, Synchronous};
use crate::design::Design;
use semel_models::ledger::Ledger;
use semel_models::offset::Offset;
use semel_models::pipeline::Pipeline;
use semel_models::store::{NotDone, Store, Write};
use tempfile::TempDir;

fn pipeline() -> Pipeline {
    let design = "client = \"java\"\n[application]\norder = \"process -> commit\"\n";
    let design = Design::parse("lab.toml", design.as_bytes()).expect("it can be built");
    design.pipeline().clone()
}

/// A sink whose connection has this pragma.
fn sink(pragma: &str) -> (TempDir, SqlSink) {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = &pipeline().sink;
    let opened = Sqlite::open(directory.path(), settings, Synchronous::Full);
    let opened = opened.expect("it can be opened");
    let set = opened.connection.execute_batch(pragma);
    set.expect("there is such a pragma");
    (directory, SqlSink::over(opened))
}

fn perform(sink: &mut SqlSink) -> Result<(), NotDone<SinkError>> {
    let write = Write {
        record: 0,
        offset: Offset(0),
        generation: 0,
    };
    sink.perform(write, &pipeline(), &Ledger::default())?;
    Ok(())
}

fn effects(sink: &SqlSink) -> usize {
    let using = Using::new(&*sink.connection, "count the effects");
    let effects = using.rows::<1>("SELECT id FROM effects", &[]);
    effects.expect("there is such a table").len()
}

#[test]
fn each_commit_waits_for_the_disk_as_was_asked() {
    for (synchronous, level) in [(Synchronous::Full, 2), (Synchronous::Off, 0)] {
        let directory = tempfile::tempdir().expect("a directory");
        let sink = Sqlite::open(directory.path(), &pipeline().sink, synchronous);
        let connection = sink.expect("it can be opened").connection;
        let set = connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0));
        assert_eq!(set.expect("there is such a pragma"), level);
    }
}

#[test]
fn what_cannot_be_written_is_said_to_be_so_and_changes_nothing() {
    let (_directory, mut sink) = sink("PRAGMA query_only = ON");
    let error = perform(&mut sink);
    let Err(NotDone::Failed(error @ SinkError::ReadOnly { .. })) = error else {
        panic!("{error:?}");
    };
    let message = error.to_string();
    assert!(
        message.contains("sink.db: cannot perform an effect"),
        "{message}"
    );
    assert_eq!(effects(&sink), 0);
}

#[test]
fn a_full_disk_ends_a_transaction_of_which_nothing_remains() {
    // No page beyond those that are there.
    let (_directory, mut sink) = sink("PRAGMA max_page_count = 1");
    sink.begin().expect("it begins");
    let ended = loop {
        match perform(&mut sink) {
            Ok(()) => {}
            Err(ended) => break ended,
        }
    };
    let NotDone::Failed(SinkError::Full { .. }) = ended else {
        panic!("{ended:?}");
    };
    sink.roll_back(())
        .expect("it is rolled back, or was before");
    assert_eq!(effects(&sink), 0);
    perform(&mut sink).expect("there is room for one");
    assert_eq!(effects(&sink), 1);
}
