//! A consumer: its process, its place in the group, its position in the log, and where its
//! application stands in the order.
//!
//! **Modelled.** Assignment: the offset saved in the sink's database if the consumer seeks to it,
//! else the committed offset, else `auto.offset.reset`. A poll returns any non-empty beginning of
//! what is there (librdkafka: one record). A position that carries a leader epoch notices a
//! truncation and goes back to where its epoch ended; one without is valid again as soon as the log
//! has grown over it; beyond the log's end the reset policy decides (KIP-320; `SubscriptionState`,
//! `rdkafka_offset.c`). With the policy `none` the process ends, and starts again in vain until
//! the position is valid. Commits of an explicit offset carry no leader epoch, as in
//! `new OffsetAndMetadata(offset + 1)`; commits of the position and of stored offsets do.
//!
//! **Zombies.** A consumer whose generation is not the group's any more has been put out of it and
//! does not know: it goes on with its records, and every commit of its is refused. That a paused
//! process stands still is one of its interleavings: the one in which it takes no step. Its next
//! poll may still return records that it had fetched (`Fetcher.collectFetch` comes before the
//! heartbeat's answer), unless its own client put it out after `max.poll.interval.ms`.
//!
//! **Gaps.** Not every offset has a record that a poll returns. A poll returns any non-empty
//! beginning of the records that there are, with their own offsets; the position is then the one
//! after the last of them. What lies between that and the next record is passed over by the poll
//! that returns the next one, and at the log's end by a poll that returns nothing
//! (`FetchCollector.fetchRecords`). Java may have passed over it with the records before, as far as
//! one answer of the broker reaches: a position before such offsets and one after them read the same.
//!
//! **Workers** are in [`crew`], what is committed and when in [`commits`].
//!
//! **Left out.** Records that are fetched ahead: a record that the client fetched before a poll
//! returns it is handled as one that the poll fetched, for nothing else looks at the client's
//! buffer. Heartbeats, and fetches that are lost: they are repeated, and nothing depends on when.

pub mod commits;
pub mod crew;
mod packing;
mod position;

use crate::broker::Broker;
use crate::dedup::DedupStore;
use crate::group_coordinator::GroupCoordinator;
use crate::list::List;
use crate::offset::{self, NextOffset, Offset, Position};
use crate::pipeline::{AutoCommit, DedupKey, Pipeline};
use crate::program::{Program, Scope};
use crate::retries::RetryPosition;
use commits::Owed;
use crew::Crew;
pub use position::Location;
use std::ops::Range;

/// The records of one poll.
pub type Hand = List<u16, 4>;

/// What the consumer's process is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not running, or not yet a member of the group.
    #[default]
    Down,
    /// Running, and to join the group again.
    Outside,
    /// A member that the partition is not assigned to.
    Idle,
    /// Between two polls.
    Polling,
    /// The application has records in hand.
    Handling,
    /// In a poll that gives the partition up, or closing.
    Leaving,
}

impl Phase {
    const ALL: [Phase; 6] = [
        Phase::Down,
        Phase::Outside,
        Phase::Idle,
        Phase::Polling,
        Phase::Handling,
        Phase::Leaving,
    ];
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Call {
    /// There is none.
    #[default]
    None,
    /// The request is on its way.
    Requested,
    /// The answer is on its way.
    Answered,
}

impl Call {
    const ALL: [Call; 3] = [Call::None, Call::Requested, Call::Answered];
}

/// What is still to be done with a record whose last attempt failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// Nothing.
    #[default]
    None,
    /// Its offset is to be committed, then it is to be written to the dead-letter topic.
    Commit,
    /// It is to be written to the dead-letter or retry topic.
    Write,
}

impl Recovery {
    const ALL: [Recovery; 3] = [Recovery::None, Recovery::Commit, Recovery::Write];
}

