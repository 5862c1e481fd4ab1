//! What an order may be when workers handle the records while the poll loop polls on and commits.
//!
//! A worker takes one record and runs the steps before the commit; the loop commits what is done,
//! whenever it comes around. So nothing runs once per poll, and nothing comes after the commit.

use semel_models::order::{Item, Step};

use super::super::source::Span;
use super::rules::Broken;
use super::{GroupKind, Node, Part};

/// Whether the poll loop takes the step, and not a worker.
fn by_loop(step: Step) -> bool {
    match step {
        Step::Commit | Step::CommitAsync => true,
        Step::Process
        | Step::SkipIfSeen
        | Step::Remember
        | Step::SaveOffset
        | Step::StoreOffset
        | Step::Produce
        | Step::ProduceAsync
        | Step::Flush => false,
    }
}

/// Every rule that the order breaks because of its workers.
pub(super) fn broken(nodes: &[Node]) -> Vec<Broken> {
    let mut broken = Vec::new();
    eaches(nodes, &mut broken);
    let commit = nodes.iter().position(commits);
    let after = commit.and_then(|at| nodes.get(at + 1..)).unwrap_or(&[]);
    if let (Some(at), Some(first)) = (commit, after.first()) {
        let commit = nodes.get(at).map_or("commit", name);
        broken.push(Broken {
            span: Span::from(first.span.start..after.last().map_or(first.span.end, |last| last.span.end)),
            message: format!("with workers nothing comes after `{commit}`"),
            why: String::from("A worker runs the steps before the commit; the poll loop commits, for all that its workers have done, and has no record in hand for a further step."),
            write: String::from("Let the commit come last, or write workers = 0."),
        });
    }
    broken
}

fn commits(node: &Node) -> bool {
    match &node.part {
        Part::Step(step) => by_loop(*step),
        Part::Group(_, _) => false,
    }
}

fn name(node: &Node) -> &'static str {
    match &node.part {
        Part::Step(step) => step.name(),
        Part::Group(kind, _) => kind.shape(),
    }
}

fn eaches(nodes: &[Node], broken: &mut Vec<Broken>) {
    for node in nodes {
        let Part::Group(kind, inner) = &node.part else {
            continue;
        };
        if *kind == GroupKind::Each {
            broken.push(Broken {
                span: node.span,
                message: String::from("each(...) has no meaning with workers"),
                why: String::from("Beside an each(...) steps run once per poll, when all its records are done. Workers take one record each, and the loop polls on meanwhile: no poll is ever done as a whole."),
                write: String::from("Write the steps without each(...): a worker runs them for its record."),
            });
        }
        eaches(inner, broken);
    }
}

/// The same steps without each(...), and the first commit at the end.
pub(super) fn rearranged(items: Vec<Item>) -> Vec<Item> {
    let mut steps = Vec::new();
    let mut commit = None;
    for item in flattened(items) {
        match item {
            Item::Step(step) if by_loop(step) => {
                commit.get_or_insert(item);
            }
            Item::Step(_) | Item::Each(_) | Item::Database(_) | Item::Kafka(_) => steps.push(item),
        }
    }
    steps.extend(commit);
    steps
}

fn flattened(items: Vec<Item>) -> Vec<Item> {
    items
        .into_iter()
        .flat_map(|item| match item {
            Item::Step(_) => vec![item],
            Item::Each(inner) => flattened(inner),
            Item::Database(inner) => vec![Item::Database(flattened(inner))],
            Item::Kafka(inner) => vec![Item::Kafka(flattened(inner))],
        })
        .collect()
}
