//! A design file as TOML: every key with its value, and where both stand.
//!
//! Kafka's names have dots, and TOML reads a dot as a table in a table. Nested tables are
//! therefore flattened into dotted names, so that `enable.idempotence = true`,
//! `"enable.idempotence" = true` and `enable = { idempotence = true }` are one property.

use std::collections::BTreeMap;

use toml_edit::{Item, TableLike, Value};

use super::diagnostic::Code;
use super::report::{Report, enumeration, nearest};
use super::source::{Source, Span};
use super::table::Table;
use super::toml::wide;

/// How deep tables may be nested; the longest property name has ten parts.
const MAX_DEPTH: usize = 16;

/// How many keys a table may have: more than there are properties.
const MAX_KEYS: usize = 1000;

/// A value as TOML writes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    /// Wider than TOML's own numbers, so that a range can be told of any number.
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<(Scalar, Span)>),
    /// `{}`, or a table without a key.
    EmptyTable,
    /// `[[name]]`, or a table in an array.
    Tables,
}

impl Scalar {
    /// The value as TOML writes it.
    pub fn as_toml(&self) -> String {
        match self {
            Scalar::Text(text) => super::write::quoted(text),
            Scalar::Integer(number) => number.to_string(),
            Scalar::Float(number) => number.to_string(),
            Scalar::Boolean(value) => value.to_string(),
            Scalar::Array(items) => {
                let items: Vec<String> = items.iter().map(|(item, _)| item.as_toml()).collect();
                format!("[{}]", items.join(", "))
            }
            Scalar::EmptyTable => String::from("{}"),
            Scalar::Datetime | Scalar::Tables => self.describe().to_owned(),
        }
    }

    pub fn describe(&self) -> &'static str {
        match self {
            Scalar::Text(_) => "a string",
            Scalar::Integer(_) => "a whole number",
            Scalar::Float(_) => "a floating-point number",
            Scalar::Boolean(_) => "a boolean",
            Scalar::Datetime => "a date or time",
            Scalar::Array(_) => "a list",
            Scalar::EmptyTable => "an empty table",
            Scalar::Tables => "a list of tables",
        }
    }
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The dotted name within its table.
    pub name: String,
    pub name_span: Span,
    pub value: Scalar,
    pub value_span: Span,
}

/// A table of the design.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// Where its header or its first key stands.
    pub span: Option<Span>,
    pub fields: Vec<Field>,
}

/// A whole design file.
#[derive(Debug, Default)]
pub(crate) struct Document {
    sections: BTreeMap<Table, Section>,
}

impl Document {
    /// Reads the tables of `toml`; keys that belong to no table are reported.
    pub fn read(toml: &toml_edit::Document<String>, report: &mut Report) -> Self {
        let mut document = Document::default();
        document.sections.insert(Table::Root, Section::default());
        let source = report.source.clone();
        let mut reader = Reader {
            source: &source,
            report,
        };
        for (name, item) in toml.as_table().iter() {
            let key_span = reader.key_span(toml.as_table(), name);
            if name == "output" {
                reader.output(item, key_span, &mut document);
            } else {
                let table = named(name).filter(|table| *table != Table::Root);
                reader.section(table, name, item, key_span, &mut document);
            }
        }
        document
    }

    /// The table, if the design has it.
    pub fn section(&self, table: Table) -> Option<&Section> {
        self.sections.get(&table)
    }

    /// The key of the table, if the design states it.
    pub fn field(&self, table: Table, name: &str) -> Option<&Field> {
        self.fields(table).iter().find(|field| field.name == name)
    }

    /// States `name` in the table, in place of what was stated.
    pub fn set(&mut self, table: Table, name: &str, value: Scalar, at: Span) {
        let section = self.sections.entry(table).or_default();
        section.span.get_or_insert(at);
        section.fields.retain(|field| field.name != name);
        section.fields.push(Field {
            name: name.to_owned(),
            name_span: at,
            value,
            value_span: at,
        });
    }

    /// Takes `name` out of the table.
    pub fn remove(&mut self, table: Table, name: &str) {
        if let Some(section) = self.sections.get_mut(&table) {
            section.fields.retain(|field| field.name != name);
        }
    }

    /// The keys of the table; none where the design does not have it.
    pub fn fields(&self, table: Table) -> &[Field] {
        self.section(table)
            .map_or(&[], |section| section.fields.as_slice())
    }
}

