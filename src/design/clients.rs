//! What a client makes of its properties: the values in force, and those that it resolved itself.

use semel_models::pipeline::{Acks, AutoCommit, OffsetReset};

use super::kafka::Properties;
use super::report::Report;
use super::table::Table;
use super::version::Rule;

use semel_models::pipeline::Client;

/// The producer's settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProducerRules {
    pub acks: Acks,
    pub idempotence: bool,
    pub retries: i64,
    pub max_in_flight: u32,
    /// Whether the application hears of records that were acknowledged.
    pub reports_success: bool,
    /// Whether the application hears of records at all.
    pub reports: bool,
}

/// The consumer's settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConsumerRules {
    pub offset_reset: OffsetReset,
    pub auto_commit: AutoCommit,
    /// librdkafka's `enable.auto.offset.store`; it matters without automatic commit, too.
    pub automatic_store: bool,
    /// The most records that a poll returns, if the client limits them.
    pub poll: Option<i64>,
}

/// A setting whose value in force is neither the stated one nor the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolution {
    pub table: Table,
    /// The canonical name.
    pub name: &'static str,
    pub value: String,
    pub why: String,
}

/// What one client makes of a design.
#[derive(Clone, Debug)]
pub(crate) struct ClientRules {
    pub producer: ProducerRules,
    pub consumer: ConsumerRules,
    pub resolutions: Vec<Resolution>,
}

pub(crate) fn rules(
    producer: &Properties,
    consumer: &Properties,
    broker: &Properties,
    report: &mut Report,
) -> ClientRules {
    let mut resolutions = Vec::new();
    let producer = producer_rules(producer, &mut resolutions, report);
    let consumer_rules = match consumer.client {
        Client::Java => super::java::consumer(consumer, report),
        Client::Librdkafka => super::librdkafka::consumer(consumer, report),
    };
    super::cluster::join(consumer, broker, report);
    ClientRules {
        producer,
        consumer: consumer_rules,
        resolutions,
    }
}

/// What the client makes of the properties of one producer.
pub(crate) fn producer_rules(
    producer: &Properties,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> ProducerRules {
    let mut rules = match producer.client {
        Client::Java => super::java::producer(producer, resolutions, report),
        Client::Librdkafka => super::librdkafka::producer(producer, resolutions, report),
    };
    rules.max_in_flight = rules.max_in_flight.max(1);
    if rules.idempotence && !producer.versions.has(Rule::IdempotentProducer) {
        let kafka = producer.versions.kafka;
        refuse(
            report,
            producer,
            "enable.idempotence",
            format!("brokers of Kafka {kafka} do not know idempotent producers"),
        )
        .because("org.apache.kafka.common.errors.UnsupportedVersionException at the first send: producer ids came with Kafka 0.11 (KIP-98).")
        .write("Write enable.idempotence = false, or kafka = \"0.11\" or newer.");
    }
    rules
}

/// A stated value that a client refuses.
pub(crate) fn refuse<'r>(
    report: &'r mut Report,
    properties: &Properties,
    culprit: &str,
    message: impl Into<String>,
) -> &'r mut super::diagnostic::Problem {
    let span = properties.at(culprit);
    report.problem(super::diagnostic::Code::RefusedByKafka, span, message)
}
