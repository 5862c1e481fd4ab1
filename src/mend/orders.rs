//! Orders near that of a design.

use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{Dedup, Effect, Pipeline};

/// Orders near `own`, the design's as its file may state it: two neighbours exchanged, the effect joined in one transaction with
/// what should be atomic with it, or results that are waited for.
pub(super) fn near(own: &Order, pipeline: &Pipeline) -> Vec<Order> {
    let items = &own.0;
    let mut orders = Vec::new();
    let mut add = |items: Vec<Item>| {
        let order = Order(items);
        if order != *own && !orders.contains(&order) {
            orders.push(order);
        }
    };
    exchanged(items).into_iter().for_each(&mut add);
    commit_in_transaction(items).into_iter().for_each(&mut add);
    database_in_transaction(items)
        .into_iter()
        .for_each(&mut add);
    if own.contains(Step::ProduceAsync) {
        flushed(items).into_iter().for_each(&mut add);
        add(waited_for(items));
    }
    match pipeline.sink.effect {
        Effect::External { .. } => {}
        Effect::Add | Effect::Upsert | Effect::Topic => {
            if pipeline.sink.dedup == Dedup::Durable {
                add(with_transaction(items, Step::Remember));
            }
            add(with_transaction(items, Step::SaveOffset));
        }
    }
    orders
}

/// The order with `step` behind everything else; `None` where it has it, or where there is no place
/// for it: beside an `each` nothing is stored.
pub(super) fn followed_by(order: &Order, step: Step) -> Option<Order> {
    let has_each = order.0.iter().any(|item| matches!(item, Item::Each(_)));
    if order.contains(step) || step == Step::StoreOffset && has_each {
        return None;
    }
    let mut items = order.0.clone();
    items.push(Item::Step(step));
    Some(Order(items))
}

/// Every list that `change` makes of `items`, or of one of the groups in them.
fn in_any_group(items: &[Item], change: &dyn Fn(&[Item]) -> Vec<Vec<Item>>) -> Vec<Vec<Item>> {
    let mut lists = change(items);
    for (index, item) in items.iter().enumerate() {
        let (inner, group): (_, fn(Vec<Item>) -> Item) = match item {
            // Within a database transaction what comes first makes no difference.
            Item::Step(_) | Item::Database(_) => continue,
            Item::Each(inner) => (inner, Item::Each),
            Item::Kafka(inner) => (inner, Item::Kafka),
        };
        for changed in in_any_group(inner, change) {
            let mut list = items.to_vec();
            list[index] = group(changed);
            lists.push(list);
        }
    }
    lists
}

/// Two neighbours exchanged.
fn exchanged(items: &[Item]) -> Vec<Vec<Item>> {
    in_any_group(items, &|items| {
        let swap = |first: usize| {
            let mut swapped = items.to_vec();
            swapped.swap(first - 1, first);
            swapped
        };
        (1..items.len()).map(swap).collect()
    })
}

/// The commit inside the Kafka transaction that stands beside it.
fn commit_in_transaction(items: &[Item]) -> Vec<Vec<Item>> {
    let is_commit = |item: &Item| *item == Item::Step(Step::Commit);
    let transaction = items.iter().any(|item| matches!(item, Item::Kafka(_)));
    let Some(commit) = items.iter().position(is_commit).filter(|_| transaction) else {
        return Vec::new();
    };
    let mut joined = items.to_vec();
    joined.remove(commit);
    for item in &mut joined {
        if let Item::Kafka(inner) = item
            && !inner.iter().any(is_commit)
        {
            inner.push(Item::Step(Step::Commit));
        }
    }
    vec![joined]
}

/// The database transaction behind the results of the Kafka transaction that stands beside it: it
/// commits first, and what it remembers then keeps no result out.
fn database_in_transaction(items: &[Item]) -> Vec<Vec<Item>> {
    in_any_group(items, &|items| {
        let is_database = |item: &Item| matches!(item, Item::Database(_));
        let is_commit = |item: &Item| *item == Item::Step(Step::Commit);
        let mut joined = items.to_vec();
        let Some(database) = joined.iter().position(is_database) else {
            return Vec::new();
        };
        let database = joined.remove(database);
        let inner = joined.iter_mut().find_map(|item| match item {
            Item::Kafka(inner) => Some(inner),
            Item::Step(_) | Item::Each(_) | Item::Database(_) => None,
        });
        let Some(inner) = inner else {
            return Vec::new();
        };
        let at = inner.iter().position(is_commit).unwrap_or(inner.len());
        inner.insert(at, database);
        vec![joined]
    })
}

/// A `flush` before what commits.
fn flushed(items: &[Item]) -> Vec<Vec<Item>> {
    in_any_group(items, &|items| {
        let commits = |item: &Item| {
            matches!(
                item,
                Item::Step(Step::Commit | Step::CommitAsync | Step::StoreOffset | Step::SaveOffset)
            )
        };
        let insert = |index: usize| {
            let mut list = items.to_vec();
            list.insert(index, Item::Step(Step::Flush));
            list
        };
        let first = items.iter().position(commits).filter(|index| *index > 0);
        first.map(insert).into_iter().collect()
    })
}

/// `produce` in place of `produce-async`.
fn waited_for(items: &[Item]) -> Vec<Item> {
    items
        .iter()
        .map(|item| match item {
            Item::Step(Step::ProduceAsync) => Item::Step(Step::Produce),
            Item::Step(_) | Item::Database(_) => item.clone(),
            Item::Each(inner) => Item::Each(waited_for(inner)),
            Item::Kafka(inner) => Item::Kafka(waited_for(inner)),
        })
        .collect()
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
