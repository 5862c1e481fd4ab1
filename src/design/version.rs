//! Which versions of Kafka and of the clients a design is about.

use std::fmt;

use semel_models::pipeline::Client;

use super::diagnostic::Code;
use super::document::Scalar;
use super::keys::{Keys, wrong_type};
use super::properties::Scope;
use super::report::{Report, enumeration};

/// A version as far as it matters here: `4.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

const fn version(major: u16, minor: u16) -> Version {
    Version { major, minor }
}

/// The versions of Kafka, and of its Java clients, whose rules are known, the oldest first.
pub const KAFKA_VERSIONS: [Version; 4] =
    [version(4, 0), version(4, 1), version(4, 2), version(4, 3)];
/// The versions of librdkafka whose rules are known.
pub const LIBRDKAFKA_VERSIONS: [Version; 1] = [version(2, 15)];

/// The versions that are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The brokers' version, at which the cluster was formatted.
    pub kafka: Version,
    /// The clients' version.
    pub client: Version,
    /// Whose clients.
    pub library: Client,
}

impl Versions {
    pub(crate) fn read(keys: &mut Keys<'_>, library: Client, report: &mut Report) -> Self {
        let newest = KAFKA_VERSIONS[KAFKA_VERSIONS.len() - 1];
        let kafka = one_of(keys, "kafka", &KAFKA_VERSIONS, newest, report);
        let client = match library {
            // Java clients come with the brokers: left out, it is their version.
            Client::Java => one_of(keys, "client-version", &KAFKA_VERSIONS, kafka, report),
            Client::Librdkafka => {
                let newest = LIBRDKAFKA_VERSIONS[LIBRDKAFKA_VERSIONS.len() - 1];
                one_of(keys, "client-version", &LIBRDKAFKA_VERSIONS, newest, report)
            }
        };
        Versions {
            kafka,
            client,
            library,
        }
    }

    /// The version of Kafka by which properties of this scope come and go.
    pub(crate) fn of(&self, scope: Scope) -> Option<Version> {
        match (scope, self.library) {
            (Scope::Topic | Scope::Broker, _) => Some(self.kafka),
            (Scope::Producer | Scope::Consumer | Scope::Client, Client::Java) => Some(self.client),
            (Scope::Producer | Scope::Consumer | Scope::Client, Client::Librdkafka) => None,
        }
    }
}

/// `4.1`, `4.1.2`: what follows the second number does not matter.
pub(crate) fn parse(text: &str) -> Option<Version> {
    let mut parts = text.trim().split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    let patches = parts.clone().count();
    let numbers = parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    (patches <= 1 && numbers).then_some(Version { major, minor })
}

fn one_of(
    keys: &mut Keys<'_>,
    name: &str,
    known: &[Version],
    default: Version,
    report: &mut Report,
) -> Version {
    let Some(field) = keys.take(name) else {
        return default;
    };
    let example = format!("\"{default}\"");
    let Scalar::Text(text) = &field.value else {
        wrong_type(
            report,
            field,
            &format!("a version as a string, such as {example}"),
        );
        return default;
    };
    match parse(text) {
        Some(version) if known.contains(&version) => version,
        Some(version) => {
            let versions: Vec<String> = known.iter().map(Version::to_string).collect();
            let versions = enumeration(versions.iter().map(String::as_str));
            report
                .not_modelled(field.value_span, format!("`{name}` = \"{version}\""))
                .because("Defaults, refusals and protocol rules change between versions.")
                .write(format!("Modelled: {versions}."));
            default
        }
        None => {
            report
                .problem(
                    Code::UnknownValue,
                    field.value_span,
                    format!("`{name}` is not a version"),
                )
                .write(format!("Write, for instance, {example}."));
            default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_release_counts_as_its_release() {
        assert_eq!(parse("4.1"), Some(version(4, 1)));
        assert_eq!(parse("4.1.2"), Some(version(4, 1)));
        for wrong in ["4", "4.", "4.x", "4.1.2.3", "4.1.", "", "latest", "-4.1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
