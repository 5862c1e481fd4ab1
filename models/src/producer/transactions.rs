//! The transactional producer: what its application and its client do around the sends.
//!
//! **Modelled** (KIP-98, KIP-360, KIP-890, KIP-1050; `TransactionManager` and `Sender` of Kafka 4.x,
//! `rdkafka_txnmgr.c` and `rdkafka_idempotence.c` of librdkafka 2.x). The application takes its records
//! in order, `records-per-transaction` at a time, or as many as are left: it sends them, commits, and
//! relies on them when the commit is reported. Each call to the coordinator is one step with an
//! outcome: InitProducerId, AddPartitionsToTxn under transaction version 1, EndTxn. EndTxn waits until
//! nothing is outstanding.
//!
//! **An abort** is the application's own (the fault `abort`), or follows a delivery that failed: what
//! the client has not yet given a sequence number is dropped (librdkafka: all that waits in its queue,
//! whose sequence numbers are used again), what is in flight or repeated is waited for. An application
//! that sends again what failed (`on-send-failure = "resend"`) then makes the same transaction again,
//! in order; any other leaves its records, aborted.
//!
//! **After a delivery that failed** under version 2 each EndTxn raises the epoch, and the numbers begin
//! anew. Under version 1 it depends on the client.
//!
//! *Java* (`TransactionManager.maybeTransitionToErrorState`, `handleFailedBatch`, `maybeResolveSequences`;
//! `Sender.sendProducerData`, `completeBatch` of 2.4, 2.5, 3.5 and 3.8). It raises its epoch at the
//! coordinator once the transaction is aborted (KIP-360) where neither commitTransaction() nor
//! abortTransaction() was called before the delivery failed, and whatever was called where a batch timed
//! out that had been put back ([`Stage::Flushing`], `java::leave_in_doubt`). Otherwise the next transaction
//! has the same epoch. A batch that timed out on the wire at its first attempt, or whose retries were used
//! up, keeps its number: the next one has the next number, and the request may be handled behind the
//! marker of the abort. One whose answer was found to be missing when its time had passed gives its number
//! back (`take_back_oldest`), so that the next one may pass for its repeat. A client before 2.5, or one at
//! brokers before 2.5, never raises an epoch: what it would raise one for is fatal, and the rest is as
//! above. Such brokers answer UNKNOWN_PRODUCER_ID where they know a marker and no number; with nothing
//! acknowledged the client then numbers from 0 again, in the same epoch, and repeats.
//!
//! commitTransaction() waits for what was sent by itself, so the application may call it as soon as its last
//! record is sent. That is a step (`Action::CommitTransaction`) where it makes a difference: in a client
//! that raises epochs, beside faults that can make a delivery fail that was not put back before. Elsewhere
//! the commit begins with EndTxn: nothing that the client or the broker does in between depends on it.
//!
//! *librdkafka* raises its epoch after a message that timed out or was out of order, whatever the
//! application has called, and whatever is still on its way before it; after other failures it goes on in its
//! epoch, which is left out: that the partition then refuses its next message only makes it abort once
//! more. Before 2.0.0 it asked for the epoch while the transaction was open. With brokers before 2.5 that is
//! fatal, as any failure is; those of 2.5 abort the transaction and give the client another epoch, which comes
//! to the same as an abort before it. With later ones it fences itself, and before 1.8.2 it did not fail its
//! transaction; an upstream that meets that is refused (`src/design/version/rules.rs`), an output producer
//! is not (`crate::cluster`, `output_epochs.rs`).
//!
//! **A fatal error** (PRODUCER_FENCED, INVALID_TXN_STATE of a coordinator's answer) ends the process,
//! as the clients' documentation demands, and it starts again. So does a crash. The transactional id
//! stays, the first call of a new process aborts what the old one left open, and `on-restart` says
//! what becomes of its records. A record whose transaction was aborted, and that the application
//! leaves at that, counts as aborted.
//!
//! **Left out.** The limits of the application's calls (`max.block.ms`): a commit that times out in
//! the application is called again, and goes on where it was. The timeout of a transaction whose
//! process has died: it does what the next InitProducerId does. A commit that is called before the partition
//! was added: nothing is on the wire by then, so the numbers and the epoch that follow are those of a
//! transaction that was never sent.
//!
//! Of a Java client under version 1: a batch that was put back and timed out while a later one succeeded
//! counts as resolved from 2.5 on, and the epoch stays; the earlier one had been appended then, too, and what
//! is left of it is a repeat. A batch that the partition found out of order, with none before it that is
//! outstanding, is repeated until it times out, and is here given up in doubt at once; where the client
//! holds it for the next one it fails in every transaction that follows, and commits nothing more. So does a
//! client that can raise no epoch and hears of an unknown producer id after something was acknowledged: here
//! its process ends instead. A fenced epoch ends it with its next call. A request that outlived its batch and
//! whose connection breaks then: the client fails the batch a second time, which takes another number back.
//! That one is not covered by another run (see the limits in README.md).

