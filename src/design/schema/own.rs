//! semel's own keys, each with its values and what it says.

use semel_models::guarantee::Guarantee;
use serde_json::{Value, json};

use super::super::bounds::{MAX_PARTITIONS, MAX_RECORDS, MAX_RETRIES};
use super::super::choices::{
    AckMode, AfterAttempts, Assignment, Choice, ClientName, CommitCovers, ConfirmOn,
    DeadLetterOrder, DedupInsert, DedupKey, DedupStore, DualWriteOrder, EffectName, Framework,
    OnAbort, OnCommitFailure, OnRestart, OnRevoke, OnSendFailure, OutboxCursor, OutboxOrder,
    PreparedTransaction, ProcessingGuarantee, RecordSource, Start, TransactionalId,
};
use super::super::faults::MAX_FAULTS;
use super::super::order::syntax::MAX_BYTES;
use super::super::table::{OWN_KEYS, Table};

/// The keys of `table`, each with its schema.
pub(super) fn keys(table: Table) -> impl Iterator<Item = (&'static str, Value)> {
    OWN_KEYS
        .iter()
        .filter(move |(place, _)| *place == table)
        .map(|(table, key)| (*key, of(*table, key)))
}

/// A key of semel's own, for a table of them.
pub(crate) struct OwnKey {
    pub(crate) table: Table,
    pub(crate) name: &'static str,
    /// What it may be, as a design writes it.
    pub(crate) values: String,
    pub(crate) about: &'static str,
}

/// Every key, in the order in which they are documented.
pub(crate) fn all() -> impl Iterator<Item = OwnKey> {
    ROWS.iter().map(|(table, name, values, about)| OwnKey {
        table: *table,
        name,
        values: in_words(&values()),
        about,
    })
}

/// The values that a schema allows.
fn in_words(schema: &Value) -> String {
    let list = |words: &[Value]| {
        let words: Vec<String> = words.iter().map(Value::to_string).collect();
        words.join(", ")
    };
    if let Some(words) = schema["enum"].as_array() {
        return list(words);
    }
    if let Some(several) = schema["anyOf"].as_array() {
        let several: Vec<String> = several.iter().map(in_words).collect();
        return several.join(", or ");
    }
    match (&schema["type"], &schema["minimum"], &schema["maximum"]) {
        (_, Value::Number(low), Value::Number(high)) => format!("{low} to {high}"),
        (_, Value::Number(low), _) => format!("{low} or more"),
        (Value::String(kind), ..) if kind == "boolean" => "true, false".into(),
        (Value::String(kind), ..) if kind == "array" => {
            format!("a list of {}", in_words(&schema["items"]))
        }
        (Value::String(_), ..) => "text".into(),
        _ => "a number, or text".into(),
    }
}

/// What a key may be; a key that is no row says nothing of its value, which a test refuses.
fn of(table: Table, key: &str) -> Value {
    let row = ROWS
        .iter()
        .find(|(own, name, _, _)| *own == table && *name == key);
    let Some((_, _, values, about)) = row else {
        return json!({});
    };
    let mut value = values();
    value["description"] = json!(about);
    value
}

type Row = (Table, &'static str, fn() -> Value, &'static str);

use Table::{Application, Bounds, Faults, Root, Sink};