/// The consumer's process; everything in it is lost in a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Consumer {
    /// What it is doing.
    pub phase: Phase,
    /// The generation that it joined.
    pub generation: u16,
    /// Whether its own client put it out of the group: then it polls no more before it joins.
    pub slow: bool,
    /// The newest leader epoch that its client has seen, where it takes no metadata of an older one.
    pub seen_epoch: u16,
    /// Where the records in hand were read from; with nothing in hand, where the next poll reads.
    pub first: u16,
    /// The offsets from there on at which that poll saw no record, as a set of bits.
    pub passed: u32,
    /// The leader epoch that the position after what is in hand carries.
    pub leader_epoch: Option<u16>,
    /// The records in hand.
    pub hand: Hand,
    /// Whether they come from the retry topic.
    pub retrying: bool,
    /// Where it stands there.
    pub retry_position: RetryPosition,
    /// How many of them, at the end, come from the partition that the others do not come from.
    pub behind: u16,
    /// Which of them is being handled.
    pub cursor: u16,
    /// The next operation of the order.
    pub operation: u16,
    /// Which of them are skipped, as a set of places in the hand.
    pub skipped: u32,
    /// In a transaction whose look-ups were made before it commits: what they found.
    pub looked: Option<u32>,
    /// Where reading goes on after what is in hand, if the partition was assigned anew meanwhile.
    pub reassigned: Option<Position>,
    /// Failed attempts at what is in hand.
    pub attempts: u16,
    /// The place in the hand whose last attempt failed.
    pub failing: u16,
    /// What is still to be done with it.
    pub recovery: Recovery,
    /// The dedup store in memory.
    pub memory: DedupStore,
    /// librdkafka's offset store.
    pub stored: Option<Position>,
    /// The commit that is on its way without anyone waiting for it.
    pub pending: Option<Position>,
    /// The commit that failed and is to be repeated later.
    pub failed_commit: Option<Position>,
    /// With a background commit: the offset that this client knows to be committed.
    pub known_committed: Option<NextOffset>,
    /// With a guarded saved offset: the one that this consumer started from or last wrote.
    pub expected: Option<NextOffset>,
    /// Where it began to read when the partition was assigned to it.
    pub assigned_at: u16,
    /// The commits that it still owes before it has left.
    pub owed: Owed,
    /// How far the commit that the application waits for has come; always [`Call::None`] where a
    /// call is one step.
    pub call: Call,
    /// With workers: the position in that commit. They go on, and what is done may grow meanwhile.
    pub called: Option<Position>,
    /// The worker threads.
    pub crew: Crew,
}

impl Consumer {
    /// A member that the partition is assigned to, positioned at the log's start.
    pub fn joined() -> Consumer {
        Consumer {
            phase: Phase::Polling,
            leader_epoch: Some(0),
            ..Consumer::default()
        }
    }

    /// A member that the partition is not assigned to.
    pub fn idle() -> Consumer {
        Consumer {
            phase: Phase::Idle,
            ..Consumer::default()
        }
    }

    /// Whether there is a process.
    pub fn is_running(&self) -> bool {
        self.phase != Phase::Down
    }

    /// Whether it has, or believes to have, the partition.
    pub fn reads(&self) -> bool {
        match self.phase {
            Phase::Polling | Phase::Handling | Phase::Leaving => true,
            Phase::Down | Phase::Outside | Phase::Idle => false,
        }
    }

    /// The position after what is in hand: where the next poll reads.
    pub fn position(&self) -> Position {
        let in_hand = if self.retrying {
            0
        } else {
            self.before_the_other()
        };
        Position {
            next: NextOffset(self.after(in_hand)),
            leader_epoch: self.leader_epoch,
        }
    }

    /// How many of the records in hand come before those of another partition.
    pub fn before_the_other(&self) -> u16 {
        self.hand.len() as u16 - self.behind
    }

    /// Where reading would go on after so many of the records in hand.
    fn after(&self, records: u16) -> u16 {
        let last = records.checked_sub(1);
        last.map_or(self.first, |last| self.offset(last).next().0)
    }

    /// Gets the partition and reads from `position`, once it is done with what is in hand.
    pub fn take(&mut self, group: &GroupCoordinator, position: Position) {
        if self.phase == Phase::Handling {
            self.reassigned = Some(position);
            return;
        }
        self.phase = Phase::Polling;
        self.known_committed = group.committed.map(|committed| committed.next);
        self.assigned_at = position.next.0;
        self.crew.start_at(position.next.0);
        self.seek(position);
    }

