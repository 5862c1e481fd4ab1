//! What one consumer has of two partitions.
//!
//! A [`Consumer`] has one position, offset store and commit on its way: those in the partition of what it
//! has in hand, and between two polls those in the first. The others are here.

use crate::codec::Codec;
use crate::consumer::{Consumer, Phase};
use crate::limits::Limits;
use crate::offset::{self, NextOffset, Position};

/// What one consumer has of the partition that it has nothing in hand of: between two polls, of the
/// second one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reader {
    /// Where it reads there. `None`: nothing is assigned to it there.
    pub position: Option<NextOffset>,
    /// librdkafka's offset store.
    pub stored: Option<Position>,
    /// With a background commit: the offset that the client knows to be committed.
    pub known_committed: Option<NextOffset>,
    /// What the commit that is on its way without anyone waiting for it covers there.
    pub pending: Option<Position>,
    /// Whether what is in hand comes from the second partition: then the others are of the first.
    pub in_hand: bool,
    /// Whether the first partition is not assigned to it.
    pub without_first: bool,
}

impl Reader {
    /// Changes places with the partition whose records are in hand, of a consumer that has nothing in
    /// hand.
    fn turn(&mut self, consumer: &mut Consumer) {
        let here = NextOffset(consumer.first);
        consumer.first = self.position.replace(here).unwrap_or_default().0;
        std::mem::swap(&mut self.stored, &mut consumer.stored);
        std::mem::swap(&mut self.known_committed, &mut consumer.known_committed);
        std::mem::swap(&mut self.pending, &mut consumer.pending);
    }

    /// What is in hand comes from the second partition from now on; no longer, if it is.
    pub fn turn_hand(&mut self, consumer: &mut Consumer) {
        self.turn(consumer);
        self.in_hand = !self.in_hand;
        if self.in_hand && self.without_first {
            self.position = None;
        }
    }

    /// Whether the second partition is assigned to it.
    pub fn has_second(&self) -> bool {
        self.in_hand || self.position.is_some()
    }

    /// Lets the two partitions change places, to look at the consumer from the other side.
    pub fn turn_sides(&mut self, consumer: &mut Consumer) {
        let (has_first, has_second) = (!self.without_first, self.has_second());
        if !consumer.reads() {
            return;
        }
        if consumer.phase == Phase::Handling {
            self.in_hand = !self.in_hand;
        } else {
            self.turn(consumer);
            self.position = self.position.filter(|_| has_first);
        }
        self.without_first = !has_second;
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        let mut position = self.position.map_or(0, |next| next.0 + 1);
        codec.field(&mut position, limits.log + 1);
        self.position = position.checked_sub(1).map(NextOffset);
        codec.flag(&mut self.in_hand);
        codec.flag_if(limits.instances > 1, &mut self.without_first);
        if limits.stores {
            offset::code_optional(&mut self.stored, codec, limits);
            let mut known = self.known_committed.map_or(0, |known| known.0 + 1);
            codec.field(&mut known, limits.log + 1);
            self.known_committed = known.checked_sub(1).map(NextOffset);
        }
        if limits.background_commits {
            offset::code_optional(&mut self.pending, codec, limits);
        }
    }
}
