//! What a framework around the clients does, as the keys that would say the same.
//!
//! `framework = "spring-kafka"` and `framework = "kafka-streams"` stand for an order, an error
//! handling and some of Kafka's properties. They are stated here, each with its reason, before
//! anything else is read, so that a framework has no rules of its own further on. What the design
//! states itself goes before what the framework would do, where the framework lets one.

mod spring;
mod streams;

use semel_models::order::{Item, Order, Step};

use super::choices::{Choice, Framework};
use super::diagnostic::Code;
use super::document::{Document, Field, Scalar};
use super::order::{GroupKind, Node, steps, syntax};
use super::report::Report;
use super::source::Span;
use super::table::Table;

/// A setting that follows from another one: the key, its value, and why it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The table of the design in which it would stand.
    pub table: Table,
    /// The key.
    pub key: String,
    /// The value, as TOML writes it.
    pub value: String,
    /// Why it has this value.
    pub why: String,
}

/// What a framework adds to a design.
#[derive(Debug, Default)]
pub(crate) struct Expansion {
    /// The settings that follow from it.
    pub derived: Vec<Derived>,
    /// The part of the order that is the application's own; `None`: there is no framework.
    pub own_order: Option<Order>,
    /// What writes dead letters there; nothing, where nothing does.
    pub dead_letters_by: &'static str,
}

/// States in `document` what its framework does.
pub(crate) fn expand(document: &mut Document, report: &mut Report) -> Expansion {
    let chosen = chosen::<Framework>(document, "framework");
    if chosen.is_none() && is_misnamed(document) {
        return Expansion::default();
    }
    belongs(document, "ack-mode", chosen, Framework::SpringKafka, report);
    belongs(
        document,
        "processing.guarantee",
        chosen,
        Framework::KafkaStreams,
        report,
    );
    let Some((framework, at)) = chosen else {
        return Expansion::default();
    };
    let mut expanding = Expanding {
        document,
        report,
        at,
        derived: Vec::new(),
    };
    expanding.only_with_java(framework);
    let own_order = match framework {
        Framework::SpringKafka => spring::expand(&mut expanding),
        Framework::KafkaStreams => streams::expand(&mut expanding),
    };
    if own_order.is_none() {
        expanding.stand_in();
    }
    Expansion {
        derived: expanding.derived,
        own_order,
        dead_letters_by: match framework {
            Framework::SpringKafka => {
                "in Spring a DefaultErrorHandler with a DeadLetterPublishingRecoverer"
            }
            Framework::KafkaStreams => "",
        },
    }
}

/// Whether a framework is named that is none, which is told later: nothing else is wrong for that.
fn is_misnamed(document: &mut Document) -> bool {
    let stated = document.field(Table::Application, "framework");
    let Some(at) = stated.map(|field| field.value_span) else {
        return false;
    };
    if document.field(Table::Application, "order").is_none() {
        let order = text(Step::Process.name());
        document.set(Table::Application, "order", order, at);
    }
    true
}

/// The word that `key` of `[application]` has, if it is one of those that it takes.
fn chosen<T: Choice>(document: &Document, key: &str) -> Option<(T, Span)> {
    let field = document.field(Table::Application, key)?;
    let Scalar::Text(text) = &field.value else {
        return None;
    };
    let word = T::ALL.iter().find(|word| word.name() == text)?;
    Some((*word, field.value_span))
}

/// A key that says how one of the frameworks is set up.
fn belongs(
    document: &Document,
    key: &str,
    chosen: Option<(Framework, Span)>,
    owner: Framework,
    report: &mut Report,
) {
    let Some(field) = document.field(Table::Application, key) else {
        return;
    };
    if chosen.is_some_and(|(framework, _)| framework == owner) {
        return;
    }
    let needed = format!("framework = \"{}\"", owner.name());
    report
        .problem(
            Code::Contradiction,
            field.name_span,
            format!("`{key}` needs {needed}"),
        )
        .because("It says how that framework is set up; without it no code reads the key.")
        .write(format!("Write {needed}, or leave `{key}` out."));
}

/// A framework at work on a document.
struct Expanding<'d, 'r> {
    document: &'d mut Document,
    report: &'r mut Report,
    /// Where the framework is named.
    at: Span,
    derived: Vec<Derived>,
}

impl Expanding<'_, '_> {
    fn field(&self, table: Table, key: &str) -> Option<&Field> {
        self.document.field(table, key)
    }

