//! What this release models, in one place: everything else that can be read is refused by name.

use semel_models::fault::Fault;
use semel_models::order::Step;
use semel_models::pipeline as model;

use super::choices::{
    AfterAttempts, Assignment, CommitCovers, ConfirmOn, DedupInsert, DedupKey, DedupStore,
    EffectName, OnCommitFailure, OnRestart, OnRevoke, OnSendFailure, RecordSource, Start,
};
use super::order::GroupKind;
use super::properties::Scope;

/// How the model honours a property that bears on delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Honoured {
    /// The rules of client and broker read it.
    Resolved,
    /// In every design that can be judged, each valid value means the same; why.
    Any(#[allow(dead_code, reason = "the reason is for who reads the table")] &'static str),
    /// Its default only.
    Default,
    /// Its default and these values.
    Only(&'static [&'static str]),
}

const TIME: Honoured = Honoured::Any(
    "times are not clocks: a timeout may fire at any moment at which it can, whatever its length",
);
const TRANSACTIONS: Honoured = Honoured::Any("a design with transactions is refused");
const ONE_PARTITION: Honoured = Honoured::Any("the topic has one partition");
const ONE_REPLICA: Honoured = Honoured::Any("the topic has one replica");
const COMPACTION: Honoured = Honoured::Any("a compacted topic is refused");

