//! What a step makes brokers do by themselves with their replicas.

use super::Status;

/// Something that a broker does with its replica, or hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It starts again.
    Restarts {
        /// The broker.
        who: u16,
        /// How it had stopped.
        found: Status,
        /// How many log entries it finds.
        kept: u16,
    },
    /// It leads from now on.
    Leads {
        /// The broker.
        who: u16,
        /// The leader epoch.
        epoch: u16,
    },
    /// It hears of a leader epoch in which it does not lead.
    Hears {
        /// The broker.
        who: u16,
        /// The leader epoch.
        epoch: u16,
        /// Where it cuts its log at once, where that is the rule.
        cuts: Option<u16>,
    },
    /// It fetches.
    Fetches {
        /// The broker.
        who: u16,
        /// The leader.
        from: u16,
        /// Whether it has cut its log to what it has in common with the leader's before.
        in_line: bool,
        /// Its own high watermark.
        high_watermark: u16,
    },
}
