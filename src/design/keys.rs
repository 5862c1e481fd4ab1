//! Reads semel's own keys out of a table: each with its type, the rest reported as unknown.

use std::ops::RangeInclusive;

use super::choices::Choice;
use super::diagnostic::Code;
use super::document::{Document, Field, Scalar};
use super::properties::{Lookup, Scope, look_up};
use super::report::{Report, alternatives, nearest};
use super::source::Span;
use super::table::{OWN_KEYS, Table, own_keys};

use semel_models::pipeline::Client;

/// A value and where it is stated; without a place it is the default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stated<T> {
    pub value: T,
    /// The key and the value.
    pub at: Option<Span>,
}

impl<T> Stated<T> {
    pub fn default(value: T) -> Self {
        Stated { value, at: None }
    }

    pub fn is_stated(&self) -> bool {
        self.at.is_some()
    }
}

/// The keys of one table that have not been read yet.
pub(crate) struct Keys<'d> {
    table: Table,
    fields: Vec<&'d Field>,
}

impl<'d> Keys<'d> {
    pub fn new(document: &'d Document, table: Table, report: &mut Report) -> Self {
        let mut fields: Vec<&Field> = Vec::new();
        for field in document.fields(table) {
            if fields.iter().any(|other| other.name == field.name) {
                repeated(report, table, field);
            } else {
                fields.push(field);
            }
        }
        Keys { table, fields }
    }

    /// The key, if it is stated.
    pub fn take(&mut self, name: &str) -> Option<&'d Field> {
        let at = self.fields.iter().position(|field| field.name == name)?;
        Some(self.fields.remove(at))
    }

    /// One of a few words; the default where it is left out, or is none of them.
    pub fn choice<T: Choice>(&mut self, name: &str, default: T, report: &mut Report) -> Stated<T> {
        let Some(field) = self.take(name) else {
            return Stated::default(default);
        };
        let words = || T::ALL.iter().map(|choice| choice.name());
        let Scalar::Text(text) = &field.value else {
            let quoted: Vec<String> = words().map(|word| format!("\"{word}\"")).collect();
            let expected = alternatives(quoted.iter().map(String::as_str));
            wrong_type(report, field, &expected);
            return Stated::default(default);
        };
        if let Some(value) = T::ALL.iter().find(|choice| choice.name() == text) {
            return Stated {
                value: *value,
                at: Some(field.value_span),
            };
        }
        let write = match nearest(text, words()) {
            Some(near) => format!("Did you mean \"{near}\"?"),
            None => format!("Write {}.", alternatives(words())),
        };
        report
            .problem(
                Code::UnknownValue,
                field.value_span,
                format!("`{name}` has no value \"{}\"", shortened(text)),
            )
            .label("no such value")
            .write(write);
        Stated::default(default)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str, default: bool, report: &mut Report) -> Stated<bool> {
        let Some(field) = self.take(name) else {
            return Stated::default(default);
        };
        match field.value {
            Scalar::Boolean(value) => Stated {
                value,
                at: Some(field.value_span),
            },
            _ => {
                wrong_type(report, field, "true or false");
                Stated::default(default)
            }
        }
    }

    /// A whole number of a range; `None` where it is left out or wrong.
    pub fn integer(
        &mut self,
        name: &str,
        range: RangeInclusive<i64>,
        why: &str,
        report: &mut Report,
    ) -> Option<Stated<i64>> {
        let field = self.take(name)?;
        integer(field, range, why, report)
    }

    /// A text.
    pub fn text(&mut self, name: &str, report: &mut Report) -> Option<Stated<&'d str>> {
        let field = self.take(name)?;
        match &field.value {
            Scalar::Text(text) => Some(Stated {
                value: text,
                at: Some(field.value_span),
            }),
            _ => {
                wrong_type(report, field, "a string");
                None
            }
        }
    }

    /// Reports what was not read.
    pub fn finish(self, report: &mut Report) {
        for field in self.fields {
            unknown(report, self.table, field);
        }
    }
}

