//! The nearest order that can be built: each misplaced part is moved where it may stand.
//!
//! An order is only offered after it has passed every rule itself.

use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::Client;

use super::rules::{Surroundings, beside_each, can_be_built, once_only, speaks_to_kafka};
use super::{Node, items, workers};

/// Each pass may move what an earlier one uncovered; more than these are never needed.
const MAX_PASSES: usize = 6;

/// The nearest order that keeps every rule, if moving and dropping parts is enough.
pub(crate) fn order(nodes: &[Node], around: &Surroundings) -> Option<Order> {
    let mut current = items(nodes);
    for _ in 0..MAX_PASSES {
        current = once(replaced(current, around), &mut Vec::new());
        current = groups(current, around, Inside::default());
        current = one_each(current);
        if around.workers {
            current = workers::rearranged(current);
        }
        // What was moved beside its like is the same step.
        current.dedup();
        let order = Order(current.clone());
        if can_be_built(&order, around) {
            return Some(order);
        }
    }
    None
}

/// Steps that the client or the sink does not have, replaced by what comes nearest.
fn replaced(items: Vec<Item>, around: &Surroundings) -> Vec<Item> {
    let step = |step: Step| match (step, around.client) {
        (Step::StoreOffset, Client::Java) => Some(Step::Commit),
        (Step::StoreOffset, Client::Librdkafka) if around.automatic_store => None,
        (Step::Process, _) if around.topic => Some(Step::Produce),
        (other, Client::Java | Client::Librdkafka) => Some(other),
    };
    items
        .into_iter()
        .filter_map(|item| {
            Some(match item {
                Item::Step(inner) => Item::Step(step(inner)?),
                Item::Each(inner) => Item::Each(replaced(inner, around)),
                Item::Database(inner) => Item::Database(replaced(inner, around)),
                Item::Kafka(inner) => Item::Kafka(replaced(inner, around)),
            })
        })
        .collect()
}

/// Drops steps that may not be repeated.
fn once(items: Vec<Item>, seen: &mut Vec<Step>) -> Vec<Item> {
    let mut kept = Vec::new();
    for item in items {
        match item {
            Item::Step(step) => {
                let same = match step {
                    Step::ProduceAsync => Step::Produce,
                    Step::Process
                    | Step::SkipIfSeen
                    | Step::Remember
                    | Step::Commit
                    | Step::CommitAsync
                    | Step::SaveOffset
                    | Step::StoreOffset
                    | Step::Produce
                    | Step::Flush => step,
                };
                if !(once_only(step) && seen.contains(&same)) {
                    kept.push(item);
                }
                seen.push(same);
            }
            Item::Each(inner) => kept.push(Item::Each(once(inner, seen))),
            Item::Database(inner) => kept.push(Item::Database(once(inner, seen))),
            Item::Kafka(inner) => kept.push(Item::Kafka(once(inner, seen))),
        }
    }
    kept
}

#[derive(Clone, Copy, Default)]
struct Inside {
    each: bool,
    database: bool,
    kafka: bool,
}

/// Dissolves nested groups and moves out of each group what cannot be in it.
fn groups(items: Vec<Item>, around: &Surroundings, inside: Inside) -> Vec<Item> {
    let mut kept = Vec::new();
    for item in items {
        match item {
            Item::Step(_) => kept.push(item),
            Item::Each(inner) => {
                let within = Inside {
                    each: true,
                    ..inside
                };
                let inner = groups(inner, around, within);
                keep(&mut kept, inner, inside.each, Item::Each);
            }
            Item::Database(inner) => {
                let within = Inside {
                    database: true,
                    ..inside
                };
                let inner = groups(inner, around, within);
                let goes = |item: &Item| in_database(item, around);
                kept.extend(taken_apart(inner, inside.database, Item::Database, goes));
            }
            Item::Kafka(inner) => {
                let within = Inside {
                    kafka: true,
                    ..inside
                };
                let inner = groups(inner, around, within);
                let goes = |item: &Item| in_kafka(item, around);
                kept.extend(taken_apart(inner, inside.kafka, Item::Kafka, goes));
            }
        }
    }
    kept
}

fn keep(kept: &mut Vec<Item>, inner: Vec<Item>, dissolve: bool, group: fn(Vec<Item>) -> Item) {
    if dissolve {
        kept.extend(inner);
    } else if !inner.is_empty() {
        kept.push(group(inner));
    }
}

