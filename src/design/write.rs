//! A pipeline written back as the text of a design.
//!
//! The text states what is not a default of semel's own, and of Kafka's properties everything that
//! the pipeline rests on. Read again with the same versions it resolves to the same pipeline,
//! provided that some design does: a Java consumer with librdkafka's background commit, say, has
//! no design.

mod clients;
mod own;

use std::fmt::{Display, Write};

use semel_models::pipeline::{Client, Pipeline};

use super::Design;
use super::choices::{Choice, ClientName};
use super::table::Table;
use super::verdicts::Expected;
use super::version::Versions;

/// The text of a design that resolves to `pipeline` with these versions.
///
/// ```
/// use semel::design::{Design, write};
///
/// let design = Design::parse(
///     "orders.toml",
///     br#"
///     [consumer]
///     enable.auto.commit = false
///     auto.offset.reset = "earliest"
///     [application]
///     order = "process -> commit"
///     "#,
/// )?;
/// let text = write(design.pipeline(), &design.versions());
/// let again = Design::parse("again.toml", text.as_bytes())?;
/// assert_eq!(again.pipeline(), design.pipeline());
/// # Ok::<(), semel::design::DesignError>(())
/// ```
pub fn write(pipeline: &Pipeline, versions: &Versions) -> String {
    let mut lines = Lines::default();
    head(versions, &mut lines);
    body(pipeline, versions, &mut lines);
    lines.text
}

/// The text of the whole design: its name and what it asks for, too.
pub(super) fn design(design: &Design) -> String {
    let mut lines = Lines::default();
    lines.state("name", quoted(design.name()));
    head(&design.versions(), &mut lines);
    if !design.required().is_empty() {
        let names: Vec<String> = design
            .required()
            .iter()
            .map(|guarantee| quoted(guarantee.name()))
            .collect();
        lines.state("require", format!("[{}]", names.join(", ")));
    }
    body(design.pipeline(), &design.versions(), &mut lines);
    let limits = design.limits();
    lines.state_if("max-states", limits.states);
    lines.state_if("max-memory", limits.memory);
    if !design.expected().is_empty() {
        lines.table(Table::Expect);
        for (guarantee, expected) in design.expected() {
            let verdict = match expected {
                Expected::Holds => "holds",
                Expected::Violated => "violated",
            };
            lines.state(guarantee.name(), quoted(verdict));
        }
    }
    lines.text
}

fn head(versions: &Versions, lines: &mut Lines) {
    let client = match versions.library {
        Client::Java => ClientName::Java,
        Client::Librdkafka => ClientName::Librdkafka,
    };
    lines.state("client", quoted(client.name()));
    lines.state("kafka", quoted(&versions.kafka.to_string()));
    lines.state("client-version", quoted(&versions.client.to_string()));
}

/// The bounds come last, for who adds limits to them.
fn body(pipeline: &Pipeline, versions: &Versions, lines: &mut Lines) {
    clients::producer(pipeline, versions, lines);
    clients::topic(pipeline, lines);
    clients::broker(pipeline, versions, lines);
    clients::consumer(pipeline, versions, lines);
    clients::output(pipeline, versions, lines);
    own::application(pipeline, lines);
    own::sink(pipeline, lines);
    own::faults(pipeline, lines);
    own::bounds(pipeline, lines);
}

/// The lines of a design.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn table(&mut self, table: Table) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "\n[{}]", table.name());
    }

    fn state(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.text, "{key} = {value}");
    }

    fn state_if(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.state(key, value);
        }
    }

    /// A word of semel's own, unless it is what is meant when it is left out.
    fn choice<T: Choice>(&mut self, key: &str, value: T, default: T) {
        if value != default {
            self.state(key, quoted(value.name()));
        }
    }
}

/// A basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
