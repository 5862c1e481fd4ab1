//! Verdicts as people and programs read them: one file a format.

pub(crate) mod catalogue;
mod diagram;
pub(crate) mod explorer;
mod github;
pub(crate) mod html;
mod itf;
pub(crate) mod json;
mod junit;
mod lifelines;
pub(crate) mod map;
pub(crate) mod markdown;
pub(crate) mod matrix;
mod mermaid;
pub(crate) mod replay;
mod story;
pub(crate) mod suggest;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod words;

use crate::verdict::Verdicts;
use std::io::{self, Write};
use text::Detail;

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: everything there is.
    Json,
    /// For a pull request or an issue.
    Markdown,
    /// A sequence diagram of each shortest run.
    Mermaid,
    /// For a build server.
    Junit,
    /// For GitHub Actions: annotations of the design's file.
    Github,
    /// For viewers of the Informal Trace Format: one shortest run, state by state.
    Itf,
}

impl Format {
    /// Every format.
    pub(crate) const ALL: [Format; 7] = [
        Format::Text,
        Format::Json,
        Format::Markdown,
        Format::Mermaid,
        Format::Junit,
        Format::Github,
        Format::Itf,
    ];

    /// The format's name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Markdown => "markdown",
            Format::Mermaid => "mermaid",
            Format::Junit => "junit",
            Format::Github => "github",
            Format::Itf => "itf",
        }
    }

    /// Whether the format has a place for changes that would mend a design.
    pub(crate) fn tells_mends(self) -> bool {
        match self {
            Format::Text | Format::Markdown => true,
            Format::Json | Format::Mermaid | Format::Junit | Format::Github | Format::Itf => false,
        }
    }
}

/// Verdicts in one format.
pub(crate) trait Report {
    /// Takes the verdicts on one more design; a format that need not wait for the others writes
    /// them.
    fn add(&mut self, out: &mut dyn Write, verdicts: Verdicts) -> io::Result<()>;

    /// Hears that only a part of the designs was to be added.
    fn is_part(&mut self, _: json::Part) {}

    /// Writes what is left when the last design has been added.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// A report of verdicts in `format`.
pub(crate) fn verdicts(format: Format, detail: Detail) -> Box<dyn Report> {
    match format {
        Format::Text => Box::new(text::Text {
            detail,
            is_first: true,
        }),
        Format::Json => Box::new(json::Json::default()),
        Format::Markdown => Box::new(markdown::Markdown { is_first: true }),
        Format::Mermaid => Box::new(mermaid::Mermaid { is_first: true }),
        Format::Junit => Box::new(junit::Junit::default()),
        Format::Github => Box::new(github::Github),
        Format::Itf => Box::new(itf::Itf::default()),
    }
}
