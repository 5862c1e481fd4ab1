//! Kafka's own tables: every property with its value, checked against the table of properties.

mod history;

pub(crate) use history::default;
use history::{default_of, exists};

use semel_models::pipeline::Client;

use super::diagnostic::Code;
use super::document::{Document, Field, Scalar};
use super::keys::{kafka_place, repeated, shortened};
use super::modelled::{Honoured, honoured};
use super::properties::{Class, Lookup, Property, Scope, accepted, find, look_up};
use super::report::{Report, nearest};
use super::source::Span;
use super::table::{OWN_KEYS, Table};
use super::value::Kind;
use super::version::Versions;
use super::warning::WarningKind;

/// A property that the design states.
#[derive(Clone, Debug)]
pub(crate) struct StatedProperty {
    pub property: &'static Property,
    /// The name as written.
    pub name: String,
    /// The value in its one spelling.
    pub value: String,
    pub name_span: Span,
    pub value_span: Span,
}

/// One of Kafka's tables.
#[derive(Debug)]
pub(crate) struct Properties {
    pub client: Client,
    pub table: Table,
    scope: Scope,
    pub versions: Versions,
    pub stated: Vec<StatedProperty>,
}

impl Properties {
    pub fn read(
        document: &Document,
        table: Table,
        scope: Scope,
        client: Client,
        versions: &Versions,
        report: &mut Report,
    ) -> Self {
        let mut properties = Properties {
            client,
            table,
            scope,
            versions: *versions,
            stated: Vec::new(),
        };
        for field in document.fields(table) {
            let Some(row) = properties.row(field, report) else {
                continue;
            };
            if !exists(row, scope, versions, field, report) {
                continue;
            }
            if let Some(earlier) = properties.get(row.canonical(client)) {
                if earlier.name == field.name {
                    repeated(report, table, field);
                } else {
                    let message = format!(
                        "`{}` and `{}` are two names of one property",
                        earlier.name, field.name
                    );
                    report
                        .problem(Code::Repeated, field.name_span, message)
                        .label("stated again")
                        .because(
                            "librdkafka takes whichever is set last; a design has no such order.",
                        )
                        .write("Keep one of the two.");
                }
                continue;
            }
            if let Some(value) = value(row, client, field, report) {
                refuse_unmodelled(row, scope, versions, &value, field, report);
                warn_of_namesake(row, client, scope, field, report);
                properties.stated.push(StatedProperty {
                    property: row,
                    name: field.name.clone(),
                    value,
                    name_span: field.name_span,
                    value_span: field.value_span,
                });
            }
        }
        properties
    }

    /// The property under its canonical name, if the design states it.
    pub fn get(&self, canonical: &str) -> Option<&StatedProperty> {
        self.stated
            .iter()
            .find(|stated| stated.property.canonical(self.client) == canonical)
    }

    /// Whether the design states it, be it with the default value.
    pub fn is_set(&self, canonical: &str) -> bool {
        self.get(canonical).is_some()
    }

    /// Where its value stands.
    pub fn at(&self, canonical: &str) -> Option<Span> {
        self.get(canonical).map(|stated| stated.value_span)
    }

    /// Its value in force before the client's own rules: as stated, or the default.
    pub fn text(&self, canonical: &str) -> Option<&str> {
        match self.get(canonical) {
            Some(stated) => Some(&stated.value),
            None => {
                let row = find(self.client, self.scope, canonical)?;
                default(row, self.scope, &self.versions)
            }
        }
    }

    /// A whole number.
    pub fn integer(&self, canonical: &str) -> Option<i64> {
        self.text(canonical)?.parse().ok()
    }

    /// `true`; everything else, and nothing at all, is false.
    pub fn is_true(&self, canonical: &str) -> bool {
        self.text(canonical) == Some("true")
    }

