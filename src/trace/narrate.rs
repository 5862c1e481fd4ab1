//! Each step in a plain sentence.

mod application;
mod database;
mod environment;
#[cfg(test)]
mod tests;
mod upstream;

use super::facts::name;
use semel_models::action::{Action, Strike};
use semel_models::cluster::{Cluster, State};
use semel_models::pipeline::OffsetReset;
use std::collections::BTreeMap;

/// A step, told.
pub(super) struct Told {
    pub actor: &'static str,
    pub action: &'static str,
    pub parameters: BTreeMap<String, String>,
    pub sentence: String,
}

/// Tells the step from `before` to `after`.
pub(super) fn narrate(cluster: &Cluster, before: &State, action: Action, after: &State) -> Told {
    let scene = Scene {
        cluster,
        before,
        after,
    };
    let (actor, verb, sentence) = match action {
        Action::CommitUpstream(record) => {
            ("database", "commit-upstream", scene.commit_upstream(record))
        }
        Action::Mark(row) => ("relay", "mark", scene.mark(row)),
        Action::Send(record) => (scene.sender(), "send", scene.send(record)),
        Action::Transmit => ("producer", "transmit", scene.transmit()),
        Action::HandleProduce => ("broker", "handle-produce", scene.handle_produce()),
        Action::ReceiveAnswer => ("producer", "receive-answer", scene.receive_answer()),
        Action::Expire => ("producer", "expire", scene.expire()),
        Action::FailTooLate => ("producer", "fail-too-late", scene.fail_too_late()),
        Action::Join => ("consumer", "join", scene.join()),
        Action::Relocate => ("consumer", "relocate", scene.relocate()),
        Action::Poll(count) => ("consumer", "poll", scene.poll(count)),
        Action::Operate => ("consumer", "operate", scene.operate()),
        Action::HandleCommit => (
            "group coordinator",
            "handle-commit",
            "The commit reaches the group coordinator.".into(),
        ),
        Action::ReceiveCommitAnswer => (
            "consumer",
            "receive-commit-answer",
            "The answer to the commit reaches the consumer.".into(),
        ),
        Action::CommitAutomatically => (
            "consumer",
            "commit-automatically",
            scene.commit_automatically(),
        ),
        Action::CommitArrives => (
            "group coordinator",
            "commit-arrives",
            scene.commit_arrives(),
        ),
        Action::LateArrives(slot) => scene.late_arrives(slot),
        Action::Fault { strike, .. } => scene.strike(strike),
    };
    Told {
        actor,
        action: verb,
        parameters: parameters(before, action),
        sentence,
    }
}

fn parameters(before: &State, action: Action) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    let mut put = |key: &str, value: String| {
        parameters.insert(key.to_string(), value);
    };
    match action {
        Action::CommitUpstream(record) | Action::Mark(record) | Action::Send(record) => {
            put("record", name(record));
        }
        Action::Transmit => {
            if let Some(batch) = before.producer.queue.first() {
                put("record", name(batch.record));
            }
        }
        Action::Poll(count) => put("count", count.to_string()),
        Action::LateArrives(slot) => put("slot", slot.to_string()),
        Action::Operate => put("operation", before.consumer.operation.to_string()),
        Action::Fault { strike, .. } => {
            if let Strike::PowerLoss { kept } = strike {
                put("kept", kept.to_string());
            }
            if let Some(call) = strike.call() {
                put("call", call.name().to_string());
            }
        }
        Action::HandleProduce
        | Action::ReceiveAnswer
        | Action::Expire
        | Action::FailTooLate
        | Action::Join
        | Action::Relocate
        | Action::HandleCommit
        | Action::ReceiveCommitAnswer
        | Action::CommitAutomatically
        | Action::CommitArrives => {}
    }
    parameters
}

/// A step with the states on both sides of it.
struct Scene<'a> {
    cluster: &'a Cluster,
    before: &'a State,
    after: &'a State,
}

/// The policy as Kafka writes it.
pub(super) fn reset_policy(reset: OffsetReset) -> &'static str {
    match reset {
        OffsetReset::Earliest => "earliest",
        OffsetReset::Latest => "latest",
        OffsetReset::None => "none",
    }
}
