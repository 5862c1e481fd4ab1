//! Each step in a plain sentence.

mod aging;
mod application;
mod commits;
mod coordinators;
mod database;
mod environment;
mod failures;
mod late_calls;
mod membership;
mod output;
mod output_topic;
mod partitions;
mod replicas;
mod retries;
#[cfg(test)]
mod tests;
mod transactions;
mod upstream;

pub(super) use retries::offset_in_retries;

use super::facts::{broker_name, lettered, name};
use semel_models::action::{
    Action, ConsumerStep, ConsumerStrike, Recreation, ReplicaStep, Request, Strike,
    TransactionStep, UnderWay,
};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Consumer;
use semel_models::limits::MAX_INSTANCES;
use semel_models::partitions::Partition;
use semel_models::pipeline::{AfterAttempts, OffsetReset};
use semel_models::replication::Members;
use semel_models::transaction_coordinator::Part;
use std::collections::BTreeMap;
use std::ops::Deref;

/// A step, told.
pub(super) struct Told {
    pub actor: String,
    pub action: &'static str,
    pub parameters: BTreeMap<String, String>,
    pub sentence: String,
}

/// Tells the step from `before` to `after`; `running`: the consumers whose process runs before it,
/// though it may be out of the group.
pub(super) fn narrate(
    cluster: &Cluster,
    before: &State,
    action: Action,
    after: &State,
    running: [bool; MAX_INSTANCES],
) -> Told {
    if let Some(told) = partitions::told_there(cluster, before, action, after, running) {
        return told;
    }
    if let Some(told) = output_topic::told_in_output(cluster, before, action, after, running) {
        return told;
    }
    let scene = Scene {
        cluster,
        before,
        after,
        running,
    };
    let (actor, verb, sentence) = match action {
        Action::CommitUpstream(record) => {
            ("database", "commit-upstream", scene.commit_upstream(record))
        }
        Action::Mark(row) => ("relay", "mark", scene.mark(row)),
        Action::Send(record) => (scene.sender(), "send", scene.send(record)),
        Action::SendToOther(record) => (scene.sender(), "send", scene.send_there(record)),
        Action::Transmit => ("producer", "transmit", scene.transmit()),
        Action::HandleProduce => ("broker", "handle-produce", scene.handle_produce()),
        Action::ReceiveAnswer => ("producer", "receive-answer", scene.receive_answer()),
        Action::Expire => ("producer", "expire", scene.expire()),
        Action::FailTooLate => ("producer", "fail-too-late", scene.fail_too_late()),
        Action::InitProducerId => ("producer", "init-producer-id", scene.init_producer_id()),
        Action::AddPartitions => ("producer", "add-partitions", scene.add_partitions()),
        Action::CommitTransaction => (
            scene.sender(),
            "commit-transaction",
            scene.commit_transaction(),
        ),
        Action::EndTransaction => ("producer", "end-transaction", scene.end_transaction()),
        Action::WriteMarker => ("broker", "write-marker", scene.write_marker()),
        Action::TimeOutTransaction => (
            "transaction coordinator",
            "time-out-transaction",
            scene.time_out_transaction(),
        ),
        Action::LearnPartition => ("producer", "learn-partition", scene.learn_partition()),
        Action::OtherPartition(_) => unreachable!("told as in the first partition"),
        Action::Consumer { who, does } => ConsumerScene { scene, who }.step(does),
        Action::LearnLeader => ("producer", "learn-leader", scene.learns_leader()),
        Action::Replica { who, does } => scene.replica_step(who, does),
        Action::LateArrives(slot) => scene.late_arrives(slot),
        Action::OutputTransaction { id, does } => scene.transaction(id, does),
        Action::OutputTopic { .. } => unreachable!("told as in the first topic"),
        Action::ReadResult => ("output topic", "read-result", scene.reads_result()),
        Action::Fault { strike, .. } => scene.strike(strike),
    };
    let ended = scene.ended_at_a_start(action);
    let arrivals = scene.arrivals(action) + &scene.assigned_there(action) + &ended;
    Told {
        actor: named(cluster, action, actor),
        action: verb,
        parameters: parameters(cluster, before, action),
        sentence: sentence + &arrivals,
    }
}

