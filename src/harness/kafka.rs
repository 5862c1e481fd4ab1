//! The handle that the service has in place of its Kafka clients.
//!
//! **Modelled.** A consumer with `enable.auto.commit=false` that subscribes, and a producer that waits for
//! each send. The position advances by polling; a commit carries the next offset. A poll joins the
//! group where the consumer is no member, and reads on from the committed offset. A commit that
//! nobody waits for is on its way until the next poll or commit; a crash before may lose it. Within
//! `delivery.timeout.ms` the producer repeats a send by itself; a send that timed out may be in the
//! topic or not.
//!
//! Transactions are in `transactions.rs`.
//!
//! **Left out.** Automatic commits, callbacks on revocation, several partitions, and sends that are not
//! waited for. A poll acts on nothing but the client, so a crash just after it is a crash before
//! the next call. That the delivery timeout of a result passes in a pause.

mod transactions;

use super::error::KafkaError;
use super::schedule::Action;
use super::world::{Met, Shared, World};
use crate::lab::{self, NextOffset, Offset, RecordId};
use semel_models::transaction_coordinator::Outcome;
use std::sync::{Arc, MutexGuard, PoisonError};

/// A record that a poll returned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Which record it is, however often it is delivered.
    pub id: RecordId,
    /// Its offset.
    pub offset: Offset,
    /// Its key.
    pub key: Vec<u8>,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which record it is, however often it is sent.
    pub id: RecordId,
    /// Its key.
    pub key: Vec<u8>,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl Message {
    /// A message that is nothing but its identity.
    pub fn bare(id: u64) -> Message {
        Message {
            id: RecordId(id),
            key: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// The result of `record`: it has the record's identity and its key.
    pub fn result_of(record: &Record, payload: impl Into<Vec<u8>>) -> Message {
        Message {
            id: record.id,
            key: record.key.clone(),
            payload: payload.into(),
        }
    }

    pub(super) fn to_stored(&self) -> lab::Record {
        lab::Record {
            id: self.id,
            key: self.key.clone(),
            payload: self.payload.clone(),
        }
    }
}

/// What a call is, and what it is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call<'a> {
    Poll,
    Commit(Option<NextOffset>),
    CommitAsync(Option<NextOffset>),
    Point {
        name: &'a str,
        record: Option<RecordId>,
        in_transaction: bool,
    },
    Send(&'a Message),
    InitTransactions,
    BeginTransaction,
    SendOffsets(NextOffset),
    EndTransaction(Outcome),
}

impl Call<'_> {
    /// What it is called in stories and in the coverage.
    pub(super) fn label(self) -> String {
        match self {
            Call::Poll => "poll".into(),
            Call::Commit(_) => "commit".into(),
            Call::CommitAsync(_) => "commit-async".into(),
            Call::Point { name, .. } => format!("point \"{name}\""),
            Call::Send(_) => "send".into(),
            Call::InitTransactions => "init-transactions".into(),
            Call::BeginTransaction => "begin-transaction".into(),
            Call::SendOffsets(_) => "send-offsets".into(),
            Call::EndTransaction(Outcome::Commit) => "commit-transaction".into(),
            Call::EndTransaction(Outcome::Abort) => "abort-transaction".into(),
        }
    }

    /// Whether a producer makes it, which needs not be a member of the group.
    pub(super) fn is_of_the_producer(self) -> bool {
        match self {
            Call::Send(_)
            | Call::InitTransactions
            | Call::BeginTransaction
            | Call::SendOffsets(_)
            | Call::EndTransaction(_) => true,
            Call::Poll | Call::Commit(_) | Call::CommitAsync(_) | Call::Point { .. } => false,
        }
    }

    /// The same with what it is about.
    pub(super) fn full_label(self) -> String {
        match self {
            Call::Point {
                record: Some(id), ..
            } => format!("{} of r{}", self.label(), id.0),
            Call::Send(message) => format!("send of r{}", message.id.0),
            Call::Commit(Some(next)) | Call::CommitAsync(Some(next)) | Call::SendOffsets(next) => {
                format!("{} of offset {}", self.label(), next.0)
            }
            Call::Poll
            | Call::Commit(None)
            | Call::CommitAsync(None)
            | Call::Point { .. }
            | Call::InitTransactions
            | Call::BeginTransaction
            | Call::EndTransaction(_) => self.label(),
        }
    }
}

/// Your Kafka clients, as the harness gives them to one start of the service.
///
/// It may be cloned and handed to whatever part of the service polls, commits or sends. Each call is
/// a place where the process may die.
#[derive(Clone, Debug)]
pub struct Kafka {
    pub(super) shared: Arc<Shared>,
    pub(super) who: usize,
}

impl Kafka {
    /// The next records: any non-empty beginning of what is there; none at the end of the topic.
    pub fn poll(&self) -> Result<Vec<Record>, KafkaError> {
        let (mut world, met) = self.begin(Call::Poll)?;
        let joined = world.join(self.who)?;
        drop(world);
        let next = joined.and_then(|mut on_assign| {
            let next = on_assign();
            self.lock().set_on_assign(self.who, on_assign);
            next
        });
        self.lock().poll(self.who, &met, next)
    }

    /// Commits the position, all that polls returned so far, and waits (`commitSync()`).
    pub fn commit(&self) -> Result<(), KafkaError> {
        let next = self.lock().position(self.who);
        let (mut world, met) = self.begin(Call::Commit(next))?;
        world.commit(self.who, &met, next)
    }

    /// Commits all up to and including `record`, and waits.
    pub fn commit_record(&self, record: &Record) -> Result<(), KafkaError> {
        self.commit_offset(record.offset.next())
    }

    /// Commits that reading goes on at `next`, and waits (`commitSync(offsets)`).
    pub fn commit_offset(&self, next: NextOffset) -> Result<(), KafkaError> {
        let (mut world, met) = self.begin(Call::Commit(Some(next)))?;
        world.commit(self.who, &met, Some(next))
    }

    /// Commits the position without waiting (`commitAsync()`). Nobody learns whether it was taken.
    pub fn commit_async(&self) -> Result<(), KafkaError> {
        let next = self.lock().position(self.who);
        let (mut world, met) = self.begin(Call::CommitAsync(next))?;
        world.commit_async(self.who, &met, next);
        Ok(())
    }

    /// Where the service may die, and where it may stand still while another instance takes over:
    /// put one between any two steps of your code of which one could happen without the other.
    pub fn point(&self, name: &str) -> Result<(), KafkaError> {
        self.at_point(name, None, false)
    }

    /// [`point`](Kafka::point), told with the record that is being handled.
    pub fn point_of(&self, name: &str, record: &Record) -> Result<(), KafkaError> {
        self.at_point(name, Some(record.id), false)
    }

    /// [`point_of`](Kafka::point_of) inside a transaction of your database: the service may die
    /// here. It does not stand still here: that would only keep others waiting for its locks.
    pub fn point_in_transaction(&self, name: &str, record: &Record) -> Result<(), KafkaError> {
        self.at_point(name, Some(record.id), true)
    }

    fn at_point(
        &self,
        name: &str,
        record: Option<RecordId>,
        in_transaction: bool,
    ) -> Result<(), KafkaError> {
        let (mut world, met) = self.begin(Call::Point {
            name,
            record,
            in_transaction,
        })?;
        world.pass(&met);
        Ok(())
    }

    /// Sends to the output topic, and waits for its [`acks`](super::Harness::acks). Once
    /// [transactions are initialised](Kafka::init_transactions), within one only.
    pub fn send(&self, message: &Message) -> Result<(), KafkaError> {
        let (mut world, met) = self.begin(Call::Send(message))?;
        world.send(self.who, &met, message)
    }

    /// What happens whenever the partition is assigned to this consumer, before anything is read:
    /// where `callback` returns an offset, reading goes on there (`seek()` in
    /// `onPartitionsAssigned`) and not at the committed one.
    pub fn on_assign(&self, callback: impl FnMut() -> Option<NextOffset> + Send + 'static) {
        self.lock().set_on_assign(self.who, Box::new(callback));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        // Poisoned by a panic of the service in a callback: what it guards is whole all the same.
        let world = self.shared.world.lock();
        world.unwrap_or_else(PoisonError::into_inner)
    }

    /// The call begins: the process may die or stand still before it acts.
    fn begin(&self, call: Call<'_>) -> Result<(MutexGuard<'_, World>, Met), KafkaError> {
        let mut world = self.lock();
        if world.is_running_away(self.who) {
            drop(world);
            std::panic::resume_unwind(Box::new(super::life::RunsAway));
        }
        let met = world.meet(self.who, call)?;
        if !matches!(met.chosen, Some(Action::Pause | Action::LongPause)) {
            return Ok((world, met));
        }
        drop(world);
        super::life::stand_still(&self.shared);
        let mut world = self.lock();
        world.wake();
        Ok((world, met.woken()))
    }
}
