//! The faults that the environment may spend, and the calls that network faults strike.

use std::fmt;

/// What part of the environment a fault belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// A process dies, pauses or fails.
    Process,
    /// A request or its answer is lost, refused or late.
    Network,
    /// Membership of the consumer group changes.
    Group,
    /// A time limit passes that nothing else made pass.
    Time,
    /// A broker, its disk or its log.
    Storage,
    /// Something that an operator, or time on the scale of days, does.
    Operator,
}

macro_rules! faults {
    ($($variant:ident = $name:literal, $class:ident, $text:literal;)*) => {
        /// One kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $(#[doc = $text] $variant,)* }

        impl Fault {
            /// Every fault, in the order in which they are documented.
            pub const ALL: &'static [Fault] = &[$(Fault::$variant,)*];

            /// The fault's name in designs and traces.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$variant => $name,)* }
            }

            /// What part of the environment the fault belongs to.
            pub fn class(self) -> FaultClass {
                match self { $(Fault::$variant => FaultClass::$class,)* }
            }

            /// What happens, in one line.
            pub fn summary(self) -> &'static str {
                match self { $(Fault::$variant => $text,)* }
            }
        }
    };
}

faults! {
    ProducerCrash = "producer-crash", Process, "the producer process dies, loses what it had not sent, and starts again";
    ConsumerCrash = "consumer-crash", Process, "the consumer process dies, loses what it had in memory, and starts again";
    GracefulRestart = "graceful-restart", Process, "the consumer finishes the order in hand, closes and starts again";
    ProducerPause = "producer-pause", Process, "the producer process stands still, then goes on";
    ConsumerPause = "consumer-pause", Process, "the consumer process stands still, outlives its session, then wakes up";
    SlowProcessing = "slow-processing", Process, "handling takes longer than max.poll.interval.ms; heartbeats and background commits live on";
    Rebalance = "rebalance", Group, "the group rebalances while every member polls";
    ProcessFailure = "process-failure", Process, "handling fails before its effect; a transient failure";
    ProcessFailureLate = "process-failure-late", Process, "handling fails after its effect; a transient failure";
    Poison = "poison", Process, "records whose handling always fails";
    Abort = "abort", Process, "the upstream application aborts a transaction";
    SinkUnavailable = "sink-unavailable", Process, "the sink does not answer and did nothing";
    SinkAnswerLost = "sink-answer-lost", Process, "the sink did its work and its answer is lost";
    RequestLost = "request-lost", Network, "the connection breaks before the broker acts: the request and later ones in flight on it are lost";
    ResponseLost = "response-lost", Network, "the broker acted and its answer is lost";
    RequestRefused = "request-refused", Network, "the broker answers one request with a retriable error and does nothing";
    RequestDelayed = "request-delayed", Network, "a request is given up by its client and arrives later, over its old connection";
    DeliveryTimeout = "delivery-timeout", Time, "delivery.timeout.ms passes for a record whose delivery is under way";
    TransactionTimeout = "transaction-timeout", Time, "the coordinator times out a transaction whose producer is alive";
    BrokerCrash = "broker-crash", Storage, "the broker process dies and starts again; the page cache survives";
    PowerLoss = "power-loss", Storage, "a broker loses power: what it had not flushed may be gone";
    PowerLossAll = "power-loss-all", Storage, "every broker loses power: what each had not flushed may be gone";
    DiskLoss = "disk-loss", Storage, "a broker loses its disk and starts again with an empty one";
    LeaderChange = "leader-change", Storage, "leadership moves while the old leader is alive; it answers until it hears of it";
    ReplicaLag = "replica-lag", Storage, "a follower falls behind and leaves the in-sync replicas";
    CoordinatorFailover = "coordinator-failover", Storage, "the coordinator moves to another broker";
    ProducerIdExpiry = "producer-id-expiry", Operator, "the broker forgets a producer id that was idle for producer.id.expiration.ms";
    OffsetsExpiry = "offsets-expiry", Operator, "committed offsets expire while the group has no member";
    DedupExpiry = "dedup-expiry", Operator, "the dedup store forgets its oldest entry";
    Retention = "retention", Operator, "the oldest record leaves the log; the budget counts records, however many leave together";
    Compaction = "compaction", Operator, "the log cleaner removes records that a newer one of their key replaces";
    AddPartition = "add-partition", Operator, "the topic gets another partition";
    TopicRecreate = "topic-recreate", Operator, "the topic is deleted and created again";
    OffsetReset = "offset-reset", Operator, "an operator resets the group's committed offset";
    StaleMetadata = "stale-metadata", Network, "a client acts on metadata that is out of date";
}

impl Fault {
    /// The fault with this name.
    pub fn named(name: &str) -> Option<Fault> {
        Fault::ALL
            .iter()
            .copied()
            .find(|fault| fault.name() == name)
    }

