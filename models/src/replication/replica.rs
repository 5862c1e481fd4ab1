//! One replica: a broker with its log and its disk.

use crate::broker::{Broker, Synced};

/// Whether a broker runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// It runs.
    #[default]
    Up,
    /// Its process is dead; what it wrote is there.
    Down,
    /// It lost power: which part of what it had not flushed was on disk shows when it starts again.
    Unpowered,
}

impl Status {
    pub(super) const ALL: [Status; 3] = [Status::Up, Status::Down, Status::Unpowered];
}

/// One replica of the partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Replica {
    /// Its log, and the leader epoch that it has heard of.
    pub broker: Broker,
    /// Whether it runs.
    pub status: Status,
    /// The leader of the epoch that it has heard of.
    pub follows: Option<u16>,
    /// Whether it has cut its log to what it has in common with that leader.
    pub in_line: bool,
    /// Where the current leader knows its log to end.
    pub known_end: u16,
    /// Its own high watermark, where it is truncated by that.
    pub high_watermark: u16,
}

impl Replica {
    /// The entries from `end` on are removed.
    pub fn truncate(&mut self, end: u16) {
        self.broker.truncate(end);
        self.high_watermark = self.high_watermark.min(end);
    }

    /// How many of its entries may be found when it starts again. A log ends behind a batch then.
    pub fn may_keep(&self) -> impl Iterator<Item = u16> {
        let end = self.broker.log_end();
        let least = match self.status {
            Status::Up | Status::Down => end,
            Status::Unpowered => self.broker.flushed,
        };
        let found = |kept| self.broker.end_of_batches(kept);
        let more = (least + 1..=end).filter(move |kept| found(*kept) == *kept);
        std::iter::once(found(least)).chain(more)
    }

    /// It starts again with the first `kept` entries.
    pub(super) fn start(&mut self, kept: u16) {
        let synced = match self.status {
            Status::Up | Status::Down => Synced::AsBefore,
            Status::Unpowered => Synced::WhatIsLeft,
        };
        self.broker.recover(kept, synced);
        self.broker.forget_gone();
        self.high_watermark = self.high_watermark.min(kept);
        self.status = Status::Up;
        self.known_end = 0;
    }

    /// It is found with an empty disk.
    pub fn lose_disk(&mut self) {
        self.broker = Broker::default();
        self.high_watermark = 0;
        self.status = Status::Down;
    }
}
