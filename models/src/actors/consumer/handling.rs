//! What the application does with its records, and what follows a failure.

use super::{State, Waits};
use crate::actors::Setting;
use crate::actors::message::{CommitKind, Message, Role, SinkReply, Statement};
use crate::actors::node::Mail;
use crate::application::Work;
use crate::consumer::{Phase, Recovery};
use crate::ledger::Ledger;
use crate::order::Step;
use crate::pipeline::{AfterAttempts, Dedup};
use crate::program::{Operation, Scope};
use crate::sink::Sink;

impl State {
    fn operation<'a>(&self, setting: &'a Setting) -> &'a Operation {
        &setting.program.operations[usize::from(self.process.operation)]
    }

    fn statement(&self, setting: &Setting) -> Statement {
        let scope = self.operation(setting).scope;
        let places = self.process.places(scope);
        Statement {
            operation: self.process.operation,
            records: self.process.hand.clone(),
            first: self.process.first,
            places: (places.start, places.end),
            skipped: self.process.skipped,
            covered: self.process.covered(scope, &setting.pipeline),
            expected: self.process.expected,
        }
    }

    /// The application begins its next operation; one within the process is done with that.
    pub(super) fn operate(&mut self, setting: &Setting, mail: &mut Mail) {
        let operation = self.operation(setting);
        if operation.contains(Step::Commit) {
            let position = self.process.covered(operation.scope, &setting.pipeline);
            self.waits = Waits::Commit(position);
            self.commit(CommitKind::Waiting, position, mail);
        } else if self.calls_sink(setting) {
            self.call_sink(setting, None, mail);
        } else {
            self.run_here(setting);
            self.process.advance(&setting.program);
        }
    }

    fn call_sink(&mut self, setting: &Setting, fails_at: Option<u16>, mail: &mut Mail) {
        self.waits = Waits::Sink(fails_at);
        let run = Message::Run(self.life, self.statement(setting));
        mail.push((Role::Sink, run));
    }

    /// Whether the operation is a call of the sink. Of a skipped record nothing is handled.
    fn calls_sink(&self, setting: &Setting) -> bool {
        let stored = setting.pipeline.sink.dedup != Dedup::Memory;
        let any_left = !self.statement(setting).left().is_empty();
        self.operation(setting).steps().any(|step| match step {
            Step::Process => any_left,
            Step::Remember => any_left && stored,
            Step::SkipIfSeen => stored,
            Step::SaveOffset => true,
            Step::Commit
            | Step::CommitAsync
            | Step::StoreOffset
            | Step::Produce
            | Step::ProduceAsync
            | Step::Flush => false,
        })
    }

    /// An operation that stays within the process.
    fn run_here(&mut self, setting: &Setting) {
        let statement = self.statement(setting);
        let operation = self.operation(setting);
        let storable = Some(self.process.storable(operation.scope));
        let (mut sink, mut ledger) = (Sink::default(), Ledger::default());
        let mut work = Work {
            job: statement.job(),
            covered: statement.covered,
            storable,
            consumer: &mut self.process,
            sink: &mut sink,
            ledger: &mut ledger,
            pipeline: &setting.pipeline,
            limits: &setting.limits,
        };
        let done = work.run(operation);
        let skipped = work.job.skipped;
        assert!(done.is_ok(), "nothing within the process is refused");
        let untouched = sink == Sink::default() && ledger == Ledger::default();
        assert!(untouched, "{operation:?} reaches the sink");
        self.process.skipped = skipped;
    }

    /// The sink answers, or fails to.
    pub(super) fn ran(&mut self, setting: &Setting, reply: SinkReply) {
        let Waits::Sink(fails_at) = std::mem::take(&mut self.waits) else {
            return;
        };
        match (reply, fails_at) {
            (SinkReply::Done { skipped, expected }, place) => {
                self.process.skipped = skipped;
                self.process.expected = expected;
                match place {
                    Some(place) => self.fail(setting, Some(place)),
                    None => self.process.advance(&setting.program),
                }
            }
            (SinkReply::Refused, _) => self.lose(setting),
            (SinkReply::Failed(nth), _) => {
                let about_records = self.operation(setting).steps().any(Step::is_about_a_record);
                let left = self.statement(setting).left();
                let place = left.get(usize::from(nth)).filter(|_| about_records);
                let alone = match self.operation(setting).scope {
                    Scope::Record { .. } => Some(self.process.cursor),
                    Scope::Poll => None,
                };
                self.fail(setting, place.copied().or(alone));
            }
        }
    }

    /// A fault has handling fail at the `nth` record that is left, if the application handles one.
    pub(super) fn struck(&mut self, setting: &Setting, late: bool, nth: u16, mail: &mut Mail) {
        let handles = self.process.phase == Phase::Handling
            && self.process.recovery == Recovery::None
            && self.waits == Waits::Nothing
            && self.operation(setting).contains(Step::Process);
        if !handles {
            return;
        }
        let left = self.statement(setting).left();
        let Some(place) = left.get(usize::from(nth)).copied() else {
            return;
        };
        // Inside a transaction a failure comes before its end and rolls it back.
        if late && !self.operation(setting).transaction {
            self.call_sink(setting, Some(place), mail);
        } else {
            self.fail(setting, Some(place));
        }
    }

    /// An attempt has failed, at the record in this place or at the whole poll.
    fn fail(&mut self, setting: &Setting, place: Option<u16>) {
        let settings = setting.pipeline.consumer.on_process_failure;
        self.process.attempts += 1;
        let blocks = settings.then == AfterAttempts::Block;
        if blocks || self.process.attempts < settings.attempts {
            if blocks {
                self.process.attempts = 0;
            }
            self.process.looked = None;
            if let Scope::Record { first, .. } = self.operation(setting).scope {
                self.process.operation = first as u16;
                self.process.skipped &= !(1 << self.process.cursor);
            }
            return;
        }
        self.process.attempts = 0;
        match (settings.then, place) {
            (AfterAttempts::Stop, _) => self.crash(),
            (AfterAttempts::Skip, Some(place)) => self.process.skipped |= 1 << place,
            (AfterAttempts::Skip, None) => self.process.advance(&setting.program),
            (
                AfterAttempts::Close
                | AfterAttempts::Block
                | AfterAttempts::DeadLetter(_)
                | AfterAttempts::RetryTopic,
                _,
            ) => unreachable!("{settings:?} is not covered"),
        }
    }
}
