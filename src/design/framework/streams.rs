//! Kafka Streams: one thread with a consumer, its tasks, and a producer.
//!
//! Follows `StreamsConfig`, `StreamThread`, `TaskManager` and `StreamsProducer` of Kafka 4.x. What is
//! modelled is a stateless topology: a record is read, a result written. At least once, a commit
//! flushes the producer and then commits offsets; exactly once (`exactly_once_v2`), results and offsets
//! are one transaction of the thread's producer, whose offsets carry the group's metadata (KIP-447).
//!
//! Left out, and said so in a warning: state stores with their changelogs and standby tasks, repartition
//! topics, punctuators. Commits are at the end of each poll here, not every `commit.interval.ms`: what a
//! later commit repeats after a crash, or has in its transaction, is more of the same records. Streams'
//! own assignor is cooperative; it is modelled as the cooperative sticky one.

use semel_models::order::{Item, Order, Step};

use super::super::choices::{Framework, ProcessingGuarantee};
use super::super::document::Scalar;
use super::super::order::{GroupKind, Node, items, steps};
use super::super::table::Table;
use super::super::warning::WarningKind;
use super::{Expanding, chosen, per_poll, text};

const COOPERATIVE: &str = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";

/// Keys that Streams sets whatever is stated.
const NOT_BESIDE: &[(Table, &str, &str)] = &[
    (
        Table::Consumer,
        "enable.auto.commit",
        "Kafka Streams sets it to false, whatever is stated: it commits itself.",
    ),
    (
        Table::Consumer,
        "partition.assignment.strategy",
        "Kafka Streams has an assignor of its own, whatever is stated.",
    ),
    (
        Table::Consumer,
        "group.protocol",
        "Kafka Streams joins its group with the classic protocol and an assignor of its own; its protocol `streams` is not modelled yet.",
    ),
    (
        Table::Application,
        "commit-covers",
        "Kafka Streams commits the next offset of the records that its tasks have processed.",
    ),
    (
        Table::Application,
        "workers",
        "A thread of Kafka Streams processes what it polls itself; its threads are members of the group: `instances`.",
    ),
];

/// Keys that are Streams' own under exactly-once.
const NOT_BESIDE_EXACTLY_ONCE: &[(Table, &str, &str)] = &[
    (
        Table::Consumer,
        "isolation.level",
        "Under exactly_once_v2 Kafka Streams reads what is committed, whatever is stated.",
    ),
    (
        Table::OutputProducer,
        "transactional.id",
        "Under exactly_once_v2 Kafka Streams makes up the id of each thread's producer.",
    ),
    (
        Table::OutputProducer,
        "enable.idempotence",
        "Under exactly_once_v2 Kafka Streams sets it to true, whatever is stated.",
    ),
];

/// The topology's own order; what Streams does around it is stated.
pub(super) fn expand(streams: &mut Expanding<'_, '_>) -> Option<Order> {
    streams.not_beside(NOT_BESIDE, Framework::KafkaStreams);
    let guarantee = chosen::<ProcessingGuarantee>(streams.document, "processing.guarantee");
    let guarantee = guarantee.map_or(ProcessingGuarantee::AtLeastOnce, |(word, _)| word);
    let nodes = streams.own_order(Step::Produce)?;
    if !streams.once_per_record(&nodes, "A topology") {
        return None;
    }
    if has_foreign_step(streams, &nodes) {
        return None;
    }
    consumer(streams);
    let own = items(&nodes);
    let sent = sent_without_waiting(&own);
    let produces = own != sent;
    match guarantee {
        ProcessingGuarantee::AtLeastOnce => at_least_once(streams, sent, produces),
        ProcessingGuarantee::ExactlyOnceV2 => exactly_once(streams, sent, produces),
    }
    if produces
        && !steps(&nodes)
            .iter()
            .any(|(step, _, _)| *step == Step::Process)
    {
        streams.default(
            Table::Sink,
            "effect",
            text("topic"),
            "the effect of a topology is what it writes to its output topic",
        );
    }
    on_failure(streams);
    streams.report.warn(
        WarningKind::NotCovered,
        streams.at,
        "Of Kafka Streams a stateless topology is modelled. State stores with their changelogs and standby tasks, repartition topics and punctuators are not covered by these verdicts, and a commit is at the end of each poll, not every commit.interval.ms.",
    );
    Some(Order(own))
}

