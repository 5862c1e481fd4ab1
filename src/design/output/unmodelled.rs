//! What is not modelled of the output yet, or cannot be meant: refused by name, all in one place.

use semel_models::fault::{Call, Fault, FaultBudget, FaultKey};
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline as model;
use semel_models::transaction_coordinator::{TransactionRules, TransactionVersion};

use super::super::Design;
use super::super::application::Application;
use super::super::choices::{AfterAttempts, Assignment, Choice, RecordSource, TransactionalId};
use super::super::diagnostic::Code;
use super::super::document::Field;
use super::super::order::{GroupKind, steps};
use super::super::properties::Class;
use super::super::report::Report;
use super::super::resolve::Parts;
use super::super::table::Table;
use super::super::transactions;
use super::super::version::Rule;
use super::{Stated, TRANSACTIONAL_ID, letters, produces, struck, writes};

/// Tables about something that the design does not have, and settings in them that are not
/// modelled. Of an order that could not be read nothing follows.
pub(crate) fn refuse_unmodelled(stated: &Stated<'_>, report: &mut Report) {
    topic(stated, report);
    reader(stated, report);
    if stated.order.is_some() {
        unused_tables(stated, report);
        producer(stated, report);
    }
}

fn unused_tables(stated: &Stated<'_>, report: &mut Report) {
    let results = produces(stated.order);
    for (table, met, why) in [
        (
            Table::OutputProducer,
            results || writes(stated.application),
            "It writes the results of `produce`, dead letters and retries, and this design has none of them.",
        ),
        (
            Table::OutputTopic,
            results,
            "It is about the results that `produce` writes, and this design has none.",
        ),
        (
            Table::OutputConsumer,
            results,
            "It reads the results that `produce` writes, and this design has none.",
        ),
    ] {
        if let Some(section) = stated.document.section(table).filter(|_| !met) {
            report
                .problem(
                    Code::Contradiction,
                    section.span,
                    format!("[{}] has no use here", table.name()),
                )
                .because(why)
                .write("Leave the table out.");
        }
    }
}

/// The output topic has one partition, and nothing that is lost or removed from it is modelled.
fn topic(stated: &Stated<'_>, report: &mut Report) {
    if stated
        .topic
        .integer("partitions")
        .is_some_and(|own| own > 1)
    {
        report
            .not_modelled(
                stated.topic.at("partitions"),
                "more than one partition in [output.topic]",
            )
            .write("Write partitions = 1, or leave it out.");
    }
}

/// The reader of the output reads everything that its isolation level lets it.
fn reader(stated: &Stated<'_>, report: &mut Report) {
    let others = stated.consumer.stated.iter().filter(|own| {
        own.property.class == Class::Modelled
            && !["isolation.level", "group.id"].contains(&own.name.as_str())
    });
    for own in others {
        report
            .not_modelled(own.name_span, format!("`{}` in [output.consumer]", own.name))
            .because("The reader of the output takes every result that its isolation.level lets it; what it does with them is a design of its own.")
            .write("Leave it out.");
    }
}

