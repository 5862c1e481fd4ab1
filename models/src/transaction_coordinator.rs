//! The transaction coordinator: what it keeps of one transactional id.
//!
//! **Modelled** (KIP-98, KIP-360, KIP-890; `TransactionCoordinator` and `TransactionMetadata` of
//! Kafka 4.x). An id has one producer id, the producer epoch in force, and at most one transaction:
//! begun by the first partition that is added, prepared to commit or to abort, and complete once the
//! markers of all that was added are written.
//!
//! - InitProducerId raises the epoch. It fences and aborts a transaction that it finds open, and is
//!   answered CONCURRENT_TRANSACTIONS until that is complete; the retry raises the epoch again. With
//!   the epoch that the client expects (KIP-360) a repeat is recognised, and a stale client is fenced.
//! - EndTxn under transaction version 1 keeps the epoch: a repeat is recognised by the state alone.
//!   Under version 2 each EndTxn raises the epoch, so that a repeat, which carries the epoch before,
//!   is told from the end of the next transaction; and an abort is taken of a transaction to which
//!   nothing was added.
//! - A timeout aborts an open transaction and fences its producer with a new epoch. Before KAFKA-6119
//!   (0.11.0.2) the epoch stayed. Under version 2 the end of what is fenced raises the epoch once more before
//!   KAFKA-19367 (4.0.1): the producer's own abort is no repeat then, and it is fenced.
//! - The end of a transaction is decided when it is prepared: the record in the transaction log is
//!   written before any marker, and whoever is coordinator later writes those that are missing.
//!
//! **Assumed.** What it keeps outlives every fault of a broker: `__transaction_state` is written with
//! `acks=all`, has three replicas (`transaction.state.log.replication.factor`) and a minimum of two in
//! sync (`transaction.state.log.min.isr`), whatever the topic has, and whoever leads it next reads it
//! whole, but for the epoch before the one in force, which is in memory alone (up to 4.3; KAFKA-20357).
//! One broker that dies, loses its power or its disk takes nothing from it; every broker's loss of
//! power could, for nobody flushes it, and is refused beside transactions.
//!
//! **Left out.** Transitions that are on their way to the transaction log: requests meanwhile are
//! answered CONCURRENT_TRANSACTIONS and repeated, as in the states that are modelled. The record that
//! the transaction is complete: it is one step with the last marker, between the two requests are
//! only refused and repeated. Exhausted epochs (KAFKA-18660), which take 32 766 transactions. Expiry of the id itself, and
//! several producer ids of one transactional id; of two-phase commit (KIP-939) a coordinator has, up to 4.3,
//! only that one timeout never passes.

mod parts;
mod rules;

pub use parts::{Part, Parts};
pub use rules::{TransactionRules, TransactionVersion};

use crate::codec::Codec;

/// How a transaction ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It commits.
    #[default]
    Commit,
    /// It aborts.
    Abort,
}

/// Where the transaction stands (`TransactionState`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The coordinator has never heard of the id.
    #[default]
    Unknown,
    /// There is none, and none since the last InitProducerId.
    Empty,
    /// Something was added to it.
    Ongoing,
    /// Its end is decided, and markers are still to be written.
    Prepared(Outcome),
    /// It has ended, and every marker is written.
    Complete(Outcome),
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 7] = [
        Phase::Unknown,
        Phase::Empty,
        Phase::Ongoing,
        Phase::Prepared(Outcome::Commit),
        Phase::Prepared(Outcome::Abort),
        Phase::Complete(Outcome::Commit),
        Phase::Complete(Outcome::Abort),
    ];

    /// Visits the phase.
    fn code(&mut self, codec: &mut impl Codec) {
        let own = |phase: &Phase| phase == self;
        let mut index = Phase::ALL.iter().position(own).unwrap_or_default() as u16;
        codec.field(&mut index, Phase::ALL.len() as u16 - 1);
        *self = Phase::ALL[usize::from(index)];
    }
}

/// What the coordinator answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoordinatorAnswer {
    /// NONE: it is done, or was done before.
    Done,
    /// CONCURRENT_TRANSACTIONS: the request is to be repeated.
    ConcurrentTransactions,
    /// PRODUCER_FENCED: the epoch is not the one in force.
    ProducerFenced,
    /// INVALID_TXN_STATE: there is no transaction that could end so.
    InvalidTransactionState,
    /// INVALID_PRODUCER_ID_MAPPING: the id has never been initialised.
    InvalidProducerIdMapping,
    /// TRANSACTION_ABORTABLE: the partition was not added to the transaction.
    TransactionAbortable,
}

