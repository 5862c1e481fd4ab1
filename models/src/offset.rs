//! Offsets. Kafka commits the *next* offset, so an entry's offset and the offset at which reading
//! goes on are different types, with one conversion.

use crate::codec::Codec;
use crate::limits::Limits;

/// The offset of a log entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Offset(pub u16);

/// The offset at which reading goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NextOffset(pub u16);

impl Offset {
    /// Reading goes on after this entry.
    pub fn next(self) -> NextOffset {
        NextOffset(self.0 + 1)
    }
}

/// The offset of the record in this place of a hand that was read from `first` on; `passed`: the
/// offsets from there on at which a poll saw no record, as a set of bits.
pub fn in_hand(first: u16, passed: u32, place: u16) -> Offset {
    if passed == 0 {
        return Offset(first + place);
    }
    let mut ahead = place;
    let mut after = 0;
    // Each offset that was passed over moves everything behind it on by one.
    while after <= ahead {
        ahead += u16::from(passed & (1 << after) != 0);
        after += 1;
    }
    Offset(first + ahead)
}

/// A position in the log with what a client knows of its history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Where reading goes on.
    pub next: NextOffset,
    /// The leader epoch of the entry before it, by which a truncation is noticed (KIP-320).
    /// `None`: not known, nothing is noticed.
    pub leader_epoch: Option<u16>,
}

impl Position {
    /// A position without a leader epoch, as in `new OffsetAndMetadata(offset)`.
    pub fn bare(next: NextOffset) -> Self {
        Position {
            next,
            leader_epoch: None,
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        codec.field(&mut self.next.0, limits.log);
        code_leader_epoch(&mut self.leader_epoch, codec, limits);
    }
}

/// Visits a leader epoch that may be unknown. Where nothing can be truncated it is always known.
pub fn code_leader_epoch(epoch: &mut Option<u16>, codec: &mut impl Codec, limits: &Limits) {
    if limits.truncation {
        let mut value = epoch.map_or(0, |epoch| epoch + 1);
        codec.field(&mut value, limits.leader_epochs + 1);
        *epoch = value.checked_sub(1);
    }
}

/// Visits a position that may be missing.
pub fn code_optional(position: &mut Option<Position>, codec: &mut impl Codec, limits: &Limits) {
    let mut there = position.is_some();
    codec.flag(&mut there);
    let mut value = position.unwrap_or_default();
    if codec.places(usize::from(there), 1) == 1 {
        value.code(codec, limits);
    }
    *position = there.then_some(value);
}
