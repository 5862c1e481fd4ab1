//! YAML as Spring Boot reads it: each document flattened to dotted keys.
//!
//! Boot reads YAML 1.1 (SnakeYAML): `yes`, `on`, `no` and `off` are truth values, numbers may have
//! underscores. Anchors, aliases and merge keys are resolved. A key that a mapping has twice is refused,
//! as Boot refuses it.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::super::diagnostic::{Code, DesignError, Problem};
use super::super::source::{Source, Span};
use super::Entry;

/// How many values a file may have once its aliases are resolved.
const MAX_VALUES: usize = 20_000;

/// How deep mappings may be nested.
const MAX_DEPTH: usize = 60;

/// A value and where it stands.
#[derive(Clone, Debug)]
struct Node {
    value: Value,
    span: Span,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// The documents of the file, each with its entries.
pub(super) fn read(source: &Source) -> Result<Vec<Vec<Entry>>, DesignError> {
    let mut reader = Reader {
        events: Parser::new_from_str(source.text()),
        bytes: byte_offsets(source.text()),
        anchors: Vec::new(),
        values: 0,
        source,
    };
    let mut documents = Vec::new();
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::DocumentStart(_), _) => {
                let first = reader.next()?;
                let node = reader.node(first, 0)?;
                let mut entries = Vec::new();
                flatten(&node, String::new(), source, &mut entries);
                documents.push(entries);
            }
            _ => {}
        }
    }
}

/// The parser counts characters; a place is in bytes.
fn byte_offsets(text: &str) -> Vec<usize> {
    let starts = text.char_indices().map(|(at, _)| at);
    starts.chain([text.len()]).collect()
}

struct Reader<'s> {
    events: Parser<'s, saphyr_parser::StrInput<'s>>,
    bytes: Vec<usize>,
    /// What aliases stand for, by the parser's number of their anchor.
    anchors: Vec<(usize, Node)>,
    values: usize,
    source: &'s Source,
}

