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
    /// Where its parts come from, if it was written from other files.
    places: Arc<[Place]>,
}

/// A part of a text that says what stands in another file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub span: Span,
    /// The other file, and where in it.
    pub source: Source,
    pub origin: Span,
}

impl Source {
    pub fn new(file: &str, text: &str) -> Self {
        Source::written(file, text, Vec::new())
    }

    /// A text that was written from other files.
    pub fn written(file: &str, text: &str, places: Vec<Place>) -> Self {
        Source {
            named: Arc::new(NamedSource::new(file, Arc::from(text))),
            places: Arc::from(places),
        }
    }

    /// Where `span` comes from: a place in another file, or in this one.
    pub fn origin(&self, span: Span) -> (&Source, Span) {
        let around = |place: &&Place| place.span.start <= span.start && span.end <= place.span.end;
        let Some(place) = self.places.iter().find(around) else {
            return (self, span);
        };
        // Taken over letter by letter, each part has its own place.
        if self.slice(place.span) != place.source.slice(place.origin) {
            return (&place.source, place.origin);
        }
        let moved = |at: usize| place.origin.start + at - place.span.start;
        (
            &place.source,
            Span::from(moved(span.start)..moved(span.end)),
        )
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
