//! An order as the consumer runs it: a list of operations, each atomic towards a crash.

use crate::order::{Item, Order, Step};

/// An order, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The operations, from first to last; with workers, those that a worker does.
    pub operations: Vec<Operation>,
    /// With workers: how the poll loop commits what they have done.
    pub loop_commit: Option<LoopCommit>,
}

/// How a poll loop commits its workers' work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopCommit {
    /// It waits for the answer.
    Waiting,
    /// It does not wait.
    Async,
}

/// One operation: a step, or a database transaction of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What it was written as.
    pub item: Item,
    /// Its steps.
    pub parts: Vec<Part>,
    /// Whether it is one database transaction.
    pub transaction: bool,
    /// Over what it runs.
    pub scope: Scope,
}

/// Over what an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Once per record of a poll, as one of the operations `first..=last`.
    Record {
        /// The loop's first operation.
        first: usize,
        /// The loop's last operation.
        last: usize,
    },
    /// Once per poll.
    Poll,
}

/// A part of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A step.
    Step(Step),
    /// Steps for each record of the poll, within one transaction.
    Each(Vec<Step>),
}

impl Program {
    /// Compiles an order that `workers` threads run; 0: the poll loop does.
    pub fn compile(order: &Order, workers: u16) -> Program {
        let mut program = Program {
            operations: Vec::new(),
            loop_commit: None,
        };
        if workers > 0 {
            program.hand_over(&order.0);
            return program;
        }
        if order.0.iter().any(contains_each) {
            for item in &order.0 {
                match item {
                    Item::Each(inner) => program.push_loop(inner),
                    Item::Step(_) | Item::Database(_) | Item::Kafka(_) => {
                        program.operations.push(Operation::of(item, Scope::Poll));
                    }
                }
            }
        } else {
            program.push_loop(&order.0);
        }
        program
    }

    /// A worker does what stands before the commit, once per record; the loop commits.
    fn hand_over(&mut self, items: &[Item]) {
        let mut steps = Vec::new();
        for item in items {
            match item {
                Item::Step(Step::Commit) => self.loop_commit = Some(LoopCommit::Waiting),
                Item::Step(Step::CommitAsync) => self.loop_commit = Some(LoopCommit::Async),
                Item::Each(inner) => steps.extend(inner.iter().cloned()),
                Item::Step(_) | Item::Database(_) | Item::Kafka(_) => steps.push(item.clone()),
            }
        }
        if !steps.is_empty() {
            self.push_loop(&steps);
        }
    }

    fn push_loop(&mut self, items: &[Item]) {
        let first = self.operations.len();
        let scope = Scope::Record {
            first,
            last: first + items.len() - 1,
        };
        self.operations
            .extend(items.iter().map(|item| Operation::of(item, scope)));
    }
}

impl Operation {
    fn of(item: &Item, scope: Scope) -> Operation {
        let parts = match item {
            Item::Step(step) => vec![Part::Step(*step)],
            Item::Database(inner) | Item::Kafka(inner) | Item::Each(inner) => {
                inner.iter().map(part).collect()
            }
        };
        let transaction = matches!(item, Item::Database(_));
        Operation {
            item: item.clone(),
            parts,
            transaction,
            scope,
        }
    }

    /// The steps of the operation.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        self.parts
            .iter()
            .flat_map(|part| match part {
                Part::Step(step) => std::slice::from_ref(step),
                Part::Each(steps) => steps.as_slice(),
            })
            .copied()
    }

    /// Whether one of its steps is `step`.
    pub fn contains(&self, step: Step) -> bool {
        self.steps().any(|own| own == step)
    }
}

fn part(item: &Item) -> Part {
    match item {
        Item::Step(step) => Part::Step(*step),
        Item::Each(_) | Item::Database(_) | Item::Kafka(_) => {
            Part::Each(Order(vec![item.clone()]).steps())
        }
    }
}

fn contains_each(item: &Item) -> bool {
    match item {
        Item::Step(_) => false,
        Item::Each(_) => true,
        Item::Database(inner) | Item::Kafka(inner) => inner.iter().any(contains_each),
    }
}
