//! Requests that their client has given up and that are still on their way over an old connection.
//!
//! Each slot is paid for by one `request-delayed`. A late request may arrive at any later moment,
//! also after its process has died; nobody waits for its answer. Late requests to a broker are
//! gone when it restarts. Those of calls that only read, or that the caller repeats without any
//! other effect (fetch, join, heartbeat, offset fetch, InitProducerId), are not kept: their late
//! arrival changes nothing.

use crate::broker::Stamp;
use crate::codec::Codec;
use crate::limits::{Limits, MAX_INSTANCES};
use crate::list::List;
use crate::offset::Position;
use crate::pipeline::Pipeline;
use crate::producer;
use crate::transaction_coordinator::Outcome;

/// A late request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Late {
    /// A produce request.
    Produce {
        /// The record.
        record: u16,
        /// What it carries on the wire.
        stamp: Option<Stamp>,
    },
    /// An offset commit.
    Commit {
        /// The position to be committed.
        position: Position,
        /// The generation that sent it.
        generation: u16,
    },
    /// A write to the dead-letter or retry topic.
    Output {
        /// The record.
        record: u16,
        /// The consumer whose process sent it; [`NOBODY`] once that is gone.
        by: u16,
    },
    /// InitProducerId of the upstream producer.
    InitProducerId {
        /// The epoch that its client had, if it said so.
        expected: Option<u16>,
    },
    /// AddPartitionsToTxn of the upstream producer.
    AddPartitions {
        /// The producer epoch.
        epoch: u16,
    },
    /// EndTxn of the upstream producer.
    EndTransaction {
        /// The producer epoch.
        epoch: u16,
        /// How the transaction is to end.
        outcome: Outcome,
    },
}

/// Stands for a process that is gone.
pub const NOBODY: u16 = MAX_INSTANCES as u16;

impl Default for Late {
    fn default() -> Self {
        Late::Produce {
            record: 0,
            stamp: None,
        }
    }
}

/// All late requests, sorted: they race, so their order means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Limbo {
    /// The requests.
    pub requests: List<Late, 2>,
}

impl Limbo {
    /// A request becomes late.
    pub fn add(&mut self, late: Late) {
        self.requests.push(late);
        self.requests.sort_unstable();
    }

    /// Drops every request that `keep` refuses.
    pub fn retain(&mut self, keep: impl Fn(&Late) -> bool) {
        for index in (0..self.requests.len()).rev() {
            if !keep(&self.requests[index]) {
                self.requests.remove(index);
            }
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.requests.code(codec, limits.limbo, |late, codec| {
            late.code(codec, limits, pipeline);
        });
    }
}

impl Late {
    /// Visits a request to the transaction coordinator; whether it is one.
    fn code_coordinator_call(&mut self, codec: &mut impl Codec, limits: &Limits) -> bool {
        let (mut call, mut epoch, mut commits) = match *self {
            Late::Produce { .. } | Late::Commit { .. } | Late::Output { .. } => (0, None, false),
            Late::InitProducerId { expected } => (1, expected, false),
            Late::AddPartitions { epoch } => (2, Some(epoch), false),
            Late::EndTransaction { epoch, outcome } => (3, Some(epoch), outcome == Outcome::Commit),
        };
        codec.field(&mut call, 3);
        let mut given = epoch.map_or(0, |epoch| epoch + 1);
        codec.field(&mut given, limits.epochs + 1);
        codec.flag(&mut commits);
        epoch = given.checked_sub(1);
        *self = match (call, epoch) {
            (1, expected) => Late::InitProducerId { expected },
            (2, Some(epoch)) => Late::AddPartitions { epoch },
            (3, Some(epoch)) => Late::EndTransaction {
                epoch,
                outcome: if commits {
                    Outcome::Commit
                } else {
                    Outcome::Abort
                },
            },
            // Counting visits the fields of every kind.
            _ => return false,
        };
        true
    }

    fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        if limits.transactions && self.code_coordinator_call(codec, limits) {
            return;
        }
        let mut is_commit = matches!(self, Late::Commit { .. });
        let mut is_output = matches!(self, Late::Output { .. });
        codec.flag_if(limits.commits, &mut is_commit);
        codec.flag_if(limits.writes_failed, &mut is_output);
        let (mut record, mut stamp) = (0, None);
        let (mut position, mut generation, mut by) = (Position::default(), 0, 0);
        match *self {
            Late::Produce {
                record: own,
                stamp: sent,
            } => (record, stamp) = (own, sent),
            Late::Commit {
                position: own,
                generation: sent,
            } => (position, generation) = (own, sent),
            Late::Output {
                record: own,
                by: sent,
            } => (record, by) = (own, sent),
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => {}
        }
        codec.field(&mut record, limits.records - 1);
        producer::code_stamp(&mut stamp, codec, limits, pipeline);
        if limits.writes_failed {
            codec.field(&mut by, NOBODY);
        }
        if limits.commits {
            position.code(codec, limits);
            codec.field(&mut generation, limits.generations);
        }
        *self = if is_commit {
            Late::Commit {
                position,
                generation,
            }
        } else if is_output {
            Late::Output { record, by }
        } else {
            Late::Produce { record, stamp }
        };
    }
}
