//! Late calls of an output producer about its transactions.
//!
//! A late InitProducerId of a process that starts says no epoch, and fences whoever has the id when it
//! arrives. That of a client that asks for its next epoch (KIP-360) says which one it has: it aborts what is
//! open, as the other does, and changes nothing otherwise. It is not kept apart: whoever sends it has
//! started, and that request may be late in its place.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::offset::Position;
use crate::transaction_coordinator::{Outcome, Part};

/// A call of an output producer to its transaction coordinator, or to the group coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransactionCall {
    /// InitProducerId of a process that starts.
    Start,
    /// AddPartitionsToTxn, or AddOffsetsToTxn.
    Add(Part),
    /// TxnOffsetCommit.
    Offsets {
        /// The position to be committed.
        position: Position,
        /// The generation that sent it; `None`: without group metadata.
        generation: Option<u16>,
    },
    /// EndTxn.
    End(Outcome),
}

/// Those that say nothing more than what they are.
const BARE: [TransactionCall; 5] = [
    TransactionCall::Start,
    TransactionCall::Add(Part::Output),
    TransactionCall::Add(Part::Offsets),
    TransactionCall::End(Outcome::Commit),
    TransactionCall::End(Outcome::Abort),
];

impl TransactionCall {
    /// Visits the kind, then what that kind has.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        let own = |call: &TransactionCall| call == self;
        let mut kind = BARE.iter().position(own).unwrap_or(BARE.len()) as u16;
        let (mut position, mut generation) = match *self {
            TransactionCall::Offsets {
                position,
                generation,
            } => (position, generation),
            TransactionCall::Start | TransactionCall::Add(_) | TransactionCall::End(_) => {
                (Position::default(), None)
            }
        };
        codec.field(&mut kind, BARE.len() as u16);
        position.code(codec, limits);
        let (mut is_stated, mut number) = (generation.is_some(), generation.unwrap_or(0));
        codec.flag(&mut is_stated);
        codec.field(&mut number, limits.generations);
        generation = is_stated.then_some(number);
        let bare = BARE.get(usize::from(kind)).copied();
        *self = bare.unwrap_or(TransactionCall::Offsets {
            position,
            generation,
        });
    }

    /// Whether it carries a producer epoch, and is refused once another one is in force.
    pub fn is_fenced(&self) -> bool {
        match self {
            TransactionCall::Add(_) | TransactionCall::End(_) => true,
            TransactionCall::Start | TransactionCall::Offsets { .. } => false,
        }
    }
}
