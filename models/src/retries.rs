//! The retry topic: records that failed, to be handled again later.
//!
//! **Modelled.** One partition, which the owner of the main one owns as well: range and round-robin
//! give the partitions 0 of two topics to the same member. Its records are handled like those of
//! the main topic, one a poll, by the same order; where the order commits, the retry topic's offset
//! is committed instead. Which of the two topics a poll reads is open. A record that fails again is
//! written to the retry topic again.
//!
//! **Left out.** What the group has committed is dropped from the front, and offsets are counted
//! from there: nothing reads them again, and a record that fails for ever does not make them grow.
//! A delay before a retry is one of the orders in which polls may come. Only orders whose commits
//! are waited for and repeated until they succeed are judged with a retry topic: the design reader
//! refuses the others.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::list::List;

/// The records of the retry topic that the group has not committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Retries {
    /// The records, oldest first.
    pub waiting: List<u16, 2>,
}

impl Retries {
    /// `record` is written; a full topic is one whose reader never comes, and what it holds of the
    /// record already stands for it.
    pub fn write(&mut self, record: u16, limits: &Limits) {
        if self.waiting.len() < usize::from(limits.retries_waiting) {
            self.waiting.push(record);
        }
    }

    /// The group commits the offset after its oldest record, `record`.
    pub fn commit(&mut self, record: u16) {
        if self.waiting.first() == Some(&record) {
            self.waiting.remove(0);
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        self.waiting
            .code(codec, limits.retries_waiting, |record, codec| {
                codec.field(record, limits.records - 1);
            });
    }
}
