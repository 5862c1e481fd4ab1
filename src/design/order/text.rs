//! Where a part of an order stands in the file, whose text TOML has quotes and escapes around.

use super::super::source::{Source, Span};

/// Maps places in the order's text to places in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderText {
    /// The whole value, with its quotes.
    whole: Span,
    /// Where the text begins in the file; `None` where escapes make the two differ.
    start: Option<usize>,
}

impl OrderText {
    pub fn new(source: &Source, whole: Span, text: &str) -> Self {
        let raw = source.slice(whole);
        let quotes = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quotes| raw.starts_with(quotes))
            .map_or(0, str::len);
        let inner = raw.get(quotes..).unwrap_or("");
        // TOML drops a line's end that follows the opening quotes.
        let skipped = match quotes {
            3 if inner.starts_with("\r\n") => 2,
            3 if inner.starts_with('\n') => 1,
            _ => 0,
        };
        let exact = inner
            .get(skipped..)
            .is_some_and(|inner| inner.len() == text.len() + quotes && inner.starts_with(text));
        OrderText {
            whole,
            start: exact.then_some(whole.start + quotes + skipped),
        }
    }

    /// Where `part` of the order's text stands in the file.
    pub fn place(&self, part: Span) -> Span {
        match self.start {
            Some(start) => Span {
                start: start + part.start,
                end: start + part.end,
            },
            None => self.whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(file: &str, text: &str, part: &str) -> String {
        let source = Source::new("d.toml", file);
        let whole = Span::from(file.find(['"', '\'']).unwrap()..file.len());
        let at = text.find(part).unwrap();
        let place = OrderText::new(&source, whole, text).place(Span::from(at..at + part.len()));
        source.slice(place).to_owned()
    }

    #[test]
    fn a_step_is_found_behind_each_kind_of_quote() {
        let text = "process -> commit";
        assert_eq!(
            placed("o = \"process -> commit\"", text, "commit"),
            "commit"
        );
        assert_eq!(placed("o = 'process -> commit'", text, "commit"), "commit");
        assert_eq!(
            placed("o = '''process -> commit'''", text, "commit"),
            "commit"
        );
        assert_eq!(
            placed("o = \"\"\"\nprocess -> commit\"\"\"", text, "commit"),
            "commit"
        );
    }

    #[test]
    fn with_escapes_the_whole_value_is_shown() {
        let file = "o = \"process\\t-> commit\"";
        assert_eq!(placed(file, "process\t-> commit", "commit"), &file[4..]);
    }
}
