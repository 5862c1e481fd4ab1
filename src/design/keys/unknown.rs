//! A key that none of semel's own tables has where it stands: what was meant.

use crate::design::choices::{AfterAttempts, Choice};
use crate::design::diagnostic::Code;
use crate::design::document::{Field, Scalar};
use crate::design::keys::{kafka_place, shortened};
use crate::design::properties::{Lookup, Scope, look_up};
use crate::design::report::{Report, alternatives, enumeration, nearest};
use crate::design::table::{OWN_KEYS, Table, own_keys};

use semel_models::pipeline::Client;

/// A key of one of semel's own tables that it does not have.
pub(super) fn key(report: &mut Report, table: Table, field: &Field) {
    let name = field.name.as_str();
    if let Some((place, _)) = OWN_KEYS.iter().find(|(_, key)| *key == name) {
        let message = format!("`{name}` does not belong {}", table.place());
        report
            .problem(Code::Misplaced, field.name_span, message)
            .label("belongs elsewhere")
            .write(format!("Write it {}.", place.place()));
        return;
    }
    let kafka = [
        Scope::Producer,
        Scope::Consumer,
        Scope::Topic,
        Scope::Broker,
    ]
    .into_iter()
    .find_map(|scope| match look_up(Client::Java, scope, name) {
        Lookup::Found(row) | Lookup::OtherClient(row) => Some(row.scope),
        Lookup::Elsewhere(_) | Lookup::Unknown => None,
    });
    if let Some(scope) = kafka {
        let message = format!(
            "`{name}` is a property of Kafka and does not belong {}",
            table.place()
        );
        report
            .problem(Code::Misplaced, field.name_span, message)
            .label("belongs elsewhere")
            .write(format!("Write it in {}.", kafka_place(scope)));
        return;
    }
    if let Some(parent) = Parent::of(table, name) {
        parent.refuse(field, report);
        return;
    }
    // A key that another one holds, written without it: `then` for `on-process-failure.then`.
    let held = own_keys(table).find(|key| key.rsplit_once('.').is_some_and(|(_, own)| own == name));
    let near = held.or_else(|| nearest(name, own_keys(table)));
    let write = match near {
        Some(near) => format!("Did you mean `{near}`?"),
        None => {
            let anywhere = nearest(name, OWN_KEYS.iter().map(|(_, key)| *key));
            match anywhere.and_then(|key| OWN_KEYS.iter().find(|(_, own)| *own == key)) {
                Some((place, key)) => format!("Did you mean `{key}`, {}?", place.place()),
                None => format!(
                    "Its keys are {}.",
                    alternatives(own_keys(table)).replace(" or ", " and ")
                ),
            }
        }
    };
    report
        .problem(
            Code::UnknownKey,
            field.name_span,
            format!("there is no key `{}` {}", shortened(name), table.place()),
        )
        .label("no such key")
        .write(write);
}

/// A key that holds others.
struct Parent {
    table: Table,
    key: &'static str,
    /// The words of the key that it holds which takes words; the first is its default.
    words: fn() -> Vec<&'static str>,
    /// How it is written with one of these words.
    example: fn(&str) -> String,
}

/// Every key that holds others.
const PARENTS: [Parent; 1] = [Parent {
    table: Table::Application,
    key: "on-process-failure",
    words: || AfterAttempts::ALL.iter().map(|own| own.name()).collect(),
    example: |then| format!("{{ attempts = 1, then = \"{then}\" }}"),
}];

impl Parent {
    /// The parent that `name` is, or is said to be held by.
    fn of(table: Table, name: &str) -> Option<&'static Parent> {
        PARENTS.iter().find(|parent| {
            let rest = name.strip_prefix(parent.key);
            parent.table == table
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    fn members(&self) -> impl Iterator<Item = &'static str> {
        let key = self.key;
        own_keys(self.table).filter_map(move |own| own.strip_prefix(key)?.strip_prefix('.'))
    }

    /// It was stated as one value, or with a key that it does not hold.
    fn refuse(&self, field: &Field, report: &mut Report) {
        let key = self.key;
        let rest = field.name.strip_prefix(key).unwrap_or_default();
        let member = rest.strip_prefix('.');
        let (code, message) = match member {
            Some(member) => (
                Code::UnknownKey,
                format!("`{key}` has no key `{}`", shortened(member)),
            ),
            None => (
                Code::WrongType,
                format!("`{key}` is a table, not {}", field.value.describe()),
            ),
        };
        let near = member.and_then(|member| nearest(member, self.members()));
        let hint = near.map_or(String::new(), |near| format!("Did you mean `{near}`? "));
        let words = (self.words)();
        // What stands there alone most likely is one of the words.
        let word = match &field.value {
            Scalar::Text(text) => words.iter().find(|word| *word == text),
            _ => None,
        };
        let example = (self.example)(word.or(words.first()).unwrap_or(&""));
        let members: Vec<String> = self.members().map(|own| format!("`{own}`")).collect();
        let members = enumeration(members.iter().map(String::as_str));
        report
            .problem(code, field.name_span, message)
            .because(format!("It is a table with the keys {members}."))
            .write(format!("{hint}Write {key} = {example}."));
    }
}
