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
use semel_models::producer::{Answer, Batch, Flight, Producer};
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
        // That of a process which is gone is of no client.
        Action::OutputTopic {
            does: LogStep::LateArrives(_),
            ..
        } => false,
        Action::OutputTopic { does, .. } => does.is_of_client(),
        _ => false,
    };
    if let Some(letter) = letter(cluster, client).filter(|_| is_of_client) {
        told.parameters
            .insert("consumer".into(), letter.to_string());
    }
    if told.actor == "producer" {
        // The client is in the consumer's process.
        let letter = letter(cluster, client);
        told.actor = letter.map_or("consumer".into(), |own| format!("consumer {own}"));
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

/// What of a result a fault strikes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Struck {
    /// Its request.
    Request,
    /// The answer to it.
    Answer,
    /// The time that it has.
    Delivery,
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
            let what = match (self.is_delivered(who, action), self.fails_later(who)) {
                (true, false) => None,
                (true, true) => Some("Handling fails"),
                (false, _) if self.is_transactional() => Some("The transaction is aborted"),
                (false, _) => Some("The application hears of the failure"),
            };
            text = match (what, after.phase) {
                (None, _) => String::new(),
                (Some(what), Phase::Down) => format!(" {what}, and the process ends."),
                (Some(what), _) if self.is_transactional() => {
                    format!(" {what}, and {}.", of.then_after_abort())
                }
                (Some(what), _) if after.operation == before.operation => {
                    format!(" {what}, and tries again.")
                }
                (Some(what), _) => {
                    format!(" {what}, and the application goes on without the record.")
                }
            };
        }
        let seen = self.newly_seen();
        if let Some(seen) = seen.strip_prefix("; its reader sees ") {
            text.push_str(&format!(" The topic's reader sees {seen}."));
        }
        text
    }

    /// Whether what the client hears in this step is that its oldest result there was delivered: with
    /// acks=0 as soon as it is on the wire.
    fn is_delivered(&self, who: u16, action: Action) -> bool {
        let broker = match action {
            Action::OutputTopic {
                does: LogStep::Replica { who: broker, .. },
                ..
            } => broker,
            Action::OutputTopic {
                does: LogStep::Transmit,
                ..
            } => return !self.cluster.hears_of_results(),
            _ => return false,
        };
        log(self.before).is_some_and(|log| {
            let producer = &log.clients[usize::from(who)].producer;
            let answered = producer.first_answered_at(broker);
            answered.is_some_and(|index| producer.flights[index].answer == Answer::Success)
        })
    }

    fn fails_later(&self, who: u16) -> bool {
        log(self.before).is_some_and(|log| log.clients[usize::from(who)].fails)
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
                "The reader of the output topic passes an entry that it is not given: a marker, or a record that was aborted.".into()
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

impl ConsumerScene<'_> {
    /// The record whose result a fault strikes.
    pub(super) fn struck_result(&self, how: Struck) -> String {
        name(self.struck_record(how))
    }

    /// The same: a client has several requests on the wire, and of those with an answer none is lost or
    /// refused any more.
    pub(super) fn struck_record(&self, how: Struck) -> u16 {
        let client = self.cluster.output_client(self.scene.before, self.who);
        let struck = client.and_then(|client| {
            let producer = &client.producer;
            let index = match how {
                Struck::Request => producer.first_unhandled(),
                Struck::Answer => producer.first_answered(),
                Struck::Delivery => return Some(self.expiring(producer)?.record),
            };
            index.map(|index| producer.flights[index].batch.record)
        });
        struck.unwrap_or_else(|| self.cluster.struck_result(self.scene.before, self.who))
    }

    /// The result whose delivery timeout passes next.
    fn expiring(&self, producer: &Producer) -> Option<Batch> {
        producer.next_to_expire(self.cluster.output_topic()?.pipeline())
    }

    /// Whether the result whose delivery timeout passes is on the wire.
    pub(super) fn is_on_the_wire(&self) -> bool {
        let client = self.cluster.output_client(self.scene.before, self.who);
        client.is_some_and(|client| {
            let expiring = self.expiring(&client.producer);
            let mut flights = client.producer.flights.iter();
            flights.any(|flight| !flight.expired && Some(flight.batch) == expiring)
        })
    }

    /// Whether the answer that is lost is a refusal.
    pub(super) fn was_result_refused(&self) -> bool {
        let client = self.cluster.output_client(self.scene.before, self.who);
        let first = client.and_then(|client| client.producer.flights.first().copied());
        first.is_some_and(|flight| flight.answer.is_sent() && flight.answer != Answer::Success)
    }

    /// With acks=0 nobody hears of a result that is struck, nor of those that go down with its connection.
    fn unheard(&self, record: u16, after: &Producer) -> String {
        let before = self.cluster.output_client(self.scene.before, self.who);
        let flights = before.map_or(&[][..], |client| &client.producer.flights);
        let record_of = |flight: &Flight| flight.batch.record;
        let stays = |own: u16| after.flights.iter().any(|flight| record_of(flight) == own);
        let lost: Vec<String> = flights
            .iter()
            .map(record_of)
            .filter(|own| *own != record && !stays(*own))
            .map(name)
            .collect();
        match lost.is_empty() {
            true => "; nobody hears of it".into(),
            false => format!(
                "; nobody hears of it, nor of what is lost behind it: {}",
                lost.join(", ")
            ),
        }
    }

    /// What becomes of a result after a fault, where faults can strike the topic itself; nothing is said
    /// where the application has to be told of.
    pub(super) fn fate_on_the_wire(&self, how: Struck) -> Option<String> {
        let record = self.struck_record(how);
        let client = self.cluster.output_client(self.scene.after, self.who)?;
        let mut in_flight = client.producer.flights.iter();
        if in_flight.any(|flight| flight.batch.record == record && !flight.expired) {
            // The client has not heard of it.
            return Some(String::new());
        }
        let again = client.producer.queue.iter();
        if again.clone().any(|batch| batch.record == record) {
            return Some("; the client will send it again".into());
        }
        if !matches!(how, Struck::Delivery) && !self.cluster.hears_of_results() {
            return Some(self.unheard(record, &client.producer));
        }
        let waits = client.awaits || self.after().phase == Phase::Handling;
        let failed = "; it is reported failed";
        Some(match self.after().phase {
            Phase::Down => format!("{failed}, and the process ends"),
            _ if waits => failed.into(),
            _ if self.is_transactional() => format!(
                "{failed}: the transaction is aborted, and {}",
                self.then_after_abort()
            ),
            _ => format!("{failed}, and the application goes on without the record"),
        })
    }

    /// Whether handling is to fail once a result that this step sends has been reported.
    pub(super) fn fails_after_report(&self) -> bool {
        log(self.scene.after).is_some_and(|log| log.clients[usize::from(self.who)].fails)
    }

    /// Whether the application waits for the report of a result.
    pub(super) fn awaits_report(&self) -> bool {
        client_awaits(self.scene.before, self.who)
    }
}

fn log(state: &State) -> Option<&OutputLog> {
    state.output.as_ref()?.log.as_deref()
}

fn client_awaits(state: &State, who: u16) -> bool {
    log(state).is_some_and(|log| log.clients[usize::from(who)].awaits)
}
