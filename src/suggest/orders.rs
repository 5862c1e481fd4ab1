//! Every order that could stand in a design.
//!
//! Of orders that do the same one is listed: in a database transaction the statements have no
//! sequence but that a look-up comes first; a look-up needs a `remember`, and an effect behind it; a
//! transaction of a single statement is that statement; in a Kafka transaction the offsets come last. What the order language refuses is not known
//! here: whoever tries an order reads the design that has it.

use std::collections::HashSet;

use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{Client, Effect, Pipeline};

/// Every order of at most `most` steps that has the effects of `pipeline`, in a fixed sequence.
pub(super) fn every(pipeline: &Pipeline, most: usize) -> Vec<Order> {
    let mut lists = Vec::new();
    sequences(&vocabulary(pipeline), most, &mut Vec::new(), &mut lists);
    let polls_several = pipeline.bounds.poll > 1;
    let mut seen = HashSet::new();
    let mut orders = Vec::new();
    for steps in lists.iter().filter(|steps| is_sensible(steps, pipeline)) {
        for items in grouped(steps) {
            let mut variants = vec![items.clone()];
            if polls_several {
                variants.extend(per_record(&items));
            }
            let new = variants.into_iter().map(Order);
            orders.extend(new.filter(|order| seen.insert(order.clone())));
        }
    }
    orders
}

/// The steps that can have a meaning beside the effects of `pipeline`.
fn vocabulary(pipeline: &Pipeline) -> Vec<Step> {
    let means = |step: &Step| match step {
        Step::Process | Step::Remember | Step::SkipIfSeen => {
            pipeline.consumer.order.contains(Step::Process)
        }
        // A provider outside keeps nobody's offsets.
        Step::SaveOffset => {
            let is_outside = matches!(pipeline.sink.effect, Effect::External { .. });
            let order = &pipeline.consumer.order;
            order.contains(Step::SaveOffset) || order.contains(Step::Process) && !is_outside
        }
        Step::Produce | Step::ProduceAsync | Step::Flush => pipeline.consumer.produces(),
        Step::StoreOffset => pipeline.client == Client::Librdkafka,
        Step::Commit | Step::CommitAsync => true,
    };
    Step::ALL.into_iter().filter(means).collect()
}

/// Every sequence of at most `most` different steps.
fn sequences(from: &[Step], most: usize, steps: &mut Vec<Step>, lists: &mut Vec<Vec<Step>>) {
    if steps.len() == most {
        return;
    }
    for step in from {
        if !steps.contains(step) && !steps.iter().any(|other| is_instead(*step, *other)) {
            steps.push(*step);
            lists.push(steps.clone());
            sequences(from, most, steps, lists);
            steps.pop();
        }
    }
}

/// Whether two steps do the same in two ways.
fn is_instead(one: Step, other: Step) -> bool {
    const WAYS: [[Step; 2]; 4] = [
        [Step::Produce, Step::ProduceAsync],
        [Step::Commit, Step::CommitAsync],
        [Step::Commit, Step::StoreOffset],
        [Step::CommitAsync, Step::StoreOffset],
    ];
    WAYS.iter()
        .any(|way| way.contains(&one) && way.contains(&other))
}

/// Whether it has every effect, and no step that does nothing.
fn is_sensible(steps: &[Step], pipeline: &Pipeline) -> bool {
    let at = |step: Step| steps.iter().position(|own| *own == step);
    let is_effect =
        |step: &Step| matches!(step, Step::Process | Step::Produce | Step::ProduceAsync);
    let processes = at(Step::Process).is_some() == pipeline.consumer.order.contains(Step::Process);
    let results = at(Step::Produce).or(at(Step::ProduceAsync));
    let produces = results.is_some() == pipeline.consumer.produces();
    let looks_up = at(Step::SkipIfSeen).is_none_or(|look| {
        at(Step::Remember).is_some() && steps[..look].iter().all(|step| !is_effect(step))
    });
    let flushes = at(Step::Flush)
        .is_none_or(|flush| at(Step::ProduceAsync).is_some_and(|produce| produce < flush));
    processes && produces && looks_up && flushes
}

/// The steps with every choice of one database transaction and one Kafka transaction, or none.
fn grouped(steps: &[Step]) -> Vec<Vec<Item>> {
    let plain: Vec<Item> = steps.iter().copied().map(Item::Step).collect();
    let mut lists = vec![plain.clone()];
    lists.extend(in_database(&plain));
    for items in lists.clone() {
        lists.extend(in_kafka(&items));
    }
    lists
}

