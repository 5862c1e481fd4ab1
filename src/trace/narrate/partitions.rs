//! The partition that is added while the pipeline runs, told. What happens in it is told as in the
//! first one, with its number.

use super::{ConsumerScene, Scene, Told, narrate, reset_policy};
use crate::trace::facts::name;
use semel_models::action::{Action, ConsumerStep, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Phase;
use semel_models::limits::MAX_INSTANCES;
use semel_models::order::Step;
use semel_models::partitions::OtherPartition;
use semel_models::pipeline::GroupProtocol;

/// What is said of a step that happens in the other partition: the same step in the first, and
/// whether the sentence has to say where.
fn in_the_first(cluster: &Cluster, before: &State, action: Action) -> Option<(Action, Where)> {
    match action {
        Action::OtherPartition(step) => Some((step.action(), Where::Identified)),
        Action::Consumer { who, does } => match does {
            ConsumerStep::PollOther(count) => {
                let does = ConsumerStep::Poll(count);
                Some((Action::Consumer { who, does }, Where::Identified))
            }
            ConsumerStep::Operate if before.has_other_in_hand() => {
                let operation = before.consumers[usize::from(who)].operation;
                let operation = &cluster.program().operations[usize::from(operation)];
                let place = match operation.contains(Step::Commit) {
                    true => Where::Said,
                    false => Where::NotSaid,
                };
                Some((action, place))
            }
            _ => None,
        },
        Action::Fault { entry, strike } => {
            let there = match strike {
                Strike::LoseRequest(Target::ProduceToOther) => Strike::LoseRequest(Target::Produce),
                Strike::LoseAnswer(Target::ProduceToOther) => Strike::LoseAnswer(Target::Produce),
                Strike::Refuse(Target::ProduceToOther) => Strike::Refuse(Target::Produce),
                _ => return None,
            };
            let there = Action::Fault {
                entry,
                strike: there,
            };
            Some((there, Where::Identified))
        }
        _ => None,
    }
}

/// How a step says in which partition it happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// By a parameter and in the sentence.
    Identified,
    /// In the sentence.
    Said,
    /// Not at all: it has nothing to do with partitions.
    NotSaid,
}

/// Tells a step that happens in the other partition.
pub(super) fn told_there(
    cluster: &Cluster,
    before: &State,
    action: Action,
    after: &State,
    running: [bool; MAX_INSTANCES],
) -> Option<Told> {
    let (there, place) = in_the_first(cluster, before, action)?;
    let mut told = narrate(cluster, &before.turned(), there, &after.turned(), running);
    if place == Where::Identified {
        told.parameters.insert("partition".into(), "1".into());
    }
    if place != Where::NotSaid {
        told.sentence = match told.sentence.strip_prefix("A poll") {
            Some(rest) => format!("A poll of partition 1{rest}"),
            None => format!("{} (partition 1).", told.sentence.trim_end_matches('.')),
        };
    }
    Some(told)
}

/// The keys of a set of bits, for a parameter.
pub(super) fn keys(moves: u16) -> String {
    let keys = (0..u16::BITS as u16).filter(|key| moves & (1 << key) != 0);
    let keys: Vec<String> = keys.map(|key| format!("k{key}")).collect();
    keys.join(",")
}

/// The keys of a set of bits, for a sentence.
fn records_of(moves: u16) -> String {
    format!("records of {}", keys(moves).replace(',', " and "))
}

impl Scene<'_> {
    /// The topic gets another partition.
    pub(super) fn add_partition(&self, moves: u16) -> String {
        format!(
            "The topic gets partition 1: {} will be sent there once the producer knows of it.",
            records_of(moves)
        )
    }

    /// The first record of its key is sent there.
    pub(super) fn send_there(&self, record: u16) -> String {
        let key = record % self.cluster.pipeline().bounds.keys;
        let sent = self.send(record);
        format!("{sent} The hash of its key, k{key}, leads to partition 1.")
    }

    /// The producer learns of it.
    pub(super) fn learn_partition(&self) -> String {
        let moves = self.before.other.as_deref().map_or(0, |other| other.moved);
        format!(
            "The producer's new metadata has partition 1: from now on it sends {} there.",
            records_of(moves)
        )
    }

    /// Where the other partition is read from, if this step assigned it.
    pub(super) fn assigned_there(&self, action: Action) -> String {
        let assigns = matches!(
            action,
            Action::Consumer {
                does: ConsumerStep::Join { .. }
                    | ConsumerStep::TakeOver
                    | ConsumerStep::FetchOffset
                    | ConsumerStep::Discover,
                ..
            } | Action::Fault {
                strike: Strike::Rebalance { .. },
                ..
            }
        );
        match self.after.other.as_deref() {
            Some(other) if assigns && self.after.consumers[0].reads() => self.begins_there(other),
            Some(_) | None => String::new(),
        }
    }

    fn begins_there(&self, other: &OtherPartition) -> String {
        let consumer = &self.after.consumers[0];
        let position = match other.in_hand {
            true => consumer.reassigned.map(|there| there.next),
            false => other.position,
        };
        let Some(at) = position else {
            return String::new();
        };
        let policy = reset_policy(self.cluster.pipeline().consumer.offset_reset);
        let why = match other.committed {
            Some(_) => "the committed offset".into(),
            None => format!("no offset is committed there, auto.offset.reset={policy}"),
        };
        let unread = other.broker.log.iter().take(at.0.into());
        let unread = unread.filter(|entry| !self.after.ledger.is_handled(entry.record));
        let passed: Vec<String> = unread.map(|entry| name(entry.record)).collect();
        let passed = match passed.is_empty() {
            true => String::new(),
            false => format!(", behind {}", passed.join(" and ")),
        };
        format!(
            " It reads partition 1 from offset {}{passed} ({why}).",
            at.0
        )
    }
}

impl ConsumerScene<'_> {
    /// The consumer hears of the other partition.
    pub(super) fn discover(&self) -> String {
        let what = "the topic's metadata has partition 1 now";
        if self.after().phase == Phase::Down {
            return format!(
                "{}'s group rebalances, for {what}: no offset is committed, auto.offset.reset=none, the poll throws and its process ends.",
                self.the()
            );
        }
        match self.cluster.pipeline().group.protocol {
            GroupProtocol::Eager => {
                let position = self.after().reassigned.unwrap_or(self.after().position());
                let again = match self.scene.after.has_other_in_hand() {
                    true => String::new(),
                    false => format!(" It reads partition 0 from offset {}.", position.next.0),
                };
                format!(
                    "The group rebalances, for {what}: {} gives everything up and gets both partitions.{again}",
                    self.person(self.who)
                )
            }
            GroupProtocol::Cooperative | GroupProtocol::Consumer => format!(
                "The group rebalances, for {what}: {} gets it, too.",
                self.person(self.who)
            ),
        }
    }
}
