//! The replicas of the partition, and the controller that says which of them leads.
//!
//! **Modelled.** Up to three replicas, each with a log and a disk of its own ([`Replica`]); the
//! controller's view of them ([`Controller`]): leader, leader epoch, in-sync replicas, eligible
//! leader replicas (KIP-966). Produce requests go to the broker that the client takes for the leader;
//! with `acks=all` the answer waits for the high watermark. Followers fetch; the high watermark is
//! the smallest end of the in-sync logs that the leader knows of, and does not move while there are
//! fewer of them than `min.insync.replicas` (KAFKA-15583, 3.7; `Partition.maybeIncrementLeaderHW`).
//! The rules of truncation, fencing and election that came with a release are in
//! [`KafkaRules`].
//!
//! **What clients can read** is the leader's log up to the high watermark; it stands, derived from the
//! replicas, in `State::broker`. A new leader knows the high watermark of its predecessor only once
//! its followers have fetched. Until then consumers would read less; that is a delay and nothing
//! else, so the model lets them read on. Consumers read from the leader: what a deposed one still
//! shows its successor has, too, for no high watermark moves without the in-sync replicas.
//!
//! **A dead broker is fenced at once.** While it is dead and not fenced it only delays
//! acknowledgements and the election. That it comes back before it is fenced is left out: brokers of
//! KRaft must be fenced before they register again, and with ZooKeeper a controller that missed the
//! restart (KAFKA-1120, until KIP-380 in 2.2) does not tell the broker to follow anyone.
//!
//! **Which in-sync replica leads** is open: Kafka takes the first of the assignment, and every
//! assignment is explored. Elections, restarts and the return to the in-sync replicas are free; that
//! a follower which is alive falls out of them is the fault `replica-lag`, that leadership moves away
//! from a leader which is alive is `leader-change`.
//!
//! **A deposed leader** that has not heard of it goes on to take requests. What it does is what it
//! could have done just before the change, for nobody who knows of the change hears of it; but it may
//! be elected again before it heard, with a tail that nobody else has. Other replicas hear of an
//! election at once; before KIP-320 (2.1) that is a step of its own, because a follower that has not
//! heard goes on fetching from a broker that leads again, and counts.
//!
//! **A fetch** brings all that is missing: a follower with a part of it is one that fetched before the
//! leader had more. It tells the leader how far the follower was before, so two fetches acknowledge a
//! record. Cutting the log to what it has in common with the leader's is part of the first fetch: all
//! that is below the high watermark stays, so that being elected in between is like being elected
//! before. Where a follower may cut more than that, before KIP-279, it is a step of its own. A follower that is ahead of the leader, which only happens without KIP-320, cuts its log
//! to the leader's.
//!
//! **With time** producer ids expire and records leave the logs, at each broker by itself: `aging`. So do
//! their log cleaners: `cleaning`. A produce request that comes late is late at one broker: [`crate::limbo`].
//!
//! **Left out.** Preferred leaders, reassignment, observers and tiered storage; unclean recovery by
//! log length (KIP-966, part 2, not released); several log directories. `REQUEST_TIMED_OUT` of a
//! produce request that waits for a healthy follower is a timeout of something healthy. Followers know
//! the high watermark later than the leader: that matters to the truncation before KIP-279 only, where
//! it is kept (a checkpoint that is older still only matters to a replica that is not in sync). An ISR shrink raises the leader epoch before 3.6, with the same leader: nobody
//! truncates by it. The internal topics are written with `acks=all` and replicated: faults of one
//! broker do not reach them. Of transactions only the records and markers in the partition lie in its
//! replicas ([`crate::transaction_coordinator`] says why).

mod aging;
mod cleaning;
mod controller;
mod deed;
mod numbering;
mod packing;
mod replica;
mod truncation;

pub use controller::{Controller, Election, Members};
pub use deed::Deed;
pub use numbering::Numbering;
pub(crate) use packing::code_broker;
pub use replica::{Replica, Status};

use crate::broker::Broker;
use crate::journal::Journal;
use crate::pipeline::{KafkaRules, Pipeline, ReplicationSettings, TruncationRule};

/// The most replicas of the partition.
pub const MAX_REPLICAS: usize = 3;

/// The partition's replicas and their controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Replication {
    /// The replicas; those beyond the replication factor stay as they are by default.
    pub replicas: [Replica; MAX_REPLICAS],
    /// The controller.
    pub controller: Controller,
    /// Up to where consumers can read: the leader's high watermark, or further what an earlier
    /// leader's was.
    pub visible: u16,
    /// The broker that the producer's client takes for the leader.
    pub known: Option<u16>,
    /// What brokers did by themselves in the last step, for runs that do it for real.
    pub journal: Journal<Deed>,
}