fn in_database(items: &[Item]) -> Vec<Vec<Item>> {
    let statement = |item: &Item| {
        let statements = [
            Step::SkipIfSeen,
            Step::Process,
            Step::Remember,
            Step::SaveOffset,
        ];
        statements
            .iter()
            .position(|step| *item == Item::Step(*step))
    };
    within(items, 2, &|inner| {
        if inner.iter().any(|item| statement(item).is_none()) {
            return None;
        }
        let mut inner = inner.to_vec();
        inner.sort_by_key(statement);
        Some(Item::Database(inner))
    })
}

/// A Kafka transaction is there for what is written to Kafka.
fn in_kafka(items: &[Item]) -> Vec<Vec<Item>> {
    let writes = |item: &Item| {
        matches!(
            item,
            Item::Step(Step::Produce | Step::ProduceAsync | Step::Commit)
        )
    };
    let is_result = |item: &Item| matches!(item, Item::Step(Step::Produce | Step::ProduceAsync));
    let belongs = |item: &Item| match item {
        Item::Database(_) => true,
        Item::Step(Step::Flush | Step::Process | Step::Remember) => true,
        item => writes(item),
    };
    within(items, 1, &|inner| {
        // All of it happens at its end: where the offsets stand in it makes no difference.
        let commit = inner
            .iter()
            .position(|item| *item == Item::Step(Step::Commit));
        let is_last = commit.is_none_or(|commit| commit + 1 == inner.len());
        let useful = is_last && inner.iter().any(is_result) && inner.iter().all(belongs);
        useful.then(|| Item::Kafka(inner.to_vec()))
    })
}

/// `items` with every run of at least `least` of them that `group` makes one of.
fn within(items: &[Item], least: usize, group: &dyn Fn(&[Item]) -> Option<Item>) -> Vec<Vec<Item>> {
    let mut lists = Vec::new();
    for start in 0..items.len() {
        for end in start + least..=items.len() {
            if let Some(grouped) = group(&items[start..end]) {
                let mut list = items[..start].to_vec();
                list.push(grouped);
                list.extend_from_slice(&items[end..]);
                lists.push(list);
            }
        }
    }
    lists
}

/// The same with what concerns single records done for each record of a poll, and the rest once per
/// poll: beside all the rest, or in one transaction with it.
fn per_record(items: &[Item]) -> Vec<Vec<Item>> {
    let mut lists = split(items);
    if let [group] = items {
        let (inner, of): (_, fn(Vec<Item>) -> Item) = match group {
            Item::Database(inner) => (inner, Item::Database),
            Item::Kafka(inner) => (inner, Item::Kafka),
            Item::Step(_) | Item::Each(_) => return lists,
        };
        lists.extend(split(inner).into_iter().map(|list| vec![of(list)]));
        lists.push(vec![of(vec![Item::Each(inner.clone())])]);
    }
    lists
}

fn split(items: &[Item]) -> Vec<Vec<Item>> {
    let is_per_poll = |item: &Item| {
        matches!(
            item,
            Item::Step(Step::Commit | Step::CommitAsync | Step::SaveOffset | Step::Flush)
        )
    };
    let first = items.len()
        - items
            .iter()
            .rev()
            .take_while(|item| is_per_poll(item))
            .count();
    let cut = |at: usize| {
        let mut list = vec![Item::Each(items[..at].to_vec())];
        list.extend_from_slice(&items[at..]);
        list
    };
    (first.max(1)..items.len()).map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    fn orders(preset: &str, most: usize) -> Vec<String> {
        let preset = presets::named(preset).expect("a preset");
        let design = presets::design(preset).expect("it can be read");
        let orders = every(design.pipeline(), most);
        orders.iter().map(Order::to_string).collect()
    }

    #[test]
    fn each_way_to_order_two_steps_is_there_once() {
        let expected = [
            "process",
            "process -> remember",
            "db[process, remember]",
            "process -> commit",
            "process -> commit-async",
            "process -> save-offset",
            "db[process, save-offset]",
            "remember -> process",
            "commit -> process",
            "commit-async -> process",
            "save-offset -> process",
        ];
        let mut found: Vec<_> = orders("at-least-once", 2);
        found.retain(|order| !order.contains("each"));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_orders_that_people_build_are_among_them() {
        let found = orders("at-least-once", 4);
        for order in [
            "skip-if-seen -> db[process, remember] -> commit",
            "skip-if-seen -> process -> remember -> commit",
            "each(db[process, remember]) -> commit",
            "db[each(process), save-offset]",
        ] {
            assert!(found.iter().any(|own| own == order), "{order}\n{found:#?}");
        }
        let found = orders("exactly-once-topic-to-topic", 3);
        for order in [
            "kafka[produce, commit]",
            "kafka[each(produce), commit]",
            "kafka[produce] -> commit",
            "produce-async -> flush -> commit",
        ] {
            assert!(found.iter().any(|own| own == order), "{order}\n{found:#?}");
        }
    }
}
