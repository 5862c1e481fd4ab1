//! Transactions of the service's producer.
//!
//! **Modelled** (`KafkaProducer` and `TransactionManager` of the Java client 4.x, with brokers of
//! transaction version 2). The calls and their states: a call in the wrong one is refused before
//! anything is sent. A send that timed out or was refused fails the transaction, which can then only be
//! aborted. Offsets whose request was lost are sent again by the client before the transaction commits.
//! Of a commit or an abort that timed out the outcome is not known, and the client goes on to repeat
//! its EndTxn: nothing but the same call may follow. An abort does not turn the consumer's position
//! back.
//!
//! A transaction times out where its process stands still for that long, where somebody waits for the
//! offsets in it, and at the end of a run.
//!
//! **Left out.** Sends that nobody waits for, and a timeout under a process that goes on. An EndTxn that
//! was lost arrives before the process makes its next call, or never, where it dies.

use super::{Call, Kafka, Record};
use crate::harness::error::KafkaError;
use crate::lab::{NextOffset, Offset};
use semel_models::transaction_coordinator::Outcome;

/// Reading goes on after the record.
impl From<&Record> for NextOffset {
    fn from(record: &Record) -> NextOffset {
        record.offset.next()
    }
}

impl Kafka {
    /// Which instance of the service this is: 0, or the number of those that stand still while it
    /// runs. For ids that each instance has for itself.
    pub fn instance(&self) -> usize {
        self.lock().depth_of(self.who)
    }

    /// Initialises the producer's `transactional.id` (`initTransactions()`): what an earlier producer
    /// with this id left open is aborted, or completed where its commit was decided, and that producer
    /// is fenced.
    pub fn init_transactions(&self, transactional_id: &str) -> Result<(), KafkaError> {
        let (mut world, met) = self.begin(Call::InitTransactions)?;
        world.init_transactions(self.who, &met, transactional_id)
    }

    /// Begins a transaction: what is [sent](Kafka::send) from now on belongs to it.
    pub fn begin_transaction(&self) -> Result<(), KafkaError> {
        let (mut world, met) = self.begin(Call::BeginTransaction)?;
        world.begin_transaction(self.who, &met)
    }

    /// Commits within the transaction that reading goes on at `next`, or after a record
    /// (`sendOffsetsToTransaction(offsets, groupMetadata)`).
    pub fn send_offsets(&self, next: impl Into<NextOffset>) -> Result<(), KafkaError> {
        let next = next.into();
        let (mut world, met) = self.begin(Call::SendOffsets(next))?;
        world.send_offsets(self.who, &met, next)
    }

    /// Commits the transaction, its results and its offsets, and waits. After
    /// [`TimedOut`](KafkaError::TimedOut) it may have committed or not: call it again, or end the
    /// process.
    pub fn commit_transaction(&self) -> Result<(), KafkaError> {
        self.end_transaction(Outcome::Commit)
    }

    /// Aborts the transaction, and waits. The consumer's position stays where it is: see
    /// [`seek`](Kafka::seek).
    pub fn abort_transaction(&self) -> Result<(), KafkaError> {
        self.end_transaction(Outcome::Abort)
    }

    fn end_transaction(&self, outcome: Outcome) -> Result<(), KafkaError> {
        let (mut world, met) = self.begin(Call::EndTransaction(outcome))?;
        world.end_transaction(self.who, &met, outcome)
    }

    /// The next poll begins with `record`. Nothing but the client is asked: it is no place where the
    /// process dies.
    pub fn seek(&self, record: &Record) {
        let Offset(offset) = record.offset;
        self.lock().seek(self.who, NextOffset(offset));
    }
}
