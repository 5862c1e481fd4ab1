//! A connection to a SQLite file.

use super::Synchronous;
use super::connection::{Connection, Value};
use super::error::{At, SinkError};
use super::schema::{self, SQLITE};
use rusqlite::{OpenFlags, Transaction, TransactionBehavior, params_from_iter};
use semel_models::pipeline::SinkSettings;
use std::path::Path;
use std::time::Duration;

/// A file that is open.
#[derive(Debug)]
pub(super) struct Sqlite {
    pub(super) connection: rusqlite::Connection,
    at: At,
}

impl Sqlite {
    /// Opens the sink in `directory`, and creates its tables if there are none.
    pub(super) fn open(
        directory: &Path,
        settings: &SinkSettings,
        synchronous: Synchronous,
    ) -> Result<Sqlite, SinkError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let Sqlite { mut connection, at } = Sqlite::connect(directory, flags)?;
        let told = |error| at.told("prepare the database", error);
        let level = match synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Off => "OFF",
        };
        connection
            .pragma_update(None, "synchronous", level)
            .map_err(told)?;
        let found = prepare(&mut connection, settings).map_err(told)?;
        let needed = schema::kind(settings);
        if found != needed {
            return Err(SinkError::OtherDesign {
                path: at.path().to_owned(),
                found,
                needed,
            });
        }
        Ok(Sqlite { connection, at })
    }

    /// Connects to the sink that is in `directory`.
    pub(super) fn existing(directory: &Path) -> Result<Sqlite, SinkError> {
        // Opened for reading only, a transaction that a crash interrupted could not be rolled back.
        Sqlite::connect(directory, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn connect(directory: &Path, flags: OpenFlags) -> Result<Sqlite, SinkError> {
        let at = At::directory(directory);
        let told = |error| at.told("open the database", error);
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(at.path(), flags).map_err(told)?;
        // One operation is run at a time: whoever holds the database now will hold it still later.
        connection.busy_timeout(Duration::ZERO).map_err(told)?;
        Ok(Sqlite { connection, at })
    }

    /// Runs statements without parameters.
    fn change(&self, doing: &'static str, statements: &str) -> Result<(), SinkError> {
        let done = self.connection.execute_batch(statements);
        done.map_err(|error| self.at.told(doing, error))
    }
}

/// Creates the tables where there are none; the kind of those that are there then.
fn prepare(
    connection: &mut rusqlite::Connection,
    settings: &SinkSettings,
) -> rusqlite::Result<i64> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let tables = "SELECT count(*) FROM sqlite_schema";
    let count: i64 = transaction.query_one(tables, [], |row| row.get(0))?;
    if count == 0 {
        transaction.execute_batch(&schema::tables_of(settings, &SQLITE))?;
        transaction.pragma_update(None, "user_version", schema::kind(settings))?;
    }
    let kind = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    transaction.commit()?;
    Ok(kind)
}

impl Connection for Sqlite {
    fn begin(&self, doing: &'static str) -> Result<(), SinkError> {
        // Waiting to write until the first statement writes could end in a conflict between two
        // transactions that have both read.
        self.change(doing, "BEGIN IMMEDIATE")
    }

    fn commit(&self, doing: &'static str) -> Result<(), SinkError> {
        let done = self.change(doing, "COMMIT");
        if done.is_err() {
            self.roll_back(doing)?;
        }
        done
    }

    fn roll_back(&self, doing: &'static str) -> Result<(), SinkError> {
        // After some failures, a full disk for one, SQLite has rolled back by itself.
        if !self.in_transaction() {
            return Ok(());
        }
        self.change(doing, "ROLLBACK")
    }

    fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    fn run(
        &self,
        doing: &'static str,
        statement: &'static str,
        values: &[Value],
    ) -> Result<u64, SinkError> {
        let run = || -> rusqlite::Result<usize> {
            let mut prepared = self.connection.prepare_cached(statement)?;
            prepared.execute(params_from_iter(values))
        };
        let changed = run().map_err(|error| self.at.told(doing, error))?;
        Ok(changed as u64)
    }

    fn rows(
        &self,
        doing: &'static str,
        query: &'static str,
        values: &[Value],
    ) -> Result<Vec<Vec<Value>>, SinkError> {
        let read = || -> rusqlite::Result<_> {
            let mut prepared = self.connection.prepare_cached(query)?;
            let columns = prepared.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
            prepared.query_map(params_from_iter(values), row)?.collect()
        };
        read().map_err(|error| self.at.told(doing, error))
    }
}
