//! Every Kafka property, read from `kafka-properties.csv`: what each client calls it, its default
//! and range, and whether it bears on delivery.

use std::sync::OnceLock;

use semel_models::pipeline::Client;

use super::value::Kind;

/// Which table of a design a property belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The producer only.
    Producer,
    /// The consumer only.
    Consumer,
    /// Producer and consumer alike.
    Client,
    /// The topic.
    Topic,
    /// The broker.
    Broker,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 5] = [
        Scope::Producer,
        Scope::Consumer,
        Scope::Client,
        Scope::Topic,
        Scope::Broker,
    ];

    /// The scope's name in the table of properties.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Producer => "producer",
            Scope::Consumer => "consumer",
            Scope::Client => "client",
            Scope::Topic => "topic",
            Scope::Broker => "broker",
        }
    }

    /// Whether a property of this scope may be set where `place` may.
    pub(crate) fn covers(self, place: Scope) -> bool {
        match self {
            Scope::Client => matches!(place, Scope::Producer | Scope::Consumer | Scope::Client),
            Scope::Producer | Scope::Consumer | Scope::Topic | Scope::Broker => self == place,
        }
    }
}

/// What semel does with a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// It bears on delivery, and the model knows it.
    Modelled,
    /// It has no bearing on delivery: accepted at any valid value.
    NoBearing,
    /// It bears on delivery and is not in the model: accepted at its default only.
    NotYet,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 3] = [Class::Modelled, Class::NoBearing, Class::NotYet];

    /// The class's name in the table of properties.
    pub fn name(self) -> &'static str {
        match self {
            Class::Modelled => "modelled",
            Class::NoBearing => "no-bearing",
            Class::NotYet => "not-yet",
        }
    }
}

/// One row: a name that a client or the broker knows.
#[derive(Clone, Debug)]
pub struct Property {
    /// The name.
    pub name: String,
    /// Where it may be set.
    pub scope: Scope,
    /// Its type in Apache Kafka; `None`: only librdkafka has the name.
    pub java_type: Option<String>,
    /// Its default in Apache Kafka.
    pub java_default: String,
    /// The values that Apache Kafka takes.
    pub java_valid: String,
    /// librdkafka's canonical name of the same setting; `None`: librdkafka does not have it.
    pub librdkafka_name: Option<String>,
    /// Its default in librdkafka.
    pub librdkafka_default: String,
    /// The values that librdkafka takes.
    pub librdkafka_range: String,
    /// Whether librdkafka takes this row's own name.
    pub librdkafka_accepts: bool,
    /// The first Kafka version that has it; `None`: all 4.x have.
    pub since: Option<String>,
    /// The last Kafka version that has it; `None`: it is still there.
    pub until: Option<String>,
    /// What semel does with it.
    pub class: Class,
    /// What it does to delivery, or why it does nothing.
    pub why: String,
}

impl Property {
    /// Whether `client` takes this name. Topic and broker properties have no client.
    pub fn accepted_by(&self, client: Client) -> bool {
        match client {
            Client::Java => self.java_type.is_some(),
            Client::Librdkafka => match self.scope {
                Scope::Topic | Scope::Broker => true,
                Scope::Producer | Scope::Consumer | Scope::Client => self.librdkafka_accepts,
            },
        }
    }

    /// The one name under which rules look the setting up.
    pub fn canonical(&self, client: Client) -> &str {
        match (client, &self.librdkafka_name) {
            (Client::Librdkafka, Some(name)) => name,
            (Client::Librdkafka, None) | (Client::Java, _) => &self.name,
        }
    }

    /// The default; `None` where it is unset.
    pub fn default(&self, client: Client) -> Option<&str> {
        let text = match (client, self.scope) {
            (Client::Java, _) | (Client::Librdkafka, Scope::Topic | Scope::Broker) => {
                &self.java_default
            }
            (Client::Librdkafka, Scope::Producer | Scope::Consumer | Scope::Client) => {
                &self.librdkafka_default
            }
        };
        match text.as_str() {
            "" | "null" | "required" => None,
            stated => Some(stated),
        }
    }

