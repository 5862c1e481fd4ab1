//! The order language: reading it, the rules that an order must keep, and where in the file its
//! parts stand.

mod nearest;
pub(crate) mod rules;
pub(crate) mod syntax;
pub(crate) mod text;
mod workers;

use semel_models::order::{Item, Order, Step};

use super::source::Span;

/// What a group of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupKind {
    Each,
    Database,
    Kafka,
}

impl GroupKind {
    pub const ALL: [GroupKind; 3] = [GroupKind::Each, GroupKind::Database, GroupKind::Kafka];

    pub fn name(self) -> &'static str {
        match self {
            GroupKind::Each => "each",
            GroupKind::Database => "db",
            GroupKind::Kafka => "kafka",
        }
    }

    pub fn shape(self) -> &'static str {
        match self {
            GroupKind::Each => "each(...)",
            GroupKind::Database => "db[...]",
            GroupKind::Kafka => "kafka[...]",
        }
    }

    /// What stands between its items.
    pub fn separator(self) -> &'static str {
        match self {
            GroupKind::Each => "->",
            GroupKind::Database | GroupKind::Kafka => ",",
        }
    }
}

/// A part of an order and where it stands in the order's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub part: Part,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Step(Step),
    Group(GroupKind, Vec<Node>),
}

impl Node {
    pub fn item(&self) -> Item {
        match &self.part {
            Part::Step(step) => Item::Step(*step),
            Part::Group(GroupKind::Each, inner) => Item::Each(items(inner)),
            Part::Group(GroupKind::Database, inner) => Item::Database(items(inner)),
            Part::Group(GroupKind::Kafka, inner) => Item::Kafka(items(inner)),
        }
    }
}

pub(crate) fn items(nodes: &[Node]) -> Vec<Item> {
    nodes.iter().map(Node::item).collect()
}

/// The order without the places.
pub(crate) fn order(nodes: &[Node]) -> Order {
    Order(items(nodes))
}

/// Every step with its place and the groups around it, outermost first.
pub(crate) fn steps(nodes: &[Node]) -> Vec<(Step, Span, Vec<GroupKind>)> {
    fn collect(
        nodes: &[Node],
        around: &mut Vec<GroupKind>,
        into: &mut Vec<(Step, Span, Vec<GroupKind>)>,
    ) {
        for node in nodes {
            match &node.part {
                Part::Step(step) => into.push((*step, node.span, around.clone())),
                Part::Group(kind, inner) => {
                    around.push(*kind);
                    collect(inner, around, into);
                    around.pop();
                }
            }
        }
    }
    let mut found = Vec::new();
    collect(nodes, &mut Vec::new(), &mut found);
    found
}
