//! What the application does next, and an operation of its order with all that it is about: what
//! a sink of any kind needs to be told.

use super::{Cluster, State};
use crate::action::{Action, ConsumerStep, ConsumerStrike, Failure, Place, Strike};
use crate::application::{Job, Work};
use crate::consumer::{Consumer, Hand, Phase};
use crate::ledger::Ledger;
use crate::offset::{NextOffset, Offset, Position};
use crate::order::Step;
use crate::pipeline::CommitCovers;
use crate::program::{Operation, OutputStep};
use crate::store::{NotDone, Store};

/// What the application does next with what it has in hand, or a worker with its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It commits.
    Commit,
    /// It writes a record that failed elsewhere.
    WriteFailed,
    /// It fails at a record that cannot be handled.
    Fail(Place),
    /// It makes the look-ups of a transaction.
    LookUp,
    /// It runs the operation.
    Run,
    /// It makes a call of its output producer.
    Output(OutputStep),
}

/// One operation of the order, run once.
#[derive(Clone, Debug)]
pub struct Execution<'a> {
    /// Whose application runs it.
    pub who: u16,
    /// The operation.
    pub operation: &'a Operation,
    /// The records that it is about.
    pub job: Job,
    /// Whether only its look-ups are made.
    pub looks_up: bool,
    /// What a commit at this point covers.
    pub covered: Position,
    /// What librdkafka's offset store gets at this point, if it takes anything.
    pub storable: Option<Position>,
}

/// What came of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran<E> {
    /// The look-ups found these places.
    Found(u32),
    /// It is done, and these places are skipped from now on.
    Done(u32),
    /// The sink refused it.
    Refused,
    /// The store failed.
    Failed(E),
}

impl Execution<'_> {
    /// Runs it with this consumer's process, on this sink.
    pub fn run<S: Store>(
        &self,
        cluster: &Cluster,
        consumer: &mut Consumer,
        sink: &mut S,
        ledger: &mut Ledger,
    ) -> Ran<S::Error> {
        let mut work = Work {
            job: self.job.clone(),
            covered: self.covered,
            storable: self.storable,
            consumer,
            sink,
            ledger,
            pipeline: &cluster.pipeline,
            limits: &cluster.limits,
        };
        if self.looks_up {
            return match work.look_up() {
                Ok(found) => Ran::Found(found),
                Err(error) => Ran::Failed(error),
            };
        }
        match work.run(self.operation) {
            Ok(()) => Ran::Done(work.job.skipped),
            Err(NotDone::Refused) => Ran::Refused,
            Err(NotDone::Failed(error)) => Ran::Failed(error),
        }
    }
}

