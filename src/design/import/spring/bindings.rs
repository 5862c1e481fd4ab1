//! The keys of `spring.kafka`, and what each is in a design.
//!
//! Follows `KafkaProperties` of Spring Boot 4.0; the keys of 3.x are the same. A key that is no row here
//! is none that Boot has.

use super::super::super::table::Table;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// As it stands.
    Plain,
    /// A truth value, in any of Boot's spellings.
    Truth,
    /// A duration: Kafka has milliseconds.
    Duration,
    /// A size: Kafka has bytes.
    Size,
    /// `read-committed` in any spelling.
    Isolation,
}

/// What a key is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// A property of Kafka's.
    Kafka(Table, &'static str, Unit),
    /// How the container acknowledges.
    AckMode,
    /// One record a call, or a whole poll.
    ListenerType,
    /// How many consumers a container has.
    Concurrency,
    /// The listener's producer has transactions, and so has its container.
    TransactionIdPrefix,
    /// It has no bearing on delivery.
    NoBearing,
    /// Not modelled unless it is switched off: why, and what to write.
    Off(&'static str, &'static str),
}

use Meaning::{AckMode, Concurrency, Kafka, ListenerType, NoBearing, Off, TransactionIdPrefix};
use Table::{Consumer, Producer};
use Unit::{Duration, Isolation, Plain, Size, Truth};

/// Every key under `spring.kafka` that is no map.
pub(super) const KEYS: &[(&str, Meaning)] = &[
    ("bootstrap-servers", NoBearing),
    ("client-id", NoBearing),
    (
        "consumer.auto-commit-interval",
        Kafka(Consumer, "auto.commit.interval.ms", Duration),
    ),
    (
        "consumer.auto-offset-reset",
        Kafka(Consumer, "auto.offset.reset", Plain),
    ),
    ("consumer.bootstrap-servers", NoBearing),
    ("consumer.client-id", NoBearing),
    (
        "consumer.enable-auto-commit",
        Kafka(Consumer, "enable.auto.commit", Truth),
    ),
    (
        "consumer.fetch-max-wait",
        Kafka(Consumer, "fetch.max.wait.ms", Duration),
    ),
    (
        "consumer.fetch-min-size",
        Kafka(Consumer, "fetch.min.bytes", Size),
    ),
    ("consumer.group-id", NoBearing),
    (
        "consumer.heartbeat-interval",
        Kafka(Consumer, "heartbeat.interval.ms", Duration),
    ),
    (
        "consumer.isolation-level",
        Kafka(Consumer, "isolation.level", Isolation),
    ),
    ("consumer.key-deserializer", NoBearing),
    ("consumer.value-deserializer", NoBearing),
    (
        "consumer.max-poll-records",
        Kafka(Consumer, "max.poll.records", Plain),
    ),
    (
        "consumer.max-poll-interval",
        Kafka(Consumer, "max.poll.interval.ms", Duration),
    ),
    ("producer.acks", Kafka(Producer, "acks", Plain)),
    ("producer.batch-size", Kafka(Producer, "batch.size", Size)),
    ("producer.bootstrap-servers", NoBearing),
    (
        "producer.buffer-memory",
        Kafka(Producer, "buffer.memory", Size),
    ),
    ("producer.client-id", NoBearing),
    (
        "producer.compression-type",
        Kafka(Producer, "compression.type", Plain),
    ),
    ("producer.key-serializer", NoBearing),
    ("producer.value-serializer", NoBearing),
    ("producer.retries", Kafka(Producer, "retries", Plain)),
    ("producer.transaction-id-prefix", TransactionIdPrefix),
    ("listener.type", ListenerType),
    ("listener.ack-mode", AckMode),
    (
        "listener.async-acks",
        Off(
            "Records that are acknowledged out of order, from other threads, are not in the order language beside a container.",
            "Leave it out, or write a design without `framework`: workers = 2 and commit-covers = \"contiguous\".",
        ),
    ),
    ("listener.client-id", NoBearing),
    ("listener.concurrency", Concurrency),
    ("listener.poll-timeout", NoBearing),
    ("listener.no-poll-threshold", NoBearing),
    // They matter to the modes COUNT and TIME, which are refused.
    ("listener.ack-count", NoBearing),
    ("listener.ack-time", NoBearing),
    ("listener.idle-between-polls", NoBearing),
    ("listener.idle-event-interval", NoBearing),
    ("listener.idle-partition-event-interval", NoBearing),
    ("listener.monitor-interval", NoBearing),
    ("listener.log-container-config", NoBearing),
    ("listener.missing-topics-fatal", NoBearing),
    ("listener.immediate-stop", NoBearing),
    ("listener.auto-startup", NoBearing),
    ("listener.change-consumer-thread-name", NoBearing),
    ("listener.observation-enabled", NoBearing),
    ("listener.auth-exception-retry-interval", NoBearing),
    // Of Boot 2.
    ("listener.only-log-record-metadata", NoBearing),
    ("streams.cache-max-size-buffering", NoBearing),
    (
        "template.transaction-id-prefix",
        Off(
            "It gives the template's own transactions other ids than those of the container.",
            "Leave it out, or write a design: `semel init --spring FILE` writes one to start from.",
        ),
    ),
    (
        "retry.topic.enabled",
        Off(
            "Boot then retries through topics of their own, and after some attempts sends the record to a dead-letter topic.",
            "Leave it out and write on-process-failure = { attempts = 3, then = \"dead-letter\" }, with the attempts of retry.topic.attempts, in the design that `semel init --spring FILE` writes.",
        ),
    ),
    ("streams.application-id", NoBearing),
    ("streams.auto-startup", NoBearing),
    ("streams.bootstrap-servers", NoBearing),
    ("streams.client-id", NoBearing),
    ("streams.state-store-cache-max-size", NoBearing),
    ("streams.replication-factor", NoBearing),
    ("streams.state-dir", NoBearing),
];

