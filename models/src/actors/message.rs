//! What travels between the actors, and what each does of its own accord.

use super::coordinator::Renewal;
use crate::broker::Stamp;
use crate::consumer::Hand;
use crate::limbo::Late;
use crate::offset::{NextOffset, Position};
use stateright::actor::Id;

/// Who an actor is; its place in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The upstream application and its producer.
    Producer,
    /// The broker.
    Broker,
    /// The group coordinator.
    Coordinator,
    /// The consumer and its application.
    Consumer,
    /// The sink.
    Sink,
    /// The environment: the fault budgets, and what the network does with connections.
    Nemesis,
}

impl Role {
    /// Every role, in the order of the actors' ids.
    pub const ALL: [Role; 6] = [
        Role::Producer,
        Role::Broker,
        Role::Coordinator,
        Role::Consumer,
        Role::Sink,
        Role::Nemesis,
    ];

    /// The actor's id.
    pub fn id(self) -> Id {
        Id::from(self as usize)
    }

    /// The key of the actor's choices. Stateright hashes them without their owner, so it says who
    /// that is.
    pub(super) fn key(self) -> String {
        format!("{self:?}")
    }
}

/// A timer: its owner's next step of its own accord. Stateright hashes timers without their owner,
/// so each names its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timer {
    /// Whose it is.
    pub owner: Role,
    /// What happens.
    pub event: Event,
}

/// What an actor does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// The upstream application commits this record's database transaction.
    CommitUpstream(u16),
    /// The relay of an outbox marks this row.
    Mark(u16),
    /// The upstream application sends this record.
    Send(u16),
    /// The producer's client puts the next batch on the wire.
    Transmit,
    /// The delivery timeout of the oldest send passes, after a fault struck it.
    Expire,
    /// The oldest send's answer is found to be missing when its timeout has passed.
    FailTooLate,
    /// The consumer's process starts, or comes back, and joins.
    Join,
    /// The application does the next operation of its order.
    Operate,
    /// The client commits on its own.
    CommitAutomatically,
    /// The client puts the commit that nobody waits for on the wire.
    TransmitCommit,
    /// The offset whose commit failed is committed again.
    CommitSaved,
    /// A late request arrives.
    Arrive(Late),
}

/// A choice, with whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Choice {
    /// Whose it is.
    pub owner: Role,
    /// What is chosen.
    pub pick: Pick,
}

/// What an actor chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pick {
    /// The consumer polls for at most this many records.
    Poll(u16),
    /// The nemesis strikes.
    Strike(Blow),
}

/// A fault, on its way to whom it strikes. One that finds nothing to strike is wasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Blow {
    /// The producer's process dies.
    ProducerCrash,
    /// The delivery timeout of a healthy send passes.
    DeliveryTimeout,
    /// The database transaction of a dual write rolls back.
    Abort,
    /// The next produce request that reaches the broker is struck.
    Produce(Wire),
    /// The next offset commit that reaches the coordinator is struck.
    Commit(Wire),
    /// The consumer's process dies.
    ConsumerCrash,
    /// Handling fails.
    Fail {
        /// Whether after the effect.
        late: bool,
        /// At which of the records that are left.
        nth: u16,
    },
    /// The next call of the sink is struck.
    Sink(SinkBlow),
}

/// What the network does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wire {
    /// The connection breaks before the server acts.
    LoseRequest,
    /// The server acts, and its answer is lost.
    LoseAnswer,
    /// The server answers with a retriable error.
    Refuse,
    /// The request becomes late.
    Delay,
}

/// How a call of the sink fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SinkBlow {
    /// Whether the sink did its work.
    pub acts: bool,
    /// At which of the records that are left.
    pub nth: u16,
}

/// A produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// The connection that it is sent over.
    pub ticket: Ticket,
    /// The record.
    pub record: u16,
    /// Producer id, epoch and sequence number.
    pub stamp: Option<Stamp>,
}

/// Which request on which connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    /// The connection.
    pub connection: u16,
    /// The request's number on it, counted from the last time that nothing was in flight.
    pub serial: u16,
}

/// What becomes of a produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reply {
    /// Success; what the answer says of offsets.
    Success(u16),
    /// A retriable error.
    Refused,
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrder,
    /// INVALID_PRODUCER_EPOCH.
    StaleEpoch,
    /// UNKNOWN_PRODUCER_ID; the log's start.
    UnknownProducerId(u16),
    /// The answer is lost.
    Lost,
}

/// Why a commit is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CommitKind {
    /// The application waits for its answer.
    Waiting,
    /// It repeats one that failed, and the application waits for its answer.
    Saved,
    /// Nobody waits.
    Background,
}

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CommitReply {
    /// Taken.
    Taken,
    /// Refused for good: the member is none any more.
    Fenced,
    /// It failed: lost or late, or refused with a retriable error.
    Failed,
    /// Taken, and the answer is lost.
    AnswerLost,
}

/// What the application asks of the sink: one operation of its order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Statement {
    /// Which operation.
    pub operation: u16,
    /// The records in hand.
    pub records: Hand,
    /// The offset of the first of them.
    pub first: u16,
    /// Which of them it is about, as the first and the one after the last.
    pub places: (u16, u16),
    /// Which of them are skipped.
    pub skipped: u32,
    /// The offset that it saves, if it saves one.
    pub covered: Position,
    /// With a guarded saved offset: the one that it replaces.
    pub expected: Option<NextOffset>,
}

/// What the sink answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SinkReply {
    /// Done.
    Done {
        /// Which records are skipped from now on.
        skipped: u32,
        /// With a guarded saved offset: the one that stands now.
        expected: Option<NextOffset>,
    },
    /// Refused.
    Refused,
    /// The call fails; at which of the records that were left.
    Failed(u16),
}

/// A message. Answers to a consumer carry the life of its process that asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// A fault.
    Strike(Blow),
    /// A produce request.
    Produce(Request),
    /// Its answer.
    Produced(Ticket, Reply),
    /// The connection broke at the broker's end, with this request and all later ones.
    Broke(Ticket),
    /// The connection was closed at the client's end.
    Closed(u16),
    /// A request becomes late.
    Delayed(Late),
    /// A late request.
    Late(Late),
    /// A fetch: the life, the position, and the most records wanted.
    Fetch(u16, u16, u16),
    /// Its answer: the life and the records.
    Fetched(u16, Hand),
    /// Where does reading start, given the committed and the saved offset?
    Locate(u16, Option<Position>, Option<NextOffset>),
    /// There, or nowhere.
    Located(u16, Option<Position>),
    /// The consumer joins, in a new generation if anything of the old one could still be told.
    Join(u16, Renewal),
    /// It joined: the life, its generation and the committed offset.
    Joined(u16, u16, Option<Position>),
    /// A commit: the life, why, what, and the member's generation.
    Commit(u16, CommitKind, Position, u16),
    /// Its answer.
    Committed(u16, CommitKind, CommitReply),
    /// Which offset is saved?
    ReadSaved(u16),
    /// This one.
    Saved(u16, Option<NextOffset>),
    /// An operation of the application.
    Run(u16, Statement),
    /// Its answer.
    Ran(u16, SinkReply),
}
