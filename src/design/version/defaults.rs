//! Defaults that a release changed: one table. The table of properties has the newest ones.

use super::super::properties::Scope;
use super::{Version, Versions, patch, version};

/// One row: what a property's default was before a release changed it.
pub(crate) struct Former {
    pub scope: Scope,
    pub name: &'static str,
    /// The first release with the later default.
    pub before: Version,
    pub value: &'static str,
    /// Releases that should have had the later default, and do not.
    pub also: &'static [Version],
}

const fn former(scope: Scope, name: &'static str, before: Version, value: &'static str) -> Former {
    Former {
        scope,
        name,
        before,
        value,
        also: &[],
    }
}

/// The oldest default of each property first.
const FORMER: &[Former] = &[
    // KIP-679. Releases 3.0.0 and 3.1.0 announced idempotence and did not apply it (KAFKA-13598).
    Former {
        scope: Scope::Producer,
        name: "enable.idempotence",
        before: patch(3, 0, 1),
        value: "false",
        also: &[patch(3, 1, 0)],
    },
    former(Scope::Producer, "acks", version(3, 0), "1"),
    // KIP-91.
    former(Scope::Producer, "retries", version(2, 1), "0"),
    // KIP-1030.
    former(Scope::Producer, "linger.ms", version(4, 0), "0"),
    // KIP-726.
    former(
        Scope::Consumer,
        "partition.assignment.strategy",
        version(3, 0),
        "org.apache.kafka.clients.consumer.RangeAssignor",
    ),
    former(
        Scope::Consumer,
        "session.timeout.ms",
        patch(0, 10, 1),
        "30000",
    ),
    // KIP-735.
    former(
        Scope::Consumer,
        "session.timeout.ms",
        version(3, 0),
        "10000",
    ),
    former(
        Scope::Consumer,
        "max.poll.records",
        patch(0, 10, 1),
        "2147483647",
    ),
    former(
        Scope::Broker,
        "group.max.session.timeout.ms",
        version(2, 3),
        "300000",
    ),
    // KIP-186.
    former(
        Scope::Broker,
        "offsets.retention.minutes",
        version(2, 0),
        "1440",
    ),
    former(
        Scope::Broker,
        "unclean.leader.election.enable",
        version(0, 11),
        "true",
    ),
    former(
        Scope::Topic,
        "unclean.leader.election.enable",
        version(0, 11),
        "true",
    ),
    // KIP-537.
    former(
        Scope::Broker,
        "replica.lag.time.max.ms",
        version(2, 5),
        "10000",
    ),
    // KIP-854: before, producer ids expired with transactional ids, after seven days.
    former(
        Scope::Broker,
        "producer.id.expiration.ms",
        version(3, 4),
        "604800000",
    ),
    // KIP-890 and KIP-966: features of the cluster.
    former(Scope::Broker, "transaction.version", version(4, 0), "0"),
    former(
        Scope::Broker,
        "eligible.leader.replicas.version",
        version(4, 1),
        "0",
    ),
];

/// The default that the property had in the versions that the design is about, if it is another
/// than the newest.
pub(crate) fn former_default(
    versions: &Versions,
    place: Scope,
    name: &str,
) -> Option<&'static str> {
    let release = versions.of(place)?;
    FORMER
        .iter()
        .find(|row| {
            let earlier = !release.at_least(row.before) || row.also.contains(&release);
            row.scope == place && row.name == name && earlier
        })
        .map(|row| row.value)
}

#[cfg(test)]
mod tests {
    use super::super::super::properties::find;
    use super::*;
    use semel_models::pipeline::Client;

    #[test]
    fn every_former_default_is_one_of_a_property_and_another_than_the_newest() {
        for row in FORMER {
            let property = find(Client::Java, row.scope, row.name).expect("a property");
            let newest = property.default(Client::Java);
            assert_ne!(newest, Some(row.value), "{}", row.name);
            assert!(property.kind(Client::Java).check(row.value).is_ok());
        }
    }
}
