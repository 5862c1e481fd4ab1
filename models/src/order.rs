//! The order: what the application does with each record, and in which sequence.

use std::fmt;

/// One thing that the application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Performs the effect in the sink.
    Process,
    /// Looks the record up in the dedup store; if it is there, this record's later `process`,
    /// `produce` and `remember` do nothing.
    SkipIfSeen,
    /// Inserts the record's identity into the dedup store.
    Remember,
    /// Commits the next offset and waits for the answer.
    Commit,
    /// Commits the next offset without waiting.
    CommitAsync,
    /// Writes the next offset into the sink's database.
    SaveOffset,
    /// Stores the next offset in librdkafka's offset store.
    StoreOffset,
    /// Sends a result to the output topic and waits for its delivery report.
    Produce,
    /// Sends a result to the output topic without waiting.
    ProduceAsync,
    /// Waits for the delivery reports of all results sent.
    Flush,
}

impl Step {
    /// Every step, in the order in which they are documented.
    pub const ALL: [Step; 10] = [
        Step::Process,
        Step::SkipIfSeen,
        Step::Remember,
        Step::Commit,
        Step::CommitAsync,
        Step::SaveOffset,
        Step::StoreOffset,
        Step::Produce,
        Step::ProduceAsync,
        Step::Flush,
    ];

    /// The step's name in the order language.
    pub fn name(self) -> &'static str {
        match self {
            Step::Process => "process",
            Step::SkipIfSeen => "skip-if-seen",
            Step::Remember => "remember",
            Step::Commit => "commit",
            Step::CommitAsync => "commit-async",
            Step::SaveOffset => "save-offset",
            Step::StoreOffset => "store-offset",
            Step::Produce => "produce",
            Step::ProduceAsync => "produce-async",
            Step::Flush => "flush",
        }
    }

    /// Whether the step is about single records, not about how far the application has come.
    pub fn is_about_a_record(self) -> bool {
        match self {
            Step::Process | Step::Remember | Step::SkipIfSeen => true,
            Step::Commit
            | Step::CommitAsync
            | Step::SaveOffset
            | Step::StoreOffset
            | Step::Produce
            | Step::ProduceAsync
            | Step::Flush => false,
        }
    }

    /// What the step does, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            Step::Process => "performs the effect in the sink",
            Step::SkipIfSeen => {
                "looks the record up in the dedup store; if it is there, its later process, produce and remember do nothing"
            }
            Step::Remember => {
                "inserts the record's identity into the dedup store; if it is there and inserts are unique, its db[...] rolls back, and its process and produce do nothing"
            }
            Step::Commit => "commits the next offset and waits for the answer",
            Step::CommitAsync => "commits the next offset without waiting",
            Step::SaveOffset => {
                "writes the next offset into the sink's database; on assignment the consumer seeks to it"
            }
            Step::StoreOffset => "stores the next offset for librdkafka's background commit",
            Step::Produce => "sends a result to the output topic and waits for its delivery report",
            Step::ProduceAsync => "sends a result to the output topic without waiting",
            Step::Flush => {
                "waits for the delivery reports of all results sent, and fails if one of them was not delivered"
            }
        }
    }
}

/// A part of an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// One step.
    Step(Step),
    /// `each(...)`: once per record of a poll.
    Each(Vec<Item>),
    /// `db[...]`: one database transaction.
    Database(Vec<Item>),
    /// `kafka[...]`: one Kafka transaction.
    Kafka(Vec<Item>),
}

/// A whole order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order(pub Vec<Item>);

impl Item {
    /// Whether it is `step`, or has it inside.
    fn contains(&self, step: Step) -> bool {
        match self {
            Item::Step(own) => *own == step,
            Item::Each(inner) | Item::Database(inner) | Item::Kafka(inner) => {
                inner.iter().any(|item| item.contains(step))
            }
        }
    }
}

impl Order {
    /// Every step of the order, from left to right, however deep.
    pub fn steps(&self) -> Vec<Step> {
        fn collect(items: &[Item], into: &mut Vec<Step>) {
            for item in items {
                match item {
                    Item::Step(step) => into.push(*step),
                    Item::Each(inner) | Item::Database(inner) | Item::Kafka(inner) => {
                        collect(inner, into);
                    }
                }
            }
        }
        let mut steps = Vec::new();
        collect(&self.0, &mut steps);
        steps
    }

    /// What stands in each `kafka[...]` of the order.
    pub fn transactions(&self) -> Vec<&[Item]> {
        fn collect<'o>(items: &'o [Item], into: &mut Vec<&'o [Item]>) {
            for item in items {
                match item {
                    Item::Kafka(inner) => into.push(inner),
                    Item::Each(inner) => collect(inner, into),
                    Item::Step(_) | Item::Database(_) => {}
                }
            }
        }
        let mut transactions = Vec::new();
        collect(&self.0, &mut transactions);
        transactions
    }

    /// Whether commitTransaction() is what waits for results: nothing does between sending them and the end of
    /// their transaction.
    pub fn waits_in_the_commit(&self) -> bool {
        let waits = |items: &&[Item]| {
            let is = |step: Step| move |item: &Item| item.contains(step);
            let sent = items.iter().rposition(is(Step::ProduceAsync));
            let flushed = items.iter().rposition(is(Step::Flush));
            sent.is_some() && flushed < sent
        };
        self.transactions().iter().any(waits)
    }

    /// Whether the order contains `step`.
    pub fn contains(&self, step: Step) -> bool {
        self.0.iter().any(|item| item.contains(step))
    }

    /// Whether the order has a `kafka[...]`.
    pub fn has_transactions(&self) -> bool {
        fn within(items: &[Item]) -> bool {
            items.iter().any(|item| match item {
                Item::Kafka(_) => true,
                Item::Each(inner) => within(inner),
                Item::Step(_) | Item::Database(_) => false,
            })
        }
        within(&self.0)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_items(f, &self.0, " -> ")
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Step(step) => f.write_str(step.name()),
            Item::Each(inner) => group(f, "each(", inner, " -> ", ")"),
            Item::Database(inner) => group(f, "db[", inner, ", ", "]"),
            Item::Kafka(inner) => group(f, "kafka[", inner, ", ", "]"),
        }
    }
}

fn group(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    inner: &[Item],
    separator: &str,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    write_items(f, inner, separator)?;
    f.write_str(close)
}

fn write_items(f: &mut fmt::Formatter<'_>, items: &[Item], separator: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}