/// The actor's name, with its letter where there are two consumers.
fn named(cluster: &Cluster, action: Action, actor: &str) -> String {
    let broker = match action {
        Action::Replica { who, .. }
        | Action::Fault {
            strike: Strike::Replica { who, .. },
            ..
        } => Some(who),
        _ => None,
    };
    if let Some(who) = broker.filter(|_| actor == "broker") {
        return broker_name(who);
    }
    let who = match action {
        Action::Consumer { who, .. }
        | Action::Fault {
            strike: Strike::Consumer { who, .. },
            ..
        } => Some(who),
        _ => None,
    };
    let is_one_of_them = matches!(actor, "consumer" | "worker");
    let letter = who
        .filter(|_| is_one_of_them)
        .and_then(|who| letter(cluster, who));
    letter.map_or(actor.to_string(), |letter| format!("{actor} {letter}"))
}

/// Whether the consumer's process ends in the step that puts it out of the group.
pub(super) fn ends_process(cluster: &Cluster, before: &State, action: Action, who: u16) -> bool {
    let poisoned = !before.poisoned.is_empty();
    match action {
        Action::Consumer { who: own, does } if own == who => match does {
            ConsumerStep::NoticeLoss
            | ConsumerStep::CommitDone
            | ConsumerStep::CommitSaved
            | ConsumerStep::HandleCommit
            | ConsumerStep::Rejoin => false,
            ConsumerStep::Operate | ConsumerStep::Work(_) => {
                let then = cluster.pipeline().consumer.on_process_failure.then;
                poisoned && matches!(then, AfterAttempts::Stop | AfterAttempts::Close)
            }
            _ => true,
        },
        Action::Fault {
            strike:
                Strike::Consumer {
                    who: own,
                    how: ConsumerStrike::Pause | ConsumerStrike::Slow | ConsumerStrike::SlowToTheEnd,
                },
            ..
        } => own != who,
        _ => true,
    }
}

