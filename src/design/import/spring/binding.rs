//! From the keys of `spring.kafka` to statements of a design.

use semel_models::pipeline::Client;

use super::super::super::choices::{AckMode, Choice, Framework};
use super::super::super::diagnostic::Code;
use super::super::super::keys::shortened;
use super::super::super::properties::{Lookup, Scope, look_up};
use super::super::super::report::{alternatives, nearest};
use super::super::super::table::Table;
use super::super::{Entry, Found, Statement, kafka, placeholders, units};
use super::PREFIX;
use super::bindings::{KEYS, Meaning, NO_BEARING, STREAMS_NO_BEARING, Unit};
use super::name::{Name, uniform};

/// The statements that the keys come to.
pub(super) struct Binding<'e, 'f> {
    /// Every entry, for placeholders.
    pub(super) all: &'e [Entry],
    pub(super) found: &'f mut Found,
    /// Whether it is about Kafka Streams.
    pub(super) streams: bool,
}

impl Binding<'_, '_> {
    pub(super) fn bind(&mut self, entry: &Entry) {
        match Name::of(&entry.key) {
            Name::Path(path) => self.path(&path, entry),
            Name::Map(owner, key) => self.map(&owner, key, entry),
        }
    }

    fn path(&mut self, path: &str, entry: &Entry) {
        let row = KEYS.iter().find(|(name, _)| uniform(name) == path);
        let Some((_, meaning)) = row else {
            let begins = |own: &&str| path.starts_with(&format!("{}.", uniform(own)));
            if !NO_BEARING.iter().any(begins) {
                self.unknown(entry);
            }
            return;
        };
        if matches!(meaning, Meaning::NoBearing) {
            return;
        }
        let Some(entry) = self.filled(entry) else {
            return;
        };
        // Boot takes an empty value for none.
        if entry.value.trim().is_empty() {
            return;
        }
        self.meant(*meaning, entry);
    }

    fn meant(&mut self, meaning: Meaning, entry: Entry) {
        match meaning {
            Meaning::NoBearing => {}
            Meaning::Kafka(table, key, unit) => self.property(table, key, unit, entry),
            Meaning::AckMode => self.ack_mode(entry),
            Meaning::ListenerType => {
                if uniform(&entry.value) != "single" {
                    self.not_modelled(&entry, "When a batch listener throws, the whole batch is tried again and passed over at last, which is not in the order language.", "Write type: single if the listener takes one record a call; or write a design without `framework`.");
                }
            }
            Meaning::Concurrency => self.concurrency(entry),
            Meaning::TransactionIdPrefix => {
                let value = format!("{}0", entry.value);
                self.state(
                    Table::OutputProducer,
                    "transactional.id",
                    value,
                    true,
                    entry,
                );
            }
            Meaning::Off(why, write) => {
                if truth(&entry.value) != Some(false) {
                    self.not_modelled(&entry, why, write);
                }
            }
        }
    }

    fn property(&mut self, table: Table, key: &str, unit: Unit, entry: Entry) {
        let (value, expected) = match unit {
            Unit::Plain => (Some(entry.value.clone()), ""),
            Unit::Truth => (
                truth(&entry.value).map(|own| own.to_string()),
                "true or false",
            ),
            Unit::Duration => (
                units::milliseconds(&entry.value).map(|own| own.to_string()),
                "a duration, such as 500ms, 5s or PT5S",
            ),
            Unit::Size => (
                units::bytes(&entry.value).map(|own| own.to_string()),
                "a size, such as 16384 or 1MB",
            ),
            Unit::Isolation => {
                let words = ["read_uncommitted", "read_committed"];
                let same = |word: &&&str| uniform(word) == uniform(&entry.value);
                let word = words.iter().find(same).map(|word| String::from(*word));
                (word, "read-uncommitted or read-committed")
            }
        };
        match value {
            Some(value) => self.state(table, key, value, false, entry),
            None => self.wrong(&entry, expected),
        }
    }

