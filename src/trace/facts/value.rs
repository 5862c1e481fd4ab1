//! A fact: who holds it, its name, its value.

use std::fmt;

/// Who holds a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// The application that sends, with its database and its producer's client.
    Upstream,
    /// The partition's log, and the network before it.
    Broker,
    /// The partition that was added.
    OtherPartition,
    /// The coordinators of groups and transactions.
    Coordinator,
    /// One of the group's consumers.
    Consumer(u16),
    /// The sink and what is stored beside the effects.
    Sink,
    /// The output topic.
    Output,
}

/// Something about a state that an engineer would look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Who holds it.
    pub(crate) holder: Holder,
    /// What it is called.
    pub(crate) name: String,
    /// What it is.
    pub(crate) value: Value,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// One thing.
    Text(String),
    /// An offset, if there is one.
    Offset(Option<u16>),
    /// Several of a kind, in their order.
    Items {
        /// Each of them.
        items: Vec<String>,
        /// What else there is to say.
        note: Option<String>,
    },
}

impl Value {
    /// The same with a note behind it.
    pub(super) fn with_note(self, note: String) -> Value {
        match self {
            Value::Text(_) | Value::Offset(_) => Value::Text(format!("{self}; {note}")),
            Value::Items { items, note: _ } => Value::Items {
                items,
                note: Some(note),
            },
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Offset(Some(offset)) => write!(f, "{offset}"),
            Value::Offset(None) => f.write_str("none"),
            Value::Items { items, note } => {
                match items.is_empty() {
                    true => f.write_str("empty")?,
                    false => f.write_str(&items.join(", "))?,
                }
                match note {
                    Some(note) => write!(f, "; {note}"),
                    None => Ok(()),
                }
            }
        }
    }
}
