//! What the broker knows of producers, and its checks of an idempotent append.
//!
//! The rules are those of the model's broker (`semel_models::broker`), for logs of any length: the
//! last five batches of a producer id's current epoch are remembered, an exact repeat is answered
//! as a success without an append, a sequence number that does not follow is refused as out of
//! order, a new epoch starts at 0, and what an unknown producer id may start with is a rule of the
//! release. A marker has no sequence number; it may raise the epoch. A test under `tests/` drives
//! both with the same requests.
//!
//! A recovery remembers the last batch of each producer id, and nothing before it.

use crate::lab::words::{Offset, ProducerEpoch, ProducerId, Sequence, Stamp};
use semel_models::rules::KafkaRules;
use std::collections::{BTreeMap, VecDeque};

/// How many batches of a producer id are remembered.
pub const REMEMBERED_BATCHES: usize = 5;

/// What the checks say of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// It may be appended.
    Follows,
    /// It is in the log, at this offset.
    Duplicate(Offset),
    /// Its sequence number does not follow.
    OutOfOrder,
    /// A newer epoch is known.
    StaleEpoch,
    /// It does not start at 0, as an unknown producer id must.
    Unknown,
}

/// Every producer id that the broker knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers {
    known: BTreeMap<ProducerId, Known>,
}

/// What is known of one producer id.
#[derive(Clone, Debug)]
struct Known {
    epoch: ProducerEpoch,
    /// Of this epoch, oldest first; none while only a marker has come with it.
    batches: VecDeque<Remembered>,
    /// Its newest entry, whatever it is.
    newest: Offset,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    sequence: Sequence,
    offset: Offset,
}

impl Producers {
    /// Checks a batch that is to be appended.
    pub(crate) fn check(&self, stamp: Stamp, rules: &KafkaRules) -> Check {
        let Some(known) = self.known.get(&stamp.producer) else {
            return match rules.unknown_producer_starts_anywhere || stamp.sequence == Sequence(0) {
                true => Check::Follows,
                false => Check::Unknown,
            };
        };
        if stamp.epoch < known.epoch {
            return Check::StaleEpoch;
        }
        let last = known.batches.back();
        let Some(last) = last.filter(|_| stamp.epoch == known.epoch) else {
            return match stamp.sequence == Sequence(0) {
                true => Check::Follows,
                false => Check::OutOfOrder,
            };
        };
        if let Some(offset) = known.offset_of(stamp.sequence) {
            return Check::Duplicate(offset);
        }
        match stamp.sequence == last.sequence.next() {
            true => Check::Follows,
            false => Check::OutOfOrder,
        }
    }

    /// A batch was appended.
    pub(crate) fn appended(&mut self, stamp: Stamp, offset: Offset) {
        let known = self.reach(stamp.producer, stamp.epoch, offset);
        if known.batches.len() == REMEMBERED_BATCHES {
            known.batches.pop_front();
        }
        known.batches.push_back(Remembered {
            sequence: stamp.sequence,
            offset,
        });
    }

    /// A recovery found a batch, after all that it found before.
    pub(crate) fn recovered(&mut self, stamp: Stamp, offset: Offset) {
        let known = self.reach(stamp.producer, stamp.epoch, offset);
        known.batches.clear();
        known.batches.push_back(Remembered {
            sequence: stamp.sequence,
            offset,
        });
    }

    /// A marker was appended or found.
    pub(crate) fn ended(&mut self, producer: ProducerId, epoch: ProducerEpoch, offset: Offset) {
        self.reach(producer, epoch, offset);
    }

    /// The producer has come this far with this epoch.
    fn reach(&mut self, producer: ProducerId, epoch: ProducerEpoch, newest: Offset) -> &mut Known {
        let known = self.known.entry(producer).or_insert_with(|| Known {
            epoch,
            batches: VecDeque::new(),
            newest,
        });
        if known.epoch != epoch {
            known.epoch = epoch;
            known.batches.clear();
        }
        known.newest = newest;
        known
    }

    /// The newest epoch of `producer`, by a batch or a marker.
    pub(crate) fn epoch_of(&self, producer: ProducerId) -> Option<ProducerEpoch> {
        self.known.get(&producer).map(|known| known.epoch)
    }

