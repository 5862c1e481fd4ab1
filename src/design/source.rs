//! The text of a design file: where it came from, and where in it something stands.

use std::path::Path;
use std::sync::Arc;

use miette::NamedSource;

/// The largest design file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// A half-open range of bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Span {
            start: range.start,
            end: range.end,
        }
    }
}

/// A place in a design file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A design file's name and text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    named: Arc<NamedSource<Arc<str>>>,
}

impl Source {
    pub fn new(file: &str, text: &str) -> Self {
        Source {
            named: Arc::new(NamedSource::new(file, Arc::from(text)).with_language("toml")),
        }
    }

    pub fn file(&self) -> &str {
        self.named.name()
    }

    pub fn text(&self) -> &str {
        self.named.inner()
    }

    pub fn named(&self) -> &NamedSource<Arc<str>> {
        &self.named
    }

    /// The text of `span`; nothing where it does not lie on characters of this text.
    pub fn slice(&self, span: Span) -> &str {
        self.text().get(span.start..span.end).unwrap_or("")
    }

    /// The design's name where it states none: the file's name without directory and extension.
    pub fn stem(&self) -> &str {
        Path::new(self.file())
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|stem| !stem.is_empty())
            .unwrap_or("design")
    }

    /// `span` cut to this text and to whole characters, so that it can be labelled.
    pub fn clamp(&self, span: Span) -> Span {
        let text = self.text();
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(span.start);
        Span {
            start,
            end: floor(span.end).max(start),
        }
    }

    /// The line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let before = &self.text()[..self.clamp(Span::from(offset..offset)).start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_start_at_one() {
        let source = Source::new("d.toml", "a\nä = 1\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(4), Position { line: 2, column: 2 });
        assert_eq!(source.position(999), Position { line: 3, column: 1 });
    }

    #[test]
    fn a_name_without_stem_still_names_the_design() {
        assert_eq!(Source::new("dir/pay.v2.toml", "").stem(), "pay.v2");
        assert_eq!(Source::new("", "").stem(), "design");
        assert_eq!(Source::new("..", "").stem(), "design");
    }
}
