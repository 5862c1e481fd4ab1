//! What Apache Kafka's Java clients refuse, and what they resolve without asking.
//!
//! Follows `ProducerConfig`, `KafkaProducer`, `ConsumerConfig` and `Heartbeat` of Apache Kafka
//! 4.0 to 4.3, and `ProducerConfig` of the releases before. A property is "set" when the design
//! states it, be it with its default value.

mod consumer;
mod producer;

use super::clients::{ConsumerRules, ProducerRules, Resolution};
use super::kafka::Properties;
use super::report::Report;

pub(crate) const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";

pub(crate) fn producer(
    properties: &Properties,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> ProducerRules {
    producer::rules(properties, &properties.versions, resolutions, report)
}

pub(crate) fn consumer(properties: &Properties, report: &mut Report) -> ConsumerRules {
    consumer::rules(properties, &properties.versions, report)
}