    /// Whether anything is known of `producer`.
    pub(crate) fn knows(&self, producer: ProducerId) -> bool {
        self.known.contains_key(&producer)
    }

    /// Nothing is known of `producer` any more.
    pub(crate) fn forget(&mut self, producer: ProducerId) {
        self.known.remove(&producer);
    }

    /// Only producers with a batch at or above `log_start` are still known.
    pub(crate) fn forget_gone(&mut self, log_start: Offset) {
        self.known.retain(|_, known| known.newest >= log_start);
    }
}

impl Known {
    fn offset_of(&self, sequence: Sequence) -> Option<Offset> {
        let mut newest_first = self.batches.iter().rev();
        newest_first
            .find(|batch| batch.sequence == sequence)
            .map(|batch| batch.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: KafkaRules = KafkaRules::CURRENT;

    fn stamp(epoch: i32, sequence: i32) -> Stamp {
        Stamp {
            producer: ProducerId(7),
            epoch: ProducerEpoch(epoch),
            sequence: Sequence(sequence),
        }
    }

    fn after(sequences: std::ops::Range<i32>) -> Producers {
        let mut producers = Producers::default();
        for sequence in sequences {
            let stamp = stamp(0, sequence);
            assert_eq!(producers.check(stamp, &RULES), Check::Follows);
            producers.appended(stamp, Offset(sequence as u64));
        }
        producers
    }

    #[test]
    fn a_repeat_of_the_last_five_batches_is_recognised_and_an_older_one_is_out_of_order() {
        let producers = after(0..300);
        for sequence in 295..300 {
            let found = Check::Duplicate(Offset(sequence as u64));
            assert_eq!(producers.check(stamp(0, sequence), &RULES), found);
        }
        assert_eq!(producers.check(stamp(0, 294), &RULES), Check::OutOfOrder);
        assert_eq!(producers.check(stamp(0, 301), &RULES), Check::OutOfOrder);
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
        let mut producers = after(0..3);
        assert_eq!(producers.check(stamp(1, 3), &RULES), Check::OutOfOrder);
        assert_eq!(producers.check(stamp(1, 0), &RULES), Check::Follows);
        producers.appended(stamp(1, 0), Offset(3));
        assert_eq!(producers.check(stamp(0, 3), &RULES), Check::StaleEpoch);
        assert_eq!(
            producers.check(stamp(1, 2), &RULES),
            Check::OutOfOrder,
            "of the old epoch"
        );
    }

    #[test]
    fn an_unknown_producer_id_starts_where_the_release_lets_it() {
        let before_2_5 = KafkaRules {
            unknown_producer_starts_anywhere: false,
            ..RULES
        };
        let producers = Producers::default();
        assert_eq!(producers.check(stamp(0, 4), &RULES), Check::Follows);
        assert_eq!(producers.check(stamp(0, 4), &before_2_5), Check::Unknown);
        assert_eq!(producers.check(stamp(0, 0), &before_2_5), Check::Follows);
    }

    #[test]
    fn a_recovery_remembers_the_last_batch_and_nothing_before_it() {
        let mut producers = Producers::default();
        producers.recovered(stamp(0, 4), Offset(4));
        producers.recovered(stamp(0, 5), Offset(5));
        assert_eq!(producers.check(stamp(0, 4), &RULES), Check::OutOfOrder);
        assert_eq!(
            producers.check(stamp(0, 5), &RULES),
            Check::Duplicate(Offset(5))
        );
        producers.appended(stamp(0, 6), Offset(6));
        assert_eq!(
            producers.check(stamp(0, 5), &RULES),
            Check::Duplicate(Offset(5))
        );
        assert_eq!(producers.check(stamp(0, 4), &RULES), Check::OutOfOrder);
        assert_eq!(
            producers.check(stamp(0, 6), &RULES),
            Check::Duplicate(Offset(6))
        );
    }

    #[test]
    fn producers_without_a_batch_in_the_log_can_be_forgotten() {
        let mut producers = after(0..3);
        producers.forget_gone(Offset(2));
        assert!(producers.knows(ProducerId(7)));
        assert_eq!(
            producers.check(stamp(0, 0), &RULES),
            Check::Duplicate(Offset(0))
        );
        producers.forget_gone(Offset(3));
        assert!(!producers.knows(ProducerId(7)));
    }
}
