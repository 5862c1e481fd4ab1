//! What may not change.

use std::fmt;

use crate::design::{Table, own_keys, properties};

/// A table, or one key of it, that stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    table: Table,
    key: Option<&'static str>,
}

impl Kept {
    /// Reads `sink`, `sink.effect`, `producer.acks`, `order` (which is `application.order`) or `kafka`.
    ///
    /// ```
    /// use semel::suggest::Kept;
    ///
    /// assert_eq!(Kept::read("sink.effect")?.to_string(), "[sink] effect");
    /// assert_eq!(Kept::read("output.producer")?.to_string(), "[output.producer]");
    /// assert_eq!(Kept::read("on-process-failure")?.to_string(), "[application] on-process-failure");
    /// assert!(Kept::read("sink.efect").unwrap_err().contains("effect"));
    /// assert!(Kept::read("acks").unwrap_err().contains("'producer.acks'"));
    /// # Ok::<(), String>(())
    /// ```
    pub fn read(text: &str) -> Result<Kept, String> {
        let named = |table: &&Table| {
            let name = table.name();
            !name.is_empty()
                && (text == name
                    || text
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('.')))
        };
        // `output.producer` before what stands before the first table.
        let table = Table::ALL
            .iter()
            .filter(named)
            .max_by_key(|table| table.name().len());
        let (table, key) = match table {
            Some(table) => (*table, text[table.name().len()..].strip_prefix('.')),
            None if keys(Table::Root).any(|key| key == text) => (Table::Root, Some(text)),
            None => (Table::Application, Some(text)),
        };
        let Some(name) = key else {
            return Ok(Kept { table, key: None });
        };
        if let Some(key) = keys(table).find(|key| *key == name) {
            let key = Some(key);
            return Ok(Kept { table, key });
        }
        let elsewhere = Table::ALL
            .into_iter()
            .filter(|table| !table.name().is_empty());
        let elsewhere = elsewhere.flat_map(|table| {
            let named = keys(table).filter(|key| *key == name);
            named.map(move |key| format!("'{}.{key}'", table.name()))
        });
        let elsewhere: Vec<String> = elsewhere.collect();
        let tables = Table::ALL.iter().map(|table| table.name());
        let known = keys(table).chain(tables).filter(|name| !name.is_empty());
        Err(match (elsewhere.as_slice(), crate::nearest(name, known)) {
            ([_, ..], _) => format!(
                "'{name}' stands in a table: write {}",
                elsewhere.join(" or ")
            ),
            ([], Some(near)) => {
                format!("there is no '{name}' that could be kept; did you mean '{near}'?")
            }
            ([], None) => {
                "expected a table such as 'sink', or a key of one such as 'sink.effect'".into()
            }
        })
    }

    /// Whether this key is to stay.
    pub(crate) fn covers(self, (table, key): (Table, &str)) -> bool {
        table == self.table && self.key.is_none_or(|own| own == key || is_part(own, key))
    }
}

/// Whether the value of the key `whole` has `part` in it.
fn is_part(part: &str, whole: &str) -> bool {
    let rest = part.strip_prefix(whole);
    rest.is_some_and(|rest| rest.starts_with('.'))
}

fn keys(table: Table) -> impl Iterator<Item = &'static str> {
    let of_kafka = properties()
        .iter()
        .filter(move |row| table.scope().is_some_and(|scope| row.scope.covers(scope)));
    let own = own_keys(table).flat_map(|key| {
        // Its parts may be kept, and it as a whole.
        let whole = key.split_once('.').map(|(whole, _)| whole);
        whole.into_iter().chain([key])
    });
    own.chain(of_kafka.map(|row| row.name.as_str()))
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.table, self.key) {
            (Table::Root, Some(key)) => f.write_str(key),
            (table, Some(key)) => write!(f, "[{}] {key}", table.name()),
            (table, None) => write!(f, "[{}]", table.name()),
        }
    }
}
