//! The ledger: what happened to each record, as far as the guarantees need to know.
//!
//! It is a history variable: no actor reads it. Counts stop at two, for no guarantee tells two
//! from more.

use crate::codec::Codec;
use crate::limits::{Limits, MAX_RECORDS};

/// What happened to each record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Records that the application sent at least once, as a set of bits.
    pub sent: u8,
    /// Records that the application may rely on.
    pub confirmed: u8,
    /// Records whose delivery was reported failed: in doubt.
    pub failed: u8,
    /// Records of which every copy was sent in a database transaction that rolled back.
    pub aborted: u8,
    /// Per record the later ones whose database transaction overlapped with its own: for these
    /// pairs no send order is defined.
    pub overlaps: [u8; MAX_RECORDS],
    /// How often each record's effect took place, up to two.
    pub handled: [u8; MAX_RECORDS],
    /// Whether a record's first effect came after that of a later record of its key.
    pub disordered: bool,
    /// Records of which a guarded sink refused a write because a newer one stands.
    pub superseded: u8,
    /// Records that the dead-letter topic holds.
    pub dead_lettered: u8,
}

impl Ledger {
    /// The application sent `record`.
    pub fn send(&mut self, record: u8) {
        self.sent |= 1 << record;
    }

    /// The application may rely on `record`.
    pub fn confirm(&mut self, record: u8) {
        self.confirmed |= 1 << record;
        self.failed &= !(1 << record);
    }

    /// The delivery of `record` was reported failed.
    pub fn fail(&mut self, record: u8) {
        self.failed |= 1 << record;
    }

    /// The database transaction of `record` was rolled back.
    pub fn abort(&mut self, record: u8) {
        self.aborted |= 1 << record;
    }

    /// The database transaction of `record` committed while those of `open` were open.
    pub fn commit_beside(&mut self, record: u8, open: u8) {
        for earlier in (0..record).filter(|earlier| open & (1 << earlier) != 0) {
            self.overlaps[usize::from(earlier)] |= 1 << record;
        }
    }

    /// Whether `record` was sent before `later`, which has the higher number.
    pub fn is_before(&self, record: u8, later: u8) -> bool {
        self.overlaps[usize::from(record)] & (1 << later) == 0
    }

    /// The effect of `record` took place; records share `keys` keys in turn.
    pub fn handle(&mut self, record: u8, keys: u8) {
        let index = usize::from(record);
        if self.handled[index] == 0 {
            let later = index + usize::from(keys)..MAX_RECORDS;
            self.disordered |= later
                .step_by(usize::from(keys))
                .any(|other| self.handled[other] > 0 && self.is_before(record, other as u8));
        }
        self.handled[index] = (self.handled[index] + 1).min(2);
    }

    /// A newer write stands for `record`.
    pub fn supersede(&mut self, record: u8) {
        self.superseded |= 1 << record;
    }

    /// The dead-letter topic holds `record`.
    pub fn dead_letter(&mut self, record: u8) {
        self.dead_lettered |= 1 << record;
    }

    /// Whether `record` has its effect, another write stands for it, or it is in the dead-letter
    /// topic.
    pub fn is_settled(&self, record: u8) -> bool {
        self.is_handled(record) || (self.superseded | self.dead_lettered) & (1 << record) != 0
    }

    /// Whether `record` may be relied on.
    pub fn is_confirmed(&self, record: u8) -> bool {
        self.confirmed & (1 << record) != 0
    }

    /// Whether every copy of `record` was aborted.
    pub fn is_aborted(&self, record: u8) -> bool {
        self.aborted & (1 << record) != 0
    }

    /// Whether `record` had its effect.
    pub fn is_handled(&self, record: u8) -> bool {
        self.handled[usize::from(record)] > 0
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        let records = (1u16 << limits.records) - 1;
        for set in [&mut self.sent, &mut self.confirmed, &mut self.failed] {
            codec.field(set, records as u8);
        }
        if limits.aborts {
            codec.field(&mut self.aborted, records as u8);
        }
        if limits.relay {
            self.code_overlaps(codec, limits);
        }
        for count in &mut self.handled[..usize::from(limits.records)] {
            codec.field(count, 2);
        }
        codec.flag_if(limits.records > 1, &mut self.disordered);
        for (possible, set) in [
            (limits.supersedes, &mut self.superseded),
            (limits.dead_letters, &mut self.dead_lettered),
        ] {
            if possible {
                codec.field(set, records as u8);
            }
        }
    }

    fn code_overlaps(&mut self, codec: &mut impl Codec, limits: &Limits) {
        for record in 0..limits.records {
            let place = &mut self.overlaps[usize::from(record)];
            let mut later = *place >> (record + 1);
            let most = (1u16 << (limits.records - record - 1)) - 1;
            codec.field(&mut later, most as u8);
            *place = later << (record + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_effect_after_a_later_record_of_its_key_is_out_of_order() {
        let mut ledger = Ledger::default();
        ledger.handle(1, 1);
        assert!(!ledger.disordered, "r0 may be missing, that is no disorder");
        ledger.handle(0, 1);
        assert!(ledger.disordered);
    }

    #[test]
    fn records_whose_transactions_overlapped_have_no_order() {
        let mut ledger = Ledger::default();
        ledger.commit_beside(1, !0b10);
        ledger.handle(1, 1);
        ledger.handle(0, 1);
        assert!(!ledger.disordered);
    }

    #[test]
    fn a_repeat_and_another_key_are_no_disorder() {
        let mut ledger = Ledger::default();
        for record in [0, 1, 0] {
            ledger.handle(record, 1);
        }
        assert!(!ledger.disordered);
        let mut ledger = Ledger::default();
        ledger.handle(1, 2);
        ledger.handle(0, 2);
        assert!(!ledger.disordered);
    }
}