    /// Gives the partition up: what belongs to it is forgotten, and workers go on with what they
    /// have begun, and with what was handed to them unless `drop_buffered`.
    pub fn give_up(&mut self, phase: Phase, drop_buffered: bool, pipeline: &Pipeline) {
        let before = std::mem::take(self);
        let mut crew = before.crew;
        crew.orphan(drop_buffered, pipeline.consumer.workers);
        *self = Consumer {
            phase,
            generation: before.generation,
            seen_epoch: before.seen_epoch,
            memory: before.memory,
            failed_commit: before.failed_commit,
            crew,
            ..Consumer::default()
        };
    }

    /// Whether its client stays with the metadata of a topic that is gone, and so reads nothing: each
    /// fetch is answered UNKNOWN_LEADER_EPOCH.
    pub fn is_misled(&self, broker: &Broker) -> bool {
        self.seen_epoch > broker.leader_epoch
    }

    /// Reads on at `position`.
    pub fn seek(&mut self, position: Position) {
        self.first = position.next.0;
        self.leader_epoch = position.leader_epoch;
    }

    /// A poll returns `count` records; none, where it only passes over what has no record.
    pub fn poll(&mut self, count: u16, pipeline: &Pipeline, broker: &Broker) {
        if count == 0 {
            self.seek(position::end(broker, pipeline));
            return;
        }
        let by_workers = pipeline.consumer.workers > 0;
        let from = self.first;
        let mut next = from;
        let visible = broker.visible_from(from, pipeline.isolation());
        for (offset, entry) in visible.take(usize::from(count)) {
            if by_workers {
                self.crew.hand_over(entry.record, offset, self.generation);
                self.first = offset.next().0;
            } else {
                self.hand.push(entry.record);
                let passed = next..offset.0;
                passed.for_each(|gap| self.passed |= 1 << (gap - from));
                next = offset.next().0;
            }
            self.leader_epoch = Some(entry.leader_epoch);
        }
        if !by_workers {
            self.phase = Phase::Handling;
        }
        if pipeline.consumer.auto_commit
            == (AutoCommit::Background {
                automatic_store: true,
            })
        {
            self.stored = Some(self.position());
        }
    }

    /// A poll returns a record of the retry topic.
    pub fn poll_retries(&mut self, record: u16) {
        self.hand.push(record);
        self.retrying = true;
        self.retry_position.poll();
        self.phase = Phase::Handling;
    }

    /// The offset of the record at `place` of the hand.
    pub fn offset(&self, place: u16) -> Offset {
        offset::in_hand(self.first, self.passed, place)
    }

    /// The places in the hand that an operation of this scope is about.
    pub fn places(&self, scope: Scope) -> Range<u16> {
        match scope {
            Scope::Record { .. } => self.cursor..self.cursor + 1,
            Scope::Poll => 0..self.hand.len() as u16,
        }
    }

    /// The operation is done: on to the next one, the next record, or the next poll.
    pub fn advance(&mut self, program: &Program) {
        self.looked = None;
        let operation = usize::from(self.operation);
        match program.operations[operation].scope {
            Scope::Record { first, last } if operation == last => {
                self.attempts = 0;
                if usize::from(self.cursor) + 1 < self.hand.len() {
                    self.cursor += 1;
                    self.operation = first as u16;
                    return;
                }
                self.cursor = 0;
            }
            Scope::Record { .. } => {}
            Scope::Poll => self.attempts = 0,
        }
        self.operation += 1;
        if usize::from(self.operation) == program.operations.len() {
            self.finish_hand();
        }
    }

    fn finish_hand(&mut self) {
        let position = self.reassigned.take().unwrap_or(self.position());
        self.drop_hand();
        self.seek(position);
    }

    /// Lets go of what it has in hand, and polls.
    pub fn drop_hand(&mut self) {
        self.hand.truncate(0);
        self.passed = 0;
        self.retrying = false;
        self.behind = 0;
        self.cursor = 0;
        self.operation = 0;
        self.skipped = 0;
        self.looked = None;
        self.phase = Phase::Polling;
    }

    /// The process dies.
    pub fn crash(&mut self) {
        *self = Consumer::default();
    }
}

/// The key in the dedup store of the record that was read at `offset`.
pub fn dedup_key(record: u16, offset: Offset, pipeline: &Pipeline) -> u16 {
    match pipeline.sink.dedup_key {
        DedupKey::Record => record,
        DedupKey::Offset => offset.0,
    }
}
