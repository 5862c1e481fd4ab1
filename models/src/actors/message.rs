//! What travels between the actors, and what each does of its own accord.

use super::coordinator::Renewal;
use crate::bounded::List;
use crate::broker::Stamp;
use crate::limbo::Late;
use crate::limits::MAX_RECORDS;
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
    CommitUpstream(u8),
    /// The relay of an outbox marks this row.
    Mark(u8),
    /// The upstream application sends this record.
    Send(u8),
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
    Poll(u8),
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
        nth: u8,
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
    pub nth: u8,
}

/// A produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// The connection that it is sent over.
    pub ticket: Ticket,
    /// The record.
    pub record: u8,
    /// Producer id, epoch and sequence number.
    pub stamp: Option<Stamp>,
}

/// Which request on which connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    /// The connection.
    pub connection: u8,
    /// The request's number on it, counted from the last time that nothing was in flight.
    pub serial: u8,
}

/// What becomes of a produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reply {
    /// Success; what the answer says of offsets.
    Success(u8),
    /// A retriable error.
    Refused,
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrder,
    /// INVALID_PRODUCER_EPOCH.
    StaleEpoch,
    /// UNKNOWN_PRODUCER_ID; the log's start.
    UnknownProducerId(u8),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Statement {
    /// Which operation.
    pub operation: u8,
    /// The records in hand.
    pub records: List<u8, MAX_RECORDS>,
    /// The offset of the first of them.
    pub first: u8,
    /// Which of them it is about, as the first and the one after the last.
    pub places: (u8, u8),
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
    Failed(u8),
}

/// A message. Answers to a consumer carry the life of its process that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    Closed(u8),
    /// A request becomes late.
    Delayed(Late),
    /// A late request.
    Late(Late),
    /// A fetch: the life, the position, and the most records wanted.
    Fetch(u8, u8, u8),
    /// Its answer: the life and the records.
    Fetched(u8, List<u8, MAX_RECORDS>),
    /// Where does reading start, given the committed and the saved offset?
    Locate(u8, Option<Position>, Option<NextOffset>),
    /// There, or nowhere.
    Located(u8, Option<Position>),
    /// The consumer joins, in a new generation if anything of the old one could still be told.
    Join(u8, Renewal),
    /// It joined: the life, its generation and the committed offset.
    Joined(u8, u8, Option<Position>),
    /// A commit: the life, why, what, and the member's generation.
    Commit(u8, CommitKind, Position, u8),
    /// Its answer.
    Committed(u8, CommitKind, CommitReply),
    /// Which offset is saved?
    ReadSaved(u8),
    /// This one.
    Saved(u8, Option<NextOffset>),
    /// An operation of the application.
    Run(u8, Statement),
    /// Its answer.
    Ran(u8, SinkReply),
}
