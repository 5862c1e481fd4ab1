//! The upstream's transaction coordinator moves to another broker.
//!
//! **Modelled** (`TransactionStateManager.loadTransactionsForTxnTopicPartition`,
//! `TransactionCoordinator.onElection` and `onResignation` of Kafka 4.x; `TransactionManager` of the Java
//! client). The new coordinator reads the transaction log, in which is whatever was ever answered, and
//! completes what is prepared. What the client had asked the old one for was written or was not; either
//! way it is answered NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS or not at all, and the client asks
//! again. A late request comes to a broker that is no longer the coordinator, and is refused. A marker
//! that the old one had written, and had not noted, is written once more; meanwhile the id is prepared, so
//! that nothing is added to its next transaction. So clients see nothing of it that a lost request or
//! answer does not show (proofs/derivations-coordinators.md), but for one that asks once more for an epoch
//! which the old one had given it: the epoch before is not in the log (`TransactionLog.readTxnRecordValue`
//! sets `lastProducerEpoch` to none, up to 4.3; KAFKA-20357 writes it), and the client is fenced.
//!
//! **Left out.** A marker that the old coordinator sends after the new one has been elected: the partition
//! takes it before it has one of the new coordinator, as if it had come earlier, and refuses it then. That
//! the coordinator moves back before a late request arrives.

use super::{Cluster, State};
use crate::action::{Strike, UnderWay};

impl Cluster {
    /// Adds the moves of the transaction coordinator, with what is under way there.
    pub(super) fn transaction_failovers(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if state.transactions.is_none() {
            return;
        }
        add(Strike::TransactionCoordinatorFailover(UnderWay::Lost));
        if self.coordinator_call(state).is_some() && !self.ends_by_itself(state) {
            add(Strike::TransactionCoordinatorFailover(UnderWay::Written));
        }
        if self.writes_marker(state) {
            add(Strike::TransactionCoordinatorFailover(UnderWay::Marker));
        }
    }

    /// The transaction coordinator moves.
    pub(super) fn fail_transactions_over(&self, state: &mut State, under_way: UnderWay) {
        state.limbo.retain(|late| !late.is_coordinator_call());
        match under_way {
            UnderWay::Lost => {}
            UnderWay::Written => self.lose_coordinator_answer(state),
            UnderWay::Marker => self.append_marker_unnoted(state),
        }
        if let Some(transactions) = state.transactions.as_deref_mut() {
            transactions.replicating = None;
            transactions.id.last_epoch = None;
        }
    }
}