const ROWS: &[Row] = &[
    (
        Root,
        "name",
        text,
        "The design's name; without it, the file's",
    ),
    (
        Root,
        "client",
        words::<ClientName>,
        "Whose defaults and rules apply",
    ),
    (
        Root,
        "client-version",
        text,
        "The client's version; without it, the cluster's",
    ),
    (
        Root,
        "kafka",
        text,
        "The version that the cluster is formatted at, such as 4.1",
    ),
    (Root, "require", guarantees, "The guarantees that must hold"),
    (
        Application,
        "order",
        order,
        "What the code does with each record, step by step: process -> commit; each(...) runs once per record of a poll, db[...] is one database transaction, kafka[...] one Kafka transaction",
    ),
    (
        Application,
        "commit-covers",
        words::<CommitCovers>,
        "What a commit covers",
    ),
    (
        Application,
        "workers",
        || range(0, 4),
        "Threads that handle records while the loop polls on and commits",
    ),
    (
        Application,
        "confirm-on",
        words::<ConfirmOn>,
        "When the application relies on a record that it sent",
    ),
    (
        Application,
        "seek-on-assign",
        truth,
        "Whether the consumer seeks to the saved offset on assignment",
    ),
    (
        Application,
        "source",
        words::<RecordSource>,
        "Where the records come from",
    ),
    (
        Application,
        "outbox-order",
        words::<OutboxOrder>,
        "What the relay of an outbox does first",
    ),
    (
        Application,
        "outbox-cursor",
        words::<OutboxCursor>,
        "How the relay of an outbox finds its next row",
    ),
    (
        Application,
        "dual-write-order",
        words::<DualWriteOrder>,
        "What a dual write writes to first",
    ),
    (
        Application,
        "records-per-transaction",
        || range(1, MAX_RECORDS),
        "How many records the upstream commits in one transaction",
    ),
    (
        Application,
        "on-send-failure",
        words::<OnSendFailure>,
        "What is done about a send that was reported failed",
    ),
    (
        Application,
        "on-restart",
        words::<OnRestart>,
        "What a producer that starts again does about what was not confirmed",
    ),
    (
        Application,
        "on-process-failure.attempts",
        || range(1, 100),
        "How often handling a record is tried, the first time included",
    ),
    (
        Application,
        "on-process-failure.then",
        words::<AfterAttempts>,
        "What happens after the last attempt",
    ),
    (
        Application,
        "dead-letter-order",
        words::<DeadLetterOrder>,
        "Whether the dead letter is written before the record's offset is committed",
    ),
    (
        Application,
        "on-commit-failure",
        words::<OnCommitFailure>,
        "What is done about a commit that failed",
    ),
    (
        Application,
        "on-revoke",
        words::<OnRevoke>,
        "What the rebalance listener does",
    ),
    (
        Application,
        "on-lost",
        words::<OnRevoke>,
        "What the listener does for partitions that were lost",
    ),
    (
        Application,
        "on-abort",
        words::<OnAbort>,
        "Where the consumer goes on after an abort",
    ),
    (
        Application,
        "prepared-transaction",
        words::<PreparedTransaction>,
        "What a start does with a transaction that the database says is prepared",
    ),
    (
        Application,
        "instances",
        || range(1, 2),
        "Consumers of the group",
    ),
    (
        Application,
        "assignment",
        words::<Assignment>,
        "Who assigns partitions",
    ),
    (
        Application,
        "transactional-id",
        words::<TransactionalId>,
        "Which transactional id an output producer has",
    ),
    (
        Application,
        "group-metadata",
        truth,
        "Whether offsets in a transaction carry the member and its generation",
    ),
    (
        Application,
        "framework",
        words::<Framework>,
        "A framework that runs the loop: it stands for an order and an error handling",
    ),
    (
        Application,
        "ack-mode",
        words::<AckMode>,
        "When a container of Spring's commits",
    ),
    (
        Application,
        "processing.guarantee",
        words::<ProcessingGuarantee>,
        "What Kafka Streams is set to",
    ),
    (
        Sink,
        "effect",
        words::<EffectName>,
        "What handling a record does",
    ),
    (
        Sink,
        "idempotency-key",
        truth,
        "Whether the provider outside recognises a repeated call",
    ),
    (
        Sink,
        "dedup",
        words::<DedupStore>,
        "Where handled records are remembered",
    ),
    (
        Sink,
        "dedup-insert",
        words::<DedupInsert>,
        "Whether a second insert conflicts",
    ),
    (
        Sink,
        "dedup-key",
        words::<DedupKey>,
        "What a record is remembered by",
    ),
    (
        Sink,
        "dedup-window",
        window,
        "How many entries the store keeps",
    ),
    (
        Sink,
        "fencing",
        truth,
        "Whether the sink refuses writers of an older generation",
    ),
    (
        Sink,
        "version-guard",
        truth,
        "Whether a row is only written over an older offset",
    ),
    (
        Faults,
        "total",
        || range(0, MAX_FAULTS),
        "How many faults may happen in one run",
    ),
    (
        Bounds,
        "records",
        || range(1, MAX_RECORDS),
        "How many records are sent",
    ),
    (
        Bounds,
        "partitions",
        || range(1, MAX_PARTITIONS),
        "How many partitions the topic has",
    ),
    (
        Bounds,
        "keys",
        || range(1, MAX_RECORDS),
        "How many keys the records have",
    ),
    (
        Bounds,
        "poll",
        || range(1, MAX_RECORDS),
        "How many records a poll may return",
    ),
    (
        Bounds,
        "retries",
        || range(0, MAX_RETRIES),
        "Caps what Kafka leaves unbounded",
    ),
    (
        Bounds,
        "start",
        words::<Start>,
        "Whether the consumer has joined its group",
    ),
    (
        Bounds,
        "max-states",
        || json!({ "type": "integer", "minimum": 1 }),
        "Stop, undecided, after this many states",
    ),
    (
        Bounds,
        "max-memory",
        || json!({ "type": ["integer", "string"] }),
        "Stop, undecided, before the exploration holds more than this, such as 2GiB",
    ),
];

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn truth() -> Value {
    json!({ "type": "boolean" })
}

