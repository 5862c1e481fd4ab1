//! The settings in force and where each comes from, for printing.

use super::clients::Resolution;
use super::document::{Document, Scalar};
use super::framework::Derived;
use super::kafka::{Properties, default as default_of};
use super::properties::{Class, Scope, accepted};
use super::source::{Position, Source};
use super::table::Table;

/// Where a setting's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The design states it.
    Stated(Position),
    /// The default of the client, or of the broker.
    KafkaDefault,
    /// semel's own default.
    Default,
    /// The client or the broker resolves it to this value; why.
    Resolved(String),
    /// The framework sets it; why.
    Framework(String),
}

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The table of the design in which it stands, or would stand.
    pub table: Table,
    /// Its name as stated, or else its canonical name.
    pub name: String,
    /// Its value in force.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

/// What Kafka's tables state, and the default of everything else that bears on delivery.
pub(crate) fn of_kafka(
    properties: &Properties,
    scope: Scope,
    resolutions: &[Resolution],
    source: &Source,
    into: &mut Vec<Setting>,
) {
    let resolved = |name: &str| {
        resolutions
            .iter()
            .find(|resolution| resolution.table == properties.table && resolution.name == name)
    };
    let setting =
        |name: &str, canonical: &str, value: &str, origin: Origin| match resolved(canonical) {
            Some(resolution) => Setting {
                table: properties.table,
                name: name.to_owned(),
                value: resolution.value.clone(),
                origin: Origin::Resolved(resolution.why.clone()),
            },
            None => Setting {
                table: properties.table,
                name: name.to_owned(),
                value: value.to_owned(),
                origin,
            },
        };
    for stated in &properties.stated {
        let origin = Origin::Stated(source.position(stated.name_span.start));
        let canonical = stated.property.canonical(properties.client);
        into.push(setting(&stated.name, canonical, &stated.value, origin));
    }
    if scope == Scope::Broker {
        return;
    }
    let client = properties.client;
    for row in accepted(client, scope) {
        let name = row.canonical(client);
        let own_row = name == row.name && row.class == Class::Modelled;
        let twice = into
            .iter()
            .any(|setting| setting.table == properties.table && setting.name == name);
        if !own_row || twice || properties.is_set(name) {
            continue;
        }
        let default = match default_of(row, scope, &properties.versions) {
            // A topic's creation arguments: the broker's own default is 1.
            Some("num.partitions" | "default.replication.factor") => "1",
            Some(default) => default,
            None => continue,
        };
        into.push(setting(name, name, default, Origin::KafkaDefault));
    }
}

/// What a table of semel's own states.
pub(crate) fn stated(document: &Document, table: Table, source: &Source, into: &mut Vec<Setting>) {
    for field in document.fields(table) {
        into.push(Setting {
            table,
            name: field.name.clone(),
            value: shown(&field.value),
            origin: Origin::Stated(source.position(field.name_span.start)),
        });
    }
}

/// What the design does not state itself, but its framework for it.
pub(crate) fn of_framework(derived: &[Derived], settings: &mut [Setting]) {
    for setting in settings {
        let own = derived
            .iter()
            .find(|own| own.table == setting.table && own.key == setting.name);
        if let (Some(own), Origin::Stated(_)) = (own, &setting.origin) {
            setting.origin = Origin::Framework(own.why.clone());
        }
    }
}

/// semel's default of a key, unless the design states the key.
pub(crate) fn default(table: Table, name: &str, value: impl ToString, into: &mut Vec<Setting>) {
    let is_stated = into
        .iter()
        .any(|setting| setting.table == table && setting.name == name);
    if !is_stated {
        into.push(Setting {
            table,
            name: name.to_owned(),
            value: value.to_string(),
            origin: Origin::Default,
        });
    }
}

fn shown(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Float(number) => number.to_string(),
        Scalar::Boolean(value) => value.to_string(),
        Scalar::Array(items) => {
            let items: Vec<String> = items.iter().map(|(item, _)| shown(item)).collect();
            items.join(", ")
        }
        Scalar::Datetime | Scalar::EmptyTable | Scalar::Tables => value.describe().to_owned(),
    }
}
