//! Membership of the group, told.

use super::partitions::offsets;
use super::replicas::capital;
use super::{ConsumerScene, Scene, letter, reset_policy};
use crate::trace::facts::{broker_name, name};
use semel_models::action::Recreation;
use semel_models::cluster::State;
use semel_models::consumer::Phase;
use semel_models::pipeline::{AutoCommit, Client, GroupProtocol};
use semel_models::producer::Answer;

impl Scene<'_> {
    /// The topic is created again; `leader` leads it, where it has replicas.
    pub(super) fn recreation(&self, how: Recreation, leader: Option<u16>) -> String {
        let leader = leader.map_or(String::new(), |who| {
            format!(" {} leads it.", capital(&broker_name(who)))
        });
        let refused: Vec<String> = (self.before.producer.flights.iter())
            .filter(|flight| flight.answer == Answer::Replicating)
            .map(|flight| name(flight.batch.record))
            .collect();
        let refused = match refused.is_empty() {
            true => String::new(),
            false => format!(
                " What waits for the in-sync replicas is refused: {}.",
                refused.join(" and ")
            ),
        };
        let on_its_way: Vec<String> = (self.before.producer.flights.iter())
            .zip(self.after.producer.flights.iter())
            .filter(|(before, after)| {
                (before.answer, after.answer) == (Answer::None, Answer::Refused)
            })
            .map(|(before, _)| name(before.batch.record))
            .collect();
        let found = match self.cluster.pipeline().rules.produce_names_ids {
            true => "another topic (UNKNOWN_TOPIC_ID)",
            false => "none in between (UNKNOWN_TOPIC_OR_PARTITION)",
        };
        let missed = match on_its_way.is_empty() {
            true => String::new(),
            false => format!(
                " What is on its way finds {found} and is refused: {}.",
                on_its_way.join(" and ")
            ),
        };
        let instances = 0..self.cluster.pipeline().group.instances;
        let consumers: String = instances
            .map(|who| ConsumerScene { scene: *self, who }.after_recreation(how))
            .collect();
        format!(
            "The topic is deleted and created again: its log is empty and begins at offset 0, and the group's committed offset is gone.{leader}{refused}{missed}{consumers}"
        )
    }
}

