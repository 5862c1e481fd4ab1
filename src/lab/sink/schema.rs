//! The sink's tables.
//!
//! `effects` has one row for each effect that took place and `superseded` one for each that a guard
//! kept from taking place, both in their order; they are written with the effect in one
//! transaction, and nothing but the judge reads them. `rows`, `balance` and `calls` are what the
//! effects come to.

use semel_models::pipeline::{DedupInsert, Effect, SinkSettings};

/// The number of this layout of the tables.
const LAYOUT: i64 = 2;

/// How a database writes what the tables are made of.
pub(super) struct Dialect {
    /// A whole number.
    number: &'static str,
    /// The type of a key that counts up with each row.
    counter: &'static str,
    /// What stands behind a table.
    end: &'static str,
}

pub(super) const SQLITE: Dialect = Dialect {
    number: "INTEGER",
    counter: "INTEGER PRIMARY KEY AUTOINCREMENT",
    end: " STRICT",
};

#[cfg(feature = "postgres")]
pub(super) const POSTGRES: Dialect = Dialect {
    number: "BIGINT",
    counter: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    end: "",
};

/// What tells databases with other tables or constraints apart.
pub(super) fn kind(settings: &SinkSettings) -> i64 {
    let unique = i64::from(settings.dedup_insert == DedupInsert::Unique);
    LAYOUT << 2 | i64::from(has_idempotency_keys(settings)) << 1 | unique
}

fn has_idempotency_keys(settings: &SinkSettings) -> bool {
    match settings.effect {
        Effect::External { idempotency_key } => idempotency_key,
        Effect::Add | Effect::Upsert | Effect::Topic => false,
    }
}

/// The statements that create the tables.
pub(super) fn tables_of(settings: &SinkSettings, dialect: &Dialect) -> String {
    let Dialect {
        number,
        counter,
        end,
    } = dialect;
    let unique = |constrained| if constrained { " UNIQUE" } else { "" };
    let seen = unique(settings.dedup_insert == DedupInsert::Unique);
    let called = unique(has_idempotency_keys(settings));
    format!(
        "CREATE TABLE effects (
             id {counter},
             record {number} NOT NULL,
             \"offset\" {number} NOT NULL,
             generation {number} NOT NULL
         ){end};
         CREATE TABLE superseded (
             id {counter},
             record {number} NOT NULL,
             \"offset\" {number} NOT NULL,
             generation {number} NOT NULL
         ){end};
         CREATE TABLE rows (
             key {number} PRIMARY KEY,
             record {number} NOT NULL,
             \"offset\" {number} NOT NULL
         ){end};
         CREATE TABLE balance (
             id {number} PRIMARY KEY CHECK (id = 1),
             amount {number} NOT NULL
         ){end};
         CREATE TABLE calls (
             id {counter},
             record {number} NOT NULL,
             idempotency_key {number}{called}
         ){end};
         CREATE TABLE seen (
             id {counter},
             key {number} NOT NULL{seen}
         ){end};
         CREATE TABLE saved_offset (
             id {number} PRIMARY KEY CHECK (id = 1),
             next {number}
         ){end};
         CREATE TABLE fence (
             id {number} PRIMARY KEY CHECK (id = 1),
             generation {number} NOT NULL
         ){end};
         CREATE TABLE prepared (
             id {number} PRIMARY KEY,
             producer {number} NOT NULL,
             epoch {number} NOT NULL
         ){end};
         INSERT INTO balance (id, amount) VALUES (1, 0);
         INSERT INTO saved_offset (id, next) VALUES (1, NULL);
         INSERT INTO fence (id, generation) VALUES (1, 0);"
    )
}