fn parameters(cluster: &Cluster, before: &State, action: Action) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    let mut put = |key: &str, value: String| {
        parameters.insert(key.to_string(), value);
    };
    match action {
        Action::CommitUpstream(record) | Action::Mark(record) | Action::Send(record) => {
            put("record", name(record));
        }
        Action::SendToOther(record) => {
            put("record", name(record));
            put("partition", "1".into());
        }
        Action::Transmit => {
            if let Some(batch) = before.producer.queue.first() {
                put("record", name(batch.record));
            }
        }
        Action::LateArrives(slot) => put("slot", slot.to_string()),
        Action::Consumer { who, does } => {
            if let Some(letter) = letter(cluster, who) {
                put("consumer", letter.to_string());
            }
            match does {
                ConsumerStep::Join { to } => {
                    if let Some(letter) = letter(cluster, to) {
                        put("to", letter.to_string());
                    }
                }
                ConsumerStep::Poll(count) | ConsumerStep::PollOther(count) => {
                    put("count", count.to_string())
                }
                ConsumerStep::PollBoth(both) => {
                    put("count", both.count.to_string());
                    put("behind", both.behind.to_string());
                    if both.begins == Partition::Second {
                        put("partition", "1".into());
                    }
                }
                ConsumerStep::Operate => {
                    let operation = before.consumers[usize::from(who)].operation;
                    put("operation", operation.to_string());
                    let steps = &cluster.program().operations[usize::from(operation)];
                    put("step", steps.to_string());
                }
                ConsumerStep::Work(task) | ConsumerStep::Drop(task) => {
                    put("task", task.to_string());
                }
                ConsumerStep::TakeOver
                | ConsumerStep::InitTransactions
                | ConsumerStep::FetchOffset
                | ConsumerStep::Rejoin
                | ConsumerStep::Leave
                | ConsumerStep::NoticeLoss
                | ConsumerStep::Relocate
                | ConsumerStep::RelocateOther
                | ConsumerStep::Discover
                | ConsumerStep::PollRetries
                | ConsumerStep::CommitDone
                | ConsumerStep::WriteFailed
                | ConsumerStep::CommitSaved
                | ConsumerStep::HandleCommit
                | ConsumerStep::ReceiveCommitAnswer
                | ConsumerStep::CommitAutomatically
                | ConsumerStep::CommitArrives => {}
                ConsumerStep::ResultArrives(place) => put("place", place.to_string()),
                ConsumerStep::ResultExpires { appended } => put("appended", appended.to_string()),
            }
        }
        Action::OutputTransaction { id, does } => {
            put("id", id.to_string());
            match does {
                TransactionStep::TimeOut | TransactionStep::RaiseEpoch => {}
                TransactionStep::WriteMarker(Part::Offsets) => put("part", "offsets".into()),
                TransactionStep::WriteMarker(Part::Input | Part::Output) => {
                    put("part", "output".into());
                }
            }
        }
        Action::Fault { strike, .. } => {
            match strike {
                Strike::PowerLoss { kept } => put("kept", kept.to_string()),
                Strike::PowerLossAll {
                    kept,
                    commits,
                    failed,
                } => {
                    put("kept", kept.to_string());
                    put("commits", commits.to_string());
                    put("failed", failed.to_string());
                }
                Strike::Replica { who, .. } => put("broker", (who + 1).to_string()),
                Strike::ForgetAt { session, brokers } => {
                    put("session", session.to_string());
                    put("brokers", numbers_of(brokers));
                }
                Strike::RetentionAt { brokers } => put("brokers", numbers_of(brokers)),
                Strike::EveryReplica {
                    last,
                    commits,
                    failed,
                } => {
                    if let Some(last) = last {
                        put("last", (last + 1).to_string());
                    }
                    put("commits", commits.to_string());
                    put("failed", failed.to_string());
                }
                Strike::OffsetReset { to } => put("to", to.to_string()),
                Strike::CoordinatorFailover { written } => put("written", written.to_string()),
                Strike::TransactionCoordinatorFailover(under_way) => {
                    let what = match under_way {
                        UnderWay::Lost => "lost",
                        UnderWay::Written => "written",
                        UnderWay::Marker => "marker",
                    };
                    put("under-way", what.into());
                }
                Strike::OutputCoordinatorFailover(unfinished) => {
                    coordinators::parameters(unfinished, &mut put);
                }
                Strike::RecreateTopic(how) => put("seen", seen(how).into()),
                Strike::RecreateMissingTopic(how) => {
                    put("seen", seen(how).into());
                    put("sent", "missing".into());
                }
                Strike::RecreateTopicAt { how, leader } => {
                    put("seen", seen(how).into());
                    put("leader", (leader + 1).to_string());
                }
                Strike::AddPartition { moves } => put("moves", partitions::keys(moves)),
                Strike::Compaction { end } => put("end", end.to_string()),
                Strike::CompactionAt { end, brokers } => {
                    put("end", end.to_string());
                    put("brokers", numbers_of(brokers));
                }
                Strike::Rebalance { to } => {
                    if let Some(letter) = letter(cluster, to) {
                        put("to", letter.to_string());
                    }
                }
                Strike::Consumer { who, .. } => {
                    if let Some(letter) = letter(cluster, who) {
                        put("consumer", letter.to_string());
                    }
                }
                Strike::ExpireResult { who, request } => {
                    if let Some(letter) = letter(cluster, who) {
                        put("consumer", letter.to_string());
                    }
                    let place = match request {
                        Request::Unsent => "unsent",
                        Request::Appended => "appended",
                        Request::OnTheWire => "on-the-wire",
                    };
                    put("request", place.to_string());
                }
                Strike::FailWrite { who, appended, .. } => {
                    if let Some(letter) = letter(cluster, who) {
                        put("consumer", letter.to_string());
                    }
                    put("appended", appended.to_string());
                }
                Strike::OutputTransactionTimeout(id) => put("id", id.to_string()),
                _ => {}
            }
            if let Some(call) = strike.call() {
                put("call", call.name().to_string());
            }
        }
        Action::Replica { who, does } => {
            put("broker", (who + 1).to_string());
            if let ReplicaStep::Restart { kept } = does {
                put("kept", kept.to_string());
            }
        }
        Action::LearnPartition
        | Action::OtherPartition(_)
        | Action::OutputTopic { .. }
        | Action::ReadResult
        | Action::HandleProduce
        | Action::ReceiveAnswer
        | Action::LearnLeader
        | Action::Expire
        | Action::FailTooLate
        | Action::InitProducerId
        | Action::AddPartitions
        | Action::CommitTransaction
        | Action::EndTransaction
        | Action::WriteMarker
        | Action::TimeOutTransaction => {}
    }
    parameters
}

