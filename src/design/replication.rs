//! The replicas of the topic: what is in force.

use semel_models::pipeline::ReplicationSettings;
use semel_models::replication::MAX_REPLICAS;

use super::kafka::Properties;
use super::report::Report;
use super::version::{Rule, Versions};
use super::warning::WarningKind;

/// The settings of the replicas.
pub(crate) fn settings(
    topic: &Properties,
    broker: &Properties,
    replicas: i64,
    versions: &Versions,
    report: &mut Report,
) -> ReplicationSettings {
    let most = MAX_REPLICAS as i64;
    if replicas > most {
        const NAMES: [&str; 2] = ["replication.factor", "default.replication.factor"];
        let (place, name) = match topic.at(NAMES[0]) {
            Some(place) => (Some(place), NAMES[0]),
            None => (broker.at(NAMES[1]), NAMES[1]),
        };
        report
            .not_modelled(place, format!("`{name}` = {replicas}"))
            .because(
                "Elections and truncations among more replicas than three are too many to explore.",
            )
            .write(format!("Accepted: {name} = 1 to {most}."));
    }
    let replicas = replicas.clamp(1, most) as u16;
    let minimum = minimum(topic, broker, i64::from(replicas), versions, report);
    let unclean = match topic.is_set("unclean.leader.election.enable") {
        true => topic.is_true("unclean.leader.election.enable"),
        false => broker.is_true("unclean.leader.election.enable"),
    };
    let several = replicas > 1;
    ReplicationSettings {
        replicas,
        min_in_sync: u16::try_from(minimum)
            .unwrap_or(replicas)
            .clamp(1, replicas),
        unclean_leader_election: several && unclean,
        eligible_leader_replicas: several
            && broker.integer("eligible.leader.replicas.version") == Some(1),
    }
}

/// `min.insync.replicas` as stated; above the number of replicas Kafka takes that instead.
fn minimum(
    topic: &Properties,
    broker: &Properties,
    replicas: i64,
    versions: &Versions,
    report: &mut Report,
) -> i64 {
    const NAME: &str = "min.insync.replicas";
    let (place, minimum) = if topic.is_set(NAME) {
        (topic.at(NAME), topic.integer(NAME))
    } else {
        (broker.at(NAME), broker.integer(NAME))
    };
    let minimum = minimum.unwrap_or(1);
    let copies = match replicas {
        1 => "1 replica".into(),
        several => format!("{several} replicas"),
    };
    if minimum > replicas && !versions.has(Rule::HighWatermarkWaits) {
        report
            .not_modelled(
                place,
                format!("min.insync.replicas = {minimum} with {copies} before Kafka 3.7"),
            )
            .because("Before KAFKA-15583 every write with acks=all is refused then: there is nothing to judge.")
            .write(format!("Write min.insync.replicas = {replicas} or less."));
    } else if minimum > replicas {
        let copies = if replicas == 1 { "copy" } else { "copies" };
        report.warn(
            WarningKind::ResolvedByClient,
            place,
            format!("min.insync.replicas = {minimum} is above the replication factor of {replicas}: Kafka requires the smaller of the two, {replicas}. It does not refuse writes, and an acknowledged record has {replicas} {copies}."),
        );
    }
    minimum
}
