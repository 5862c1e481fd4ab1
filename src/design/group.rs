//! The consumers of the group: who assigns the partition, and how a rebalance takes it away.
//!
//! Follows `ConsumerCoordinator`, `AbstractMembershipManager` and the assignors of Apache Kafka 4.0
//! to 4.3, and `rdkafka_cgrp.c` of librdkafka 2.15.

use semel_models::order::{Order, Step};
use semel_models::pipeline::Assignment;
use semel_models::pipeline::{AutoCommit, Client, GroupProtocol, GroupSettings};

use super::application::Application;
use super::choices;
use super::clients::refuse;
use super::kafka::Properties;
use super::modelled;
use super::report::{Report, alternatives};
use super::sink::Sink;
use super::version::{Party, Rule, Versions};

const STRATEGY: &str = "partition.assignment.strategy";

/// What decides how the group behaves.
pub(crate) struct Group<'d> {
    pub consumer: &'d Properties,
    pub broker: &'d Properties,
    pub application: &'d Application,
    pub sink: &'d Sink,
    pub order: Option<&'d Order>,
    pub auto_commit: AutoCommit,
    pub versions: &'d Versions,
}

impl Group<'_> {
    pub fn settings(&self, report: &mut Report) -> Option<GroupSettings> {
        let assignment = modelled::assignment(self.application.assignment.value)?;
        let subscribes = assignment == Assignment::Subscribe;
        self.refuse_newer(report);
        let protocol = self.protocol();
        let listens = self.listens();
        let static_membership = self.is_static() && subscribes;
        Some(GroupSettings {
            instances: u16::try_from(self.application.instances.value).ok()?,
            assignment,
            protocol,
            sticky: self.sticky(protocol, report),
            static_membership,
            revokes_in_background: subscribes && self.revokes_in_background(protocol, listens),
            rejoins_in_background: subscribes && self.rejoins_in_background(protocol, listens),
        })
    }

    /// librdkafka takes an empty name for none.
    fn is_static(&self) -> bool {
        let name = self.consumer.get("group.instance.id");
        name.is_some_and(|stated| !stated.value.trim().is_empty())
    }

    /// What the versions of brokers and clients do not have yet.
    fn refuse_newer(&self, report: &mut Report) {
        let cooperative = self.consumer.is_set(STRATEGY) && self.strategies().any(is_cooperative);
        let consumer = self.consumer.text("group.protocol") == Some("consumer");
        let newer = [
            (
                "group.instance.id",
                self.is_static(),
                Rule::StaticMembership,
                "static membership",
            ),
            (
                STRATEGY,
                cooperative,
                Rule::CooperativeRebalancing,
                "cooperative rebalancing",
            ),
            (
                "group.protocol",
                consumer,
                Rule::ConsumerProtocol,
                "the consumer protocol",
            ),
        ];
        for (name, stated, rule, what) in newer {
            if !stated || self.versions.has(rule) {
                continue;
            }
            let row = rule.introduction();
            let (kafka, client) = (self.versions.kafka, self.versions.client);
            let who = match (self.versions.library, row.party) {
                (Client::Java, _) if kafka == client => format!("Kafka {kafka}"),
                (Client::Java, Party::Client) => format!("The Java client {client}"),
                (Client::Java, Party::Broker | Party::Both) => {
                    format!("Kafka {kafka} with Java clients of {client}")
                }
                (Client::Librdkafka, _) => format!("Kafka {kafka}"),
            };
            let early = match rule == Rule::ConsumerProtocol {
                true => " What 3.7 to 3.9 had of it was a preview.",
                false => "",
            };
            refuse(
                report,
                self.consumer,
                name,
                format!("{who} does not have {what}"),
            )
            .because(format!(
                "It came with Kafka {} ({}).{early}",
                row.since, row.reference
            ))
            .write(format!("Leave `{name}` out, or write a newer version."));
        }
    }

    fn protocol(&self) -> GroupProtocol {
        if self.consumer.text("group.protocol") == Some("consumer") {
            return GroupProtocol::Consumer;
        }
        // Java takes the highest protocol that every listed assignor has; librdkafka refuses to
        // mix them. One eager assignor in the list is enough to give up everything.
        let mut words = self.strategies().peekable();
        let listed = words.peek().is_some();
        match listed && words.all(is_cooperative) {
            true => GroupProtocol::Cooperative,
            false => GroupProtocol::Eager,
        }
    }

    fn strategies(&self) -> impl Iterator<Item = &str> {
        let stated = self.consumer.text(STRATEGY).unwrap_or("");
        stated
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
    }

    /// Whether the assignor that the group uses leaves the partition with its owner. Every member
    /// lists the same ones, so the first is used.
    fn sticky(&self, protocol: GroupProtocol, report: &mut Report) -> bool {
        match protocol {
            GroupProtocol::Eager | GroupProtocol::Cooperative => {
                self.strategies().next().is_some_and(is_sticky)
            }
            GroupProtocol::Consumer => self.remote_assignor(report) == "uniform",
        }
    }

    /// The coordinator's assignor: the one asked for, or the first of the broker's.
    fn remote_assignor(&self, report: &mut Report) -> &str {
        const NAME: &str = "group.remote.assignor";
        const OFFERED: &str = "group.consumer.assignors";
        let offered = self.broker.text(OFFERED).unwrap_or("uniform,range");
        let mut offered = offered.split(',').map(str::trim);
        let first = offered.clone().next().unwrap_or("uniform");
        let Some(wanted) = self.consumer.get(NAME) else {
            return first;
        };
        let wanted = wanted.value.trim();
        if wanted.is_empty() {
            return first;
        }
        if !offered.any(|word| word == wanted) {
            let words = self.broker.text(OFFERED).unwrap_or("uniform,range");
            let words = alternatives(words.split(',').map(str::trim));
            refuse(
                report,
                self.consumer,
                NAME,
                format!("the group coordinator has no assignor `{wanted}`"),
            )
            .because(format!(
                "org.apache.kafka.common.errors.UnsupportedAssignorException when the consumer joins: {OFFERED} names the assignors that there are."
            ))
            .write(format!("Write {words}."));
        }
        wanted
    }

    /// Whether the application's code is called when the partition comes or goes: a listener that is
    /// stated to do nothing is one, too.
    fn listens(&self) -> bool {
        let application = self.application;
        let seeks = application.seek_on_assign.value
            && self
                .order
                .is_some_and(|order| order.contains(Step::SaveOffset));
        application.on_revoke.at.is_some() || application.on_lost.at.is_some() || seeks
            // The new owner tells the sink its generation when it is assigned.
            || self.sink.fencing.value
            || self.consumer.is_true("rebalance_cb")
    }

    /// librdkafka's main thread revokes by itself unless a rebalance callback waits for the
    /// application's poll. Java's classic protocol revokes in polls only; its consumer protocol
    /// used to revoke from the background thread where neither a listener nor an automatic commit
    /// needed the application's.
    fn revokes_in_background(&self, protocol: GroupProtocol, listens: bool) -> bool {
        if listens {
            return false;
        }
        match (self.versions.library, protocol) {
            (Client::Librdkafka, _) => true,
            (Client::Java, GroupProtocol::Eager | GroupProtocol::Cooperative) => false,
            (Client::Java, GroupProtocol::Consumer) => {
                self.auto_commit == AutoCommit::Off
                    && !self.versions.has(Rule::RevocationInPollsOnly)
            }
        }
    }

    /// After its session expired, librdkafka and Java's consumer protocol join again from their
    /// background threads, unless a callback has to run first.
    fn rejoins_in_background(&self, protocol: GroupProtocol, listens: bool) -> bool {
        match (self.versions.library, protocol) {
            _ if listens => false,
            (Client::Librdkafka, _) | (Client::Java, GroupProtocol::Consumer) => true,
            (Client::Java, GroupProtocol::Eager | GroupProtocol::Cooperative) => false,
        }
    }
}

/// The class's name without its package; librdkafka's names are short already.
fn simple(word: &str) -> &str {
    word.rsplit('.').next().unwrap_or(word)
}

fn is_cooperative(word: &str) -> bool {
    matches!(
        simple(word),
        "CooperativeStickyAssignor" | "cooperative-sticky"
    )
}

fn is_sticky(word: &str) -> bool {
    simple(word) == "StickyAssignor" || is_cooperative(word)
}

/// Without a group that assigns, nobody is revoked, fenced or put out.
pub(crate) fn assigns_itself(application: &Application) -> bool {
    application.assignment.value == choices::Assignment::Assign
}
