//! What a step does to the output topic and to the offsets of transactions, in its order.

use crate::offset::Position;
use crate::transaction_coordinator::Outcome;

/// Something that is written to the output topic or to the group's offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A result is appended.
    Appended {
        /// The record whose result it is.
        record: u16,
        /// The transactional id in whose transaction, if there is one.
        id: Option<u16>,
    },
    /// The marker of a transaction is appended.
    Ended {
        /// The transactional id.
        id: u16,
        /// Which.
        outcome: Outcome,
    },
    /// The epoch in force of a transactional id is raised.
    Raised(u16),
    /// A start reads what the database says is prepared, and asks for its commit.
    Resumed {
        /// Whose start.
        who: u16,
        /// The transactional id.
        id: u16,
        /// Whether a transaction is committed that was open.
        commits: bool,
    },
    /// Offsets of a transaction are pending from now on.
    OffsetsSent {
        /// The transactional id.
        id: u16,
        /// The position to be committed.
        position: Position,
    },
    /// The marker of a transaction is written among the offsets.
    OffsetsEnded {
        /// The transactional id.
        id: u16,
        /// Which.
        outcome: Outcome,
    },
    /// An offset is committed without a transaction.
    Committed(Position),
    /// What is open of this id is moved behind the others, and the id begins anew.
    Orphaned(u16),
    /// This id is forgotten, and those behind it move up.
    Forgotten(u16),
    /// The idempotent producer of this consumer is gone, and its producer id with it: the next one has
    /// another.
    Renewed {
        /// Which consumer.
        who: u16,
        /// The session of what is late of the producer that is gone.
        behind: Option<u16>,
    },
}
