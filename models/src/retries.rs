//! The retry topic: records that failed, to be handled again later.
//!
//! **Modelled.** One partition, which the owner of the main one owns as well: range and round-robin
//! give the partitions 0 of two topics to the same member. Its records are handled like those of
//! the main topic, one a poll, by the same order. Which of the two topics a poll reads is open. A
//! record that fails again is written to the retry topic again, at the next offset.
//!
//! **Offsets** are its own: the group's committed offset, and each consumer's position, which begins
//! at the committed offset, or where `auto.offset.reset` leads, when the partitions are assigned. A
//! commit of a record of the retry topic names an absolute offset there, and leaves that of the main
//! topic alone: repeated it changes nothing, and one that comes late, or from another consumer without
//! a group, may move the offset back. `commitSync()` without offsets commits the positions in both
//! topics. The offsets of both expire together.
//!
//! **Which entries a state holds.** Those from the oldest one that anyone can still read: the committed
//! offset, the consumers' positions, what they have in hand, and commits that are late name where
//! reading goes on or may begin again; so does the topic's start where nothing is committed, or what is
//! may expire, and the reset policy leads there. Offsets are counted from that entry, so that a record
//! that fails for ever does not make them grow. With `earliest` a state in which nothing is committed is
//! the one in which the start is: reading begins there. Of the copies of a record that can never be
//! handled, the first one between two of these offsets stands for the others: handling it has no effect
//! that handling it once more does not have, and it is written again in the end.
//!
//! **Left out.** A delay before a retry is one of the orders in which polls may come. Retention and compaction
//! of the main topic leave the retry topic alone; what strikes brokers, and may take its records, is refused
//! beside it by the design reader. A callback that commits on revocation commits
//! the main topic's offset only: the order has committed what was done of the retry topic, and a late
//! commit that the callback would overrule may as well come behind it. An operator who resets offsets
//! resets those of the main topic. Only orders whose commits are waited for and repeated until they
//! succeed are judged with a retry topic: the design reader refuses the others, and every broker's loss
//! of power, which may take commits back.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::list::List;
use crate::pipeline::{CommitCovers, OffsetReset};

/// The retry topic, from the oldest entry on that anyone can still read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Retries {
    /// The records, oldest first.
    pub entries: List<u16, 2>,
    /// The group's committed offset.
    pub committed: Option<u16>,
}

impl Retries {
    /// `record` is appended.
    pub fn write(&mut self, record: u16) {
        self.entries.push(record);
    }

    /// The offset after the last record.
    pub fn end(&self) -> u16 {
        self.entries.len() as u16
    }

    /// The record at `offset`, if there is one.
    pub fn record_at(&self, offset: u16) -> Option<u16> {
        self.entries.get(usize::from(offset)).copied()
    }

    /// Whether who reads on at `from` comes to a copy of `record`.
    pub fn holds_from(&self, record: u16, from: u16) -> bool {
        self.entries
            .iter()
            .skip(usize::from(from))
            .any(|own| *own == record)
    }

    /// Where a consumer would begin to read; nowhere, if nothing is committed and the policy is `none`.
    pub fn start(&self, policy: OffsetReset) -> Option<u16> {
        self.committed.or(match policy {
            OffsetReset::Earliest => Some(0),
            OffsetReset::Latest => Some(self.end()),
            OffsetReset::None => None,
        })
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        if limits.retries == 0 {
            return;
        }
        self.entries.code(codec, limits.retries, |record, codec| {
            codec.field(record, limits.records - 1);
        });
        code_optional(&mut self.committed, codec, limits);
    }
}

/// Where a consumer stands in the retry topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RetryPosition {
    /// Where the next poll of it reads.
    pub next: u16,
    /// The offset of the record in hand, if that comes from it.
    pub in_hand: u16,
}

impl RetryPosition {
    /// A poll returns the next record.
    pub fn poll(&mut self) {
        self.in_hand = self.next;
        self.next += 1;
    }

    /// What a commit covers behind the record in hand.
    pub fn covered(&self, covers: CommitCovers) -> u16 {
        match covers {
            CommitCovers::Next
            | CommitCovers::Position
            | CommitCovers::Contiguous
            | CommitCovers::Highest => self.in_hand + 1,
            CommitCovers::Last => self.in_hand,
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        codec.field(&mut self.next, limits.retries);
        codec.field(&mut self.in_hand, limits.retries);
    }
}

/// Visits an offset of the retry topic that may be missing.
pub fn code_optional(offset: &mut Option<u16>, codec: &mut impl Codec, limits: &Limits) {
    let mut given = offset.map_or(0, |offset| offset + 1);
    codec.field(&mut given, limits.retries + 1);
    *offset = given.checked_sub(1);
}