/// What the coordinator keeps of a transactional id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// Where its transaction stands.
    pub phase: Phase,
    /// The producer epoch in force.
    pub epoch: u16,
    /// The epoch before, where the client that has the current one had it, too.
    pub last_epoch: Option<u16>,
    /// What was added; once the end is prepared, what still lacks its marker.
    pub added: Parts,
}

/// A marker that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Marker {
    /// Where.
    pub part: Part,
    /// Which.
    pub outcome: Outcome,
    /// The producer epoch that it carries.
    pub epoch: u16,
}

impl Transaction {
    /// InitProducerId. `expected`: the epoch that the client has, if it says so.
    pub fn initialize(
        &mut self,
        expected: Option<u16>,
        rules: &TransactionRules,
    ) -> CoordinatorAnswer {
        let expected = expected.filter(|_| rules.epoch_can_be_expected);
        match self.phase {
            Phase::Prepared(_) => CoordinatorAnswer::ConcurrentTransactions,
            Phase::Ongoing => {
                self.fence(rules);
                CoordinatorAnswer::ConcurrentTransactions
            }
            Phase::Unknown => {
                self.phase = Phase::Empty;
                CoordinatorAnswer::Done
            }
            Phase::Empty | Phase::Complete(_) => self.raise_epoch(expected),
        }
    }

    /// `prepareIncrementProducerEpoch`.
    fn raise_epoch(&mut self, expected: Option<u16>) -> CoordinatorAnswer {
        match expected {
            None => self.last_epoch = None,
            Some(expected) if expected == self.epoch => self.last_epoch = Some(expected),
            Some(expected) if Some(expected) == self.last_epoch => {
                // A repeat, whose first answer the client did not get.
                self.phase = Phase::Empty;
                return CoordinatorAnswer::Done;
            }
            Some(_) => return CoordinatorAnswer::ProducerFenced,
        }
        self.epoch += 1;
        self.phase = Phase::Empty;
        CoordinatorAnswer::Done
    }

    /// Aborts the open transaction under an epoch that no client has.
    fn fence(&mut self, rules: &TransactionRules) {
        self.last_epoch = match rules.version {
            TransactionVersion::One => Some(self.epoch).filter(|_| rules.fenced_epoch_is_known),
            TransactionVersion::Two => Some(self.epoch),
        };
        self.epoch += 1;
        if rules.fence_raises_twice {
            self.last_epoch = Some(self.epoch);
            self.epoch += 1;
        }
        self.phase = Phase::Prepared(Outcome::Abort);
    }

    /// AddPartitionsToTxn or AddOffsetsToTxn of a client, or of the partition leader under version 2.
    pub fn add(&mut self, epoch: u16, part: Part) -> CoordinatorAnswer {
        let answer = self.admits(epoch);
        if answer == CoordinatorAnswer::Done {
            self.phase = Phase::Ongoing;
            self.added.insert(part);
        }
        answer
    }

    /// The partition leader asks whether its partition belongs to the transaction of this epoch.
    pub fn verify(&self, epoch: u16, part: Part) -> CoordinatorAnswer {
        match self.admits(epoch) {
            CoordinatorAnswer::Done if !self.added.contains(part) => {
                CoordinatorAnswer::TransactionAbortable
            }
            answer => answer,
        }
    }

    fn admits(&self, epoch: u16) -> CoordinatorAnswer {
        match self.phase {
            Phase::Unknown => CoordinatorAnswer::InvalidProducerIdMapping,
            _ if epoch != self.epoch => CoordinatorAnswer::ProducerFenced,
            Phase::Prepared(_) => CoordinatorAnswer::ConcurrentTransactions,
            Phase::Empty | Phase::Ongoing | Phase::Complete(_) => CoordinatorAnswer::Done,
        }
    }

    /// EndTxn of a client. With [`CoordinatorAnswer::Done`] the epoch is the one that the client goes
    /// on with.
    pub fn end(
        &mut self,
        epoch: u16,
        outcome: Outcome,
        version: TransactionVersion,
    ) -> CoordinatorAnswer {
        match version {
            TransactionVersion::One => self.end_in_epoch(epoch, outcome),
            TransactionVersion::Two => self.end_epoch(epoch, outcome),
        }
    }

