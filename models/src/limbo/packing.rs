//! The packed form of late requests.

use super::{Claim, Late, NOBODY, TransactionCall};
use crate::codec::Codec;
use crate::limits::Limits;
use crate::offset::{self, NextOffset, Position};
use crate::partitions::Partition;
use crate::pipeline::Pipeline;
use crate::producer;
use crate::retries;
use crate::transaction_coordinator::Outcome;

impl Late {
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
    pub(super) fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
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
