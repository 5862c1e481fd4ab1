//! A transaction that is prepared once a database says so: two-phase commit with Kafka as one of its
//! participants, coordinated by whoever keeps the database.
//!
//! **Modelled.** `kafka[produce, db[...]]` with `prepared-transaction = "resume"`: the database
//! transaction is the last thing in the Kafka transaction. It commits first, and with it the producer id
//! and epoch of what is open. A start of the process that finds them asks for the commit under them,
//! whatever has become of that transaction meanwhile, and calls `initTransactions()` after that. This
//! is what Flink's Kafka sink does (`KafkaCommitter.commit`, `FlinkKafkaInternalProducer.resumeTransaction`,
//! which sets the client's private fields): a refusal is logged, the transaction counts as done, and the
//! job goes on behind its checkpoint (FLIP-319). An application that has not heard whether its database
//! committed ends, and its next start asks there.
//!
//! **What Kafka has of it** (KIP-939; apache/kafka, read at 4.1.0 to 4.3.1 and on the branch 4.4 of August
//! 2026).
//!
//! - `transaction.two.phase.commit.enable` exists since 4.1, for producers and for brokers. A client up to
//!   4.3.1 refuses `transaction.timeout.ms` beside it and does nothing else with it:
//!   `TransactionManager.initializeTransactions` sets neither Enable2Pc nor KeepPreparedTxn, and
//!   `initTransactions(boolean)`, `prepareTransaction()` and `completeTransaction(PreparedTxnState)` were
//!   taken out of the releases (KAFKA-19414). On 4.4 the client does set Enable2Pc, in a version of
//!   InitProducerId that is not stable: the call fails (KAFKA-20738).
//! - A coordinator from 4.1 on answers Enable2Pc with TRANSACTIONAL_ID_AUTHORIZATION_FAILED where the broker
//!   does not allow it, or the client has no TWO_PHASE_COMMIT on its transactional id, and KeepPreparedTxn
//!   with UNSUPPORTED_VERSION, on 4.4 as well (KAFKA-15370 is open).
//! - What it does have from 4.1 on is that a transaction whose timeout is 2147483647 ms, which is what
//!   Enable2Pc is turned into, never times out (`TransactionMetadata.isDistributedTwoPhaseCommitTxn`). A
//!   client that sets `transaction.timeout.ms` so gets the same, if `transaction.max.timeout.ms` lets it:
//!   [`OutputSettings::transactions_time_out`].
//!
//! So a restart that keeps a prepared transaction is one that resumes it, and what KIP-939 adds once it is
//! released is a call for it, and that no start can resume another transaction than the one that was
//! prepared: the latter is so here under transaction version 2, where each transaction has its own epoch.
//!
//! **Left out.** A new transactional id for each checkpoint, as Flink has it, and transactions that are
//! prepared and not the last: one process has one open transaction. A refused commit is one whatever the
//! error. The requests of a start are repeated until they are answered.
//!
//! [`OutputSettings::transactions_time_out`]: crate::pipeline::OutputSettings::transactions_time_out

use super::{Cluster, State};
use crate::order::Step;
use crate::output::journal::Happening;
use crate::program::{Operation, Within};
use crate::transaction_coordinator::Outcome;

impl Cluster {
    /// Whether pending offsets do not hold the only process up: its start ends their transaction, and
    /// not as a timeout would. Elsewhere the timeout stands for it.
    pub(super) fn ends_by_its_start(&self) -> bool {
        let alone = self.pipeline.group.instances == 1;
        alone && (self.limits.prepares || !self.pipeline.consumer.output.transactions_time_out)
    }

    /// Whether the database says of a transaction that it is prepared.
    pub(super) fn resumes_prepared(&self) -> bool {
        self.limits.prepares
    }

    /// Whether the operation is the database transaction that prepares the Kafka transaction around it:
    /// `save-offset` without a `db[...]` is one of its own.
    pub fn prepares(&self, operation: &Operation) -> bool {
        let within = matches!(operation.within, Within::Transaction { .. });
        let saves = operation.transaction || operation.contains(Step::SaveOffset);
        self.resumes_prepared() && saves && within
    }

    /// `who`'s database transaction has committed: it says which transaction is prepared, or that there
    /// is none, for nothing was sent.
    pub(super) fn note_prepared(&self, state: &mut State, who: u16) {
        let producer = self.output_producer(state, who);
        let prepared = producer.open.then_some(producer.epoch);
        let id = usize::from(self.id_of(who));
        self.output(state).prepared[id] = prepared;
    }

    /// A start asks for the commit of what the database says is prepared. Whatever the answer, it goes on.
    pub(super) fn resume_prepared(&self, state: &mut State, who: u16) {
        if !self.resumes_prepared() {
            return;
        }
        let (id, version) = (self.id_of(who), self.pipeline.rules.transactions.version);
        let before = self.transaction(state, id).phase;
        if let Some(epoch) = self.output(state).prepared[usize::from(id)] {
            self.coordinate(state, id, |own| own.end(epoch, Outcome::Commit, version));
        }
        let commits = self.transaction(state, id).phase != before;
        let resumed = Happening::Resumed { who, id, commits };
        self.output(state).journal.note(resumed);
    }

    /// Whether the transaction that is open under an id is one that the database says is prepared.
    pub fn is_prepared(&self, state: &State, id: u16) -> bool {
        let output = state.output.as_deref().filter(|_| self.resumes_prepared());
        output.is_some_and(|output| {
            let transaction = output.transactions.get(usize::from(id));
            transaction.is_some_and(|own| {
                let prepared = output.prepared.get(usize::from(id)).copied().flatten();
                own.can_time_out() && prepared == Some(own.epoch)
            })
        })
    }
}
