//! Random consumers, groups and sinks; what contradicts itself is mended.

use super::output;
use proptest::prelude::*;
use proptest::sample::select;
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::*;

fn step(step: Step) -> Item {
    Item::Step(step)
}

fn transaction(steps: &[Step]) -> Item {
    Item::Database(steps.iter().copied().map(step).collect())
}

/// Orders that the poll loop runs.
fn orders() -> Vec<Order> {
    use Step::*;
    let plain = |steps: &[Step]| Order(steps.iter().copied().map(step).collect());
    let each = |steps: &[Step]| Item::Each(steps.iter().copied().map(step).collect());
    vec![
        plain(&[Process, Commit]),
        plain(&[Commit, Process]),
        plain(&[Process]),
        plain(&[CommitAsync, Process, SaveOffset]),
        plain(&[SkipIfSeen, Process, Remember, Commit]),
        plain(&[Remember, Process, Commit, CommitAsync]),
        plain(&[SaveOffset, SkipIfSeen, Process, Remember, StoreOffset]),
        Order(vec![
            step(SkipIfSeen),
            transaction(&[Process, Remember]),
            step(CommitAsync),
        ]),
        Order(vec![
            transaction(&[SkipIfSeen, Process, Remember]),
            step(Commit),
        ]),
        Order(vec![transaction(&[Process, SaveOffset])]),
        Order(vec![
            transaction(&[Process, Remember, SaveOffset]),
            step(Commit),
        ]),
        Order(vec![each(&[Process, StoreOffset]), step(Commit)]),
        Order(vec![
            each(&[SkipIfSeen, Process, Remember]),
            step(SaveOffset),
            step(Commit),
        ]),
        Order(vec![Item::Database(vec![
            each(&[Process, Remember]),
            step(SaveOffset),
        ])]),
    ]
    .into_iter()
    .chain(output::orders())
    .collect()
}

/// Orders of workers: the loop commits what they have done.
fn orders_of_workers() -> Vec<Order> {
    use Step::*;
    let plain = |steps: &[Step]| Order(steps.iter().copied().map(step).collect());
    vec![
        plain(&[Process, Commit]),
        plain(&[Process, CommitAsync]),
        plain(&[SkipIfSeen, Process, Remember, StoreOffset]),
        plain(&[SkipIfSeen, Process, Remember, Commit]),
        Order(vec![
            transaction(&[SkipIfSeen, Process, Remember]),
            step(Commit),
        ]),
        Order(vec![transaction(&[Process, SaveOffset])]),
        Order(vec![
            step(SkipIfSeen),
            transaction(&[Process, Remember, SaveOffset]),
            step(CommitAsync),
        ]),
    ]
}

fn failures() -> impl Strategy<Value = OnProcessFailure> {
    let then = select(vec![
        AfterAttempts::Stop,
        AfterAttempts::Close,
        AfterAttempts::Skip,
        AfterAttempts::DeadLetter(DeadLetterOrder::WriteCommit),
        AfterAttempts::DeadLetter(DeadLetterOrder::CommitWrite),
        AfterAttempts::RetryTopic,
        AfterAttempts::Block,
    ]);
    (1..=3u16, then).prop_map(|(attempts, then)| OnProcessFailure { attempts, then })
}

fn commits() -> impl Strategy<Value = (AutoCommit, CommitCovers, OnCommitFailure)> {
    let background = |automatic_store| AutoCommit::Background { automatic_store };
    let auto = select(vec![
        AutoCommit::Off,
        AutoCommit::AtPoll,
        background(true),
        background(false),
    ]);
    let covers = select(vec![
        CommitCovers::Next,
        CommitCovers::Last,
        CommitCovers::Position,
        CommitCovers::Contiguous,
        CommitCovers::Highest,
    ]);
    let failure = select(vec![
        OnCommitFailure::RetryLatest,
        OnCommitFailure::RetrySaved,
        OnCommitFailure::Ignore,
    ]);
    (auto, covers, failure)
}

