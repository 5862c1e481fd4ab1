//! What the application does with records: operations, in the loop and by workers, and what
//! follows a failure.

use super::{Cluster, State};
use crate::action::{Failure, Place};
use crate::application::{Job, Work};
use crate::bounded::List;
use crate::consumer::crew::Task;
use crate::consumer::{Phase, Recovery};

use crate::offset::{NextOffset, Offset, Position};
use crate::order::Step;
use crate::pipeline::{AfterAttempts, CommitCovers, DeadLetterOrder};
use crate::program::{Operation, Scope};
use crate::sink::Sink;
use crate::store::NotDone;
use std::convert::Infallible;

impl Cluster {
    /// The operation that the application does next.
    pub(super) fn operation<'a>(&'a self, state: &State, who: u8) -> &'a Operation {
        &self.program.operations[usize::from(state.consumers[usize::from(who)].operation)]
    }

    /// Whether the operation's look-ups are a step of their own.
    fn looks_ahead(&self, operation: &Operation) -> bool {
        self.limits.looks_ahead && operation.transaction && operation.contains(Step::SkipIfSeen)
    }

    /// The application does its next operation.
    pub(super) fn operate(&self, state: &mut State, who: u8) {
        if self.due_commit(state, who).is_some() {
            self.commit_and_wait(state, who);
            return;
        }
        if let Some(place) = self.poisoned_place(state, who) {
            self.fail(state, who, Place::Hand(place));
            return;
        }
        let operation = self.operation(state, who);
        let looked = state.consumers[usize::from(who)].looked;
        if self.looks_ahead(operation) && looked.is_none() {
            let Ok(found) = self.work(state, who, |work| work.look_up());
            state.consumers[usize::from(who)].looked = Some(found);
            return;
        }
        if self.run_operation(state, who).is_ok() {
            state.consumers[usize::from(who)].advance(&self.program);
        } else {
            self.lose(state, who);
        }
    }

    /// Does the operation's work, short of going on to the next one.
    fn run_operation(&self, state: &mut State, who: u8) -> Result<(), NotDone<Infallible>> {
        let operation = self.operation(state, who);
        let pending = state.consumers[usize::from(who)].pending;
        let (done, skipped) = self.work(state, who, |work| (work.run(operation), work.job.skipped));
        state.consumers[usize::from(who)].skipped = skipped;
        if self.is_joining(state, who) {
            // A commit that nobody waits for is not sent, and nobody hears of it.
            state.consumers[usize::from(who)].pending = pending;
        }
        done
    }

    /// Works on the records in hand.
    fn work<T>(&self, state: &mut State, who: u8, run: impl FnOnce(&mut Work<'_, Sink>) -> T) -> T {
        let consumer = &state.consumers[usize::from(who)];
        let scope = self.operation(state, who).scope;
        let places = consumer.places(scope);
        let job = Job {
            records: consumer.hand,
            first: consumer.first,
            places: (places.start, places.end),
            skipped: consumer.skipped,
            looked: consumer.looked,
            generation: consumer.generation,
        };
        let covered = consumer.covered(scope, &self.pipeline);
        let storable = Some(consumer.storable(scope));
        run(&mut Work {
            job,
            covered,
            storable,
            consumer: &mut state.consumers[usize::from(who)],
            sink: &mut state.sink,
            ledger: &mut state.ledger,
            pipeline: &self.pipeline,
            limits: &self.limits,
        })
    }

    /// The record of the operation at hand that cannot be handled.
    pub(super) fn poisoned_place(&self, state: &State, who: u8) -> Option<u8> {
        let consumer = &state.consumers[usize::from(who)];
        if consumer.phase != Phase::Handling {
            return None;
        }
        let operation = self.operation(state, who);
        let mut places = consumer.places(operation.scope);
        let poisoned = |place: &u8| {
            consumer.skipped & (1 << place) == 0
                && state.poisoned & (1 << consumer.hand[usize::from(*place)]) != 0
        };
        places
            .find(poisoned)
            .filter(|_| operation.contains(Step::Process))
    }

    /// Whether the operation of a task is to handle a record that cannot be handled.
    pub(super) fn is_poison(&self, state: &State, task: &Task) -> bool {
        let operation = self.program.operations.get(usize::from(task.operation));
        operation.is_some_and(|operation| operation.contains(Step::Process))
            && !task.skipped
            && state.poisoned & (1 << task.record) != 0
    }

    /// Whether the operation at a place is past its look-ups.
    pub(super) fn is_answered(&self, state: &State, who: u8, at: Place) -> bool {
        let (operation, looked) = self.operation_at(state, who, at);
        !self.looks_ahead(operation) || looked
    }

    /// A worker does the next operation of its task.
    pub(super) fn work_on(&self, state: &mut State, who: u8, index: u8) {
        state.consumers[usize::from(who)].crew.begin(index);
        let task = state.consumers[usize::from(who)].crew.tasks[usize::from(index)];
        if task.writes {
            self.write_failed(state, who, Place::Task(index));
            return;
        }
        let operation = &self.program.operations[usize::from(task.operation)];
        if self.is_poison(state, &task) {
            self.fail(state, who, Place::Task(index));
            return;
        }
        if self.looks_ahead(operation) && task.looked.is_none() {
            let Ok(found) = self.work_for(state, who, index, |work| work.look_up());
            self.task(state, who, index).looked = Some(found != 0);
            return;
        }
        match self.run_task(state, who, index) {
            Ok(()) => self.advance_task(state, who, index),
            Err(NotDone::Refused) => {
                state.consumers[usize::from(who)]
                    .crew
                    .tasks
                    .remove(usize::from(index));
                if !task.orphaned {
                    self.lose(state, who);
                }
            }
        }
    }

    pub(super) fn task<'a>(&self, state: &'a mut State, who: u8, index: u8) -> &'a mut Task {
        &mut state.consumers[usize::from(who)].crew.tasks[usize::from(index)]
    }

    fn run_task(&self, state: &mut State, who: u8, index: u8) -> Result<(), NotDone<Infallible>> {
        let operation = self.task(state, who, index).operation;
        let operation = &self.program.operations[usize::from(operation)];
        let (done, skipped) = self.work_for(state, who, index, |work| {
            (work.run(operation), work.job.skipped)
        });
        self.task(state, who, index).skipped = skipped != 0;
        done
    }

    fn advance_task(&self, state: &mut State, who: u8, index: u8) {
        let task = self.task(state, who, index);
        task.looked = None;
        task.operation += 1;
        if usize::from(task.operation) == self.program.operations.len() {
            task.done = true;
            task.attempts = 0;
        }
        let consumer = &mut state.consumers[usize::from(who)];
        consumer.crew.settle();
    }

    /// Works on a task's record.
    fn work_for<T>(
        &self,
        state: &mut State,
        who: u8,
        index: u8,
        run: impl FnOnce(&mut Work<'_, Sink>) -> T,
    ) -> T {
        let consumer = &state.consumers[usize::from(who)];
        let task = consumer.crew.tasks[usize::from(index)];
        let mut records = List::default();
        records.push(task.record);
        let next = Offset(task.offset).next();
        let current = !task.orphaned;
        let job = Job {
            records,
            first: task.offset,
            places: (0, 1),
            skipped: u32::from(task.skipped),
            looked: task.looked.map(u32::from),
            generation: task.generation,
        };
        let covered = self.covered_by_task(state, who, index);
        run(&mut Work {
            job,
            covered,
            storable: current.then(|| Position::bare(next)),
            consumer: &mut state.consumers[usize::from(who)],
            sink: &mut state.sink,
            ledger: &mut state.ledger,
            pipeline: &self.pipeline,
            limits: &self.limits,
        })
    }

    /// What a worker that saves an offset covers: its own record counts as done.
    fn covered_by_task(&self, state: &State, who: u8, index: u8) -> Position {
        let consumer = &state.consumers[usize::from(who)];
        let task = consumer.crew.tasks[usize::from(index)];
        let mut crew = consumer.crew;
        crew.tasks[usize::from(index)].done = true;
        crew.settle();
        let next = Offset(task.offset).next();
        let current = !task.orphaned;
        Position::bare(match self.pipeline.consumer.commit_covers {
            CommitCovers::Contiguous if current => NextOffset(crew.done),
            CommitCovers::Highest if current => NextOffset(crew.highest()),
            CommitCovers::Position if current => consumer.position().next,
            CommitCovers::Last => NextOffset(task.offset),
            CommitCovers::Next
            | CommitCovers::Contiguous
            | CommitCovers::Highest
            | CommitCovers::Position => next,
        })
    }

    /// Handling fails, as a fault has it.
    pub(super) fn strike_handling(&self, state: &mut State, who: u8, failure: Failure, at: Place) {
        let (operation, _) = self.operation_at(state, who, at);
        let acts = match failure {
            Failure::Before | Failure::SinkUnavailable => false,
            // Inside a transaction the failure comes before its end and rolls it back.
            Failure::After => !operation.transaction,
            Failure::SinkAnswerLost => true,
            Failure::Poison => {
                let record = self.record_at(state, who, at);
                state.poisoned |= record.map_or(0, |record| 1 << record);
                false
            }
        };
        let expected = state.consumers[usize::from(who)].expected;
        let refused = acts
            && match at {
                Place::Task(index) => self.run_task(state, who, index).is_err(),
                Place::Hand(_) | Place::Poll => self.run_operation(state, who).is_err(),
            };
        if failure == Failure::SinkAnswerLost {
            // It has not heard that the guarded offset is saved.
            state.consumers[usize::from(who)].expected = expected;
        }
        if refused {
            self.lose(state, who);
        } else {
            self.fail(state, who, at);
        }
    }

    /// The operation that is being done at a place, and whether its look-ups were made.
    pub(super) fn operation_at(&self, state: &State, who: u8, at: Place) -> (&Operation, bool) {
        let consumer = &state.consumers[usize::from(who)];
        match at {
            Place::Task(index) => {
                let task = &consumer.crew.tasks[usize::from(index)];
                let operation = &self.program.operations[usize::from(task.operation)];
                (operation, task.looked.is_some())
            }
            Place::Hand(_) | Place::Poll => (self.operation(state, who), consumer.looked.is_some()),
        }
    }

    pub(super) fn record_at(&self, state: &State, who: u8, at: Place) -> Option<u8> {
        let consumer = &state.consumers[usize::from(who)];
        match at {
            Place::Hand(place) => consumer.hand.get(usize::from(place)).copied(),
            Place::Task(index) => Some(consumer.crew.tasks[usize::from(index)].record),
            Place::Poll => None,
        }
    }

    /// An attempt at handling has failed.
    ///
    /// An attempt is one at the whole of what the application does with a record: the next one
    /// begins at its first step, and looks up anew. Where a step is about the whole poll, that step
    /// is tried again.
    fn fail(&self, state: &mut State, who: u8, at: Place) {
        let settings = self.pipeline.consumer.on_process_failure;
        let failed = self.count_attempt(state, who, at);
        let blocks = settings.then == AfterAttempts::Block;
        if blocks || failed < settings.attempts {
            if blocks {
                self.set_attempts(state, who, at, 0);
                let record = self.record_at(state, who, at);
                if record.is_some_and(|record| state.poisoned & (1 << record) != 0) {
                    // However often it is tried, nothing comes of it: the application stands still.
                    return;
                }
            }
            self.try_again(state, who, at);
            return;
        }
        self.set_attempts(state, who, at, 0);
        match settings.then {
            AfterAttempts::Stop => self.crash(state, who),
            AfterAttempts::Close => self.close_after_failure(state, who, at),
            AfterAttempts::Skip => self.pass_over(state, who, at),
            AfterAttempts::DeadLetter(DeadLetterOrder::WriteCommit) | AfterAttempts::RetryTopic => {
                self.recover(state, who, at, Recovery::Write);
            }
            AfterAttempts::DeadLetter(DeadLetterOrder::CommitWrite) => {
                self.recover(state, who, at, Recovery::Commit);
            }
            AfterAttempts::Block => unreachable!("it is tried again"),
        }
    }

    fn count_attempt(&self, state: &mut State, who: u8, at: Place) -> u8 {
        let attempts = match at {
            Place::Task(index) => &mut self.task(state, who, index).attempts,
            Place::Hand(_) | Place::Poll => &mut state.consumers[usize::from(who)].attempts,
        };
        *attempts += 1;
        *attempts
    }

    fn set_attempts(&self, state: &mut State, who: u8, at: Place, attempts: u8) {
        match at {
            Place::Task(index) => self.task(state, who, index).attempts = attempts,
            Place::Hand(_) | Place::Poll => state.consumers[usize::from(who)].attempts = attempts,
        }
    }

    fn try_again(&self, state: &mut State, who: u8, at: Place) {
        match at {
            Place::Task(index) => {
                let task = self.task(state, who, index);
                task.operation = 0;
                task.skipped = false;
                task.looked = None;
            }
            Place::Hand(_) | Place::Poll => {
                let scope = self.operation(state, who).scope;
                let consumer = &mut state.consumers[usize::from(who)];
                consumer.looked = None;
                if let Scope::Record { first, .. } = scope {
                    consumer.operation = first as u8;
                    consumer.skipped &= !(1 << consumer.cursor);
                }
            }
        }
    }

    fn close_after_failure(&self, state: &mut State, who: u8, at: Place) {
        let consumer = &state.consumers[usize::from(who)];
        let open = match consumer.phase {
            Phase::Polling | Phase::Handling => state.group.rebalance.is_none(),
            Phase::Down | Phase::Outside | Phase::Idle | Phase::Leaving => false,
        };
        if open && !self.is_zombie(state, who) {
            if let Place::Task(index) = at {
                let crew = &mut state.consumers[usize::from(who)].crew;
                crew.tasks.remove(usize::from(index));
            }
            self.begin_leaving(state, who, true);
        } else {
            self.crash(state, who);
        }
    }

    /// The application goes on without the record.
    pub(super) fn pass_over(&self, state: &mut State, who: u8, at: Place) {
        match at {
            Place::Task(index) => {
                let task = self.task(state, who, index);
                task.skipped = true;
                task.looked = None;
            }
            Place::Hand(place) => {
                let consumer = &mut state.consumers[usize::from(who)];
                consumer.skipped |= 1 << place;
                consumer.looked = None;
            }
            Place::Poll => state.consumers[usize::from(who)].advance(&self.program),
        }
    }

    /// The record is to be written to the dead-letter or retry topic.
    fn recover(&self, state: &mut State, who: u8, at: Place, recovery: Recovery) {
        match at {
            Place::Task(index) => {
                let task = self.task(state, who, index);
                task.writes = true;
                task.done = recovery == Recovery::Commit;
                let consumer = &mut state.consumers[usize::from(who)];
                consumer.crew.settle();
            }
            Place::Hand(place) => {
                let consumer = &mut state.consumers[usize::from(who)];
                consumer.failing = place;
                consumer.recovery = recovery;
            }
            Place::Poll => self.pass_over(state, who, at),
        }
    }
}
