//! The consumer's process and its application as an actor.
//!
//! It is single-threaded: it waits for one call at a time. Beside that its client fetches, and
//! commits in the background. Joining is a conversation with the coordinator, the sink's database
//! and the broker, one after the other. What the process does not hear it does not know: neither
//! which offset is committed nor where the log ends.

mod committing;
mod handling;

use super::Setting;
use super::coordinator::Renewal;
use super::message::{Blow, CommitKind, Event, Message, Pick, Role};
use super::node::{Behave, Mail};
use crate::broker::{Broker, Entry};
use crate::consumer::Hand;
use crate::consumer::{Consumer, Phase};
use crate::group_coordinator::GroupCoordinator;
use crate::offset::{NextOffset, Position};
use crate::order::Step;
use crate::pipeline::{OnRevoke, Start};

/// What the process waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Waits {
    /// Nothing.
    #[default]
    Nothing,
    /// The answer to its join.
    Assignment,
    /// The saved offset; the committed one is known.
    Saved(Option<Position>),
    /// Where reading starts; the committed and the saved offset are known.
    Start(Option<Position>, Option<NextOffset>),
    /// The sink's answer, at which handling fails at this place, if at one.
    Sink(Option<u16>),
    /// The answer to this commit.
    Commit(Position),
}

/// The consumer's side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    process: Consumer,
    waits: Waits,
    /// Whether a fetch is out.
    fetching: bool,
    /// The commit on the wire that nobody waits for; [`Consumer::pending`] is not yet there.
    in_flight: Option<Position>,
    /// The process's life: answers to an earlier one reach nobody.
    life: u16,
    /// Whether the generation must change when it joins again.
    renewal: Renewal,
    /// Whether the last start ended for want of a position to start from.
    pub(super) in_vain: bool,
}

impl Behave for State {
    fn receive(&mut self, setting: &Setting, message: Message, mail: &mut Mail) {
        match message {
            Message::Strike(Blow::ConsumerCrash) => self.crash(),
            Message::Strike(Blow::Fail { late, nth }) => self.struck(setting, late, nth, mail),
            Message::Joined(life, generation, committed) if life == self.life => {
                self.process.generation = generation;
                self.joined(setting, committed, mail);
            }
            Message::Saved(life, saved) if life == self.life => {
                if let Waits::Saved(committed) = self.waits {
                    self.ask_start(committed, saved, mail);
                }
            }
            Message::Located(life, there) if life == self.life => self.start_at(there),
            Message::Fetched(life, records) if life == self.life => {
                self.fetched(setting, &records);
            }
            Message::Ran(life, reply) if life == self.life => self.ran(setting, reply),
            Message::Committed(life, kind, reply) if life == self.life => {
                self.committed(setting, kind, reply);
            }
            // The process that asked is gone.
            Message::Joined(..)
            | Message::Saved(..)
            | Message::Located(..)
            | Message::Fetched(..)
            | Message::Ran(..)
            | Message::Committed(..) => {}
            _ => unreachable!("{message:?} is not for the consumer"),
        }
        self.forget_epochs();
    }

    fn fire(&mut self, setting: &Setting, event: Event, mail: &mut Mail) {
        match event {
            Event::Join => {
                mail.push((Role::Coordinator, Message::Join(self.life, self.renewal)));
                self.waits = Waits::Assignment;
                self.renewal = Renewal::Keep;
                self.in_vain = false;
            }
            Event::Operate => self.operate(setting, mail),
            Event::CommitAutomatically => {
                let due = self.automatic_commit(setting);
                self.process.pending = due.or(self.process.pending);
            }
            Event::TransmitCommit => {
                self.in_flight = self.process.pending.take();
                if let Some(position) = self.in_flight {
                    self.commit(CommitKind::Background, position, mail);
                }
            }
            Event::CommitSaved => {
                if let Some(position) = self.process.failed_commit {
                    self.waits = Waits::Commit(position);
                    self.commit(CommitKind::Saved, position, mail);
                }
            }
            _ => unreachable!("{event:?} is not the consumer's"),
        }
        self.forget_epochs();
    }

    fn choose(&mut self, _setting: &Setting, pick: Pick, mail: &mut Mail) {
        let Pick::Poll(most) = pick else {
            unreachable!("{pick:?} is not the consumer's");
        };
        self.fetching = true;
        let first = self.process.position().next.0;
        mail.push((Role::Broker, Message::Fetch(self.life, first, most)));
    }