fn named(name: &str) -> Option<Table> {
    Table::ALL.into_iter().find(|table| table.name() == name)
}

struct Reader<'r> {
    source: &'r Source,
    report: &'r mut Report,
}

impl Reader<'_> {
    fn section(
        &mut self,
        table: Option<Table>,
        name: &str,
        item: &Item,
        key_span: Span,
        document: &mut Document,
    ) {
        let Some(table) = table else {
            self.at_the_root(name, item, key_span, document);
            return;
        };
        let Some(content) = item.as_table_like() else {
            let message = format!(
                "[{}] is a table, not {}",
                table.name(),
                describe(item, self.source)
            );
            self.report
                .problem(Code::WrongType, key_span, message)
                .write(format!(
                    "Write [{}] once, with its keys below.",
                    table.name()
                ));
            return;
        };
        let mut fields = Vec::new();
        self.flatten(content, "", 1, &mut fields);
        let section = document.sections.entry(table).or_default();
        section.span.get_or_insert(key_span);
        section.fields.extend(fields);
    }

    /// `[output.producer]` and its fellows.
    fn output(&mut self, item: &Item, key_span: Span, document: &mut Document) {
        let Some(content) = item.as_table_like() else {
            let message = format!("[output] is a table, not {}", describe(item, self.source));
            self.report
                .problem(Code::WrongType, key_span, message)
                .write("Write [output.producer], [output.topic] or [output.consumer].");
            return;
        };
        for (name, inner) in content.iter() {
            let span = self.key_span(content, name);
            let full = format!("output.{name}");
            match named(&full) {
                Some(table) => self.section(Some(table), &full, inner, span, document),
                None => {
                    self.report
                        .problem(Code::UnknownKey, span, format!("[output] has no `{name}`"))
                        .write("Write [output.producer], [output.topic] or [output.consumer].");
                }
            }
        }
    }

    /// What belongs to no table: a key of its own, or a table of an unknown name.
    fn at_the_root(&mut self, name: &str, item: &Item, key_span: Span, document: &mut Document) {
        let mut fields = Vec::new();
        match item.as_table_like() {
            Some(_) if !is_dotted(item) => {
                let names = || Table::ALL.into_iter().map(Table::name);
                let problem = self.report.problem(
                    Code::UnknownKey,
                    key_span,
                    format!("a design has no table [{name}]"),
                );
                problem.write(match nearest(name, names()) {
                    Some(near) => format!("Did you mean [{near}]?"),
                    None => {
                        let names: Vec<String> = names()
                            .filter(|name| !name.is_empty())
                            .map(|name| format!("[{name}]"))
                            .collect();
                        let names = enumeration(names.iter().map(String::as_str));
                        format!("The tables of a design are {names}.")
                    }
                });
            }
            Some(content) => self.flatten(content, name, 2, &mut fields),
            None => fields.extend(self.field(String::from(name), key_span, item)),
        }
        if let Some(root) = document.sections.get_mut(&Table::Root) {
            if root.fields.len() < MAX_KEYS {
                root.fields.extend(fields);
            } else if !fields.is_empty() {
                let message = format!("more than {MAX_KEYS} keys stand before the first table");
                self.report.problem(Code::TooLarge, key_span, message);
            }
        }
    }

    fn flatten(
        &mut self,
        content: &dyn TableLike,
        prefix: &str,
        depth: usize,
        into: &mut Vec<Field>,
    ) {
        for (key, item) in content.iter() {
            let span = self.key_span(content, key);
            if into.len() >= MAX_KEYS {
                let message = format!("a table has more than {MAX_KEYS} keys");
                self.report.problem(Code::TooLarge, span, message);
                return;
            }
            let name = if prefix.is_empty() {
                key.to_owned()
            } else {
                format!("{prefix}.{key}")
            };
            match item.as_table_like() {
                Some(inner) if !inner.is_empty() => {
                    if depth >= MAX_DEPTH {
                        self.report
                            .problem(
                                Code::TooDeep,
                                span,
                                format!("tables are nested more than {MAX_DEPTH} deep"),
                            )
                            .because("No key of a design is as long as that.");
                        return;
                    }
                    self.flatten(inner, &name, depth + 1, into);
                }
                Some(_) | None => into.extend(self.field(name, span, item)),
            }
        }
    }

    fn field(&self, name: String, name_span: Span, item: &Item) -> Option<Field> {
        let value = match item {
            Item::None => return None,
            Item::Value(value) => scalar(value, self.source),
            Item::Table(_) => Scalar::EmptyTable,
            Item::ArrayOfTables(_) => Scalar::Tables,
        };
        Some(Field {
            name,
            name_span,
            value,
            value_span: item.span().map_or(name_span, Span::from),
        })
    }

    /// Where a key stands, with the parts before it if it is dotted.
    fn key_span(&self, table: &dyn TableLike, key: &str) -> Span {
        let span = table.key(key).and_then(toml_edit::Key::span);
        let leaf = span.map_or(Span { start: 0, end: 0 }, Span::from);
        Span {
            start: dotted_start(self.source.text(), leaf.start),
            end: leaf.end,
        }
    }
}