    fn states(&self, table: Table, key: &str) -> bool {
        self.field(table, key).is_some()
    }

    /// What Kafka's property is stated to be, as text.
    fn is_true(&self, table: Table, key: &str) -> bool {
        match self.field(table, key).map(|field| &field.value) {
            Some(Scalar::Boolean(value)) => *value,
            Some(Scalar::Text(text)) => text.trim().eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// What the framework sets where the design does not.
    fn default(&mut self, table: Table, key: &str, value: Scalar, why: &str) {
        if !self.states(table, key) {
            self.set(table, key, value, why);
        }
    }

    /// What the framework makes of what is stated, or sets.
    fn set(&mut self, table: Table, key: &str, value: Scalar, why: &str) {
        let at = self
            .field(table, key)
            .map_or(self.at, |field| field.value_span);
        self.derived.push(Derived {
            table,
            key: key.to_owned(),
            value: value.as_toml(),
            why: why.to_owned(),
        });
        self.document.set(table, key, value, at);
    }

    /// Refuses keys about which the framework leaves nothing to say.
    fn not_beside(&mut self, keys: &[(Table, &str, &str)], framework: Framework) {
        for (table, key, why) in keys {
            let Some(field) = self.document.field(*table, key) else {
                continue;
            };
            let message = format!("`{key}` stands beside framework = \"{}\"", framework.name());
            self.report
                .problem(Code::Contradiction, field.name_span, message)
                .because(*why)
                .write(format!("Leave `{key}` out."));
            // What is refused has no further part in the design.
            self.document.remove(*table, key);
        }
    }

    fn only_with_java(&mut self, framework: Framework) {
        let Some(field) = self.document.field(Table::Root, "client") else {
            return;
        };
        if field.value == Scalar::Text(String::from("librdkafka")) {
            let message = format!(
                "framework = \"{}\" needs client = \"java\"",
                framework.name()
            );
            self.report
                .problem(Code::Contradiction, self.at, message)
                .because("It is built on Apache Kafka's Java clients.")
                .write("Leave `framework` out and write the order of your own loop.");
        }
    }

    /// The order that the design states, or `default`; `None`: it cannot be read, which is told
    /// later.
    fn own_order(&self, default: Step) -> Option<Vec<Node>> {
        match self
            .field(Table::Application, "order")
            .map(|field| &field.value)
        {
            None => syntax::parse(default.name()).ok(),
            Some(Scalar::Text(text)) => syntax::parse(text).ok(),
            Some(_) => None,
        }
    }

    /// Refuses a part of the stated order.
    fn refuse_order(&mut self, message: String, why: &str, write: &str) {
        let at = self
            .field(Table::Application, "order")
            .map_or(self.at, |field| field.value_span);
        self.report
            .problem(Code::Contradiction, at, message)
            .because(why)
            .write(write);
    }

    /// The framework calls the application for each record: it has no loop over a poll of its own.
    fn once_per_record(&mut self, nodes: &[Node], who: &str) -> bool {
        let each =
            |(_, _, around): &(Step, Span, Vec<GroupKind>)| around.contains(&GroupKind::Each);
        let has_each = steps(nodes).iter().any(each);
        if has_each {
            self.refuse_order(
                String::from("each(...) stands in an order beside a framework"),
                &format!("{who} is called once for each record; the loop over a poll is the framework's, which adds it."),
                "Write what is done with one record, such as \"process\".",
            );
        }
        !has_each
    }

    /// An order in place of one that was refused, so that nothing more is said of it.
    fn stand_in(&mut self) {
        if self.own_order(Step::Process).is_some() {
            let at = self.at;
            let order = match self.states(Table::OutputProducer, "transactional.id") {
                true => text("kafka[process, commit]"),
                false => text(Step::Process.name()),
            };
            self.document.set(Table::Application, "order", order, at);
        }
    }

    fn state_order(&mut self, order: &Order, why: &str) {
        let text = Scalar::Text(order.to_string());
        self.set(Table::Application, "order", text, why);
    }
}

/// `each(items) -> step`
fn per_poll(items: Vec<Item>, then: &[Step]) -> Order {
    let mut order = vec![Item::Each(items)];
    order.extend(then.iter().map(|step| Item::Step(*step)));
    Order(order)
}

fn text(word: &str) -> Scalar {
    Scalar::Text(word.to_owned())
}