    fn row(&self, field: &Field, report: &mut Report) -> Option<&'static Property> {
        let name = field.name.as_str();
        match look_up(self.client, self.scope, name) {
            Lookup::Found(row) => return Some(row),
            Lookup::OtherClient(row) => other_client(row, self.client, self.scope, field, report),
            Lookup::Elsewhere(row) => {
                let message = format!(
                    "`{name}` is a {} property and does not belong {}",
                    row.scope.name(),
                    self.table.place()
                );
                report
                    .problem(Code::Misplaced, field.name_span, message)
                    .label("belongs elsewhere")
                    .because(
                        "Kafka would ignore it here with a line in the log; a design must not.",
                    )
                    .write(format!("Write it in {}.", kafka_place(row.scope)));
            }
            Lookup::Unknown => self.unknown(field, report),
        }
        None
    }

    fn unknown(&self, field: &Field, report: &mut Report) {
        let name = field.name.as_str();
        if let Some((place, _)) = OWN_KEYS.iter().find(|(_, key)| *key == name) {
            let message = format!("`{name}` is not a property of Kafka");
            report
                .problem(Code::Misplaced, field.name_span, message)
                .label("semel's own key")
                .because("Kafka's tables hold Kafka's own properties and nothing else.")
                .write(format!("Write it {}.", place.place()));
            return;
        }
        let here = accepted(self.client, self.scope).map(|row| row.name.as_str());
        let write = match nearest(name, here) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => String::from(
                "`semel list properties` shows what it knows. A setting of a serializer, an interceptor or your own code is not Kafka's: leave it out.",
            ),
        };
        let message = format!(
            "Kafka has no {} property `{}`",
            self.scope.name(),
            shortened(name)
        );
        report
            .problem(Code::UnknownKey, field.name_span, message)
            .label("no such property")
            .write(write);
    }
}

/// Warns of a property that bears on delivery under the other client and not under this one.
fn warn_of_namesake(
    row: &'static Property,
    client: Client,
    scope: Scope,
    field: &Field,
    report: &mut Report,
) {
    let other = match client {
        Client::Java => Client::Librdkafka,
        Client::Librdkafka => Client::Java,
    };
    let Some(namesake) = find(other, scope, &row.name) else {
        return;
    };
    if row.class != Class::NoBearing || namesake.class != Class::Modelled {
        return;
    }
    let text = format!(
        "`{}` has no bearing with {}: {}. It bears on delivery with {} only.",
        field.name,
        client_name(client),
        row.why,
        client_name(other)
    );
    report.warn(WarningKind::NoEffect, field.name_span, text);
}

/// What a client is called in a sentence.
pub(crate) fn client_name(client: Client) -> &'static str {
    match client {
        Client::Java => "the Java client",
        Client::Librdkafka => "librdkafka",
    }
}

fn other_client(row: &Property, client: Client, scope: Scope, field: &Field, report: &mut Report) {
    let same_setting = match client {
        Client::Librdkafka => row.librdkafka_name.as_deref(),
        Client::Java => row.librdkafka_name.as_ref().and_then(|canonical| {
            accepted(Client::Java, scope)
                .find(|java| java.librdkafka_name.as_ref() == Some(canonical))
                .map(|java| java.name.as_str())
        }),
    };
    let problem = report
        .problem(
            Code::OtherClient,
            field.name_span,
            format!("{} has no property `{}`", client_name(client), field.name),
        )
        .label("a property of the other client");
    match same_setting {
        Some(name) => problem.write(format!("The same setting is called `{name}` there.")),
        None => problem.write(match client {
            Client::Java => "It exists with client = \"librdkafka\" only.",
            Client::Librdkafka => "It exists with client = \"java\" only.",
        }),
    };
}

fn value(row: &Property, client: Client, field: &Field, report: &mut Report) -> Option<String> {
    let kind = row.kind(client);
    let Some(text) = text(&field.value, &kind) else {
        let message = format!("`{}` is {}", field.name, field.value.describe());
        report
            .problem(Code::WrongType, field.value_span, message)
            .label("wrong type")
            .write(format!("Write {}.", kind.expected()));
        return None;
    };
    let wrong = match kind.check(&text) {
        Ok(value) => return Some(value),
        Err(wrong) => wrong,
    };
    let (code, message) = match (&kind, wrong.range) {
        (Kind::Choice { .. } | Kind::List { .. } | Kind::Text { .. }, _) => (
            Code::UnknownValue,
            format!("`{}` has no value \"{}\"", field.name, shortened(&text)),
        ),
        (_, true) => (
            Code::OutOfRange,
            format!("`{}` = {} is out of range", field.name, shortened(&text)),
        ),
        (_, false) => (
            Code::WrongType,
            format!(
                "`{}` = {} has the wrong type",
                field.name,
                shown(&field.value, &text)
            ),
        ),
    };
    let mut write = format!("Write {}.", wrong.expected);
    if let Kind::Choice { words, .. } = &kind {
        // A number is a value of its own, not a slip of another.
        let near = nearest(&text, words.iter().copied());
        if let Some(near) = near.filter(|_| text.trim().len() > 2) {
            write = format!("Did you mean {near}? {write}");
        }
    }
    report
        .problem(code, field.value_span, message)
        .because(match (client, row.scope) {
            (_, Scope::Topic | Scope::Broker) | (Client::Java, _) => {
                "Kafka refuses it: org.apache.kafka.common.config.ConfigException."
            }
            (Client::Librdkafka, Scope::Producer | Scope::Consumer | Scope::Client) => {
                "librdkafka refuses it: rd_kafka_conf_set() returns RD_KAFKA_CONF_INVALID."
            }
        })
        .write(write);
    None
}