mod packing;

use super::java::{self, JavaSequences};
use super::librdkafka::LibrdkafkaSequences;
use super::{Batch, Failure, Producer, Sending};
use crate::broker::Stamp;
use crate::ledger::Ledger;
use crate::pipeline::{Client, OnRestart, OnSendFailure, Pipeline, Source};
use crate::set::Set;
use crate::transaction_coordinator::{
    CoordinatorAnswer, Outcome, Phase, Transaction, TransactionVersion,
};

/// What the producer is about to do, or in the middle of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The process has started and is to initialise its transactional id.
    #[default]
    Starting,
    /// No transaction has begun.
    Ready,
    /// Records are sent.
    Open,
    /// The commit was asked for.
    Committing,
    /// The transaction is to be aborted.
    Aborting,
    /// The transaction is aborted, and the epoch is to be raised.
    Raising,
    /// The commit was called, and waits for what was sent.
    Flushing,
}

impl Stage {
    const ALL: [Stage; 7] = [
        Stage::Starting,
        Stage::Ready,
        Stage::Open,
        Stage::Committing,
        Stage::Aborting,
        Stage::Raising,
        Stage::Flushing,
    ];
}

/// Whether the partition was added to the transaction, as far as the client knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Added {
    /// Nobody asked.
    #[default]
    No,
    /// It asked, and does not know.
    Asked,
    /// It was.
    Yes,
}

impl Added {
    const ALL: [Added; 3] = [Added::No, Added::Asked, Added::Yes];
}

/// A transactional producer beside its [`Producer`], and what the coordinator keeps of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Transactions {
    /// The coordinator's state of the transactional id.
    pub id: Transaction,
    /// What the process is doing.
    pub stage: Stage,
    /// Whether the client has the partition added.
    pub added: Added,
    /// Whether the epoch is to be raised after the abort.
    pub raises: bool,
    /// The records of the application's transaction.
    pub current: Set,
    /// Records that were sent in a transaction whose end the coordinator has not decided.
    pub undecided: Set,
    /// Records whose transaction the coordinator aborted, as long as the application may still do
    /// them again.
    pub rolled_back: Set,
    /// Records whose transaction was committed without the application hearing of it, and that it
    /// sends again: whatever becomes of the other copy, not every one is aborted.
    pub kept: Set,
    /// Where the leader's log ended after a marker that waits for the in-sync replicas.
    pub replicating: Option<u16>,
}

impl Transactions {
    /// The epoch that the client has.
    pub fn epoch(producer: &Producer, pipeline: &Pipeline) -> u16 {
        match pipeline.client {
            Client::Java => producer.java.epoch,
            Client::Librdkafka => producer.librdkafka.epoch,
        }
    }

