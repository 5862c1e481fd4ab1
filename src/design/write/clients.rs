//! Kafka's own tables.

use semel_models::order::Step;
use semel_models::pipeline::{
    Acks, AutoCommit, Client, GroupProtocol, Isolation, OffsetReset, OutputSettings, Pipeline,
    ReplicationSettings,
};
use semel_models::transaction_coordinator::TransactionVersion;

use super::super::table::Table;
use super::super::version::{Rule, Versions};
use super::{Lines, quoted};

pub(super) fn producer(pipeline: &Pipeline, versions: &Versions, lines: &mut Lines) {
    let producer = &pipeline.producer;
    lines.table(Table::Producer);
    lines.state("acks", quoted(acks(producer.acks)));
    idempotence(producer.idempotence, versions, lines);
    let retries = match producer.retries_are_capped {
        true => i32::MAX,
        false => i32::from(producer.retries),
    };
    lines.state("retries", retries);
    lines.state(
        "max.in.flight.requests.per.connection",
        producer.max_in_flight,
    );
    if producer.is_transactional() {
        lines.state("transactional.id", quoted("upstream"));
        timeout(producer.transactions_time_out, lines);
    }
    if producer.id_expires_first {
        // Longer than any broker's default of producer.id.expiration.ms.
        lines.state("delivery.timeout.ms", i32::MAX);
    }
}

fn isolation(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadUncommitted => "read_uncommitted",
        Isolation::ReadCommitted => "read_committed",
    }
}

fn acks(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    }
}

/// The oldest Java clients do not have the setting.
fn idempotence(on: bool, versions: &Versions, lines: &mut Lines) {
    let old = versions.library == Client::Java
        && !versions
            .client
            .at_least(Rule::IdempotentProducer.introduction().since);
    if !old {
        lines.state("enable.idempotence", on);
    }
}

pub(super) fn broker(pipeline: &Pipeline, versions: &Versions, lines: &mut Lines) {
    let topic = &pipeline.topic;
    let never_cleaned = topic.compacted && !topic.cleaned;
    let has_feature = versions
        .kafka
        .at_least(Rule::EligibleLeaderReplicas.introduction().since);
    let eligible = topic.replication.eligible_leader_replicas;
    let differs = pipeline.is_replicated() && eligible != has_feature;
    let transactions = transactions(pipeline, versions);
    if topic.flushes_internal_topics || never_cleaned || differs || !transactions.is_empty() {
        lines.table(Table::Broker);
    }
    if topic.flushes_internal_topics {
        lines.state("log.flush.interval.messages", 1);
    }
    if differs {
        lines.state("eligible.leader.replicas.version", u16::from(eligible));
    }
    if never_cleaned {
        lines.state("log.cleaner.enable", false);
    }
    for (name, value) in transactions {
        lines.state(name, value);
    }
}

/// What brokers have of transactions, where it is another than their versions' default.
fn transactions(pipeline: &Pipeline, versions: &Versions) -> Vec<(&'static str, &'static str)> {
    let rules = &pipeline.rules.transactions;
    let mut stated = Vec::new();
    if versions.has(Rule::TransactionVersion2) && rules.version == TransactionVersion::One {
        stated.push(("transaction.version", "0"));
    }
    let asks = rules.verifies || !versions.has(Rule::TransactionVerification);
    let asks_for_offsets =
        pipeline.consumer.output.offsets_are_verified || !versions.has(Rule::OffsetVerification);
    if !asks || !asks_for_offsets {
        stated.push(("transaction.partition.verification.enable", "false"));
    }
    let output = &pipeline.consumer.output;
    if !(pipeline.producer.transactions_time_out && output.transactions_time_out) {
        stated.push(("transaction.max.timeout.ms", "2147483647"));
    }
    stated
}

/// The timeout of a transactional producer, where it never passes.
fn timeout(times_out: bool, lines: &mut Lines) {
    if !times_out {
        lines.state("transaction.timeout.ms", i32::MAX);
    }
}

pub(super) fn topic(pipeline: &Pipeline, lines: &mut Lines) {
    let topic = &pipeline.topic;
    let ReplicationSettings {
        replicas,
        min_in_sync,
        unclean_leader_election,
        eligible_leader_replicas: _,
    } = topic.replication;
    let is_plain = topic.retention && !topic.compacted;
    if topic.flush_messages.is_none() && is_plain && replicas == 1 {
        return;
    }
    lines.table(Table::Topic);
    if replicas > 1 {
        lines.state("replication.factor", replicas);
        lines.state("min.insync.replicas", min_in_sync);
        lines.state("unclean.leader.election.enable", unclean_leader_election);
    }
    lines.state_if("flush.messages", topic.flush_messages);
    match (topic.compacted, topic.retention) {
        (false, true) => {}
        (false, false) => lines.state("retention.ms", -1),
        (true, true) => lines.state("cleanup.policy", quoted("compact,delete")),
        (true, false) => lines.state("cleanup.policy", quoted("compact")),
    }
}

