//! Worker threads: the poll loop hands records over and polls on, workers do the order's steps
//! before `commit`, and the loop commits.
//!
//! **Modelled.** One queue, in the order in which records were polled; each worker takes the next
//! record and does its steps one after the other; the workers race. A record that is taken from
//! its consumer by a revocation goes on with the generation under which it was polled: a worker
//! that has begun finishes, and what waits in the queue is done as well, unless the listener drops
//! it; a record that a free worker may or may not have taken from the queue by then is dropped or
//! is not. What becomes of such a record is never committed.
//!
//! **What is done from the beginning on** ends at the first record that was handed over and is not
//! done: offsets without a record are nobody's.
//!
//! **The queue is bounded** by [`crate::limits::MAX_TASKS`]: a loop that finds it full polls again when there is
//! room. It is large enough for every record and every repeat within the bound.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::list::List;
use crate::offset::Offset;

/// One record in the hands of the workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Task {
    /// The record.
    pub record: u16,
    /// Where it was read.
    pub offset: u16,
    /// The next operation.
    pub operation: u16,
    /// The generation under which it was polled, where the sink asks for it.
    pub generation: u16,
    /// Whether the partition was taken from its consumer since.
    pub orphaned: bool,
    /// Whether it was perhaps still in the queue when the listener dropped that.
    pub perhaps_dropped: bool,
    /// Failed attempts.
    pub attempts: u16,
    /// Whether its later steps do nothing.
    pub skipped: bool,
    /// In a transaction whose look-ups were made before it commits: whether they found it.
    pub looked: Option<bool>,
    /// Whether it is to be written to the dead-letter or retry topic.
    pub writes: bool,
    /// Whether the loop may commit it.
    pub done: bool,
}

/// The worker threads of one consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Crew {
    /// What was handed over and is not out of the workers' hands, in the order of the queue.
    pub tasks: List<Task, 4>,
    /// The offset below which everything is done, of the current assignment.
    pub done: u16,
    /// The offset that the loop committed last.
    pub committed: u16,
}

impl Crew {
    /// A new assignment begins to read at `offset`.
    pub(super) fn start_at(&mut self, offset: u16) {
        self.done = offset;
        self.committed = offset;
    }

    /// A record is handed over.
    pub(super) fn hand_over(&mut self, record: u16, offset: Offset, generation: u16) {
        self.tasks.push(Task {
            record,
            offset: offset.0,
            generation,
            ..Task::default()
        });
    }

    /// The assignment ends: what is done is forgotten.
    pub(super) fn orphan(&mut self, drop_buffered: bool, workers: u16) {
        let mut in_hands = vec![false; self.tasks.len()];
        for index in self.ready(workers) {
            in_hands[usize::from(index)] = true;
        }
        for index in (0..self.tasks.len()).rev() {
            let task = self.tasks[index];
            let buffered = !in_hands[index];
            if !task.is_unfinished() || drop_buffered && buffered {
                self.tasks.remove(index);
            } else {
                self.tasks[index].orphaned = true;
                self.tasks[index].perhaps_dropped = drop_buffered && !task.has_begun();
            }
        }
        self.done = 0;
        self.committed = 0;
    }

    /// How many more records a queue of this size takes.
    pub fn room(&self, limit: u16) -> u16 {
        limit.saturating_sub(self.tasks.len() as u16)
    }

    /// The tasks whose next step some worker may take now: workers take them in the order of the
    /// queue, so those in their hands are the first that are not finished.
    pub fn ready(&self, workers: u16) -> impl Iterator<Item = u16> + '_ {
        let unfinished = |index: &usize| self.tasks[*index].is_unfinished();
        (0..self.tasks.len())
            .filter(unfinished)
            .take(usize::from(workers))
            .map(|index| index as u16)
    }

    /// The task that may turn out next to have been dropped with the queue: workers take from its
    /// front, so of several the last.
    pub fn perhaps_dropped(&self) -> Option<u16> {
        let last = self.tasks.iter().rposition(|task| task.perhaps_dropped);
        last.map(|index| index as u16)
    }

    /// A worker does something for this task: it was taken from the queue, with all before it.
    pub fn begin(&mut self, index: u16) {
        for task in &mut self.tasks[..=usize::from(index)] {
            task.perhaps_dropped = false;
        }
    }

    /// Counts what is done from the beginning on, and drops what is out of the workers' hands.
    pub fn settle(&mut self) {
        while let Some(offset) = self.next_done() {
            self.done = offset.next().0;
        }
        for index in (0..self.tasks.len()).rev() {
            let task = self.tasks[index];
            let counted = task.orphaned || task.offset < self.done;
            if !task.is_unfinished() && counted {
                self.tasks.remove(index);
            }
        }
    }

    /// The offset of the first record at or above what is done from the beginning on, if it is done.
    fn next_done(&self) -> Option<Offset> {
        let counts = |task: &&Task| !task.orphaned && task.offset >= self.done;
        let ahead = self.tasks.iter().filter(counts);
        // What lies at one offset twice was read anew from a log that was cut short.
        let first = ahead.min_by_key(|task| (task.offset, !task.done))?;
        first.done.then_some(Offset(first.offset))
    }

    /// The offset after the highest that is done, of the current assignment.
    pub fn highest(&self) -> u16 {
        self.tasks
            .iter()
            .filter(|task| task.done && !task.orphaned)
            .map(|task| task.offset + 1)
            .max()
            .unwrap_or(0)
            .max(self.done)
    }

    /// Visits the fields.
    pub(super) fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        self.tasks
            .code(codec, limits.tasks, |task, codec| task.code(codec, limits));
        codec.field(&mut self.done, limits.log);
        codec.field(&mut self.committed, limits.log);
    }
}

impl Task {
    /// Whether a worker has still something to do.
    fn has_begun(&self) -> bool {
        let untouched = self.operation == 0 && self.attempts == 0 && self.looked.is_none();
        !untouched || self.skipped || self.writes || self.done
    }

    fn is_unfinished(&self) -> bool {
        !self.done || self.writes
    }

    fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        codec.field(&mut self.record, limits.records - 1);
        codec.field(&mut self.offset, limits.log);
        codec.field(&mut self.operation, limits.operations);
        if limits.fences {
            codec.field(&mut self.generation, limits.generations);
        }
        codec.flag(&mut self.orphaned);
        codec.flag_if(limits.drops_buffered, &mut self.perhaps_dropped);
        codec.field(&mut self.attempts, limits.failures);
        codec.flag_if(limits.skips, &mut self.skipped);
        codec.flag_if(limits.writes_failed, &mut self.writes);
        codec.flag(&mut self.done);
        if limits.looks_ahead {
            let mut looked = match self.looked {
                None => 0,
                Some(false) => 1,
                Some(true) => 2,
            };
            codec.field(&mut looked, 2);
            self.looked = match looked {
                0 => None,
                1 => Some(false),
                _ => Some(true),
            };
        }
    }
}
