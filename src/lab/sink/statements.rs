//! The statements of the sink, the same in every database. Whether one may write is a condition of
//! the statement itself, or a constraint of its table.
//!
//! A conflict is none of its statement's errors: in PostgreSQL an error would end the transaction.

use super::connection::{Using, Value, small};
use super::error::SinkError;
use super::{Prepared, Step};
use crate::lab::words::{ProducerEpoch, ProducerId};
use semel_models::offset::NextOffset;
use semel_models::pipeline::{DedupInsert, Effect, Pipeline, SinkSettings};
use semel_models::store::{NotDone, Over, Performed, Write};

fn value(number: u16) -> Value {
    Some(number.into())
}

/// Whether a dedup key is there.
pub(super) fn knows(using: Using<'_>, key: u16) -> Result<bool, SinkError> {
    let look_up = "SELECT key FROM seen WHERE key = ?1";
    Ok(!using.rows::<1>(look_up, &[value(key)])?.is_empty())
}

/// Inserts a dedup key; whether it was there.
pub(super) fn insert(
    using: Using<'_>,
    key: u16,
    settings: &SinkSettings,
) -> Result<bool, SinkError> {
    let insert = match settings.dedup_insert {
        DedupInsert::Unique => "INSERT INTO seen (key) VALUES (?1) ON CONFLICT (key) DO NOTHING",
        DedupInsert::Plain => {
            "INSERT INTO seen (key) SELECT ?1
                 WHERE NOT EXISTS (SELECT 1 FROM seen WHERE key = ?1)"
        }
    };
    let known = using.run(insert, &[value(key)])? == 0;
    if let Some(window) = settings.dedup_window.filter(|_| !known) {
        let forget = "DELETE FROM seen WHERE id NOT IN
             (SELECT id FROM seen ORDER BY id DESC LIMIT ?1)";
        using.run(forget, &[value(window)])?;
    }
    Ok(known)
}

/// The oldest dedup key goes.
pub(super) fn forget_oldest(using: Using<'_>) -> Result<(), SinkError> {
    let forget = "DELETE FROM seen WHERE id = (SELECT min(id) FROM seen)";
    using.run(forget, &[])?;
    Ok(())
}

/// Performs an effect, and writes down what came of it.
pub(super) fn perform(
    using: Using<'_>,
    write: Write,
    pipeline: &Pipeline,
) -> Result<Performed, SinkError> {
    let performed = match pipeline.sink.effect {
        Effect::Add | Effect::Topic => add(using)?,
        Effect::Upsert => upsert(using, write, pipeline)?,
        Effect::External { idempotency_key } => {
            call(using, write, idempotency_key.then_some(write.record))?
        }
    };
    let told = match performed {
        Performed::TookPlace => {
            "INSERT INTO effects (record, \"offset\", generation) VALUES (?1, ?2, ?3)"
        }
        Performed::Superseded => {
            "INSERT INTO superseded (record, \"offset\", generation) VALUES (?1, ?2, ?3)"
        }
        Performed::Recognised => return Ok(performed),
    };
    let values = [write.record, write.offset.0, write.generation].map(value);
    using.run(told, &values)?;
    Ok(performed)
}

/// Reads the saved offset.
pub(super) fn saved(using: Using<'_>) -> Result<Option<NextOffset>, SinkError> {
    let [next] = one(using, "SELECT next FROM saved_offset")?;
    Ok(next.map(|next| NextOffset(small(Some(next)))))
}

/// Saves an offset.
pub(super) fn save(using: Using<'_>, next: NextOffset, over: Over) -> Step<()> {
    let changed = match over {
        Over::Anything => using.run("UPDATE saved_offset SET next = ?1", &[value(next.0)])?,
        Over::Only(expected) => {
            let set = "UPDATE saved_offset SET next = ?1 WHERE next IS NOT DISTINCT FROM ?2";
            let expected = expected.and_then(|expected| value(expected.0));
            using.run(set, &[value(next.0), expected])?
        }
    };
    unless_nothing_changed(changed)
}

