//! What is drawn: a sink, an order, and what happens to them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{Dedup, DedupInsert, DedupKey, Effect, Pipeline, SinkSettings};
use semel_models::set::Set;

use crate::bench;

/// The most records, and the most consumers.
pub const RECORDS: u16 = 6;
pub const CONSUMERS: usize = 2;

/// What happens to the stores.
#[derive(Clone, Debug)]
pub enum Event {
    Run(Call),
    /// A consumer is assigned the partition: it tells its generation and reads the saved offset.
    Take {
        who: usize,
        generation: u16,
    },
    /// The dedup store forgets its oldest entry.
    Forget,
    /// A process dies in the middle of a transaction; the next one opens the database again.
    Crash {
        who: usize,
        record: u16,
    },
}

/// An operation on records.
#[derive(Clone, Debug)]
pub struct Call {
    pub who: usize,
    /// Which operation of the order, modulo their number.
    pub operation: usize,
    pub hand: Vec<u16>,
    pub first: u16,
    pub skipped: u32,
    pub generation: u16,
    /// Whether the look-ups were made before.
    pub looks_ahead: bool,
}

/// What the upstream side is said to have done, as sets of bits.
#[derive(Clone, Debug)]
pub struct Upstream {
    pub sent: Set,
    pub confirmed: Set,
    pub failed: Set,
    pub aborted: Set,
    pub dead_lettered: Set,
    /// With how many of the records right after it each record's transaction overlapped.
    pub overlaps: [u16; RECORDS as usize],
}

pub fn upstream() -> impl Strategy<Value = Upstream> {
    let set = || vec(0..RECORDS, 0..=usize::from(RECORDS)).prop_map(Set::from_iter);
    let draw = (
        set(),
        set(),
        set(),
        set(),
        set(),
        prop::array::uniform6(0..RECORDS),
    );
    draw.prop_map(
        |(sent, confirmed, failed, aborted, dead_lettered, overlaps)| Upstream {
            sent,
            confirmed,
            failed,
            aborted,
            dead_lettered,
            overlaps,
        },
    )
}

/// A pipeline with any sink and an order of steps that reach it.
pub fn pipeline() -> impl Strategy<Value = Pipeline> {
    (sink(), vec(item(), 1..4), 1..=3u16).prop_map(|(sink, items, keys)| {
        let mut pipeline = bench::pipeline();
        pipeline.sink = sink;
        pipeline.consumer.order = Order(items);
        pipeline.bounds.keys = keys;
        pipeline
    })
}

fn sink() -> impl Strategy<Value = SinkSettings> {
    let effects = [
        Effect::Add,
        Effect::Upsert,
        Effect::Upsert,
        Effect::External {
            idempotency_key: true,
        },
        Effect::External {
            idempotency_key: false,
        },
    ];
    let dedups = [
        Dedup::Durable,
        Dedup::Durable,
        Dedup::Separate,
        Dedup::Memory,
    ];
    let draw = (
        select(effects.to_vec()),
        select(dedups.to_vec()),
        select(&[DedupInsert::Unique, DedupInsert::Plain][..]),
        select(&[DedupKey::Record, DedupKey::Offset][..]),
        option::of(1..=3u16),
        any::<bool>(),
        any::<bool>(),
    );
    draw.prop_map(
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

fn step() -> impl Strategy<Value = Item> {
    let steps = [
        Step::Process,
        Step::Process,
        Step::SkipIfSeen,
        Step::Remember,
        Step::Remember,
        Step::SaveOffset,
        Step::CommitAsync,
    ];
    select(steps.to_vec()).prop_map(Item::Step)
}

fn item() -> impl Strategy<Value = Item> {
    let steps = || vec(step(), 1..5);
    let database = || steps().prop_map(Item::Database);
    let whole_poll =
        (steps(), step()).prop_map(|(inner, last)| Item::Database(vec![Item::Each(inner), last]));
    prop_oneof![
        2 => step(),
        3 => database(),
        1 => database().prop_map(|database| Item::Each(vec![database])),
        2 => whole_poll,
    ]
}

pub fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = || 0..CONSUMERS;
    let call = (
        who(),
        0..4usize,
        vec(0..RECORDS, 1..4),
        0..8u16,
        prop_oneof![3 => Just(0), 1 => 0..8u32],
        0..4u16,
        any::<bool>(),
    );
    let call = call.prop_map(
        |(who, operation, hand, first, skipped, generation, looks_ahead)| {
            Event::Run(Call {
                who,
                operation,
                hand,
                first,
                skipped,
                generation,
                looks_ahead,
            })
        },
    );
    let take = (who(), 0..4u16).prop_map(|(who, generation)| Event::Take { who, generation });
    let crash = (who(), 0..RECORDS).prop_map(|(who, record)| Event::Crash { who, record });
    vec(
        prop_oneof![8 => call, 2 => take, 1 => Just(Event::Forget), 1 => crash],
        1..16,
    )
}
