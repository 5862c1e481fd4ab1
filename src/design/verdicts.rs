//! `require` and `[expect]`: what the verdicts are held against.

use semel_models::guarantee::Guarantee;

use super::choices::{Choice, Verdict};
use super::diagnostic::Code;
use super::document::{Document, Field, Scalar};
use super::keys::{Keys, repeated, shortened, wrong_type};
use super::report::{Report, enumeration, nearest};
use super::source::Span;
use super::table::Table;

/// The verdict that a design expects of a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// It holds.
    Holds,
    /// It is violated.
    Violated,
}

/// The guarantees that are required, in the order of the design.
pub(crate) fn required(keys: &mut Keys<'_>, report: &mut Report) -> Vec<Guarantee> {
    let Some(field) = keys.take("require") else {
        return Vec::new();
    };
    let Scalar::Array(items) = &field.value else {
        wrong_type(report, field, "a list, such as require = [\"no-loss\"]");
        return Vec::new();
    };
    let mut found = Vec::new();
    for (item, span) in items {
        let Scalar::Text(name) = item else {
            report
                .problem(
                    Code::WrongType,
                    *span,
                    format!("`require` lists names, not {}", item.describe()),
                )
                .write("Write, for instance, \"no-loss\".");
            continue;
        };
        let Some(guarantee) = guarantee(name, *span, report) else {
            continue;
        };
        if found.contains(&guarantee) {
            report
                .problem(
                    Code::Repeated,
                    *span,
                    format!("`{guarantee}` is required twice"),
                )
                .write("Keep one of the two.");
        } else {
            found.push(guarantee);
        }
    }
    found
}

/// The verdicts that are expected, in the order of the design.
pub(crate) fn expected(document: &Document, report: &mut Report) -> Vec<(Guarantee, Expected)> {
    let mut found: Vec<(Guarantee, Expected)> = Vec::new();
    for field in document.fields(Table::Expect) {
        let Some(guarantee) = guarantee(&field.name, field.name_span, report) else {
            continue;
        };
        let Some(verdict) = verdict(field, report) else {
            continue;
        };
        if found.iter().any(|(other, _)| *other == guarantee) {
            repeated(report, Table::Expect, field);
        } else {
            found.push((guarantee, verdict));
        }
    }
    found
}

/// A design is held against the one or the other.
pub(crate) fn not_both(document: &Document, report: &mut Report) {
    let require = document
        .fields(Table::Root)
        .iter()
        .find(|field| field.name == "require");
    let expect = document.section(Table::Expect);
    if let (Some(_), Some(expect)) = (require, expect) {
        report
            .problem(
                Code::Contradiction,
                expect.span,
                "`require` and [expect] stand in one design",
            )
            .because("A required guarantee must hold; an expected one may be expected to be violated. Where both speak, it is not said which of them decides.")
            .write("Keep one: in [expect], what is required reads guarantee = \"holds\".");
    }
}

fn guarantee(name: &str, span: Span, report: &mut Report) -> Option<Guarantee> {
    let found = Guarantee::ALL
        .into_iter()
        .find(|guarantee| guarantee.name() == name);
    if found.is_none() {
        let names = Guarantee::ALL.map(Guarantee::name);
        report
            .problem(
                Code::UnknownValue,
                span,
                format!("there is no guarantee `{}`", shortened(name)),
            )
            .label("no such guarantee")
            .write(match nearest(name, names) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("The guarantees are {}.", enumeration(names)),
            });
    }
    found
}

fn verdict(field: &Field, report: &mut Report) -> Option<Expected> {
    let text = match &field.value {
        Scalar::Text(text) => text.as_str(),
        Scalar::Integer(_)
        | Scalar::Float(_)
        | Scalar::Boolean(_)
        | Scalar::Datetime
        | Scalar::Array(_)
        | Scalar::EmptyTable
        | Scalar::Tables => {
            wrong_type(report, field, "\"holds\" or \"violated\"");
            return None;
        }
    };
    let found = Verdict::ALL.iter().find(|verdict| verdict.name() == text);
    match found {
        Some(Verdict::Holds) => Some(Expected::Holds),
        Some(Verdict::Violated) => Some(Expected::Violated),
        None => {
            let message = format!(
                "`{}` is not a verdict that can be expected",
                shortened(text)
            );
            report
                .problem(Code::UnknownValue, field.value_span, message)
                .write("Write \"holds\" or \"violated\".");
            None
        }
    }
}