/// Beginnings of keys that only connect, or are about no client that handles records.
pub(super) const NO_BEARING: &[&str] = &[
    "ssl",
    "security",
    "jaas",
    "admin",
    "template",
    "retry.topic",
    "consumer.ssl",
    "consumer.security",
    "producer.ssl",
    "producer.security",
    "streams.ssl",
    "streams.security",
    "streams.cleanup",
];

/// Settings of Kafka Streams that are no client's, and bear on nothing that is modelled.
pub(super) const STREAMS_NO_BEARING: &[&str] = &[
    "application.id",
    "application.server",
    "bootstrap.servers",
    "buffered.records.per.partition",
    "built.in.metrics.version",
    "cache.max.bytes.buffering",
    "client.id",
    "commit.interval.ms",
    "default.client.supplier",
    "default.dsl.store",
    "default.key.serde",
    "default.list.key.serde.inner",
    "default.list.key.serde.type",
    "default.list.value.serde.inner",
    "default.list.value.serde.type",
    "default.timestamp.extractor",
    "default.value.serde",
    "dsl.store.suppliers.class",
    "ensure.explicit.internal.resource.naming",
    "log.summary.interval.ms",
    "max.task.idle.ms",
    "num.standby.replicas",
    "poll.ms",
    "probing.rebalance.interval.ms",
    "repartition.purge.interval.ms",
    "replication.factor",
    "rocksdb.config.setter",
    "state.cleanup.delay.ms",
    "state.dir",
    "statestore.cache.max.bytes",
    "task.timeout.ms",
    "topology.optimization",
    "upgrade.from",
    "window.size.ms",
    "windowstore.changelog.additional.retention.ms",
];

#[cfg(test)]
mod tests {
    use super::super::super::super::properties::{Lookup, Scope, look_up};
    use super::super::name::uniform;
    use super::*;
    use semel_models::pipeline::Client;

    #[test]
    fn every_property_that_is_bound_is_one_of_kafkas() {
        for (name, meaning) in KEYS {
            let Kafka(table, key, _) = meaning else {
                continue;
            };
            let scope = table.scope().unwrap_or(Scope::Broker);
            let found = look_up(Client::Java, scope, key);
            assert!(matches!(found, Lookup::Found(_)), "{name}: {key}");
        }
    }

    #[test]
    fn no_key_is_there_twice_in_any_spelling() {
        let mut names: Vec<String> = KEYS.iter().map(|(name, _)| uniform(name)).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn what_is_no_clients_is_no_setting_of_a_client() {
        for key in STREAMS_NO_BEARING {
            let client = ["bootstrap.servers", "client.id"].contains(key);
            let found = look_up(Client::Java, Scope::Consumer, key);
            assert_eq!(matches!(found, Lookup::Found(_)), client, "{key}");
        }
    }
}