/// Every property of the class `modelled`, under its canonical name.
pub(crate) const HONOURED: &[(Scope, &str, Honoured)] = &[
    (Scope::Producer, "acks", Honoured::Resolved),
    (Scope::Producer, "request.required.acks", Honoured::Resolved),
    (
        Scope::Producer,
        "delivery.report.only.error",
        Honoured::Resolved,
    ),
    (Scope::Producer, "delivery.timeout.ms", Honoured::Resolved),
    (Scope::Producer, "message.timeout.ms", Honoured::Resolved),
    (Scope::Producer, "dr_cb", Honoured::Resolved),
    (Scope::Producer, "dr_msg_cb", Honoured::Resolved),
    (
        Scope::Producer,
        "enable.gapless.guarantee",
        Honoured::Default,
    ),
    (Scope::Producer, "enable.idempotence", Honoured::Resolved),
    (
        Scope::Producer,
        "max.in.flight.requests.per.connection",
        Honoured::Resolved,
    ),
    (
        Scope::Producer,
        "message.send.max.retries",
        Honoured::Resolved,
    ),
    (Scope::Producer, "retries", Honoured::Resolved),
    (Scope::Producer, "msg_order_cmp", Honoured::Default),
    (Scope::Producer, "partitioner", ONE_PARTITION),
    (Scope::Producer, "partitioner.class", ONE_PARTITION),
    (Scope::Producer, "partitioner.ignore.keys", ONE_PARTITION),
    (Scope::Producer, "partitioner_cb", ONE_PARTITION),
    (Scope::Producer, "queuing.strategy", Honoured::Default),
    (Scope::Producer, "request.timeout.ms", TIME),
    (Scope::Producer, "socket.timeout.ms", TIME),
    (Scope::Producer, "transaction.timeout.ms", TRANSACTIONS),
    (Scope::Producer, "transactional.id", Honoured::Default),
    (
        Scope::Consumer,
        "auto.commit.interval.ms",
        Honoured::Resolved,
    ),
    (Scope::Consumer, "auto.offset.reset", Honoured::Resolved),
    (Scope::Consumer, "enable.auto.commit", Honoured::Resolved),
    (
        Scope::Consumer,
        "enable.auto.offset.store",
        Honoured::Resolved,
    ),
    (Scope::Consumer, "group.id", Honoured::Resolved),
    (Scope::Consumer, "group.instance.id", Honoured::Default),
    (
        Scope::Consumer,
        "group.protocol",
        Honoured::Any("with one member both protocols follow the same rules"),
    ),
    (Scope::Consumer, "isolation.level", TRANSACTIONS),
    (Scope::Consumer, "max.poll.interval.ms", TIME),
    (Scope::Consumer, "max.poll.records", Honoured::Resolved),
    (Scope::Consumer, "offset.store.method", Honoured::Default),
    (
        Scope::Consumer,
        "partition.assignment.strategy",
        Honoured::Only(ASSIGNORS),
    ),
    (Scope::Consumer, "rebalance_cb", Honoured::Default),
    (Scope::Consumer, "session.timeout.ms", TIME),
    (Scope::Consumer, "socket.timeout.ms", TIME),
    (Scope::Topic, "cleanup.policy", Honoured::Default),
    (Scope::Topic, "delete.retention.ms", COMPACTION),
    (Scope::Topic, "flush.messages", Honoured::Resolved),
    (Scope::Topic, "flush.ms", Honoured::Default),
    (Scope::Topic, "min.compaction.lag.ms", COMPACTION),
    (Scope::Topic, "min.insync.replicas", Honoured::Resolved),
    (Scope::Topic, "partitions", Honoured::Resolved),
    (Scope::Topic, "replication.factor", Honoured::Resolved),
    (Scope::Topic, "retention.bytes", Honoured::Default),
    (Scope::Topic, "retention.ms", Honoured::Only(&["-1"])),
    (Scope::Topic, "unclean.leader.election.enable", ONE_REPLICA),
    (Scope::Broker, "consumer.session.timeout.ms", TIME),
    (
        Scope::Broker,
        "default.replication.factor",
        Honoured::Resolved,
    ),
    (Scope::Broker, "group.consumer.max.session.timeout.ms", TIME),
    (Scope::Broker, "group.consumer.min.session.timeout.ms", TIME),
    (Scope::Broker, "group.consumer.session.timeout.ms", TIME),
    (
        Scope::Broker,
        "group.max.session.timeout.ms",
        Honoured::Resolved,
    ),
    (
        Scope::Broker,
        "group.min.session.timeout.ms",
        Honoured::Resolved,
    ),
    (Scope::Broker, "log.cleaner.delete.retention.ms", COMPACTION),
    (Scope::Broker, "log.cleaner.enable", COMPACTION),
    (
        Scope::Broker,
        "log.cleaner.min.compaction.lag.ms",
        COMPACTION,
    ),
    (Scope::Broker, "log.cleanup.policy", Honoured::Default),
    (
        Scope::Broker,
        "log.flush.interval.messages",
        Honoured::Resolved,
    ),
    (Scope::Broker, "log.flush.interval.ms", Honoured::Default),
    (
        Scope::Broker,
        "log.flush.scheduler.interval.ms",
        Honoured::Any(
            "it is how often flush.ms is looked at, and another flush.ms than its default is refused",
        ),
    ),
    (Scope::Broker, "log.retention.bytes", Honoured::Default),
    (Scope::Broker, "log.retention.hours", Honoured::Default),
    (Scope::Broker, "log.retention.minutes", Honoured::Default),
    (Scope::Broker, "log.retention.ms", Honoured::Only(&["-1"])),
    (Scope::Broker, "min.insync.replicas", Honoured::Resolved),
    (Scope::Broker, "num.partitions", Honoured::Resolved),
    (
        Scope::Broker,
        "offsets.retention.minutes",
        Honoured::Default,
    ),
    (
        Scope::Broker,
        "offsets.topic.replication.factor",
        Honoured::Default,
    ),
    (
        Scope::Broker,
        "producer.id.expiration.ms",
        Honoured::Default,
    ),
    (Scope::Broker, "replica.lag.time.max.ms", ONE_REPLICA),
    (Scope::Broker, "transaction.max.timeout.ms", TRANSACTIONS),
    (
        Scope::Broker,
        "transaction.partition.verification.enable",
        TRANSACTIONS,
    ),
    (Scope::Broker, "transaction.state.log.min.isr", TRANSACTIONS),
    (
        Scope::Broker,
        "transaction.state.log.replication.factor",
        TRANSACTIONS,
    ),
    (
        Scope::Broker,
        "transactional.id.expiration.ms",
        TRANSACTIONS,
    ),
    (Scope::Broker, "unclean.leader.election.enable", ONE_REPLICA),
];

