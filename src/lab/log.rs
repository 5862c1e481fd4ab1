//! The partition's log on disk, in segments, with what the broker knows of its producers.
//!
//! The rules are those of the model's broker, and so is what is left out. One difference is of
//! detail: retention deletes whole segments, and the log's start may lie inside one; what lies
//! below it in the file cannot be read any more.
//!
//! The log is that of a partition's only replica or of one of several ([`Log::replicate`]); it may hold
//! transactions ([`Log::append_in_transaction`]), and its cleaner may have removed records from it
//! ([`Log::clean`]).
//!
//! A roll does not sync. Kafka has a background thread sync what was rolled, some time later: a
//! power loss may come before.

mod batch;
mod clean;
mod epochs;
mod producers;
mod recovery;
mod replica;
mod segment;
mod stop;
mod transactions;
mod trim;

pub use batch::{Batch, Record};
pub use producers::REMEMBERED_BATCHES;
pub use recovery::{Cut, Recovery};
pub use stop::Remains;

use crate::lab::disk::{Checkpoint, Directory, StorageError, Sync};
use crate::lab::words::{LeaderEpoch, NextOffset, Offset, ProducerId, Stamp};
use epochs::Epochs;
use producers::{Check, Producers};
use segment::{Header, Segment};
use semel_models::broker::EntryKind;
use semel_models::rules::KafkaRules;
use std::collections::BTreeMap;

/// The topic's and the broker's settings, and how the lab syncs.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// `segment.bytes`: a segment is closed before it would get larger.
    pub segment_bytes: u64,
    /// `flush.messages`: after how many appended records the log is synced; `None`: never by
    /// itself.
    pub flush_messages: Option<u64>,
    /// `cleanup.policy=compact`: offsets may be missing in the files.
    pub compacted: bool,
    /// The rules of the broker's release.
    pub rules: KafkaRules,
    /// What a sync does.
    pub sync: Sync,
}

/// Kafka's defaults with simulated syncs.
impl Default for LogSettings {
    fn default() -> Self {
        LogSettings {
            segment_bytes: 1 << 30,
            flush_messages: None,
            compacted: false,
            rules: KafkaRules::CURRENT,
            sync: Sync::Simulated,
        }
    }
}

/// What the leader answers to a produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Produced {
    /// Appended at this offset.
    Appended(Offset),
    /// A repeat of the batch at this offset, which is remembered: a success without an append.
    Duplicate(Offset),
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrder,
    /// INVALID_PRODUCER_EPOCH: an older epoch than the one known.
    StaleEpoch,
    /// UNKNOWN_PRODUCER_ID.
    UnknownProducerId,
    /// CONCURRENT_TRANSACTIONS: the transaction before is not complete.
    Concurrent,
    /// TRANSACTION_ABORTABLE: the partition was not added to the transaction.
    NotAdded,
}

/// What the leader answers to a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// These follow; none at the log's end.
    Batches(Vec<Batch>),
    /// OFFSET_OUT_OF_RANGE: it lies below the log's start or beyond its end.
    OutOfRange,
}

/// The log of a replica of the partition.
///
/// ```
/// use semel::lab::{Fetched, Log, LogSettings, NextOffset, Produced, Record, Remains};
/// use semel::lab::{Offset, ProducerId, Stamp};
///
/// let dir = tempfile::tempdir()?;
/// let (mut log, _) = Log::open(dir.path(), LogSettings::default(), &Remains::default())?;
/// let first = Stamp { producer: ProducerId(1), ..Stamp::default() };
/// assert_eq!(log.append(Some(first), &Record::bare(40))?, Produced::Appended(Offset(0)));
/// assert_eq!(log.append(Some(first), &Record::bare(40))?, Produced::Duplicate(Offset(0)));
///
/// let Fetched::Batches(batches) = log.fetch(NextOffset(0), 500)? else { panic!("in range") };
/// assert_eq!(batches[0].record, Some(Record::bare(40)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Log {
    directory: Directory,
    settings: LogSettings,
    log_start_checkpoint: Checkpoint,
    /// Which leader epoch begins where, as it was before the last cleaning.
    epoch_checkpoint: Checkpoint,
    /// Never empty; the last one is written to.
    segments: Vec<Segment>,
    log_start: Offset,
    recovery_point: Offset,
    leader_epoch: LeaderEpoch,
    epochs: Epochs,
    producers: Producers,
    /// Where the log ended when it was opened: of what lies below, the last batch of each producer
    /// id is remembered.
    recovered: Offset,
    /// Where the log ended when a producer id expired: its batches below are not taken up again.
    expired: BTreeMap<ProducerId, Offset>,
}

impl Log {
    /// The offset of the oldest batch.
    pub fn log_start(&self) -> Offset {
        self.log_start
    }

    /// The offset that the next batch will get.
    pub fn log_end(&self) -> Offset {
        self.active().end()
    }

    /// What lies below was synced.
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// The current leader epoch.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// The base offsets of the segments.
    pub fn segments(&self) -> impl Iterator<Item = Offset> {
        self.segments.iter().map(Segment::base)
    }

