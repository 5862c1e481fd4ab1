//! Replicas and their controller as facts.

use super::{Value, content, list};
use semel_models::cluster::State;
use semel_models::pipeline::{Pipeline, ReplicationSettings};
use semel_models::replication::{Members, Replication, Status};

/// What a broker is called.
pub(crate) fn broker_name(who: u16) -> String {
    format!("broker {}", who + 1)
}

/// Several brokers, by their numbers.
pub(in crate::trace) fn brokers(members: Members) -> String {
    let numbers: Vec<String> = members.iter().map(|who| (who + 1).to_string()).collect();
    match numbers.as_slice() {
        [] => "none".into(),
        [one] => format!("broker {one}"),
        _ => format!("brokers {}", numbers.join(", ")),
    }
}

/// The facts about the replicas, where there are several.
pub(super) fn of_replicas(state: &State, pipeline: &Pipeline) -> Vec<(String, Value)> {
    let replication = state.replication.as_deref();
    let settings = &pipeline.topic.replication;
    replication.map_or_else(Vec::new, |own| of_topic(own, settings, ""))
}

/// The same of the output topic, where faults can strike it, and how far its reader has come.
pub(super) fn of_results(state: &State, pipeline: &Pipeline) -> Vec<(String, Value)> {
    let output = state.output.as_deref();
    let Some(log) = output.and_then(|output| output.log.as_deref()) else {
        return Vec::new();
    };
    let settings = &pipeline.consumer.output.replication;
    let mut facts = of_topic(&log.replication, settings, "output topic: ");
    facts.push((
        "output topic: read up to".into(),
        log.read.to_string().into(),
    ));
    facts
}

fn of_topic(
    replication: &Replication,
    settings: &ReplicationSettings,
    of: &str,
) -> Vec<(String, Value)> {
    let controller = &replication.controller;
    let named = |fact: &str| format!("{of}{fact}");
    let leader = controller.leader.map_or("none".into(), broker_name);
    let mut facts = vec![
        (named("leader"), leader.into()),
        (named("in sync"), brokers(controller.in_sync).into()),
    ];
    if settings.eligible_leader_replicas {
        let eligible = brokers(controller.eligible).into();
        facts.push((named("eligible to lead"), eligible));
    }
    for who in 0..settings.replicas {
        let name = named(&format!("log of {}", broker_name(who)));
        facts.push((name, log_of(replication, who)));
    }
    facts
}

fn log_of(replication: &Replication, who: u16) -> Value {
    let replica = replication.replica(who);
    let start = usize::from(replica.broker.log_start());
    let entries = replica.broker.log.iter().enumerate().skip(start);
    let entries = list(entries.map(|(offset, entry)| {
        let forgotten = match entry.forgotten {
            true => " [producer id forgotten]",
            false => "",
        };
        format!(
            "{offset}: {} (epoch {}){forgotten}",
            content(entry),
            entry.leader_epoch
        )
    }));
    match replica.status {
        Status::Up => entries,
        Status::Down => entries.with_note("down".into()),
        Status::Unpowered => entries.with_note("without power".into()),
    }
}