    /// The values that may be written.
    pub fn kind(&self, client: Client) -> Kind<'_> {
        match (client, self.scope, &self.java_type) {
            (Client::Java, _, Some(java_type))
            | (Client::Librdkafka, Scope::Topic | Scope::Broker, Some(java_type)) => {
                Kind::of_java(java_type, &self.java_valid)
            }
            (Client::Librdkafka, Scope::Producer | Scope::Consumer | Scope::Client, _)
            | (_, _, None) => Kind::of_librdkafka(self.canonical(client), &self.librdkafka_range),
        }
    }
}

/// What a name means where it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lookup {
    /// The property.
    Found(&'static Property),
    /// The property exists here under the other client only.
    OtherClient(&'static Property),
    /// The property exists, but belongs elsewhere.
    Elsewhere(&'static Property),
    /// There is no such property.
    Unknown,
}

/// The whole table, in the order of the file.
pub fn properties() -> &'static [Property] {
    static TABLE: OnceLock<Vec<Property>> = OnceLock::new();
    TABLE.get_or_init(|| read().expect("the table of properties is part of the program"))
}

/// The properties that `client` takes in a table of this scope.
pub(crate) fn accepted(client: Client, place: Scope) -> impl Iterator<Item = &'static Property> {
    properties()
        .iter()
        .filter(move |row| row.scope.covers(place) && row.accepted_by(client))
}

/// The row that `name` means in a table of this scope. librdkafka has some names twice: the
/// global property goes before the topic's, a name of its own before an alias.
pub(crate) fn find(client: Client, place: Scope, name: &str) -> Option<&'static Property> {
    let rows = || accepted(client, place).filter(|row| row.name == name);
    rows()
        .find(|row| row.canonical(client) == name)
        .or_else(|| rows().next())
}

pub(crate) fn look_up(client: Client, place: Scope, name: &str) -> Lookup {
    if let Some(row) = find(client, place, name) {
        return Lookup::Found(row);
    }
    let other = match client {
        Client::Java => Client::Librdkafka,
        Client::Librdkafka => Client::Java,
    };
    if let Some(row) = find(other, place, name) {
        return Lookup::OtherClient(row);
    }
    let elsewhere = |client| {
        Scope::ALL
            .into_iter()
            .find_map(|place| find(client, place, name))
    };
    match elsewhere(client).or_else(|| elsewhere(other)) {
        Some(row) => Lookup::Elsewhere(row),
        None => Lookup::Unknown,
    }
}

fn read() -> Result<Vec<Property>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(include_str!("kafka-properties.csv").as_bytes());
    reader
        .records()
        .map(|record| property(&record.map_err(|error| error.to_string())?))
        .collect()
}

