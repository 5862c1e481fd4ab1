//! The controller: who leads, in which epoch, and who could.
//!
//! Follows `ReplicationControlManager` and `PartitionChangeBuilder` of Kafka 4.x. Every change of
//! leader or of the in-sync replicas is one atomic record. Before KIP-966, or without it, the last
//! in-sync replica stays one though it is down. With it the in-sync replicas may be none: those that
//! left below the minimum are eligible to lead, until they start again after an unclean stop or the
//! minimum is met.

use crate::pipeline::ReplicationSettings;

/// A set of brokers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Members {
    pub(super) bits: u16,
}

impl Members {
    /// The brokers below `end`.
    pub fn below(end: u16) -> Members {
        (0..end).collect()
    }

    /// Whether `who` is in it.
    pub fn contains(self, who: u16) -> bool {
        self.bits & (1 << who) != 0
    }

    /// How many there are.
    pub fn len(self) -> u16 {
        self.bits.count_ones() as u16
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The same with `who`.
    pub fn with(self, who: u16) -> Members {
        Members {
            bits: self.bits | 1 << who,
        }
    }

    /// The same without `who`.
    pub fn without(self, who: u16) -> Members {
        Members {
            bits: self.bits & !(1 << who),
        }
    }

    /// Those that are in `other`, too.
    pub fn among(self, other: Members) -> Members {
        Members {
            bits: self.bits & other.bits,
        }
    }

    /// Every set of some of them, and at least one.
    pub fn subsets(self) -> impl Iterator<Item = Members> {
        (1..=self.bits)
            .filter(move |bits| bits & !self.bits == 0)
            .map(|bits| Members { bits })
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = u16> {
        (0..u16::BITS as u16).filter(move |who| self.contains(*who))
    }
}

impl Extend<u16> for Members {
    fn extend<I: IntoIterator<Item = u16>>(&mut self, members: I) {
        for who in members {
            *self = self.with(who);
        }
    }
}

impl FromIterator<u16> for Members {
    fn from_iter<I: IntoIterator<Item = u16>>(members: I) -> Members {
        let mut all = Members::default();
        all.extend(members);
        all
    }
}

/// How a leader came to lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Election {
    /// One of the in-sync replicas.
    InSync,
    /// One of the eligible leader replicas, where none is in sync.
    Eligible,
    /// The last leader, where no replica is in sync or eligible.
    LastKnown,
    /// Any replica (`unclean.leader.election.enable`).
    Unclean,
}

/// What the controller knows of the partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Controller {
    /// The leader.
    pub leader: Option<u16>,
    /// The leader epoch.
    pub epoch: u16,
    /// The in-sync replicas.
    pub in_sync: Members,
    /// The eligible leader replicas.
    pub eligible: Members,
    /// The last leader, while no replica is in sync.
    pub last_known: Option<u16>,
    /// The replica that the leader asked to be added to the in-sync ones, where that is not one step.
    pub proposal: Option<u16>,
}

impl Controller {
    /// A broker is dead.
    pub fn fence(&mut self, who: u16, settings: &ReplicationSettings) {
        if self.in_sync.contains(who) {
            self.shrink(who, settings);
        }
        if self.leader == Some(who) {
            self.leader = None;
        }
    }

    /// A replica leaves the in-sync ones; the last does not, without eligible leader replicas.
    pub fn shrink(&mut self, who: u16, settings: &ReplicationSettings) {
        let left = self.in_sync.without(who);
        if !left.is_empty() || settings.eligible_leader_replicas {
            self.set_in_sync(left, settings);
        }
    }

    /// A replica becomes in sync.
    pub fn join(&mut self, who: u16, settings: &ReplicationSettings) {
        self.set_in_sync(self.in_sync.with(who), settings);
    }

    fn set_in_sync(&mut self, members: Members, settings: &ReplicationSettings) {
        if settings.eligible_leader_replicas {
            let mut eligible = self.eligible;
            if members.len() >= settings.min_in_sync {
                eligible = Members::default();
            } else {
                eligible.extend(self.in_sync.iter());
                for member in members.iter() {
                    eligible = eligible.without(member);
                }
            }
            self.eligible = eligible;
            if members.is_empty() && self.last_known.is_none() {
                // Of several deaths at once each leader was the last for a moment.
                self.last_known = self.leader.or(self.in_sync.iter().next());
            }
        }
        self.in_sync = members;
        self.proposal = None;
    }

    /// Every broker is dead. They are fenced in some order, `last` as the last of those that led; or
    /// the controller is dead, too, and finds the in-sync replicas as they were.
    pub fn fence_all(&mut self, last: Option<u16>, settings: &ReplicationSettings) {
        self.leader = None;
        self.proposal = None;
        if settings.eligible_leader_replicas {
            self.leader = last;
            self.set_in_sync(Members::default(), settings);
            self.leader = None;
        }
    }

    /// A broker registers again after an unclean stop.
    pub fn register_again(&mut self, who: u16, settings: &ReplicationSettings) {
        if settings.eligible_leader_replicas {
            self.in_sync = self.in_sync.without(who);
            self.eligible = self.eligible.without(who);
        }
    }

    /// Who may be elected of the brokers that are `alive`, and how.
    pub fn candidates(
        &self,
        alive: Members,
        settings: &ReplicationSettings,
    ) -> (Election, Members) {
        let in_sync = self.in_sync.among(alive);
        if !in_sync.is_empty() {
            return (Election::InSync, in_sync);
        }
        if self.in_sync.is_empty() {
            let eligible = self.eligible.among(alive);
            if !eligible.is_empty() {
                return (Election::Eligible, eligible);
            }
            let last = self.last_known.filter(|last| alive.contains(*last));
            if let Some(last) = last.filter(|_| self.eligible.is_empty()) {
                return (Election::LastKnown, Members::default().with(last));
            }
        }
        if settings.unclean_leader_election {
            return (Election::Unclean, alive);
        }
        (Election::InSync, Members::default())
    }

    /// What an election makes of the in-sync and the eligible replicas.
    pub fn elect(&mut self, who: u16, alive: Members, settings: &ReplicationSettings) {
        let (election, _) = self.candidates(alive, settings);
        match election {
            Election::InSync => self.in_sync = self.in_sync.among(alive),
            Election::Eligible => {
                self.in_sync = Members::default().with(who);
                self.eligible = self.eligible.without(who);
            }
            Election::LastKnown | Election::Unclean => {
                self.in_sync = Members::default().with(who);
                self.eligible = Members::default();
            }
        }
        if self.in_sync.len() >= settings.min_in_sync {
            self.eligible = Members::default();
        }
        self.last_known = None;
        self.proposal = None;
    }
}
