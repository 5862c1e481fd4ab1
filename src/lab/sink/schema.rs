//! The sink's tables, and how the file that has them is opened.
//!
//! `effects` has one row for each effect that took place and `superseded` one for each that a guard
//! kept from taking place, both in their order; they are written with the effect in one
//! transaction, and nothing but the judge reads them. `rows`, `balance` and `calls` are what the
//! effects come to.

use super::Synchronous;
use super::error::{At, SinkError};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use semel_models::pipeline::{DedupInsert, Effect, SinkSettings};
use std::time::Duration;

/// The number of this layout of the tables.
const LAYOUT: i64 = 1;

/// Opens the file, and creates its tables if it has none.
pub(super) fn open(
    at: &At,
    settings: &SinkSettings,
    synchronous: Synchronous,
) -> Result<Connection, SinkError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(at, flags)?;
    let told = |error| at.told("prepare the database", error);
    let level = match synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Off => "OFF",
    };
    connection
        .pragma_update(None, "synchronous", level)
        .map_err(told)?;
    let found = prepare(&mut connection, settings).map_err(told)?;
    let needed = kind(settings);
    if found != needed {
        return Err(SinkError::OtherDesign {
            path: at.path().to_owned(),
            found,
            needed,
        });
    }
    Ok(connection)
}

/// Connects to the file.
pub(crate) fn connect(at: &At, flags: OpenFlags) -> Result<Connection, SinkError> {
    let told = |error| at.told("open the database", error);
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(at.path(), flags).map_err(told)?;
    // One operation is run at a time: whoever holds the database now will hold it still later.
    connection.busy_timeout(Duration::ZERO).map_err(told)?;
    Ok(connection)
}

/// Creates the tables where there are none; the kind of those that are there then.
fn prepare(connection: &mut Connection, settings: &SinkSettings) -> rusqlite::Result<i64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables = "SELECT count(*) FROM sqlite_schema";
    let count: i64 = transaction.query_one(tables, [], |row| row.get(0))?;
    if count == 0 {
        transaction.execute_batch(&tables_of(settings))?;
        transaction.pragma_update(None, "user_version", kind(settings))?;
    }
    let kind = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    transaction.commit()?;
    Ok(kind)
}

/// What tells databases with other tables or constraints apart; kept as their `user_version`.
fn kind(settings: &SinkSettings) -> i64 {
    let unique = i64::from(settings.dedup_insert == DedupInsert::Unique);
    LAYOUT << 2 | i64::from(has_idempotency_keys(settings)) << 1 | unique
}

fn has_idempotency_keys(settings: &SinkSettings) -> bool {
    match settings.effect {
        Effect::External { idempotency_key } => idempotency_key,
        Effect::Add | Effect::Upsert => false,
    }
}

fn tables_of(settings: &SinkSettings) -> String {
    let unique = |constrained| if constrained { " UNIQUE" } else { "" };
    let seen = unique(settings.dedup_insert == DedupInsert::Unique);
    let called = unique(has_idempotency_keys(settings));
    format!(
        "CREATE TABLE effects (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             record INTEGER NOT NULL,
             offset INTEGER NOT NULL,
             generation INTEGER NOT NULL
         ) STRICT;
         CREATE TABLE superseded (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             record INTEGER NOT NULL,
             offset INTEGER NOT NULL,
             generation INTEGER NOT NULL
         ) STRICT;
         CREATE TABLE rows (
             key INTEGER PRIMARY KEY,
             record INTEGER NOT NULL,
             offset INTEGER NOT NULL
         ) STRICT;
         CREATE TABLE balance (
             id INTEGER PRIMARY KEY CHECK (id = 1),
             amount INTEGER NOT NULL
         ) STRICT;
         CREATE TABLE calls (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             record INTEGER NOT NULL,
             idempotency_key INTEGER{called}
         ) STRICT;
         CREATE TABLE seen (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             key INTEGER NOT NULL{seen}
         ) STRICT;
         CREATE TABLE saved_offset (
             id INTEGER PRIMARY KEY CHECK (id = 1),
             next INTEGER
         ) STRICT;
         CREATE TABLE fence (
             id INTEGER PRIMARY KEY CHECK (id = 1),
             generation INTEGER NOT NULL
         ) STRICT;
         INSERT INTO balance (id, amount) VALUES (1, 0);
         INSERT INTO saved_offset (id, next) VALUES (1, NULL);
         INSERT INTO fence (id, generation) VALUES (1, 0);"
    )
}
