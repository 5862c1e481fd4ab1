//! What a transaction may write to.

use crate::codec::Codec;

/// What a transaction may write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The partition between producer and consumer.
    Input,
    /// The partition of the output topic.
    Output,
    /// The group's offsets.
    Offsets,
}

impl Part {
    /// Every part, in the order in which markers are told.
    pub const ALL: [Part; 3] = [Part::Input, Part::Output, Part::Offsets];
}

/// A set of [`Part`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Parts(u16);

impl Parts {
    /// Whether `part` is in it.
    pub fn contains(self, part: Part) -> bool {
        self.0 & (1 << part as u16) != 0
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Puts `part` in.
    pub fn insert(&mut self, part: Part) {
        self.0 |= 1 << part as u16;
    }

    /// Takes `part` out.
    pub fn remove(&mut self, part: Part) {
        self.0 &= !(1 << part as u16);
    }

    /// The parts in it.
    pub fn iter(self) -> impl Iterator<Item = Part> {
        Part::ALL
            .into_iter()
            .filter(move |part| self.contains(*part))
    }

    /// Visits the set, whose members are among `possible`.
    pub fn code(&mut self, codec: &mut impl Codec, possible: &[Part]) {
        for part in possible {
            let mut member = self.contains(*part);
            codec.flag(&mut member);
            if member {
                self.insert(*part);
            }
        }
    }
}