/// A producer sends in transactions exactly if it has a transactional id.
fn producer(stated: &Stated<'_>, report: &mut Report) {
    let id = stated.producer.at(TRANSACTIONAL_ID);
    let transactions = stated
        .order
        .is_some_and(|order| !order.transactions().is_empty());
    let application = stated.application;
    let place = application.order.as_ref().map(|written| written.span);
    let knows_transactions = stated.producer.versions.has(Rule::IdempotentProducer);
    // An id that is stated has been refused with the same reason.
    let own_id = |field: &Field| field.name == TRANSACTIONAL_ID;
    let fields = stated.document.fields(Table::OutputProducer);
    if transactions && !knows_transactions && fields.iter().any(own_id) {
        return;
    }
    if transactions && !knows_transactions {
        report
            .problem(
                Code::RefusedByKafka,
                place,
                format!(
                    "Kafka {} has no transactions",
                    stated.producer.versions.kafka
                ),
            )
            .because("They came with Kafka 0.11 (KIP-98).")
            .write("Write kafka = \"0.11\" or newer, or an order without kafka[...].");
    } else if transactions && id.is_none() {
        report
            .problem(
                Code::Contradiction,
                place,
                "kafka[...] needs transactional.id in [output.producer]",
            )
            .because("Without it the client refuses beginTransaction(), and the coordinator would not know whose transaction it is.")
            .write("Write transactional.id = \"results\" in [output.producer].");
    }
    if let Some(at) = id.filter(|_| !transactions && writes(application)) {
        report
            .not_modelled(
                at,
                "transactional.id of who writes dead letters and retries",
            )
            .write("Leave it out.");
    } else if let Some(at) = id.filter(|_| !transactions) {
        report
            .problem(
                Code::RefusedByKafka,
                at,
                "a producer with a transactional.id sends in transactions only",
            )
            .because("The client refuses a send outside of one, and the order has no kafka[...].")
            .write("Write kafka[...] around `produce`, or leave transactional.id out.");
    } else if transactions && id.is_some() {
        outside(application, report);
    }
    if writes(application)
        && !produces(stated.order)
        && stated.producer.is_set("retries")
        && stated.producer.integer("retries") == Some(0)
    {
        report
            .not_modelled(
                stated.producer.at("retries"),
                "retries = 0 in [output.producer], a write that is not tried again,",
            )
            .write("Leave `retries` out.");
    }
}

/// A result that the transactional producer is to send while no transaction is open. The Java
/// client's TransactionManager throws then, librdkafka returns an error.
fn outside(application: &Application, report: &mut Report) {
    let Some(written) = &application.order else {
        return;
    };
    for (step, span, groups) in steps(&written.nodes) {
        let sends = matches!(step, Step::Produce | Step::ProduceAsync);
        if sends && !groups.contains(&GroupKind::Kafka) {
            report
                .problem(
                    Code::RefusedByKafka,
                    written.text.place(span),
                    format!("`{}` stands outside of kafka[...]", step.name()),
                )
                .because("A producer with a transactional.id sends in transactions only: the client refuses a send while none is open (Java: IllegalStateException, librdkafka: RD_KAFKA_RESP_ERR__STATE).")
                .write(format!("Write `{}` inside kafka[...].", step.name()));
        }
    }
}

/// Whether the model knows what the fault does to `design`, which has been read with other faults.
pub fn models_together(design: &Design, fault: Fault) -> bool {
    let consumer = &design.pipeline().consumer;
    let results = consumer.produces() || consumer.has_transactions();
    let stable = consumer.output.transactional_id == model::TransactionalId::Stable;
    let rules = &design.pipeline().rules.transactions;
    let asked = rules.verifies && consumer.output.offsets_are_verified;
    let late = LATE.contains(&fault) && !stable && !refuses_late(rules, asked);
    let struck = consumer.produces() && fault.strikes_brokers();
    let two_hops = design.pipeline().producer.is_transactional() && consumer.produces();
    let both_coordinate = two_hops && consumer.has_transactions();
    let meddles = meddles(FaultKey { fault, call: None }, rules);
    !(results && !goes_with(fault)
        || struck && !design.pipeline().results_are_followed()
        || consumer.has_transactions() && late
        || two_hops && fault == Fault::CoordinatorFailover
        || !letters::go_with_alone(design.pipeline(), fault)
        || both_coordinate && meddles)
}

/// The faults that make requests late.
const LATE: [Fault; 2] = [Fault::RequestDelayed, Fault::DeliveryTimeout];

/// The faults that reach the output topic or its coordinator, and are not modelled there.
const BEYOND: [Fault; 4] = [
    Fault::PowerLossAll,
    Fault::ProducerIdExpiry,
    Fault::TopicRecreate,
    Fault::StaleMetadata,
];

/// Whether the model knows what the fault does where results are written.
pub(crate) fn goes_with(fault: Fault) -> bool {
    // What is refused beside a second partition is, too.
    !BEYOND.contains(&fault) && fault != Fault::AddPartition
}

