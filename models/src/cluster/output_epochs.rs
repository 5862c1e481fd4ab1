//! An output producer whose epoch is raised while its transaction is open: librdkafka before 1.8.2 (#3575).
//!
//! **Modelled** (`rdkafka_idempotence.c`, `rdkafka_txnmgr.c` of librdkafka 1.6.1 and 1.8.0, as read;
//! `TransactionCoordinator` and `TransactionMetadata` of Kafka 2.4 to 3.8). A partition that was refused one
//! result answers OUT_OF_ORDER_SEQUENCE_NUMBER to the next. The client then sends nothing until every answer
//! has come (`rd_kafka_idemp_drain_epoch_bump`), and InitProducerId after that. Its transaction does not
//! fail: `rd_kafka_txn_idemp_state_change` does nothing in a transaction.
//!
//! - The coordinator aborts what is open under a higher epoch, and answers CONCURRENT_TRANSACTIONS until
//!   that is done. Up to 1.6 the client says nothing of its own epoch, and is then given another one. From
//!   1.7 on it says it (KIP-360): brokers of 2.5 know that they fenced it, and give it the epoch that did;
//!   later ones answer that it is fenced, which is fatal
//!   ([`TransactionRules::fenced_epoch_is_known`](crate::transaction_coordinator::TransactionRules)).
//! - What was refused is sent again in the new epoch. The partition is marked as a part of the transaction
//!   (`RD_KAFKA_TOPPAR_F_IN_TXN`), a mark that only the end of the transaction takes away: it is not added
//!   again. A leader that does not ask the coordinator (before 3.6) appends it.
//! - Offsets that are added later begin a transaction at the coordinator, and the commit is done, with a
//!   marker for them alone. With nothing added since, the commit is answered INVALID_TXN_STATE, which is
//!   fatal.
//! - Meanwhile the client has no producer id: sendOffsetsToTransaction and EndTxn are refused as to be
//!   tried again. An abort is over with the new epoch from 1.7 on; before, it then ends a transaction that
//!   is not there (INVALID_TXN_STATE).
//! - A number that is refused at its place, with none skipped before it, is fatal
//!   (`rd_kafka_idemp_set_fatal_error`, from 1.6.1).
//!
//! **Left out.** A message that timed out raises the epoch in the same way, but its transaction fails when
//! it is to commit: faults that let a delivery time out are refused with clients before 2.3 for another
//! reason (`src/design/version/rules.rs`). The first topic's transactional producer: it has one partition and
//! no offsets, so that its commit is refused, and what it sent again is committed with its next
//! transaction; that design is refused.

use super::{Cluster, State};
use crate::producer::librdkafka;
use crate::transaction_coordinator::{CoordinatorAnswer, Phase as TransactionPhase};

impl Cluster {
    /// Whether `who`'s client has no epoch until the coordinator has raised it.
    pub(super) fn lacks_epoch(&self, state: &State, who: u16) -> bool {
        let client = self.output_client(state, who);
        self.limits.raises_within && client.is_some_and(|client| client.producer.librdkafka.bumping)
    }

    /// Whether `who`'s client will not add its partition again.
    pub(super) fn is_registered(&self, state: &State, who: u16) -> bool {
        let client = self.output_client(state, who);
        client.is_some_and(|client| client.registered)
    }

    /// The partition belongs to the transaction, as the client sees it.
    pub(super) fn register(&self, state: &mut State, who: u16) {
        let keeps = self.limits.registers;
        if let Some(client) = self.output_client_mut(state, who) {
            client.registered = keeps;
        }
    }

    /// The client's transaction has ended.
    pub(super) fn unregister(&self, state: &mut State, who: u16) {
        if let Some(client) = self.output_client_mut(state, who) {
            client.registered = false;
        }
    }

    /// Whether the client with this transactional id asks for another epoch now: what is in flight has been
    /// answered, and nothing is being ended at the coordinator.
    pub(super) fn raises_within(&self, state: &State, id: u16) -> bool {
        self.limits.raises_within
            && self.everyone().any(|who| {
                let client = self.output_client(state, who);
                self.id_of(who) == id
                    && client.is_some_and(|client| librdkafka::asks_for_epoch(&client.producer))
                    && match self.transaction_of(state, who).phase {
                        TransactionPhase::Prepared(_) => false,
                        TransactionPhase::Unknown
                        | TransactionPhase::Empty
                        | TransactionPhase::Ongoing
                        | TransactionPhase::Complete(_) => true,
                    }
            })
    }

    /// InitProducerId of a client in a transaction: what is open is to be aborted first.
    pub(super) fn raise_within(&self, state: &mut State, id: u16) {
        let rules = self.pipeline.rules.transactions;
        for who in self.everyone().filter(|who| self.id_of(*who) == id) {
            let epoch = self.output_producer(state, who).epoch;
            let answer = self.coordinate(state, id, |own| own.initialize(Some(epoch), &rules));
            let epoch = self.transaction(state, id).epoch;
            match answer {
                CoordinatorAnswer::Done => {
                    let producer = self.output_producer_mut(state, who);
                    producer.epoch = epoch;
                    producer.awaits_epoch = self.limits.forgets_epochs;
                    self.take_output_epoch(state, who);
                }
                CoordinatorAnswer::ConcurrentTransactions => {}
                CoordinatorAnswer::ProducerFenced
                | CoordinatorAnswer::InvalidTransactionState
                | CoordinatorAnswer::InvalidProducerIdMapping
                | CoordinatorAnswer::TransactionAbortable => self.crash(state, who),
            }
        }
    }

    /// What becomes of an abort where the client does not simply end its transaction; whether it could.
    pub(super) fn abort_within(&self, state: &mut State, who: u16) -> Option<bool> {
        let waits = self.pipeline.rules.transactions.epoch_can_be_expected;
        let lacks_epoch = self.lacks_epoch(state, who);
        let client = self.output_client_mut(state, who)?;
        client.registered = false;
        if client.producer.librdkafka.fatal {
            return Some(false);
        }
        if lacks_epoch {
            client.raises = false;
        }
        lacks_epoch.then_some(waits)
    }
}
