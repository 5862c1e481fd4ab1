//! The steps of the model: what a process, the broker or the environment does next.

use crate::fault::{Call, Fault};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The database transaction of this record commits upstream (outbox and dual write).
    CommitUpstream(u8),
    /// The relay of an outbox marks this row.
    Mark(u8),
    /// The upstream application sends this record.
    Send(u8),
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
    /// The consumer's process starts, joins the group and gets its position.
    Join,
    /// The consumer's position is no longer valid: it moves, or the process ends.
    Relocate,
    /// A poll returns this many records.
    Poll(u8),
    /// The application does the next operation of its order.
    Operate,
    /// The commit that the application waits for reaches the coordinator, where that is a step of
    /// its own.
    HandleCommit,
    /// The answer to the commit that the application waits for arrives, where that is a step of
    /// its own.
    ReceiveCommitAnswer,
    /// The client commits on its own.
    CommitAutomatically,
    /// A commit that nobody waits for reaches the group coordinator.
    CommitArrives,
    /// The late request in this slot arrives.
    LateArrives(u8),
    /// A fault strikes, paid for by this entry of the budget.
    Fault {
        /// The budget's entry.
        entry: u8,
        /// What happens.
        strike: Strike,
    },
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strike {
    /// The producer's process dies and starts again.
    ProducerCrash,
    /// The producer's process stands still until the delivery timeouts of its sends have passed.
    ProducerPause,
    /// The producer's process stands still until its requests have timed out.
    ProducerPauseOfRequests,
    /// The database transaction of a dual write rolls back.
    Abort,
    /// The broker forgets the producer id of this session.
    ForgetProducer(u8),
    /// The oldest record leaves the log.
    Retention,
    /// The consumer's process dies.
    ConsumerCrash,
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
    /// The broker's process dies and starts again.
    BrokerCrash,
    /// The broker loses power and starts again with the first `kept` log entries.
    PowerLoss {
        /// How many log entries were on disk.
        kept: u8,
    },
    /// The broker starts again with an empty disk.
    DiskLoss,
    /// Handling fails before its effect; the process ends.
    FailBefore,
    /// Handling fails after its effect; the process ends.
    FailAfter,
    /// The sink does not answer and did nothing; the process ends.
    SinkUnavailable,
    /// The sink did its work, its answer is lost; the process ends.
    SinkAnswerLost,
}

/// What a network fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A produce request or its answer.
    Produce,
    /// The commit that the application waits for.
    Commit,
    /// The commit that nobody waits for.
    BackgroundCommit,
    /// A call that is simply repeated, and changes nothing but where time goes.
    Repeated(Call),
}

impl Target {
    /// The call that is struck.
    pub fn call(self) -> Call {
        match self {
            Target::Produce => Call::Produce,
            Target::Commit | Target::BackgroundCommit => Call::OffsetCommit,
            Target::Repeated(call) => call,
        }
    }
}

impl Strike {
    /// The call that a network fault strikes.
    pub fn call(self) -> Option<Call> {
        match self {
            Strike::LoseRequest(target)
            | Strike::LoseAnswer(target)
            | Strike::Refuse(target)
            | Strike::Delay(target) => Some(target.call()),
            Strike::ProducerCrash
            | Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::ForgetProducer(_)
            | Strike::Retention
            | Strike::ConsumerCrash
            | Strike::DeliveryTimeout
            | Strike::BrokerCrash
            | Strike::PowerLoss { .. }
            | Strike::DiskLoss
            | Strike::FailBefore
            | Strike::FailAfter
            | Strike::SinkUnavailable
            | Strike::SinkAnswerLost => None,
        }
    }

    /// Whether the consumer's process ends.
    pub fn ends_consumer(self) -> bool {
        match self {
            Strike::ConsumerCrash
            | Strike::FailBefore
            | Strike::FailAfter
            | Strike::SinkUnavailable
            | Strike::SinkAnswerLost => true,
            Strike::ProducerCrash
            | Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::ForgetProducer(_)
            | Strike::Retention
            | Strike::LoseRequest(_)
            | Strike::LoseAnswer(_)
            | Strike::Refuse(_)
            | Strike::Delay(_)
            | Strike::DeliveryTimeout
            | Strike::BrokerCrash
            | Strike::PowerLoss { .. }
            | Strike::DiskLoss => false,
        }
    }

    /// The faults that pay for it. A loss of power of the one broker is one of every broker, too.
    pub fn paid_by(self) -> &'static [Fault] {
        match self {
            Strike::ProducerCrash => &[Fault::ProducerCrash],
            Strike::ProducerPause | Strike::ProducerPauseOfRequests => &[Fault::ProducerPause],
            Strike::Abort => &[Fault::Abort],
            Strike::ForgetProducer(_) => &[Fault::ProducerIdExpiry],
            Strike::Retention => &[Fault::Retention],
            Strike::ConsumerCrash => &[Fault::ConsumerCrash],
            Strike::LoseRequest(_) => &[Fault::RequestLost],
            Strike::LoseAnswer(_) => &[Fault::ResponseLost],
            Strike::Refuse(_) => &[Fault::RequestRefused],
            Strike::Delay(_) => &[Fault::RequestDelayed],
            Strike::DeliveryTimeout => &[Fault::DeliveryTimeout],
            Strike::BrokerCrash => &[Fault::BrokerCrash],
            Strike::PowerLoss { .. } => &[Fault::PowerLoss, Fault::PowerLossAll],
            Strike::DiskLoss => &[Fault::DiskLoss],
            Strike::FailBefore => &[Fault::ProcessFailure],
            Strike::FailAfter => &[Fault::ProcessFailureLate],
            Strike::SinkUnavailable => &[Fault::SinkUnavailable],
            Strike::SinkAnswerLost => &[Fault::SinkAnswerLost],
        }
    }
}
