//! `[output.*]`: what the application writes to other topics, and who reads it.

use semel_models::pipeline::Acks;

use super::application::Application;
use super::choices::AfterAttempts;
use super::clients::{self, Resolution};
use super::document::Document;
use super::kafka::Properties;
use super::report::Report;
use super::table::Table;
use super::transactions;

/// Whether the application writes a dead-letter or a retry topic.
pub(crate) fn writes(application: &Application) -> bool {
    match application.after_attempts.value {
        AfterAttempts::DeadLetter | AfterAttempts::RetryTopic => true,
        AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Skip | AfterAttempts::Block => {
            false
        }
    }
}

/// What matters of the producer of dead letters and retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutputProducer {
    pub acks: Acks,
    /// Whether the broker recognises its retries.
    pub idempotence: bool,
}

/// The producer of dead letters and retries in force: the one in `[output.producer]`, whose own
/// rules apply, or one that is left at its defaults.
pub(crate) fn producer(
    document: &Document,
    producer: &Properties,
    application: &Application,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> OutputProducer {
    let of = |rules: clients::ProducerRules| OutputProducer {
        acks: rules.acks,
        idempotence: rules.idempotence,
    };
    if document.section(Table::OutputProducer).is_some() {
        let rules = clients::producer_rules(producer, resolutions, report);
        if transactions::has_id(producer) {
            report
                .not_modelled(
                    producer.at("transactional.id"),
                    "`transactional.id` in [output.producer]",
                )
                .write("Leave it out.");
        }
        if writes(application) && rules.retries == 0 && producer.is_set("retries") {
            report
                .not_modelled(
                    producer.at("retries"),
                    "retries = 0 in [output.producer], a write that is not tried again,",
                )
                .write("Leave `retries` out.");
        }
        return of(rules);
    }
    // Nothing of it is stated: the defaults of a producer that nobody writes with, or that the
    // design left out, need no warning of their own.
    let mut unsaid = Report::new(&report.source);
    let rules = clients::producer_rules(producer, &mut Vec::new(), &mut unsaid);
    match writes(application) {
        true => of(rules),
        false => OutputProducer {
            acks: Acks::All,
            idempotence: false,
        },
    }
}

/// What `produce` writes, and who reads it: without `produce` nobody writes there, but dead
/// letters and retries have a producer of their own.
pub(crate) fn refuse_unmodelled(
    document: &Document,
    application: &Application,
    report: &mut Report,
) {
    for table in [
        Table::OutputProducer,
        Table::OutputTopic,
        Table::OutputConsumer,
    ] {
        let Some(section) = document.section(table) else {
            continue;
        };
        let is_producer = table == Table::OutputProducer;
        if is_producer && writes(application) {
            continue;
        }
        let why = match is_producer {
            true => {
                "It writes dead-letter and retry topics, which this design does not have, and the results of `produce`, which is not modelled yet either."
            }
            false => {
                "It is about the results that `produce` writes, which is not modelled yet either."
            }
        };
        report
            .not_modelled(section.span, format!("[{}]", table.name()))
            .because(why)
            .write("Leave the table out.");
    }
}
