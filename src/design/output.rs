//! `[output.*]`: what the application writes to other topics, and who reads it.

use semel_models::pipeline::Acks;

use super::application::Application;
use super::choices::AfterAttempts;
use super::clients::{self, Resolution};
use super::document::Document;
use super::kafka::Properties;
use super::report::Report;
use super::table::Table;

/// Whether the application writes a dead-letter or a retry topic.
pub(crate) fn writes(application: &Application) -> bool {
    match application.after_attempts.value {
        AfterAttempts::DeadLetter | AfterAttempts::RetryTopic => true,
        AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Skip | AfterAttempts::Block => {
            false
        }
    }
}

/// The acknowledgements in force for dead letters and retries: of the producer in
/// `[output.producer]`, whose own rules apply, or of one that is left at its defaults.
pub(crate) fn acks(
    document: &Document,
    producer: &Properties,
    application: &Application,
    resolutions: &mut Vec<Resolution>,
    report: &mut Report,
) -> Acks {
    if document.section(Table::OutputProducer).is_some() {
        return clients::producer_rules(producer, resolutions, report).acks;
    }
    // Nothing of it is stated: the defaults of a producer that nobody writes with, or that the
    // design left out, need no warning of their own.
    let mut unsaid = Report::new(&report.source);
    let rules = clients::producer_rules(producer, &mut Vec::new(), &mut unsaid);
    match writes(application) {
        true => rules.acks,
        false => Acks::All,
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
