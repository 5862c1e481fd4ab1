//! The steps of the model: what a process, the broker or the environment does next.

mod log;
mod partition;

use crate::fault::{Call, Fault};
use crate::replication::Members;
use crate::transaction_coordinator::Part;
pub use log::LogStep;
pub use partition::{PartitionStep, PartitionStrike, PollBoth};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The database transaction of this record commits upstream (outbox and dual write).
    CommitUpstream(u16),
    /// The relay of an outbox marks this row.
    Mark(u16),
    /// The upstream application sends this record.
    Send(u16),
    /// The upstream application sends this record, the first of its key, whose hash leads to the
    /// second partition.
    SendToOther(u16),
    /// The producer's client puts the next batch on the wire.
    Transmit,
    /// The broker handles the oldest produce request that it has not handled.
    HandleProduce,
    /// The oldest produce answer reaches the producer's client.
    ReceiveAnswer,
    /// The delivery timeout of the oldest outstanding send passes, after a fault struck it.
    Expire,
    /// The answer of the oldest outstanding send is found to be missing when its delivery timeout
    /// has passed already (an idempotent Java producer).
    FailTooLate,
    /// The producer's client initialises its transactional id, and hears of it.
    InitProducerId,
    /// The client adds the partition to its transaction, and hears of it.
    AddPartitions,
    /// The application calls commitTransaction() while something that it has sent is outstanding.
    CommitTransaction,
    /// The client ends its transaction, and hears of it.
    EndTransaction,
    /// The next marker of a transaction whose end is decided is written.
    WriteMarker,
    /// The coordinator times out a transaction that its producer knows nothing of.
    TimeOutTransaction,
    /// The producer's client learns of the partition that was added.
    LearnPartition,
    /// The same as in the first partition happens in the one that was added.
    OtherPartition(PartitionStep),
    /// A consumer does something.
    Consumer {
        /// Which of the group's consumers.
        who: u16,
        /// What it does.
        does: ConsumerStep,
    },
    /// The producer's client learns which broker leads.
    LearnLeader,
    /// A broker with a replica does something.
    Replica {
        /// Which broker.
        who: u16,
        /// What it does.
        does: ReplicaStep,
    },
    /// The late request in this slot arrives.
    LateArrives(u16),
    /// The coordinator goes on with the transaction of an output producer.
    OutputTransaction {
        /// The transactional id, as a place among those of the output.
        id: u16,
        /// What it does.
        does: TransactionStep,
    },
    /// Something happens in the output topic, where faults can strike it.
    OutputTopic {
        /// The consumer whose output producer it is about, where it is about one.
        client: u16,
        /// What happens.
        does: LogStep,
    },
    /// The reader of the output topic passes an entry.
    ReadResult,
    /// A fault strikes, paid for by this entry of the budget.
    Fault {
        /// The budget's entry.
        entry: u16,
        /// What happens.
        strike: Strike,
    },
}

/// One step of the transaction coordinator, by itself or because a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionStep {
    /// It times out the transaction of a process that is gone or stands still.
    TimeOut,
    /// It writes the marker of a committed transaction.
    WriteMarker(Part),
    /// A client whose transaction is open asks it for another epoch (InitProducerId).
    RaiseEpoch,
}