/// What the rest of the design has beside results, and the model does not together with them.
pub(crate) fn of_design(
    parts: &Parts<'_>,
    order: Option<&Order>,
    faults: &FaultBudget,
    report: &mut Report,
) {
    letters::check(parts, order, faults, report);
    if !produces(order) {
        return;
    }
    let application = parts.application;
    let place = application.order.as_ref().map(|written| written.span);
    for fault in BEYOND {
        if faults.contains(fault) {
            report
                .not_modelled(place, format!("`produce` or kafka[...] together with the fault {fault}"))
                .because("The fault reaches the broker of the output topic, too, and what it does there is not modelled.")
                .write("Take the fault away, or write an order without `produce`.");
        }
    }
    struck::check(parts, order, faults, report);
    if application.workers.value > 0 {
        report
            .not_modelled(
                application.workers.at,
                "`workers` together with `produce` or kafka[...]",
            )
            .write("Write workers = 0.");
    }
    let from_transactions = application.source.value == RecordSource::Transaction;
    if from_transactions && faults.contains(Fault::CoordinatorFailover) {
        report
            .not_modelled(
                application.source.at,
                "source = \"transaction\" and `produce` or kafka[...] together with the fault coordinator-failover",
            )
            .write("Leave the fault out, or write another source.");
    }
    let transactions = order.is_some_and(|order| !order.transactions().is_empty());
    if !transactions {
        reports_per_poll(application, order, report);
        return;
    }
    if writes(application) {
        report
            .not_modelled(
                application.after_attempts.at,
                "a dead-letter or retry topic together with kafka[...]",
            )
            .because("The one producer of [output.producer] would have to write both inside and outside of transactions.")
            .write("Write then = \"stop\", \"skip\" or \"block\".");
    }
    let shares = application.transactional_id.value == TransactionalId::PerPartition
        && application.assignment.value == Assignment::Assign
        && application.instances.value > 1;
    if shares {
        report
            .not_modelled(
                application.transactional_id.at,
                "transactional-id = \"per-partition\" with several instances that assign themselves the same partition",
            )
            .because("Each start of one fences the producer of the other, which ends its process, for ever.")
            .write("Write assignment = \"subscribe\", instances = 1 or transactional-id = \"stable\".");
    }
    versions(parts, faults, report);
    let commits = order.is_some_and(|order| {
        let mut transactions = order.transactions().into_iter().flatten();
        transactions.any(|own| *own == Item::Step(Step::Commit))
    });
    if let Some(at) = application.group_metadata.at.filter(|_| !commits) {
        report
            .problem(
                Code::Contradiction,
                at,
                "`group-metadata` needs `commit` inside kafka[...]",
            )
            .because("It is passed to sendOffsetsToTransaction, which this design does not call.")
            .write("Leave the key out.");
    }
}

/// Results of a poll that nobody waits for one by one: which of them failed is known where `flush` ends, and
/// the application would have to remember which records these are to handle them anew.
fn reports_per_poll(application: &Application, order: Option<&Order>, report: &mut Report) {
    let sends = |item: &Item| match item {
        Item::Each(inner) => inner.contains(&Item::Step(Step::ProduceAsync)),
        Item::Step(_) | Item::Database(_) | Item::Kafka(_) => false,
    };
    if !order.is_some_and(|order| order.0.iter().any(sends)) {
        return;
    }
    const WHAT: &str = "each(... produce-async ...)";
    const WHY: &str = "That a result failed is learnt for the poll as a whole, and not of which record it is the result.";
    const WRITE: &str = "Write attempts = 1 with then = \"stop\", \"close\" or \"skip\", or an order without each(...).";
    let again = application.attempts.value > 1;
    if again {
        report
            .not_modelled(
                application.attempts.at,
                format!(
                    "on-process-failure.attempts = {} together with {WHAT}",
                    application.attempts.value
                ),
            )
            .because(WHY)
            .write(WRITE);
    }
    let then = &application.after_attempts;
    match then.value {
        AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Skip => {}
        AfterAttempts::DeadLetter | AfterAttempts::RetryTopic | AfterAttempts::Block => {
            report
                .not_modelled(
                    then.at,
                    format!("then = \"{}\" together with {WHAT}", then.value.name()),
                )
                .because(WHY)
                .write(WRITE);
        }
    }
}

