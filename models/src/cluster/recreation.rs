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
//! **Left out.** A deletion that is noticed with records in hand: their commit fails, the rest is as
//! if it had come before the deletion. That an unnoticed position is validated later, by a restart of
//! a broker: it is like one that is validated at once. A client that had not heard of the newest epoch
//! when the topic went: it is like one that takes the new metadata.

use super::{Cluster, State};
use crate::action::{Recreation, Strike};
use crate::consumer::Phase;
use crate::pipeline::OnRevoke;

impl Cluster {
    /// Adds the ways in which the topic may be created again.
    pub(super) fn recreations(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if !self.limits.recreates {
            return;
        }
        add(Strike::RecreateTopic(Recreation::Unnoticed));
        add(Strike::RecreateTopic(Recreation::OtherLeader));
        if self.owner_between_polls(state).is_some() {
            add(Strike::RecreateTopic(Recreation::Missed));
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

    /// The topic is deleted and created again.
    pub(super) fn recreate(&self, state: &mut State, how: Recreation) {
        let owner = self.owner_between_polls(state);
        let before = std::mem::take(&mut state.broker);
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
}