impl Replication {
    /// Replicas that are all in sync and led by the first.
    pub fn of(settings: &ReplicationSettings) -> Replication {
        let follower = Replica {
            follows: Some(0),
            ..Replica::default()
        };
        let mut replicas: [Replica; MAX_REPLICAS] = Default::default();
        replicas[..usize::from(settings.replicas)].fill(follower);
        Replication {
            replicas,
            controller: Controller {
                leader: Some(0),
                in_sync: Members::below(settings.replicas),
                ..Controller::default()
            },
            known: Some(0),
            ..Replication::default()
        }
    }

    /// The replica of this broker.
    pub fn replica(&self, who: u16) -> &Replica {
        &self.replicas[usize::from(who)]
    }

    /// The replica of this broker.
    pub fn replica_mut(&mut self, who: u16) -> &mut Replica {
        &mut self.replicas[usize::from(who)]
    }

    /// The log of the leader.
    pub fn leading(&self) -> Option<&Broker> {
        let leader = self.controller.leader?;
        Some(&self.replica(leader).broker)
    }

    /// The brokers that are up.
    pub fn alive(&self, settings: &ReplicationSettings) -> Members {
        let up = |who: &u16| self.replica(*who).status == Status::Up;
        (0..settings.replicas).filter(up).collect()
    }

    /// Whether this broker takes produce requests: it leads, or did and has not heard otherwise.
    pub fn leads(&self, who: u16) -> bool {
        self.controller.leader == Some(who) || self.is_deposed(who)
    }

    /// Whether this broker led and has not heard that it no longer does.
    pub fn is_deposed(&self, who: u16) -> bool {
        let replica = self.replica(who);
        replica.status == Status::Up && self.is_behind(who) && replica.follows == Some(who)
    }

    /// Whether this broker has not heard of the current leader epoch.
    pub fn is_behind(&self, who: u16) -> bool {
        self.replica(who).broker.leader_epoch < self.controller.epoch
    }

    /// The leader whose log this broker can fetch.
    pub fn fetches_from(&self, who: u16, rules: &KafkaRules) -> Option<u16> {
        let leader = self.controller.leader.filter(|leader| *leader != who)?;
        let replica = self.replica(who);
        let heard = !self.is_behind(who);
        let taken = heard || !rules.stale_fetches_refused && replica.follows == Some(leader);
        (replica.status == Status::Up && taken).then_some(leader)
    }

    /// A follower fetches: the leader learns where its log ended, and it gets what is missing.
    pub fn fetch(&mut self, who: u16, pipeline: &Pipeline) {
        let rules = &pipeline.rules;
        let Some(leader) = self.fetches_from(who, rules) else {
            return;
        };
        let own = self.replica(who);
        self.journal.note(Deed::Fetches {
            who,
            from: leader,
            in_line: own.in_line,
            high_watermark: own.high_watermark,
        });
        let [leader, follower] = self.two(leader, who);
        if !follower.in_line {
            let end = follower.broker.log_end();
            truncation::align(follower, leader, rules);
            follower.in_line = true;
            let cut = follower.broker.log_end() < end;
            if cut && rules.truncation.asks_for_high_watermark() {
                return;
            }
        }
        if follower.broker.log_end() > leader.broker.log_end() {
            follower.truncate(leader.broker.log_end());
        }
        follower.known_end = follower.broker.log_end();
        let start = leader.broker.log_start();
        if follower.broker.log_end() < start {
            follower.broker.start_anew(&leader.broker);
        }
        let missing = usize::from(follower.broker.log_end());
        for index in missing..usize::from(leader.broker.end_of_batches(leader.broker.log_end())) {
            follower
                .broker
                .replicate(leader.broker.log[index], &pipeline.topic);
        }
        follower.broker.follow_start(start, rules);
        if rules.truncation.asks_for_high_watermark() {
            let end = follower.broker.log_end();
            follower.high_watermark = leader.high_watermark.min(end);
        }
    }

    fn two(&mut self, leader: u16, follower: u16) -> [&mut Replica; 2] {
        self.replicas
            .get_disjoint_mut([usize::from(leader), usize::from(follower)])
            .expect("two different replicas")
    }