/// Says which transaction of a transactional id is prepared, or that none is.
pub(super) fn prepare(
    using: Using<'_>,
    id: u16,
    prepared: Option<Prepared>,
) -> Result<(), SinkError> {
    let number = |number: u64| i64::try_from(number).ok();
    let Some(Prepared { producer, epoch }) = prepared else {
        using.run("DELETE FROM prepared WHERE id = ?1", &[value(id)])?;
        return Ok(());
    };
    let upsert = "INSERT INTO prepared (id, producer, epoch) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET producer = excluded.producer, epoch = excluded.epoch";
    let values = [value(id), number(producer.0), Some(epoch.0.into())];
    using.run(upsert, &values)?;
    Ok(())
}

/// Reads which transaction of each transactional id is prepared.
pub(super) fn prepared(using: Using<'_>) -> Result<Vec<(u16, Prepared)>, SinkError> {
    let query = "SELECT id, producer, epoch FROM prepared ORDER BY id";
    let rows = using.rows(query, &[])?.into_iter();
    let rows = rows.map(|[id, producer, epoch]| {
        let producer = ProducerId(small(producer).into());
        let epoch = ProducerEpoch(small(epoch).into());
        (small(id), Prepared { producer, epoch })
    });
    Ok(rows.collect())
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
    /// Of each transactional id what is prepared.
    pub(in crate::lab) prepared: Vec<(u16, Prepared)>,
}

/// Reads what the sink holds.
pub(super) fn contents(using: Using<'_>) -> Result<Contents, SinkError> {
    let rows = using.rows("SELECT key, record FROM rows ORDER BY key", &[])?;
    let pairs = rows
        .into_iter()
        .map(|[key, record]| (small(key), small(record)));
    let seen = using.rows("SELECT key FROM seen ORDER BY key", &[])?;
    let [fence] = one(using, "SELECT generation FROM fence")?;
    Ok(Contents {
        rows: pairs.collect(),
        seen: seen.into_iter().map(|[key]| small(key)).collect(),
        saved: saved(using)?.map(|next| next.0),
        fence: small(fence),
        prepared: prepared(using)?,
    })
}

/// Tells a new owner's generation.
pub(super) fn fence(using: Using<'_>, generation: u16) -> Result<(), SinkError> {
    using.run("UPDATE fence SET generation = ?1", &[value(generation)])?;
    Ok(())
}

/// The row of a table that has one.
fn one<const N: usize>(using: Using<'_>, query: &'static str) -> Result<[Value; N], SinkError> {
    let mut rows = using.rows(query, &[])?;
    Ok(rows.pop().expect("its row is inserted with the table"))
}

/// Takes the fence's row for the rest of the transaction, unless a newer generation has it.
pub(super) fn check_fence(using: Using<'_>, fenced: Option<u16>) -> Step<()> {
    let Some(generation) = fenced else {
        return Ok(());
    };
    let take = "UPDATE fence SET generation = generation WHERE generation <= ?1";
    unless_nothing_changed(using.run(take, &[value(generation)])?)
}

fn unless_nothing_changed(changed: u64) -> Step<()> {
    match changed {
        0 => Err(NotDone::Refused),
        _ => Ok(()),
    }
}

fn add(using: Using<'_>) -> Result<Performed, SinkError> {
    using.run("UPDATE balance SET amount = amount + 1", &[])?;
    Ok(Performed::TookPlace)
}

fn upsert(using: Using<'_>, write: Write, pipeline: &Pipeline) -> Result<Performed, SinkError> {
    let upsert = "INSERT INTO rows (key, record, \"offset\") VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET record = excluded.record, \"offset\" = excluded.\"offset\"
         WHERE ?4 = 0 OR excluded.\"offset\" > rows.\"offset\"";
    let values = [
        write.record % pipeline.bounds.keys,
        write.record,
        write.offset.0,
        u16::from(pipeline.sink.version_guard),
    ]
    .map(value);
    Ok(match using.run(upsert, &values)? {
        0 => Performed::Superseded,
        _ => Performed::TookPlace,
    })
}

fn call(
    using: Using<'_>,
    write: Write,
    idempotency_key: Option<u16>,
) -> Result<Performed, SinkError> {
    let call = "INSERT INTO calls (record, idempotency_key) VALUES (?1, ?2)
         ON CONFLICT (idempotency_key) DO NOTHING";
    let call = match idempotency_key {
        Some(_) => call,
        None => "INSERT INTO calls (record, idempotency_key) VALUES (?1, ?2)",
    };
    let key = idempotency_key.and_then(value);
    Ok(match using.run(call, &[value(write.record), key])? {
        0 => Performed::Recognised,
        _ => Performed::TookPlace,
    })
}