/// One step of a consumer, its application, or the group coordinator on its behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsumerStep {
    /// The process starts, or comes back, and joins the group, which assigns the partition to
    /// `to`; with `assign` it takes the partition itself.
    Join {
        /// The consumer that gets the partition.
        to: u16,
    },
    /// A process that starts initialises its transactional id: what its predecessor left open is
    /// aborted, and it waits for that.
    InitTransactions,
    /// The group gives this member the partition of one that is gone.
    TakeOver,
    /// No offset is pending any more: the owner learns where to read.
    FetchOffset,
    /// An owner that gives the partition up, or closes, does the next commit that it owes.
    Leave,
    /// The client of one that was put out joins again, while the application goes on.
    Rejoin,
    /// The consumer learns that it is no longer a member.
    NoticeLoss,
    /// The position is no longer valid: it moves, or the process ends.
    Relocate,
    /// A poll returns this many records.
    Poll(u16),
    /// The consumer hears of the partition that was added, and is assigned it.
    Discover,
    /// A poll returns this many records of the partition that was added.
    PollOther(u16),
    /// The position in the second partition is no longer valid: it moves, or the process ends.
    RelocateOther,
    /// A poll returns records of both partitions.
    PollBoth(PollBoth),
    /// A poll returns the next record of the retry topic.
    PollRetries,
    /// The application does the next operation of its order.
    Operate,
    /// A worker does the next operation for the task in this place.
    Work(u16),
    /// The task in this place was still in the queue when the listener dropped that.
    Drop(u16),
    /// The poll loop commits what its workers have done.
    CommitDone,
    /// The record that failed is written to the dead-letter or retry topic.
    WriteFailed,
    /// The offset whose commit failed is committed again.
    CommitSaved,
    /// The commit that the application waits for reaches the coordinator, where that is a step of
    /// its own.
    HandleCommit,
    /// The answer to the commit that the application waits for arrives, where that is a step of
    /// its own.
    ReceiveCommitAnswer,
    /// The client commits on its own.
    CommitAutomatically,
    /// The commit that nobody waits for reaches the group coordinator.
    CommitArrives,
    /// The result in this place, which nobody waits for, reaches the output topic, and its report the
    /// client.
    ResultArrives(u16),
    /// The delivery timeout of the output producer's oldest result passes, because a fault took an
    /// answer of its.
    ResultExpires {
        /// Whether its repetition has been appended by then.
        appended: bool,
    },
}

/// One step of a broker with a replica, or of the controller or a client about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplicaStep {
    /// It starts again.
    Restart {
        /// How many log entries it finds.
        kept: u16,
    },
    /// The controller elects it leader.
    Elected,
    /// It hears of the current leader.
    Hear,
    /// It fetches from the leader.
    Fetch,
    /// The leader asks the controller to add it to the in-sync replicas, where that is not one step.
    Propose,
    /// It becomes one of the in-sync replicas.
    Join,
    /// It handles the oldest produce request that it has not handled.
    HandleProduce,
    /// Its oldest produce answer reaches the producer's client.
    Answer,
    /// The request that waits at it for the in-sync replicas times out.
    TimeOut,
}

