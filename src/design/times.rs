//! Which of two configured times is shorter: one table. Times are not clocks; nothing else about
//! them matters.

use super::clients::Resolution;
use super::kafka::Properties;
use super::table::Table;

/// What follows where the first time of a row is shorter than the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sooner {
    /// The broker may forget a producer id before the client gives its record up.
    ProducerIdThanDelivery,
    /// Committed offsets of an empty group may be gone while records are still in the log.
    OffsetsThanRecords,
}

/// A configured time: the first of these settings that is stated, or else the first that has a
/// default.
struct Time {
    settings: &'static [(Table, &'static str)],
    /// What the unit is in milliseconds.
    unit_ms: &'static [i64],
}

const COMPARISONS: &[(Sooner, Time, Time)] = &[
    (
        Sooner::ProducerIdThanDelivery,
        Time {
            settings: &[(Table::Broker, "producer.id.expiration.ms")],
            unit_ms: &[1],
        },
        Time {
            settings: &[
                (Table::Producer, "delivery.timeout.ms"),
                (Table::Producer, "message.timeout.ms"),
            ],
            unit_ms: &[1, 1],
        },
    ),
    (
        Sooner::OffsetsThanRecords,
        Time {
            settings: &[(Table::Broker, "offsets.retention.minutes")],
            unit_ms: &[60_000],
        },
        Time {
            settings: &[
                (Table::Topic, "retention.ms"),
                (Table::Broker, "log.retention.ms"),
                (Table::Broker, "log.retention.minutes"),
                (Table::Broker, "log.retention.hours"),
            ],
            unit_ms: &[1, 1, 60_000, 3_600_000],
        },
    ),
];

/// Whether the first time of this row is shorter than the second. A negative time never passes.
pub(crate) fn sooner(which: Sooner, tables: &[Properties], resolved: &[Resolution]) -> bool {
    COMPARISONS
        .iter()
        .filter(|(row, _, _)| *row == which)
        .any(|(_, first, second)| {
            let first = in_force(first, tables, resolved);
            let second = in_force(second, tables, resolved);
            matches!((first, second), (Some(first), Some(second)) if first < second)
        })
}

/// The time in force, in milliseconds; `None`: the design's versions do not have it.
fn in_force(time: &Time, tables: &[Properties], resolved: &[Resolution]) -> Option<i64> {
    let each = || time.settings.iter().zip(time.unit_ms);
    let of = |table: Table| tables.iter().find(|properties| properties.table == table);
    let resolution = each().find_map(|((table, name), unit)| {
        let resolution = resolved
            .iter()
            .find(|resolution| resolution.table == *table && resolution.name == *name)?;
        Some((resolution.value.parse().ok()?, *unit))
    });
    let stated = || {
        each().find_map(|((table, name), unit)| {
            let properties = of(*table)?;
            let stated = properties
                .is_set(name)
                .then(|| properties.integer(name))??;
            Some((stated, *unit))
        })
    };
    let default =
        || each().find_map(|((table, name), unit)| Some((of(*table)?.integer(name)?, *unit)));
    let (number, unit): (i64, i64) = resolution.or_else(stated).or_else(default)?;
    match number < 0 {
        true => Some(i64::MAX),
        false => Some(number.saturating_mul(unit)),
    }
}
