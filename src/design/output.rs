//! `[output.*]`: what the application writes to other topics, and who reads it.

mod letters;
mod reports;
mod struck;
mod unmodelled;

pub(crate) use letters::go_with as letters_go_with;
pub(crate) use struck::{leaves_late_requests_out, refuse_unfollowed};
pub use unmodelled::models_together;
pub(crate) use unmodelled::{goes_with, of_design, refuse_unmodelled};

use semel_models::order::{Order, Step};
use semel_models::pipeline::{Client, Isolation, OutputSettings, ReplicationSettings};

use super::application::Application;
use super::choices::AfterAttempts;
use super::clients::{self, Resolution};
use super::cluster;
use super::document::Document;
use super::kafka::Properties;
use super::modelled;
use super::replication;
use super::report::Report;
use super::table::Table;
use super::transactions;
use super::two_phase;
use super::version::Rule;

const TRANSACTIONAL_ID: &str = "transactional.id";

/// Whether the application writes a dead-letter or a retry topic.
pub(crate) fn writes(application: &Application) -> bool {
    match application.after_attempts.value {
        AfterAttempts::DeadLetter | AfterAttempts::RetryTopic => true,
        AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Skip | AfterAttempts::Block => {
            false
        }
    }
}

/// Whether the application writes results.
pub(crate) fn produces(order: Option<&Order>) -> bool {
    order.is_some_and(|order| {
        order.contains(Step::Produce)
            || order.contains(Step::ProduceAsync)
            || !order.transactions().is_empty()
    })
}

/// The tables about the output.
pub(crate) struct Stated<'d> {
    pub document: &'d Document,
    pub producer: &'d Properties,
    pub topic: &'d Properties,
    pub consumer: &'d Properties,
    /// `[broker]`.
    pub broker: &'d Properties,
    /// `[consumer]`, who reads what the results are made of.
    pub input: &'d Properties,
    pub application: &'d Application,
    pub order: Option<&'d Order>,
    /// `[bounds] retries`.
    pub retries: i64,
}

impl Stated<'_> {
    /// What is written, and who reads it: the producer in `[output.producer]`, whose own rules apply,
    /// or one that is left at its defaults.
    pub fn settings(
        &self,
        resolutions: &mut Vec<Resolution>,
        report: &mut Report,
    ) -> Option<OutputSettings> {
        let rules = self.rules(resolutions, report);
        reports::check(self, &rules, report);
        let used = writes(self.application) || produces(self.order);
        if !used && self.document.section(Table::OutputProducer).is_none() {
            return Some(OutputSettings::NONE);
        }
        let retries = rules.retries.min(self.retries);
        let versions = &self.producer.versions;
        Some(OutputSettings {
            acks: rules.acks,
            idempotence: rules.idempotence,
            retries: u16::try_from(retries).unwrap_or(u16::MAX),
            retries_are_capped: rules.retries > self.retries,
            max_in_flight: rules.max_in_flight,
            isolation: match self.consumer.text("isolation.level") {
                Some("read_committed") => Isolation::ReadCommitted,
                Some(_) | None => Isolation::ReadUncommitted,
            },
            transactional_id: modelled::transactional_id(self.application.transactional_id.value)?,
            group_metadata: self.application.group_metadata.value
                && versions.has(Rule::GroupMetadata),
            on_abort: modelled::on_abort(self.application.on_abort.value)?,
            transactions_time_out: !two_phase::is_endless(self.producer, versions),
            prepared_transaction: modelled::prepared_transaction(
                self.application.prepared_transaction.value,
            )?,
            offsets_are_awaited: versions.has(Rule::GroupMetadata)
                && match versions.library {
                    Client::Java => true,
                    Client::Librdkafka => {
                        self.input.text("isolation.level") == Some("read_committed")
                    }
                },
            offsets_are_verified: transactions::verifies(
                Rule::OffsetVerification,
                versions,
                self.broker,
            ),
            replication: self.replication(report),
            flush_messages: cluster::flush_messages(self.topic, self.broker),
        })
    }

    /// The replicas of the output topic. What is wrong with the broker's defaults has been said of the
    /// first topic.
    fn replication(&self, report: &mut Report) -> ReplicationSettings {
        const OWN: &str = "replication.factor";
        let number = cluster::created(self.topic, self.broker, OWN, "default.replication.factor");
        let versions = &self.producer.versions;
        let states = self.document.section(Table::OutputTopic).is_some();
        let mut unsaid = Report::new(&report.source);
        let report = if states { report } else { &mut unsaid };
        replication::settings(self.topic, self.broker, number, versions, report)
    }

    fn rules(
        &self,
        resolutions: &mut Vec<Resolution>,
        report: &mut Report,
    ) -> clients::ProducerRules {
        if self.document.section(Table::OutputProducer).is_some() {
            return clients::producer_rules(self.producer, resolutions, report);
        }
        // Nothing of it is stated: the defaults of a producer that nobody writes with, or that the
        // design left out, need no warning of their own.
        let mut unsaid = Report::new(&report.source);
        clients::producer_rules(self.producer, &mut Vec::new(), &mut unsaid)
    }
}