    /// Handles one produce request; `stamp` is there with idempotence. After an error in writing
    /// the log is as before; after one in syncing the batch is in it, and not known to be on disk.
    pub fn append(
        &mut self,
        stamp: Option<Stamp>,
        record: &Record,
    ) -> Result<Produced, StorageError> {
        self.append_checked(stamp, EntryKind::Plain, record)
    }

    fn append_checked(
        &mut self,
        stamp: Option<Stamp>,
        kind: EntryKind,
        record: &Record,
    ) -> Result<Produced, StorageError> {
        if let Some(stamp) = stamp {
            match self.producers.check(stamp, &self.settings.rules) {
                Check::Follows => {}
                Check::Duplicate(offset) => return Ok(Produced::Duplicate(offset)),
                Check::OutOfOrder => return Ok(Produced::OutOfOrder),
                Check::StaleEpoch => return Ok(Produced::StaleEpoch),
                Check::Unknown => return Ok(Produced::UnknownProducerId),
            }
        }
        self.append_new(stamp, kind, Some(record.clone()))
    }

    fn append_new(
        &mut self,
        stamp: Option<Stamp>,
        kind: EntryKind,
        record: Option<Record>,
    ) -> Result<Produced, StorageError> {
        let offset = self.log_end();
        self.store(&Batch {
            offset,
            leader_epoch: self.leader_epoch,
            stamp,
            kind,
            record,
        })?;
        Ok(Produced::Appended(offset))
    }

    /// Writes the batch, remembers its producer, and syncs where that is due.
    fn store(&mut self, batch: &Batch) -> Result<(), StorageError> {
        let bytes = self.active().bytes();
        let len = batch.to_frame().len() as u64;
        if bytes > 0 && bytes + len > self.settings.segment_bytes {
            // Where a follower fetches a gap it begins before the batch.
            self.segments
                .push(Segment::create(&self.directory, self.log_end())?);
        }
        self.active_mut().append(batch)?;
        self.epochs.assign(batch.leader_epoch, batch.offset);
        self.remember(batch.offset, batch.stamp, batch.kind);
        if let Some(interval) = self.settings.flush_messages
            && self.log_end().0 - self.recovery_point.0 >= interval
        {
            self.flush()?;
        }
        Ok(())
    }

    fn remember(&mut self, offset: Offset, stamp: Option<Stamp>, kind: EntryKind) {
        let Some(stamp) = stamp else {
            return;
        };
        match kind {
            EntryKind::Marker(_) => self.producers.ended(stamp.producer, stamp.epoch, offset),
            EntryKind::Plain | EntryKind::Transactional if offset < self.recovered => {
                self.producers.recovered(stamp, offset);
            }
            EntryKind::Plain | EntryKind::Transactional => self.producers.appended(stamp, offset),
        }
    }

    /// Up to `most` batches from `from` on.
    pub fn fetch(&self, from: NextOffset, most: usize) -> Result<Fetched, StorageError> {
        let from = Offset(from.0);
        if from < self.log_start || from > self.log_end() {
            return Ok(Fetched::OutOfRange);
        }
        let mut batches = Vec::new();
        for segment in self.segments.iter().filter(|segment| segment.end() > from) {
            let start = from.max(segment.base());
            batches.extend(segment.read(start, most - batches.len())?);
        }
        Ok(Fetched::Batches(batches))
    }

    /// Everything appended so far survives a power loss.
    pub fn flush(&mut self) -> Result<(), StorageError> {
        self.flush_up_to(self.log_end())
    }

    fn flush_up_to(&mut self, offset: Offset) -> Result<(), StorageError> {
        for segment in &mut self.segments {
            segment.sync_up_to(offset)?;
        }
        self.recovery_point = self.recovery_point.max(offset);
        Ok(())
    }

    /// Whether the broker knows `producer`.
    pub fn knows(&self, producer: ProducerId) -> bool {
        self.producers.knows(producer)
    }

    /// `producer` was idle for `producer.id.expiration.ms` and is forgotten.
    pub fn forget_producer(&mut self, producer: ProducerId) {
        self.producers.forget(producer);
        self.expired.insert(producer, self.log_end());
    }

    /// What is remembered of its batches, from its start on.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Header> + Clone {
        let segments = self.segments.iter();
        segments
            .flat_map(Segment::headers)
            .filter(|header| header.offset >= self.log_start)
    }

    fn active(&self) -> &Segment {
        self.segments
            .last()
            .expect("a log has a segment to write to")
    }

    fn active_mut(&mut self) -> &mut Segment {
        self.segments
            .last_mut()
            .expect("a log has a segment to write to")
    }

    /// What a broker knows of producers once it has read the log again: of what was there when it
    /// was opened the last batch of each, of what came later all that it would have remembered.
    fn recover_producers(&mut self) {
        self.producers = Producers::default();
        let headers = self.segments.iter().flat_map(Segment::headers);
        let headers: Vec<_> = headers.copied().collect();
        for header in headers {
            let is_expired = |stamp: Stamp| {
                let until = self.expired.get(&stamp.producer);
                until.is_some_and(|until| header.offset < *until)
            };
            if header.offset >= self.log_start && !header.stamp.is_some_and(is_expired) {
                self.remember(header.offset, header.stamp, header.kind);
            }
        }
    }
}