/// A whole number of a range.
pub(crate) fn integer(
    field: &Field,
    range: RangeInclusive<i64>,
    why: &str,
    report: &mut Report,
) -> Option<Stated<i64>> {
    let (low, high) = (range.start(), range.end());
    let expected = if *high == i64::MAX {
        format!("a whole number of at least {low}")
    } else {
        format!("a whole number from {low} to {high}")
    };
    let Scalar::Integer(number) = field.value else {
        wrong_type(report, field, &expected);
        return None;
    };
    if range.contains(&number) {
        return Some(Stated {
            value: number,
            at: Some(field.value_span),
        });
    }
    report
        .problem(
            Code::OutOfRange,
            field.value_span,
            format!("`{}` = {number} is out of range", field.name),
        )
        .label("out of range")
        .because(why)
        .write(format!("Write {expected}."));
    None
}

pub(crate) fn wrong_type(report: &mut Report, field: &Field, expected: &str) {
    report
        .problem(
            Code::WrongType,
            field.value_span,
            format!("`{}` is {}", shortened(&field.name), field.value.describe()),
        )
        .label("wrong type")
        .write(format!("Write {expected}."));
}

pub(crate) fn repeated(report: &mut Report, table: Table, field: &Field) {
    report
        .problem(
            Code::Repeated,
            field.name_span,
            format!(
                "`{}` is stated twice {}",
                shortened(&field.name),
                table.place()
            ),
        )
        .label("stated again")
        .because("Dotted, quoted and nested keys are one and the same name.")
        .write("Keep one of the two.");
}

/// A key of one of semel's own tables that it does not have.
fn unknown(report: &mut Report, table: Table, field: &Field) {
    let name = field.name.as_str();
    if let Some((place, _)) = OWN_KEYS.iter().find(|(_, key)| *key == name) {
        let message = format!("`{name}` does not belong {}", table.place());
        report
            .problem(Code::Misplaced, field.name_span, message)
            .label("belongs elsewhere")
            .write(format!("Write it {}.", place.place()));
        return;
    }
    let kafka = [
        Scope::Producer,
        Scope::Consumer,
        Scope::Topic,
        Scope::Broker,
    ]
    .into_iter()
    .find_map(|scope| match look_up(Client::Java, scope, name) {
        Lookup::Found(row) | Lookup::OtherClient(row) => Some(row.scope),
        Lookup::Elsewhere(_) | Lookup::Unknown => None,
    });
    if let Some(scope) = kafka {
        let message = format!(
            "`{name}` is a property of Kafka and does not belong {}",
            table.place()
        );
        report
            .problem(Code::Misplaced, field.name_span, message)
            .label("belongs elsewhere")
            .write(format!("Write it in {}.", kafka_place(scope)));
        return;
    }
    let near = nearest(name, own_keys(table));
    let write = match near {
        Some(near) => format!("Did you mean `{near}`?"),
        None => {
            let anywhere = nearest(name, OWN_KEYS.iter().map(|(_, key)| *key));
            match anywhere.and_then(|key| OWN_KEYS.iter().find(|(_, own)| *own == key)) {
                Some((place, key)) => format!("Did you mean `{key}`, {}?", place.place()),
                None => format!(
                    "Its keys are {}.",
                    alternatives(own_keys(table)).replace(" or ", " and ")
                ),
            }
        }
    };
    report
        .problem(
            Code::UnknownKey,
            field.name_span,
            format!("there is no key `{}` {}", shortened(name), table.place()),
        )
        .label("no such key")
        .write(write);
}

/// Where a property of this scope is written.
pub(crate) fn kafka_place(scope: Scope) -> &'static str {
    match scope {
        Scope::Producer => "[producer]",
        Scope::Consumer => "[consumer]",
        Scope::Client => "[producer] or [consumer]",
        Scope::Topic => "[topic]",
        Scope::Broker => "[broker]",
    }
}

/// What a message repeats of a text of any length.
pub(crate) fn shortened(text: &str) -> String {
    const MAX: usize = 60;
    let mut short: String = text.chars().take(MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace(|c: char| c.is_control(), " ")
}