impl<'s> Reader<'s> {
    fn next(&mut self) -> Result<(Event<'s>, Span), DesignError> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                let span = Span::from(self.byte(span.start.index())..self.byte(span.end.index()));
                Ok((event, span))
            }
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, Span::from(0..0))),
        }
    }

    fn byte(&self, index: usize) -> usize {
        let last = self.bytes.last().copied().unwrap_or(0);
        self.bytes.get(index).copied().unwrap_or(last)
    }

    fn syntax(&self, error: &ScanError) -> DesignError {
        let at = self.byte(error.marker().index());
        let message = format!("this is not YAML: {}", error.info());
        let mut problem =
            Problem::new(self.source, Code::Syntax, Some(Span::from(at..at)), message);
        problem.write("Write key: value, one a line, and nested keys further to the right, with blanks and no tabs.");
        DesignError::new(self.source, vec![problem])
    }

    fn refuse(&self, code: Code, span: Span, message: &str, write: &str) -> DesignError {
        let mut problem = Problem::new(self.source, code, Some(span), message.to_owned());
        problem.write(write);
        DesignError::new(self.source, vec![problem])
    }

    fn node(
        &mut self,
        (event, span): (Event<'s>, Span),
        depth: usize,
    ) -> Result<Node, DesignError> {
        self.values += 1;
        if self.values > MAX_VALUES || depth > MAX_DEPTH {
            return Err(self.refuse(
                Code::TooLarge,
                span,
                "the file has more values, or is nested more deeply, than settings are",
                "Name the file with the service's settings.",
            ));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, Value::Text(plain(&text, style))),
            Event::SequenceStart(anchor, _) => (anchor, self.list(depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.map(depth)?),
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => (0, Value::Text(String::new())),
        };
        let node = Node { value, span };
        if anchor > 0 {
            self.anchors.push((anchor, node.clone()));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, DesignError> {
        let found = self.anchors.iter().rev().find(|(own, _)| *own == anchor);
        let Some((_, node)) = found else {
            return Err(self.refuse(
                Code::Syntax,
                span,
                "the alias stands for a value that it is part of",
                "Write the value in its place.",
            ));
        };
        let node = node.clone();
        self.values += size(&node);
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, DesignError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, DesignError> {
        let mut pairs: Vec<(Node, Node)> = Vec::new();
        let mut merged: Vec<(Node, Node)> = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => break,
                event => self.node(event, depth + 1)?,
            };
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if name(&key) == "<<" {
                merge(value, &mut merged);
            } else if pairs.iter().any(|(own, _)| name(own) == name(&key)) {
                return Err(self.refuse(
                    Code::Repeated,
                    key.span,
                    &format!("`{}` stands twice in one mapping", name(&key)),
                    "Keep one of the two: Spring Boot does not start with both.",
                ));
            } else {
                pairs.push((key, value));
            }
        }
        merged.retain(|(key, _)| !pairs.iter().any(|(own, _)| name(own) == name(key)));
        pairs.extend(merged);
        Ok(Value::Map(pairs))
    }
}

/// What `<<` brings into a mapping.
fn merge(value: Node, into: &mut Vec<(Node, Node)>) {
    match value.value {
        Value::Map(pairs) => into.extend(pairs),
        Value::List(nodes) => nodes.into_iter().for_each(|node| merge(node, into)),
        Value::Text(_) => {}
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Text(_) => 1,
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(pairs) => 1 + pairs.iter().map(|(_, value)| size(value)).sum::<usize>(),
    }
}

fn name(key: &Node) -> &str {
    match &key.value {
        Value::Text(text) => text,
        Value::List(_) | Value::Map(_) => "",
    }
}

/// A plain scalar is what YAML 1.1 takes it for.
fn plain(text: &str, style: ScalarStyle) -> String {
    if style != ScalarStyle::Plain {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let same_case = text == lower || text == text.to_ascii_uppercase() || {
        let mut letters = lower.chars();
        let capital = letters.next().map(|first| first.to_ascii_uppercase());
        text.starts_with(|first| Some(first) == capital) && text[1..] == lower[1..]
    };
    match lower.as_str() {
        "yes" | "on" | "true" if same_case => String::from("true"),
        "no" | "off" | "false" if same_case => String::from("false"),
        "~" | "null" => String::new(),
        number if is_number(number) => number.replace('_', ""),
        _ => text.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '_')
}

/// The entries of a document: the keys of nested mappings joined by dots, lists joined by commas.
fn flatten(node: &Node, prefix: String, source: &Source, into: &mut Vec<Entry>) {
    let mut add = |key: String, value: String| {
        into.push(Entry {
            key,
            value,
            source: source.clone(),
            span: node.span,
        });
    };
    match &node.value {
        Value::Text(text) if !prefix.is_empty() => add(prefix, text.clone()),
        Value::Text(_) => {}
        Value::List(items) => {
            let text = |item: &Node| match &item.value {
                Value::Text(text) => Some(text.clone()),
                Value::List(_) | Value::Map(_) => None,
            };
            match items.iter().map(text).collect::<Option<Vec<String>>>() {
                Some(words) => add(prefix, words.join(",")),
                None => {
                    for (index, item) in items.iter().enumerate() {
                        flatten(item, format!("{prefix}[{index}]"), source, into);
                    }
                }
            }
        }
        Value::Map(pairs) => {
            for (key, value) in pairs {
                let name = name(key);
                let joined = match (prefix.is_empty(), name.starts_with('[')) {
                    (true, _) => name.to_owned(),
                    (false, true) => format!("{prefix}{name}"),
                    (false, false) => format!("{prefix}.{name}"),
                };
                flatten(value, joined, source, into);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(text: &str) -> Vec<Vec<(String, String, usize)>> {
        let source = Source::new("a.yml", text);
        let shown = |entry: Entry| {
            let line = source.position(entry.span.start).line;
            (entry.key, entry.value, line)
        };
        let read = read(&source).expect("YAML");
        read.into_iter()
            .map(|entries| entries.into_iter().map(shown).collect())
            .collect()
    }

    fn entry(key: &str, value: &str, line: usize) -> (String, String, usize) {
        (key.to_owned(), value.to_owned(), line)
    }

    #[test]
    fn nested_dotted_and_bracketed_keys_are_one_name() {
        let read = documents(
            "spring:\n  kafka.consumer:\n    properties:\n      \"[max.poll.records]\": 5\n",
        );
        assert_eq!(
            read,
            [vec![entry(
                "spring.kafka.consumer.properties[max.poll.records]",
                "5",
                4
            )]]
        );
    }

    #[test]
    fn documents_are_apart_and_places_survive_other_letters() {
        let read = documents("# Zähler\na: Grüße\n---\nb: [x, y]\n");
        assert_eq!(
            read,
            [vec![entry("a", "Grüße", 2)], vec![entry("b", "x,y", 4)]]
        );
    }

    #[test]
    fn plain_words_are_what_yaml_1_1_takes_them_for() {
        let read = documents("a: no\nb: 'no'\nc: 1_000\nd: ~\ne: Off\nf: nO\ng: On\n");
        let values: Vec<&str> = read[0].iter().map(|(_, value, _)| value.as_str()).collect();
        assert_eq!(values, ["false", "no", "1000", "", "false", "nO", "true"]);
    }

    #[test]
    fn anchors_and_merge_keys_are_resolved() {
        let read =
            documents("base: &base\n  acks: all\n  retries: 3\nuse:\n  <<: *base\n  retries: 0\n");
        assert!(read[0].contains(&entry("use.acks", "all", 2)), "{read:?}");
        assert!(read[0].contains(&entry("use.retries", "0", 6)), "{read:?}");
    }

    #[test]
    fn what_is_no_yaml_is_shown_where_it_stands() {
        for (text, line) in [
            ("a: b: c\n", 1),
            ("a:\n\t- b\n", 2),
            ("a: 1\na: 2\n", 2),
            ("a: *b\n", 1),
        ] {
            let error = read(&Source::new("a.yml", text)).expect_err(text);
            let at = error.problems()[0].position().map(|at| at.line);
            assert_eq!(at, Some(line), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_more_than_wrong(text in "[a-c:\\-\\[\\]{}&*<'\"#|>!%@,?~ \\n\\té.$]{0,60}") {
            let source = Source::new("a.yml", &text);
            let spans: Vec<Span> = match read(&source) {
                Ok(documents) => documents.iter().flatten().map(|entry| entry.span).collect(),
                Err(_) => Vec::new(),
            };
            for span in spans {
                proptest::prop_assert_eq!(source.clamp(span), span);
            }
        }
    }
}
