//! A change as who has the design would make it: keys set in its file, or left out of it.

use std::fmt;

use semel_models::pipeline::Client;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::design::{Design, Table, properties};

/// Where the order stands.
pub(crate) const ORDER: (Table, &str) = (Table::Application, "order");

/// One key, with the value that it gets; `None`: it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    table: Table,
    key: &'static str,
    value: Option<String>,
    /// Whether a default takes its place; else it has no meaning any more.
    has_default: bool,
}

/// Keys that change together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    edits: Vec<Edit>,
    notes: Vec<&'static str>,
}

impl Change {
    /// `key` with `value`, as TOML writes it.
    pub fn set(table: Table, key: &'static str, value: impl Into<String>) -> Self {
        Change::default().and(table, key, value)
    }

    /// The same with one of semel's words, or of Kafka's.
    pub fn word(table: Table, key: &'static str, word: &str) -> Self {
        Change::set(table, key, quoted(word))
    }

    /// Another key that changes with it.
    pub fn and(mut self, table: Table, key: &'static str, value: impl Into<String>) -> Self {
        self.edits.push(Edit {
            table,
            key,
            value: Some(value.into()),
            has_default: false,
        });
        self
    }

    /// Another key that goes back to its default.
    pub fn and_default(mut self, table: Table, key: &'static str) -> Self {
        self.edits.push(Edit {
            table,
            key,
            value: None,
            has_default: true,
        });
        self
    }

    /// Another key that means nothing with the change.
    pub fn and_without(mut self, table: Table, key: &'static str) -> Self {
        self.edits.push(Edit {
            table,
            key,
            value: None,
            has_default: false,
        });
        self
    }

    /// What it takes beyond the file.
    pub fn where_so(mut self, note: &'static str) -> Self {
        if !note.is_empty() {
            self.notes.push(note);
        }
        self
    }

    /// All that this change sets and then what `other` does.
    pub fn with(mut self, other: &Change) -> Self {
        self.edits.extend_from_slice(&other.edits);
        self.notes.extend_from_slice(&other.notes);
        self
    }

    /// The keys that change.
    pub fn keys(&self) -> impl Iterator<Item = (Table, &'static str)> {
        self.edits.iter().map(|edit| (edit.table, edit.key))
    }

    /// The change without the last so many keys.
    pub fn without_last(&self, keys: usize) -> Self {
        let mut change = self.clone();
        change.edits.truncate(self.edits.len().saturating_sub(keys));
        change
    }

    /// What changes, a table at a time.
    pub fn told(&self) -> Vec<String> {
        let mut tables: Vec<Table> = Vec::new();
        for edit in &self.edits {
            if !tables.contains(&edit.table) {
                tables.push(edit.table);
            }
        }
        let of_table = |table: &Table| {
            let edits = self.edits.iter().filter(|edit| edit.table == *table);
            let change = Change {
                edits: edits.cloned().collect(),
                notes: Vec::new(),
            };
            change.to_string()
        };
        tables.iter().map(of_table).collect()
    }

    /// The change without what it does to the order.
    pub fn settings(&self) -> Self {
        let mut change = self.clone();
        change.edits.retain(|edit| (edit.table, edit.key) != ORDER);
        change
    }

    /// Whether it makes every change of a setting that `other` makes, which has some.
    pub fn settings_include(&self, other: &Change) -> bool {
        let (own, others) = (self.settings().edits, other.settings().edits);
        !others.is_empty() && others.iter().all(|edit| own.contains(edit))
    }

    /// What it takes beyond the file.
    pub fn notes(&self) -> &[&'static str] {
        &self.notes
    }

    /// `design` with the change made in its text; `None`: it is refused.
    pub fn made_to(&self, design: &Design) -> Option<Design> {
        let text = self.made_in(design.text(), design.pipeline().client)?;
        Design::parse(design.file(), text.as_bytes()).ok()
    }

    /// The design's text with the change; `None`: its keys have no place in the text.
    fn made_in(&self, text: &str, client: Client) -> Option<String> {
        let mut document: DocumentMut = text.parse().ok()?;
        for edit in &self.edits {
            edit.make(document.as_table_mut(), client)?;
        }
        let mut changed = document.to_string();
        if !text.ends_with('\n') && changed.ends_with('\n') {
            changed.pop();
        }
        if text.contains("\r\n") {
            changed = changed.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        Some(changed)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = Table::Root;
        for (index, edit) in self.edits.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            if edit.table != last {
                write!(f, "[{}] ", edit.table.name())?;
                last = edit.table;
            }
            match &edit.value {
                Some(value) => write!(f, "{} = {value}", edit.key)?,
                None if edit.has_default => write!(f, "{} left at its default", edit.key)?,
                None => write!(f, "{} left out", edit.key)?,
            }
        }
        self.notes.iter().try_for_each(|note| write!(f, ", {note}"))
    }
}

impl Edit {
    fn make(&self, root: &mut dyn TableLike, client: Client) -> Option<()> {
        let mut table = root;
        let mut is_inline = false;
        for part in self.table.name().split('.').filter(|part| !part.is_empty()) {
            if table.get(part).is_none() {
                let mut new = toml_edit::Table::new();
                // `[output]` stands for its tables only.
                new.set_implicit(part != last_part(self.table));
                table.insert(part, Item::Table(new));
            }
            let item = table.get_mut(part)?;
            is_inline = item.is_inline_table();
            table = item.as_table_like_mut()?;
        }
        for alias in aliases(self.table, self.key, client) {
            take_out(table, alias);
        }
        let Some(value) = &self.value else {
            take_out(table, self.key);
            return Some(());
        };
        let mut value: Value = value.parse().ok()?;
        match find(table, self.key).and_then(Item::as_value_mut) {
            Some(own) => {
                // What stands beside it stays: its comment.
                *value.decor_mut() = own.decor().clone();
                *own = value;
            }
            None => {
                take_out(table, self.key);
                put(table, self.key, value, is_inline);
            }
        }
        Some(())
    }
}