fn words<T: Choice>() -> Value {
    let words: Vec<&str> = T::ALL.iter().map(|word| word.name()).collect();
    json!({ "enum": words })
}

fn range(low: i64, high: i64) -> Value {
    json!({ "type": "integer", "minimum": low, "maximum": high })
}

fn order() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MAX_BYTES })
}

fn window() -> Value {
    json!({ "anyOf": [{ "enum": ["unlimited"] }, range(1, MAX_RECORDS)] })
}

fn guarantees() -> Value {
    let names: Vec<&str> = Guarantee::ALL.iter().map(|own| own.name()).collect();
    json!({ "type": "array", "items": { "enum": names }, "uniqueItems": true })
}

#[cfg(test)]
mod tests {
    use super::super::super::Design;
    use super::*;

    /// A design in which `key` has this value.
    fn with(table: Table, key: &str, value: i64) -> String {
        let order = match key {
            "order" => "",
            _ => "order = \"process -> commit\"\n",
        };
        let own = format!("{key} = {value}\n");
        match table {
            Table::Application => format!("[application]\n{order}{own}"),
            _ => format!("[application]\n{order}[{}]\n{own}", table.name()),
        }
    }

    fn is_out_of_range(text: &str) -> bool {
        let out = |error: super::super::super::DesignError| {
            let mut problems = error.problems().iter();
            problems.any(|problem| problem.kind() == super::super::super::Code::OutOfRange)
        };
        Design::parse("d.toml", text.as_bytes())
            .err()
            .is_some_and(out)
    }

    #[test]
    fn every_key_has_its_row_and_no_row_is_of_another() {
        let rows: Vec<(Table, &str)> = ROWS
            .iter()
            .map(|(table, key, _, _)| (*table, *key))
            .collect();
        assert_eq!(rows, OWN_KEYS);
    }

    #[test]
    fn the_ranges_are_those_that_reading_a_design_has() {
        for (table, key, values, _) in ROWS {
            let values = values();
            let (Some(low), Some(high)) = (values["minimum"].as_i64(), values["maximum"].as_i64())
            else {
                continue;
            };
            for (value, expected) in [
                (low - 1, true),
                (low, false),
                (high, false),
                (high + 1, true),
            ] {
                let text = with(*table, key, value);
                assert_eq!(is_out_of_range(&text), expected, "{text}");
            }
        }
    }
}
