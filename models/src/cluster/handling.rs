//! What the application does with records: operations, in the loop and by workers, and what
//! follows a failure.

use super::execution::{Execution, Next, Ran};
use super::{Cluster, State};
use crate::action::{Failure, Place};
use crate::consumer::crew::Task;
use crate::consumer::{Phase, Recovery};
use crate::order::Step;
use crate::pipeline::{AfterAttempts, DeadLetterOrder};
use crate::program::{Operation, Scope};

impl Cluster {
    /// The operation that the application does next.
    pub(super) fn operation<'a>(&'a self, state: &State, who: u16) -> &'a Operation {
        &self.program.operations[usize::from(state.consumers[usize::from(who)].operation)]
    }

    /// The application does its next operation.
    pub(super) fn operate(&self, state: &mut State, who: u16) {
        match self.next_in_hand(state, who) {
            Next::Commit => self.commit_and_wait(state, who),
            Next::Fail(at) => self.fail(state, who, at),
            Next::Output(step) => self.call_output(state, who, step),
            Next::WriteFailed => unreachable!("that is a step of its own"),
            Next::LookUp => {
                let found = self.look_up(state, who, Place::Poll);
                state.consumers[usize::from(who)].looked = Some(found);
            }
            Next::Run => match self.run(state, who, Place::Poll) {
                true => state.consumers[usize::from(who)].advance(&self.program),
                false => self.lose(state, who),
            },
        }
    }

    /// Makes the look-ups of the operation at a place; which places they found.
    fn look_up(&self, state: &mut State, who: u16, at: Place) -> u32 {
        let look_up = Execution {
            looks_up: true,
            ..self.execution_at(state, who, at)
        };
        let consumer = &mut state.consumers[usize::from(who)];
        match look_up.run(self, consumer, &mut state.sink, &mut state.ledger) {
            Ran::Found(places) => places,
            Ran::Done(_) | Ran::Refused => unreachable!("a look-up finds, or not"),
        }
    }

    /// Does the work of the operation at a place, short of going on to the next one; whether the
    /// sink took it.
    fn run(&self, state: &mut State, who: u16, at: Place) -> bool {
        let execution = self.execution_at(state, who, at);
        let consumer = &mut state.consumers[usize::from(who)];
        let pending = consumer.pending;
        let ran = execution.run(self, consumer, &mut state.sink, &mut state.ledger);
        let (done, skipped) = match ran {
            Ran::Done(skipped) => (true, skipped),
            Ran::Refused => (false, execution.job.skipped),
            Ran::Found(_) => unreachable!("it is not only a look-up"),
        };
        if done && self.prepares(execution.operation) {
            self.note_prepared(state, who);
        }
        match at {
            Place::Task(index) => self.task(state, who, index).skipped = skipped != 0,
            Place::Hand(_) | Place::Poll => {
                state.consumers[usize::from(who)].skipped = skipped;
                if self.is_joining(state, who) {
                    // A commit that nobody waits for is not sent, and nobody hears of it.
                    state.consumers[usize::from(who)].pending = pending;
                }
            }
        }
        done
    }

    /// The record of the operation at hand that cannot be handled.
    pub(super) fn poisoned_place(&self, state: &State, who: u16) -> Option<u16> {
        let consumer = &state.consumers[usize::from(who)];
        if consumer.phase != Phase::Handling {
            return None;
        }
        let operation = self.operation(state, who);
        let mut places = consumer.places(operation.scope);
        let poisoned = |place: &u16| {
            consumer.skipped & (1 << place) == 0
                && state.poisoned.contains(consumer.hand[usize::from(*place)])
        };
        places.find(poisoned).filter(|_| self.handles(operation))
    }

    /// Whether the operation of a task is to handle a record that cannot be handled.
    pub(super) fn is_poison(&self, state: &State, task: &Task) -> bool {
        let operation = self.program.operations.get(usize::from(task.operation));
        operation.is_some_and(|operation| self.handles(operation))
            && !task.skipped
            && state.poisoned.contains(task.record)
    }

    /// Whether the operation at a place is past its look-ups.
    pub(super) fn is_answered(&self, state: &State, who: u16, at: Place) -> bool {
        let (operation, looked) = self.operation_at(state, who, at);
        !self.looks_ahead(operation) || looked
    }

    /// A worker does the next operation of its task.
    pub(super) fn work_on(&self, state: &mut State, who: u16, index: u16) {
        state.consumers[usize::from(who)].crew.begin(index);
        let at = Place::Task(index);
        match self.next_of_task(state, who, index) {
            Next::WriteFailed => self.write_failed(state, who, at),
            Next::Fail(at) => self.fail(state, who, at),
            Next::Commit => unreachable!("the loop commits"),
            Next::Output(_) => unreachable!("a design with workers writes no results"),
            Next::LookUp => {
                let found = self.look_up(state, who, at);
                self.task(state, who, index).looked = Some(found != 0);
            }
            Next::Run if self.run(state, who, at) => self.advance_task(state, who, index),
            Next::Run => {
                let crew = &mut state.consumers[usize::from(who)].crew;
                let task = crew.tasks.remove(usize::from(index));
                if !task.orphaned {
                    self.lose(state, who);
                }
            }
        }
    }

    pub(super) fn task<'a>(&self, state: &'a mut State, who: u16, index: u16) -> &'a mut Task {
        &mut state.consumers[usize::from(who)].crew.tasks[usize::from(index)]
    }

    fn advance_task(&self, state: &mut State, who: u16, index: u16) {
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

    /// Handling fails, as a fault has it.
    pub(super) fn strike_handling(&self, state: &mut State, who: u16, failure: Failure, at: Place) {
        if failure == Failure::Poison
            && let Some(record) = self.record_at(state, who, at)
        {
            state.poisoned.insert(record);
        }
        let is_late = match failure {
            Failure::After | Failure::Sent => true,
            Failure::Before
            | Failure::SinkUnavailable
            | Failure::SinkAnswerLost
            | Failure::Poison => false,
        };
        if is_late && self.operation_at(state, who, at).0.output_step().is_some() {
            if self.fails_later(state, who, failure) {
                self.fail_after_result(state, who);
                return;
            }
            if !self.result_is_sent(state, who) {
                // The refusal was the failure.
                return;
            }
            if failure == Failure::Sent {
                self.deliver_results(state, who);
            }
        } else if self.has_output() {
            self.output_producer_mut(state, who).forget_awaited();
        }
        let expected = state.consumers[usize::from(who)].expected;
        let refused = self.acts(state, who, failure, at) && !self.run(state, who, at);
        if failure == Failure::SinkAnswerLost {
            // It has not heard that the guarded offset is saved.
            state.consumers[usize::from(who)].expected = expected;
        }
        let in_doubt = failure == Failure::SinkAnswerLost
            && self.prepares(self.operation_at(state, who, at).0);
        if refused {
            self.lose(state, who);
        } else if in_doubt {
            // Only the database knows whether the transaction is prepared: the next start asks it.
            self.crash(state, who);
        } else {
            self.fail(state, who, at);
        }
    }

    /// The operation that is being done at a place, and whether its look-ups were made.
    pub(super) fn operation_at(&self, state: &State, who: u16, at: Place) -> (&Operation, bool) {
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

    pub(super) fn record_at(&self, state: &State, who: u16, at: Place) -> Option<u16> {
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
    pub(super) fn fail(&self, state: &mut State, who: u16, at: Place) {
        let settings = self.pipeline.consumer.on_process_failure;
        let begin = self.operation_at(state, who, at).0.transaction_begin();
        if begin.is_some() && !self.abort_what_is_open(state, who) {
            self.crash(state, who);
            return;
        }
        let failed = self.count_attempt(state, who, at);
        let blocks = settings.then == AfterAttempts::Block;
        if blocks || failed < settings.attempts {
            if blocks {
                self.set_attempts(state, who, at, 0);
            }
            match begin {
                Some(_) => self.after_abort(state, who),
                None => self.try_again(state, who, at),
            }
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
        if let Some(begin) = begin {
            self.begin_transaction_again(state, who, begin);
        }
    }

    fn count_attempt(&self, state: &mut State, who: u16, at: Place) -> u16 {
        let attempts = match at {
            Place::Task(index) => &mut self.task(state, who, index).attempts,
            Place::Hand(_) | Place::Poll => &mut state.consumers[usize::from(who)].attempts,
        };
        *attempts += 1;
        *attempts
    }

    fn set_attempts(&self, state: &mut State, who: u16, at: Place, attempts: u16) {
        match at {
            Place::Task(index) => self.task(state, who, index).attempts = attempts,
            Place::Hand(_) | Place::Poll => state.consumers[usize::from(who)].attempts = attempts,
        }
    }

    /// The record is handled again, from its first step on.
    pub(super) fn try_again(&self, state: &mut State, who: u16, at: Place) {
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
                    consumer.operation = first as u16;
                    consumer.skipped &= !(1 << consumer.cursor);
                }
            }
        }
    }

    fn close_after_failure(&self, state: &mut State, who: u16, at: Place) {
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
    pub(super) fn pass_over(&self, state: &mut State, who: u16, at: Place) {
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
    fn recover(&self, state: &mut State, who: u16, at: Place, recovery: Recovery) {
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

    /// Whether the operation handles records: has the effect, or, where the only effect is the
    /// result, sends that.
    pub(super) fn handles(&self, operation: &Operation) -> bool {
        operation.contains(Step::Process)
            || self.pipeline.consumer.only_produces()
                && (operation.contains(Step::Produce) || operation.contains(Step::ProduceAsync))
    }
}