pub(super) fn consumer(pipeline: &Pipeline, versions: &Versions, lines: &mut Lines) {
    let consumer = &pipeline.consumer;
    lines.table(Table::Consumer);
    lines.state(
        "enable.auto.commit",
        consumer.auto_commit != AutoCommit::Off,
    );
    if versions.library == Client::Librdkafka {
        let automatic = match consumer.auto_commit {
            AutoCommit::Background { automatic_store } => automatic_store,
            // Without automatic commit the setting only decides whether `store-offset` is taken.
            AutoCommit::Off | AutoCommit::AtPoll => !consumer.order.contains(Step::StoreOffset),
        };
        lines.state("enable.auto.offset.store", automatic);
    }
    lines.state(
        "auto.offset.reset",
        quoted(match (consumer.offset_reset, versions.library) {
            (OffsetReset::Earliest, _) => "earliest",
            (OffsetReset::Latest, _) => "latest",
            (OffsetReset::None, Client::Java) => "none",
            (OffsetReset::None, Client::Librdkafka) => "error",
        }),
    );
    // librdkafka waits for pending offsets where it reads what is committed only.
    let awaits = versions.library == Client::Librdkafka && consumer.output != OutputSettings::NONE;
    if pipeline.producer.is_transactional() {
        lines.state("isolation.level", quoted(isolation(consumer.isolation)));
    } else if awaits {
        let level = match consumer.output.offsets_are_awaited {
            true => Isolation::ReadCommitted,
            false => Isolation::ReadUncommitted,
        };
        lines.state("isolation.level", quoted(isolation(level)));
    }
    group(pipeline, versions, lines);
}

fn group(pipeline: &Pipeline, versions: &Versions, lines: &mut Lines) {
    let group = &pipeline.group;
    match group.protocol {
        GroupProtocol::Eager | GroupProtocol::Cooperative => {
            let assignor = assignor(group.protocol, group.sticky, versions.library);
            lines.state("partition.assignment.strategy", quoted(assignor));
        }
        GroupProtocol::Consumer => {
            lines.state("group.protocol", quoted("consumer"));
            let assignor = if group.sticky { "uniform" } else { "range" };
            lines.state("group.remote.assignor", quoted(assignor));
        }
    }
    if group.static_membership {
        lines.state("group.instance.id", quoted("member"));
    }
}

fn assignor(protocol: GroupProtocol, sticky: bool, client: Client) -> &'static str {
    let cooperative = protocol == GroupProtocol::Cooperative;
    match (client, cooperative, sticky) {
        (Client::Java, true, _) => "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
        (Client::Java, false, true) => "org.apache.kafka.clients.consumer.StickyAssignor",
        (Client::Java, false, false) => "org.apache.kafka.clients.consumer.RangeAssignor",
        (Client::Librdkafka, true, _) => "cooperative-sticky",
        (Client::Librdkafka, false, _) => "range",
    }
}

pub(super) fn output(pipeline: &Pipeline, versions: &Versions, lines: &mut Lines) {
    let consumer = &pipeline.consumer;
    let output = &consumer.output;
    let results = consumer.produces() || consumer.has_transactions();
    if !results && !consumer.writes_failed() {
        return;
    }
    lines.table(Table::OutputProducer);
    lines.state("acks", quoted(acks(output.acks)));
    idempotence(output.idempotence, versions, lines);
    if !results {
        return;
    }
    if consumer.has_transactions() {
        lines.state("transactional.id", quoted("results"));
        timeout(consumer.output.transactions_time_out, lines);
    }
    let retries = match output.retries_are_capped {
        true => i32::MAX,
        false => i32::from(output.retries),
    };
    lines.state("retries", retries);
    lines.state(
        "max.in.flight.requests.per.connection",
        output.max_in_flight,
    );
    output_topic(output, lines);
    lines.table(Table::OutputConsumer);
    lines.state("isolation.level", quoted(isolation(output.isolation)));
}

fn output_topic(output: &OutputSettings, lines: &mut Lines) {
    let replication = output.replication;
    if replication.replicas == 1 && output.flush_messages.is_none() {
        return;
    }
    lines.table(Table::OutputTopic);
    if replication.replicas > 1 {
        lines.state("replication.factor", replication.replicas);
        lines.state("min.insync.replicas", replication.min_in_sync);
        lines.state(
            "unclean.leader.election.enable",
            replication.unclean_leader_election,
        );
    }
    lines.state_if("flush.messages", output.flush_messages);
}