    /// Followers of a leader that stays one get everything at once. Where enough replicas are in sync those
    /// that are not come back, too: nothing that anyone waits for, or is refused, depends on them.
    pub fn catch_up(&mut self, pipeline: &Pipeline) {
        let (settings, rules) = (&pipeline.topic.replication, &pipeline.rules);
        let Some(leader) = self.controller.leader else {
            return;
        };
        for who in (0..settings.replicas).filter(|who| *who != leader) {
            let enough = self.controller.in_sync.len() >= settings.min_in_sync;
            if enough && self.replica(who).status != Status::Up {
                let kept = self.replica(who).may_keep().last();
                self.restart(who, kept.unwrap_or_default(), pipeline);
            }
            self.fetch_all(who, pipeline);
            self.advance(settings, rules);
            if enough && self.may_join(who, rules) {
                self.controller.join(who, settings);
            }
        }
        self.advance(settings, rules);
    }

    fn fetch_all(&mut self, who: u16, pipeline: &Pipeline) {
        while self.has_to_fetch(who, &pipeline.rules) {
            self.fetch(who, pipeline);
        }
    }

    /// Whether a fetch of this broker would bring anything, or tell the leader anything.
    pub fn has_to_fetch(&self, who: u16, rules: &KafkaRules) -> bool {
        self.fetches_from(who, rules).is_some_and(|leader| {
            let (leader, follower) = (self.replica(leader), self.replica(who));
            let end = follower.broker.log_end();
            let leaders = leader.broker.log_end();
            !follower.in_line
                || end > leaders
                || end < leader.broker.end_of_batches(leaders)
                || follower.known_end != end
                || follower.broker.log_start() < leader.broker.log_start()
                || rules.truncation.asks_for_high_watermark()
                    && follower.high_watermark < leader.high_watermark
        })
    }

    /// Whether the leader may ask for this broker to be in sync (`Partition.isFollowerInSync`).
    pub fn may_join(&self, who: u16, rules: &KafkaRules) -> bool {
        self.fetches_from(who, rules).is_some_and(|leader| {
            let (leader, follower) = (self.replica(leader), self.replica(who));
            follower.in_line
                && !self.controller.in_sync.contains(who)
                && follower.known_end >= self.watermark(rules)
                && follower.known_end >= leader.broker.start_of_epoch()
        })
    }

    /// The leader's high watermark.
    pub fn watermark(&self, rules: &KafkaRules) -> u16 {
        match self.controller.leader {
            Some(leader) if rules.truncation.asks_for_high_watermark() => {
                self.replica(leader).high_watermark
            }
            Some(_) | None => self.visible,
        }
    }

    /// Moves the leader's high watermark to the smallest end that it knows of.
    pub fn advance(&mut self, settings: &ReplicationSettings, rules: &KafkaRules) {
        let Some(leader) = self.controller.leader else {
            return;
        };
        let own = self.replica(leader).broker.log_end();
        let mut members = self.controller.in_sync;
        members.extend(self.controller.proposal);
        let known = members.iter().filter(|member| *member != leader);
        let reached = known
            .map(|member| self.replica(member).known_end)
            .fold(own, u16::min);
        let waits =
            rules.high_watermark_waits && self.controller.in_sync.len() < settings.min_in_sync;
        if !waits && reached > self.watermark(rules) {
            if rules.truncation.asks_for_high_watermark() {
                self.replica_mut(leader).high_watermark = reached;
            }
            self.visible = self.visible.max(reached);
        }
    }

    /// Whether the leader takes what asks for the minimum of in-sync replicas.
    pub fn takes_writes(&self, settings: &ReplicationSettings) -> bool {
        let controller = &self.controller;
        controller.leader.is_some() && controller.in_sync.len() >= settings.min_in_sync
    }

    /// Whether what ends at `end` of the leader's log waits for the in-sync replicas no longer: they have
    /// it, or nobody leads.
    pub fn is_decided(&self, end: u16, rules: &KafkaRules) -> bool {
        self.controller.leader.is_none() || end <= self.watermark(rules)
    }

    /// Another leader epoch begins under `leader`.
    pub fn begin_epoch(&mut self, leader: u16, pipeline: &Pipeline) {
        let settings = &pipeline.topic.replication;
        let before = self.controller.leader;
        let deposed: Members = (0..settings.replicas)
            .filter(|who| *who != leader && self.leads(*who))
            .collect();
        self.controller.epoch += 1;
        self.controller.leader = Some(leader);
        self.controller.proposal = None;
        let epoch = self.controller.epoch;
        self.journal.note(Deed::Leads { who: leader, epoch });
        for who in 0..settings.replicas {
            let replica = self.replica_mut(who);
            replica.known_end = 0;
            if before == Some(who) && deposed.contains(who) {
                replica.follows = Some(who);
            }
        }
        let new = self.replica_mut(leader);
        new.broker.leader_epoch = epoch;
        new.follows = Some(leader);
        new.in_line = true;
        let (start, end) = (new.broker.log_start(), new.broker.log_end());
        self.visible = self.visible.min(end).max(start);
        for who in 0..settings.replicas {
            let alive = self.replica(who).status == Status::Up;
            let hears = pipeline.rules.stale_fetches_refused && !deposed.contains(who);
            if alive && hears && who != leader {
                self.hear(who, &pipeline.rules);
            }
        }
    }

