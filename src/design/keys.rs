//! Reads semel's own keys out of a table: each with its type, the rest reported as unknown.

mod unknown;

use std::ops::RangeInclusive;

use super::choices::Choice;
use super::diagnostic::Code;
use super::document::{Document, Field, Scalar};
use super::properties::Scope;
use super::report::{Report, alternatives, nearest};
use super::source::Span;
use super::table::Table;

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
            unknown::key(report, self.table, field);
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
    let is_wide = matches!(field.value, Scalar::Integer(number) if number > i128::from(*high));
    let expected = if *high == i64::MAX && !is_wide {
        format!("a whole number of at least {low}")
    } else {
        format!("a whole number from {low} to {high}")
    };
    let Scalar::Integer(number) = field.value else {
        wrong_type(report, field, &expected);
        return None;
    };
    if let Some(value) = i64::try_from(number).ok().filter(|own| range.contains(own)) {
        return Some(Stated {
            value,
            at: Some(field.value_span),
        });
    }
    let written = match report.source.slice(field.value_span) {
        "" => number.to_string(),
        written => shortened(written),
    };
    report
        .problem(
            Code::OutOfRange,
            field.value_span,
            format!("`{}` = {written} is out of range", field.name),
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