/// Where a part of a group goes.
enum Goes {
    Before,
    Stays,
    After,
    Nowhere,
}

fn in_database(item: &Item, around: &Surroundings) -> Goes {
    match item {
        Item::Step(Step::Process) if around.external => Goes::Before,
        Item::Step(Step::Remember) if !around.dedup_in_database => Goes::After,
        Item::Step(step) if speaks_to_kafka(*step) => Goes::After,
        Item::Kafka(_) => Goes::After,
        Item::Step(_) | Item::Each(_) | Item::Database(_) => Goes::Stays,
    }
}

fn in_kafka(item: &Item, around: &Surroundings) -> Goes {
    match item {
        Item::Step(Step::Process) if around.external => Goes::Before,
        Item::Step(Step::StoreOffset) => Goes::After,
        Item::Step(Step::CommitAsync | Step::Flush) => Goes::Nowhere,
        Item::Step(_) | Item::Each(_) | Item::Database(_) | Item::Kafka(_) => Goes::Stays,
    }
}

/// A group with what cannot be in it before and behind it. A group around an `each` of which
/// something must go out is turned inside out: each record gets a transaction of its own.
fn taken_apart(
    items: Vec<Item>,
    dissolve: bool,
    group: fn(Vec<Item>) -> Item,
    goes: impl Fn(&Item) -> Goes,
) -> Vec<Item> {
    let leaves = |item: &Item| !matches!(goes(item), Goes::Stays);
    let each_leaves = |item: &Item| matches!(item, Item::Each(inner) if inner.iter().any(leaves));
    if items.iter().any(each_leaves) {
        return items
            .into_iter()
            .map(|item| match item {
                Item::Each(inner) => Item::Each(vec![group(inner)]),
                other @ (Item::Step(_) | Item::Database(_) | Item::Kafka(_)) => other,
            })
            .collect();
    }
    let (mut before, mut kept, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match goes(&item) {
            Goes::Before => before.push(item),
            Goes::Stays => kept.push(item),
            Goes::After => after.push(item),
            Goes::Nowhere => {}
        }
    }
    keep(&mut before, kept, dissolve, group);
    before.extend(after);
    before
}

/// Merges what stands beside an `each`, and may not, into it.
fn one_each(items: Vec<Item>) -> Vec<Item> {
    let Some(first) = items.iter().position(has_each) else {
        return items;
    };
    let mut result: Vec<Item> = Vec::new();
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let mut at = 0;
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Item::Step(step) if beside_each(step) => result.push(item),
            item if index == first => {
                at = result.len();
                result.push(item);
            }
            Item::Each(inner) => back.extend(inner),
            item @ (Item::Step(_) | Item::Database(_) | Item::Kafka(_)) if index < first => {
                front.push(item);
            }
            item @ (Item::Step(_) | Item::Database(_) | Item::Kafka(_)) => back.push(item),
        }
    }
    let chosen = absorbed(result.swap_remove(at), front, back);
    result.push(chosen);
    let last = result.len() - 1;
    result.swap(at, last);
    result
}

/// What contains an `each`, with `front` and `back` taken into the `each`.
fn absorbed(item: Item, front: Vec<Item>, back: Vec<Item>) -> Item {
    match item {
        Item::Step(_) => item,
        Item::Each(inner) => Item::Each(front.into_iter().chain(inner).chain(back).collect()),
        Item::Database(inner) => Item::Database(absorbed_inside(inner, front, back)),
        Item::Kafka(inner) => Item::Kafka(absorbed_inside(inner, front, back)),
    }
}

fn absorbed_inside(items: Vec<Item>, mut front: Vec<Item>, mut back: Vec<Item>) -> Vec<Item> {
    one_each(items)
        .into_iter()
        .map(|item| {
            if has_each(&item) {
                absorbed(item, std::mem::take(&mut front), std::mem::take(&mut back))
            } else {
                item
            }
        })
        .collect()
}

fn has_each(item: &Item) -> bool {
    match item {
        Item::Step(_) => false,
        Item::Each(_) => true,
        Item::Database(inner) | Item::Kafka(inner) => inner.iter().any(has_each),
    }
}
