//! The JSON Schema of the design file, for editors: every table and key, with its values.
//!
//! It is made from the tables that reading a design draws from. A validator sees TOML's dotted keys as
//! tables in tables, so each name is there twice: nested, and as the one name that a quoted key is. A
//! property that both clients have may have the values of either; what depends on other keys is not said
//! here: `semel check` does.

mod own;
mod values;

pub(crate) use own::{OwnKey, all as own_design_keys};

use std::collections::BTreeMap;

use semel_models::fault::{Call, Fault};
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::Client;
use serde_json::{Map, Value, json};

use super::faults::MAX_FAULTS;
use super::properties::{Class, Property, Scope, accepted, find};
use super::table::Table;

/// The schema's own language: the newest that editors for TOML read.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Definitions that tables share, one a scope of Kafka's.
const SCOPES: [(Scope, &str); 4] = [
    (Scope::Producer, "producer"),
    (Scope::Topic, "topic"),
    (Scope::Consumer, "consumer"),
    (Scope::Broker, "broker"),
];

/// The JSON Schema of the design file, as text: a property a line.
///
/// ```
/// let schema = semel::design::schema();
/// assert!(schema.contains("\"enable.idempotence\""));
/// assert!(schema.contains("\"spring-kafka\""));
/// ```
pub fn schema() -> String {
    let mut text = String::new();
    write(&whole(), 0, &mut text);
    text.push('\n');
    text
}

/// How deep values stand on lines of their own.
const LINES_TO: usize = 4;

/// Writes `value`, with its members on lines of their own down to some depth.
fn write(value: &Value, depth: usize, into: &mut String) {
    let members = value
        .as_object()
        .filter(|own| depth < LINES_TO && !own.is_empty());
    let Some(members) = members else {
        into.push_str(&value.to_string());
        return;
    };
    let indent = "  ".repeat(depth);
    for (index, (name, member)) in members.iter().enumerate() {
        into.push_str(if index == 0 { "{\n" } else { ",\n" });
        into.push_str(&format!("{indent}  {}: ", Value::from(name.as_str())));
        write(member, depth + 1, into);
    }
    into.push_str(&format!("\n{indent}}}"));
}

/// The schema of a design file.
fn whole() -> Value {
    let mut definitions = Map::new();
    for (scope, name) in SCOPES {
        let leaves = kafka(scope);
        let reference = |key: &str| json!({ "$ref": format!("#/definitions/{name}/properties/{}", escaped(key)) });
        definitions.insert(name.to_owned(), object(&leaves, reference));
    }
    let mut properties = Map::new();
    for (key, value) in own::keys(Table::Root) {
        properties.insert(key.to_owned(), value);
    }
    let mut output = Map::new();
    for table in Table::ALL {
        let own = match table {
            Table::Root => continue,
            Table::Producer | Table::OutputProducer => shared(Scope::Producer),
            Table::Topic | Table::OutputTopic => shared(Scope::Topic),
            Table::Consumer | Table::OutputConsumer => shared(Scope::Consumer),
            Table::Broker => shared(Scope::Broker),
            Table::Application => application(),
            Table::Sink | Table::Bounds => own_table(table),
            Table::Faults => faults(),
            Table::Expect => expect(),
        };
        match table.name().split_once('.') {
            Some((_, inner)) => output.insert(inner.to_owned(), own),
            None => properties.insert(table.name().to_owned(), own),
        };
    }
    properties.insert(String::from("output"), closed(output));
    let mut schema = closed(properties);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(String::from("$schema"), DRAFT.into());
        schema.insert(String::from("title"), "A design for semel".into());
        schema.insert(String::from("required"), json!(["application"]));
        schema.insert(
            String::from("not"),
            json!({ "required": ["require", "expect"] }),
        );
        schema.insert(String::from("definitions"), definitions.into());
    }
    schema
}

