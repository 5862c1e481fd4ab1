//! The single changes that can be made to a pipeline.

mod output;

use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{
    Acks, AfterAttempts, AutoCommit, Client, CommitCovers, ConfirmOn, DeadLetterOrder, Dedup,
    DedupInsert, DedupKey, Effect, Isolation, OffsetReset, OnCommitFailure, OnRestart, OnRevoke,
    OnSendFailure, OutboxCursor, OutboxOrder, Pipeline, Source,
};
use semel_models::transaction_coordinator::TransactionRules;

/// The most requests in flight that an idempotent producer may have.
const MAX_IDEMPOTENT_IN_FLIGHT: u32 = 5;

/// A changed pipeline, and the change in words.
pub(super) struct Change {
    pub text: String,
    pub pipeline: Pipeline,
}

/// Every single change that applies to `pipeline`.
pub(super) fn of(pipeline: &Pipeline) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |text: &str, change: &dyn Fn(&mut Pipeline)| {
        let mut changed = pipeline.clone();
        change(&mut changed);
        if changed != *pipeline {
            changes.push(Change {
                text: text.into(),
                pipeline: changed,
            });
        }
    };
    producer_changes(pipeline, &mut add);
    source_changes(pipeline, &mut add);
    consumer_changes(pipeline, &mut add);
    group_changes(pipeline, &mut add);
    output::changes(pipeline, &mut add);
    for order in orders(pipeline) {
        let text = format!("[application] order = \"{order}\"");
        add(&text, &|pipeline| pipeline.consumer.order = order.clone());
    }
    changes
}

type Add<'a> = dyn FnMut(&str, &dyn Fn(&mut Pipeline)) + 'a;

fn producer_changes(pipeline: &Pipeline, add: &mut Add<'_>) {
    add("[producer] acks = \"all\"", &|pipeline| {
        pipeline.producer.acks = Acks::All
    });
    add(&idempotence_in_words(pipeline), &|pipeline| {
        let producer = &mut pipeline.producer;
        if !producer.idempotence {
            producer.idempotence = true;
            producer.acks = Acks::All;
            producer.max_in_flight = producer.max_in_flight.min(MAX_IDEMPOTENT_IN_FLIGHT);
            if producer.retries == 0 {
                producer.retries = pipeline.bounds.retries;
                producer.retries_are_capped = true;
            }
        }
    });
    add(
        "[producer] max.in.flight.requests.per.connection = 1",
        &|pipeline| {
            pipeline.producer.max_in_flight = 1;
        },
    );
    add("[producer] retries left at its default", &|pipeline| {
        if !pipeline.producer.retries_are_capped && pipeline.producer.retries == 0 {
            pipeline.producer.retries = pipeline.bounds.retries;
            pipeline.producer.retries_are_capped = true;
        }
    });
    // Where a row of a database confirms a record, this would only promise less.
    if pipeline.producer.source == Source::Memory {
        add("[application] confirm-on = \"ack\"", &|pipeline| {
            pipeline.producer.confirm_on = ConfirmOn::Ack;
        });
    }
    add("[application] on-restart = \"forget\"", &|pipeline| {
        pipeline.producer.on_restart = OnRestart::Forget;
    });
    add("[application] on-send-failure = \"give-up\"", &|pipeline| {
        if pipeline.producer.on_send_failure == OnSendFailure::Resend {
            pipeline.producer.on_send_failure = OnSendFailure::GiveUp;
        }
    });
    add("[topic] replication.factor = 3", &|pipeline| {
        if pipeline.is_replicated() {
            pipeline.topic.replication.replicas = 3;
        }
    });
    add("[topic] min.insync.replicas = 2", &|pipeline| {
        let replication = &mut pipeline.topic.replication;
        if replication.replicas >= 2 && replication.min_in_sync == 1 {
            replication.min_in_sync = 2;
        }
    });
    add(
        "[topic] unclean.leader.election.enable = false",
        &|pipeline| {
            pipeline.topic.replication.unclean_leader_election = false;
        },
    );
    add("[topic] flush.messages = 1", &|pipeline| {
        pipeline.topic.flush_messages = Some(1)
    });
}

