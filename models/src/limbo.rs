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

pub use call::TransactionCall;

use crate::broker::Stamp;
use crate::codec::Codec;
use crate::limits::{Limits, MAX_INSTANCES};
use crate::list::List;
use crate::offset::{self, NextOffset, Position};
use crate::partitions::Partition;
use crate::pipeline::Pipeline;
use crate::producer;
use crate::replication::Numbering;
use crate::retries;
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
    pub fn output_id(&self) -> Option<u16> {
        match self {
            Late::Call { id, .. } => Some(*id),
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. }
            | Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. } => None,
        }
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

    /// Visits a request to the transaction coordinator; whether it is one.
    fn code_coordinator_call(&mut self, codec: &mut impl Codec, limits: &Limits) -> bool {
        let (mut call, mut epoch, mut commits) = match *self {
            Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. } => (0, None, false),
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

    /// Visits the kind, then what that kind has.
    fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        if limits.transactions && self.code_coordinator_call(codec, limits) {
            return;
        }
        let mut is_commit = matches!(self, Late::Commit { .. });
        let mut is_output = matches!(self, Late::Output { .. });
        let mut is_result = matches!(self, Late::Result { .. });
        let mut is_call = matches!(self, Late::Call { .. });
        let transactions = limits.transactional_ids > 0;
        codec.flag_if(limits.commits, &mut is_commit);
        codec.flag_if(limits.writes_failed, &mut is_output);
        codec.flag_if(limits.results, &mut is_result);
        codec.flag_if(transactions, &mut is_call);
        let (mut record, mut stamp, mut claim) = (0, None, Claim::Repeats);
        let (mut partition, mut covers_first, mut second) = (Partition::First, true, None);
        let mut to = 0;
        let (mut position, mut generation, mut by) = (Position::default(), 0, 0);
        let (mut id, mut call) = (0, TransactionCall::Start);
        match *self {
            Late::Produce {
                record: own,
                stamp: sent,
                partition: of,
                to: broker,
            } => (record, stamp, partition, to) = (own, sent, of, broker),
            Late::Commit {
                position: own,
                second: there,
                generation: sent,
            } => {
                (position, generation) = (own.unwrap_or_default(), sent);
                (covers_first, second) = (own.is_some(), there);
            }
            Late::Output {
                record: own,
                by: sent,
            } => (record, by) = (own, sent),
            Late::Result {
                record: own,
                by: sent,
                claim: made,
            } => (record, by, claim) = (own, sent, made),
            Late::Call {
                id: own,
                call: sent,
            } => (id, call) = (own, sent),
            Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => {}
        }
        codec.field(&mut record, limits.records - 1);
        producer::code_stamp(&mut stamp, codec, limits, pipeline);
        partition.code(codec, limits);
        codec.field(&mut to, limits.replicas - 1);
        if limits.commits {
            code_second(&mut covers_first, &mut second, codec, limits);
        }
        if limits.writes_failed || limits.results {
            codec.field(&mut by, NOBODY);
        }
        if limits.results {
            claim.code(codec, limits);
        }
        if limits.commits {
            position.code(codec, limits);
            codec.field(&mut generation, limits.generations);
        }
        if transactions {
            codec.field(&mut id, limits.transactional_ids - 1);
            call.code(codec, limits);
        }
        *self = if is_commit {
            Late::Commit {
                position: covers_first.then_some(position),
                second,
                generation,
            }
        } else if is_output {
            Late::Output { record, by }
        } else if is_result {
            Late::Result { record, by, claim }
        } else if is_call {
            Late::Call { id, call }
        } else {
            Late::Produce {
                record,
                stamp,
                partition,
                to,
            }
        };
    }
}

/// Visits what a commit covers of the second partition, or of the retry topic in its place, and whether
/// it covers the first.
fn code_second(
    covers_first: &mut bool,
    second: &mut Option<Position>,
    codec: &mut impl Codec,
    limits: &Limits,
) {
    if limits.second_partition {
        codec.flag(covers_first);
        offset::code_optional(second, codec, limits);
    } else if limits.retries > 0 {
        codec.flag(covers_first);
        let mut next = second.map(|position| position.next.0);
        retries::code_optional(&mut next, codec, limits);
        *second = next.map(|next| Position::bare(NextOffset(next)));
    }
}