/// Where the request of a result is when the client gives it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Request {
    /// It has not been sent.
    Unsent,
    /// The broker has appended it, and its answer does not come in time.
    Appended,
    /// It is on the connection that the client goes on with, and may still arrive.
    OnTheWire,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strike {
    /// The producer's process dies and starts again.
    ProducerCrash,
    /// The producer's process dies, and starts again, when its commit or abort has reached the
    /// transaction coordinator and before it hears of that.
    ProducerCrashAtEnd,
    /// The producer's process stands still until the delivery timeouts of its sends have passed.
    ProducerPause,
    /// The producer's process stands still until its requests have timed out.
    ProducerPauseOfRequests,
    /// The database transaction of a dual write rolls back, or the application aborts its Kafka
    /// transaction.
    Abort,
    /// The coordinator times out the transaction of a producer that is alive.
    TransactionTimeout,
    /// The broker forgets the producer id of this session.
    ForgetProducer(u16),
    /// These brokers, with replicas, forget the producer id of this session.
    ForgetAt {
        /// The session.
        session: u16,
        /// The brokers.
        brokers: Members,
    },
    /// The oldest record leaves the log.
    Retention,
    /// The oldest record leaves the logs of these brokers, with replicas.
    RetentionAt {
        /// The brokers.
        brokers: Members,
    },
    /// The log cleaner goes over the log below this offset.
    Compaction {
        /// Where the first segment begins that it leaves alone.
        end: u16,
    },
    /// The log cleaners of these brokers go over their logs below this offset, with replicas.
    CompactionAt {
        /// Where the first segment begins that they leave alone.
        end: u16,
        /// The brokers.
        brokers: Members,
    },
    /// A request is lost before its receiver acts.
    LoseRequest(Target),
    /// An answer is lost after its sender acted.
    LoseAnswer(Target),
    /// A request is answered with a retriable error.
    Refuse(Target),
    /// A request becomes late.
    Delay(Target),
    /// The delivery timeout of a healthy send passes.
    DeliveryTimeout,
    /// The producer's client hears that the topic does not exist, and later that it does.
    StaleMetadata,
    /// The same fault strikes the second partition.
    InOther(PartitionStrike),
    /// The broker's process dies and starts again.
    BrokerCrash,
    /// The broker loses power and starts again with the first `kept` log entries.
    PowerLoss {
        /// How many log entries were on disk.
        kept: u16,
    },
    /// Every broker loses power: this one starts again with the first `kept` log entries, the group
    /// coordinator with the first `commits` of the commits that it holds, and the topic of failed
    /// records with what was written there or without.
    PowerLossAll {
        /// How many log entries were on disk.
        kept: u16,
        /// How many different commits were on disk.
        commits: u16,
        /// Whether the failed records were on disk.
        failed: bool,
    },
    /// The broker starts again with an empty disk.
    DiskLoss,
    /// Something happens to one replica.
    Replica {
        /// Its broker.
        who: u16,
        /// What happens.
        how: ReplicaStrike,
    },
    /// Something happens to one replica of the output topic.
    OutputReplica {
        /// Its broker.
        who: u16,
        /// What happens.
        how: ReplicaStrike,
    },
    /// Every broker loses power, the partition's replicas among them; the group coordinator starts
    /// again with the first `commits` of the commits that it holds, and the topic of failed records
    /// with what was written there or without.
    EveryReplica {
        /// The broker that led last, where anyone asks.
        last: Option<u16>,
        /// How many different commits were on disk.
        commits: u16,
        /// Whether the failed records were on disk.
        failed: bool,
    },
    /// The group rebalances while every member polls; `to` gets the partition.
    Rebalance {
        /// The consumer that gets the partition.
        to: u16,
    },
    /// The group coordinator moves to another broker.
    CoordinatorFailover {
        /// Whether the commits under way were written before, so that only their answers are lost.
        written: bool,
    },
    /// The upstream's transaction coordinator moves to another broker.
    TransactionCoordinatorFailover(UnderWay),
    /// The transaction coordinator of output producers moves to another broker.
    OutputCoordinatorFailover(Unfinished),
    /// The topic is deleted and created again under its name.
    RecreateTopic(Recreation),
    /// The same, and the oldest produce request that is on its way finds no topic in between.
    RecreateMissingTopic(Recreation),
    /// The same, with replicas.
    RecreateTopicAt {
        /// What consumers see of it.
        how: Recreation,
        /// The broker that leads the new partition.
        leader: u16,
    },
    /// The topic gets another partition.
    AddPartition {
        /// The keys that move to it, as a set of bits.
        moves: u16,
    },
    /// Committed offsets expire while the group has no member.
    OffsetsExpiry,
    /// An operator sets the group's committed offset while the group has no member.
    OffsetReset {
        /// The new committed offset.
        to: u16,
    },
    /// The dedup store forgets its oldest entry; one in memory, that of consumer `who`.
    DedupExpiry {
        /// Whose memory, where the store is in memory.
        who: u16,
    },
    /// The delivery timeout of a consumer's result passes.
    ExpireResult {
        /// Which of the group's consumers.
        who: u16,
        /// Where its request is.
        request: Request,
    },
    /// The write of a record that failed for good, to the dead-letter or the retry topic, fails, too:
    /// its delivery timeout passes.
    FailWrite {
        /// Which of the group's consumers.
        who: u16,
        /// What the timeout passes behind.
        behind: Delivery,
        /// Whether the topic has the record all the same.
        appended: bool,
    },
    /// The coordinator times out the transaction of an output producer that is alive.
    OutputTransactionTimeout(u16),
    /// Something happens to a consumer.
    Consumer {
        /// Which of the group's consumers.
        who: u16,
        /// What happens.
        how: ConsumerStrike,
    },
}

/// What a consumer sees of a topic that is deleted and created again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recreation {
    /// The owner sees that the topic is missing: it gives the partition up, and gets it again.
    Missed,
    /// Nobody sees anything: positions stay, and are not looked at again.
    Unnoticed,
    /// The topic has another leader: positions stay, and are validated.
    OtherLeader,
}