fn shared(scope: Scope) -> Value {
    let name = SCOPES.iter().find(|(own, _)| *own == scope);
    let name = name.map_or("broker", |(_, name)| name);
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// The properties that either client takes in a table of this scope.
fn kafka(scope: Scope) -> BTreeMap<String, Value> {
    let mut names: Vec<&str> = [Client::Java, Client::Librdkafka]
        .into_iter()
        .flat_map(|client| accepted(client, scope))
        .map(|row| row.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| {
        let rows = |client| find(client, scope, name).map(|row| (client, row));
        let rows: Vec<(Client, &Property)> = [Client::Java, Client::Librdkafka]
            .into_iter()
            .filter_map(rows)
            .collect();
        let mut kinds: Vec<Value> = Vec::new();
        for (client, row) in &rows {
            for value in values::of(&row.kind(*client)) {
                if !kinds.contains(&value) {
                    kinds.push(value);
                }
            }
        }
        let about = rows.first().map_or(String::new(), |(_, row)| about(row));
        (
            name.to_owned(),
            json!({ "description": about, "anyOf": kinds }),
        )
    };
    names.into_iter().map(of).collect()
}

fn about(row: &Property) -> String {
    match row.class {
        Class::Modelled => row.why.clone(),
        Class::NoBearing => format!("No bearing on delivery: {}", row.why),
        Class::NotYet => format!("Not modelled yet, accepted at its default: {}", row.why),
    }
}

/// An object with these keys, whose names have dots: flat and, by `reference`, nested.
fn object(leaves: &BTreeMap<String, Value>, reference: impl Fn(&str) -> Value) -> Value {
    let mut tree = Tree::default();
    for name in leaves.keys().filter(|name| name.contains('.')) {
        tree.insert(name.split('.'), reference(name));
    }
    let mut properties = Map::new();
    for (name, leaf) in leaves {
        let mut value = leaf.clone();
        // `group` may be a key and the beginning of others.
        if let Some(inner) = tree.inner.remove(name.as_str()) {
            value = json!({ "anyOf": [leaf, inner.schema()] });
        }
        properties.insert(name.clone(), value);
    }
    for (part, inner) in tree.inner {
        properties.insert(part, inner.schema());
    }
    closed(properties)
}

/// Names taken apart at their dots.
#[derive(Default)]
struct Tree {
    leaf: Option<Value>,
    inner: BTreeMap<String, Tree>,
}

impl Tree {
    fn insert<'p>(&mut self, mut parts: impl Iterator<Item = &'p str>, leaf: Value) {
        match parts.next() {
            None => self.leaf = Some(leaf),
            Some(part) => self
                .inner
                .entry(part.to_owned())
                .or_default()
                .insert(parts, leaf),
        }
    }

    fn schema(self) -> Value {
        let inner: Map<String, Value> = self
            .inner
            .into_iter()
            .map(|(part, tree)| (part, tree.schema()))
            .collect();
        match (self.leaf, inner.is_empty()) {
            (Some(leaf), true) => leaf,
            (Some(leaf), false) => json!({ "anyOf": [leaf, closed(inner)] }),
            (None, _) => closed(inner),
        }
    }
}

/// An object that has these keys and no others.
fn closed(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn own_table(table: Table) -> Value {
    let leaves: BTreeMap<String, Value> = own::keys(table)
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let nested = leaves.clone();
    object(&leaves, move |name| nested[name].clone())
}

/// The order may only be left out where a framework stands for one.
fn application() -> Value {
    let mut table = own_table(Table::Application);
    if let Some(table) = table.as_object_mut() {
        let either = json!([{ "required": ["order"] }, { "required": ["framework"] }]);
        table.insert(String::from("anyOf"), either);
    }
    table
}

fn faults() -> Value {
    let count = |about: &str| json!({ "description": about, "type": "integer", "minimum": 0, "maximum": MAX_FAULTS });
    let mut properties = Map::new();
    for fault in Fault::ALL {
        let whole = count(fault.summary());
        if !fault.strikes_calls() {
            properties.insert(fault.name().to_owned(), whole);
            continue;
        }
        let mut calls = Map::new();
        for call in Call::ALL {
            calls.insert(call.name().to_owned(), count(fault.summary()));
            let flat = format!("{}.{}", fault.name(), call.name());
            properties.insert(flat, count(fault.summary()));
        }
        let either = json!({ "anyOf": [whole, closed(calls)] });
        properties.insert(fault.name().to_owned(), either);
    }
    for (key, value) in own::keys(Table::Faults) {
        properties.insert(key.to_owned(), value);
    }
    closed(properties)
}

fn expect() -> Value {
    let verdict = |guarantee: &Guarantee| {
        let verdict = json!({ "enum": ["holds", "violated"] });
        (guarantee.name().to_owned(), verdict)
    };
    closed(Guarantee::ALL.iter().map(verdict).collect())
}