    /// EndTxn under version 1: the epoch says whose it is, the state whether it is a repeat.
    fn end_in_epoch(&mut self, epoch: u16, outcome: Outcome) -> CoordinatorAnswer {
        match self.phase {
            Phase::Unknown => CoordinatorAnswer::InvalidProducerIdMapping,
            _ if epoch != self.epoch => CoordinatorAnswer::ProducerFenced,
            Phase::Ongoing => {
                self.phase = Phase::Prepared(outcome);
                CoordinatorAnswer::Done
            }
            Phase::Prepared(own) if own == outcome => CoordinatorAnswer::ConcurrentTransactions,
            Phase::Complete(own) if own == outcome => CoordinatorAnswer::Done,
            Phase::Empty | Phase::Prepared(_) | Phase::Complete(_) => {
                CoordinatorAnswer::InvalidTransactionState
            }
        }
    }

    /// EndTxn under version 2: a repeat carries the epoch before the one in force.
    fn end_epoch(&mut self, epoch: u16, outcome: Outcome) -> CoordinatorAnswer {
        let repeats = epoch + 1 == self.epoch;
        let is_valid = match self.phase {
            Phase::Unknown => return CoordinatorAnswer::InvalidProducerIdMapping,
            Phase::Empty | Phase::Ongoing => epoch == self.epoch,
            Phase::Prepared(_) => repeats,
            Phase::Complete(_) => repeats || epoch == self.epoch,
        };
        if !is_valid {
            return CoordinatorAnswer::ProducerFenced;
        }
        match self.phase {
            Phase::Prepared(own) if own == outcome => CoordinatorAnswer::ConcurrentTransactions,
            Phase::Complete(own) if repeats && own == outcome => CoordinatorAnswer::Done,
            Phase::Ongoing => self.end_and_raise(outcome),
            Phase::Empty | Phase::Complete(_) if !repeats && outcome == Outcome::Abort => {
                self.end_and_raise(outcome)
            }
            Phase::Unknown | Phase::Empty | Phase::Prepared(_) | Phase::Complete(_) => {
                CoordinatorAnswer::InvalidTransactionState
            }
        }
    }

    fn end_and_raise(&mut self, outcome: Outcome) -> CoordinatorAnswer {
        self.last_epoch = Some(self.epoch);
        self.epoch += 1;
        self.phase = if self.added.is_empty() {
            Phase::Complete(outcome)
        } else {
            Phase::Prepared(outcome)
        };
        CoordinatorAnswer::Done
    }

    /// Whether there is a transaction that can time out.
    pub fn can_time_out(&self) -> bool {
        self.phase == Phase::Ongoing
    }

    /// `transaction.timeout.ms` passes.
    pub fn time_out(&mut self, rules: &TransactionRules) {
        if !self.can_time_out() {
            return;
        }
        if rules.timeout_fences {
            self.fence(rules);
        } else {
            self.phase = Phase::Prepared(Outcome::Abort);
        }
    }

    /// The markers that are still to be written.
    pub fn markers(&self) -> impl Iterator<Item = Marker> {
        let (epoch, added) = (self.epoch, self.added);
        let outcome = match self.phase {
            Phase::Prepared(outcome) => Some(outcome),
            Phase::Unknown | Phase::Empty | Phase::Ongoing | Phase::Complete(_) => None,
        };
        outcome.into_iter().flat_map(move |outcome| {
            added.iter().map(move |part| Marker {
                part,
                outcome,
                epoch,
            })
        })
    }

    /// The marker of `part` is written; with the last of them the transaction is complete.
    pub fn marker_is_written(&mut self, part: Part) {
        self.added.remove(part);
        if let Phase::Prepared(outcome) = self.phase
            && self.added.is_empty()
        {
            self.phase = Phase::Complete(outcome);
        }
    }

    /// Whether a client with this epoch could not go on: another one is in force.
    pub fn has_fenced(&self, epoch: u16) -> bool {
        self.epoch != epoch
    }

    /// Visits the fields; `epochs`: the most epochs after the first, `parts`: what may be added.
    pub fn code(&mut self, codec: &mut impl Codec, epochs: u16, parts: &[Part]) {
        self.phase.code(codec);
        codec.field(&mut self.epoch, epochs);
        let mut last = self.last_epoch.map_or(0, |epoch| epoch + 1);
        codec.field(&mut last, epochs);
        self.last_epoch = last.checked_sub(1);
        self.added.code(codec, parts);
    }
}

#[cfg(test)]
mod tests;