    fn ack_mode(&mut self, entry: Entry) {
        let same = |mode: &&AckMode| uniform(mode.name()) == uniform(&entry.value);
        match AckMode::ALL.iter().find(same) {
            Some(mode) => {
                let name = mode.name().to_owned();
                self.state(Table::Application, "ack-mode", name, true, entry);
            }
            None => self.wrong(
                &entry,
                &alternatives(AckMode::ALL.iter().map(|mode| mode.name())),
            ),
        }
    }

    /// Threads of a container, or of Kafka Streams, are members of the group.
    fn concurrency(&mut self, entry: Entry) {
        match entry.value.trim().parse::<u32>() {
            Ok(0 | 1) => {}
            Ok(_) => {
                let text = format!(
                    "`{}` = {}: two consumers of the group are explored, as two processes.",
                    entry.key,
                    entry.value.trim()
                );
                self.found.assume(Some(&entry), text);
                self.state(
                    Table::Application,
                    "instances",
                    String::from("2"),
                    false,
                    entry,
                );
            }
            Err(_) => self.wrong(&entry, "a whole number"),
        }
    }

    fn map(&mut self, owner: &str, key: String, entry: &Entry) {
        let tables: &[Table] = match owner {
            "" => &[Table::Producer, Table::Consumer],
            "consumer" => &[Table::Consumer],
            "producer" => &[Table::Producer],
            "streams" => return self.of_streams(key, entry),
            "admin" => return,
            _ => return self.unknown(entry),
        };
        let Some(filled) = self.filled(entry) else {
            return;
        };
        self.of_clients(tables, key, filled, owner.is_empty());
    }

    /// A property of the clients; one that is common to all goes to those that have it.
    fn of_clients(&mut self, tables: &[Table], key: String, filled: Entry, is_common: bool) {
        let knows = |table: &Table| {
            let scope = table.scope().unwrap_or(Scope::Broker);
            matches!(look_up(Client::Java, scope, &key), Lookup::Found(_))
        };
        let known: Vec<Table> = tables.iter().copied().filter(knows).collect();
        let named = match (is_common, known.is_empty()) {
            (true, false) => known,
            // Unknown to all: told once.
            (true, true) => tables[..1].to_vec(),
            (false, _) => tables.to_vec(),
        };
        for table in named {
            let entry = Entry {
                key: key.clone(),
                ..filled.clone()
            };
            kafka(table, entry, self.found);
        }
    }

    /// `spring.kafka.streams.properties`
    fn of_streams(&mut self, key: String, entry: &Entry) {
        if !self.streams || STREAMS_NO_BEARING.contains(&key.as_str()) {
            return;
        }
        let Some(filled) = self.filled(entry) else {
            return;
        };
        let of = |prefix: &str| key.strip_prefix(prefix).map(str::to_owned);
        let elsewhere = ["admin.", "global.consumer.", "restore.consumer.", "topic."];
        if elsewhere.iter().any(|own| key.starts_with(own)) {
        } else if let Some(own) = of("main.consumer.").or_else(|| of("consumer.")) {
            self.of_clients(&[Table::Consumer], own, filled, false);
        } else if let Some(own) = of("producer.") {
            self.of_clients(&[Table::OutputProducer], own, filled, false);
        } else if key == "processing.guarantee" {
            let value = filled.value.clone();
            self.state(
                Table::Application,
                "processing.guarantee",
                value,
                true,
                filled,
            );
        } else if key == "num.stream.threads" {
            self.concurrency(filled);
        } else if key.ends_with(".exception.handler") {
            let fails = ["LogAndFail", "DefaultProductionExceptionHandler"];
            if !fails.iter().any(|own| filled.value.contains(own)) {
                self.not_modelled(&filled, "A handler of one's own decides which records are passed over.", "Leave it out, and write on-process-failure in the design that `semel init --spring FILE` writes.");
            }
        } else {
            self.of_clients(&[Table::Consumer, Table::OutputProducer], key, filled, true);
        }
    }