/// Refuses a step that is Kafka Streams' own.
fn has_foreign_step(streams: &mut Expanding<'_, '_>, nodes: &[Node]) -> bool {
    let foreign = steps(nodes).into_iter().find(|(step, _, around)| {
        let own = matches!(
            step,
            Step::Process | Step::Produce | Step::SkipIfSeen | Step::Remember
        );
        !own || around.contains(&GroupKind::Kafka)
    });
    if let Some((step, _, _)) = &foreign {
        streams.refuse_order(
            format!("`{}` stands in the order of a topology", step.name()),
            "`order` says what the topology does with one record; sending without waiting, flushing, committing and transactions are Kafka Streams' own.",
            "Write what is done with one record, such as \"produce\" or \"process -> produce\".",
        );
    }
    foreign.is_some()
}

fn consumer(streams: &mut Expanding<'_, '_>) {
    streams.set(
        Table::Consumer,
        "enable.auto.commit",
        Scalar::Boolean(false),
        "Kafka Streams commits itself",
    );
    streams.set(
        Table::Consumer,
        "partition.assignment.strategy",
        text(COOPERATIVE),
        "Kafka Streams' own assignor is cooperative; this one is modelled in its place",
    );
    streams.default(
        Table::Consumer,
        "auto.offset.reset",
        text("earliest"),
        "Kafka Streams' own default",
    );
}

fn at_least_once(streams: &mut Expanding<'_, '_>, sent: Vec<Item>, produces: bool) {
    let then: &[Step] = match produces {
        true => &[Step::Flush, Step::Commit],
        false => &[Step::Commit],
    };
    streams.state_order(&per_poll(sent, then), "at_least_once, the default: results are sent without waiting; a commit flushes the producer, then commits the offsets");
}

fn exactly_once(streams: &mut Expanding<'_, '_>, sent: Vec<Item>, produces: bool) {
    streams.not_beside(NOT_BESIDE_EXACTLY_ONCE, Framework::KafkaStreams);
    let flush = produces.then_some(Item::Step(Step::Flush));
    let transaction = [Item::Each(sent)]
        .into_iter()
        .chain(flush)
        .chain([Item::Step(Step::Commit)]);
    let order = Order(vec![Item::Kafka(transaction.collect())]);
    streams.state_order(&order, "exactly_once_v2: results and offsets are one Kafka transaction, with the group's metadata (KIP-447); a commit flushes the producer first");
    streams.set(
        Table::Consumer,
        "isolation.level",
        text("read_committed"),
        "exactly_once_v2 reads what is committed",
    );
    streams.set(
        Table::OutputProducer,
        "enable.idempotence",
        Scalar::Boolean(true),
        "exactly_once_v2 needs it",
    );
    streams.set(
        Table::OutputProducer,
        "transactional.id",
        text("application-process-thread"),
        "Kafka Streams makes it up: application.id, the process's id and the thread's number",
    );
    streams.default(
        Table::Application,
        "transactional-id",
        text("per-start"),
        "the process's id is drawn anew at each start, unless a state directory keeps it: then write \"stable\"",
    );
}

fn on_failure(streams: &mut Expanding<'_, '_>) {
    streams.default(
        Table::Application,
        "on-process-failure.attempts",
        Scalar::Integer(1),
        "an exception of the topology is not tried again",
    );
    streams.default(
        Table::Application,
        "on-process-failure.then",
        text("stop"),
        "the default handlers fail, and the client shuts down; it starts again where it had committed",
    );
}

/// `produce-async` in place of `produce`: a topology does not wait for delivery reports.
fn sent_without_waiting(items: &[Item]) -> Vec<Item> {
    let sent = |item: &Item| match item {
        Item::Step(Step::Produce) => Item::Step(Step::ProduceAsync),
        Item::Step(_) | Item::Each(_) | Item::Database(_) | Item::Kafka(_) => item.clone(),
    };
    items.iter().map(sent).collect()
}
