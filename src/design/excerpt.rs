//! The part of a design file that is shown beside a problem: a few lines, and no line as a whole
//! where it is long.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::source::{Source, Span};

/// How much of a line is shown, in characters, and how much of it may stand before the label.
const WIDTH: usize = 160;
const BEFORE: usize = 60;

/// How many lines a label may cover before it is cut to the first of them.
const MAX_LINES: usize = 5;

/// What is shown in place of what is cut.
const CUT: &str = "…";

/// Some lines of a design, cut to what can be read, and the label's place in them.
#[derive(Clone, Debug)]
pub(crate) struct Excerpt {
    file: String,
    text: String,
    /// The number of the first line, from 0.
    first_line: usize,
    label: Span,
    /// The label's column in the file, in characters from 0.
    column: usize,
}

impl Excerpt {
    /// The lines of `span`, and one more on each side.
    pub fn new(source: &Source, span: Span) -> Self {
        let whole = source.text();
        let span = label(whole, span);
        let start = line_start(whole, span.start);
        let end = line_end(whole, span.end);
        let mut excerpt = Excerpt {
            file: source.file().to_owned(),
            text: String::new(),
            first_line: whole[..start].matches('\n').count(),
            label: Span { start: 0, end: 0 },
            column: whole[start..span.start].chars().count(),
        };
        if start > 0 {
            let before = line_start(whole, start - 1);
            excerpt.first_line -= 1;
            excerpt.push_line(&whole[before..start - 1], None);
            excerpt.text.push('\n');
        }
        excerpt.labelled(&whole[start..end], span, start);
        if whole.len() > end {
            excerpt.text.push('\n');
            excerpt.push_line(&whole[end + 1..line_end(whole, end + 1)], None);
        } else {
            // A label behind the last character has to stand on something.
            excerpt.text.push(' ');
        }
        excerpt
    }

    pub fn label(&self) -> Span {
        self.label
    }

    /// Adds the lines that the label covers; `offset` is where they begin in the file.
    fn labelled(&mut self, lines: &str, span: Span, offset: usize) {
        let mut at = offset;
        for (index, line) in lines.split('\n').enumerate() {
            if index > 0 {
                self.text.push('\n');
            }
            let within = |place: usize| place.clamp(at, at + line.len()) - at;
            let own = Span::from(within(span.start)..within(span.end));
            let shown = self.push_line(line, Some(own));
            if index == 0 {
                self.label.start = shown.start;
            }
            self.label.end = shown.end;
            at += line.len() + 1;
        }
    }

    /// Adds a line, cut around `label`, and says where the label now stands.
    fn push_line(&mut self, line: &str, label: Option<Span>) -> Span {
        let label = label.unwrap_or(Span { start: 0, end: 0 });
        let length = line.chars().count();
        let column = line[..label.start].chars().count();
        let from = if length <= WIDTH {
            0
        } else {
            column.saturating_sub(BEFORE).min(length - WIDTH)
        };
        let place = |count: usize| line.char_indices().nth(count).map_or(line.len(), |at| at.0);
        let (start, end) = (place(from), place(from + WIDTH));
        if start > 0 {
            self.text.push_str(CUT);
        }
        let offset = self.text.len();
        self.text.push_str(&line[start..end]);
        if end < line.len() {
            self.text.push_str(CUT);
        }
        let shown = |at: usize| offset + at.clamp(start, end) - start;
        Span::from(shown(label.start)..shown(label.end))
    }
}

/// The label, cut to its first line where it covers many.
fn label(text: &str, span: Span) -> Span {
    let lines = text[span.start..span.end].matches('\n').count();
    Span {
        start: span.start,
        end: if lines < MAX_LINES {
            span.end
        } else {
            line_end(text, span.start)
        },
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Only the label's own column is told, and its line may have lost its beginning.
        let column = if span.offset() == self.label.start {
            self.column
        } else {
            inner.column()
        };
        let shown = MietteSpanContents::new_named(
            self.file.clone(),
            inner.data(),
            *inner.span(),
            self.first_line + inner.line(),
            column,
            inner.line_count(),
        );
        Ok(Box::new(shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, span: std::ops::Range<usize>) -> Excerpt {
        Excerpt::new(&Source::new("d.toml", text), Span::from(span))
    }

    fn labelled(excerpt: &Excerpt) -> &str {
        &excerpt.text[excerpt.label.start..excerpt.label.end]
    }

    #[test]
    fn a_label_stands_between_its_neighbouring_lines() {
        let shown = excerpt("a = 1\nb = 2\nc = 3\nd = 4\n", 12..13);
        assert_eq!(shown.text, "b = 2\nc = 3\nd = 4");
        assert_eq!((labelled(&shown), shown.first_line), ("c", 1));
    }

    #[test]
    fn a_long_line_is_cut_around_its_label() {
        let line = format!("x = \"{}ä{}\"", "p".repeat(5_000), "q".repeat(5_000));
        let shown = excerpt(&line, 5_005..5_007);
        assert_eq!(labelled(&shown), "ä");
        assert!(shown.text.chars().count() <= WIDTH + 3, "{}", shown.text);
        assert!(shown.text.starts_with(CUT) && shown.text.trim_end().ends_with(CUT));
        let all = excerpt(&line, 0..line.len());
        assert!(all.text.len() < 200 && labelled(&all).starts_with("x = "));
    }

    #[test]
    fn a_label_over_many_lines_is_cut_to_the_first() {
        let text = format!("a = [\n{}]\n", "  1,\n".repeat(1_000));
        let shown = excerpt(&text, 4..text.len() - 1);
        assert_eq!(labelled(&shown), "[");
        assert!(shown.text.lines().count() <= 3);
    }

    #[test]
    fn a_label_behind_the_end_has_a_place() {
        let shown = excerpt("[application", 12..12);
        assert_eq!(
            (shown.text.as_str(), shown.label.start),
            ("[application ", 12)
        );
    }
}