    /// Whether it strikes a broker, or its replica of the partition.
    pub fn strikes_brokers(self) -> bool {
        matches!(
            self,
            Fault::BrokerCrash
                | Fault::PowerLoss
                | Fault::PowerLossAll
                | Fault::DiskLoss
                | Fault::LeaderChange
                | Fault::ReplicaLag
        )
    }

    /// Whether handling a record fails by it.
    pub fn fails_handling(self) -> bool {
        matches!(
            self,
            Fault::ProcessFailure
                | Fault::ProcessFailureLate
                | Fault::SinkUnavailable
                | Fault::SinkAnswerLost
                | Fault::Poison
        )
    }

    /// Whether the budget may be given per call: `response-lost.produce = 1`.
    pub fn strikes_calls(self) -> bool {
        matches!(
            self,
            Fault::RequestLost
                | Fault::ResponseLost
                | Fault::RequestRefused
                | Fault::RequestDelayed
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A call over one of Kafka's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// Produce of the upstream producer.
    Produce,
    /// Produce of the output producer.
    OutputProduce,
    /// Fetch.
    Fetch,
    /// Joining the group and syncing the assignment.
    Join,
    /// Heartbeat.
    Heartbeat,
    /// Fetch of committed offsets.
    OffsetFetch,
    /// Commit of offsets.
    OffsetCommit,
    /// InitProducerId.
    InitProducerId,
    /// AddPartitionsToTxn.
    AddPartitions,
    /// AddOffsetsToTxn.
    AddOffsets,
    /// TxnOffsetCommit.
    TxnOffsetCommit,
    /// EndTxn.
    EndTxn,
}

impl Call {
    /// Every call, in the order in which they are documented.
    pub const ALL: [Call; 12] = [
        Call::Produce,
        Call::OutputProduce,
        Call::Fetch,
        Call::Join,
        Call::Heartbeat,
        Call::OffsetFetch,
        Call::OffsetCommit,
        Call::InitProducerId,
        Call::AddPartitions,
        Call::AddOffsets,
        Call::TxnOffsetCommit,
        Call::EndTxn,
    ];

    /// The call's name in `[faults]`.
    pub fn name(self) -> &'static str {
        match self {
            Call::Produce => "produce",
            Call::OutputProduce => "output-produce",
            Call::Fetch => "fetch",
            Call::Join => "join",
            Call::Heartbeat => "heartbeat",
            Call::OffsetFetch => "offset-fetch",
            Call::OffsetCommit => "offset-commit",
            Call::InitProducerId => "init-producer-id",
            Call::AddPartitions => "add-partitions",
            Call::AddOffsets => "add-offsets",
            Call::TxnOffsetCommit => "txn-offset-commit",
            Call::EndTxn => "end-txn",
        }
    }

    /// The call with this name.
    pub fn named(name: &str) -> Option<Call> {
        Call::ALL.iter().copied().find(|call| call.name() == name)
    }
}

/// What one entry of a budget pays for: a fault, or a fault that strikes one kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultKey {
    /// The fault.
    pub fault: Fault,
    /// The call that it strikes; `None`: any.
    pub call: Option<Call>,
}

impl FaultKey {
    /// Whether it pays for `fault` where that strikes `call`.
    pub fn is_for(&self, fault: Fault, call: Call) -> bool {
        self.fault == fault && self.call.is_none_or(|own| own == call)
    }
}

impl fmt::Display for FaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.call {
            Some(call) => write!(f, "{}.{}", self.fault, call.name()),
            None => write!(f, "{}", self.fault),
        }
    }
}

/// How many faults of each kind may happen, and how many in all.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FaultBudget {
    /// The entries, each at least 1, in the order of the design.
    pub entries: Vec<(FaultKey, u16)>,
    /// The cap on their sum; `None`: the sum itself.
    pub total: Option<u16>,
}

impl FaultBudget {
    /// The most faults that one run may meet.
    pub fn total(&self) -> u16 {
        let sum = self
            .entries
            .iter()
            .map(|(_, budget)| u32::from(*budget))
            .sum::<u32>();
        let sum = u16::try_from(sum).unwrap_or(u16::MAX);
        self.total.map_or(sum, |total| total.min(sum))
    }

    /// Whether a broker, or its replica of the partition, can be struck.
    pub fn strikes_brokers(&self) -> bool {
        let mut faults = self.entries.iter().map(|(key, _)| key.fault);
        self.total() > 0 && faults.any(Fault::strikes_brokers)
    }

    /// Whether any entry pays for `fault`.
    pub fn contains(&self, fault: Fault) -> bool {
        self.entries.iter().any(|(key, _)| key.fault == fault)
    }
}