fn source_changes(pipeline: &Pipeline, add: &mut Add<'_>) {
    match pipeline.producer.source {
        Source::Memory => {}
        Source::Transaction { .. } => transaction_changes(add),
        Source::Outbox { order, cursor } => {
            add(
                "[application] outbox-order = \"publish -> mark\"",
                &|pipeline| {
                    let order = OutboxOrder::PublishMark;
                    pipeline.producer.source = Source::Outbox { order, cursor };
                },
            );
            add("[application] outbox-cursor = \"status\"", &|pipeline| {
                let cursor = OutboxCursor::Status;
                pipeline.producer.source = Source::Outbox { order, cursor };
            });
        }
        Source::DualWrite(_) => add("[application] source = \"outbox\"", &|pipeline| {
            pipeline.producer.source = Source::Outbox {
                order: OutboxOrder::PublishMark,
                cursor: OutboxCursor::Status,
            };
            pipeline.producer.on_restart = OnRestart::Forget;
        }),
    }
}

fn transaction_changes(add: &mut Add<'_>) {
    add(
        "[consumer] isolation.level = \"read_committed\"",
        &|pipeline| {
            pipeline.consumer.isolation = Isolation::ReadCommitted;
        },
    );
    add(
        "[application] on-restart = \"resend-unconfirmed\"",
        &|pipeline| {
            pipeline.producer.on_restart = OnRestart::ResendUnconfirmed;
        },
    );
    add(
        "[broker] transaction.partition.verification.enable = true, with brokers from 3.6",
        &|pipeline| pipeline.rules.transactions.verifies = true,
    );
    add(
        "[broker] transaction.version = 2, with brokers and Java clients from 4.0",
        &|pipeline| {
            if pipeline.client == Client::Java {
                pipeline.rules.transactions = TransactionRules::CURRENT;
            }
        },
    );
}

fn group_changes(pipeline: &Pipeline, add: &mut Add<'_>) {
    let settings = &pipeline.consumer;
    if settings.workers > 0 {
        add(
            "[application] commit-covers = \"contiguous\"",
            &|pipeline| {
                pipeline.consumer.commit_covers = CommitCovers::Contiguous;
            },
        );
        add("[application] workers = 0", &|pipeline| {
            pipeline.consumer.workers = 0;
            pipeline.consumer.commit_covers = CommitCovers::Next;
        });
    }
    add("[application] on-revoke = \"commit\"", &|pipeline| {
        pipeline.consumer.on_revoke = OnRevoke::Commit;
    });
    let letters = AfterAttempts::DeadLetter(DeadLetterOrder::WriteCommit);
    let in_words = match settings.on_process_failure.then {
        AfterAttempts::DeadLetter(_) => "[application] dead-letter-order = \"write -> commit\"",
        AfterAttempts::Stop
        | AfterAttempts::Close
        | AfterAttempts::Skip
        | AfterAttempts::RetryTopic
        | AfterAttempts::Block => "[application] on-process-failure = { then = \"dead-letter\" }",
    };
    add(in_words, &|pipeline| {
        let then = &mut pipeline.consumer.on_process_failure.then;
        if *then != AfterAttempts::Stop {
            *then = letters;
        }
    });
    if pipeline.group.instances > 1 {
        add("[sink] fencing = true", &|pipeline| {
            pipeline.sink.fencing = true;
        });
    }
    add("[sink] version-guard = true", &|pipeline| {
        pipeline.sink.version_guard = true;
    });
}

/// Idempotence, and every setting that the client then refuses.
fn idempotence_in_words(pipeline: &Pipeline) -> String {
    let producer = &pipeline.producer;
    let mut words = "[producer] enable.idempotence = true".to_string();
    if producer.acks != Acks::All {
        words += ", acks = \"all\"";
    }
    if producer.retries == 0 {
        words += ", retries left at its default";
    }
    if producer.max_in_flight > MAX_IDEMPOTENT_IN_FLIGHT {
        words += ", max.in.flight.requests.per.connection = 5";
    }
    words
}

