//! Requests that their client has given up and that are still on their way over an old connection.
//!
//! Each slot is paid for by one `request-delayed`. A late request may arrive at any later moment,
//! also after its process has died; nobody waits for its answer. Late requests to a broker are
//! gone when its process ends.
//!
//! **A produce request is late at one broker**, the one that its client took for the leader. It names no
//! leader epoch (`ProduceRequest`), so whether it is taken depends on that broker alone, at the moment of its
//! arrival: one that leads, or led and has not heard otherwise, appends it, and so does one that has lost
//! the leadership meanwhile and got it back; any other refuses it (`Partition.appendRecordsToLeader`). A
//! fresh connection, to whoever leads then, is what the retry is for.
//!
//! Those of calls that only read, or that the caller repeats without any other effect (fetch, join,
//! heartbeat, offset fetch, InitProducerId without a transactional id), are not kept: their late arrival
//! changes nothing.

mod call;
mod packing;

pub use call::TransactionCall;

use crate::broker::Stamp;
use crate::codec::Codec;
use crate::limits::{Limits, MAX_INSTANCES};
use crate::list::List;
use crate::offset::Position;
use crate::partitions::Partition;
use crate::pipeline::Pipeline;
use crate::replication::Numbering;
use crate::transaction_coordinator::Outcome;
use std::cmp::Ordering;

/// A late request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Late {
    /// A produce request.
    Produce {
        /// The record.
        record: u16,
        /// What it carries on the wire.
        stamp: Option<Stamp>,
        /// Which partition it is for.
        partition: Partition,
        /// The broker that it was sent to.
        to: u16,
    },
    /// An offset commit.
    Commit {
        /// The position to be committed in the first partition, if there is one.
        position: Option<Position>,
        /// The position to be committed in the second partition, or in the retry topic, if there is one.
        second: Option<Position>,
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
    /// A result of a record, on its way to the output topic without a transaction.
    Result {
        /// The record.
        record: u16,
        /// The consumer whose process sent it; [`NOBODY`] once that is gone.
        by: u16,
        /// What its client makes of it.
        claim: Claim,
    },
    /// A call of an output producer about its transactions.
    Call {
        /// The transactional id, as a place in [`crate::output::Output::transactions`].
        id: u16,
        /// Which.
        call: TransactionCall,
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

/// What its client makes of a late result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// It sends the result again.
    Repeats,
    /// It has given the result up, or is gone.
    GivenUp,
    /// The delivery timeout has passed, and the request is still on the connection that the client goes on
    /// with: behind so many others, and before all that the client sends next. It goes with its process.
    Expired(u16),
}

impl Claim {
    fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        let mut value = match *self {
            Claim::Repeats => 0,
            Claim::GivenUp => 1,
            Claim::Expired(behind) => 2 + behind,
        };
        codec.field(&mut value, 1 + limits.limbo);
        *self = match value {
            0 => Claim::Repeats,
            1 => Claim::GivenUp,
            _ => Claim::Expired(value - 2),
        };
    }
}

/// Stands for a process that is gone.
pub const NOBODY: u16 = MAX_INSTANCES as u16;

