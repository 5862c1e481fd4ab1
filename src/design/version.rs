//! Which versions of Kafka and of the clients a design is about.

pub(crate) mod defaults;
mod releases;
mod rules;

pub use releases::KAFKA_VERSIONS;
pub use rules::{DesignRules, Introduction, Party, RULES, Rule};

use std::fmt;

use semel_models::pipeline::Client;

use super::diagnostic::Code;
use super::document::{Field, Scalar};
use super::keys::{Keys, wrong_type};
use super::properties::Scope;
use super::report::Report;

/// A version as far as it matters here: `4.1`, or where a patch release matters `3.1.0`. Before 1.0 a
/// release has three numbers, and its patch is the fourth: `0.11.0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
    /// The third number; `None`: the newest patch of the release.
    pub patch: Option<u16>,
    /// The fourth number, which versions before 1.0 have; `None`: the newest.
    pub fix: Option<u16>,
}

impl Version {
    /// Whether this version is `first` or newer. A first version without a patch is the release
    /// itself.
    pub fn at_least(self, first: Version) -> bool {
        let own = (self.patch.unwrap_or(u16::MAX), self.fix.unwrap_or(u16::MAX));
        let least = (first.patch.unwrap_or(0), first.fix.unwrap_or(0));
        (self.major, self.minor, own) >= (first.major, first.minor, least)
    }