/// Consumers whose settings fit together.
pub fn consumers() -> impl Strategy<Value = ConsumerSettings> {
    let reset = select(vec![
        OffsetReset::Earliest,
        OffsetReset::Latest,
        OffsetReset::None,
    ]);
    let callback = || {
        select(vec![
            OnRevoke::Nothing,
            OnRevoke::Commit,
            OnRevoke::DropBuffered,
        ])
    };
    (
        reset,
        commits(),
        (select(orders()), select(orders_of_workers())),
        any::<bool>(),
        select(vec![0, 0, 1, 2u16]),
        (callback(), callback()),
        failures(),
        output::outputs(),
    )
        .prop_map(
            |(reset, commits, orders, seeks, workers, callbacks, failure, output)| {
                let mut consumer = ConsumerSettings {
                    offset_reset: reset,
                    isolation: Isolation::ReadUncommitted,
                    auto_commit: commits.0,
                    order: if workers == 0 { orders.0 } else { orders.1 },
                    commit_covers: commits.1,
                    on_commit_failure: commits.2,
                    seek_on_assign: seeks,
                    workers,
                    on_revoke: callbacks.0,
                    on_lost: callbacks.1,
                    on_process_failure: failure,
                    output,
                };
                fit(&mut consumer);
                consumer
            },
        )
}

/// Takes away what the design reader refuses.
fn fit(consumer: &mut ConsumerSettings) {
    let by_workers = matches!(
        consumer.commit_covers,
        CommitCovers::Contiguous | CommitCovers::Highest
    );
    if consumer.workers == 0 && by_workers {
        consumer.commit_covers = CommitCovers::Next;
    } else if consumer.workers > 1 && !by_workers {
        consumer.commit_covers = CommitCovers::Position;
    }
    for callback in [&mut consumer.on_revoke, &mut consumer.on_lost] {
        if consumer.workers == 0 && *callback == OnRevoke::DropBuffered {
            *callback = OnRevoke::Nothing;
        }
    }
    let then = &mut consumer.on_process_failure.then;
    match *then {
        AfterAttempts::DeadLetter(DeadLetterOrder::CommitWrite) if consumer.workers > 0 => {
            *then = AfterAttempts::DeadLetter(DeadLetterOrder::WriteCommit);
        }
        AfterAttempts::RetryTopic => {
            consumer.workers = 0;
            consumer.order = orders().swap_remove(0);
            consumer.auto_commit = AutoCommit::Off;
            consumer.commit_covers = CommitCovers::Next;
            consumer.on_commit_failure = OnCommitFailure::RetryLatest;
        }
        _ => {}
    }
}

/// Groups of one or two consumers, by every protocol.
pub fn groups() -> impl Strategy<Value = GroupSettings> {
    let protocol = select(vec![
        GroupProtocol::Eager,
        GroupProtocol::Cooperative,
        GroupProtocol::Consumer,
    ]);
    (
        1..=2u16,
        prop::bool::weighted(0.85),
        protocol,
        any::<[bool; 4]>(),
    )
        .prop_map(
            |(instances, subscribes, protocol, [sticky, member, revokes, rejoins])| GroupSettings {
                instances,
                assignment: match subscribes {
                    true => Assignment::Subscribe,
                    false => Assignment::Assign,
                },
                protocol,
                sticky: sticky || protocol == GroupProtocol::Cooperative,
                static_membership: member && subscribes,
                revokes_in_background: revokes && subscribes,
                rejoins_in_background: rejoins && subscribes,
            },
        )
}

pub fn sinks() -> impl Strategy<Value = SinkSettings> {
    let effect = select(vec![
        Effect::Add,
        Effect::Upsert,
        Effect::External {
            idempotency_key: true,
        },
        Effect::External {
            idempotency_key: false,
        },
    ]);
    let dedup = select(vec![Dedup::Durable, Dedup::Separate, Dedup::Memory]);
    let insert = select(vec![DedupInsert::Unique, DedupInsert::Plain]);
    let key = select(vec![DedupKey::Record, DedupKey::Offset]);
    let window = prop::option::of(1..=2u16);
    (
        effect,
        dedup,
        insert,
        key,
        window,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(effect, dedup, dedup_insert, dedup_key, dedup_window, fencing, version_guard)| {
                SinkSettings {
                    effect,
                    dedup,
                    dedup_insert,
                    dedup_key,
                    dedup_window,
                    fencing,
                    version_guard,
                }
            },
        )
}