    /// The record that the application sends next.
    pub fn next_to_send(&self, producer: &Producer, pipeline: &Pipeline) -> Option<u16> {
        let Source::Transaction {
            records_per_transaction,
        } = pipeline.producer.source
        else {
            return None;
        };
        let begins = match self.stage {
            Stage::Ready | Stage::Open => true,
            Stage::Starting
            | Stage::Committing
            | Stage::Aborting
            | Stage::Raising
            | Stage::Flushing => false,
        };
        let unsent = |record: &u16| producer.sending[usize::from(*record)] == Sending::Unsent;
        let again = self.current.iter().find(unsent);
        let has_room = self.current.iter().count() < usize::from(records_per_transaction);
        let new = || {
            (0..pipeline.bounds.records)
                .find(unsent)
                .filter(|_| has_room)
        };
        again.or_else(new).filter(|_| begins)
    }

    /// The application sends `record` in its transaction.
    pub fn sent(&mut self, record: u16) {
        self.stage = Stage::Open;
        self.current.insert(record);
        self.undecided.insert(record);
        self.rolled_back.remove(record);
    }

    /// Whether the client may put records on the wire: their partition belongs to the transaction.
    pub fn may_transmit(&self, pipeline: &Pipeline) -> bool {
        match pipeline.rules.transactions.version {
            TransactionVersion::One => self.added == Added::Yes,
            TransactionVersion::Two => true,
        }
    }

    /// The client has a new object for its partition, and does not know that it was added.
    pub fn forget_partition(&mut self) {
        if self.stage == Stage::Open && self.added == Added::Yes {
            self.added = Added::Asked;
        }
    }

    /// Whether the client's next call is InitProducerId.
    pub fn initializes(&self) -> bool {
        match self.stage {
            Stage::Starting | Stage::Raising => true,
            Stage::Ready | Stage::Open | Stage::Committing | Stage::Aborting | Stage::Flushing => {
                false
            }
        }
    }

    /// The epoch that InitProducerId says to expect.
    pub fn expected(&self, producer: &Producer, pipeline: &Pipeline) -> Option<u16> {
        (self.stage == Stage::Raising).then(|| Transactions::epoch(producer, pipeline))
    }

    /// Whether the client's next call is AddPartitionsToTxn.
    pub fn adds(&self, pipeline: &Pipeline) -> bool {
        pipeline.rules.transactions.version == TransactionVersion::One
            && match self.stage {
                Stage::Open => self.added != Added::Yes,
                Stage::Aborting => self.added == Added::Asked,
                Stage::Starting
                | Stage::Ready
                | Stage::Committing
                | Stage::Raising
                | Stage::Flushing => false,
            }
    }

    /// How the transaction is to end now, if nothing is outstanding any more.
    pub fn ends(&self, producer: &Producer, pipeline: &Pipeline) -> Option<Outcome> {
        if is_outstanding(producer) || self.adds(pipeline) {
            return None;
        }
        match self.stage {
            Stage::Open if self.next_to_send(producer, pipeline).is_none() => Some(Outcome::Commit),
            Stage::Committing | Stage::Flushing => Some(Outcome::Commit),
            Stage::Aborting => Some(Outcome::Abort),
            Stage::Starting | Stage::Ready | Stage::Open | Stage::Raising => None,
        }
    }

    /// Whether the application has sent all that belongs to its transaction and does not wait for it:
    /// commitTransaction() does. (Before the partition is added nothing is on the wire.)
    pub fn commits_early(&self, producer: &Producer, pipeline: &Pipeline) -> bool {
        self.stage == Stage::Open
            && self.added == Added::Yes
            && is_outstanding(producer)
            && self.next_to_send(producer, pipeline).is_none()
    }

    /// Whether the client takes the sequence number back of a batch that fails now and could have been
    /// retried. (Where the epoch is raised that makes no difference.)
    pub fn takes_numbers_back(&self, pipeline: &Pipeline) -> bool {
        let ends = match self.stage {
            Stage::Flushing | Stage::Aborting => true,
            Stage::Starting | Stage::Ready | Stage::Open | Stage::Committing | Stage::Raising => {
                false
            }
        };
        pipeline.keeps_epochs() || pipeline.keeps_epoch_behind_commit() && ends && !self.raises
    }

