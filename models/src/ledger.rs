//! The ledger: what happened to each record, as far as the guarantees need to know.
//!
//! It is a history variable: no actor reads it. Counts stop at two, for no guarantee tells two
//! from more.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::list::List;
use crate::set::Set;

/// What happened to each record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Records that the application sent at least once.
    pub sent: Set,
    /// Records that the application may rely on.
    pub confirmed: Set,
    /// Records whose delivery was reported failed: in doubt.
    pub failed: Set,
    /// Records of which every copy was sent in a database transaction that rolled back.
    pub aborted: Set,
    /// Per record, of how many records right after it the database transaction overlapped with its
    /// own: for these pairs no send order is defined. Empty where none ever does.
    pub overlaps: List<u16, 4>,
    /// How often each record's effect took place, up to two.
    pub handled: List<u16, 4>,
    /// Whether a record's first effect came after that of a later record of its key.
    pub disordered: bool,
    /// Records of which a guarded sink refused a write because a newer one stands.
    pub superseded: Set,
    /// Records that the dead-letter topic holds.
    pub dead_lettered: Set,
}

impl Ledger {
    /// A ledger of this many records, of which none was sent.
    pub fn of(records: u16) -> Ledger {
        Ledger {
            handled: List::of_len(records.into()),
            ..Ledger::default()
        }
    }

    /// The application sent `record`.
    pub fn send(&mut self, record: u16) {
        self.sent.insert(record);
    }

    /// The application may rely on `record`.
    pub fn confirm(&mut self, record: u16) {
        self.confirmed.insert(record);
        self.failed.remove(record);
    }

    /// The delivery of `record` was reported failed.
    pub fn fail(&mut self, record: u16) {
        self.failed.insert(record);
    }

    /// The database transaction of `record` was rolled back.
    pub fn abort(&mut self, record: u16) {
        self.aborted.insert(record);
    }

    /// The database transaction of `record` committed while that of `earlier` was open.
    pub fn commit_beside(&mut self, record: u16, earlier: u16) {
        if self.overlaps.is_empty() {
            self.overlaps.resize(self.handled.len());
        }
        self.overlaps[usize::from(earlier)] = record - earlier;
    }

    /// Whether `record` was sent before `later`, which has the higher number.
    pub fn is_before(&self, record: u16, later: u16) -> bool {
        let overlaps = self.overlaps.get(usize::from(record));
        later - record > overlaps.copied().unwrap_or(0)
    }

    /// The effect of `record` took place; records share `keys` keys in turn.
    pub fn handle(&mut self, record: u16, keys: u16) {
        let index = usize::from(record);
        if self.handled[index] == 0 {
            let later = index + usize::from(keys)..self.handled.len();
            self.disordered |= later
                .step_by(usize::from(keys))
                .any(|other| self.handled[other] > 0 && self.is_before(record, other as u16));
        }
        self.handled[index] = (self.handled[index] + 1).min(2);
    }

    /// A newer write stands for `record`.
    pub fn supersede(&mut self, record: u16) {
        self.superseded.insert(record);
    }

    /// The dead-letter topic holds `record`.
    pub fn dead_letter(&mut self, record: u16) {
        self.dead_lettered.insert(record);
    }

    /// Whether `record` has its effect, another write stands for it, or it is in the dead-letter
    /// topic.
    pub fn is_settled(&self, record: u16) -> bool {
        self.is_handled(record)
            || self.superseded.contains(record)
            || self.dead_lettered.contains(record)
    }

    /// Whether `record` may be relied on.
    pub fn is_confirmed(&self, record: u16) -> bool {
        self.confirmed.contains(record)
    }

    /// Whether every copy of `record` was aborted.
    pub fn is_aborted(&self, record: u16) -> bool {
        self.aborted.contains(record)
    }

    /// Whether `record` had its effect.
    pub fn is_handled(&self, record: u16) -> bool {
        self.handled[usize::from(record)] > 0
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        let records = limits.records;
        for set in [&mut self.sent, &mut self.confirmed, &mut self.failed] {
            set.code(codec, records);
        }
        if limits.aborts {
            self.aborted.code(codec, records);
        }
        if limits.relay {
            let mut later = records;
            self.overlaps.code_all(codec, records, |overlaps, codec| {
                later -= 1;
                codec.field(overlaps, later);
            });
        }
        self.handled
            .code_all(codec, records, |count, codec| codec.field(count, 2));
        codec.flag_if(records > 1, &mut self.disordered);
        for (possible, set) in [
            (limits.supersedes, &mut self.superseded),
            (limits.dead_letters, &mut self.dead_lettered),
        ] {
            if possible {
                set.code(codec, records);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_effect_after_a_later_record_of_its_key_is_out_of_order() {
        let mut ledger = Ledger::of(2);
        ledger.handle(1, 1);
        assert!(!ledger.disordered, "r0 may be missing, that is no disorder");
        ledger.handle(0, 1);
        assert!(ledger.disordered);
    }

    #[test]
    fn records_whose_transactions_overlapped_have_no_order() {
        let mut ledger = Ledger::of(2);
        ledger.commit_beside(1, 0);
        ledger.handle(1, 1);
        ledger.handle(0, 1);
        assert!(!ledger.disordered);
    }

    #[test]
    fn a_repeat_and_another_key_are_no_disorder() {
        let mut ledger = Ledger::of(2);
        for record in [0, 1, 0] {
            ledger.handle(record, 1);
        }
        assert!(!ledger.disordered);
        let mut ledger = Ledger::of(2);
        ledger.handle(1, 2);
        ledger.handle(0, 2);
        assert!(!ledger.disordered);
    }
}
