//! What time takes from replicas: producer ids that expire, and records that leave the log.
//!
//! **A producer id expires at each broker by itself.** All replicas have its last batch with the same
//! timestamp, and each broker looks through what it knows every `producer.id.expiration.check.interval.ms`
//! (`ProducerStateManager.removeExpiredProducers`). So at one moment any of the brokers have forgotten it:
//! one fault, and each set of brokers is explored. What a follower fetches after that it knows, as Kafka's
//! does until its next check; that a broker which was asked since forgets once more is another fault. A
//! broker that is down finds its snapshot without what has expired.
//!
//! **A record leaves the log at each broker by itself, too.** Segments are deleted by their age, and below
//! the high watermark only (`UnifiedLog.deleteOldSegments`); a follower also takes over where its leader's
//! log begins with each fetch (`ReplicaFetcherThread.processPartitionData`), and one whose log ends before
//! that starts anew there, with no producer that it would know (`UnifiedLog.truncateFullyAndStartAt`). So a
//! leader that is elected may show again what the one before had no more. It is the oldest record of the
//! leader's log that leaves; where no one leads, nothing does: to leave then is to leave under the next
//! leader. A broker whose log still holds it loses with it what lies before it.

use super::{Members, Replication};
use crate::pipeline::{KafkaRules, ReplicationSettings};

impl Replication {
    /// The brokers that know the producer id of `session`.
    pub fn who_knows(&self, session: u16, settings: &ReplicationSettings) -> Members {
        let knows = |who: &u16| self.replica(*who).broker.knows(session);
        (0..settings.replicas).filter(knows).collect()
    }

    /// The producer id of `session` expires at these brokers.
    pub fn forget_producer(&mut self, session: u16, brokers: Members) {
        for who in brokers.iter() {
            self.replica_mut(who).broker.expire_producer(session);
        }
    }

    /// The offset of the record that leaves the log next, if that is below the high watermark.
    fn oldest(&self) -> Option<u16> {
        let leader = self.controller.leader?;
        let (offset, _) = self.replica(leader).broker.records_from(0).next()?;
        (offset.0 < self.visible).then_some(offset.0)
    }

    /// The brokers whose log may lose the oldest record.
    pub fn who_has_the_oldest(
        &self,
        settings: &ReplicationSettings,
        rules: &KafkaRules,
    ) -> Members {
        let (Some(offset), Some(leader)) = (self.oldest(), self.controller.leader) else {
            return Members::default();
        };
        let entry = |who: u16| {
            let broker = &self.replica(who).broker;
            let left = offset >= broker.log_start();
            let entry = broker.log.get(usize::from(offset)).filter(|_| left);
            entry.filter(|entry| !entry.removed)
        };
        let knows_it_below = |who: u16| {
            let own = self.replica(who).high_watermark;
            !rules.truncation.asks_for_high_watermark() || who == leader || own > offset
        };
        let same = |who: &u16| {
            let pair = entry(*who).zip(entry(leader));
            pair.is_some_and(|(own, other)| {
                (own.record, own.leader_epoch) == (other.record, other.leader_epoch)
            })
        };
        let brokers = (0..settings.replicas).filter(same);
        brokers.filter(|who| knows_it_below(*who)).collect()
    }

    /// The oldest record leaves the logs of these brokers.
    pub fn remove_oldest(&mut self, brokers: Members, rules: &KafkaRules) {
        let Some(offset) = self.oldest() else {
            return;
        };
        for who in brokers.iter() {
            self.replica_mut(who).broker.remove_below(offset + 1, rules);
        }
    }
}
