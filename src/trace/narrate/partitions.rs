//! The partition that is added while the pipeline runs, told. What happens in it is told as in the
//! first one, with its number.

use super::{ConsumerScene, Scene, Told, letter, narrate, reset_policy};
use crate::trace::facts::name;
use semel_models::action::{Action, ConsumerStep, PollBoth, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Phase;
use semel_models::limbo::Late;
use semel_models::limits::MAX_INSTANCES;
use semel_models::offset::Position;
use semel_models::partitions::Partition;
use semel_models::pipeline::GroupProtocol;

/// What is said of a step that happens in the other partition: the same step in the first.
fn in_the_first(before: &State, action: Action) -> Option<Action> {
    match action {
        Action::OtherPartition(step) => Some(step.action()),
        Action::LateArrives(slot) => match before.limbo.requests[usize::from(slot)] {
            Late::Produce {
                partition: Partition::Second,
                ..
            } => Some(action),
            _ => None,
        },
        Action::Consumer { who, does } => match does {
            ConsumerStep::PollOther(count) => {
                let does = ConsumerStep::Poll(count);
                Some(Action::Consumer { who, does })
            }
            ConsumerStep::RelocateOther => {
                let does = ConsumerStep::Relocate;
                Some(Action::Consumer { who, does })
            }
            _ => None,
        },
        Action::Fault { entry, strike } => {
            let there = match strike {
                Strike::LoseRequest(Target::ProduceToOther) => Strike::LoseRequest(Target::Produce),
                Strike::LoseAnswer(Target::ProduceToOther) => Strike::LoseAnswer(Target::Produce),
                Strike::Refuse(Target::ProduceToOther) => Strike::Refuse(Target::Produce),
                Strike::Delay(Target::ProduceToOther) => Strike::Delay(Target::Produce),
                Strike::InOther(own) => own.strike(),
                _ => return None,
            };
            Some(Action::Fault {
                entry,
                strike: there,
            })
        }
        _ => None,
    }
}

/// Tells a step that happens in the other partition.
pub(super) fn told_there(
    cluster: &Cluster,
    before: &State,
    action: Action,
    after: &State,
    running: [bool; MAX_INSTANCES],
) -> Option<Told> {
    let there = in_the_first(before, action)?;
    let mut told = narrate(cluster, &before.turned(), there, &after.turned(), running);
    told.parameters.insert("partition".into(), "1".into());
    told.sentence = match told.sentence.strip_prefix("A poll") {
        Some(rest) => format!("A poll of partition 1{rest}"),
        None => format!("{} (partition 1).", told.sentence.trim_end_matches('.')),
    };
    Some(told)
}

/// The offsets of a commit, by partition.
pub(super) fn offsets(covered: [Option<Position>; 2]) -> String {
    match covered {
        [first, None] => format!("offset {}", first.map_or(0, |at| at.next.0)),
        [None, Some(there)] => format!("offset {} of partition 1", there.next.0),
        [Some(first), Some(there)] => format!(
            "offset {} and offset {} of partition 1",
            first.next.0, there.next.0
        ),
    }
}

/// That these are committed now.
pub(super) fn committed(covered: [Option<Position>; 2]) -> String {
    match covered {
        [first, None] => format!(
            "the group's committed offset is {}",
            first.map_or(0, |at| at.next.0)
        ),
        [None, Some(there)] => {
            format!(
                "the group's committed offset is {} (partition 1)",
                there.next.0
            )
        }
        [Some(first), Some(there)] => format!(
            "the group's committed offsets are {} and {} (partition 1)",
            first.next.0, there.next.0
        ),
    }
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
        if !assigns {
            return String::new();
        }
        let everyone = 0..self.cluster.pipeline().group.instances;
        everyone
            .filter(|who| self.after.consumers[usize::from(*who)].reads())
            .filter_map(|who| self.begins_there(who))
            .collect()
    }

    fn begins_there(&self, who: u16) -> Option<String> {
        let other = self.after.other.as_deref()?;
        let consumer = &self.after.consumers[usize::from(who)];
        let reader = &other.readers[usize::from(who)];
        let at = match reader.in_hand {
            true => consumer.reassigned?.next,
            false => reader.position?,
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
        let reader = letter(self.cluster, who).map_or("It".into(), |letter| letter.to_string());
        Some(format!(
            " {reader} reads partition 1 from offset {}{passed} ({why}).",
            at.0
        ))
    }
}

impl ConsumerScene<'_> {
    /// A poll returns records of both partitions.
    pub(super) fn poll_both(&self, both: PollBoth) -> String {
        let turned = self.scene.before.turned();
        let there = Scene {
            before: &turned,
            ..self.scene
        };
        let here = |count| self.polled(count).join(" and ");
        let there = |count| {
            let scene = ConsumerScene {
                scene: there,
                ..*self
            };
            let records = scene.polled(count).join(" and ");
            format!("{records} of partition 1")
        };
        let (first, then) = match both.begins {
            Partition::First => (here(both.count), there(both.behind)),
            Partition::Second => (there(both.count), here(both.behind)),
        };
        format!("A poll returns {first}, and then {then}.")
    }

    /// Whether two consumers share two partitions.
    pub(super) fn shares_partitions(&self) -> bool {
        let second = self.cluster.limits().second_partition;
        second && self.cluster.pipeline().group.instances > 1
    }

    /// Every member gives up what it has, and `to` gets the first partition. Who gets the second is
    /// told behind it.
    pub(super) fn shared_anew(&self, why: &str, to: u16) -> String {
        let gets = ConsumerScene { who: to, ..*self };
        let who = self.person(to);
        let then = match gets.after().phase {
            Phase::Down => format!(
                "{who} gets partition 0 and finds no valid offset with auto.offset.reset=none: the poll throws and its process ends"
            ),
            _ => format!("{who} gets partition 0 and {}", gets.reads_from()),
        };
        format!("{why}: every member gives up what it has. {then}.")
    }

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
                let again = match self.scene.after.has_other_in_hand(self.who) {
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
