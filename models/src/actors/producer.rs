//! The upstream application and its producer as an actor.
//!
//! What Cluster does to a request on the wire in one step is spread over the network here: the
//! client only learns of it from an answer, or from hearing that a connection broke. Such a notice
//! may overtake the answers of earlier requests. A connection that the client closes, or that dies
//! with its process, takes along what the broker has not yet handled: that notice races with the
//! requests themselves.

use super::Setting;
use super::message::{Blow, Event, Message, Reply, Request, Role, Ticket};
use super::node::{Behave, Mail};
use crate::ledger::Ledger;
use crate::outbox::Database;
use crate::pipeline::{Acks, Source};
use crate::producer::{Answer, Producer};

/// The producer's side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    producer: Producer,
    database: Database,
    pub(super) ledger: Ledger,
    connection: u16,
    /// For each request in flight, what it was sent as.
    tickets: Vec<Ticket>,
}

impl State {
    pub(super) fn start(setting: &Setting) -> State {
        let records = setting.pipeline.bounds.records;
        State {
            producer: Producer::of(records),
            ledger: Ledger::of(records),
            ..State::default()
        }
    }
}

impl Behave for State {
    fn receive(&mut self, setting: &Setting, message: Message, mail: &mut Mail) {
        match message {
            Message::Strike(blow) => self.suffer(setting, blow),
            Message::Produced(ticket, reply) if self.tickets.first() == Some(&ticket) => {
                self.hear(setting, reply);
            }
            Message::Broke(ticket) if ticket.connection == self.connection => {
                self.lose_from(setting, ticket);
            }
            // About a connection that this client has left.
            Message::Produced(..) | Message::Broke(_) => {}
            _ => unreachable!("{message:?} is not for the producer"),
        }
        self.close_if_lost(
            setting,
            mail,
            message == Message::Strike(Blow::ProducerCrash),
        );
    }

    fn fire(&mut self, setting: &Setting, event: Event, mail: &mut Mail) {
        let pipeline = &setting.pipeline;
        let (producer, ledger) = (&mut self.producer, &mut self.ledger);
        match event {
            Event::CommitUpstream(record) => {
                Producer::commit_upstream(record, &mut self.database, pipeline, ledger);
            }
            Event::Mark(row) => self.database.marked.insert(row),
            Event::Send(record) => producer.publish(record, &self.database, pipeline, ledger),
            Event::Transmit => self.transmit(setting, mail),
            Event::Expire => producer.expire(pipeline, ledger),
            Event::FailTooLate => producer.fail_too_late(pipeline, ledger),
            _ => unreachable!("{event:?} is not the producer's"),
        }
        self.close_if_lost(setting, mail, false);
    }

    fn events(&self, setting: &Setting) -> Vec<Event> {
        let pipeline = &setting.pipeline;
        let (producer, database) = (&self.producer, &self.database);
        let doomed = producer.next_to_expire(pipeline).is_some_and(|oldest| {
            oldest.doubtful || producer.librdkafka.fatal && producer.queue.contains(&oldest)
        });
        let too_late = producer.next_to_fail_too_late(pipeline).is_some();
        let send = producer.next_to_send(database, pipeline);
        self.database_events(setting)
            .into_iter()
            .chain(send.map(Event::Send))
            .chain(producer.can_transmit(pipeline).then_some(Event::Transmit))
            .chain(doomed.then_some(Event::Expire))
            .chain(too_late.then_some(Event::FailTooLate))
            .collect()
    }
}

impl State {
    fn database_events(&self, setting: &Setting) -> Vec<Event> {
        let pipeline = &setting.pipeline;
        let (producer, database) = (&self.producer, &self.database);
        let commit = producer.next_to_commit(database, pipeline);
        let mark = producer.next_to_mark(database, pipeline);
        let mut events: Vec<Event> = commit.map(Event::CommitUpstream).into_iter().collect();
        events.extend(mark.map(Event::Mark));
        if matches!(pipeline.producer.source, Source::Outbox { .. }) {
            let open = database.open(pipeline.bounds.records);
            events.extend(open.map(Event::CommitUpstream));
        }
        events
    }

    fn transmit(&mut self, setting: &Setting, mail: &mut Mail) {
        let pipeline = &setting.pipeline;
        self.producer.transmit(0, pipeline, &mut self.ledger);
        let last = self.producer.flights.len() - 1;
        let flight = self.producer.flights[last];
        let ticket = Ticket {
            connection: self.connection,
            serial: self.tickets.last().map_or(0, |before| before.serial + 1),
        };
        if pipeline.producer.acks == Acks::None {
            // There will be no answer: the client is done with it.
            self.producer.handled(last, Answer::Success, pipeline);
        } else {
            self.tickets.push(ticket);
        }
        let request = Request {
            ticket,
            record: flight.batch.record,
            stamp: flight.wire,
        };
        mail.push((Role::Broker, Message::Produce(request)));
    }

    fn hear(&mut self, setting: &Setting, reply: Reply) {
        let (producer, ledger) = (&mut self.producer, &mut self.ledger);
        self.tickets.remove(0);
        let (answer, offset) = match reply {
            Reply::Lost => {
                producer.lose_answer(0, &setting.pipeline, ledger);
                return;
            }
            Reply::Success(offset) => (Answer::Success, offset),
            Reply::Refused => (Answer::Refused, 0),
            Reply::OutOfOrder => (Answer::OutOfOrder, 0),
            Reply::StaleEpoch => (Answer::StaleEpoch, 0),
            Reply::UnknownProducerId(offset) => (Answer::UnknownProducerId, offset),
        };
        producer.handled(0, answer, &setting.pipeline);
        producer.flights[0].offset = offset;
        producer.receive(&setting.pipeline, ledger);
    }

    /// The connection broke with the request of this ticket and all later ones.
    fn lose_from(&mut self, setting: &Setting, lost: Ticket) {
        self.connection += 1;
        if let Some(from) = self.tickets.iter().position(|ticket| *ticket == lost) {
            self.tickets.truncate(from);
            self.producer
                .lose_requests(from, &setting.pipeline, &mut self.ledger);
        }
    }

    fn suffer(&mut self, setting: &Setting, blow: Blow) {
        let pipeline = &setting.pipeline;
        let (producer, ledger) = (&mut self.producer, &mut self.ledger);
        match blow {
            Blow::ProducerCrash => producer.crash(&self.database, pipeline, ledger),
            Blow::DeliveryTimeout => {
                let oldest = producer.next_to_expire(pipeline);
                if oldest.is_some_and(|oldest| !oldest.doubtful) {
                    producer.expire(pipeline, ledger);
                }
            }
            Blow::Abort => producer.abort(&self.database, pipeline, ledger),
            _ => unreachable!("{blow:?} does not strike the producer"),
        }
    }

    /// Where the client dropped what it had in flight, the connection is gone.
    fn close_if_lost(&mut self, setting: &Setting, mail: &mut Mail, died: bool) {
        let unanswered = setting.pipeline.producer.acks == Acks::None;
        if self.producer.flights.len() < self.tickets.len() || died && unanswered {
            self.tickets.clear();
            mail.push((Role::Nemesis, Message::Closed(self.connection)));
            self.connection += 1;
        }
    }
}
