//! The statements of the sink. Whether one may write is a condition of the statement itself.

use super::Step;
use rusqlite::{Connection, Params, params};
use semel_models::offset::NextOffset;
use semel_models::pipeline::{DedupInsert, Effect, Pipeline, SinkSettings};
use semel_models::store::{NotDone, Over, Performed, Write};

/// Whether a dedup key is there.
pub(super) fn knows(connection: &Connection, key: u16) -> rusqlite::Result<bool> {
    let look_up = "SELECT 1 FROM seen WHERE key = ?1";
    connection.prepare_cached(look_up)?.exists([key])
}

/// Inserts a dedup key; whether it was there.
pub(super) fn insert(
    connection: &Connection,
    key: u16,
    settings: &SinkSettings,
) -> rusqlite::Result<bool> {
    let known = match settings.dedup_insert {
        DedupInsert::Unique => {
            conflicts(run(connection, "INSERT INTO seen (key) VALUES (?1)", [key]))?
        }
        DedupInsert::Plain => {
            let insert = "INSERT INTO seen (key) SELECT ?1
                 WHERE NOT EXISTS (SELECT 1 FROM seen WHERE key = ?1)";
            run(connection, insert, [key])? == 0
        }
    };
    if let Some(window) = settings.dedup_window.filter(|_| !known) {
        let forget = "DELETE FROM seen WHERE id NOT IN
             (SELECT id FROM seen ORDER BY id DESC LIMIT ?1)";
        run(connection, forget, [window])?;
    }
    Ok(known)
}

/// Performs an effect, and writes down what came of it.
pub(super) fn perform(
    connection: &Connection,
    write: Write,
    pipeline: &Pipeline,
) -> rusqlite::Result<Performed> {
    let performed = match pipeline.sink.effect {
        Effect::Add => add(connection)?,
        Effect::Upsert => upsert(connection, write, pipeline)?,
        Effect::External { idempotency_key } => {
            call(connection, write, idempotency_key.then_some(write.record))?
        }
    };
    let told = match performed {
        Performed::TookPlace => {
            "INSERT INTO effects (record, offset, generation) VALUES (?1, ?2, ?3)"
        }
        Performed::Superseded => {
            "INSERT INTO superseded (record, offset, generation) VALUES (?1, ?2, ?3)"
        }
        Performed::Recognised => return Ok(performed),
    };
    let values = params![write.record, write.offset.0, write.generation];
    run(connection, told, values)?;
    Ok(performed)
}

/// Reads the saved offset.
pub(super) fn saved(connection: &Connection) -> rusqlite::Result<Option<NextOffset>> {
    let mut read = connection.prepare_cached("SELECT next FROM saved_offset")?;
    let next: Option<u16> = read.query_one([], |row| row.get(0))?;
    Ok(next.map(NextOffset))
}

/// Saves an offset.
pub(super) fn save(connection: &Connection, next: NextOffset, over: Over) -> Step<()> {
    let changed = match over {
        Over::Anything => run(connection, "UPDATE saved_offset SET next = ?1", [next.0])?,
        Over::Only(expected) => {
            let set = "UPDATE saved_offset SET next = ?1 WHERE next IS ?2";
            let expected = expected.map(|expected| expected.0);
            run(connection, set, params![next.0, expected])?
        }
    };
    unless_nothing_changed(changed)
}

/// What the sink holds, but for the effects themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lab) struct Contents {
    /// The key and the record of each row of an upsert.
    pub(in crate::lab) rows: Vec<(u16, u16)>,
    /// The dedup keys.
    pub(in crate::lab) seen: Vec<u16>,
    /// The saved offset.
    pub(in crate::lab) saved: Option<u16>,
    /// The newest generation that was told.
    pub(in crate::lab) fence: u16,
}

/// Reads what the sink holds.
pub(super) fn contents(connection: &Connection) -> rusqlite::Result<Contents> {
    let mut rows = connection.prepare_cached("SELECT key, record FROM rows ORDER BY key")?;
    let mut seen = connection.prepare_cached("SELECT key FROM seen ORDER BY key")?;
    let fence = "SELECT generation FROM fence";
    Ok(Contents {
        rows: rows
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?,
        seen: seen
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?,
        saved: saved(connection)?.map(|next| next.0),
        fence: connection.query_one(fence, [], |row| row.get(0))?,
    })
}

/// Tells a new owner's generation.
pub(super) fn fence(connection: &Connection, generation: u16) -> rusqlite::Result<()> {
    run(connection, "UPDATE fence SET generation = ?1", [generation])?;
    Ok(())
}

/// Runs a statement; how many rows it changed.
fn run(connection: &Connection, statement: &str, values: impl Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute(values)
}

/// Takes the fence's row for the rest of the transaction, unless a newer generation has it.
pub(super) fn check_fence(connection: &Connection, fenced: Option<u16>) -> Step<()> {
    let Some(generation) = fenced else {
        return Ok(());
    };
    let take = "UPDATE fence SET generation = generation WHERE generation <= ?1";
    unless_nothing_changed(run(connection, take, [generation])?)
}

fn unless_nothing_changed(changed: usize) -> Step<()> {
    match changed {
        0 => Err(NotDone::Refused),
        _ => Ok(()),
    }
}

fn add(connection: &Connection) -> rusqlite::Result<Performed> {
    run(connection, "UPDATE balance SET amount = amount + 1", [])?;
    Ok(Performed::TookPlace)
}

fn upsert(
    connection: &Connection,
    write: Write,
    pipeline: &Pipeline,
) -> rusqlite::Result<Performed> {
    let upsert = "INSERT INTO rows (key, record, offset) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET record = excluded.record, offset = excluded.offset
         WHERE NOT ?4 OR excluded.offset > rows.offset";
    let values = params![
        write.record % pipeline.bounds.keys,
        write.record,
        write.offset.0,
        pipeline.sink.version_guard,
    ];
    Ok(match run(connection, upsert, values)? {
        0 => Performed::Superseded,
        _ => Performed::TookPlace,
    })
}

fn call(
    connection: &Connection,
    write: Write,
    idempotency_key: Option<u16>,
) -> rusqlite::Result<Performed> {
    let call = "INSERT INTO calls (record, idempotency_key) VALUES (?1, ?2)";
    let called = run(connection, call, params![write.record, idempotency_key]);
    Ok(match conflicts(called)? {
        true => Performed::Recognised,
        false => Performed::TookPlace,
    })
}

/// Whether an insert met a row with its unique key.
fn conflicts(inserted: rusqlite::Result<usize>) -> rusqlite::Result<bool> {
    match inserted {
        Ok(_) => Ok(false),
        Err(rusqlite::Error::SqliteFailure(error, _))
            if error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE =>
        {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}