fn consumer_changes(pipeline: &Pipeline, add: &mut Add<'_>) {
    add("[consumer] auto.offset.reset = \"earliest\"", &|pipeline| {
        pipeline.consumer.offset_reset = OffsetReset::Earliest;
    });
    let order = &pipeline.consumer.order;
    let commits = order.contains(Step::Commit) || order.contains(Step::CommitAsync);
    if commits || order.contains(Step::SaveOffset) {
        add("[consumer] enable.auto.commit = false", &|pipeline| {
            pipeline.consumer.auto_commit = AutoCommit::Off;
        });
    }
    for step in [Step::Commit, Step::StoreOffset] {
        if let Some((text, order)) = committing(pipeline, step) {
            add(&text, &|pipeline| {
                pipeline.consumer.order = order.clone();
                pipeline.consumer.auto_commit = match step {
                    Step::StoreOffset => AutoCommit::Background {
                        automatic_store: false,
                    },
                    _ => AutoCommit::Off,
                };
            });
        }
    }
    if commits {
        add("[application] commit-covers = \"next\"", &|pipeline| {
            pipeline.consumer.commit_covers = CommitCovers::Next;
        });
        add(
            "[application] on-commit-failure = \"retry-latest\"",
            &|pipeline| {
                pipeline.consumer.on_commit_failure = OnCommitFailure::RetryLatest;
            },
        );
    }
    if order.contains(Step::SaveOffset) {
        add("[application] seek-on-assign = true", &|pipeline| {
            pipeline.consumer.seek_on_assign = true;
        });
    }
    if order.contains(Step::Remember) {
        add("[sink] dedup = \"durable\"", &|pipeline| {
            pipeline.sink.dedup = Dedup::Durable
        });
        add("[sink] dedup-insert = \"unique\"", &|pipeline| {
            pipeline.sink.dedup_insert = DedupInsert::Unique;
        });
        add("[sink] dedup-key = \"record\"", &|pipeline| {
            pipeline.sink.dedup_key = DedupKey::Record;
        });
    }
    add(
        "[sink] idempotency-key = true, where the provider has them",
        &|pipeline| {
            if let Effect::External { idempotency_key } = &mut pipeline.sink.effect {
                *idempotency_key = true;
            }
        },
    );
}

/// In place of an automatic commit: the order with a commit, or with librdkafka a stored offset,
/// after everything else.
fn committing(pipeline: &Pipeline, step: Step) -> Option<(String, Order)> {
    let settings = match (pipeline.consumer.auto_commit, step) {
        (AutoCommit::Off, _) => return None,
        (AutoCommit::Background { .. }, Step::StoreOffset) => "enable.auto.offset.store = false",
        (_, Step::StoreOffset) => return None,
        (AutoCommit::AtPoll | AutoCommit::Background { .. }, _) => "enable.auto.commit = false",
    };
    let mut order = pipeline.consumer.order.clone();
    // Beside an `each` there is no place for a stored offset.
    let has_each = order.0.iter().any(|item| matches!(item, Item::Each(_)));
    if order.contains(step) || step == Step::StoreOffset && has_each {
        return None;
    }
    order.0.push(Item::Step(step));
    let text = format!("[consumer] {settings}, [application] order = \"{order}\"");
    Some((text, order))
}

/// Orders near the pipeline's: two neighbours exchanged, or the effect joined in one database
/// transaction with what should be atomic with it.
fn orders(pipeline: &Pipeline) -> Vec<Order> {
    let items = &pipeline.consumer.order.0;
    let mut orders = Vec::new();
    let mut add = |items: Vec<Item>| {
        let order = Order(items);
        if order != pipeline.consumer.order && !orders.contains(&order) {
            orders.push(order);
        }
    };
    for first in 1..items.len() {
        let mut swapped = items.clone();
        swapped.swap(first - 1, first);
        add(swapped);
    }
    for items in output::orders(items) {
        add(items);
    }
    let is_database = !matches!(pipeline.sink.effect, Effect::External { .. });
    if is_database {
        if pipeline.sink.dedup == Dedup::Durable {
            add(with_transaction(items, Step::Remember));
        }
        add(with_transaction(items, Step::SaveOffset));
    }
    orders
}

/// The order with `process` and `companion` in one transaction where `process` stands.
fn with_transaction(items: &[Item], companion: Step) -> Vec<Item> {
    let mut joined = Vec::new();
    for item in items {
        match item {
            Item::Step(Step::Process) => joined.push(Item::Database(vec![
                Item::Step(Step::Process),
                Item::Step(companion),
            ])),
            Item::Step(step) if *step == companion => {}
            Item::Each(inner) => joined.push(Item::Each(with_transaction(inner, companion))),
            Item::Step(_) | Item::Database(_) | Item::Kafka(_) => joined.push(item.clone()),
        }
    }
    joined
}
