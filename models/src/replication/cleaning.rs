//! What the log cleaners take from replicas.
//!
//! **Each broker cleans its own replica**, whether it leads or follows (`LogManager` has one cleaner for all
//! logs of a broker), and only what it knows to lie below the high watermark (KAFKA-13194, 3.1;
//! `LogCleanerManager.cleanableOffsets`): a record that replaces another is on every in-sync replica by then.
//! One fault is one pass, at one moment, over any set of the brokers that are up, each set being explored. A
//! broker that is down cleans nothing; what it does when it is back is another pass. A follower may know the
//! leader's high watermark, for another fetch would have told it; one whose log holds something else than the
//! leader's does not know it beyond that. Where no one leads nothing is cleaned: that could as well have been
//! before.
//!
//! **A gap is fetched as it is.** The batches that a follower gets go on behind the gap, and it knows neither
//! the producers nor the leader epochs of what it did not get. Of each producer id the last batch of what was
//! cleaned is there without its record, and tells both. A leader whose log ends in a gap, for it was cut
//! there as a follower, has nothing to send until the next append; until then its followers' logs end before
//! its own, and none that is not in sync comes back.
//!
//! **A cut leaves the gap.** A follower that cuts its log to what it has in common with the leader's goes on
//! where it cut, and never fetches what its own cleaner took below. So both may be gone, the record that was
//! removed and the one that had replaced it. A log that is found when a broker starts ends behind its last
//! batch (`LogSegment.readNextOffset`): what follows is fetched again.
//!
//! **Left out.** A segment that begins behind a gap, or in one, and has no batch yet, which keeps the log's
//! end there when a broker starts: such a broker has what it would have without that start. A fetch that ends
//! between the batches of a cleaned log: what it misses, one that ended before them misses, too. A cut that
//! leaves the active segment empty, after which the log's last record may replace others until the next append.
//! A snapshot of producers that outlives the batches that it tells of, where the log is cut among them. Kafka
//! keeps an empty batch only as long as its producer id has no later one: one that is kept longer is of a
//! producer id of which a newer batch is known, and only a late request could ask for it. With the leader
//! epochs of whole gaps a leader answers for the epoch before; Kafka does, too, but where there is none before.

use super::{Members, Replication};
use crate::pipeline::{KafkaRules, Pipeline};
use std::collections::BTreeMap;

impl Replication {
    /// Where closed segments may end for a cleaner to remove something, and at which brokers.
    pub fn who_may_clean(&self, pipeline: &Pipeline) -> BTreeMap<u16, Members> {
        let mut ends: BTreeMap<u16, Members> = BTreeMap::new();
        for who in self.alive(&pipeline.topic.replication).iter() {
            let below = self.known_below(who, &pipeline.rules);
            let own = self
                .replica(who)
                .broker
                .cleanable_ends(pipeline.bounds.keys);
            for end in own.into_iter().filter(|end| *end <= below) {
                ends.entry(end).or_default().extend([who]);
            }
        }
        ends
    }

    /// Up to where this broker may know its log to lie below the high watermark.
    fn known_below(&self, who: u16, rules: &KafkaRules) -> u16 {
        let Some(leader) = self.controller.leader else {
            return 0;
        };
        let own = self.replica(who);
        if rules.truncation.asks_for_high_watermark() {
            return own.high_watermark;
        }
        let leaders = self.replica(leader).broker.log.iter();
        let differs = own.broker.log.iter().zip(leaders).position(|(own, other)| {
            let both = !own.removed && !other.removed;
            both && (own.record, own.leader_epoch) != (other.record, other.leader_epoch)
        });
        let common = differs.map_or(own.broker.log_end(), |at| at as u16);
        common.min(self.visible)
    }

    /// The log cleaners of these brokers go over their logs below `end`.
    pub fn compact(&mut self, end: u16, brokers: Members, pipeline: &Pipeline) {
        for who in brokers.iter() {
            let broker = &mut self.replica_mut(who).broker;
            broker.compact_apart(end, pipeline.bounds.keys);
        }
    }
}
