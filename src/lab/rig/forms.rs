//! The model's numbers as they are on the wire and on the disk.

use crate::lab::offsets::Commit;
use crate::lab::words::{
    Generation, LeaderEpoch, NextOffset, Offset, Position, ProducerEpoch, ProducerId, Sequence,
    Stamp,
};
use semel_models::broker;
use semel_models::offset;

/// A stamp as it is on the wire: each session of the producer has a producer id of its own.
pub(crate) fn wire(stamp: broker::Stamp) -> Stamp {
    Stamp {
        producer: ProducerId(stamp.session.into()),
        epoch: ProducerEpoch(stamp.epoch.into()),
        sequence: Sequence(stamp.sequence.into()),
    }
}

/// A commit as it is stored.
pub(crate) fn commit(position: offset::Position, generation: u16) -> Commit {
    Commit {
        generation: Generation(generation.into()),
        position: stored(position),
    }
}

/// A position as it is stored.
pub(crate) fn stored(position: offset::Position) -> Position {
    Position {
        next: NextOffset(position.next.0.into()),
        leader_epoch: position.leader_epoch.map(|epoch| LeaderEpoch(epoch.into())),
    }
}

/// A producer's session as its producer id.
pub(crate) fn producer_id(session: u16) -> ProducerId {
    ProducerId(session.into())
}

/// An offset of the model as one of the log.
pub(crate) fn offset(of: u16) -> Offset {
    Offset(of.into())
}