/// What happens to a broker with a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplicaStrike {
    /// Its process dies.
    Crash,
    /// It loses power.
    PowerLoss,
    /// It loses its disk.
    DiskLoss,
    /// It falls behind and leaves the in-sync replicas.
    Lag,
    /// Leadership moves to it while the old leader is alive.
    Lead,
}

/// What happens to a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsumerStrike {
    /// The process dies.
    Crash,
    /// The process stands still until its session has expired, and wakes up later.
    Pause,
    /// Handling outlasts `max.poll.interval.ms`: the client leaves the group.
    Slow,
    /// The last operation before the next poll is done, and handling outlasts
    /// `max.poll.interval.ms` with that: the client leaves the group.
    SlowToTheEnd,
    /// The process finishes the order in hand, closes the consumer, and starts again.
    GracefulRestart,
    /// Handling fails.
    Fail {
        /// What fails, and when.
        failure: Failure,
        /// What was being handled.
        at: Place,
    },
}

/// How handling fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Before the effect.
    Before,
    /// After the effect.
    After,
    /// After the effect, when the client has sent the result that nobody waits for.
    Sent,
    /// The sink does not answer and did nothing.
    SinkUnavailable,
    /// The sink did its work and its answer is lost.
    SinkAnswerLost,
    /// The record cannot be handled: this attempt fails, and every later one.
    Poison,
}

/// What a consumer is handling when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The record in this place of the hand.
    Hand(u16),
    /// The worker's task in this place.
    Task(u16),
    /// The whole poll: the step is about none of its records.
    Poll,
}

/// What a network fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A produce request or its answer.
    Produce,
    /// A produce request to the partition that was added, or its answer.
    ProduceToOther,
    /// The commit that this consumer's application waits for.
    Commit(u16),
    /// The commit of this consumer that nobody waits for.
    BackgroundCommit(u16),
    /// The commit that this consumer owes when it gives the partition up.
    LeavingCommit(u16),
    /// The write of this consumer to the dead-letter or retry topic.
    FailedWrite(u16),
    /// The result that this consumer sends to the output topic.
    Result(u16),
    /// The offsets that this consumer sends to its transaction.
    Offsets(u16),
    /// The end of this consumer's transaction.
    EndTransaction(u16),
    /// InitProducerId of this consumer's process, which started with one that was sent again.
    Start(u16),
    /// The call that added this to this consumer's transaction, which was sent again.
    Add(u16, Part),
    /// A call of the upstream producer to the transaction coordinator.
    Coordinator(Call),
    /// A call that is simply repeated, and changes nothing but where time goes.
    Repeated(Call),
}

impl Target {
    /// The call that is struck.
    pub fn call(self) -> Call {
        match self {
            Target::Produce | Target::ProduceToOther => Call::Produce,
            Target::Commit(_) | Target::BackgroundCommit(_) | Target::LeavingCommit(_) => {
                Call::OffsetCommit
            }
            Target::FailedWrite(_) | Target::Result(_) => Call::OutputProduce,
            Target::Offsets(_) => Call::TxnOffsetCommit,
            Target::EndTransaction(_) => Call::EndTxn,
            Target::Start(_) => Call::InitProducerId,
            Target::Add(_, Part::Offsets) => Call::AddOffsets,
            Target::Add(_, Part::Input | Part::Output) => Call::AddPartitions,
            Target::Coordinator(call) | Target::Repeated(call) => call,
        }
    }
}

/// What keeps a client from hearing of a write before its delivery timeout passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Its request was lost, and repeated.
    RequestLost,
    /// Its answer was lost.
    ResponseLost,
    /// Its request is late.
    RequestDelayed,
    /// Every broker lost power. No commit and no dead letter is lost with it.
    PowerLossAll,
    /// Nothing but time.
    Slow,
}

impl Delivery {
    /// All of them.
    pub const ALL: [Delivery; 5] = [
        Delivery::RequestLost,
        Delivery::ResponseLost,
        Delivery::RequestDelayed,
        Delivery::PowerLossAll,
        Delivery::Slow,
    ];

