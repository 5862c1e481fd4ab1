//! Transactions in the partition's log: which records belong to one, how it ended, and who sees it.
//!
//! **Modelled** (KIP-98, KIP-890; `ProducerAppendInfo`, `ProducerStateManager` and `UnifiedLog` of
//! Kafka 4.x). The first transactional record of a producer id opens its transaction in the
//! partition, the next marker of that id ends it, whatever the epochs of the records in between. A
//! marker is an entry of its own and takes an offset. It raises the epoch that the partition knows of
//! the producer, so that older requests are refused; under transaction version 1 a marker of the same
//! epoch is taken, too, under version 2 only where no transaction is open (a repeat of a marker that
//! was written, KAFKA-19999). The last stable offset is where the oldest open transaction begins. Who
//! reads what is committed reads up to it, and skips what was aborted; nobody is given a marker.
//!
//! All of that is told by the log alone, so a truncation takes it back, and a new leader knows what its
//! own log tells. Up to the high watermark a marker is one that readers do not know of yet.
//!
//! Before the first append of a transaction the leader asks the coordinator: under version 1, with
//! `transaction.partition.verification.enable`, whether the partition was added; under version 2 it
//! has it added. While a transaction of that epoch is open in the partition, nobody is asked.
//!
//! **Left out.** That question on its way: what the coordinator does meanwhile could as well come
//! before or after, for a marker that is written in between takes the answer back
//! (`VerificationGuard`). The lowest sequence number among requests that wait for the answer: they are
//! handled in the order of their connection, so the first is the lowest. Coordinator epochs: markers
//! are not late.

use super::{AppendResult, Broker, Entry, EntryKind, Stamp};
use crate::pipeline::{Isolation, KafkaRules, TopicSettings};
use crate::transaction_coordinator::{
    CoordinatorAnswer, Marker, Outcome, Part, Transaction, TransactionVersion,
};

/// Why a record is not part of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotInTransaction {
    /// CONCURRENT_TRANSACTIONS, or NOT_ENOUGH_REPLICAS to older clients: to be tried again.
    Concurrent,
    /// TRANSACTION_ABORTABLE, or INVALID_TXN_STATE to older clients: it was not added.
    NotAdded,
}

/// What has become of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// A record outside of any transaction.
    Plain,
    /// A record whose transaction is open.
    Open,
    /// A record whose transaction ended so.
    Ended(Outcome),
    /// A marker.
    Marker,
}

impl Broker {
    /// Handles a produce request of a transactional producer, whose id `transaction` is.
    pub fn append_in_transaction(
        &mut self,
        record: u16,
        stamp: Stamp,
        transaction: (&mut Transaction, Part),
        topic: &TopicSettings,
        rules: &KafkaRules,
    ) -> Result<AppendResult, NotInTransaction> {
        match self.join_transaction(stamp, transaction, rules)? {
            Some(refused) => Ok(refused),
            None => Ok(self.append_joined(record, stamp, topic, rules)),
        }
    }

    /// What comes before an append in a transaction: where none of this epoch is open in the partition,
    /// the leader asks the coordinator. `None`: the record belongs to the transaction.
    pub fn join_transaction(
        &self,
        stamp: Stamp,
        (transaction, part): (&mut Transaction, Part),
        rules: &KafkaRules,
    ) -> Result<Option<AppendResult>, NotInTransaction> {
        let known = self.known_epoch(stamp.session);
        if known.is_some_and(|known| stamp.epoch < known) {
            return Ok(Some(AppendResult::StaleEpoch));
        }
        let is_ongoing = known == Some(stamp.epoch) && self.is_open(stamp.session);
        if !is_ongoing {
            let asked = match rules.transactions.version {
                TransactionVersion::One if !rules.transactions.verifies => CoordinatorAnswer::Done,
                TransactionVersion::One => transaction.verify(stamp.epoch, part),
                TransactionVersion::Two => transaction.add(stamp.epoch, part),
            };
            match asked {
                CoordinatorAnswer::Done => {}
                CoordinatorAnswer::ConcurrentTransactions => {
                    return Err(NotInTransaction::Concurrent);
                }
                CoordinatorAnswer::ProducerFenced => return Ok(Some(AppendResult::StaleEpoch)),
                CoordinatorAnswer::TransactionAbortable
                | CoordinatorAnswer::InvalidTransactionState
                | CoordinatorAnswer::InvalidProducerIdMapping => {
                    return Err(NotInTransaction::NotAdded);
                }
            }
        }
        Ok(None)
    }

