//! The broker: the one replica of the partition, its log and what it knows of producers.
//!
//! **Modelled.** An append-only log with leader epochs, flushed and unflushed length; the checks
//! of an idempotent append at the partition leader (KIP-98, `ProducerAppendInfo` and
//! `ProducerStateEntry` of Kafka 4.x): the last five batches of a producer id's current epoch are
//! remembered, an exact repeat is answered as a success without an append, a sequence number that
//! does not follow is refused as out of order, a new epoch must start at 0, and *any* sequence
//! number is accepted of a producer id that the log does not know. `OffsetsForLeaderEpoch` with
//! its truncation detection (KIP-101, KIP-320).
//!
//! Of an epoch that it knows by a marker only, it takes 0; before 2.5 it answers anything else with
//! UNKNOWN_PRODUCER_ID (`ProducerAppendInfo.checkSequence`), later as out of order.
//!
//! What the broker knows of producers is derived from the log at each append. A restart after an
//! unclean stop remembers less: recovery of the active segment ends with a snapshot at the log's
//! end, a snapshot holds only the *last* batch of each producer id, and loading it replays nothing
//! (`LogLoader.recoverLog`, `ProducerStateManager`). A retry of an earlier batch is then out of
//! order.
//!
//! **The producer id expires** (`producer.id.expiration.ms`) when it was idle for that long: the
//! broker then knows nothing of it, and takes its next request as that of an unknown one
//! (`ProducerStateManager.removeExpiredProducers`). A restart that replays a record of an expired
//! id knows it again until the next check a few minutes later; that is left out, for the broker
//! may forget it again before anything arrives.
//!
//! **Retention** removes the oldest entry: the budget counts records. Records of one segment leave
//! together, so each of its removals is some of these one after the other. What the broker knows of producers outlives their
//! records, except in a restart: snapshots at or below the log's start are deleted
//! (`ProducerStateManager.truncateAndReload`). A snapshot of a later segment may still know a
//! producer whose records are all gone; a restart that finds one does what one before the removal
//! does, and that is explored, too. Older rules are in [`KafkaRules`]. What left the log had been
//! flushed, for only closed segments below the high watermark are deleted.
//!
//! **Compaction** is in `compaction`.
//!
//! **Left out.** A roll of the segment, which also takes a snapshot but forgets nothing in the
//! running broker. With one replica the
//! high watermark is the log's end and `acks=1` equals `acks=all`: a minimum of in-sync replicas
//! above the replica count does not block (`Partition.effectiveMinIsr`). A restart is one step:
//! nothing that a client does while the broker is down reaches it, so every interleaving with the
//! time in between is the same as one before or after.

mod compaction;
mod transactions;

pub use transactions::{NotInTransaction, Standing};

use crate::codec::Codec;
use crate::limbo::Late;
use crate::limits::Limits;
use crate::list::List;
use crate::offset::Offset;
use crate::pipeline::{Isolation, KafkaRules, Pipeline, TopicSettings};
use crate::transaction_coordinator::Outcome;

/// How many batches of a producer id the leader remembers.
const REMEMBERED_BATCHES: usize = 5;

/// The producer id, epoch and sequence number that a batch carries on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stamp {
    /// The producer's session, which stands for its producer id.
    pub session: u16,
    /// The producer epoch.
    pub epoch: u16,
    /// The sequence number.
    pub sequence: u16,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// A record outside of any transaction.
    #[default]
    Plain,
    /// A record in a transaction.
    Transactional,
    /// The control record that ends a transaction.
    Marker(Outcome),
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [EntryKind; 4] = [
        EntryKind::Plain,
        EntryKind::Transactional,
        EntryKind::Marker(Outcome::Commit),
        EntryKind::Marker(Outcome::Abort),
    ];
}

/// One log entry: a batch of one record, or a marker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// The record's application identity; 0 in a marker.
    pub record: u16,
    /// Where the batch came from; all zero without idempotence.
    pub stamp: Stamp,
    /// The leader epoch in which it was appended.
    pub leader_epoch: u16,
    /// Whether the broker no longer knows the producer id by this batch; its stamp is then cleared.
    pub forgotten: bool,
    /// Whether it is part of a transaction, or the marker of one.
    pub kind: EntryKind,
    /// Whether its record is no longer there while later and earlier ones are.
    pub removed: bool,
    /// Whether its batch is there without the record, at one of several replicas.
    pub emptied: bool,
}