fn property(record: &csv::StringRecord) -> Result<Property, String> {
    let cell = |index: usize| record.get(index).unwrap_or("").to_owned();
    let optional = |index: usize| Some(cell(index)).filter(|text| !text.is_empty());
    let scope = Scope::ALL
        .into_iter()
        .find(|scope| scope.name() == cell(1))
        .ok_or_else(|| format!("scope of {}", cell(0)))?;
    let class = Class::ALL
        .into_iter()
        .find(|class| class.name() == cell(11))
        .ok_or_else(|| format!("class of {}", cell(0)))?;
    Ok(Property {
        name: cell(0),
        scope,
        java_type: optional(2),
        java_default: cell(3),
        java_valid: cell(4),
        librdkafka_name: optional(5),
        librdkafka_default: cell(6),
        librdkafka_range: cell(7),
        librdkafka_accepts: cell(8) == "yes",
        since: optional(9),
        until: optional(10),
        class,
        why: cell(12),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENTS: [Client; 2] = [Client::Java, Client::Librdkafka];

    #[test]
    fn every_row_is_read_and_says_why() {
        let rows = read().unwrap();
        assert_eq!(rows.len(), 598);
        for row in &rows {
            assert!(!row.name.is_empty() && !row.why.is_empty(), "{row:?}");
            assert!(
                row.java_type.is_some() || row.librdkafka_name.is_some(),
                "{row:?}"
            );
        }
    }

    #[test]
    fn every_alias_has_its_canonical_row() {
        for row in properties().iter().filter(|row| row.librdkafka_accepts) {
            let canonical = row.canonical(Client::Librdkafka);
            let place = match row.scope {
                Scope::Client => Scope::Producer,
                Scope::Producer | Scope::Consumer | Scope::Topic | Scope::Broker => row.scope,
            };
            let target = find(Client::Librdkafka, place, canonical);
            assert!(target.is_some(), "{} is an alias of {canonical}", row.name);
        }
    }

    #[test]
    fn no_two_rows_contradict_each_other() {
        for client in CLIENTS {
            for place in [
                Scope::Producer,
                Scope::Consumer,
                Scope::Topic,
                Scope::Broker,
            ] {
                for row in accepted(client, place) {
                    let chosen = find(client, place, &row.name).unwrap();
                    let same = std::ptr::eq(chosen, row);
                    // What is passed over must not be stricter than what is chosen.
                    assert!(
                        same || client == Client::Librdkafka && row.class == Class::NoBearing,
                        "{client:?} {place:?} {}",
                        row.name
                    );
                }
            }
        }
    }

    #[test]
    fn every_default_is_a_value_that_its_row_allows() {
        for client in CLIENTS {
            for place in [
                Scope::Producer,
                Scope::Consumer,
                Scope::Topic,
                Scope::Broker,
            ] {
                for row in accepted(client, place) {
                    let Some(default) = row.default(client) else {
                        continue;
                    };
                    // These defaults name another property or are computed.
                    if [
                        "num.partitions",
                        "default.replication.factor",
                        "JVM default",
                        "Double.MAX_VALUE",
                    ]
                    .contains(&default)
                    {
                        continue;
                    }
                    if let Err(wrong) = row.kind(client).check(default) {
                        panic!("{client:?} {}: {default}: {}", row.name, wrong.expected);
                    }
                }
            }
        }
    }

    #[test]
    fn a_name_is_found_under_the_client_that_has_it() {
        let name = |lookup| match lookup {
            Lookup::Found(row) => format!("found {}", row.name),
            Lookup::OtherClient(row) => format!("other client {}", row.name),
            Lookup::Elsewhere(row) => format!("elsewhere {}", row.scope.name()),
            Lookup::Unknown => String::from("unknown"),
        };
        let at = |client, place, text| name(look_up(client, place, text));
        assert_eq!(at(Client::Java, Scope::Producer, "acks"), "found acks");
        assert_eq!(
            at(Client::Librdkafka, Scope::Producer, "acks"),
            "found acks"
        );
        assert_eq!(
            at(Client::Java, Scope::Producer, "message.timeout.ms"),
            "other client message.timeout.ms"
        );
        assert_eq!(
            at(Client::Librdkafka, Scope::Producer, "buffer.memory"),
            "other client buffer.memory"
        );
        assert_eq!(
            at(Client::Java, Scope::Consumer, "acks"),
            "elsewhere producer"
        );
        assert_eq!(at(Client::Java, Scope::Consumer, "ackz"), "unknown");
    }

    #[test]
    fn auto_commit_of_librdkafka_is_the_global_property() {
        let row = find(Client::Librdkafka, Scope::Consumer, "enable.auto.commit").unwrap();
        assert_eq!(row.canonical(Client::Librdkafka), "enable.auto.commit");
        assert_eq!(row.class, Class::Modelled);
    }
}
