//! An order as the consumer runs it: a list of operations, each atomic towards a crash.

use crate::order::{Item, Order, Step};
use std::fmt;

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
    /// Whether it is part of a Kafka transaction.
    pub within: Within,
}

/// The Kafka transaction that an operation is part of. Its steps are calls of their own, between
/// which the process can die; what makes them one is its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// None.
    Nothing,
    /// The one whose first operation this is.
    Transaction {
        /// The transaction's first operation.
        first: usize,
    },
    /// It is the end of the one whose first operation this is.
    EndOf {
        /// The transaction's first operation.
        first: usize,
    },
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

/// A call of the output producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStep {
    /// A result is sent, and its report awaited.
    Produce,
    /// A result is sent.
    ProduceAsync,
    /// The reports of all that was sent are awaited.
    Flush,
    /// The offsets are sent to the transaction.
    Offsets,
    /// The transaction is committed.
    End,
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
            program.push_beside_each(&order.0);
        } else {
            program.push_loop(&order.0);
        }
        program
    }

    /// What stands beside an `each` runs once per poll.
    fn push_beside_each(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Each(inner) => self.push_loop(inner),
                Item::Kafka(inner) => {
                    let first = self.operations.len();
                    self.push_beside_each(inner);
                    for own in &mut self.operations[first..] {
                        own.within = Within::Transaction { first };
                    }
                    let end = Operation::end_of(item, first, Scope::Poll);
                    self.operations.push(end);
                }
                Item::Step(_) | Item::Database(_) => {
                    self.operations.push(Operation::of(item, Scope::Poll));
                }
            }
        }
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
        for item in items {
            match item {
                Item::Kafka(inner) => {
                    let begin = self.operations.len();
                    for own in inner {
                        let within = Within::Transaction { first: begin };
                        self.operations.push(Operation {
                            within,
                            ..Operation::of(own, Scope::Poll)
                        });
                    }
                    let end = Operation::end_of(item, begin, Scope::Poll);
                    self.operations.push(end);
                }
                Item::Step(_) | Item::Each(_) | Item::Database(_) => {
                    self.operations.push(Operation::of(item, Scope::Poll));
                }
            }
        }
        let last = self.operations.len() - 1;
        for own in &mut self.operations[first..] {
            own.scope = Scope::Record { first, last };
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within {
            Within::EndOf { .. } => write!(f, "the end of {}", self.item),
            Within::Nothing | Within::Transaction { .. } => write!(f, "{}", self.item),
        }
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
            within: Within::Nothing,
        }
    }

    /// The end of a Kafka transaction.
    fn end_of(item: &Item, first: usize, scope: Scope) -> Operation {
        Operation {
            item: item.clone(),
            parts: Vec::new(),
            transaction: false,
            scope,
            within: Within::EndOf { first },
        }
    }

    /// The step that it is, if it is one of the client's calls to the output topic.
    pub fn output_step(&self) -> Option<OutputStep> {
        match (&self.item, self.within) {
            (_, Within::EndOf { .. }) => Some(OutputStep::End),
            (Item::Step(Step::Produce), _) => Some(OutputStep::Produce),
            (Item::Step(Step::ProduceAsync), _) => Some(OutputStep::ProduceAsync),
            (Item::Step(Step::Flush), _) => Some(OutputStep::Flush),
            (Item::Step(Step::Commit), Within::Transaction { .. }) => Some(OutputStep::Offsets),
            (Item::Step(_) | Item::Each(_) | Item::Database(_) | Item::Kafka(_), _) => None,
        }
    }

    /// The first operation of the Kafka transaction that it is part of.
    pub fn transaction_begin(&self) -> Option<usize> {
        match self.within {
            Within::Nothing => None,
            Within::Transaction { first } | Within::EndOf { first } => Some(first),
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