impl ConsumerScene<'_> {
    pub(super) fn join(&self, to: u16) -> String {
        let comes = if self.running[usize::from(self.who)] {
            "joins the group again"
        } else {
            "starts, joins the group"
        };
        if !self.cluster.pipeline().subscribes() {
            return format!("{} starts and {}.", self.the(), self.reads_from());
        }
        if self.shares_partitions() {
            return self.shared_anew(&format!("{} {comes}", self.the()), to);
        }
        let other = 1 - self.who;
        if self.spans_polls() {
            return format!("{} {comes}. {}", self.the(), self.joins_across_polls(other));
        }
        if self.scene.after.group.rebalance.is_some() {
            return format!(
                "{} {comes}: the group rebalances, and {} is to give the partition up first.",
                self.the(),
                self.person(other)
            );
        }
        if to == self.who {
            if self.after().phase == Phase::Down {
                return format!(
                    "{} {comes} and finds no valid offset with auto.offset.reset=none: the poll throws and its process ends.",
                    self.the()
                );
            }
            let former = self.scene.before.group.owner.filter(|owner| {
                let reads = |state: &State| state.consumers[usize::from(*owner)].reads();
                *owner != self.who && reads(self.scene.before) && !reads(self.scene.after)
            });
            return match former {
                Some(owner) => format!(
                    "{} {comes}: {} gives the partition up, and {} {}.",
                    self.the(),
                    self.person(owner),
                    self.person(self.who),
                    self.reads_from()
                ),
                None => format!("{} {comes} and {}.", self.the(), self.reads_from()),
            };
        }
        let other = ConsumerScene { who: to, ..*self };
        if other.before().phase == Phase::Idle || self.eager() {
            format!(
                "{} {comes}; {} gets the partition and {}.",
                self.the(),
                self.person(to),
                other.reads_from()
            )
        } else {
            format!(
                "{} {comes}; the partition stays with {}.",
                self.the(),
                self.person(to)
            )
        }
    }

    fn eager(&self) -> bool {
        self.cluster.pipeline().group.protocol == GroupProtocol::Eager
    }

    /// Whether the owner has begun to join in the poll that returned what it has in hand.
    fn spans_polls(&self) -> bool {
        let Scene { before, after, .. } = self.scene;
        let client = self.cluster.pipeline().client;
        after.group.rebalance.is_some()
            && before.group.owner.is_some_and(|owner| {
                let owner = &after.consumers[usize::from(owner)];
                owner.phase == Phase::Handling && owner.owed.next(client).is_none()
            })
    }

    fn joins_across_polls(&self, owner: u16) -> String {
        let owner = self.person(owner);
        format!(
            "The group rebalances: {owner} has begun to join in the poll that returned what it has in hand, and a later poll completes that; until then its commits fail."
        )
    }

    pub(super) fn person(&self, who: u16) -> String {
        letter(self.cluster, who).map_or("the consumer".into(), |letter| letter.to_string())
    }

    pub(super) fn take_over(&self) -> String {
        if self.shares_partitions() {
            return self.shared_anew("The other member is gone", self.who);
        }
        format!(
            "The group assigns the partition to {}, which {}.",
            self.person(self.who),
            self.reads_from()
        )
    }

    /// The answer to the offset fetch of an owner that waited for it.
    pub(super) fn fetch_offset(&self) -> String {
        format!(
            "No offset is pending any more: {} {}.",
            self.name(),
            self.reads_from()
        )
    }

    /// Where it begins to read, and why there.
    pub(super) fn reads_from(&self) -> String {
        if self.waits_for_its_offset() {
            return "waits: its offset fetch is answered UNSTABLE_OFFSET_COMMIT as long as an offset is pending".into();
        }
        let position = self.after().reassigned.unwrap_or(self.after().position());
        let at = position.next.0;
        let pipeline = self.cluster.pipeline();
        let saved = self
            .scene
            .before
            .sink
            .saved
            .filter(|_| pipeline.consumer.seek_on_assign);
        let committed = self.scene.after.group.committed;
        let policy = reset_policy(pipeline.consumer.offset_reset);
        let why = match (saved, committed) {
            (Some(saved), _) if saved.0 == at => {
                "the offset saved in the sink's database".to_string()
            }
            (None, Some(committed)) if committed.next.0 == at => "the committed offset".to_string(),
            (None, None) => format!("no offset is committed, auto.offset.reset={policy}"),
            _ => format!("the stored offset is no longer valid, auto.offset.reset={policy}"),
        };
        let retries = self.reads_retries_from();
        format!("reads from offset {at} ({why}){retries}")
    }

    fn waits_for_its_offset(&self) -> bool {
        let Scene { cluster, after, .. } = self.scene;
        cluster.waits_for_its_offset(after, self.who)
    }

    pub(super) fn rejoin(&self) -> String {
        format!(
            "The client of {} joins the group again in the background; its application goes on with what it has in hand.",
            self.person(self.who)
        )
    }

    pub(super) fn notice_loss(&self) -> String {
        format!(
            "{} learns that it is no longer a member of the group.",
            self.the()
        )
    }

    /// The owner's join is complete.
    pub(super) fn complete_join(&self) -> String {
        let keeps = self.scene.after.group.owner == Some(self.who)
            && self.scene.after.group.rebalance.is_none();
        let then = if keeps {
            " and keeps the partition".into()
        } else if self.scene.after.group.rebalance.is_some() {
            " and is to give the partition up".into()
        } else {
            format!(" and gives the partition up{}", self.after_leaving())
        };
        format!(
            "A poll of {} completes its join{then}.",
            self.person(self.who)
        )
    }

    /// What the consumer makes of a topic that is created again.
    pub(super) fn after_recreation(&self, how: Recreation) -> String {
        let (before, after) = (self.before(), self.after());
        if !before.is_running() {
            return String::new();
        }
        let broker = &self.scene.after.broker;
        let misled = match after.is_misled(broker) {
            true => format!(
                " Its client has seen leader epoch {} and takes no metadata of a lower one: it reads nothing until its process starts again.",
                after.seen_epoch
            ),
            false => String::new(),
        };
        let at = after.position().next.0;
        match how {
            Recreation::Missed if after.phase == Phase::Polling => format!(
                " {} sees it missing, loses the partition, and gets it anew: it reads from offset {at}.{misled}",
                self.the()
            ),
            Recreation::OtherLeader if before.reads() => format!(
                " {} keeps its position, offset {at}, and has it validated by the new leader.{misled}",
                self.the()
            ),
            Recreation::Unnoticed if before.reads() => {
                format!(" {} keeps its position, offset {at}.{misled}", self.the())
            }
            Recreation::Missed | Recreation::OtherLeader | Recreation::Unnoticed => misled,
        }
    }

    /// What follows once an owner has left.
    pub(super) fn after_leaving(&self) -> String {
        let owner = self.scene.after.group.owner;
        if self.after().phase == Phase::Leaving || self.scene.after.group.rebalance.is_some() {
            return String::new();
        }
        if self.before().owed.closing {
            return "; its process ends".into();
        }
        match owner {
            Some(owner) => {
                let taker = ConsumerScene {
                    who: owner,
                    ..*self
                };
                format!(
                    "; {} gets the partition and {}",
                    self.person(owner),
                    taker.reads_from()
                )
            }
            None => String::new(),
        }
    }

    pub(super) fn rebalance(&self) -> String {
        let to = self.who;
        if self.shares_partitions() {
            return self.shared_anew("The group rebalances", to);
        }
        let owner = self.scene.before.group.owner.unwrap_or_default();
        if self.spans_polls() {
            return self.joins_across_polls(owner);
        }
        if self.scene.after.group.rebalance.is_some() {
            let owner = match letter(self.cluster, owner) {
                Some(letter) => letter.to_string(),
                None => "the consumer".into(),
            };
            return format!("The group rebalances: {owner} is to give the partition up.");
        }
        if self.scene.before.group.owner == Some(to) || letter(self.cluster, to).is_none() {
            return format!(
                "The group rebalances: {} gives the partition up, gets it back and {}.",
                self.person(to),
                self.reads_from()
            );
        }
        format!(
            "The group rebalances: {} gets the partition and {}.{}",
            self.person(to),
            self.reads_from(),
            self.without_automatic_commit()
        )
    }

    /// Why a cooperative consumer of Java gives the partition up without an automatic commit of what
    /// it handled last.
    fn without_automatic_commit(&self) -> &'static str {
        let Scene { before, after, .. } = self.scene;
        let pipeline = self.cluster.pipeline();
        let owner = before.group.owner.unwrap_or_default();
        let position = before.consumers[usize::from(owner)].position();
        let committed = after.group.committed.map(|committed| committed.next);
        let cooperative = pipeline.client == Client::Java
            && pipeline.group.protocol == GroupProtocol::Cooperative
            && pipeline.consumer.auto_commit == AutoCommit::AtPoll;
        if cooperative && committed != Some(position.next) && position.next.0 > 0 {
            " It had begun before the last poll, which then committed nothing automatically."
        } else {
            ""
        }
    }

    pub(super) fn pause(&self) -> String {
        let at = self.where_it_stands();
        format!(
            "{} stands still {at}; its session expires, and the group goes on without it. It does not know.",
            self.the()
        )
    }

    pub(super) fn slow(&self) -> String {
        let at = self.where_it_stands();
        format!(
            "{} takes longer than max.poll.interval.ms {at}: {}, and its application goes on.",
            self.the(),
            self.is_put_out()
        )
    }

    pub(super) fn slow_to_the_end(&self) -> String {
        format!(
            "{} With that, handling has taken longer than max.poll.interval.ms: {}.",
            self.operate(),
            self.is_put_out()
        )
    }

    /// How a client ends its membership by itself (KIP-345: a static member's does not leave).
    fn is_put_out(&self) -> &'static str {
        let group = &self.cluster.pipeline().group;
        if group.static_membership && group.protocol != GroupProtocol::Consumer {
            "its client stops its heartbeats, and its session expires"
        } else {
            "its client leaves the group"
        }
    }

    pub(super) fn graceful_restart(&self) -> String {
        if self.after().phase == Phase::Leaving {
            format!(
                "{} is shut down: it closes, and commits before it leaves.",
                self.the()
            )
        } else {
            match self.scene.before.pending_commits(self.who) {
                sent if sent != [None; 2] => format!(
                    "{} is shut down with nothing in hand; its commit of {}, which was on its way, arrives before.",
                    self.the(),
                    offsets(sent)
                ),
                _ => format!("{} is shut down with nothing in hand.", self.the()),
            }
        }
    }
}