/// A value as a properties file would write it; `None`: it cannot.
fn text(value: &Scalar, kind: &Kind<'_>) -> Option<String> {
    match value {
        Scalar::Text(text) => Some(text.clone()),
        Scalar::Integer(number) => Some(number.to_string()),
        Scalar::Boolean(value) => Some(value.to_string()),
        Scalar::Float(number) => match kind {
            Kind::Decimal { .. } => Some(number.to_string()),
            Kind::Boolean { .. }
            | Kind::Integer { .. }
            | Kind::Choice { .. }
            | Kind::Acks
            | Kind::List { .. }
            | Kind::Text { .. } => None,
        },
        Scalar::Array(items) => match kind {
            Kind::List { .. } => {
                let word = |(item, _): &(Scalar, Span)| match item {
                    Scalar::Text(word) => Some(word.clone()),
                    Scalar::Integer(_)
                    | Scalar::Float(_)
                    | Scalar::Boolean(_)
                    | Scalar::Datetime
                    | Scalar::Array(_)
                    | Scalar::EmptyTable
                    | Scalar::Tables => None,
                };
                let words: Option<Vec<String>> = items.iter().map(word).collect();
                words.map(|words| words.join(","))
            }
            Kind::Boolean { .. }
            | Kind::Integer { .. }
            | Kind::Decimal { .. }
            | Kind::Choice { .. }
            | Kind::Acks
            | Kind::Text { .. } => None,
        },
        Scalar::Datetime | Scalar::EmptyTable | Scalar::Tables => None,
    }
}

/// Names of classes are the Java client's.
fn belongs_to(value: &str, client: Client) -> bool {
    let class = value.starts_with("org.apache.kafka.");
    let short = ["range", "roundrobin", "cooperative-sticky"].contains(&value);
    match client {
        Client::Java => !short,
        Client::Librdkafka => !class,
    }
}

/// Refuses a value that the model does not honour.
fn refuse_unmodelled(
    row: &'static Property,
    scope: Scope,
    versions: &Versions,
    value: &str,
    field: &Field,
    report: &mut Report,
) {
    let client = versions.library;
    let accepted: Vec<&str> = match row.class {
        Class::NoBearing => return,
        Class::NotYet => Vec::new(),
        Class::Modelled => match honoured(scope, row.canonical(client)) {
            Honoured::Resolved | Honoured::Any(_) => return,
            Honoured::Default => Vec::new(),
            Honoured::Only(values) => values.to_vec(),
        },
    };
    let default = default_of(row, scope, versions);
    let is_default = match &default {
        Some(default) => default == value,
        // A callback that is said not to be there, and a list of nothing.
        None => {
            let no_callback = value == "false" && row.name.ends_with("_cb");
            no_callback || value.is_empty() && matches!(row.kind(client), Kind::List { .. })
        }
    };
    let each_accepted = |value: &str| {
        let mut words = value.split(',').map(str::trim);
        words.all(|word| accepted.contains(&word))
    };
    if is_default || each_accepted(value) {
        return;
    }
    let what = format!("`{}` = {}", field.name, shown(&field.value, value));
    let problem = report.not_modelled(field.value_span, what);
    let why = format!("It bears on delivery: {}.", row.why);
    problem.because(why);
    match (default, accepted.as_slice()) {
        (_, [_, ..]) => {
            let own = |value: &&str| scope != Scope::Consumer || belongs_to(value, client);
            let values = super::report::alternatives(accepted.iter().copied().filter(own));
            problem.write(format!("Accepted: {values}."));
        }
        (Some(default), []) => {
            problem.write(format!("Accepted: its default, {default}."));
        }
        (None, []) => {
            problem.write("Leave it out.");
        }
    }
}

fn shown(value: &Scalar, text: &str) -> String {
    match value {
        Scalar::Text(_) | Scalar::Array(_) => format!("\"{}\"", shortened(text)),
        Scalar::Integer(_)
        | Scalar::Float(_)
        | Scalar::Boolean(_)
        | Scalar::Datetime
        | Scalar::EmptyTable
        | Scalar::Tables => text.to_owned(),
    }
}