impl Cluster {
    /// The operation that this step runs, if it runs one: what it does to a sink is all that the
    /// step does there.
    pub fn execution(&self, state: &State, action: Action) -> Option<Execution<'_>> {
        let (who, at, runs) = match action {
            Action::Consumer { who, does } => match does {
                ConsumerStep::Operate => (who, Place::Poll, self.next_in_hand(state, who)),
                ConsumerStep::Work(index) => {
                    let next = self.next_of_task(state, who, index);
                    (who, Place::Task(index), next)
                }
                ConsumerStep::Join { .. }
                | ConsumerStep::InitTransactions
                | ConsumerStep::TakeOver
                | ConsumerStep::FetchOffset
                | ConsumerStep::Leave
                | ConsumerStep::Rejoin
                | ConsumerStep::NoticeLoss
                | ConsumerStep::Relocate
                | ConsumerStep::Poll(_)
                | ConsumerStep::Discover
                | ConsumerStep::PollOther(_)
                | ConsumerStep::PollBoth(_)
                | ConsumerStep::RelocateOther
                | ConsumerStep::PollRetries
                | ConsumerStep::Drop(_)
                | ConsumerStep::CommitDone
                | ConsumerStep::WriteFailed
                | ConsumerStep::CommitSaved
                | ConsumerStep::HandleCommit
                | ConsumerStep::ReceiveCommitAnswer
                | ConsumerStep::CommitAutomatically
                | ConsumerStep::CommitArrives
                | ConsumerStep::ResultArrives(_)
                | ConsumerStep::ResultExpires { .. } => return None,
            },
            Action::Fault {
                strike: Strike::Consumer { who, how },
                ..
            } => match how {
                ConsumerStrike::SlowToTheEnd => (who, Place::Poll, self.next_in_hand(state, who)),
                ConsumerStrike::Fail { failure, at } if self.acts(state, who, failure, at) => {
                    (who, at, Next::Run)
                }
                ConsumerStrike::Fail { .. }
                | ConsumerStrike::Crash
                | ConsumerStrike::Pause
                | ConsumerStrike::Slow
                | ConsumerStrike::GracefulRestart => return None,
            },
            Action::Fault { .. }
            | Action::CommitUpstream(_)
            | Action::Mark(_)
            | Action::Send(_)
            | Action::SendToOther(_)
            | Action::Transmit
            | Action::HandleProduce
            | Action::ReceiveAnswer
            | Action::Expire
            | Action::FailTooLate
            | Action::LearnLeader
            | Action::OutputTopic { .. }
            | Action::ReadResult
            | Action::Replica { .. }
            | Action::InitProducerId
            | Action::AddPartitions
            | Action::CommitTransaction
            | Action::EndTransaction
            | Action::WriteMarker
            | Action::TimeOutTransaction
            | Action::LearnPartition
            | Action::OtherPartition(_)
            | Action::LateArrives(_)
            | Action::OutputTransaction { .. } => return None,
        };
        let looks_up = match runs {
            Next::Run => false,
            Next::LookUp => true,
            Next::Commit | Next::WriteFailed | Next::Fail(_) | Next::Output(_) => return None,
        };
        Some(Execution {
            looks_up,
            ..self.execution_at(state, who, at)
        })
    }

    /// The transaction in the middle of which this fault may strike, so that nothing of it is left.
    pub fn broken_off(&self, state: &State, action: Action) -> Option<Execution<'_>> {
        let Action::Fault {
            strike: Strike::Consumer { who, how },
            ..
        } = action
        else {
            return None;
        };
        let consumer = &state.consumers[usize::from(who)];
        let mut tasks = consumer.crew.ready(self.pipeline.consumer.workers);
        let at = match how {
            ConsumerStrike::Crash if consumer.phase == Phase::Handling => {
                let next = self.next_in_hand(state, who);
                (next == Next::Run && self.writing(state, who).is_none()).then_some(Place::Poll)?
            }
            ConsumerStrike::Crash => {
                let runs = |index: &u16| self.next_of_task(state, who, *index) == Next::Run;
                Place::Task(tasks.find(runs)?)
            }
            ConsumerStrike::Fail {
                failure: Failure::After,
                at,
            } => at,
            ConsumerStrike::Fail { .. }
            | ConsumerStrike::Pause
            | ConsumerStrike::Slow
            | ConsumerStrike::SlowToTheEnd
            | ConsumerStrike::GracefulRestart => return None,
        };
        let execution = self.execution_at(state, who, at);
        execution.operation.transaction.then_some(execution)
    }

    /// Whether the sink does what it is asked for although handling fails.
    pub(super) fn acts(&self, state: &State, who: u16, failure: Failure, at: Place) -> bool {
        match failure {
            Failure::Before | Failure::Sent | Failure::SinkUnavailable | Failure::Poison => false,
            // Inside a transaction the failure comes before its end and rolls it back.
            Failure::After => {
                let (operation, _) = self.operation_at(state, who, at);
                !operation.transaction && operation.output_step().is_none()
            }
            Failure::SinkAnswerLost => true,
        }
    }

    /// What the application does next with the records in hand.
    pub(super) fn next_in_hand(&self, state: &State, who: u16) -> Next {
        if self.due_commit(state, who).is_some() {
            return Next::Commit;
        }
        if let Some(place) = self.poisoned_place(state, who) {
            return Next::Fail(Place::Hand(place));
        }
        if let Some(step) = self.operation(state, who).output_step() {
            return Next::Output(step);
        }
        let looked = state.consumers[usize::from(who)].looked.is_some();
        match self.looks_ahead(self.operation(state, who)) && !looked {
            true => Next::LookUp,
            false => Next::Run,
        }
    }

    /// What a worker does next with its task.
    pub(super) fn next_of_task(&self, state: &State, who: u16, index: u16) -> Next {
        let task = &state.consumers[usize::from(who)].crew.tasks[usize::from(index)];
        if task.writes {
            return Next::WriteFailed;
        }
        if self.is_poison(state, task) {
            return Next::Fail(Place::Task(index));
        }
        let operation = &self.program.operations[usize::from(task.operation)];
        match self.looks_ahead(operation) && task.looked.is_none() {
            true => Next::LookUp,
            false => Next::Run,
        }
    }

    /// The operation that is being done at a place, run as a whole.
    pub(super) fn execution_at(&self, state: &State, who: u16, at: Place) -> Execution<'_> {
        match at {
            Place::Task(index) => self.execution_of_task(state, who, index),
            Place::Hand(_) | Place::Poll => self.execution_in_hand(state, who),
        }
    }

    fn execution_in_hand(&self, state: &State, who: u16) -> Execution<'_> {
        let consumer = &state.consumers[usize::from(who)];
        let operation = self.operation(state, who);
        let places = consumer.places(operation.scope);
        Execution {
            who,
            operation,
            job: Job {
                records: consumer.hand.clone(),
                first: consumer.first,
                passed: consumer.passed,
                places: (places.start, places.end),
                skipped: consumer.skipped,
                looked: consumer.looked,
                generation: consumer.generation,
            },
            looks_up: false,
            covered: consumer.covered(operation.scope, &self.pipeline),
            storable: Some(consumer.storable(operation.scope)),
        }
    }

    fn execution_of_task(&self, state: &State, who: u16, index: u16) -> Execution<'_> {
        let task = state.consumers[usize::from(who)].crew.tasks[usize::from(index)];
        let mut records = Hand::default();
        records.push(task.record);
        let next = Offset(task.offset).next();
        Execution {
            who,
            operation: &self.program.operations[usize::from(task.operation)],
            job: Job {
                records,
                first: task.offset,
                passed: 0,
                places: (0, 1),
                skipped: u32::from(task.skipped),
                looked: task.looked.map(u32::from),
                generation: task.generation,
            },
            looks_up: false,
            covered: self.covered_by_task(state, who, index),
            storable: (!task.orphaned).then(|| Position::bare(next)),
        }
    }

    /// What a worker that saves an offset covers: its own record counts as done.
    fn covered_by_task(&self, state: &State, who: u16, index: u16) -> Position {
        let consumer = &state.consumers[usize::from(who)];
        let task = consumer.crew.tasks[usize::from(index)];
        let mut crew = consumer.crew.clone();
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

    /// Whether the operation's look-ups are a step of their own.
    pub(super) fn looks_ahead(&self, operation: &Operation) -> bool {
        self.limits.looks_ahead && operation.transaction && operation.contains(Step::SkipIfSeen)
    }
}
