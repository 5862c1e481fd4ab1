//! What a design says, or leaves unsaid, that its author would want to hear about.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};
use thiserror::Error;

use super::kinds::kinds;
use super::source::{Position, Source, Span};

kinds! {
    /// The kind of a [`Warning`].
    WarningKind:
    ResolvedByClient = "resolved-by-client", "the client silently resolves a setting to another value";
    UnsafeDefault = "unsafe-default", "a default is in force that loses, repeats or reorders records";
    BothCommit = "both-commit", "automatic commit and the order's own commits both act";
    NothingCommits = "nothing-commits", "nothing ever commits an offset";
    DeadStep = "dead-step", "a step of the order does nothing";
    NoEffect = "no-effect", "a statement has no bearing on this design";
    DefaultFaults = "default-faults", "no faults are stated: the default ones are in force";
    NoFaults = "no-faults", "the budgets allow no fault at all";
    Hazard = "hazard", "a combination of settings that loses, repeats or blocks by its nature";
    Vacuous = "vacuous", "a required guarantee cannot be violated within the bound";
    Assumed = "assumed", "what is left open was taken for granted";
    NotCovered = "not-covered", "a framework does more than the model has";
    OpenRace = "open-race", "the client has a known race that the model does not contain";
}

/// A warning about a design that is nevertheless judged.
#[derive(Clone, Debug, Error)]
#[error("{text}")]
pub struct Warning {
    kind: WarningKind,
    text: String,
    span: Option<Span>,
    design: Source,
}

impl Warning {
    pub(crate) fn new(
        source: &Source,
        kind: WarningKind,
        span: Option<Span>,
        text: String,
    ) -> Self {
        let (source, span) = match span.map(|span| source.origin(span)) {
            Some((source, span)) => (source, Some(source.clamp(span))),
            None => (source, None),
        };
        Warning {
            kind,
            text,
            span,
            design: source.clone(),
        }
    }

    /// The kind of warning.
    pub fn kind(&self) -> WarningKind {
        self.kind
    }

    /// The warning in whole sentences.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        self.design.file()
    }

    /// Where the text that it concerns begins; `None` where it concerns something left out.
    pub fn position(&self) -> Option<Position> {
        self.span.map(|span| self.design.position(span.start))
    }

    /// The text that it concerns.
    pub fn concerned(&self) -> &str {
        self.span.map_or("", |span| self.design.slice(span))
    }
}

impl Diagnostic for Warning {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.kind))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Warning)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span?;
        Some(self.design.named())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span?;
        Some(Box::new(std::iter::once(LabeledSpan::new(
            None,
            span.start,
            span.end - span.start,
        ))))
    }
}