    /// Appends a record that belongs to its producer's transaction, if its number is the next one.
    pub fn append_joined(
        &mut self,
        record: u16,
        stamp: Stamp,
        topic: &TopicSettings,
        rules: &KafkaRules,
    ) -> AppendResult {
        let starts_late = stamp.sequence != 0 && self.known_epoch(stamp.session).is_none();
        if starts_late && rules.transactions.first_numbers_only() {
            return AppendResult::OutOfOrder;
        }
        let check = self.check(stamp, rules);
        if check == AppendResult::Appended {
            self.push(record, stamp, EntryKind::Transactional, topic);
        }
        check
    }

    /// The coordinator has a marker written; it may find a newer epoch of the producer.
    pub fn append_marker(
        &mut self,
        session: u16,
        marker: Marker,
        topic: &TopicSettings,
        rules: &KafkaRules,
    ) -> AppendResult {
        let known = self.known_epoch(session);
        let is_stale = known.is_some_and(|known| match rules.transactions.version {
            TransactionVersion::One => marker.epoch < known,
            TransactionVersion::Two => {
                marker.epoch < known || marker.epoch == known && self.is_open(session)
            }
        });
        if is_stale {
            return AppendResult::StaleEpoch;
        }
        let stamp = Stamp {
            session,
            epoch: marker.epoch,
            sequence: 0,
        };
        self.push(0, stamp, EntryKind::Marker(marker.outcome), topic);
        AppendResult::Appended
    }

    /// The newest epoch that the partition knows of a producer, by a record or a marker.
    pub(super) fn known_epoch(&self, session: u16) -> Option<u16> {
        let own = |entry: &&Entry| entry.is_known_by(session);
        self.log.iter().rfind(own).map(|entry| entry.stamp.epoch)
    }

    /// Whether a transaction of this producer is open in the partition.
    pub fn is_open(&self, session: u16) -> bool {
        let in_transaction = |entry: &&Entry| {
            entry.is_known_by(session)
                && match entry.kind {
                    EntryKind::Plain => false,
                    EntryKind::Transactional | EntryKind::Marker(_) => true,
                }
        };
        let newest = self.log.iter().rfind(in_transaction);
        newest.is_some_and(|entry| entry.kind == EntryKind::Transactional)
    }

    /// What has become of the entry at `offset`.
    ///
    /// # Panics
    /// When there is none.
    pub fn standing(&self, offset: u16) -> Standing {
        let entry = &self.log[usize::from(offset)];
        match entry.kind {
            EntryKind::Plain => Standing::Plain,
            EntryKind::Marker(_) => Standing::Marker,
            EntryKind::Transactional => {
                let ends = |later: &Entry| match later.kind {
                    EntryKind::Marker(outcome) if later.is_known_by(entry.stamp.session) => {
                        Some(outcome)
                    }
                    EntryKind::Plain | EntryKind::Transactional | EntryKind::Marker(_) => None,
                };
                let later = &self.log[usize::from(offset) + 1..];
                later
                    .iter()
                    .find_map(ends)
                    .map_or(Standing::Open, Standing::Ended)
            }
        }
    }

    /// The last stable offset: where the oldest open transaction begins, or the log's end.
    pub fn last_stable_offset(&self) -> u16 {
        let mut offsets = self.log_start()..self.log_end();
        offsets
            .find(|offset| self.standing(*offset) == Standing::Open)
            .unwrap_or(self.log_end())
    }

    /// How far a reader can read.
    pub fn readable_end(&self, isolation: Isolation) -> u16 {
        match isolation {
            Isolation::ReadUncommitted => self.log_end(),
            Isolation::ReadCommitted => self.last_stable_offset(),
        }
    }

    /// Whether a reader is given the entry at `offset`, or may be once its transaction has ended.
    pub fn may_show(&self, offset: u16, isolation: Isolation) -> bool {
        self.standing(offset) == Standing::Open || self.shows(offset, isolation)
    }

    /// Whether a reader who has come this far is given the entry at `offset`.
    pub fn shows(&self, offset: u16, isolation: Isolation) -> bool {
        match (self.standing(offset), isolation) {
            (Standing::Marker, _) => false,
            (Standing::Plain, _) | (_, Isolation::ReadUncommitted) => true,
            (Standing::Ended(outcome), Isolation::ReadCommitted) => outcome == Outcome::Commit,
            (Standing::Open, Isolation::ReadCommitted) => false,
        }
    }
}
