//! The broker as an actor: it handles produce requests as they arrive, and holds a fetch until
//! there is something to return.

use super::Setting;
use super::message::{Blow, Message, Reply, Request, Role, Wire};
use super::node::{Behave, Mail};
use crate::broker::{AppendResult, Broker, Stamp};
use crate::consumer::{Consumer, Location};
use crate::group_coordinator::GroupCoordinator;
use crate::limbo::Late;
use crate::list::List;
use crate::offset::{NextOffset, Position};
use crate::partitions::Partition;
use crate::pipeline::Acks;
use crate::sink::Sink;

/// The broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) broker: Broker,
    /// Connections below this one are closed.
    open_from: u16,
    /// What strikes the next produce requests.
    armed: Vec<Wire>,
    /// The fetch that waits: life, position and the most records wanted.
    fetch: Option<(u16, u16, u16)>,
}

impl Behave for State {
    fn receive(&mut self, setting: &Setting, message: Message, mail: &mut Mail) {
        match message {
            Message::Strike(Blow::Produce(wire)) => self.armed.push(wire),
            Message::Produce(request) => {
                if request.ticket.connection >= self.open_from {
                    self.meet(setting, request, mail);
                }
            }
            Message::Closed(connection) => self.close(connection),
            Message::Late(Late::Produce { record, stamp, .. }) => {
                self.append(setting, record, stamp);
            }
            Message::Fetch(life, first, most) => self.fetch = Some((life, first, most)),
            Message::Locate(life, committed, saved) => {
                let there = self.locate(setting, committed, saved);
                mail.push((Role::Consumer, Message::Located(life, there)));
            }
            _ => unreachable!("{message:?} is not for the broker"),
        }
        self.serve(mail);
    }
}

impl State {
    fn close(&mut self, connection: u16) {
        self.open_from = self.open_from.max(connection + 1);
    }

    /// A request arrives: it is handled, unless a fault strikes it.
    fn meet(&mut self, setting: &Setting, request: Request, mail: &mut Mail) {
        let answers = setting.pipeline.producer.acks != Acks::None;
        let wire = (!self.armed.is_empty()).then(|| self.armed.remove(0));
        let reply = match wire {
            Some(Wire::LoseRequest) => return self.break_at(request, mail),
            // Without an answer to put the error in, the broker closes the connection.
            Some(Wire::Refuse) if !answers => return self.break_at(request, mail),
            Some(Wire::Delay) => {
                let Request { record, stamp, .. } = request;
                let late = Late::Produce {
                    record,
                    stamp,
                    partition: Partition::First,
                    to: 0,
                };
                mail.push((Role::Nemesis, Message::Delayed(late)));
                return self.break_at(request, mail);
            }
            Some(Wire::Refuse) if self.armed.first() == Some(&Wire::LoseAnswer) => {
                // Two faults meet one request.
                self.armed.remove(0);
                Reply::Lost
            }
            Some(Wire::Refuse) => Reply::Refused,
            Some(Wire::LoseAnswer) => {
                self.append(setting, request.record, request.stamp);
                Reply::Lost
            }
            None => self.append(setting, request.record, request.stamp),
        };
        if answers {
            mail.push((Role::Producer, Message::Produced(request.ticket, reply)));
        }
    }

    fn break_at(&mut self, request: Request, mail: &mut Mail) {
        self.close(request.ticket.connection);
        mail.push((Role::Nemesis, Message::Broke(request.ticket)));
    }

    fn append(&mut self, setting: &Setting, record: u16, stamp: Option<Stamp>) -> Reply {
        let pipeline = &setting.pipeline;
        let result = self
            .broker
            .append(record, stamp, &pipeline.topic, &pipeline.rules);
        let told = setting.limits.answered_offsets;
        match result {
            AppendResult::Appended | AppendResult::Duplicate => {
                let offset = stamp.and_then(|stamp| self.broker.offset_of(stamp));
                Reply::Success(offset.filter(|_| told).map_or(0, |offset| offset + 1))
            }
            AppendResult::OutOfOrder => Reply::OutOfOrder,
            AppendResult::StaleEpoch => Reply::StaleEpoch,
            AppendResult::UnknownProducerId => Reply::UnknownProducerId(self.broker.log_start()),
        }
    }

    /// Answers the fetch that waits, if there is something to return.
    fn serve(&mut self, mail: &mut Mail) {
        let there = |(_, first, _): &(u16, u16, u16)| *first < self.broker.log_end();
        let Some((life, first, most)) = self.fetch.filter(there) else {
            return;
        };
        self.fetch = None;
        let mut records = List::default();
        let unread = self.broker.log.iter().skip(usize::from(first));
        for entry in unread.take(usize::from(most)) {
            records.push(entry.record);
        }
        mail.push((Role::Consumer, Message::Fetched(life, records)));
    }

    /// Where a consumer starts to read, given the committed and the saved offset.
    pub(super) fn locate(
        &self,
        setting: &Setting,
        committed: Option<Position>,
        saved: Option<NextOffset>,
    ) -> Option<Position> {
        let group = GroupCoordinator {
            committed,
            ..GroupCoordinator::default()
        };
        let sink = Sink {
            saved,
            ..Sink::default()
        };
        match Consumer::starting_point(&setting.pipeline, &self.broker, &group, &sink) {
            Location::At(position) => Some(Position::bare(position.next)),
            Location::Nowhere => None,
        }
    }
}