/// Where the dotted key begins whose last part begins at `start`.
fn dotted_start(text: &str, mut start: usize) -> usize {
    loop {
        let Some(before) = text.get(..start) else {
            return start;
        };
        let Some(before) = before.trim_end_matches([' ', '\t']).strip_suffix('.') else {
            return start;
        };
        let part = before.trim_end_matches([' ', '\t']);
        let begin = match part.chars().next_back() {
            Some(quote @ ('"' | '\'')) => part[..part.len() - 1].rfind(quote),
            Some(_) => {
                let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                Some(part.trim_end_matches(bare).len()).filter(|begin| *begin < part.len())
            }
            None => None,
        };
        match begin {
            Some(begin) => start = begin,
            None => return start,
        }
    }
}

fn is_dotted(item: &Item) -> bool {
    match item {
        Item::Table(table) => table.is_dotted(),
        Item::Value(Value::InlineTable(table)) => table.is_dotted(),
        Item::Value(_) | Item::ArrayOfTables(_) | Item::None => false,
    }
}

fn describe(item: &Item, source: &Source) -> &'static str {
    match item {
        Item::None => "nothing",
        Item::Value(value) => scalar(value, source).describe(),
        Item::Table(_) => "a table",
        Item::ArrayOfTables(_) => Scalar::Tables.describe(),
    }
}

/// The depth of arrays in arrays is limited by the TOML parser.
fn scalar(value: &Value, source: &Source) -> Scalar {
    match value {
        Value::String(text) => Scalar::Text(text.value().clone()),
        Value::Integer(number) => {
            let wide = number
                .span()
                .and_then(|span| wide::number(source.slice(span.into())));
            Scalar::Integer(wide.unwrap_or_else(|| i128::from(*number.value())))
        }
        Value::Float(number) => Scalar::Float(*number.value()),
        Value::Boolean(boolean) => Scalar::Boolean(*boolean.value()),
        Value::Datetime(_) => Scalar::Datetime,
        Value::Array(array) => Scalar::Array(
            array
                .iter()
                .map(|item| {
                    let span = item.span().or_else(|| array.span()).unwrap_or(0..0);
                    (scalar(item, source), Span::from(span))
                })
                .collect(),
        ),
        Value::InlineTable(table) if table.is_empty() => Scalar::EmptyTable,
        Value::InlineTable(_) => Scalar::Tables,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, table: Table) -> Vec<(String, String)> {
        let source = Source::new("d.toml", text);
        let mut report = Report::new(&source);
        let toml = toml_edit::Document::parse(text.to_owned()).unwrap();
        let document = Document::read(&toml, &mut report);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        let shown = |field: &Field| {
            let place = source.slice(field.name_span).to_owned();
            (field.name.clone(), place)
        };
        document.fields(table).iter().map(shown).collect()
    }

    #[test]
    fn dotted_quoted_and_nested_keys_are_one_property() {
        for text in [
            "[producer]\nenable.idempotence = true",
            "[producer]\n\"enable.idempotence\" = true",
            "[producer]\nenable = { idempotence = true }",
            "[producer.enable]\nidempotence = true",
            "producer.enable.idempotence = true",
        ] {
            let found = names(text, Table::Producer);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].0, "enable.idempotence", "{text}");
        }
    }

    #[test]
    fn a_dotted_key_is_marked_from_its_first_part() {
        let found = names(
            "[consumer]\nenable.auto.commit = true\nenable.\"auto\".offset.store = 1",
            Table::Consumer,
        );
        assert_eq!(found[0].1, "enable.auto.commit");
        assert_eq!(found[1].1, "enable.\"auto\".offset.store");
    }
}
