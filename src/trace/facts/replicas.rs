//! Replicas and their controller as facts.

use super::{Value, content, list};
use semel_models::cluster::State;
use semel_models::pipeline::Pipeline;
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
    let Some(replication) = &state.replication else {
        return Vec::new();
    };
    let controller = &replication.controller;
    let mut facts = vec![
        (
            "leader".into(),
            controller.leader.map_or("none".into(), broker_name).into(),
        ),
        ("in sync".into(), brokers(controller.in_sync).into()),
    ];
    if pipeline.topic.replication.eligible_leader_replicas {
        facts.push((
            "eligible to lead".into(),
            brokers(controller.eligible).into(),
        ));
    }
    for who in 0..pipeline.topic.replication.replicas {
        facts.push((
            format!("log of {}", broker_name(who)),
            log_of(replication, who),
        ));
    }
    facts
}

fn log_of(replication: &Replication, who: u16) -> Value {
    let replica = replication.replica(who);
    let entries = replica.broker.log.iter().enumerate();
    let entries = list(entries.map(|(offset, entry)| {
        format!(
            "{offset}: {} (epoch {})",
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