    fn paid_by(self) -> &'static [Fault] {
        match self {
            Delivery::RequestLost => &[Fault::RequestLost],
            Delivery::ResponseLost => &[Fault::ResponseLost],
            Delivery::RequestDelayed => &[Fault::RequestDelayed],
            Delivery::PowerLossAll => &[Fault::PowerLossAll],
            Delivery::Slow => &[Fault::DeliveryTimeout],
        }
    }
}

/// What was under way at a transaction coordinator that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnderWay {
    /// Nothing that was written.
    Lost,
    /// What the client asked for was written, and not answered.
    Written,
    /// A marker was written to the partition, and not noted.
    Marker,
}

/// What the transaction coordinator of output producers leaves undone when it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unfinished {
    /// A leader of the output topic asks it, and refuses the result that it asks about.
    Question {
        /// The consumer whose result that is; every one's, where there is none.
        of: Option<u16>,
    },
    /// It has raised the epoch of a client that asked for that, and does not answer.
    Epoch {
        /// The consumer whose client asked; every one's, where there is none.
        of: Option<u16>,
    },
    /// It has had a marker written, and has not noted it.
    Marker {
        /// The transactional id.
        id: u16,
        /// Where.
        part: Part,
    },
}

impl Strike {
    /// Whether it strikes a call that is simply repeated, so that nothing changes.
    pub fn only_takes_time(self) -> bool {
        let (Strike::LoseRequest(target)
        | Strike::LoseAnswer(target)
        | Strike::Refuse(target)
        | Strike::Delay(target)) = self
        else {
            return false;
        };
        matches!(target, Target::Repeated(_))
    }

    /// The call that a network fault strikes.
    pub fn call(self) -> Option<Call> {
        match self {
            Strike::LoseRequest(target)
            | Strike::LoseAnswer(target)
            | Strike::Refuse(target)
            | Strike::Delay(target) => Some(target.call()),
            Strike::FailWrite { .. } => Some(Call::OutputProduce),
            Strike::ProducerCrash
            | Strike::ProducerCrashAtEnd
            | Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::TransactionTimeout
            | Strike::ForgetProducer(_)
            | Strike::ForgetAt { .. }
            | Strike::Retention
            | Strike::RetentionAt { .. }
            | Strike::Compaction { .. }
            | Strike::CompactionAt { .. }
            | Strike::DeliveryTimeout
            | Strike::StaleMetadata
            | Strike::InOther(_)
            | Strike::BrokerCrash
            | Strike::PowerLoss { .. }
            | Strike::PowerLossAll { .. }
            | Strike::DiskLoss
            | Strike::Replica { .. }
            | Strike::OutputReplica { .. }
            | Strike::EveryReplica { .. }
            | Strike::Rebalance { .. }
            | Strike::CoordinatorFailover { .. }
            | Strike::TransactionCoordinatorFailover(_)
            | Strike::OutputCoordinatorFailover(_)
            | Strike::RecreateTopic(_)
            | Strike::RecreateMissingTopic(_)
            | Strike::RecreateTopicAt { .. }
            | Strike::AddPartition { .. }
            | Strike::OffsetsExpiry
            | Strike::OffsetReset { .. }
            | Strike::DedupExpiry { .. }
            | Strike::ExpireResult { .. }
            | Strike::OutputTransactionTimeout(_)
            | Strike::Consumer { .. } => None,
        }
    }

    /// The consumer whose result on its way is struck.
    pub fn result_struck(self) -> Option<u16> {
        match self {
            Strike::LoseRequest(target)
            | Strike::LoseAnswer(target)
            | Strike::Refuse(target)
            | Strike::Delay(target) => match target {
                Target::Result(who) => Some(who),
                Target::Produce
                | Target::ProduceToOther
                | Target::Commit(_)
                | Target::BackgroundCommit(_)
                | Target::LeavingCommit(_)
                | Target::FailedWrite(_)
                | Target::Offsets(_)
                | Target::EndTransaction(_)
                | Target::Start(_)
                | Target::Add(..)
                | Target::Coordinator(_)
                | Target::Repeated(_) => None,
            },
            Strike::ExpireResult { who, .. } => Some(who),
            _ => None,
        }
    }