/// The assignors that come with the clients: with one member and one partition all of them
/// assign the same.
const ASSIGNORS: &[&str] = &[
    "org.apache.kafka.clients.consumer.RangeAssignor",
    "org.apache.kafka.clients.consumer.RoundRobinAssignor",
    "org.apache.kafka.clients.consumer.StickyAssignor",
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
    "range",
    "roundrobin",
    "cooperative-sticky",
];

/// How the model honours a property of the class `modelled`. One that the table does not name is
/// accepted at its default only.
pub(crate) fn honoured(scope: Scope, canonical: &str) -> Honoured {
    HONOURED
        .iter()
        .find(|(place, name, _)| *place == scope && *name == canonical)
        .map_or(Honoured::Default, |(_, _, honoured)| *honoured)
}

/// Whether this release models the step.
pub fn step(step: Step) -> bool {
    match step {
        Step::Process
        | Step::SkipIfSeen
        | Step::Remember
        | Step::Commit
        | Step::CommitAsync
        | Step::SaveOffset
        | Step::StoreOffset => true,
        Step::Produce | Step::ProduceAsync | Step::Flush => false,
    }
}

/// Whether the group is modelled.
pub(crate) fn group(kind: GroupKind) -> bool {
    match kind {
        GroupKind::Each | GroupKind::Database => true,
        GroupKind::Kafka => false,
    }
}

/// Whether this release models the fault.
pub fn fault(fault: Fault) -> bool {
    match fault {
        Fault::ProducerCrash
        | Fault::ConsumerCrash
        | Fault::ProcessFailure
        | Fault::ProcessFailureLate
        | Fault::SinkUnavailable
        | Fault::SinkAnswerLost
        | Fault::RequestLost
        | Fault::ResponseLost
        | Fault::RequestRefused
        | Fault::RequestDelayed
        | Fault::DeliveryTimeout
        | Fault::BrokerCrash
        | Fault::PowerLoss
        | Fault::PowerLossAll
        | Fault::DiskLoss => true,
        Fault::GracefulRestart
        | Fault::ProducerPause
        | Fault::ConsumerPause
        | Fault::SlowProcessing
        | Fault::Rebalance
        | Fault::Poison
        | Fault::Abort
        | Fault::TransactionTimeout
        | Fault::LeaderChange
        | Fault::ReplicaLag
        | Fault::CoordinatorFailover
        | Fault::ProducerIdExpiry
        | Fault::OffsetsExpiry
        | Fault::DedupExpiry
        | Fault::Retention
        | Fault::Compaction
        | Fault::AddPartition
        | Fault::TopicRecreate
        | Fault::OffsetReset
        | Fault::StaleMetadata => false,
    }
}

pub(crate) fn confirm_on(choice: ConfirmOn) -> Option<model::ConfirmOn> {
    match choice {
        ConfirmOn::Ack => Some(model::ConfirmOn::Ack),
        ConfirmOn::Send => Some(model::ConfirmOn::Send),
        ConfirmOn::DatabaseCommit => None,
    }
}

pub(crate) fn source(choice: RecordSource) -> Option<()> {
    match choice {
        RecordSource::Memory => Some(()),
        RecordSource::Outbox | RecordSource::DualWrite | RecordSource::Transaction => None,
    }
}

pub(crate) fn on_send_failure(choice: OnSendFailure) -> Option<model::OnSendFailure> {
    match choice {
        OnSendFailure::GiveUp => Some(model::OnSendFailure::GiveUp),
        OnSendFailure::Resend => Some(model::OnSendFailure::Resend),
        OnSendFailure::Ignore => Some(model::OnSendFailure::Ignore),
    }
}

pub(crate) fn on_restart(choice: OnRestart) -> Option<model::OnRestart> {
    match choice {
        OnRestart::Forget => Some(model::OnRestart::Forget),
        OnRestart::ResendUnconfirmed => Some(model::OnRestart::ResendUnconfirmed),
    }
}

