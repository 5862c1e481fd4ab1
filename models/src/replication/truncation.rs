//! What a follower cuts off before it fetches from a new leader.

use super::Replica;
use crate::broker::Broker;
use crate::pipeline::{KafkaRules, TruncationRule};

/// Cuts the follower's log to what it has in common with the leader's, as far as the rule tells.
pub(super) fn align(follower: &mut Replica, leader: &Replica, rules: &KafkaRules) {
    match rules.truncation {
        // That was done when it heard of the leader.
        TruncationRule::ToHighWatermark => {}
        TruncationRule::EndOfEpoch => {
            if let Some(epoch) = follower.broker.last_epoch() {
                let named = named_end(&leader.broker, epoch);
                let end = named.unwrap_or(follower.high_watermark);
                follower.truncate(end.min(follower.broker.log_end()));
            }
        }
        TruncationRule::EndOfKnownEpoch => {
            while let Some(epoch) = follower.broker.last_epoch() {
                let known = known_epoch(&leader.broker, epoch);
                let common = leader
                    .broker
                    .end_of_epoch(known)
                    .min(follower.broker.end_of_entries(known));
                follower.truncate(common.min(follower.broker.log_end()));
                if known == epoch {
                    break;
                }
            }
        }
    }
}

/// Where a leader says that `epoch` ended (`LeaderEpochFileCache.endOffsetFor` before 2.0). Its own
/// epoch it knows from its first append on.
fn named_end(leader: &Broker, epoch: u16) -> Option<u16> {
    let mut epochs = leader.log.iter().map(|entry| entry.leader_epoch);
    if leader.last_epoch() == Some(epoch) {
        return Some(leader.log_end());
    }
    let first = leader.log.first()?;
    if epoch < first.leader_epoch {
        return None;
    }
    let next = epochs.position(|other| other > epoch)?;
    Some(next as u16)
}

/// The largest epoch up to `epoch` that the leader has entries of.
fn known_epoch(leader: &Broker, epoch: u16) -> u16 {
    let epochs = leader.log.iter().map(|entry| entry.leader_epoch);
    if epoch == leader.leader_epoch {
        return epoch;
    }
    epochs
        .take_while(|known| *known <= epoch)
        .last()
        .unwrap_or(0)
}
