//! The sink as an actor: one operation of the application's order at a time, each atomic.

use super::Setting;
use super::message::{Blow, Message, Role, SinkBlow, SinkReply, Statement};
use super::node::{Behave, Mail};
use crate::application::{Job, Work};
use crate::consumer::Consumer;
use crate::ledger::Ledger;
use crate::sink::Sink;
use crate::store::NotDone;

/// The sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) sink: Sink,
    pub(super) ledger: Ledger,
    /// The records in the order of their first effects.
    pub(super) firsts: Vec<u16>,
    /// What strikes the next calls.
    armed: Vec<SinkBlow>,
}

impl State {
    pub(super) fn start(setting: &Setting) -> State {
        State {
            sink: Sink::of(&setting.pipeline),
            ledger: Ledger::of(setting.pipeline.bounds.records),
            ..State::default()
        }
    }
}

impl Behave for State {
    fn receive(&mut self, setting: &Setting, message: Message, mail: &mut Mail) {
        match message {
            Message::Strike(Blow::Sink(blow)) => self.armed.push(blow),
            Message::ReadSaved(life) => {
                mail.push((Role::Consumer, Message::Saved(life, self.sink.saved)));
            }
            Message::Run(life, statement) => {
                let reply = self.meet(setting, &statement);
                mail.push((Role::Consumer, Message::Ran(life, reply)));
            }
            _ => unreachable!("{message:?} is not for the sink"),
        }
    }
}

impl State {
    /// A call arrives: it is done, unless a fault strikes it. One that is to strike a record that
    /// the call is not about misses it.
    fn meet(&mut self, setting: &Setting, statement: &Statement) -> SinkReply {
        let blow = (!self.armed.is_empty()).then(|| self.armed.remove(0));
        let hits = |blow: &SinkBlow| {
            let about_records = setting.program.operations[usize::from(statement.operation)]
                .steps()
                .any(|step| step.is_about_a_record());
            blow.nth == 0 || about_records && usize::from(blow.nth) < statement.left().len()
        };
        match blow.filter(hits) {
            None => self.run(setting, statement),
            Some(SinkBlow { acts, nth }) => {
                if acts {
                    self.run(setting, statement);
                }
                SinkReply::Failed(nth)
            }
        }
    }

    fn run(&mut self, setting: &Setting, statement: &Statement) -> SinkReply {
        // Of the process only what the statement carries is there.
        let mut caller = Consumer {
            expected: statement.expected,
            ..Consumer::default()
        };
        let mut work = Work {
            job: statement.job(),
            covered: statement.covered,
            storable: None,
            consumer: &mut caller,
            sink: &mut self.sink,
            ledger: &mut self.ledger,
            pipeline: &setting.pipeline,
            limits: &setting.limits,
        };
        let operation = &setting.program.operations[usize::from(statement.operation)];
        let done = work.run(operation);
        let skipped = work.job.skipped;
        // Within one operation records have their effects in the order of the hand.
        for record in statement.records.iter().copied() {
            if self.ledger.is_handled(record) && !self.firsts.contains(&record) {
                self.firsts.push(record);
            }
        }
        match done {
            Ok(()) => SinkReply::Done {
                skipped,
                expected: caller.expected,
            },
            Err(NotDone::Refused) => SinkReply::Refused,
        }
    }
}

impl Statement {
    /// The same as the application's step functions take it.
    pub(super) fn job(&self) -> Job {
        Job {
            records: self.records.clone(),
            first: self.first,
            passed: 0,
            places: self.places,
            skipped: self.skipped,
            looked: None,
            generation: 0,
        }
    }

    /// The places that are not skipped.
    pub(super) fn left(&self) -> Vec<u16> {
        (self.places.0..self.places.1)
            .filter(|place| self.skipped & (1 << place) == 0)
            .collect()
    }
}