    /// The faults that pay for it.
    pub fn paid_by(self) -> &'static [Fault] {
        match self {
            Strike::ProducerCrash | Strike::ProducerCrashAtEnd => &[Fault::ProducerCrash],
            Strike::ProducerPause | Strike::ProducerPauseOfRequests => &[Fault::ProducerPause],
            Strike::Abort => &[Fault::Abort],
            Strike::TransactionTimeout => &[Fault::TransactionTimeout],
            Strike::ForgetProducer(_) | Strike::ForgetAt { .. } => &[Fault::ProducerIdExpiry],
            Strike::Retention | Strike::RetentionAt { .. } => &[Fault::Retention],
            Strike::Compaction { .. } | Strike::CompactionAt { .. } => &[Fault::Compaction],
            Strike::LoseRequest(_) => &[Fault::RequestLost],
            Strike::LoseAnswer(_) => &[Fault::ResponseLost],
            Strike::Refuse(_) => &[Fault::RequestRefused],
            Strike::Delay(_) => &[Fault::RequestDelayed],
            Strike::DeliveryTimeout | Strike::ExpireResult { .. } => &[Fault::DeliveryTimeout],
            Strike::FailWrite { behind, .. } => behind.paid_by(),
            Strike::OutputTransactionTimeout(_) => &[Fault::TransactionTimeout],
            Strike::StaleMetadata => &[Fault::StaleMetadata],
            Strike::InOther(own) => own.strike().paid_by(),
            Strike::BrokerCrash => &[Fault::BrokerCrash],
            Strike::PowerLoss { .. } => &[Fault::PowerLoss],
            Strike::PowerLossAll { .. } => &[Fault::PowerLossAll],
            Strike::DiskLoss => &[Fault::DiskLoss],
            Strike::Replica { how, .. } | Strike::OutputReplica { how, .. } => how.paid_by(),
            Strike::EveryReplica { .. } => &[Fault::PowerLossAll],
            Strike::Rebalance { .. } => &[Fault::Rebalance],
            Strike::CoordinatorFailover { .. }
            | Strike::TransactionCoordinatorFailover(_)
            | Strike::OutputCoordinatorFailover(_) => &[Fault::CoordinatorFailover],
            Strike::RecreateTopic(_)
            | Strike::RecreateMissingTopic(_)
            | Strike::RecreateTopicAt { .. } => &[Fault::TopicRecreate],
            Strike::AddPartition { .. } => &[Fault::AddPartition],
            Strike::OffsetsExpiry => &[Fault::OffsetsExpiry],
            Strike::OffsetReset { .. } => &[Fault::OffsetReset],
            Strike::DedupExpiry { .. } => &[Fault::DedupExpiry],
            Strike::Consumer { how, .. } => how.paid_by(),
        }
    }
}

impl ReplicaStrike {
    fn paid_by(self) -> &'static [Fault] {
        match self {
            ReplicaStrike::Crash => &[Fault::BrokerCrash],
            ReplicaStrike::PowerLoss => &[Fault::PowerLoss],
            ReplicaStrike::DiskLoss => &[Fault::DiskLoss],
            ReplicaStrike::Lag => &[Fault::ReplicaLag],
            ReplicaStrike::Lead => &[Fault::LeaderChange],
        }
    }
}

impl ConsumerStrike {
    fn paid_by(self) -> &'static [Fault] {
        match self {
            ConsumerStrike::Crash => &[Fault::ConsumerCrash],
            ConsumerStrike::Pause => &[Fault::ConsumerPause],
            ConsumerStrike::Slow | ConsumerStrike::SlowToTheEnd => &[Fault::SlowProcessing],
            ConsumerStrike::GracefulRestart => &[Fault::GracefulRestart],
            ConsumerStrike::Fail { failure, .. } => match failure {
                Failure::Before => &[Fault::ProcessFailure],
                Failure::After | Failure::Sent => &[Fault::ProcessFailureLate],
                Failure::SinkUnavailable => &[Fault::SinkUnavailable],
                Failure::SinkAnswerLost => &[Fault::SinkAnswerLost],
                Failure::Poison => &[Fault::Poison],
            },
        }
    }
}
