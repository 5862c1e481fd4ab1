//! The consumer: its process, its position in the log, and where its application stands in the
//! order.
//!
//! **Modelled.** Joining: the offset saved in the sink's database if the consumer seeks to it, else
//! the committed offset, else `auto.offset.reset`. A poll returns any non-empty beginning of what
//! is there (librdkafka: one record). A position that carries a leader epoch notices a truncation
//! and goes back to where its epoch ended; one without is valid again as soon as the log has grown
//! over it; beyond the log's end the reset policy decides (KIP-320; `SubscriptionState`,
//! `rdkafka_offset.c`). With the policy `none` the process ends, and starts again in vain until
//! the position is valid. Commits of an explicit offset carry no leader epoch, as in
//! `new OffsetAndMetadata(offset + 1)`; commits of the position and of stored offsets do.
//!
//! **Automatic commit.** Java: at a poll, what earlier polls returned, asynchronously
//! (`ConsumerCoordinator`). librdkafka: from a background thread at any time, what is in the offset
//! store, if that is above the last offset that the client knows to be committed
//! (`rdkafka_offset.c`, `rd_kafka_topic_partition_list_set_offsets`).
//!
//! **Left out.** Records that are fetched ahead: a record that the client fetched before a poll
//! returns it is handled as one that the poll fetched, for nothing else looks at the client's
//! buffer. Heartbeats, and fetches that are lost: they are repeated, and nothing depends on when.

use crate::bounded::List;
use crate::broker::Broker;
use crate::codec::Codec;
use crate::group_coordinator::GroupCoordinator;
use crate::limits::{Limits, MAX_RECORDS};
use crate::offset::{self, NextOffset, Offset, Position};
use crate::pipeline::{AutoCommit, Client, CommitCovers, Dedup, DedupKey, OffsetReset, Pipeline};
use crate::program::{Program, Scope};
use crate::sink::{self, Sink};
use std::ops::Range;

/// What the consumer's process is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not running, or not yet a member of the group.
    #[default]
    Down,
    /// Between two polls.
    Polling,
    /// The application has records in hand.
    Handling,
}

impl Phase {
    const ALL: [Phase; 3] = [Phase::Down, Phase::Polling, Phase::Handling];
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

/// The consumer's process; everything in it is lost in a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Consumer {
    /// What it is doing.
    pub phase: Phase,
    /// The generation that it joined.
    pub generation: u8,
    /// The offset of the first record in hand; with nothing in hand, where the next poll reads.
    pub first: u8,
    /// The leader epoch that the position after what is in hand carries.
    pub leader_epoch: Option<u8>,
    /// The records in hand.
    pub hand: List<u8, MAX_RECORDS>,
    /// Which of them is being handled.
    pub cursor: u8,
    /// The next operation of the order.
    pub operation: u8,
    /// Which of them are skipped, as a set of places in the hand.
    pub skipped: u32,
    /// The dedup store in memory.
    pub remembered: u32,
    /// librdkafka's offset store.
    pub stored: Option<Position>,
    /// The commit that is on its way without anyone waiting for it.
    pub pending: Option<Position>,
    /// With a background commit: the offset that this client knows to be committed.
    pub known_committed: Option<NextOffset>,
    /// How far the commit that the application waits for has come; always [`Call::None`] where a
    /// call is one step.
    pub call: Call,
}

/// Where a consumer would read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// At this valid position.
    At(Position),
    /// Nowhere: the position is invalid and the policy is `none`.
    Nowhere,
}

impl Consumer {
    /// A member positioned at the log's start.
    pub fn joined() -> Consumer {
        Consumer {
            phase: Phase::Polling,
            leader_epoch: Some(0),
            ..Consumer::default()
        }
    }

    /// The position after what is in hand: where the next poll reads.
    pub fn position(&self) -> Position {
        Position {
            next: NextOffset(self.first + self.hand.len() as u8),
            leader_epoch: self.leader_epoch,
        }
    }

    /// Where a consumer that starts now would read.
    pub fn starting_point(
        pipeline: &Pipeline,
        broker: &Broker,
        group: &GroupCoordinator,
        sink: &Sink,
    ) -> Location {
        let saved = sink.saved.filter(|_| pipeline.consumer.seek_on_assign);
        match saved.map(Position::bare).or(group.committed) {
            Some(position) => locate(position, pipeline, broker),
            None => reset(pipeline, broker),
        }
    }

