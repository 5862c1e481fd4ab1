//! The log cleaner: what compaction removes.
//!
//! **Modelled.** The cleaner goes over the closed segments from the log's start and keeps of each
//! key the record with the highest offset among them (`Cleaner.buildOffsetMap`,
//! `Cleaner.shouldRetainRecord`). Where the closed segments end is open: each record may have a
//! segment of its own. Only the last record of the log always lies in the active segment, which is
//! never cleaned, for a segment is closed by an append (`LogCleanerManager.cleanableOffsets`,
//! `UnifiedLog.maybeRoll`); so a record only goes once a newer one of its key is itself not the last.
//! What was cleaned was written anew and flushed before it took the place of the old segments
//! (`Cleaner.cleanSegments`), the records that replace others included: no loss of power takes both.
//!
//! Offsets stay as they are: what was removed leaves a gap, and the log's start does not move. What
//! the broker knows of producers stays, too. In memory nothing changes; on disk the last batch of
//! each producer id is kept, empty if need be (`Cleaner.cleanInto`, `lastRecordsOfActiveProducers`),
//! so a recovery learns what it would have learnt. Leader epochs are in a file of their own.
//!
//! **Left out.** Tombstones: each record has a value, so nothing is deleted for good and
//! `delete.retention.ms` has nothing to do. Records without a key, which a compacted topic refuses.
//! `min.compaction.lag.ms` and the dirty ratio only say how soon the cleaner comes, and it may come
//! at any moment. A pass that ends at a later segment without removing more would only flush more
//! than one that ends at the last record that replaces another.

use super::{Broker, Entry};

impl Broker {
    /// Where the closed segments may end for the cleaner to remove something: after a record that
    /// replaces another. Records share `keys` keys in turn.
    pub fn cleanable_ends(&self, keys: u16) -> Vec<u16> {
        let closed = self.log_end().saturating_sub(1);
        let replaces = |last: &u16| {
            let key = self.log[usize::from(*last)].record % keys;
            let mut earlier = self.records_from(0).take_while(|(at, _)| at.0 < *last);
            earlier.any(|(_, entry)| entry.record % keys == key)
        };
        let ends = (self.log_start..closed).filter(replaces);
        ends.map(|last| last + 1).collect()
    }

    /// The cleaner goes over the log below `end`.
    pub fn compact(&mut self, end: u16, keys: u16) {
        let (start, end) = (usize::from(self.log_start), usize::from(end));
        for offset in start..end {
            let key = self.log[offset].record % keys;
            let mut later = self.log[offset + 1..end].iter();
            let replaced = later.any(|other| other.record % keys == key);
            self.log[offset].removed |= replaced;
        }
        self.flushed = self.flushed.max(end as u16);
    }

    /// The same at one of several replicas, from whose files another may fetch: of each producer id the
    /// last batch of what is cleaned stays there, empty if need be.
    pub fn compact_apart(&mut self, end: u16, keys: u16) {
        let range = usize::from(self.log_start)..usize::from(end);
        let cleaned = &self.log[range.clone()];
        let is_last = |(place, entry): (usize, &Entry)| {
            let session = entry.stamp.session;
            let mut later = cleaned[place + 1..].iter();
            !entry.is_gone()
                && !later.any(|other| !other.is_gone() && other.stamp.session == session)
        };
        let last: Vec<bool> = cleaned.iter().enumerate().map(is_last).collect();
        self.compact(end, keys);
        for (entry, is_last) in self.log[range].iter_mut().zip(last) {
            entry.emptied = entry.removed && is_last;
        }
    }

    /// Where the log ends that is found where its first `kept` entries are: behind its last batch.
    pub fn end_of_batches(&self, kept: u16) -> u16 {
        let there = &self.log[..usize::from(kept)];
        let last = there.iter().rposition(|entry| !entry.is_gone());
        let end = last.map_or(0, |last| last as u16 + 1);
        end.max(self.log_start.min(kept))
    }

    /// What the broker knows of producers is read from the log again: batches that are not there tell nothing.
    pub fn forget_gone(&mut self) {
        let gone = self.log.iter_mut().filter(|entry| entry.is_gone());
        gone.for_each(Entry::forget);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Entry;
    use super::*;

    fn log(records: &[u16]) -> Broker {
        let mut broker = Broker::default();
        for record in records {
            broker.log.push(Entry {
                record: *record,
                ..Entry::default()
            });
        }
        broker
    }

    fn left(broker: &Broker) -> Vec<(u16, u16)> {
        let visible = broker.records_from(0);
        visible.map(|(at, entry)| (at.0, entry.record)).collect()
    }

    #[test]
    fn of_each_key_the_newest_record_below_the_end_is_kept_with_its_offset() {
        let mut broker = log(&[0, 1, 2, 3, 4]);
        broker.compact(4, 2);
        assert_eq!(left(&broker), [(2, 2), (3, 3), (4, 4)]);
        assert_eq!((broker.log_start(), broker.flushed), (0, 4));
        broker.compact(4, 1);
        assert_eq!(left(&broker), [(3, 3), (4, 4)]);
    }

    #[test]
    fn the_last_record_is_in_the_active_segment_and_replaces_nothing_yet() {
        assert_eq!(log(&[0, 1]).cleanable_ends(1), [0; 0]);
        assert_eq!(log(&[0, 1, 2]).cleanable_ends(1), [2]);
        assert_eq!(log(&[0, 1, 2]).cleanable_ends(2), [0; 0]);
        assert_eq!(log(&[0, 1, 2, 3]).cleanable_ends(2), [3]);
        let mut broker = log(&[0, 1, 2]);
        broker.compact(2, 1);
        assert_eq!(
            broker.cleanable_ends(1),
            [0; 0],
            "nothing is left to remove"
        );
    }

    #[test]
    fn of_each_producer_id_the_last_batch_is_left_without_its_record() {
        let mut broker = log(&[0, 0, 0, 0]);
        for (entry, session) in broker.log.iter_mut().zip([0, 0, 1, 1]) {
            entry.stamp.session = session;
        }
        broker.compact_apart(3, 1);
        let emptied: Vec<bool> = broker.log.iter().map(|entry| entry.emptied).collect();
        assert_eq!(emptied, [false, true, false, false]);
        assert!(broker.log[0].is_gone() && !broker.log[1].is_gone());
        assert_eq!(left(&broker), [(2, 0), (3, 0)]);
        broker.compact_apart(3, 1);
        assert!(broker.log[1].emptied, "it is still the last");
    }

    #[test]
    fn a_log_that_is_cut_in_a_gap_is_found_without_it() {
        let mut broker = log(&[0, 1, 2, 3]);
        broker.compact(3, 1);
        broker.truncate(2);
        assert_eq!((broker.log_end(), broker.end_of_batches(2)), (2, 0));
        assert!(!broker.knows(0), "nothing tells of it any more");
    }
}