pub(crate) fn commit_covers(choice: CommitCovers) -> Option<model::CommitCovers> {
    match choice {
        CommitCovers::Next => Some(model::CommitCovers::Next),
        CommitCovers::Last => Some(model::CommitCovers::Last),
        CommitCovers::Position => Some(model::CommitCovers::Position),
        CommitCovers::Contiguous | CommitCovers::Highest => None,
    }
}

pub(crate) fn on_commit_failure(choice: OnCommitFailure) -> Option<model::OnCommitFailure> {
    match choice {
        OnCommitFailure::RetryLatest => Some(model::OnCommitFailure::RetryLatest),
        OnCommitFailure::Ignore => Some(model::OnCommitFailure::Ignore),
        OnCommitFailure::RetrySaved => None,
    }
}

pub(crate) fn after_attempts(choice: AfterAttempts) -> Option<()> {
    match choice {
        AfterAttempts::Stop => Some(()),
        AfterAttempts::Close
        | AfterAttempts::Skip
        | AfterAttempts::DeadLetter
        | AfterAttempts::RetryTopic
        | AfterAttempts::Block => None,
    }
}

pub(crate) fn on_revoke(choice: OnRevoke) -> Option<()> {
    match choice {
        OnRevoke::Nothing => Some(()),
        OnRevoke::Commit | OnRevoke::DropBuffered => None,
    }
}

pub(crate) fn assignment(choice: Assignment) -> Option<()> {
    match choice {
        Assignment::Subscribe => Some(()),
        Assignment::Assign => None,
    }
}

pub(crate) fn effect(choice: EffectName, idempotency_key: bool) -> Option<model::Effect> {
    match choice {
        EffectName::Add => Some(model::Effect::Add),
        EffectName::Upsert => Some(model::Effect::Upsert),
        EffectName::External => Some(model::Effect::External { idempotency_key }),
        EffectName::Topic => None,
    }
}

pub(crate) fn dedup(choice: DedupStore) -> Option<model::Dedup> {
    match choice {
        DedupStore::Durable => Some(model::Dedup::Durable),
        DedupStore::Separate => Some(model::Dedup::Separate),
        DedupStore::Memory => Some(model::Dedup::Memory),
    }
}

pub(crate) fn dedup_insert(choice: DedupInsert) -> Option<model::DedupInsert> {
    match choice {
        DedupInsert::Unique => Some(model::DedupInsert::Unique),
        DedupInsert::Plain => Some(model::DedupInsert::Plain),
    }
}

pub(crate) fn dedup_key(choice: DedupKey) -> Option<model::DedupKey> {
    match choice {
        DedupKey::Record => Some(model::DedupKey::Record),
        DedupKey::Offset => Some(model::DedupKey::Offset),
    }
}

pub(crate) fn start(choice: Start) -> Option<model::Start> {
    match choice {
        Start::Joined => Some(model::Start::Joined),
        Start::Cold => Some(model::Start::Cold),
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::{Class, accepted};
    use super::*;
    use semel_models::pipeline::Client;

    const PLACES: [Scope; 4] = [
        Scope::Producer,
        Scope::Consumer,
        Scope::Topic,
        Scope::Broker,
    ];

    #[test]
    fn every_property_that_bears_on_delivery_says_how_it_is_honoured() {
        for client in [Client::Java, Client::Librdkafka] {
            for place in PLACES {
                for row in accepted(client, place).filter(|row| row.class == Class::Modelled) {
                    let name = row.canonical(client);
                    assert!(
                        HONOURED
                            .iter()
                            .any(|(scope, own, _)| *scope == place && *own == name),
                        "{place:?} {name}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_table_names_no_property_that_does_not_exist() {
        for (place, name, _) in HONOURED {
            let known = [Client::Java, Client::Librdkafka]
                .into_iter()
                .any(|client| {
                    accepted(client, *place)
                        .any(|row| row.canonical(client) == *name && row.class == Class::Modelled)
                });
            assert!(known, "{place:?} {name}");
        }
    }
}