    /// This broker hears of the current leader.
    pub fn hear(&mut self, who: u16, rules: &KafkaRules) {
        let (epoch, leader) = (self.controller.epoch, self.controller.leader);
        let replica = self.replica_mut(who);
        let other = leader.is_some() && leader != replica.follows && leader != Some(who);
        let cuts = rules.truncation == TruncationRule::ToHighWatermark && other;
        let cuts = cuts.then_some(replica.high_watermark);
        replica.broker.leader_epoch = epoch;
        replica.follows = leader;
        replica.in_line = false;
        if let Some(end) = cuts {
            replica.truncate(end);
        }
        self.journal.note(Deed::Hears { who, epoch, cuts });
    }

    /// The topic is deleted and created again: the brokers that are up have an empty replica of it and are in
    /// sync, and so one of them leads. What a broker that is down has of the old one it never shows.
    pub fn recreate(&mut self, leader: u16, settings: &ReplicationSettings) {
        let alive = self.alive(settings);
        for who in 0..settings.replicas {
            let is_up = alive.contains(who);
            *self.replica_mut(who) = Replica {
                status: if is_up { Status::Up } else { Status::Down },
                follows: is_up.then_some(leader),
                ..Replica::default()
            };
        }
        self.controller = Controller {
            leader: Some(leader),
            in_sync: alive,
            ..Controller::default()
        };
        self.visible = 0;
    }

    /// This broker starts again with the first `kept` entries.
    pub fn restart(&mut self, who: u16, kept: u16, pipeline: &Pipeline) {
        let settings = &pipeline.topic.replication;
        let found = self.replica(who).status;
        self.journal.note(Deed::Restarts { who, found, kept });
        let replica = self.replica_mut(who);
        replica.start(kept);
        // Nothing that it heard before is known any more.
        replica.follows = None;
        self.controller.register_again(who, settings);
        self.hear(who, &pipeline.rules);
    }

    /// What consumers can read.
    pub fn view(&self) -> Broker {
        let mut view = Broker {
            leader_epoch: self.controller.epoch,
            ..Broker::default()
        };
        if let Some(leader) = self.controller.leader {
            view.log = self.replica(leader).broker.log.clone();
            view.log.truncate(usize::from(self.visible));
            view.log_start = self.replica(leader).broker.log_start().min(self.visible);
        }
        view
    }

    /// What is on disk is of no interest once no power can fail any more.
    pub fn forget_flushes(&mut self, settings: &ReplicationSettings) {
        let unpowered = |replica: &Replica| replica.status == Status::Unpowered;
        if self.replicas.iter().any(unpowered) {
            return;
        }
        for who in 0..settings.replicas {
            self.replica_mut(who).broker.flushed = 0;
        }
    }

    /// Fields that nothing reads get one value.
    pub fn normalize(&mut self, pipeline: &Pipeline) {
        let settings = &pipeline.topic.replication;
        let rules = &pipeline.rules;
        let (leader, epoch) = (self.controller.leader, self.controller.epoch);
        for who in 0..settings.replicas {
            let deposed = self.is_deposed(who);
            let replica = self.replica_mut(who);
            match replica.status {
                Status::Up => {}
                Status::Down | Status::Unpowered => {
                    replica.follows = None;
                    replica.in_line = false;
                    replica.known_end = 0;
                    replica.broker.leader_epoch = 0;
                }
            }
            if leader == Some(who) {
                replica.known_end = 0;
            }
            if rules.stale_fetches_refused {
                replica.follows = deposed.then_some(who);
            }
            // Who has heard of a leader that is gone hears of the next one, too.
            let hears_anew = rules.stale_fetches_refused && leader.is_none();
            if leader == Some(who) || hears_anew && replica.broker.leader_epoch == epoch {
                replica.in_line = true;
            }
            if !rules.truncation.asks_for_high_watermark() {
                replica.high_watermark = 0;
            }
            if !pipeline.producer.idempotence {
                replica.broker.recovered = 0;
                let entries = replica.broker.log.iter_mut();
                entries.for_each(|entry| {
                    entry.forgotten = false;
                    entry.emptied = false;
                });
            }
        }
    }
}