/// The numbers of brokers.
fn numbers_of(brokers: Members) -> String {
    let numbers: Vec<String> = brokers.iter().map(|who| (who + 1).to_string()).collect();
    numbers.join(",")
}

/// What a consumer sees of a topic that is created again, in one word.
fn seen(how: Recreation) -> &'static str {
    match how {
        Recreation::Missed => "missing",
        Recreation::Unnoticed => "nothing",
        Recreation::OtherLeader => "other-leader",
    }
}

/// A step with the states on both sides of it.
#[derive(Clone, Copy)]
struct Scene<'a> {
    cluster: &'a Cluster,
    before: &'a State,
    after: &'a State,
    running: [bool; MAX_INSTANCES],
}

impl Scene<'_> {
    /// Commits on their way that another step lets arrive before it does its own work.
    fn arrivals(&self, action: Action) -> String {
        let moves = matches!(
            action,
            Action::Consumer {
                does: ConsumerStep::Join { .. } | ConsumerStep::Leave,
                ..
            } | Action::Fault {
                strike: Strike::Rebalance { .. },
                ..
            }
        );
        let arrived = |who: &u16| {
            let (before, after) = (self.before, self.after);
            let sent = before.pending_commits(*who);
            let committed = |state: &State| {
                let there = state.other.as_deref().and_then(|other| other.committed);
                [state.group.committed, there]
            };
            let is_taken = |partition: usize| {
                sent[partition].is_some()
                    && sent[partition] == committed(after)[partition]
                    && committed(after)[partition] != committed(before)[partition]
            };
            after.pending_commits(*who) == [None; 2] && (0..sent.len()).any(is_taken)
        };
        match (0..MAX_INSTANCES as u16).find(arrived) {
            Some(who) if moves => {
                let offsets = partitions::offsets(self.before.pending_commits(who));
                let whose = match letter(self.cluster, who) {
                    Some(letter) => format!(" of {letter}"),
                    None => String::new(),
                };
                format!(" The commit{whose} of {offsets}, which was on its way, arrives before.")
            }
            Some(_) | None => String::new(),
        }
    }
}

/// A step of one consumer.
#[derive(Clone, Copy)]
struct ConsumerScene<'a> {
    scene: Scene<'a>,
    who: u16,
}

impl<'a> Deref for ConsumerScene<'a> {
    type Target = Scene<'a>;

    fn deref(&self) -> &Scene<'a> {
        &self.scene
    }
}

impl<'a> ConsumerScene<'a> {
    fn before(&self) -> &'a Consumer {
        &self.scene.before.consumers[usize::from(self.who)]
    }

    fn after(&self) -> &'a Consumer {
        &self.scene.after.consumers[usize::from(self.who)]
    }

    /// Its name at the beginning of a sentence.
    fn the(&self) -> String {
        let name = consumer_name(self.cluster, self.who);
        match letter(self.cluster, self.who) {
            Some(_) => name,
            None => format!("The {name}"),
        }
    }

    /// Its name within a sentence, with `of`: nothing where there is only one.
    fn of_whom(&self) -> String {
        letter(self.cluster, self.who).map_or(String::new(), |letter| format!(" of {letter}"))
    }
}

/// The letter that tells a consumer from the other, where there are two.
pub(super) fn letter(cluster: &Cluster, who: u16) -> Option<char> {
    let several = cluster.pipeline().group.instances > 1;
    several.then(|| lettered(who))
}

/// A consumer's name.
pub(super) fn consumer_name(cluster: &Cluster, who: u16) -> String {
    match letter(cluster, who) {
        Some(letter) => format!("Consumer {letter}"),
        None => "consumer".into(),
    }
}

/// The policy as Kafka writes it.
pub(super) fn reset_policy(reset: OffsetReset) -> &'static str {
    match reset {
        OffsetReset::Earliest => "earliest",
        OffsetReset::Latest => "latest",
        OffsetReset::None => "none",
    }
}
