//! The output topic where faults can strike its brokers, told: what happens in it is told as in the first
//! topic, with its name; and its reader.

use super::{ConsumerScene, Scene, Told, letter, narrate};
use crate::trace::facts::name;
use semel_models::action::{Action, LogStep, ReplicaStep, Strike};
use semel_models::broker::Standing;
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Phase;
use semel_models::limits::MAX_INSTANCES;
use semel_models::output::log::{Next, OutputLog};
use semel_models::transaction_coordinator::{Outcome, Phase as TransactionPhase};

/// The same step in the first topic, and the consumer whose client it is about.
fn in_the_first(action: Action) -> Option<(Action, u16)> {
    match action {
        Action::OutputTopic { client, does } => Some((does.action(), client)),
        Action::Fault {
            entry,
            strike: Strike::OutputReplica { who, how },
        } => {
            let strike = Strike::Replica { who, how };
            Some((Action::Fault { entry, strike }, 0))
        }
        _ => None,
    }
}

/// Tells a step that happens in the output topic.
pub(super) fn told_in_output(
    cluster: &Cluster,
    before: &State,
    action: Action,
    after: &State,
    running: [bool; MAX_INSTANCES],
) -> Option<Told> {
    let (there, client) = in_the_first(action)?;
    let topic = cluster.output_topic()?;
    let turned = (
        cluster.turned_output(before, client)?,
        cluster.turned_output(after, client)?,
    );
    let mut told = narrate(topic, &turned.0, there, &turned.1, running);
    told.parameters.insert("topic".into(), "output".into());
    let is_of_client = match action {
        Action::OutputTopic { does, .. } => does.is_of_client(),
        _ => false,
    };
    if let Some(letter) = letter(cluster, client).filter(|_| is_of_client) {
        told.parameters
            .insert("consumer".into(), letter.to_string());
    }
    let scene = Scene {
        cluster,
        before,
        after,
        running,
    };
    let whose = match letter(cluster, client).filter(|_| is_of_client) {
        Some(letter) => format!("Output topic, producer of {letter}: "),
        None => "Output topic: ".into(),
    };
    told.sentence = format!(
        "{whose}{}{}",
        told.sentence,
        scene.of_the_application(client, action)
    );
    Some(told)
}

impl Scene<'_> {
    /// What the application does when it hears what became of the result that it waits for, and what the
    /// reader sees in the same step.
    fn of_the_application(&self, who: u16, action: Action) -> String {
        let of = ConsumerScene { scene: *self, who };
        let (before, after) = (of.before(), of.after());
        let hears = matches!(
            action,
            Action::OutputTopic {
                does: LogStep::Transmit
                    | LogStep::Expire
                    | LogStep::FailTooLate
                    | LogStep::Replica {
                        does: ReplicaStep::Answer,
                        ..
                    },
                ..
            }
        );
        let mut text = String::new();
        let awaited = |state: &State| client_awaits(state, who);
        if hears && awaited(self.before) && !awaited(self.after) {
            let goes_on = after.phase == Phase::Handling && after.operation != before.operation
                || after.phase == Phase::Polling && after.hand.is_empty();
            text = match (goes_on, after.phase) {
                (true, _) => String::new(),
                (false, Phase::Down) => " The process ends.".into(),
                (false, _) if self.is_transactional() => format!(
                    " The application aborts its transaction, and {}.",
                    of.then_after_abort()
                ),
                (false, _) => " The application goes on as after a failure of handling.".into(),
            };
        }
        let seen = self.newly_seen();
        if let Some(seen) = seen.strip_prefix("; its reader sees ") {
            text.push_str(&format!(" The topic's reader sees {seen}."));
        }
        text
    }

    /// The reader of the output topic passes an entry.
    pub(super) fn reads_result(&self) -> String {
        let isolation = self.cluster.pipeline().consumer.output.isolation;
        let next = log(self.before).and_then(|log| log.next(isolation));
        match next {
            Some(Next::Result {
                record, standing, ..
            }) => {
                let of = match standing {
                    Standing::Open => ", whose transaction is open",
                    Standing::Ended(Outcome::Abort) => ", whose transaction was aborted",
                    Standing::Ended(Outcome::Commit) | Standing::Plain | Standing::Marker => "",
                };
                let again = match self.newly_seen().contains("second time") {
                    true => " a second time",
                    false => "",
                };
                format!(
                    "The reader of the output topic takes the result of {}{of}{again}.",
                    name(record)
                )
            }
            Some(Next::Skipped) | None => {
                "The reader of the output topic passes what it is not given.".into()
            }
        }
    }

    /// A marker is written to the log of the output topic, and waits for the in-sync replicas.
    pub(super) fn output_marker(&self, id: u16, whose: &str) -> Option<String> {
        log(self.before)?;
        let output = self.before.output.as_deref()?;
        let marker = match output.transactions[usize::from(id)].phase {
            TransactionPhase::Prepared(Outcome::Abort) => "abort",
            _ => "commit",
        };
        let waits = log(self.after)?.replicating[usize::from(id)].is_some();
        let waits = match waits {
            true => ", and waits for the in-sync replicas",
            false => "",
        };
        Some(format!(
            "The {marker} marker of {whose} is appended to the output topic{waits}{}.",
            self.newly_seen()
        ))
    }

    /// A process that starts finds a transaction open.
    pub(super) fn inits_transactions(&self, who: u16) -> String {
        let whose = letter(self.cluster, who).map_or(String::new(), |own| format!(" {own}"));
        format!(
            "The process of consumer{whose} starts, and initialises its transactional id: the coordinator aborts what was open under it."
        )
    }

    /// What befalls the output topic's replica on a broker that is struck.
    pub(super) fn struck_there(&self) -> String {
        let (Some(before), Some(after)) = (log(self.before), log(self.after)) else {
            return String::new();
        };
        let (before, after) = (
            &before.replication.controller,
            &after.replication.controller,
        );
        let mut text = String::new();
        if before.leader != after.leader {
            text.push_str(" The output topic has no leader.");
        }
        if before.in_sync != after.in_sync {
            text.push_str(&format!(
                " In sync of the output topic: {}.",
                crate::trace::facts::brokers(after.in_sync)
            ));
        }
        text
    }
}

fn log(state: &State) -> Option<&OutputLog> {
    state.output.as_ref()?.log.as_deref()
}

fn client_awaits(state: &State, who: u16) -> bool {
    log(state).is_some_and(|log| log.clients[usize::from(who)].awaits)
}
