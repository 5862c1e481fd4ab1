//! The markers that the transaction coordinator has written to the partition.
//!
//! **Modelled** (`TransactionMarkerChannelManager`, `TransactionMarkerRequestCompletionHandler`,
//! `KafkaApis.handleWriteTxnMarkersRequest` of Kafka 4.x). A marker is appended by the partition's leader
//! as a producer's batch with `acks=all` is: refused while fewer replicas are in sync than the minimum,
//! and answered when the high watermark has reached it. Until then the transaction is not complete, and
//! nothing is added to the next one. Where the leader is deposed or dies before, the coordinator has the
//! marker written once more, to the new leader, whether that one had it already or not: a marker that ends
//! no transaction in the log changes nothing. What becomes of a marker in an election is what becomes of
//! its log: it is cut off with the tail that it lies in, and a transaction whose marker was lost below the
//! high watermark stays open in the log until its producer's next marker ends it.
//!
//! **Left out.** A marker that goes to a broker that leads no more and has not heard of it. The coordinator
//! is a broker and hears of an election when the others do; what a deposed leader appends is refused once it
//! hears, and where it leads again before that, the marker lies in its log a little earlier than its repeat
//! would. A marker that waits for its replicas for longer than a request may: the repeat is refused while
//! replicas are missing, and changes nothing after that.

use super::{Cluster, State};
use crate::broker::AppendResult;
use crate::pipeline::Pipeline;
use crate::transaction_coordinator::Part;

impl Cluster {
    /// Whether the coordinator can have a marker written now.
    pub(super) fn writes_marker(&self, state: &State) -> bool {
        let has_next = state
            .transactions
            .as_deref()
            .is_some_and(|own| own.id.markers().next().is_some() && own.replicating.is_none());
        let settings = &self.pipeline.topic.replication;
        let replication = state.replication.as_ref();
        let takes = replication.is_none_or(|own| own.takes_writes(settings));
        has_next && takes
    }

    /// The next marker is written. Where it is refused, a newer epoch has ended the transaction there.
    pub(super) fn write_marker(&self, state: &mut State) {
        let Some(transactions) = state.transactions.as_deref_mut() else {
            return;
        };
        let Some(marker) = transactions.id.markers().next() else {
            return;
        };
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let session = state.producer.session;
        let Some(replication) = &mut state.replication else {
            state.broker.append_marker(session, marker, topic, rules);
            transactions.id.marker_is_written(marker.part);
            return;
        };
        let Some(leader) = replication.controller.leader else {
            return;
        };
        let broker = &mut replication.replica_mut(leader).broker;
        match broker.append_marker(session, marker, topic, rules) {
            AppendResult::Appended => transactions.replicating = Some(broker.log_end()),
            AppendResult::StaleEpoch
            | AppendResult::Duplicate
            | AppendResult::OutOfOrder
            | AppendResult::UnknownProducerId => transactions.id.marker_is_written(marker.part),
        }
    }

    /// The next marker is written, and nobody who would note that is left.
    pub(super) fn append_marker_unnoted(&self, state: &mut State) {
        let transactions = state.transactions.as_deref();
        let Some(marker) = transactions.and_then(|own| own.id.markers().next()) else {
            return;
        };
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let session = state.producer.session;
        let leader = match &mut state.replication {
            None => &mut state.broker,
            Some(replication) => match replication.controller.leader {
                Some(leader) => &mut replication.replica_mut(leader).broker,
                None => return,
            },
        };
        leader.append_marker(session, marker, topic, rules);
    }

    /// A marker that the in-sync replicas have is written. Where they have become too few, it is to be
    /// written again.
    pub(super) fn settle_marker(&self, state: &mut State) {
        let (Some(transactions), Some(replication)) =
            (state.transactions.as_deref_mut(), &state.replication)
        else {
            return;
        };
        let Some(end) = transactions.replicating else {
            return;
        };
        let Pipeline { topic, rules, .. } = &self.pipeline;
        if replication.is_decided(end, rules) {
            transactions.replicating = None;
            if replication.takes_writes(&topic.replication) {
                transactions.id.marker_is_written(Part::Input);
            }
        }
    }
}

impl State {
    /// Another leader epoch begins: a marker that waits for the in-sync replicas of the one before is not
    /// answered.
    pub(super) fn forget_marker_under_way(&mut self) {
        if let Some(transactions) = self.transactions.as_deref_mut() {
            transactions.replicating = None;
        }
    }
}