/// Puts a new key into a table: dotted, as Kafka's names are mostly written, unless one of its parts has
/// a value already.
fn put(table: &mut dyn TableLike, name: &str, value: Value, is_inline: bool) {
    let dotted = name.split_once('.').filter(|(first, _)| {
        let there = table.get(first);
        !is_inline
            && there.is_none_or(|item| item.as_table().is_some_and(toml_edit::Table::is_dotted))
    });
    let Some((first, rest)) = dotted else {
        table.insert(name, Item::Value(value));
        return;
    };
    let mut new = toml_edit::Table::new();
    new.set_dotted(true);
    let inner = table.entry(first).or_insert(Item::Table(new));
    if let Some(inner) = inner.as_table_like_mut() {
        put(inner, rest, value, false);
    }
}

/// What a dotted key holds, however its parts are nested.
fn find<'t>(table: &'t mut dyn TableLike, name: &str) -> Option<&'t mut Item> {
    let has = |table: &mut dyn TableLike, at: usize| {
        let nested = table.get_mut(&name[..at]);
        let nested = nested.and_then(Item::as_table_like_mut);
        nested.is_some_and(|nested| find(nested, &name[at + 1..]).is_some())
    };
    if table.contains_key(name) {
        return table.get_mut(name);
    }
    let mut places = name.match_indices('.').map(|(at, _)| at);
    let at = places.find(|at| has(table, *at))?;
    let nested = table.get_mut(&name[..at])?.as_table_like_mut()?;
    find(nested, &name[at + 1..])
}

fn last_part(table: Table) -> &'static str {
    table.name().rsplit('.').next().unwrap_or("")
}

/// Other names of the same property.
fn aliases(table: Table, key: &'static str, client: Client) -> impl Iterator<Item = &'static str> {
    let rows = move || {
        let scope = table.scope();
        properties()
            .iter()
            .filter(move |row| scope.is_some_and(|scope| row.scope.covers(scope)))
    };
    let canonical = rows()
        .find(|row| row.name == key)
        .map(|row| row.canonical(client));
    rows()
        .filter(move |row| row.name != key && Some(row.canonical(client)) == canonical)
        .map(|row| row.name.as_str())
}

/// Takes a dotted key out, however its parts are nested.
fn take_out(table: &mut dyn TableLike, name: &str) {
    table.remove(name);
    for (at, _) in name.match_indices('.') {
        let (outer, inner) = (&name[..at], &name[at + 1..]);
        let nested = table.get_mut(outer).and_then(Item::as_table_like_mut);
        let Some(nested) = nested else {
            continue;
        };
        take_out(nested, inner);
        if nested.is_empty() {
            table.remove(outer);
        }
    }
}

/// A basic string of TOML: no word or order has a letter in it that needs more.
pub(crate) fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_changed_however_it_is_written() {
        let change = Change::set(Table::Producer, "enable.idempotence", "true");
        for text in [
            "[producer]\nenable.idempotence = false\nacks = 1\n",
            "[producer]\n\"enable.idempotence\" = false\nacks = 1\n",
            "producer = { enable = { idempotence = false }, acks = 1 }\n",
            "[producer]\nacks = 1\n[producer.enable]\nidempotence = false\n",
            "producer.enable.idempotence = false\nproducer.acks = 1\n",
        ] {
            let changed = change.made_in(text, Client::Java).unwrap();
            assert!(changed.contains("true"), "{changed}");
            assert!(!changed.contains("false"), "{changed}");
            assert!(changed.contains("acks"), "{changed}");
            assert!(changed.parse::<DocumentMut>().is_ok(), "{changed}");
        }
    }

    #[test]
    fn what_stands_around_a_value_stays() {
        let change = Change::word(Table::Application, "order", "commit -> process");
        let text = "[application]\n# the loop\norder = \"process -> commit\"   # as in Main.java\nworkers = 0\n";
        let expected = text.replace("process -> commit", "commit -> process");
        assert_eq!(change.made_in(text, Client::Java), Some(expected));
        let change = Change::set(Table::Consumer, "enable.auto.commit", "false");
        let text = "[consumer]\nenable.auto.commit = true # the default\nmax.poll.records = 1";
        let expected = text.replace("true", "false");
        assert_eq!(change.made_in(text, Client::Java), Some(expected));
    }

    #[test]
    fn a_table_that_is_missing_is_added() {
        let change = Change::word(Table::OutputConsumer, "isolation.level", "read_committed");
        let changed = change.made_in("[sink]\neffect = \"topic\"\n", Client::Java);
        let expected = "[sink]\neffect = \"topic\"\n\n[output.consumer]\nisolation.level = \"read_committed\"\n";
        assert_eq!(changed.as_deref(), Some(expected));
    }

    #[test]
    fn another_name_of_the_property_is_taken_out() {
        let change = Change::set(
            Table::Producer,
            "max.in.flight.requests.per.connection",
            "1",
        );
        let changed = change.made_in("[producer]\nmax.in.flight = 7\n", Client::Librdkafka);
        assert!(!changed.unwrap().contains('7'));
    }

    #[test]
    fn it_is_told_table_by_table() {
        let change = Change::set(Table::Consumer, "enable.auto.commit", "false")
            .and(Table::Application, "order", quoted("process -> commit"))
            .and_without(Table::Application, "workers")
            .where_so("where it can");
        assert_eq!(
            change.to_string(),
            "[consumer] enable.auto.commit = false, [application] order = \"process -> commit\", workers left out, where it can"
        );
    }
}