impl Default for Late {
    fn default() -> Self {
        Late::Produce {
            record: 0,
            stamp: None,
            partition: Partition::First,
            to: 0,
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

    /// Drops the produce requests to brokers whose process ends.
    pub(crate) fn lose_produce_requests(&mut self, ends: impl Fn(u16) -> bool) {
        self.retain(|late| !matches!(late, Late::Produce { to, .. } if ends(*to)));
    }

    /// Gives each broker its number in `numbers`.
    pub(crate) fn renumber(&mut self, numbers: Numbering) {
        for late in self.requests.iter_mut() {
            if let Late::Produce { to, .. } = late {
                *to = numbers.of(*to);
            }
        }
        self.requests.sort_unstable();
    }

    /// The slot of the request in `slot`, once each broker has its number in `numbers`.
    pub(crate) fn renumbered_slot(&self, slot: u16, numbers: Numbering) -> u16 {
        let mut other = self.clone();
        other.renumber(numbers);
        let mut own = Limbo::default();
        own.add(self.requests[usize::from(slot)]);
        own.renumber(numbers);
        let same = other
            .requests
            .iter()
            .position(|late| *late == own.requests[0]);
        same.map_or(slot, |slot| slot as u16)
    }

    /// Compares two brokers by what is late at them.
    pub(crate) fn compare(&self, one: u16, other: u16) -> Ordering {
        let at = |who: u16| {
            let requests = self.requests.iter();
            requests.filter_map(move |late| match *late {
                Late::Produce {
                    record,
                    stamp,
                    partition,
                    to,
                } => (to == who).then_some((record, stamp, partition)),
                Late::Commit { .. }
                | Late::Output { .. }
                | Late::Result { .. }
                | Late::Call { .. }
                | Late::InitProducerId { .. }
                | Late::AddPartitions { .. }
                | Late::EndTransaction { .. } => None,
            })
        };
        at(one).cmp(at(other))
    }

    /// How many results of `client` have expired on the connection that it goes on with.
    pub fn expired_results(&self, client: u16) -> u16 {
        let own = |late: &&Late| matches!(late, Late::Result { by, claim: Claim::Expired(_), .. } if *by == client);
        self.requests.iter().filter(own).count() as u16
    }

    /// The client sends something else, or its process ends: what has expired on its connection was handled
    /// before, or never is.
    pub fn lose_expired_results(&mut self, client: u16) {
        self.retain(|late| {
            !matches!(late, Late::Result { by, claim: Claim::Expired(_), .. } if *by == client)
        });
    }

    /// The first of the expired results of `client` is handled.
    pub fn pass_expired_result(&mut self, client: u16) {
        for late in self.requests.iter_mut() {
            if let Late::Result {
                by,
                claim: Claim::Expired(behind),
                ..
            } = late
                && *by == client
            {
                *behind -= 1;
            }
        }
        self.requests.sort_unstable();
    }

    /// What the late produce requests of a session carry.
    pub fn each_stamp_of(&mut self, session: u16, mut visit: impl FnMut(&mut Stamp)) {
        for late in self.requests.iter_mut() {
            if let Late::Produce {
                stamp: Some(stamp), ..
            } = late
                && stamp.session == session
            {
                visit(stamp);
            }
        }
        self.requests.sort_unstable();
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.requests.code(codec, limits.limbo, |late, codec| {
            late.code(codec, limits, pipeline);
        });
    }
}

impl Late {
    /// Lets the two partitions change places.
    pub fn turn(&mut self) {
        match self {
            Late::Produce { partition, .. } => *partition = partition.other(),
            Late::Commit {
                position, second, ..
            } => std::mem::swap(position, second),
            Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. }
            | Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => {}
        }
    }

    /// Whether it is for the group coordinator.
    pub fn is_for_the_group(&self) -> bool {
        match self {
            Late::Commit { .. } => true,
            Late::Call { call, .. } => matches!(call, TransactionCall::Offsets { .. }),
            Late::Produce { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => false,
        }
    }

    /// What a produce request of an idempotent producer carries.
    pub fn stamp(&self) -> Option<Stamp> {
        match self {
            Late::Produce { stamp, .. } => *stamp,
            Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. }
            | Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => None,
        }
    }

    /// Whether it can be handled now: nothing of its connection lies before it.
    pub fn can_arrive(&self) -> bool {
        match self {
            Late::Result {
                claim: Claim::Expired(behind),
                ..
            } => *behind == 0,
            Late::Result { .. }
            | Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Call { .. }
            | Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => true,
        }
    }

    /// The output producer's transactional id, where the request is about a transaction of it.
    pub fn output_id(mut self) -> Option<u16> {
        self.output_id_mut().copied()
    }

    /// Whether it is a request of the upstream to its transaction coordinator.
    pub fn is_coordinator_call(&self) -> bool {
        match self {
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => true,
            Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. } => false,
        }
    }

    /// The same id, to give the request another one.
    pub fn output_id_mut(&mut self) -> Option<&mut u16> {
        match self {
            Late::Call { id, .. } => Some(id),
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. }
            | Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. } => None,
        }
    }
}
