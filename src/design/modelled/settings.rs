//! How each of Kafka's properties that bear on delivery is honoured: one table.

use super::super::properties::Scope;

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
const ONE_PARTITION: Honoured = Honoured::Any("the topic has one partition");
const TOMBSTONES: Honoured = Honoured::Any("no record deletes its key");

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
    (
        Scope::Producer,
        "transaction.timeout.ms",
        Honoured::Resolved,
    ),
    (
        Scope::Producer,
        "transaction.two.phase.commit.enable",
        Honoured::Resolved,
    ),
    (Scope::Producer, "transactional.id", Honoured::Resolved),
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
    (Scope::Consumer, "group.instance.id", Honoured::Resolved),
    (Scope::Consumer, "group.protocol", Honoured::Resolved),
    (Scope::Consumer, "group.remote.assignor", Honoured::Resolved),
    (Scope::Consumer, "isolation.level", Honoured::Resolved),
    (Scope::Consumer, "max.poll.interval.ms", TIME),
    (Scope::Consumer, "max.poll.records", Honoured::Resolved),
    (Scope::Consumer, "offset.store.method", Honoured::Default),
    (
        Scope::Consumer,
        "partition.assignment.strategy",
        Honoured::Only(ASSIGNORS),
    ),
    (Scope::Consumer, "rebalance_cb", Honoured::Only(&["true"])),
    (Scope::Consumer, "session.timeout.ms", TIME),
    (Scope::Consumer, "socket.timeout.ms", TIME),
    (Scope::Topic, "cleanup.policy", Honoured::Resolved),
    (Scope::Topic, "delete.retention.ms", TOMBSTONES),
    (Scope::Topic, "flush.messages", Honoured::Resolved),
    (Scope::Topic, "flush.ms", Honoured::Default),
    (Scope::Topic, "min.compaction.lag.ms", Honoured::Resolved),
    (Scope::Topic, "min.insync.replicas", Honoured::Resolved),
    (Scope::Topic, "partitions", Honoured::Resolved),
    (Scope::Topic, "replication.factor", Honoured::Resolved),
    (Scope::Topic, "retention.bytes", Honoured::Resolved),
    (Scope::Topic, "retention.ms", Honoured::Resolved),
    (
        Scope::Topic,
        "unclean.leader.election.enable",
        Honoured::Resolved,
    ),
    (Scope::Broker, "consumer.session.timeout.ms", TIME),
    (
        Scope::Broker,
        "default.replication.factor",
        Honoured::Resolved,
    ),
    (
        Scope::Broker,
        "eligible.leader.replicas.version",
        Honoured::Resolved,
    ),
    (
        Scope::Broker,
        "group.consumer.assignors",
        Honoured::Only(&["uniform", "range"]),
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
    (Scope::Broker, "log.cleaner.delete.retention.ms", TOMBSTONES),
    (Scope::Broker, "log.cleaner.enable", Honoured::Resolved),
    (
        Scope::Broker,
        "log.cleaner.min.compaction.lag.ms",
        Honoured::Resolved,
    ),
    (Scope::Broker, "log.cleanup.policy", Honoured::Resolved),
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
    (Scope::Broker, "log.retention.bytes", Honoured::Resolved),
    (Scope::Broker, "log.retention.hours", Honoured::Resolved),
    (Scope::Broker, "log.retention.minutes", Honoured::Resolved),
    (Scope::Broker, "log.retention.ms", Honoured::Resolved),
    (Scope::Broker, "min.insync.replicas", Honoured::Resolved),
    (Scope::Broker, "num.partitions", Honoured::Resolved),
    (
        Scope::Broker,
        "offsets.retention.minutes",
        Honoured::Resolved,
    ),
    (
        Scope::Broker,
        "offsets.topic.replication.factor",
        Honoured::Default,
    ),
    (
        Scope::Broker,
        "producer.id.expiration.ms",
        Honoured::Resolved,
    ),
    (Scope::Broker, "replica.lag.time.max.ms", TIME),
    (
        Scope::Broker,
        "transaction.max.timeout.ms",
        Honoured::Resolved,
    ),
    (
        Scope::Broker,
        "transaction.partition.verification.enable",
        Honoured::Resolved,
    ),
    (
        Scope::Broker,
        "transaction.state.log.min.isr",
        Honoured::Default,
    ),
    (
        Scope::Broker,
        "transaction.state.log.replication.factor",
        Honoured::Default,
    ),
    (
        Scope::Broker,
        "transactional.id.expiration.ms",
        Honoured::Any("it is a matter of days, and a transactional id in use does not expire"),
    ),
    (
        Scope::Broker,
        "transaction.two.phase.commit.enable",
        Honoured::Any("it refuses clients that ask for it, and no client up to 4.3 does"),
    ),
    (Scope::Broker, "transaction.version", Honoured::Resolved),
    (
        Scope::Broker,
        "unclean.leader.election.enable",
        Honoured::Resolved,
    ),
];

/// The assignors that come with the clients: which partitions they leave with their owner, and
/// whether everything is given up first, is known.
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

#[cfg(test)]
mod tests {
    use super::super::super::properties::{Class, accepted};
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
