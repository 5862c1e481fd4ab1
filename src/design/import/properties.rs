//! Java's properties files: separators, escapes, continuation lines and comments as
//! `java.util.Properties` reads them; of a key that is there twice the last one counts.
//!
//! The text is taken as UTF-8. Java reads such files as ISO 8859-1, which is the same for every key and
//! value that Kafka has.

use java_properties::{LineContent, PropertiesIter};

use super::super::diagnostic::{Code, DesignError, Problem};
use super::super::source::{Source, Span};
use super::Entry;

/// The entries of the file, in its order.
pub(super) fn read(source: &Source) -> Result<Vec<Entry>, DesignError> {
    let text = without_comments(source.text());
    let mut entries = Vec::new();
    for line in PropertiesIter::new_with_encoding(text.as_bytes(), encoding_rs::UTF_8) {
        let line = line.map_err(|error| {
            let span = error
                .line_number()
                .map(|number| logical_line(source, number));
            let message = format!("this is no properties file: {error}");
            let mut problem = Problem::new(source, Code::Syntax, span, message);
            problem.write("Write key = value; a backslash is written twice.");
            DesignError::new(source, vec![problem])
        })?;
        let span = logical_line(source, line.line_number());
        let LineContent::KVPair(key, value) = line.consume_content() else {
            continue;
        };
        entries.push(Entry {
            key,
            value,
            source: source.clone(),
            span,
        });
    }
    Ok(entries)
}

/// The text with its comments blanked: whatever stands in them, they are no properties.
fn without_comments(text: &str) -> String {
    let mut goes_on = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_comment = !goes_on && line.trim_start().starts_with(['#', '!']);
        if is_comment {
            kept.push('\n');
            continue;
        }
        goes_on = continues(line);
        kept.push_str(line);
    }
    kept
}

/// Whether the line ends in a backslash that is not escaped itself.
fn continues(line: &str) -> bool {
    let line = line.trim_end_matches(['\r', '\n']);
    let slashes = line.len() - line.trim_end_matches('\\').len();
    slashes % 2 == 1
}

/// The line with this number, from 1, and those that continue it, without the blanks around.
fn logical_line(source: &Source, number: usize) -> Span {
    let mut start = 0;
    let mut lines = source.text().split_inclusive('\n');
    for line in lines.by_ref().take(number.saturating_sub(1)) {
        start += line.len();
    }
    let mut length = 0;
    for line in lines {
        length += line.len();
        if !continues(line) {
            break;
        }
    }
    let line = source.slice(Span::from(start..start + length));
    let blank = line.len() - line.trim_start().len();
    Span::from(start + blank..start + line.trim_end().len().max(blank))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, String, String)> {
        let source = Source::new("c.properties", text);
        let read = read(&source).expect("a properties file");
        let shown = |entry: Entry| {
            let place = source.slice(entry.span).to_owned();
            (entry.key, entry.value, place)
        };
        read.into_iter().map(shown).collect()
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pair = |(key, value, _)| (key, value);
        entries(text).into_iter().map(pair).collect()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn every_separator_of_java_is_read() {
        let text = "a=1\nb: 2\nc 3\nd = 4\n  e\t:\t5\n";
        let keys = ["a", "b", "c", "d", "e"];
        let values = ["1", "2", "3", "4", "5"];
        let expected: Vec<_> = keys
            .iter()
            .zip(values)
            .map(|(key, value)| pair(key, value))
            .collect();
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn a_continued_value_is_one_value_and_one_place() {
        let read =
            entries("x = 1\npartition.assignment.strategy = \\\n    one,\\\n    two\ny = 2\n");
        assert_eq!(read[1].1, "one,two");
        assert!(
            read[1].2.starts_with("partition") && read[1].2.ends_with("two"),
            "{:?}",
            read[1]
        );
        assert_eq!(read[2].2, "y = 2");
    }

    #[test]
    fn escapes_are_resolved_and_comments_are_not() {
        let text = "# C:\\users\\x\n! \\u12\nclient.id = a\\u0062\\tc\nkey\\ with\\:signs = 1\nc = d\\\n# no comment\n";
        assert_eq!(
            pairs(text),
            [
                pair("client.id", "ab\tc"),
                pair("key with:signs", "1"),
                pair("c", "d# no comment"),
            ]
        );
    }

    #[test]
    fn a_wrong_escape_is_shown_in_its_line() {
        let source = Source::new("c.properties", "a = 1\nb = \\uzzzz\n");
        let error = read(&source).expect_err("no digits");
        assert_eq!(error.problems()[0].position().map(|at| at.line), Some(2));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_more_than_wrong(text in "[a-c=:#!\\\\u0 \\n\\r\\té.$]{0,60}") {
            let source = Source::new("c.properties", &text);
            for entry in read(&source).unwrap_or_default() {
                proptest::prop_assert_eq!(source.clamp(entry.span), entry.span);
            }
        }
    }
}