    /// Where the next poll reads, if the position is no longer valid; `None` if it is.
    pub fn relocation(&self, pipeline: &Pipeline, broker: &Broker) -> Option<Location> {
        let here = self.position();
        let there = locate(here, pipeline, broker);
        (there != Location::At(here)).then_some(there)
    }

    /// Becomes a member of `group`'s current generation that reads from `position`.
    pub fn join(&mut self, group: &GroupCoordinator, position: Position) {
        self.phase = Phase::Polling;
        self.generation = group.generation;
        self.known_committed = group.committed.map(|committed| committed.next);
        self.seek(position);
    }

    /// Reads on at `position`.
    pub fn seek(&mut self, position: Position) {
        self.first = position.next.0;
        self.leader_epoch = position.leader_epoch;
    }

    /// A poll returns `count` records.
    pub fn poll(&mut self, count: u8, pipeline: &Pipeline, broker: &Broker) {
        let first = usize::from(self.first);
        for entry in &broker.log[first..first + usize::from(count)] {
            self.hand.push(entry.record);
            self.leader_epoch = Some(entry.leader_epoch);
        }
        self.phase = Phase::Handling;
        if pipeline.consumer.auto_commit
            == (AutoCommit::Background {
                automatic_store: true,
            })
        {
            self.stored = Some(self.position());
        }
    }

    /// The offset of the record at `place` of the hand.
    pub fn offset(&self, place: u8) -> Offset {
        Offset(self.first + place)
    }

    /// The key of the record at `place` of the hand in the dedup store.
    pub fn dedup_key(&self, place: u8, pipeline: &Pipeline) -> u32 {
        match pipeline.sink.dedup_key {
            DedupKey::Record => 1 << self.hand[usize::from(place)],
            DedupKey::Offset => 1 << self.offset(place).0,
        }
    }

    /// The places in the hand that an operation of this scope is about.
    pub fn places(&self, scope: Scope) -> Range<u8> {
        match scope {
            Scope::Record { .. } => self.cursor..self.cursor + 1,
            Scope::Poll => 0..self.hand.len() as u8,
        }
    }

    /// What a commit at this point of the order covers.
    pub fn covered(&self, scope: Scope, pipeline: &Pipeline) -> Position {
        let last = match scope {
            Scope::Record { .. } => self.offset(self.cursor),
            Scope::Poll => self.offset(self.hand.len() as u8 - 1),
        };
        match pipeline.consumer.commit_covers {
            CommitCovers::Next | CommitCovers::Contiguous | CommitCovers::Highest => {
                Position::bare(last.next())
            }
            CommitCovers::Last => Position::bare(NextOffset(last.0)),
            CommitCovers::Position => self.position(),
        }
    }

    /// What librdkafka's offset store gets at this point of the order.
    pub fn storable(&self, scope: Scope) -> Position {
        match scope {
            Scope::Record { .. } => Position {
                next: self.offset(self.cursor).next(),
                leader_epoch: self.leader_epoch,
            },
            Scope::Poll => self.position(),
        }
    }

    /// What an automatic commit would send now, if that is news to the coordinator.
    pub fn automatic_commit(
        &self,
        pipeline: &Pipeline,
        group: &GroupCoordinator,
    ) -> Option<Position> {
        match (pipeline.consumer.auto_commit, self.phase) {
            (AutoCommit::Off, _) | (_, Phase::Down) | (AutoCommit::AtPoll, Phase::Handling) => None,
            (AutoCommit::AtPoll, Phase::Polling) => {
                let here = self.position();
                (self.pending.or(group.committed) != Some(here)).then_some(here)
            }
            // librdkafka commits a stored offset only above the last one that it knows of.
            (AutoCommit::Background { .. }, Phase::Polling | Phase::Handling) => {
                let last = self
                    .pending
                    .map(|pending| pending.next)
                    .max(self.known_committed);
                self.stored.filter(|stored| Some(stored.next) > last)
            }
        }
    }

    /// The operation is done: on to the next one, the next record, or the next poll.
    pub fn advance(&mut self, program: &Program) {
        let operation = usize::from(self.operation);
        match program.operations[operation].scope {
            Scope::Record { first, last } if operation == last => {
                if usize::from(self.cursor) + 1 < self.hand.len() {
                    self.cursor += 1;
                    self.operation = first as u8;
                    return;
                }
                self.cursor = 0;
            }
            Scope::Record { .. } | Scope::Poll => {}
        }
        self.operation += 1;
        if usize::from(self.operation) == program.operations.len() {
            let position = self.position();
            self.hand.truncate(0);
            self.seek(position);
            self.operation = 0;
            self.skipped = 0;
            self.phase = Phase::Polling;
        }
    }

