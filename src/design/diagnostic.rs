//! What is wrong with a design, said so that it can be mended.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use thiserror::Error;

use super::excerpt::Excerpt;
use super::kinds::kinds;
use super::source::{Position, Source, Span};

kinds! {
    /// The kind of a [`Problem`].
    Code:
    Unreadable = "unreadable", "the file cannot be read";
    TooLarge = "too-large", "the file is larger than a design may be";
    NotUtf8 = "not-utf-8", "the file is not UTF-8 text";
    Empty = "empty", "the file holds no design";
    Syntax = "syntax", "the file is not TOML";
    TooDeep = "too-deep", "tables, arrays or groups are nested too deeply";
    UnknownKey = "unknown-key", "no such key, table or property";
    Misplaced = "misplaced", "the key exists, but not here";
    OtherClient = "other-client", "the property belongs to the other client";
    WrongType = "wrong-type", "the value has the wrong type";
    OutOfRange = "out-of-range", "the number is out of range";
    UnknownValue = "unknown-value", "no such value";
    Missing = "missing", "something that a design must state is not there";
    Repeated = "repeated", "the same thing is stated twice";
    Contradiction = "contradiction", "two statements cannot both hold";
    RefusedByKafka = "refused-by-kafka", "the client or the broker refuses the setting";
    OrderSyntax = "order-syntax", "the order cannot be read";
    OrderRule = "order-rule", "the order cannot be built";
    NotModelled = "not-modelled", "the statement is understood, and is not modelled yet";
}

/// One thing that is wrong with a design.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct Problem {
    code: Code,
    message: String,
    label: String,
    why: Option<String>,
    instead: Option<String>,
    span: Option<Span>,
    excerpt: Option<Excerpt>,
    design: Source,
}

impl Problem {
    pub(crate) fn new(source: &Source, code: Code, span: Option<Span>, message: String) -> Self {
        let (source, span) = match span.map(|span| source.origin(span)) {
            Some((source, span)) => (source, Some(source.clamp(span))),
            None => (source, None),
        };
        Problem {
            code,
            message,
            label: String::from("here"),
            why: None,
            instead: None,
            span,
            excerpt: span.map(|span| Excerpt::new(source, span)),
            design: source.clone(),
        }
    }

    pub(crate) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    pub(crate) fn because(&mut self, why: impl Into<String>) -> &mut Self {
        self.why = Some(why.into());
        self
    }

    pub(crate) fn write(&mut self, instead: impl Into<String>) -> &mut Self {
        self.instead = Some(instead.into());
        self
    }

    /// The kind of problem.
    pub fn kind(&self) -> Code {
        self.code
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Why it is wrong: the rule, and for a client's own refusal the class of its exception.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// What to write instead.
    pub fn instead(&self) -> Option<&str> {
        self.instead.as_deref()
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        self.design.file()
    }

    /// Where the offending text begins; `None` where the file could not be read as text.
    pub fn position(&self) -> Option<Position> {
        self.span.map(|span| self.design.position(span.start))
    }

    /// The offending text.
    pub fn offending(&self) -> &str {
        self.span.map_or("", |span| self.design.slice(span))
    }
}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let text = match (&self.why, &self.instead) {
            (None, None) => return None,
            (Some(text), None) | (None, Some(text)) => text.clone(),
            (Some(why), Some(instead)) => format!("{why}\n{instead}"),
        };
        Some(Box::new(text))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|own| own as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.excerpt.as_ref()?.label();
        Some(Box::new(std::iter::once(LabeledSpan::new(
            Some(self.label.clone()),
            span.start,
            span.end - span.start,
        ))))
    }
}

/// Everything that is wrong with a design: at least one problem, in the order of the file.
#[derive(Clone, Debug, Error)]
#[error("{}", summary(file, problems.len(), *left_out))]
pub struct DesignError {
    file: String,
    problems: Vec<Problem>,
    left_out: usize,
}

/// How many problems of one file are told.
const MAX_PROBLEMS: usize = 50;

fn summary(file: &str, told: usize, left_out: usize) -> String {
    match (told, left_out) {
        (1, 0) => format!("{file}: the design has a problem"),
        (told, 0) => format!("{file}: the design has {told} problems"),
        (told, left_out) => {
            let all = told + left_out;
            format!("{file}: the design has {all} problems; the first {told} are told")
        }
    }
}

impl DesignError {
    pub(crate) fn new(source: &Source, mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|one, other| {
            let place = |problem: &Problem| problem.span.map(|span| span.start);
            let file = one.file().cmp(other.file());
            file.then_with(|| place(one).cmp(&place(other)))
        });
        let left_out = problems.len().saturating_sub(MAX_PROBLEMS);
        problems.truncate(MAX_PROBLEMS);
        DesignError {
            file: source.file().to_owned(),
            problems,
            left_out,
        }
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The same, of the file that the design was written from.
    pub(crate) fn of_file(self, file: &str) -> Self {
        DesignError {
            file: file.to_owned(),
            ..self
        }
    }

    /// What is wrong, in the order of the file; at most the first 50.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What is wrong, with the lines that it is about; in colours, for a terminal.
    pub(crate) fn rendered(&self, coloured: bool) -> String {
        let theme = match coloured {
            true => GraphicalTheme::unicode(),
            false => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
        let mut rendered = String::new();
        match handler.render_report(&mut rendered, self) {
            Ok(()) => rendered,
            Err(_) => self.to_string(),
        }
    }

    /// Whether the file could not be read at all, which is no fault of the design.
    pub fn is_unreadable(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.code == Code::Unreadable)
    }
}

impl Diagnostic for DesignError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(
            self.problems
                .iter()
                .map(|problem| problem as &dyn Diagnostic),
        ))
    }
}