    /// The version without its patch.
    fn release(self) -> Version {
        version(self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        for number in [self.patch, self.fix].into_iter().flatten() {
            write!(f, ".{number}")?;
        }
        Ok(())
    }
}

const fn version(major: u16, minor: u16) -> Version {
    Version {
        major,
        minor,
        patch: None,
        fix: None,
    }
}

const fn patch(major: u16, minor: u16, patch: u16) -> Version {
    Version {
        major,
        minor,
        patch: Some(patch),
        fix: None,
    }
}

const fn fix(minor: u16, patch: u16, fix: u16) -> Version {
    Version {
        major: 0,
        minor,
        patch: Some(patch),
        fix: Some(fix),
    }
}

/// The versions of librdkafka whose rules are known.
pub const LIBRDKAFKA_VERSIONS: [Version; 3] = [version(1, 6), version(1, 8), version(2, 15)];

/// The newest version whose rules are known.
pub(crate) fn newest() -> Version {
    KAFKA_VERSIONS[KAFKA_VERSIONS.len() - 1]
}

/// The newest version of a client whose rules are known.
pub(crate) fn newest_client(library: Client) -> Version {
    match library {
        Client::Java => newest(),
        Client::Librdkafka => LIBRDKAFKA_VERSIONS[LIBRDKAFKA_VERSIONS.len() - 1],
    }
}

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
        let kafka = one_of(keys, "kafka", &KAFKA_VERSIONS, newest(), report);
        let client = match library {
            // Java clients come with the brokers: left out, it is their version.
            Client::Java => one_of(keys, "client-version", &KAFKA_VERSIONS, kafka, report),
            Client::Librdkafka => {
                let newest = newest_client(library);
                one_of(keys, "client-version", &LIBRDKAFKA_VERSIONS, newest, report)
            }
        };
        let versions = Versions {
            kafka,
            client,
            library,
        };
        versions.speak_alike(report);
        versions
    }

    /// Brokers and clients of 4.0 no longer speak the protocols from before 2.1.
    fn speak_alike(&self, report: &mut Report) {
        let (first, last) = (version(4, 0), version(2, 1));
        let apart = |one: Version, other: Version| one.at_least(first) && !other.at_least(last);
        let java = self.library == Client::Java;
        if java && (apart(self.kafka, self.client) || apart(self.client, self.kafka)) {
            let (kafka, client) = (self.kafka, self.client);
            report
                .problem(
                    Code::RefusedByKafka,
                    None,
                    format!("brokers of Kafka {kafka} and Java clients of {client} do not speak to each other"),
                )
                .because("org.apache.kafka.common.errors.UnsupportedVersionException: since 4.0 brokers and clients need the other side to be of 2.1 or newer (KIP-896).")
                .write("Write versions of `kafka` and `client-version` that are nearer to each other.");
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

/// `4.1`, `4.1.2`, and before 1.0 `0.11.0.3`.
pub(crate) fn parse(text: &str) -> Option<Version> {
    let numbers: Option<Vec<u16>> = text.trim().split('.').map(number).collect();
    match numbers?.as_slice() {
        [major, minor] => Some(version(*major, *minor)),
        [major, minor, third] => Some(patch(*major, *minor, *third)),
        [0, minor, third, fourth] => Some(fix(*minor, *third, *fourth)),
        _ => None,
    }
}

fn number(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
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
        Some(version) if known.contains(&version.release()) => {
            released(version, name, field, report);
            version
        }
        Some(version) => {
            let versions = match known {
                [first, last] => format!("{first} and {last}"),
                [first, second, last] => format!("{first}, {second} and {last}"),
                [first, .., last] => format!("{first} to {last}"),
                [only] => only.to_string(),
                [] => String::new(),
            };
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

/// A patch that is not of its release is most likely a typing error, and would get a rule wrong.
fn released(version: Version, name: &str, field: &Field, report: &mut Report) {
    let Some(last) = releases::last_patch(version.release()) else {
        return;
    };
    let last_fix = version
        .patch
        .and_then(|own| releases::last_fix(version.minor, own));
    let is_known = |own: Option<u16>, last: Option<u16>| own.is_none_or(|own| Some(own) <= last);
    if is_known(version.patch, Some(last)) && is_known(version.fix, last_fix) {
        return;
    }
    let release = version.release();
    let newest = Version {
        fix: releases::last_fix(release.minor, last).filter(|_| release.major == 0),
        ..patch(release.major, release.minor, last)
    };
    report
        .problem(
            Code::UnknownValue,
            field.value_span,
            format!("`{name}` = \"{version}\": there is no such patch of {release}"),
        )
        .label("never released")
        .because(format!(
            "The newest is {newest}; \"{release}\" alone means it."
        ))
        .write(format!("Write \"{release}\", or the patch that you run."));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_with_or_without_its_patch() {
        assert_eq!(parse("4.1"), Some(version(4, 1)));
        assert_eq!(parse("4.1.2"), Some(patch(4, 1, 2)));
        assert_eq!(parse("0.11.0.3"), Some(fix(11, 0, 3)));
        assert_eq!(fix(11, 0, 3).to_string(), "0.11.0.3");
        for wrong in [
            "4", "4.", "4.x", "4.1.2.3", "4.1.", "", "latest", "-4.1", "+4.1",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_release_without_a_patch_is_its_newest() {
        assert!(version(3, 1).at_least(patch(3, 1, 1)));
        assert!(!patch(3, 1, 0).at_least(patch(3, 1, 1)));
        assert!(patch(3, 1, 0).at_least(version(3, 1)));
        assert!(!version(3, 0).at_least(version(3, 1)));
        assert!(version(0, 11).at_least(fix(11, 0, 2)));
        assert!(patch(0, 11, 0).at_least(fix(11, 0, 2)));
        assert!(!fix(11, 0, 1).at_least(fix(11, 0, 2)));
        assert!(fix(10, 1, 0).at_least(patch(0, 10, 1)));
        assert!(!fix(10, 0, 1).at_least(patch(0, 10, 1)));
    }

    #[test]
    fn every_rule_comes_with_a_release_that_is_known() {
        for row in RULES {
            assert!(
                KAFKA_VERSIONS.contains(&row.since.release()),
                "{:?}",
                row.rule
            );
            assert!(!row.summary.is_empty() && !row.reference.is_empty());
        }
        let sorted = RULES
            .windows(2)
            .all(|rows| rows[1].since.at_least(rows[0].since));
        assert!(sorted, "the oldest first");
    }

    #[test]
    fn idempotence_by_default_was_forgotten_in_two_releases() {
        let java = |client| Versions {
            kafka: version(4, 3),
            client,
            library: Client::Java,
        };
        for (client, expected) in [
            (version(2, 8), false),
            (patch(3, 0, 0), false),
            (patch(3, 0, 1), true),
            (patch(3, 1, 0), false),
            (patch(3, 1, 1), true),
            (version(3, 1), true),
            (version(4, 3), true),
        ] {
            assert_eq!(
                java(client).has(Rule::IdempotenceByDefault),
                expected,
                "{client}"
            );
        }
    }
}
