//! The single changes that can be made to a design.
//!
//! A change that does not apply is left out here where it would mean something else; otherwise
//! reading the changed file shows it: nothing differs, or the change is refused.

mod output;

use semel_models::order::Step;
use semel_models::pipeline::{
    Acks, AfterAttempts, AutoCommit, CommitCovers, Effect, OffsetReset, OnSendFailure, Pipeline,
    ReplicationSettings, Source,
};

use super::change::{Change, quoted};
use super::orders;
use crate::design::{Design, Origin, Rule, Table};

/// The most requests in flight that an idempotent producer may have.
const MAX_IDEMPOTENT_IN_FLIGHT: u32 = 5;

/// Every single change that may apply to `design`.
pub(super) fn of(design: &Design) -> Vec<Change> {
    let mut changes = settings(design);
    for order in orders::near(design.own_order(), design.pipeline()) {
        changes.push(Change::word(APPLICATION, "order", &order.to_string()));
    }
    changes
}

/// Those that are about settings, and about more than the order at most.
pub(crate) fn settings(design: &Design) -> Vec<Change> {
    let pipeline = design.pipeline();
    let mut changes = Vec::new();
    producer_changes(pipeline, &mut changes);
    source_changes(design, &mut changes);
    consumer_changes(pipeline, &mut changes);
    group_changes(design, &mut changes);
    output::changes(pipeline, &mut changes);
    output::two_phase(design, &mut changes);
    broker_changes(design, &mut changes);
    changes
}

const APPLICATION: Table = Table::Application;
const SINK: Table = Table::Sink;
const IN_FLIGHT: &str = "max.in.flight.requests.per.connection";

fn producer_changes(pipeline: &Pipeline, changes: &mut Vec<Change>) {
    let producer = &pipeline.producer;
    changes.push(Change::word(Table::Producer, "acks", "all"));
    if !producer.idempotence {
        changes.push(idempotence(
            Table::Producer,
            producer.acks,
            producer.retries,
            producer.max_in_flight,
        ));
    }
    changes.push(Change::set(Table::Producer, IN_FLIGHT, "1"));
    if producer.retries == 0 && !producer.retries_are_capped {
        changes.push(Change::default().and_default(Table::Producer, "retries"));
    }
    // Where a row of a database confirms a record, this would only promise less.
    if producer.source == Source::Memory {
        changes.push(Change::word(APPLICATION, "confirm-on", "ack"));
    }
    changes.push(Change::word(APPLICATION, "on-restart", "forget"));
    if producer.on_send_failure == OnSendFailure::Resend {
        changes.push(Change::word(APPLICATION, "on-send-failure", "give-up"));
    }
    let replication = &pipeline.topic.replication;
    if pipeline.is_replicated() {
        changes.push(Change::set(Table::Topic, "replication.factor", "3"));
    }
    log_changes(Table::Topic, replication, changes);
}

/// What keeps the log of a topic.
fn log_changes(table: Table, replication: &ReplicationSettings, changes: &mut Vec<Change>) {
    let mut set = |key, value: &str| changes.push(Change::set(table, key, value));
    if replication.replicas >= 2 && replication.min_in_sync == 1 {
        set("min.insync.replicas", "2");
    }
    set("unclean.leader.election.enable", "false");
    set("flush.messages", "1");
}

/// Idempotence, and every setting that the client then refuses.
fn idempotence(table: Table, acks: Acks, retries: u16, in_flight: u32) -> Change {
    let mut change = Change::set(table, "enable.idempotence", "true");
    if acks != Acks::All {
        change = change.and(table, "acks", quoted("all"));
    }
    if retries == 0 {
        change = change.and_default(table, "retries");
    }
    if in_flight > MAX_IDEMPOTENT_IN_FLIGHT {
        change = change.and(table, IN_FLIGHT, MAX_IDEMPOTENT_IN_FLIGHT.to_string());
    }
    change
}

fn source_changes(design: &Design, changes: &mut Vec<Change>) {
    match design.pipeline().producer.source {
        Source::Memory => {}
        Source::Transaction { .. } => {
            changes.push(Change::word(
                Table::Consumer,
                "isolation.level",
                "read_committed",
            ));
            changes.push(Change::word(
                APPLICATION,
                "on-restart",
                "resend-unconfirmed",
            ));
        }
        Source::Outbox { .. } => {
            changes.push(Change::word(APPLICATION, "outbox-order", "publish -> mark"));
            changes.push(Change::word(APPLICATION, "outbox-cursor", "status"));
        }
        Source::DualWrite(_) => {
            let mut change = Change::word(APPLICATION, "source", "outbox");
            for key in ["dual-write-order", "on-restart"] {
                if states(design, APPLICATION, key) {
                    change = change.and_without(APPLICATION, key);
                }
            }
            changes.push(change);
        }
    }
}