/// What the leader answers to a produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppendResult {
    /// Appended.
    Appended,
    /// A repeat of a remembered batch: a success without an append.
    Duplicate,
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrder,
    /// INVALID_PRODUCER_EPOCH: an older epoch than the one known.
    StaleEpoch,
    /// UNKNOWN_PRODUCER_ID.
    UnknownProducerId,
}

/// The partition's only replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Broker {
    /// The log from offset 0, with what has left it.
    pub log: List<Entry, 8>,
    /// The offset of the first entry that has not left the log.
    pub log_start: u16,
    /// How many entries are known to be on disk.
    pub flushed: u16,
    /// The current leader epoch.
    pub leader_epoch: u16,
    /// Where the log ended when the broker last recovered it: of what lies below, it remembers
    /// the last batch of each producer id.
    pub recovered: u16,
}

impl Broker {
    /// The offset that the next entry will get.
    pub fn log_end(&self) -> u16 {
        self.log.len() as u16
    }

    /// The offset of the oldest entry.
    pub fn log_start(&self) -> u16 {
        self.log_start
    }

    /// The records in the log at and above `offset`, each with its offset.
    pub fn records_from(&self, offset: u16) -> impl Iterator<Item = (Offset, &Entry)> {
        let start = usize::from(offset.max(self.log_start));
        let entries = self.log.iter().enumerate().skip(start);
        entries
            .filter(|(_, entry)| entry.is_record())
            .map(|(offset, entry)| (Offset(offset as u16), entry))
    }

    /// Of these, those that polls return as far as can be read now. What lies in between has an
    /// offset and is never seen: a gap.
    pub fn visible_from(
        &self,
        offset: u16,
        isolation: Isolation,
    ) -> impl Iterator<Item = (Offset, &Entry)> {
        let end = self.readable_end(isolation);
        self.records_from(offset)
            .take_while(move |(offset, _)| offset.0 < end)
            .filter(move |(offset, _)| self.shows(offset.0, isolation))
    }

    /// Whether a copy of `record` lies in the log at or above `offset` that a reader is given, or
    /// may be once its transaction has ended.
    pub fn holds_from(&self, record: u16, offset: u16, isolation: Isolation) -> bool {
        self.records_from(offset)
            .any(|(at, entry)| entry.record == record && self.may_show(at.0, isolation))
    }

    /// Handles one produce request; `stamp` is there with idempotence.
    pub fn append(
        &mut self,
        record: u16,
        stamp: Option<Stamp>,
        topic: &TopicSettings,
        rules: &KafkaRules,
    ) -> AppendResult {
        if let Some(stamp) = stamp {
            let check = self.check(stamp, rules);
            if check != AppendResult::Appended {
                return check;
            }
        }
        self.push(record, stamp.unwrap_or_default(), EntryKind::Plain, topic);
        AppendResult::Appended
    }

    fn push(&mut self, record: u16, stamp: Stamp, kind: EntryKind, topic: &TopicSettings) {
        self.log.push(Entry {
            record,
            stamp,
            leader_epoch: self.leader_epoch,
            forgotten: false,
            kind,
            removed: false,
            emptied: false,
        });
        self.flush(topic);
    }

    fn flush(&mut self, topic: &TopicSettings) {
        if let Some(interval) = topic.flush_messages
            && u64::from(self.log_end() - self.flushed) >= interval
        {
            self.flushed = self.log_end();
        }
    }

    fn check(&self, stamp: Stamp, rules: &KafkaRules) -> AppendResult {
        // The last batch, and before it what was appended since the last recovery.
        let known = || {
            let own = |(_, entry): &(usize, &Entry)| {
                entry.is_known_by(stamp.session) && !entry.is_marker()
            };
            let newest_first = self.log.iter().enumerate().rev().filter(own);
            // A recovery learns one batch of each producer id, its last.
            let mut learned = 0;
            newest_first
                .take_while(move |(offset, _)| {
                    learned += u16::from(*offset < usize::from(self.recovered));
                    learned <= 1
                })
                .map(|(_, entry)| entry.stamp)
        };
        let Some(epoch) = self.known_epoch(stamp.session) else {
            return if rules.unknown_producer_starts_anywhere || stamp.sequence == 0 {
                AppendResult::Appended
            } else {
                AppendResult::UnknownProducerId
            };
        };
        if stamp.epoch < epoch {
            return AppendResult::StaleEpoch;
        }
        let mut batches = known().take_while(|known| known.epoch == stamp.epoch);
        let Some(last) = batches.next() else {
            // The epoch is new, or only a marker has come with it.
            return if stamp.sequence == 0 {
                AppendResult::Appended
            } else if stamp.epoch == epoch && !rules.unknown_producer_starts_anywhere {
                AppendResult::UnknownProducerId
            } else {
                AppendResult::OutOfOrder
            };
        };
        let repeated = std::iter::once(last)
            .chain(batches)
            .take(REMEMBERED_BATCHES)
            .any(|known| known.sequence == stamp.sequence);
        if repeated {
            AppendResult::Duplicate
        } else if stamp.sequence == last.sequence + 1 {
            AppendResult::Appended
        } else {
            AppendResult::OutOfOrder
        }
    }