    /// Whether ending the transaction needs no request: nothing was added to it.
    pub fn ends_by_itself(&self, pipeline: &Pipeline) -> bool {
        self.stage == Stage::Aborting
            && self.added == Added::No
            && pipeline.rules.transactions.version == TransactionVersion::One
    }

    /// Whether the application can decide to abort.
    pub fn can_abort(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Whether a transaction is open at the coordinator that its producer, which is alive, knows
    /// nothing of: it times out by itself.
    pub fn is_forgotten(&self) -> bool {
        self.stage == Stage::Ready && self.id.can_time_out()
    }

    /// Whether there is something left to do, or to lose.
    pub fn is_busy(&self) -> bool {
        self.stage != Stage::Ready || !self.current.is_empty()
    }

    /// The coordinator may have decided how a transaction ends: `before` is what it kept until now.
    pub fn settle(&mut self, before: Phase, producer: &Producer, ledger: &mut Ledger) {
        let outcome = match (before, self.id.phase) {
            (before, after) if before == after => return,
            (_, Phase::Prepared(outcome)) => outcome,
            (Phase::Prepared(_), Phase::Complete(_)) => return,
            (_, Phase::Complete(outcome)) => outcome,
            (_, Phase::Unknown | Phase::Empty | Phase::Ongoing) => return,
        };
        self.decide(outcome, producer, ledger);
    }

    /// Whether the coordinator has committed the transaction in which `record` was sent last.
    fn is_committed(&self, record: u16) -> bool {
        !self.undecided.contains(record) && !self.rolled_back.contains(record)
    }

    /// The application leaves `record`, whose transaction was aborted.
    fn leave_aborted(&self, record: u16, ledger: &mut Ledger) {
        if !self.kept.contains(record) {
            ledger.abort(record);
        }
    }

    fn decide(&mut self, outcome: Outcome, producer: &Producer, ledger: &mut Ledger) {
        let undecided = std::mem::take(&mut self.undecided);
        if outcome == Outcome::Commit {
            return;
        }
        for record in undecided.iter() {
            match producer.sending[usize::from(record)] {
                Sending::Forgotten => self.leave_aborted(record, ledger),
                Sending::Unsent
                | Sending::Pending
                | Sending::Acknowledged
                | Sending::Failed
                | Sending::Aborted => self.rolled_back.insert(record),
            }
        }
    }
}

/// Whether the client waits for something that was sent.
fn is_outstanding(producer: &Producer) -> bool {
    let awaited = producer.flights.iter().any(|flight| !flight.expired);
    awaited || !producer.queue.is_empty()
}

impl Producer {
    /// A record of a transaction is acknowledged; one of an aborted transaction is left as it is.
    pub(super) fn report_success_in_transaction(&mut self, record: u16) {
        let sending = &mut self.sending[usize::from(record)];
        if *sending == Sending::Pending {
            *sending = Sending::Acknowledged;
        }
    }

    /// A delivery in a transaction failed: the application hears of it, and aborts. Where it aborts
    /// already, only what the client cannot resolve any more matters
    /// (`TransactionManager.maybeResolveSequences`).
    pub(super) fn fail_in_transaction(
        &mut self,
        batch: &Batch,
        why: Failure,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        let aborts = self.sending[usize::from(batch.record)] == Sending::Aborted;
        let in_doubt = match (pipeline.client, pipeline.rules.transactions.version) {
            (Client::Librdkafka, _) => true,
            (Client::Java, TransactionVersion::One) => {
                java::leave_in_doubt(self, batch, why) && batch.attempts > 0
            }
            (Client::Java, TransactionVersion::Two) => batch.attempts > 0,
        };
        if !aborts || in_doubt {
            self.leave_failed(batch.record, pipeline, ledger);
        }
    }

    /// Whether a batch has failed, in this step, of which the Java client does not know what became.
    pub(crate) fn take_doubts(&mut self) -> bool {
        std::mem::take(&mut self.java.unresolved) > 0
    }