    /// The process dies.
    pub fn crash(&mut self) {
        *self = Consumer::default();
    }

    /// Visits how far a call has come.
    pub fn code_call(&mut self, codec: &mut impl Codec) {
        let mut call = self.call as u8;
        codec.field(&mut call, Call::ALL.len() as u8 - 1);
        self.call = Call::ALL[usize::from(call)];
    }

    /// Visits the other fields. Without truncation the records in hand are those of the log.
    pub fn code(
        &mut self,
        codec: &mut impl Codec,
        limits: &Limits,
        pipeline: &Pipeline,
        broker: &Broker,
    ) {
        let mut phase = self.phase as u8;
        codec.field(&mut phase, Phase::ALL.len() as u8 - 1);
        self.phase = Phase::ALL[usize::from(phase)];
        codec.field(&mut self.generation, limits.generations);
        codec.field(&mut self.first, limits.log);
        offset::code_leader_epoch(&mut self.leader_epoch, codec, limits);
        let mut held = self.hand.len() as u8;
        codec.field(&mut held, limits.poll);
        self.hand.resize(usize::from(held));
        for place in 0..codec.places(self.hand.len(), limits.poll) {
            let mut record = self.hand.get(place).copied().unwrap_or_default();
            if limits.truncation {
                codec.field(&mut record, limits.records - 1);
            } else if let Some(entry) = broker.log.get(usize::from(self.first) + place) {
                record = entry.record;
            }
            if let Some(slot) = self.hand.get_mut(place) {
                *slot = record;
            }
        }
        codec.field(&mut self.cursor, limits.poll - 1);
        codec.field(&mut self.operation, limits.operations - 1);
        if limits.skips {
            codec.set(&mut self.skipped, limits.poll);
        }
        if limits.remembers && pipeline.sink.dedup == Dedup::Memory {
            codec.set(&mut self.remembered, sink::dedup_keys(limits, pipeline));
        }
        if limits.stores {
            offset::code_optional(&mut self.stored, codec, limits);
            let mut known = self.known_committed.map_or(0, |known| known.0 + 1);
            codec.field(&mut known, limits.log + 1);
            self.known_committed = known.checked_sub(1).map(NextOffset);
        }
        if limits.background_commits {
            offset::code_optional(&mut self.pending, codec, limits);
        }
    }
}

/// Where reading goes on from `position`.
fn locate(position: Position, pipeline: &Pipeline, broker: &Broker) -> Location {
    if position.next.0 < broker.log_start() {
        return reset(pipeline, broker);
    }
    let epoch = position.leader_epoch;
    if let Some(epoch) = epoch.filter(|_| pipeline.rules.truncation_noticed) {
        let end = broker.end_of_epoch(epoch);
        if position.next.0 > end {
            return match pipeline.consumer.offset_reset {
                OffsetReset::Earliest | OffsetReset::Latest => Location::At(Position {
                    next: NextOffset(end),
                    leader_epoch: Some(epoch_before(end, broker)),
                }),
                OffsetReset::None => Location::Nowhere,
            };
        }
    }
    if position.next.0 > broker.log_end() {
        reset(pipeline, broker)
    } else {
        Location::At(position)
    }
}

/// Where `auto.offset.reset` leads.
fn reset(pipeline: &Pipeline, broker: &Broker) -> Location {
    let next = match pipeline.consumer.offset_reset {
        OffsetReset::Earliest => broker.log_start(),
        OffsetReset::Latest => broker.log_end(),
        OffsetReset::None => return Location::Nowhere,
    };
    // The Java client's position after a reset carries no leader epoch
    // (`OffsetFetcherUtils.resetPositionIfNeeded`).
    let leader_epoch = match pipeline.client {
        Client::Java => None,
        Client::Librdkafka => Some(epoch_before(next, broker)),
    };
    Location::At(Position {
        next: NextOffset(next),
        leader_epoch,
    })
}

fn epoch_before(next: u8, broker: &Broker) -> u8 {
    let before = usize::from(next).checked_sub(1);
    before
        .and_then(|offset| broker.log.get(offset))
        .map_or(0, |entry| entry.leader_epoch)
}