    /// Whether the number of a late produce request is an old one: a repeat, out of order, or of an older epoch.
    pub fn has_passed(&self, late: &Late) -> bool {
        let Late::Produce {
            stamp: Some(stamp), ..
        } = late
        else {
            return false;
        };
        let known = self.known_epoch(stamp.session);
        let is_old = |entry: &Entry| {
            let own = entry.stamp;
            entry.is_known_by(stamp.session)
                && !entry.is_marker()
                && (own.epoch, own.sequence) >= (stamp.epoch, stamp.sequence)
        };
        known.is_some_and(|known| stamp.epoch < known) || self.log.iter().any(is_old)
    }

    /// The broker stops and starts again with the first `kept` entries, which it elects itself
    /// leader of in a new leader epoch.
    pub fn restart(&mut self, kept: u16, synced: Synced) {
        self.recover(kept, synced);
        self.leader_epoch += 1;
    }

    /// The broker starts again with the first `kept` entries.
    pub fn recover(&mut self, kept: u16, synced: Synced) {
        self.log.truncate(usize::from(kept));
        self.log_start = self.log_start.min(kept);
        for entry in &mut self.log[..usize::from(self.log_start)] {
            entry.forget();
        }
        self.flushed = match synced {
            Synced::WhatIsLeft => kept,
            Synced::AsBefore => self.flushed.min(kept),
        };
        self.recovered = kept;
    }

    /// A follower appends what its leader has, and knows its producer, whatever the leader has forgotten.
    /// Of what left nothing behind it hears nothing.
    pub fn replicate(&mut self, entry: Entry, topic: &TopicSettings) {
        let before = self.last_epoch().unwrap_or_default();
        let mut own = Entry {
            forgotten: false,
            ..entry
        };
        if own.is_gone() {
            own.forget();
            own.leader_epoch = before;
            self.log.push(own);
        } else {
            self.log.push(own);
            self.flush(topic);
        }
    }

    /// A follower hears that its leader's log begins at `start`.
    pub fn follow_start(&mut self, start: u16, rules: &KafkaRules) {
        if start > self.log_start {
            self.remove_below(start, rules);
        }
    }

    /// A follower whose log ends before its leader's begins starts anew there, and knows no producer.
    pub fn start_anew(&mut self, leader: &Broker) {
        let start = usize::from(leader.log_start);
        self.log.truncate(0);
        for entry in &leader.log[..start] {
            let mut gone = *entry;
            gone.forget();
            self.log.push(gone);
        }
        self.log_start = leader.log_start;
        self.flushed = leader.log_start;
    }

    /// A follower removes the entries from `end` on. What it knows of producers it reads again from
    /// the log.
    pub fn truncate(&mut self, end: u16) {
        if end < self.log_end() {
            self.log.truncate(usize::from(end));
            self.forget_gone();
        }
        self.log_start = self.log_start.min(end);
        self.flushed = self.flushed.min(end);
        self.recovered = self.recovered.min(end);
    }

    /// The leader epoch of the last entry.
    pub fn last_epoch(&self) -> Option<u16> {
        self.log.last().map(|entry| entry.leader_epoch)
    }

    /// Where its entries of `leader_epoch` and before it end.
    pub fn end_of_entries(&self, leader_epoch: u16) -> u16 {
        let mut entries = self.log.iter();
        let later = entries.position(|entry| entry.leader_epoch > leader_epoch);
        later.unwrap_or(self.log.len()) as u16
    }

    /// Where the log of the current leader epoch starts at its leader.
    pub fn start_of_epoch(&self) -> u16 {
        let mut entries = self.log.iter();
        let own = entries.position(|entry| entry.leader_epoch >= self.leader_epoch);
        own.unwrap_or(self.log.len()) as u16
    }

    /// The oldest record leaves the log. What was removed had been flushed.
    pub fn remove_oldest(&mut self, rules: &KafkaRules) {
        let oldest = self.records_from(0).next();
        let oldest = oldest.map_or(self.log_start, |(offset, _)| offset.0);
        self.remove_below(oldest + 1, rules);
    }

