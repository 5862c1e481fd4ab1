//! The guarantees that a design is judged by.

use std::fmt;

/// One delivery guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Guarantee {
    /// Every confirmed record has its effect or is still to be delivered.
    NoLoss,
    /// No record is handled twice.
    NoDuplicates,
    /// The sink is what applying every confirmed record once, in send order per key, gives.
    ExactlyOnceEffect,
    /// For one key, effects first happen in send order.
    InOrder,
    /// Nothing has an effect that was aborted, rolled back or never sent. A result of the output topic
    /// that was aborted counts at the end, if none of its record is committed.
    NoPhantom,
    /// Nothing confirmed is stuck for ever.
    Progress,
}

impl Guarantee {
    /// Every guarantee, in the order in which verdicts are listed.
    pub const ALL: [Guarantee; 6] = [
        Guarantee::NoLoss,
        Guarantee::NoDuplicates,
        Guarantee::ExactlyOnceEffect,
        Guarantee::InOrder,
        Guarantee::NoPhantom,
        Guarantee::Progress,
    ];

    /// The guarantee's name in designs and verdicts.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::NoLoss => "no-loss",
            Guarantee::NoDuplicates => "no-duplicates",
            Guarantee::ExactlyOnceEffect => "exactly-once-effect",
            Guarantee::InOrder => "in-order",
            Guarantee::NoPhantom => "no-phantom",
            Guarantee::Progress => "progress",
        }
    }

    /// When the guarantee is violated, in one line.
    pub fn violated_when(self) -> &'static str {
        match self {
            Guarantee::NoLoss => {
                "at the end a confirmed record has no effect, and the group has passed it or the log no longer has it (on a compacted topic, only the newest record of a key counts)"
            }
            Guarantee::NoDuplicates => "a record's process or produce step takes effect twice",
            Guarantee::ExactlyOnceEffect => {
                "at the end the sink is not what applying each confirmed record once, in send order per key, gives (records in doubt may or may not be in it)"
            }
            Guarantee::InOrder => {
                "a record has its first effect before the first effect of a record of the same key that was sent earlier"
            }
            Guarantee::NoPhantom => {
                "a record has an effect that was aborted, rolled back or never sent (an aborted result counts at the end, if no result of its record is committed)"
            }
            Guarantee::Progress => {
                "a run can end with a confirmed record that the group has not passed and that is never delivered, with a result in the output topic that its reader never comes to (then it is not lost), or in a loop without exit"
            }
        }
    }

    /// Whether only a state in which a run can end violates the guarantee.
    pub fn is_judged_at_the_end(self) -> bool {
        match self {
            Guarantee::NoLoss | Guarantee::ExactlyOnceEffect | Guarantee::Progress => true,
            Guarantee::NoDuplicates | Guarantee::InOrder | Guarantee::NoPhantom => false,
        }
    }

    /// The guarantee's bit in a set of invariants.
    pub fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
