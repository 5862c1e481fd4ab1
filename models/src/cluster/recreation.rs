//! The topic is deleted and created again under its name.
//!
//! **Modelled.** The new log is empty, begins at offset 0 and leader epoch 0, and knows no producer.
//! The group coordinator deletes the committed offset with the partition
//! (`OffsetMetadataManager.onPartitionsDeleted`, KAFKA-2000), and takes commits by name again as soon
//! as the topic is back: a member commits the offsets that it read from the old log. An offset saved
//! in the sink's database stays what it was. The upstream producer goes on with its sequence numbers;
//! of a producer id that it does not know the new log takes any.
//!
//! **What consumers see.** An owner whose metadata had the topic missing in between gives the partition
//! up and gets it anew in the next rebalance; commits fail while the topic is missing
//! (UNKNOWN_TOPIC_OR_PARTITION), so it reads from the saved offset or where `auto.offset.reset` says
//! ([`Recreation::Missed`]). One that did not notice keeps its position: a fetch by topic id is
//! answered UNKNOWN_TOPIC_ID, the metadata brings the new id, and the same offset is fetched under
//! that (`FetchCollector.handleInitializeErrors`, `FetchSessionHandler`). If the leader and its epoch
//! look as before, nothing is validated: the position is valid, or beyond the end and out of range
//! ([`Recreation::Unnoticed`]). Otherwise it is validated as after any change of leader, by an epoch
//! that means something else now ([`Recreation::OtherLeader`]): in the middle of nowhere it goes to
//! the end of the epoch, and what lies before is skipped.
//!
//! Java clients from 2.1 to 2.8 take no metadata of a leader epoch lower than the last one that they
//! have seen: one that had seen a higher epoch of the old topic stays with its metadata until its
//! process starts again ([`crate::pipeline::KafkaRules::recreated_topic_noticed`], KAFKA-12257).
//!
//! **With replicas** (KRaft: `ReplicationControlManager.createTopic`, `BrokerMetadataPublisher`) every broker
//! that is up gets an empty replica and is in sync; without one the topic is not created. Which of them leads
//! is open. What a broker that is down has of the old topic it deletes when it is back, for its topic id is
//! another (KAFKA-14616, 3.7; before, the new replica was not made until the next start), and it follows with
//! an empty log. What waits for the in-sync replicas is answered with an error as its partition is deleted
//! (`ReplicaManager.stopPartitions`), and sent again; so is what is sent to a broker that does not lead the
//! new partition. A broker that has not heard of the deletion does nothing that it could not have done just
//! before, for what it has is deleted then. Consumers have nothing validated where the same broker leads in
//! the same epoch, 0; whether one had heard of the last leader is open.
//!
//! **What the producer sees.** From 4.1 on a produce request names its topic by its id
//! ([`crate::pipeline::KafkaRules::produce_names_ids`], KAFKA-10551): what was sent to the old one is refused
//! (UNKNOWN_TOPIC_ID), and sent again in its order. Before, what reaches the broker between deletion and
//! creation is refused (UNKNOWN_TOPIC_OR_PARTITION) and may be sent again behind what came later
//! ([`Strike::RecreateMissingTopic`]), and what comes after that is taken for the new topic. With several
//! replicas, where the new leader is another broker, what is sent to the old one is refused like that; more
//! than the oldest that is refused is as if the others were sent later.
//!
//! **Left out.** A deletion that is noticed with records in hand: their commit fails, the rest is as
//! if it had come before the deletion. That an unnoticed position is validated later, by a restart of
//! a broker: it is like one that is validated at once. A client that had not heard of the newest epoch
//! when the topic went: it is like one that takes the new metadata.

use super::replicas::refuse_waiting;
use super::{Cluster, State};
use crate::action::{Recreation, Strike};
use crate::consumer::Phase;
use crate::pipeline::OnRevoke;
use crate::replication::Replication;

impl Cluster {
    /// Adds the ways in which the topic may be created again.
    pub(super) fn recreations(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if !self.limits.recreates {
            return;
        }
        let missed = self.owner_between_polls(state).map(|_| Recreation::Missed);
        let kept = [Recreation::Unnoticed, Recreation::OtherLeader];
        let Some(replication) = &state.replication else {
            let by_name = !self.pipeline.rules.produce_names_ids;
            let may_miss = by_name && state.producer.first_unhandled().is_some();
            for how in kept.into_iter().chain(missed) {
                add(Strike::RecreateTopic(how));
                if may_miss {
                    add(Strike::RecreateMissingTopic(how));
                }
            }
            return;
        };
        for leader in replication.alive(&self.pipeline.topic.replication).iter() {
            for how in kept.into_iter().chain(missed) {
                if may_be_seen(replication, how, leader) {
                    add(Strike::RecreateTopicAt { how, leader });
                }
            }
        }
    }

    /// The owner that can give the partition up now.
    fn owner_between_polls(&self, state: &State) -> Option<u16> {
        let polls = |who: &u16| {
            let consumer = &state.consumers[usize::from(*who)];
            consumer.phase == Phase::Polling
                && consumer.owed.next(self.pipeline.client).is_none()
                && self.owns(state, *who)
        };
        let free = self.pipeline.subscribes() && state.group.rebalance.is_none();
        self.everyone().find(polls).filter(|_| free)
    }

    /// The topic is deleted and created again; `leader` leads it, where it has replicas.
    pub(super) fn recreate(&self, state: &mut State, how: Recreation, leader: Option<u16>) {
        let owner = self.owner_between_polls(state);
        let before = std::mem::take(&mut state.broker);
        if let (Some(replication), Some(leader)) = (&mut state.replication, leader) {
            let settings = &self.pipeline.topic.replication;
            replication.recreate(leader, settings);
            (0..settings.replicas).for_each(|who| refuse_waiting(state, who));
        }
        if self.pipeline.rules.produce_names_ids {
            self.refuse_another_topic(state);
        }
        state.group.committed = None;
        state.group.history.truncate(0);
        for consumer in &mut state.consumers {
            if consumer.is_running() && !self.pipeline.rules.recreated_topic_noticed {
                consumer.seen_epoch = consumer.seen_epoch.max(before.leader_epoch);
            }
            if how == Recreation::Unnoticed {
                consumer.leader_epoch = None;
            }
        }
        if let Some(owner) = owner.filter(|_| how == Recreation::Missed) {
            let drops = self.pipeline.consumer.on_revoke == OnRevoke::DropBuffered;
            let consumer = &mut state.consumers[usize::from(owner)];
            consumer.give_up(Phase::Idle, drops, &self.pipeline);
            self.take_over(state, owner);
        }
    }

    /// What was sent to a topic by its id finds another one under its name: it is refused, and sent again by the
    /// new id; what is late is refused, too.
    fn refuse_another_topic(&self, state: &mut State) {
        state.limbo.lose_produce_requests(|_| true);
        while state.producer.first_unhandled().is_some() {
            self.refuse_produce(state);
        }
    }
}

/// Whether consumers may see it so that this broker leads the new partition: in the first leader epoch they
/// know who led.
fn may_be_seen(replication: &Replication, how: Recreation, leader: u16) -> bool {
    let controller = &replication.controller;
    let is_first = controller.epoch == 0;
    let as_before = controller.leader == Some(leader);
    match how {
        Recreation::Missed => true,
        Recreation::Unnoticed => as_before || !is_first,
        Recreation::OtherLeader => !as_before || !is_first,
    }
}