    /// Whether a batch carries an epoch that the client has no more.
    pub(super) fn is_of_former_transaction(&self, batch: &Batch, pipeline: &Pipeline) -> bool {
        let is_former = |stamp: Stamp| stamp.epoch != self.java.epoch;
        pipeline.producer.is_transactional() && batch.stamp.is_some_and(is_former)
    }

    /// The client hears that its transactional id is initialised.
    pub fn initialized(
        &mut self,
        transactions: &mut Transactions,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        if transactions.stage == Stage::Starting {
            // What the process before left is never committed now.
            transactions.decide(Outcome::Abort, self, ledger);
        }
        transactions.stage = Stage::Ready;
        transactions.raises = false;
        self.take_epoch(transactions.id.epoch, pipeline);
    }

    /// Goes on in `epoch`, with sequence numbers from 0.
    pub(crate) fn take_epoch(&mut self, epoch: u16, pipeline: &Pipeline) {
        match pipeline.client {
            Client::Java => {
                self.java = JavaSequences {
                    epoch,
                    ..JavaSequences::default()
                };
            }
            Client::Librdkafka => {
                self.librdkafka = LibrdkafkaSequences {
                    epoch,
                    acknowledged: self.librdkafka.acknowledged,
                    ..LibrdkafkaSequences::default()
                };
            }
        }
    }

    /// A delivery in the transaction failed: the transaction cannot commit any more.
    pub fn fail_transaction(
        &mut self,
        transactions: &mut Transactions,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        if transactions.current.is_empty() && transactions.stage != Stage::Aborting {
            // An output producer's transaction is its application's.
            return;
        }
        let in_doubt = self.take_doubts();
        let is_failed = |record: u16| self.sending[usize::from(record)] == Sending::Failed;
        let failed = match transactions.stage {
            Stage::Open | Stage::Flushing => transactions.current.iter().any(is_failed),
            Stage::Aborting => self.drop_what_lost_its_number(pipeline) | self.has_failed(pipeline),
            Stage::Starting | Stage::Ready | Stage::Committing | Stage::Raising => false,
        };
        if !failed {
            return;
        }
        let rules = &pipeline.rules.transactions;
        let raises = match (rules.version, pipeline.client) {
            (TransactionVersion::Two, _) => false,
            (TransactionVersion::One, Client::Librdkafka) => true,
            (TransactionVersion::One, Client::Java) => {
                let may_raise = rules.epoch_can_be_expected && transactions.stage == Stage::Open;
                in_doubt || may_raise
            }
        };
        if raises && !rules.epoch_can_be_expected {
            self.fail_for_good(transactions, pipeline, ledger);
            return;
        }
        match transactions.stage {
            Stage::Open | Stage::Flushing => {
                self.abort_transaction(transactions, pipeline, ledger);
            }
            Stage::Starting
            | Stage::Ready
            | Stage::Committing
            | Stage::Aborting
            | Stage::Raising => {}
        }
        transactions.raises |= raises;
    }

    /// Whether a delivery failed that the application no longer asks for.
    fn has_failed(&mut self, pipeline: &Pipeline) -> bool {
        let gives_up = pipeline.producer.on_send_failure != OnSendFailure::Resend;
        let mut failed = false;
        for sending in self.sending.iter_mut() {
            if *sending == Sending::Failed {
                failed = true;
                if gives_up {
                    *sending = Sending::Aborted;
                }
            }
        }
        failed
    }

    /// librdkafka has given the sequence number of a message that it is to repeat to another one: the
    /// broker would refuse it as out of order, so it is dropped here. Whether there was any.
    fn drop_what_lost_its_number(&mut self, pipeline: &Pipeline) -> bool {
        let before = self.queue.len();
        for index in (0..before).rev() {
            let lost = self.queue[index].created < self.librdkafka.base;
            if lost && pipeline.client == Client::Librdkafka {
                self.queue.remove(index);
            }
        }
        self.queue.len() < before
    }