    /// The log begins at `start` from now on.
    pub fn remove_below(&mut self, start: u16, rules: &KafkaRules) {
        self.log_start = start;
        self.flushed = self.flushed.max(self.log_start);
        if rules.producer_state_outlives_records {
            return;
        }
        let (gone, left) = self.log.split_at_mut(usize::from(self.log_start));
        for entry in gone {
            let session = entry.stamp.session;
            if !left.iter().any(|other| other.is_known_by(session)) {
                entry.forget();
            }
        }
    }

    /// Whether the broker knows the producer id of `session`.
    pub fn knows(&self, session: u16) -> bool {
        self.log.iter().any(|entry| entry.is_known_by(session))
    }

    /// The producer id of `session` expires.
    pub fn forget_producer(&mut self, session: u16) {
        let own = |entry: &&mut Entry| entry.is_known_by(session);
        self.log.iter_mut().filter(own).for_each(Entry::forget);
    }

    /// The same at one of several replicas, from which another may fetch what it has: what it does not
    /// know any more stays in the batch.
    pub fn expire_producer(&mut self, session: u16) {
        let own = |entry: &&mut Entry| entry.is_known_by(session);
        let entries = self.log.iter_mut().filter(own);
        entries.for_each(|entry| entry.forgotten = true);
    }

    /// The offset of the newest entry with this stamp.
    pub fn offset_of(&self, stamp: Stamp) -> Option<u16> {
        let same = |entry: &Entry| !entry.forgotten && entry.stamp == stamp && !entry.is_marker();
        self.log.iter().rposition(same).map(|offset| offset as u16)
    }

    /// `OffsetsForLeaderEpoch`: where the log of `leader_epoch` ends.
    pub fn end_of_epoch(&self, leader_epoch: u16) -> u16 {
        if leader_epoch == self.leader_epoch {
            return self.log_end();
        }
        self.log
            .iter()
            .take_while(|entry| entry.leader_epoch <= leader_epoch)
            .count()
            .max(usize::from(self.log_start)) as u16
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.log.code(codec, limits.log, |entry, codec| {
            codec.field(&mut entry.record, limits.records - 1);
            codec.flag_if(limits.forgets, &mut entry.forgotten);
            codec.flag_if(limits.gaps, &mut entry.removed);
            codec.flag_if(limits.empties, &mut entry.emptied);
            if !entry.forgotten || limits.expires_apart {
                entry.stamp.code(codec, limits, pipeline);
            }
            codec.field(&mut entry.leader_epoch, limits.leader_epochs);
            if limits.transactions {
                entry.code_kind(codec);
            }
        });
        if limits.truncation {
            codec.field(&mut self.flushed, limits.log);
            codec.field(&mut self.recovered, limits.log);
        }
        codec.field(&mut self.leader_epoch, limits.leader_epochs);
        if limits.retention {
            codec.field(&mut self.log_start, limits.log);
        }
    }
}

impl Entry {
    /// Whether it is a record that is still there.
    pub fn is_record(&self) -> bool {
        !self.removed && !self.is_marker()
    }

    /// Whether nothing is left of it but its offset.
    pub fn is_gone(&self) -> bool {
        self.removed && !self.emptied
    }

    /// Whether it is a marker.
    pub fn is_marker(&self) -> bool {
        matches!(self.kind, EntryKind::Marker(_))
    }

    fn code_kind(&mut self, codec: &mut impl Codec) {
        let own = |kind: &EntryKind| *kind == self.kind;
        let mut index = EntryKind::ALL.iter().position(own).unwrap_or_default() as u16;
        codec.field(&mut index, EntryKind::ALL.len() as u16 - 1);
        self.kind = EntryKind::ALL[usize::from(index)];
    }

    fn is_known_by(&self, session: u16) -> bool {
        !self.forgotten && self.stamp.session == session
    }

    pub(crate) fn forget(&mut self) {
        self.forgotten = true;
        self.stamp = Stamp::default();
    }
}

impl Stamp {
    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        if pipeline.producer.idempotence {
            codec.field(&mut self.session, limits.sessions);
            codec.field(&mut self.epoch, limits.epochs);
            codec.field(&mut self.sequence, limits.sequence);
        }
    }
}

/// How much of what is left after a restart is known to be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synced {
    /// After a loss of power: what survived was on disk.
    WhatIsLeft,
    /// After a crash of the process: the page cache kept what was not yet flushed.
    AsBefore,
}

#[cfg(test)]
mod tests;