/// Whether the file has the key.
pub(crate) fn states(design: &Design, table: Table, key: &str) -> bool {
    design.settings().iter().any(|setting| {
        setting.table == table && setting.name == key && matches!(setting.origin, Origin::Stated(_))
    })
}

/// What brokers have of transactions.
fn broker_changes(design: &Design, changes: &mut Vec<Change>) {
    let pipeline = design.pipeline();
    if !pipeline.producer.is_transactional() && !pipeline.consumer.has_transactions() {
        return;
    }
    changes.push(Change::set(
        Table::Broker,
        "transaction.partition.verification.enable",
        "true",
    ));
    let version_2 = Rule::TransactionVersion2.introduction().since;
    if design.versions().kafka.at_least(version_2) {
        changes.push(Change::set(Table::Broker, "transaction.version", "2"));
    } else {
        let mut change = Change::word(Table::Root, "kafka", &version_2.to_string());
        if states(design, Table::Root, "client-version") {
            change = change.and_without(Table::Root, "client-version");
        }
        changes.push(change);
    }
}

fn group_changes(design: &Design, changes: &mut Vec<Change>) {
    let pipeline = design.pipeline();
    let settings = &pipeline.consumer;
    if settings.workers > 0 {
        changes.push(Change::word(APPLICATION, "commit-covers", "contiguous"));
        let mut change = Change::set(APPLICATION, "workers", "0");
        if settings.commit_covers != CommitCovers::Next {
            change = change.and(APPLICATION, "commit-covers", quoted("next"));
        }
        changes.push(change);
    }
    changes.push(Change::word(APPLICATION, "on-revoke", "nothing"));
    // Beside commits in transactions it would be one outside of them.
    if !settings.commits_in_transactions() {
        changes.push(Change::word(APPLICATION, "on-revoke", "commit"));
    }
    let failure = settings.on_process_failure;
    match failure.then {
        AfterAttempts::Stop => {}
        AfterAttempts::DeadLetter(_) => {
            changes.push(Change::word(
                APPLICATION,
                "dead-letter-order",
                "write -> commit",
            ));
        }
        AfterAttempts::Close
        | AfterAttempts::Skip
        | AfterAttempts::RetryTopic
        | AfterAttempts::Block => {
            let attempts = match failure.attempts {
                1 => String::new(),
                several => format!("attempts = {several}, "),
            };
            let value = format!("{{ {attempts}then = \"dead-letter\" }}");
            let change = Change::set(APPLICATION, "on-process-failure", value);
            changes.push(change.where_so(design.dead_letters_by()));
        }
    }
    if pipeline.group.instances > 1 {
        changes.push(Change::set(SINK, "fencing", "true"));
    }
    changes.push(Change::set(SINK, "version-guard", "true"));
}

fn consumer_changes(pipeline: &Pipeline, changes: &mut Vec<Change>) {
    let consumer = &pipeline.consumer;
    if consumer.offset_reset != OffsetReset::Earliest {
        changes.push(Change::word(
            Table::Consumer,
            "auto.offset.reset",
            "earliest",
        ));
    }
    let order = &consumer.order;
    let commits = order.contains(Step::Commit) || order.contains(Step::CommitAsync);
    if commits || order.contains(Step::SaveOffset) {
        changes.push(Change::set(Table::Consumer, "enable.auto.commit", "false"));
    }
    let in_background = matches!(consumer.auto_commit, AutoCommit::Background { .. });
    if consumer.auto_commit != AutoCommit::Off {
        if let Some(order) = orders::followed_by(order, Step::Commit) {
            changes.push(
                Change::set(Table::Consumer, "enable.auto.commit", "false").and(
                    APPLICATION,
                    "order",
                    quoted(&order.to_string()),
                ),
            );
        }
        if let Some(order) = orders::followed_by(order, Step::StoreOffset).filter(|_| in_background)
        {
            changes.push(
                Change::set(Table::Consumer, "enable.auto.offset.store", "false").and(
                    APPLICATION,
                    "order",
                    quoted(&order.to_string()),
                ),
            );
        }
    }
    if commits {
        changes.push(Change::word(APPLICATION, "commit-covers", "next"));
        changes.push(Change::word(
            APPLICATION,
            "on-commit-failure",
            "retry-latest",
        ));
    }
    if order.contains(Step::SaveOffset) {
        changes.push(Change::set(APPLICATION, "seek-on-assign", "true"));
    }
    if order.contains(Step::Remember) {
        changes.push(Change::word(SINK, "dedup", "durable"));
        changes.push(Change::word(SINK, "dedup-insert", "unique"));
        changes.push(Change::word(SINK, "dedup-key", "record"));
    }
    if matches!(pipeline.sink.effect, Effect::External { .. }) {
        changes.push(
            Change::set(SINK, "idempotency-key", "true").where_so("where the provider has them"),
        );
    }
}
