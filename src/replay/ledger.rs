//! What happened to each record so far, as every host of a run must count it.

use semel_models::ledger;
use semel_models::pipeline::Pipeline;
use semel_models::set::Set;
use serde::Serialize;
use std::fmt;

/// What happened to each record so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// The records, in the order of their numbers.
    pub records: Vec<RecordLedger>,
    /// Whether a record's first effect came after that of a later record of its key.
    pub out_of_order: bool,
}

/// What happened to one record so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecordLedger {
    /// The record's identity: `r0`.
    pub record: String,
    /// The application sent it.
    pub sent: bool,
    /// The application may rely on it.
    pub confirmed: bool,
    /// Its delivery was reported failed: it is in doubt.
    pub failed: bool,
    /// Every copy of it was sent in a database transaction that rolled back.
    pub aborted: bool,
    /// How often its effect took place; 2 stands for more than once.
    pub handled: u16,
    /// A guarded sink refused a write of it because a newer one stands.
    pub superseded: bool,
    /// The dead-letter topic holds it.
    pub dead_lettered: bool,
}

impl Ledger {
    /// The model's ledger.
    pub(super) fn of(ledger: &ledger::Ledger, pipeline: &Pipeline) -> Ledger {
        let record = |record: u16| {
            let is_in = |set: &Set| set.contains(record);
            RecordLedger {
                record: format!("r{record}"),
                sent: is_in(&ledger.sent),
                confirmed: is_in(&ledger.confirmed),
                failed: is_in(&ledger.failed),
                aborted: is_in(&ledger.aborted),
                handled: ledger.handled[usize::from(record)],
                superseded: is_in(&ledger.superseded),
                dead_lettered: is_in(&ledger.dead_lettered),
            }
        };
        Ledger {
            records: (0..pipeline.bounds.records).map(record).collect(),
            out_of_order: ledger.disordered,
        }
    }
}

impl fmt::Display for RecordLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.sent, "sent"),
            (self.confirmed, "confirmed"),
            (self.failed, "reported failed"),
            (self.aborted, "rolled back"),
            (self.handled == 1, "handled once"),
            (self.handled > 1, "handled more than once"),
            (self.superseded, "superseded"),
            (self.dead_lettered, "dead-lettered"),
        ];
        let said = words.iter().filter(|(is_so, _)| *is_so);
        let said: Vec<&str> = said.map(|(_, word)| *word).collect();
        match said.is_empty() {
            true => write!(f, "{} untouched", self.record),
            false => write!(f, "{} {}", self.record, said.join(", ")),
        }
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, record) in self.records.iter().enumerate() {
            let apart = if place == 0 { "" } else { "; " };
            write!(f, "{apart}{record}")?;
        }
        match self.out_of_order {
            true => f.write_str("; out of order"),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_one_line() {
        let record = |number: u16| RecordLedger {
            record: format!("r{number}"),
            ..RecordLedger::default()
        };
        let mut ledger = Ledger {
            records: vec![record(0), record(1)],
            out_of_order: false,
        };
        assert_eq!(ledger.to_string(), "r0 untouched; r1 untouched");
        ledger.records[0].sent = true;
        ledger.records[0].handled = 2;
        ledger.records[1].dead_lettered = true;
        ledger.out_of_order = true;
        assert_eq!(
            ledger.to_string(),
            "r0 sent, handled more than once; r1 dead-lettered; out of order"
        );
    }
}