    /// Says what framework it is, and who writes what.
    pub(super) fn framework(&mut self, first: &Entry, order: Option<&str>) {
        let framework = match self.streams {
            true => Framework::KafkaStreams,
            false => Framework::SpringKafka,
        };
        let name = framework.name().to_owned();
        self.state(Table::Application, "framework", name, true, first.clone());
        self.found.listens = !self.streams;
        self.found.has_topology = self.streams;
        let own: Vec<Statement> = self
            .found
            .statements
            .iter()
            .filter(|statement| statement.table == Table::Producer)
            .cloned()
            .collect();
        let sender = match own.is_empty() {
            true => "has Kafka's defaults",
            false => "is set up as spring.kafka.producer is",
        };
        self.found.assume(None, format!("Who sends to the topic is not in these files: it is assumed that its producer {sender}."));
        let writes = self.found.states(Table::OutputProducer, "transactional.id")
            || order.is_some_and(|order| order.contains("produce"));
        for statement in own.into_iter().filter(|_| writes) {
            if !self.found.states(Table::OutputProducer, &statement.key) {
                self.found.state(Statement {
                    table: Table::OutputProducer,
                    ..statement
                });
            }
        }
    }

    fn state(&mut self, table: Table, key: &str, value: String, is_text: bool, from: Entry) {
        self.found.state(Statement {
            table,
            key: key.to_owned(),
            value,
            is_text,
            from,
        });
    }

    /// The entry with its placeholders filled in.
    fn filled(&mut self, entry: &Entry) -> Option<Entry> {
        match placeholders::fill(&entry.value, self.all) {
            Ok(filled) => {
                for default in filled.defaults {
                    let text = format!("`{}`: {default} is taken to have its default.", entry.key);
                    self.found.assume(Some(entry), text);
                }
                Some(Entry {
                    value: filled.value,
                    ..entry.clone()
                })
            }
            Err(name) => {
                let message = format!("`{}` has a placeholder without a value: {name}", entry.key);
                let mut problem = entry.problem(Code::UnknownValue, message);
                problem
                    .because("No key of these files has the name, and it has no default; the environment is not read.")
                    .write(format!("Write a default, ${{{name}:value}}, or the value in its place."));
                self.found.problems.push(problem);
                None
            }
        }
    }

    fn unknown(&mut self, entry: &Entry) {
        let names: Vec<String> = KEYS
            .iter()
            .map(|(name, _)| format!("{PREFIX}{name}"))
            .collect();
        let near = nearest(&entry.key, names.iter().map(String::as_str));
        let message = format!("Spring Boot has no key `{}`", entry.key);
        let mut problem = entry.problem(Code::UnknownKey, message);
        problem
            .label("no such key")
            .because("Boot ignores a name that it does not know, without a word: the setting is not in force.")
            .write(match near {
                Some(near) => format!("Did you mean `{near}`?"),
                None => String::from("Write a property of Kafka's below `properties`, or take the line away."),
            });
        self.found.problems.push(problem);
    }

    fn wrong(&mut self, entry: &Entry, expected: &str) {
        let message = format!(
            "`{}` has no value \"{}\"",
            entry.key,
            shortened(&entry.value)
        );
        let mut problem = entry.problem(Code::UnknownValue, message);
        problem
            .label("no such value")
            .write(format!("Write {expected}."));
        self.found.problems.push(problem);
    }

    fn not_modelled(&mut self, entry: &Entry, why: &str, write: &str) {
        let message = format!(
            "`{}` = {} is not modelled yet",
            entry.key,
            shortened(&entry.value)
        );
        let mut problem = entry.problem(Code::NotModelled, message);
        problem.label("not modelled yet").because(why).write(write);
        self.found.problems.push(problem);
    }
}

/// A truth value in Boot's spellings.
fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}
