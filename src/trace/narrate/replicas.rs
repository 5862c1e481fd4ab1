//! Brokers with replicas, their controller and the faults that strike them, told.

use super::Scene;
use super::upstream::mistaken_for;
use crate::trace::facts::{are_gone, broker_name, brokers, in_a_sentence, listed, name};
use semel_models::action::{ReplicaStep, ReplicaStrike};
use semel_models::broker::{Broker, Entry};
use semel_models::cluster::State;
use semel_models::pipeline::{Acks, Isolation, TruncationRule};
use semel_models::producer::Answer;
use semel_models::replication::{Election, Replication, Status};

impl Scene<'_> {
    /// A step of broker `who`: actor, action and sentence.
    pub(super) fn replica_step(
        &self,
        who: u16,
        does: ReplicaStep,
    ) -> (&'static str, &'static str, String) {
        let (actor, verb, sentence) = match does {
            ReplicaStep::Restart { .. } => ("broker", "restart", self.starts_again(who)),
            ReplicaStep::Elected => ("controller", "elect", self.elected(who)),
            ReplicaStep::Hear => ("broker", "hear-of-leader", self.hears(who)),
            ReplicaStep::Fetch => ("broker", "replica-fetch", self.replica_fetches(who)),
            ReplicaStep::Propose => ("broker", "propose-in-sync", self.proposes(who)),
            ReplicaStep::Join => ("controller", "add-in-sync", self.becomes_in_sync(who)),
            ReplicaStep::HandleProduce => ("broker", "handle-produce", self.replica_appends(who)),
            ReplicaStep::Answer => ("producer", "receive-answer", self.answered_by(who)),
            ReplicaStep::TimeOut => ("broker", "time-out", self.waits_too_long(who)),
        };
        (actor, verb, sentence + &self.confirmed_by_replicas())
    }

    /// What strikes broker `who`: actor, action and sentence.
    pub(super) fn strike_replica(
        &self,
        who: u16,
        how: ReplicaStrike,
    ) -> (&'static str, &'static str, String) {
        let broker = broker_name(who);
        let (actor, verb, sentence) = match how {
            ReplicaStrike::Crash => (
                "broker",
                "crash",
                format!(
                    "The process of {broker}{} dies{}",
                    self.role(who),
                    self.after_death(who)
                ),
            ),
            ReplicaStrike::PowerLoss => (
                "broker",
                "power-loss",
                format!(
                    "{}{} loses power, and perhaps what it has not flushed{}",
                    capital(&broker),
                    self.role(who),
                    self.after_death(who)
                ),
            ),
            ReplicaStrike::DiskLoss => (
                "broker",
                "disk-loss",
                format!(
                    "{}{} loses its disk with everything on it{}",
                    capital(&broker),
                    self.role(who),
                    self.after_death(who)
                ),
            ),
            ReplicaStrike::Lag => (
                "broker",
                "lag",
                format!(
                    "{} falls behind and leaves the in-sync replicas{}",
                    capital(&broker),
                    self.now_in_sync()
                ),
            ),
            ReplicaStrike::Lead => ("controller", "move-leadership", self.leadership_moves(who)),
        };
        (actor, verb, sentence + "." + &self.confirmed_by_replicas())
    }

    /// Every broker loses power.
    pub(super) fn every_replica_loses_power(&self) -> String {
        let mut text =
            String::from("Every broker loses power, and perhaps what it has not flushed");
        if self.after.group.committed != self.before.group.committed {
            text.push_str(&match self.after.group.committed {
                Some(at) => format!("; what was committed after offset {} is gone", at.next.0),
                None => "; every committed offset is gone".into(),
            });
        }
        if self.after.ledger.dead_lettered != self.before.ledger.dead_lettered {
            text.push_str("; what the dead-letter topic had is gone");
        }
        text + "."
    }

    /// The producer's client learns which broker leads.
    pub(super) fn learns_leader(&self) -> String {
        let known = replication(self.after).known;
        format!(
            "The producer learns that {} leads.",
            broker_name(known.unwrap_or_default())
        )
    }

    pub(super) fn log_before(&self, who: u16) -> &Broker {
        &replication(self.before).replica(who).broker
    }

    pub(super) fn log_after(&self, who: u16) -> &Broker {
        &replication(self.after).replica(who).broker
    }

    fn role(&self, who: u16) -> &'static str {
        match replication(self.before).controller.leader == Some(who) {
            true => ", the leader,",
            false => "",
        }
    }

    fn after_death(&self, who: u16) -> String {
        let breaks = self
            .before
            .producer
            .flights
            .iter()
            .any(|flight| flight.to == who);
        let wire = if breaks {
            "; the producer's connection to it breaks"
        } else {
            ""
        };
        format!("{wire}{}", self.now_in_sync())
    }

    /// Who is in sync, if that changed.
    fn now_in_sync(&self) -> String {
        let (before, after) = (
            &replication(self.before).controller,
            &replication(self.after).controller,
        );
        let mut text = String::new();
        if before.in_sync != after.in_sync {
            text = format!("; in sync: {}", brokers(after.in_sync));
        }
        if before.eligible != after.eligible {
            text.push_str(&format!("; eligible to lead: {}", brokers(after.eligible)));
        }
        text
    }

    fn starts_again(&self, who: u16) -> String {
        let before = replication(self.before).replica(who);
        let (had, has) = (before.broker.log_end(), self.log_after(who).log_end());
        let gone = || are_gone(&records(&before.broker, has, had));
        let with = if had > has && before.status == Status::Down {
            format!("and cuts its log to {}: {}", self.where_it_cuts(), gone())
        } else if had > has {
            format!("without what was not flushed: {}", gone())
        } else if had == 0 {
            "with an empty log".into()
        } else if before.status == Status::Unpowered {
            "; its whole log was on disk".into()
        } else {
            "with its log".into()
        };
        let gap = if with.starts_with(';') { "" } else { " " };
        format!(
            "{} starts again{gap}{with}{}.",
            capital(&broker_name(who)),
            self.now_in_sync()
        )
    }

    fn elected(&self, who: u16) -> String {
        let settings = &self.cluster.pipeline().topic.replication;
        let before = replication(self.before);
        let (how, _) = before
            .controller
            .candidates(before.alive(settings), settings);
        let how = match how {
            Election::InSync => "which is in sync",
            Election::Eligible => "an eligible leader replica, for none is in sync",
            Election::LastKnown => {
                "the last leader, for no replica is in sync or eligible: an unclean election"
            }
            Election::Unclean => "which is not in sync: an unclean election",
        };
        let end = self.log_after(who).log_end();
        format!(
            "The controller elects {}, {how}; its log has {}.",
            broker_name(who),
            listed(&records(self.log_after(who), 0, end))
        )
    }

    fn leadership_moves(&self, who: u16) -> String {
        let old = replication(self.before).controller.leader;
        format!(
            "Leadership moves to {}; {} is alive and has not heard of it",
            broker_name(who),
            broker_name(old.unwrap_or_default())
        )
    }

    fn hears(&self, who: u16) -> String {
        let leader = replication(self.after).controller.leader;
        format!(
            "{} hears that {} leads{}.",
            capital(&broker_name(who)),
            broker_name(leader.unwrap_or_default()),
            self.cut(who).map_or(String::new(), |gone| format!(
                " and cuts its log to {}: {}",
                self.where_it_cuts(),
                are_gone(&gone)
            ))
        )
    }

    /// To where a follower cuts its log.
    fn where_it_cuts(&self) -> &'static str {
        match self.cluster.pipeline().rules.truncation {
            TruncationRule::ToHighWatermark => "its high watermark",
            TruncationRule::EndOfEpoch | TruncationRule::EndOfKnownEpoch => {
                "what it has in common with the leader's"
            }
        }
    }

    /// What a broker removed from its log.
    fn cut(&self, who: u16) -> Option<Vec<String>> {
        let (before, after) = (self.log_before(who), self.log_after(who));
        let same = in_common(before, after);
        (same < before.log_end()).then(|| records(before, same, before.log_end()))
    }

    fn replica_fetches(&self, who: u16) -> String {
        let leader = replication(self.before).controller.leader;
        let leader = broker_name(leader.unwrap_or_default());
        let (before, after) = (self.log_before(who), self.log_after(who));
        let cut = self.cut(who).map(|gone| listed(&gone));
        let same = in_common(before, after);
        let got = (same < after.log_end()).then(|| listed(&records(after, same, after.log_end())));
        let known = replication(self.before).replica(who).known_end;
        let told = replication(self.after).replica(who).known_end;
        let stale = if replication(self.before).is_behind(who) {
            ", which has not heard of the new leader epoch,"
        } else {
            ""
        };
        let acknowledges = if told > known {
            let entries = if told == 1 { "entry" } else { "entries" };
            format!(", which learns that it has {told} {entries},")
        } else {
            String::new()
        };
        let what = match (cut, got) {
            (Some(cut), Some(got)) => format!(": it cuts off {cut} and gets {got}"),
            (Some(cut), None) => format!(": it cuts off {cut}"),
            (None, Some(got)) => format!(" and gets {got}"),
            (None, None) => String::new(),
        };
        let start = after.log_start();
        let begins = match start > before.log_start() {
            true => format!("; its log begins at offset {start} now, as that of {leader} does"),
            false => String::new(),
        };
        let text = format!(
            "{}{stale} fetches from {leader}{acknowledges}{what}{begins}",
            capital(&broker_name(who))
        );
        text.trim_end_matches(',').replace(",:", ":") + "."
    }

    fn proposes(&self, who: u16) -> String {
        format!(
            "The leader sees that {} has caught up, and asks the controller to add it to the in-sync replicas.",
            broker_name(who)
        )
    }

    fn becomes_in_sync(&self, who: u16) -> String {
        let late = replication(self.before).controller.proposal == Some(who);
        let missing = late && !replication(self.before).replica(who).in_line;
        let though = if missing {
            "; it has started again since, and the controller does not notice"
        } else {
            ""
        };
        format!(
            "The controller adds {} to the in-sync replicas{though}.",
            broker_name(who)
        )
    }

    fn replica_appends(&self, who: u16) -> String {
        let Some(index) = self.before.producer.first_unhandled_at(who) else {
            return String::new();
        };
        let flight = self.before.producer.flights[index];
        let record = name(flight.batch.record);
        let broker = capital(&broker_name(who));
        let (before, after) = (self.log_before(who), self.log_after(who));
        if after.log_end() > before.log_end() {
            let again = match before.holds_from(flight.batch.record, 0, Isolation::ReadUncommitted)
            {
                true => ", a second entry of the same record",
                false => "",
            };
            let waits = match self.cluster.pipeline().producer.acks {
                Acks::All if self.answer_of(flight.batch.record) == Some(Answer::Replicating) => {
                    "; the answer waits for the in-sync replicas"
                }
                Acks::None | Acks::Leader | Acks::All => "",
            };
            let deposed = match replication(self.before).is_deposed(who) {
                true => ", which has not heard that it no longer leads,",
                false => "",
            };
            return format!(
                "{broker}{deposed} appends {record} at offset {}{again}{waits}.",
                before.log_end()
            );
        }
        let sequence = flight.wire.map_or(0, |stamp| stamp.sequence);
        match self.answer_of(flight.batch.record) {
            Some(Answer::OutOfOrder) => format!(
                "{broker} refuses {record}: sequence number {sequence} is out of order (OUT_OF_ORDER_SEQUENCE_NUMBER)."
            ),
            Some(Answer::UnknownProducerId) => format!(
                "{broker} refuses {record}: it does not know the producer id, and sequence number {sequence} is not 0 (UNKNOWN_PRODUCER_ID)."
            ),
            Some(Answer::StaleEpoch) => format!(
                "{broker} refuses {record}: its producer epoch is fenced (INVALID_PRODUCER_EPOCH)."
            ),
            Some(Answer::NotInTransaction) => format!(
                "{broker} refuses {record}: its partition was not added to a transaction (TRANSACTION_ABORTABLE)."
            ),
            Some(Answer::Success | Answer::Replicating) => match mistaken_for(before, &flight) {
                Some(other) => format!(
                    "{broker} takes {record} by its sequence number {sequence} for a repeat of {other} and does not append it."
                ),
                None => format!(
                    "{broker} recognises {record} by its sequence number {sequence} as a repeat and does not append it."
                ),
            },
            Some(Answer::Refused | Answer::None) | None => {
                let why = match replication(self.before).leads(who) {
                    true => {
                        "fewer replicas are in sync than min.insync.replicas (NOT_ENOUGH_REPLICAS)"
                    }
                    false => "it does not lead (NOT_LEADER_OR_FOLLOWER)",
                };
                let closed = match self.cluster.pipeline().producer.acks {
                    Acks::None => "; with acks=0 there is no answer, it closes the connection",
                    Acks::Leader | Acks::All => "",
                };
                format!("{broker} refuses {record}: {why}{closed}.")
            }
        }
    }

    fn answer_of(&self, record: u16) -> Option<Answer> {
        let mut flights = self.after.producer.flights.iter();
        flights
            .find(|flight| flight.batch.record == record)
            .map(|flight| flight.answer)
    }

    fn answered_by(&self, who: u16) -> String {
        match self.before.producer.first_answered_at(who) {
            Some(index) => self.receive_answer_at(index),
            None => String::new(),
        }
    }

    fn waits_too_long(&self, who: u16) -> String {
        let mut flights = self.before.producer.flights.iter();
        let waiting =
            flights.find(|flight| flight.to == who && flight.answer == Answer::Replicating);
        let record = waiting.map_or(0, |flight| flight.batch.record);
        format!(
            "{} is in the log, but too few replicas are in sync for it to be acknowledged: the request times out (REQUEST_TIMED_OUT).",
            name(record)
        )
    }

    /// Requests that a step of the replicas let be answered.
    pub(super) fn confirmed_by_replicas(&self) -> String {
        let mut text = self.marker_answered();
        for (before, after) in self
            .before
            .producer
            .flights
            .iter()
            .zip(self.after.producer.flights.iter())
        {
            if before.batch != after.batch || before.answer != Answer::Replicating {
                continue;
            }
            let record = name(after.batch.record);
            let leader = broker_name(after.to);
            text.push_str(&match after.answer {
                Answer::Success => {
                    format!(" The high watermark passes {record}: {leader} acknowledges it.")
                }
                Answer::Refused if replication(self.after).controller.leader == Some(after.to) => {
                    String::new()
                }
                Answer::Refused => {
                    format!(" It answers that it does not lead {record}'s partition any more.")
                }
                Answer::None
                | Answer::Replicating
                | Answer::OutOfOrder
                | Answer::StaleEpoch
                | Answer::UnknownProducerId
                | Answer::NotInTransaction => String::new(),
            });
        }
        text
    }
}

pub(super) fn replication(state: &State) -> &Replication {
    state
        .replication
        .as_ref()
        .expect("only replicas take these steps")
}

/// The records of a log from one offset to another.
fn records(log: &Broker, from: u16, to: u16) -> Vec<String> {
    let from = from.max(log.log_start()).min(to);
    let mut names: Vec<String> = Vec::new();
    for entry in &log.log[usize::from(from)..usize::from(to)] {
        let own = in_a_sentence(entry);
        let again = if names.contains(&own) { " again" } else { "" };
        names.push(format!("{own}{again}"));
    }
    names
}

/// How many entries from the first on two logs have in common, whatever is forgotten of their producers.
fn in_common(one: &Broker, other: &Broker) -> u16 {
    let of = |entry: &Entry| (entry.record, entry.leader_epoch, entry.kind);
    let pairs = one.log.iter().zip(other.log.iter());
    pairs
        .take_while(|(one, other)| of(one) == of(other))
        .count() as u16
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