    /// The application aborts its transaction.
    pub fn abort_transaction(
        &mut self,
        transactions: &mut Transactions,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        transactions.stage = Stage::Aborting;
        let before = self.queue.len();
        for index in (0..before).rev() {
            let is_dropped = match pipeline.client {
                Client::Java => self.queue[index].stamp.is_none(),
                Client::Librdkafka => true,
            };
            if is_dropped {
                self.queue.remove(index);
            }
        }
        if pipeline.client == Client::Librdkafka && self.librdkafka.base > 0 {
            self.librdkafka.base += (before - self.queue.len()) as u16;
        }
        if pipeline.producer.on_send_failure == OnSendFailure::Resend {
            return;
        }
        for record in std::mem::take(&mut transactions.current).iter() {
            self.sending[usize::from(record)] = Sending::Aborted;
            transactions.leave_aborted(record, ledger);
            transactions.undecided.remove(record);
            transactions.rolled_back.remove(record);
        }
    }

    /// The client hears that its transaction has ended.
    pub fn transaction_ended(
        &mut self,
        outcome: Outcome,
        transactions: &mut Transactions,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        match outcome {
            Outcome::Commit => {
                for record in std::mem::take(&mut transactions.current).iter() {
                    ledger.confirm(record);
                    transactions.kept.remove(record);
                    transactions.undecided.remove(record);
                    transactions.rolled_back.remove(record);
                }
            }
            // What is left of it is to be done again.
            Outcome::Abort => {
                for record in transactions.current.iter() {
                    self.sending[usize::from(record)] = Sending::Unsent;
                    transactions.undecided.remove(record);
                    transactions.rolled_back.insert(record);
                }
            }
        }
        transactions.added = Added::No;
        let raises = std::mem::take(&mut transactions.raises);
        transactions.stage = if raises { Stage::Raising } else { Stage::Ready };
        if pipeline.rules.transactions.version == TransactionVersion::Two {
            self.take_epoch(transactions.id.epoch, pipeline);
        }
    }

    /// The coordinator's answer cannot be survived: the process ends and starts again.
    pub fn fail_for_good(
        &mut self,
        transactions: &mut Transactions,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        for record in transactions.current.iter() {
            if self.sending[usize::from(record)] != Sending::Unsent {
                ledger.fail(record);
            }
        }
        self.restart_transactional(transactions, pipeline, ledger);
    }

    /// The process ends and starts again, under the same transactional id.
    pub fn restart_transactional(
        &mut self,
        transactions: &mut Transactions,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) {
        let forgets = pipeline.producer.on_restart == OnRestart::Forget;
        for record in std::mem::take(&mut transactions.current).iter() {
            if !forgets {
                let sent = self.sending[usize::from(record)] != Sending::Unsent;
                if sent && transactions.is_committed(record) {
                    transactions.kept.insert(record);
                }
                self.sending[usize::from(record)] = Sending::Unsent;
                transactions.undecided.remove(record);
                transactions.rolled_back.remove(record);
                continue;
            }
            self.sending[usize::from(record)] = Sending::Forgotten;
            if transactions.rolled_back.contains(record) {
                transactions.rolled_back.remove(record);
                transactions.leave_aborted(record, ledger);
            }
        }
        transactions.stage = Stage::Starting;
        transactions.added = Added::No;
        transactions.raises = false;
        *self = Producer {
            sending: std::mem::take(&mut self.sending),
            session: self.session,
            ..Producer::default()
        };
    }
}

impl Transactions {
    /// What a coordinator's answer to InitProducerId, AddPartitionsToTxn or EndTxn means: to go on,
    /// to ask again, or the end of the process.
    pub fn is_fatal(answer: CoordinatorAnswer) -> bool {
        match answer {
            CoordinatorAnswer::Done | CoordinatorAnswer::ConcurrentTransactions => false,
            CoordinatorAnswer::ProducerFenced
            | CoordinatorAnswer::InvalidTransactionState
            | CoordinatorAnswer::InvalidProducerIdMapping
            | CoordinatorAnswer::TransactionAbortable => true,
        }
    }
}
