//! Opening a log, whatever state its files were left in.

use super::epochs::Epochs;
use super::segment::{BadTail, Offsets, Segment, base_of, name_of};
use super::{Log, LogSettings, Remains, clean};
use crate::lab::disk::{Checkpoint, Directory, StorageError};
use crate::lab::frame::Flaw;
use crate::lab::log::producers::Producers;
use crate::lab::words::{LeaderEpoch, Offset};
use std::path::Path;

/// The file that holds the log's start; Kafka has one of that name for all logs of a disk.
const LOG_START_CHECKPOINT: &str = "log-start-offset-checkpoint";
/// The file that holds where each leader epoch begins, as Kafka names it.
const EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";

/// What a recovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// What was cut; `None`: every byte was as it had been written.
    pub cut: Option<Cut>,
}

/// What a recovery cut off: everything from the first flaw on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// Where the log ends now.
    pub at: Offset,
    /// What was wrong there.
    pub flaw: Flaw,
    /// How many bytes were cut off the segment with the flaw.
    pub bytes: u64,
    /// The base offsets of the segments that were deleted, oldest first.
    pub deleted: Vec<Offset>,
}

impl Log {
    /// Opens the log in `path`, or starts one there, and leads it in a new epoch.
    ///
    /// Segments are read in their order up to the first frame that is not whole, has another
    /// checksum, or not the next offset; where the log is compacted, not a larger one. The log is cut
    /// there, and later segments are deleted. A segment begins where the one before ends, also where the
    /// log is compacted: the last record of what is cleaned is the newest of its key, and stays.
    pub fn open(
        path: &Path,
        settings: LogSettings,
        remains: &Remains,
    ) -> Result<(Log, Recovery), StorageError> {
        let directory = Directory::open(path, settings.sync)?;
        let log_start_checkpoint = Checkpoint::new(&directory, LOG_START_CHECKPOINT);
        let epoch_checkpoint = Checkpoint::new(&directory, EPOCH_CHECKPOINT);
        let stored_start = log_start_checkpoint.read()?.first().copied().map(Offset);
        let offsets = match settings.compacted {
            true => Offsets::Growing,
            false => Offsets::WithoutGaps,
        };
        clean::finish(&directory)?;
        let (mut segments, cut) = recover_segments(&directory, offsets)?;
        if segments.is_empty() {
            let base = stored_start.unwrap_or_default();
            segments.push(Segment::create(&directory, base)?);
        }
        let mut log = Log {
            directory,
            settings,
            log_start_checkpoint,
            epoch_checkpoint,
            log_start: segments[0].base(),
            recovery_point: segments[0].base(),
            segments,
            leader_epoch: remains.leader_epoch,
            epochs: Epochs::default(),
            producers: Producers::default(),
            recovered: Offset::default(),
            expired: remains.expired.clone(),
        };
        log.begin_at_start(stored_start)?;
        log.recover_start(stored_start)?;
        log.recover_sync_points(remains.recovery_point)?;
        log.recover_epochs()?;
        log.leader_epoch = log.leader_epoch.max(log.epoch_after_its_last());
        let end = log.log_end();
        log.recovered = end;
        log.expired
            .values_mut()
            .for_each(|until| *until = (*until).min(end));
        log.recover_producers();
        Ok((log, Recovery { cut }))
    }

    /// A log that was cleaned may have lost the batches before its start and have had none behind it: it
    /// starts there all the same.
    fn begin_at_start(&mut self, stored: Option<Offset>) -> Result<(), StorageError> {
        let compacted = self.settings.compacted;
        match stored.filter(|stored| compacted && *stored > self.log_end()) {
            Some(stored) => self.replace_segments(Segment::create(&self.directory, stored)?),
            None => Ok(()),
        }
    }

    /// A start beyond the end is taken back, or batches that follow would be below it.
    fn recover_start(&mut self, stored: Option<Offset>) -> Result<(), StorageError> {
        let Some(stored) = stored else { return Ok(()) };
        self.log_start = stored.max(self.log_start).min(self.log_end());
        if self.log_start < stored {
            self.log_start_checkpoint.write(&[self.log_start.0])?;
        }
        self.delete_dead_segments()
    }

    fn recover_sync_points(&mut self, known: Option<Offset>) -> Result<(), StorageError> {
        let Some(known) = known else {
            return self.flush();
        };
        self.recovery_point = known.min(self.log_end()).max(self.log_start);
        for segment in &mut self.segments {
            segment.was_synced_up_to(self.recovery_point);
        }
        Ok(())
    }

    /// What was written down before the log was cleaned, and what the batches tell beyond that.
    fn recover_epochs(&mut self) -> Result<(), StorageError> {
        self.epochs = Epochs::from_numbers(&self.epoch_checkpoint.read()?);
        self.epochs.truncate(self.log_end());
        for header in self.segments.iter().flat_map(Segment::headers) {
            self.epochs.assign(header.leader_epoch, header.offset);
        }
        self.write_epochs()
    }

    fn epoch_after_its_last(&self) -> LeaderEpoch {
        let last = self.epochs.last();
        last.map_or_else(LeaderEpoch::default, |last| LeaderEpoch(last.0 + 1))
    }
}

/// The segments up to the first flaw; the flaw is cut off.
fn recover_segments(
    directory: &Directory,
    offsets: Offsets,
) -> Result<(Vec<Segment>, Option<Cut>), StorageError> {
    let names = directory.names()?;
    let bases: Vec<Offset> = names.iter().filter_map(|name| base_of(name)).collect();
    let mut segments: Vec<Segment> = Vec::new();
    for (index, base) in bases.iter().enumerate() {
        if let Some(expected) = segments.last().map(Segment::end)
            && expected != *base
        {
            let flaw = Flaw::OutOfPlace {
                expected,
                found: *base,
            };
            let tail = BadTail { flaw, bytes: 0 };
            let cut = cut_off(directory, &mut segments, tail, &bases[index..])?;
            return Ok((segments, Some(cut)));
        }
        let (segment, tail) = Segment::scan(directory, *base, offsets)?;
        segments.push(segment);
        if let Some(tail) = tail {
            let cut = cut_off(directory, &mut segments, tail, &bases[index + 1..])?;
            return Ok((segments, Some(cut)));
        }
    }
    Ok((segments, None))
}

/// Cuts `tail` off the last segment and deletes the `later` ones. Those go first and from the
/// back: as long as the flaw is there, a process that is killed on the way does all of it again.
fn cut_off(
    directory: &Directory,
    segments: &mut [Segment],
    tail: BadTail,
    later: &[Offset],
) -> Result<Cut, StorageError> {
    for base in later.iter().rev() {
        directory.remove(&name_of(*base))?;
    }
    let last = segments
        .last_mut()
        .expect("a flaw lies in or after a segment");
    last.cut_bad_tail()?;
    Ok(Cut {
        at: last.end(),
        flaw: tail.flaw,
        bytes: tail.bytes,
        deleted: later.to_vec(),
    })
}