    fn events(&self, setting: &Setting) -> Vec<Event> {
        let free = self.waits == Waits::Nothing;
        let mut events = Vec::new();
        match self.process.phase {
            Phase::Down | Phase::Outside if free => events.push(Event::Join),
            Phase::Handling if free => events.push(Event::Operate),
            Phase::Polling if free && self.process.failed_commit.is_some() => {
                events.push(Event::CommitSaved);
            }
            Phase::Down
            | Phase::Outside
            | Phase::Handling
            | Phase::Polling
            | Phase::Idle
            | Phase::Leaving => {}
        }
        if self.automatic_commit(setting).is_some() {
            events.push(Event::CommitAutomatically);
        }
        // Commits go over one connection: the one that is waited for first.
        let occupied = self.in_flight.is_some() || matches!(self.waits, Waits::Commit(_));
        if self.process.pending.is_some() && !occupied {
            events.push(Event::TransmitCommit);
        }
        events
    }

    fn picks(&self, setting: &Setting) -> Vec<Pick> {
        let polls = self.process.phase == Phase::Polling && self.waits == Waits::Nothing;
        if !polls || self.fetching {
            return Vec::new();
        }
        (1..=setting.limits.poll).map(Pick::Poll).collect()
    }
}

impl State {
    pub(super) fn start(setting: &Setting) -> State {
        let mut state = State::default();
        if setting.pipeline.bounds.start == Start::Joined {
            state.process = Consumer::joined();
        }
        state.forget_epochs();
        state
    }

    /// Where it reads on, if its process runs.
    pub(super) fn position(&self) -> Option<NextOffset> {
        let runs = self.process.is_running();
        runs.then(|| self.process.position().next)
    }

    /// Nothing can be truncated, so a leader epoch says nothing.
    fn forget_epochs(&mut self) {
        let bare = |position: &mut Option<Position>| {
            *position = position.map(|position| Position::bare(position.next));
        };
        self.process.leader_epoch = None;
        bare(&mut self.process.stored);
        bare(&mut self.process.pending);
        bare(&mut self.process.failed_commit);
        bare(&mut self.in_flight);
    }

    /// Whoever asked for something is no longer there to hear the answer.
    fn begin_life(&mut self) {
        let asked = self.waits != Waits::Nothing || self.fetching || self.in_flight.is_some();
        let before = std::mem::take(self);
        *self = State {
            process: before.process,
            life: before.life + u16::from(asked),
            renewal: before.renewal,
            ..State::default()
        };
    }

    /// The process dies, and starts again.
    fn crash(&mut self) {
        self.process.crash();
        self.begin_life();
    }

    /// It is no longer a member, and joins again.
    fn lose(&mut self, setting: &Setting) {
        let drops = setting.pipeline.consumer.on_lost == OnRevoke::DropBuffered;
        self.process
            .give_up(Phase::Outside, drops, &setting.pipeline);
        self.renewal = Renewal::Renew;
        self.begin_life();
    }

    fn joined(&mut self, setting: &Setting, committed: Option<Position>, mail: &mut Mail) {
        if setting
            .program
            .operations
            .iter()
            .any(|operation| operation.contains(Step::SaveOffset))
        {
            self.waits = Waits::Saved(committed);
            mail.push((Role::Sink, Message::ReadSaved(self.life)));
        } else {
            self.ask_start(committed, None, mail);
        }
    }

    fn ask_start(
        &mut self,
        committed: Option<Position>,
        saved: Option<NextOffset>,
        mail: &mut Mail,
    ) {
        self.waits = Waits::Start(committed, saved);
        mail.push((Role::Broker, Message::Locate(self.life, committed, saved)));
    }

    fn start_at(&mut self, there: Option<Position>) {
        let Waits::Start(committed, saved) = self.waits else {
            return;
        };
        self.waits = Waits::Nothing;
        let Some(position) = there else {
            // The poll throws, and the process ends.
            self.crash();
            self.in_vain = true;
            return;
        };
        let group = GroupCoordinator {
            committed,
            ..GroupCoordinator::default()
        };
        self.process.take(&group, position);
        self.process.expected = saved;
    }

    fn fetched(&mut self, setting: &Setting, records: &Hand) {
        self.fetching = false;
        // The log as far as the answer shows it.
        let mut seen = Broker::default();
        for _ in 0..self.process.first {
            seen.log.push(Entry::default());
        }
        for record in records.iter() {
            let record = *record;
            seen.log.push(Entry {
                record,
                ..Entry::default()
            });
        }
        let count = records.len() as u16;
        self.process.poll(count, &setting.pipeline, &seen);
    }
}
