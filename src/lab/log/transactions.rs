//! Transactions in the log: their batches and markers, and who sees what of them.
//!
//! The rules are those of the model's broker (`semel_models::broker`). Which transactions are open and
//! which were aborted is told by the batches alone; Kafka's index of aborted transactions holds
//! nothing that they do not.

use super::batch::{Batch, Record};
use super::segment::Header;
use super::{Log, Produced, StorageError};
use crate::lab::words::{NextOffset, Offset, ProducerEpoch, ProducerId, RecordId, Sequence, Stamp};
use semel_models::broker::EntryKind;
use semel_models::pipeline::Isolation;
use semel_models::transaction_coordinator::{CoordinatorAnswer, Outcome, TransactionVersion};
use std::collections::BTreeMap;

/// What the log tells of its transactions.
#[derive(Debug, Default)]
struct Transactions {
    /// Those without a marker, with their first offsets.
    open: BTreeMap<ProducerId, Offset>,
    /// Those that were aborted: whose, from where, and where the marker is.
    aborted: Vec<(ProducerId, Offset, Offset)>,
}

impl Log {
    /// Handles a produce request of a transactional producer. Before the first batch of a transaction
    /// the leader asks the coordinator: `ask`.
    pub fn append_in_transaction(
        &mut self,
        stamp: Stamp,
        record: &Record,
        ask: impl FnOnce() -> CoordinatorAnswer,
    ) -> Result<Produced, StorageError> {
        let known = self.producers.epoch_of(stamp.producer);
        if known.is_some_and(|known| stamp.epoch < known) {
            return Ok(Produced::StaleEpoch);
        }
        let is_ongoing = known == Some(stamp.epoch) && self.is_open(stamp.producer);
        if !is_ongoing {
            match ask() {
                CoordinatorAnswer::Done => {}
                CoordinatorAnswer::ConcurrentTransactions => return Ok(Produced::Concurrent),
                CoordinatorAnswer::ProducerFenced => return Ok(Produced::StaleEpoch),
                CoordinatorAnswer::TransactionAbortable
                | CoordinatorAnswer::InvalidTransactionState
                | CoordinatorAnswer::InvalidProducerIdMapping => return Ok(Produced::NotAdded),
            }
        }
        let starts_late = known.is_none() && stamp.sequence != Sequence(0);
        if starts_late && self.settings.rules.transactions.first_numbers_only() {
            return Ok(Produced::OutOfOrder);
        }
        self.append_checked(Some(stamp), EntryKind::Transactional, record)
    }

    /// The coordinator has a marker written; a newer epoch of the producer refuses it.
    pub fn append_marker(
        &mut self,
        producer: ProducerId,
        epoch: ProducerEpoch,
        outcome: Outcome,
    ) -> Result<Produced, StorageError> {
        let is_repeat = self.has_epoch_for_each_transaction() && self.is_open(producer);
        let is_stale = self
            .producers
            .epoch_of(producer)
            .is_some_and(|known| epoch < known || epoch == known && is_repeat);
        if is_stale {
            return Ok(Produced::StaleEpoch);
        }
        let stamp = Stamp {
            producer,
            epoch,
            sequence: Sequence(0),
        };
        self.append_new(Some(stamp), EntryKind::Marker(outcome), None)
    }

    fn has_epoch_for_each_transaction(&self) -> bool {
        match self.settings.rules.transactions.version {
            TransactionVersion::One => false,
            TransactionVersion::Two => true,
        }
    }

    /// Whether a transaction of `producer` is open.
    pub fn is_open(&self, producer: ProducerId) -> bool {
        let newest = self.entries().rev().find_map(|header| {
            let own = header.stamp.is_some_and(|stamp| stamp.producer == producer);
            match header.kind {
                EntryKind::Plain => None,
                EntryKind::Transactional => own.then_some(true),
                EntryKind::Marker(_) => own.then_some(false),
            }
        });
        newest.unwrap_or(false)
    }

    /// The last stable offset: where the oldest open transaction begins, or the log's end.
    pub fn last_stable_offset(&self) -> Offset {
        self.transactions().first_open().unwrap_or(self.log_end())
    }

    /// The records that a client reads from `from` on, at most `most`, as far as the log is readable
    /// below `end`: markers are passed over, and what its isolation level hides.
    pub fn read(
        &self,
        from: NextOffset,
        most: usize,
        isolation: Isolation,
        end: Offset,
    ) -> Result<Vec<Batch>, StorageError> {
        let transactions = self.transactions_below(end);
        let end = transactions.readable_end(isolation, end);
        let shows = |header: &Header| match isolation {
            Isolation::ReadUncommitted => true,
            Isolation::ReadCommitted => !transactions.has_aborted(header),
        };
        let mut batches = Vec::new();
        let start = Offset(from.0).max(self.log_start);
        for segment in self.segments.iter().filter(|segment| segment.end() > start) {
            for header in segment.headers().filter(|header| header.record.is_some()) {
                let readable = header.offset >= start && header.offset < end;
                if readable && shows(header) && batches.len() < most {
                    batches.extend(segment.read(header.offset, 1)?);
                }
            }
        }
        Ok(batches)
    }

    /// How far a client can read of what lies below `end`.
    pub(crate) fn readable_end(&self, isolation: Isolation, end: Offset) -> Offset {
        let transactions = self.transactions_below(end);
        transactions.readable_end(isolation, end)
    }

    /// The records from the last stable offset on that readers of what is committed may see later:
    /// which, whose, and whether their transaction has committed.
    pub(crate) fn unstable(&self) -> Vec<(RecordId, ProducerId, bool)> {
        let transactions = self.transactions();
        let stable = self.last_stable_offset();
        let beyond = self.entries().filter(|header| header.offset >= stable);
        beyond
            .filter(|header| !transactions.has_aborted(header))
            .filter_map(|header| {
                let producer = header.stamp?.producer;
                let first = transactions.open.get(&producer);
                let is_open = first.is_some_and(|first| header.offset >= *first);
                Some((header.record?, producer, !is_open))
            })
            .collect()
    }

    fn transactions(&self) -> Transactions {
        self.transactions_below(self.log_end())
    }

    /// What the entries below `end` tell: a marker ends its transaction once it is below the high
    /// watermark.
    fn transactions_below(&self, end: Offset) -> Transactions {
        let mut found = Transactions::default();
        for header in self.entries().filter(|header| header.offset < end) {
            let Some(stamp) = header.stamp else {
                continue;
            };
            match header.kind {
                EntryKind::Plain => {}
                EntryKind::Transactional => {
                    found.open.entry(stamp.producer).or_insert(header.offset);
                }
                EntryKind::Marker(outcome) => {
                    let first = found.open.remove(&stamp.producer);
                    if let (Some(first), Outcome::Abort) = (first, outcome) {
                        found.aborted.push((stamp.producer, first, header.offset));
                    }
                }
            }
        }
        found
    }
}

impl Transactions {
    /// Where the oldest open one begins.
    fn first_open(&self) -> Option<Offset> {
        self.open.values().min().copied()
    }

    /// How far a client can read of what lies below `end`, which they are told by.
    fn readable_end(&self, isolation: Isolation, end: Offset) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => end,
            Isolation::ReadCommitted => self.first_open().unwrap_or(end),
        }
    }

    fn has_aborted(&self, header: &Header) -> bool {
        let mut aborted = self.aborted.iter();
        header.kind == EntryKind::Transactional
            && aborted.any(|(producer, first, last)| {
                let own = header
                    .stamp
                    .is_some_and(|stamp| stamp.producer == *producer);
                own && (*first..*last).contains(&header.offset)
            })
    }
}
