//! `[bounds]`: how much is explored.

use super::choices::Start;
use super::diagnostic::Code;
use super::document::{Document, Scalar};
use super::keys::{Keys, Stated, wrong_type};
use super::report::Report;
use super::table::Table;

/// The most records of a design. Every published failure fits in three.
pub const MAX_RECORDS: i64 = 6;
/// The most partitions of a design. What lies between partitions (the order of keys, commits of several
/// offsets, who is assigned which) lies between two.
pub const MAX_PARTITIONS: i64 = 2;
/// The most retries that are explored before a delivery times out.
pub const MAX_RETRIES: i64 = 8;
/// The least memory that an exploration may be limited to, in bytes.
pub const MIN_MEMORY: u64 = 1_000_000;

/// Limits on the search itself, for who runs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `max-states`: how many unique states are visited at most.
    pub states: Option<u64>,
    /// `max-memory`, in bytes.
    pub memory: Option<u64>,
}

/// `[bounds]` as stated.
#[derive(Debug)]
pub(crate) struct StatedBounds {
    pub records: Stated<i64>,
    pub partitions: Stated<i64>,
    pub keys: Stated<i64>,
    /// `None`: as many as there are, or as the client returns.
    pub poll: Option<Stated<i64>>,
    pub retries: Stated<i64>,
    pub start: Stated<Start>,
    pub limits: Limits,
}

impl StatedBounds {
    pub fn read(document: &Document, report: &mut Report) -> Self {
        let mut keys = Keys::new(document, Table::Bounds, report);
        let records = keys
            .integer("records", 1..=MAX_RECORDS, "Without a record there is nothing to judge, and the states of more than 6 are too many to explore.", report)
            .unwrap_or(Stated::default(2));
        let partitions = keys
            .integer(
                "partitions",
                1..=MAX_PARTITIONS,
                "A topic has at least one partition. Each has its own log, offsets and sequence numbers, and what can go wrong between partitions can go wrong between two; three or more are not modelled.",
                report,
            )
            .unwrap_or(Stated::default(1));
        let key_count = keys
            .integer(
                "keys",
                1..=MAX_RECORDS,
                "A record has one key, and a design has at most 6 records.",
                report,
            )
            .unwrap_or(Stated::default(1));
        if key_count.value > records.value {
            report
                .problem(
                    Code::Contradiction,
                    key_count.at,
                    format!(
                        "{} keys are more than the {} records",
                        key_count.value, records.value
                    ),
                )
                .because(
                    "A key without a record has no bearing; `records` is 2 when it is left out.",
                )
                .write("Write at most as many keys as records.");
        }
        let poll = keys.integer(
            "poll",
            1..=MAX_RECORDS,
            "A poll that returns records returns at least one, and a design has at most 6.",
            report,
        );
        if let Some(poll) = poll.as_ref().filter(|poll| poll.value > records.value) {
            report
                .problem(
                    Code::Contradiction,
                    poll.at,
                    format!(
                        "a poll of {} is larger than the {} records",
                        poll.value, records.value
                    ),
                )
                .because(
                    "No poll can return more than there is; `records` is 2 when it is left out.",
                )
                .write("Write at most as many as records, or leave `poll` out.");
        }
        let retries = keys
            .integer("retries", 0..=MAX_RETRIES, "Kafka's own limit on retries is time; the bound stands in for it, and more than 8 are too many to explore.", report)
            .unwrap_or(Stated::default(2));
        let bounds = StatedBounds {
            records,
            partitions,
            keys: key_count,
            poll,
            retries,
            start: keys.choice("start", Start::Joined, report),
            limits: Limits {
                states: keys
                    .integer(
                        "max-states",
                        1..=i64::MAX,
                        "The initial state is a state, too.",
                        report,
                    )
                    .and_then(|stated| u64::try_from(stated.value).ok()),
                memory: memory(&mut keys, report),
            },
        };
        keys.finish(report);
        bounds
    }
}

/// Bytes as a number, or as a string with a unit.
fn memory(keys: &mut Keys<'_>, report: &mut Report) -> Option<u64> {
    const EXPECTED: &str = "a number of bytes, or a string such as \"512MiB\" or \"4GiB\"";
    let field = keys.take("max-memory")?;
    let bytes = match &field.value {
        Scalar::Integer(bytes) => u64::try_from(*bytes).ok(),
        Scalar::Text(text) => parse_memory(text),
        Scalar::Float(_)
        | Scalar::Boolean(_)
        | Scalar::Datetime
        | Scalar::Array(_)
        | Scalar::EmptyTable
        | Scalar::Tables => {
            wrong_type(report, field, EXPECTED);
            return None;
        }
    };
    let Some(bytes) = bytes else {
        report
            .problem(
                Code::OutOfRange,
                field.value_span,
                "`max-memory` is not an amount of memory",
            )
            .write(format!("Write {EXPECTED}."));
        return None;
    };
    if bytes < MIN_MEMORY {
        report
            .problem(
                Code::OutOfRange,
                field.value_span,
                format!("`max-memory` is less than {MIN_MEMORY} bytes"),
            )
            .label("too little")
            .because("No exploration fits into less.")
            .write(format!("Write {EXPECTED}, and 1 MB at least."));
        return None;
    }
    Some(bytes)
}

/// An amount of memory: `512MiB`, `4GB`, `1000000`.
pub fn parse_memory(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 8] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let text = text.trim();
    let (number, unit) = UNITS
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))
        .unwrap_or((text, 1));
    let number: u64 = number.trim().parse().ok()?;
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_with_its_unit() {
        assert_eq!(parse_memory("512MiB"), Some(512 << 20));
        assert_eq!(parse_memory("4 GB"), Some(4_000_000_000));
        assert_eq!(parse_memory("1000"), Some(1000));
        assert_eq!(parse_memory("99999999999GiB"), None);
        assert_eq!(parse_memory("lots"), None);
    }
}