/// What older brokers and clients do not have, or do with late requests.
fn versions(parts: &Parts<'_>, faults: &FaultBudget, report: &mut Report) {
    let kafka = parts.versions.kafka;
    let metadata = &parts.application.group_metadata;
    if let Some(at) = metadata.at.filter(|_| metadata.value)
        && !parts.versions.has(Rule::GroupMetadata)
    {
        report
            .problem(
                Code::RefusedByKafka,
                at,
                format!("Kafka {kafka} does not have group metadata in transactions"),
            )
            .because("sendOffsetsToTransaction takes it since Kafka 2.5 (KIP-447).")
            .write("Write group-metadata = false, or kafka = \"2.5\" or newer.");
    }
    let stable = parts.application.transactional_id.value == TransactionalId::Stable;
    let is_late = LATE.into_iter().find(|fault| faults.contains(*fault));
    let rules = transactions::rules(&parts.versions, parts.broker);
    let asked = [Rule::TransactionVerification, Rule::OffsetVerification]
        .into_iter()
        .all(|rule| transactions::verifies(rule, &parts.versions, parts.broker));
    if let Some(fault) = is_late.filter(|_| !stable && !refuses_late(&rules, asked)) {
        report
            .not_modelled(
                parts.versions_at.0,
                format!("transactional-id = \"{}\" with `kafka` = \"{kafka}\" together with the fault {fault}", parts.application.transactional_id.value.name()),
            )
            .because("A request of the output producer that is late may open a transaction that nobody ends (KIP-890).")
            .write("Write kafka = \"3.7\" or newer with transaction.partition.verification.enable, transactional-id = \"stable\", or take the fault away.");
    }
    let two_hops = parts.application.source.value == RecordSource::Transaction;
    if two_hops {
        late_for_two_coordinators(parts, &rules, faults, report);
    }
}

/// Late requests to two transaction coordinators, the upstream's and that of the output producers.
fn late_for_two_coordinators(
    parts: &Parts<'_>,
    rules: &TransactionRules,
    faults: &FaultBudget,
    report: &mut Report,
) {
    let written = parts.application.order.as_ref().map(|written| written.span);
    let keys = faults.entries.iter().map(|(key, _)| key);
    for key in keys.filter(|key| meddles(**key, rules)) {
        report
            .not_modelled(
                written,
                format!("source = \"transaction\" and kafka[...] together with the fault `{key}`"),
            )
            .because("A late request of either producer to its coordinator may fence it, or end its next transaction between two of its calls, and with two coordinators that is not modelled (KIP-890).")
            .write("Take the fault away, or let it strike other calls, such as request-delayed.output-produce or request-delayed.txn-offset-commit; `end-txn` goes with transaction version 2, which is Kafka 4.0 or newer with a Java client.");
    }
}

/// Whether the fault can hold up a request that meddles with the next transaction of its producer. Under
/// version 2 each end has an epoch of its own, and partitions are added by their leaders.
fn meddles(key: FaultKey, rules: &TransactionRules) -> bool {
    let is_first = rules.version == TransactionVersion::One;
    key.fault == Fault::RequestDelayed
        && match key.call {
            None | Some(Call::InitProducerId) => true,
            Some(Call::EndTxn | Call::AddPartitions | Call::AddOffsets) => is_first,
            Some(
                Call::Produce
                | Call::OutputProduce
                | Call::Fetch
                | Call::Join
                | Call::Heartbeat
                | Call::OffsetFetch
                | Call::OffsetCommit
                | Call::TxnOffsetCommit,
            ) => false,
        }
}

/// Whether no late request of an output producer is taken outside of its transaction: partition leaders
/// and the group coordinator ask for it, or each transaction has an epoch of its own.
fn refuses_late(rules: &TransactionRules, asked: bool) -> bool {
    asked || rules.version == TransactionVersion::Two
}
