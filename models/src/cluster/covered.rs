//! What a commit covers where the topic has two partitions.
//!
//! A commit is one request, and the coordinator takes or refuses it as a whole, whatever it covers:
//! one record's partition, or with `commitSync()` without offsets every position of the consumer
//! (`SubscriptionState.allConsumed`), which is also what the Java client commits by itself
//! (`ConsumerCoordinator.maybeAutoCommitOffsetsAsync`). librdkafka commits by itself the partitions in
//! which something is stored above what it knows to be committed
//! (`rd_kafka_topic_partition_list_set_offsets`), also in one request.
//!
//! Beside a retry topic a commit covers the topic of the record in hand, or with `commitSync()` without
//! offsets both. Who has a retry topic has no second partition: the retry topic stands in its place.
//!
//! **Two commits that nobody waits for**, of different partitions, are on their way together here. They
//! are requests on one connection: that one of them is lost and the other is not is the run in which
//! the one is lost before the other is sent, and a connection that breaks takes both.

use super::{Cluster, State};
use crate::consumer::Consumer;
use crate::consumer::commits::{Owed, OwedCommit};
use crate::offset::{NextOffset, Position};
use crate::partitions::Covered;
use crate::pipeline::{AutoCommit, CommitCovers};
use crate::program::Scope;

impl State {
    /// The consumer as it is seen from the partition that it has nothing in hand of, if it has one.
    fn seen_from_there(&self, who: u16) -> Option<Consumer> {
        let reader = self.reader(who)?;
        let position = reader.position?;
        let mut consumer = self.consumers[usize::from(who)].clone();
        consumer.drop_hand();
        consumer.phase = self.consumers[usize::from(who)].phase;
        consumer.first = position.0;
        consumer.stored = reader.stored;
        consumer.known_committed = reader.known_committed;
        consumer.pending = reader.pending;
        Some(consumer)
    }

    /// What is committed in the partition of what is in hand, and in the other one.
    fn committed(&self, who: u16) -> Covered {
        let there = self.other.as_deref().and_then(|other| other.committed);
        self.by_hand(who, self.group.committed, there)
    }

    /// Something of the first and of the second partition, by what is in hand; or the reverse.
    fn by_hand(&self, who: u16, first: Option<Position>, second: Option<Position>) -> Covered {
        match self.has_other_in_hand(who) {
            true => Covered {
                here: second,
                there: first,
            },
            false => Covered {
                here: first,
                there: second,
            },
        }
    }

    pub(super) fn by_partition(&self, who: u16, covered: Covered) -> [Option<Position>; 2] {
        let Covered { here, there } = self.by_hand(who, covered.here, covered.there);
        [here, there]
    }

    /// Where the consumer reads next, by partition.
    pub fn positions(&self, who: u16) -> [Option<Position>; 2] {
        let there = self.reader(who).and_then(|reader| reader.position);
        let here = self.consumers[usize::from(who)].position();
        let covered = Covered {
            here: Some(here),
            there: there.map(Position::bare),
        };
        self.by_partition(who, covered)
    }

    pub(super) fn pending(&self, who: u16) -> Covered {
        Covered {
            here: self.consumers[usize::from(who)].pending,
            there: self.reader(who).and_then(|reader| reader.pending),
        }
    }

    pub(super) fn set_pending(&mut self, who: u16, pending: Covered) {
        self.consumers[usize::from(who)].pending = pending.here;
        if let Some(reader) = self.reader_mut(who) {
            reader.pending = pending.there;
        }
    }

    /// What was stored or sent under an assignment that is over goes with it.
    pub(super) fn forget_stored(&mut self, who: u16) {
        let consumer = &mut self.consumers[usize::from(who)];
        consumer.stored = None;
        consumer.pending = None;
        if let Some(reader) = self.reader_mut(who) {
            reader.stored = None;
            reader.pending = None;
        }
    }

    /// The client knows that this is committed.
    pub(super) fn is_known(&mut self, who: u16, covered: Covered) {
        let consumer = &mut self.consumers[usize::from(who)];
        let next = |position: Option<Position>| position.map(|position| position.next);
        consumer.known_committed = next(covered.here).or(consumer.known_committed);
        if let Some(reader) = self.reader_mut(who) {
            reader.known_committed = next(covered.there).or(reader.known_committed);
        }
    }

    /// The commit that nobody waits for, by partition.
    pub fn pending_commits(&self, who: u16) -> [Option<Position>; 2] {
        self.by_partition(who, self.pending(who))
    }

    /// librdkafka's offset store, by partition.
    pub fn stored_offsets(&self, who: u16) -> [Option<Position>; 2] {
        let stored = Covered {
            here: self.consumers[usize::from(who)].stored,
            there: self.reader(who).and_then(|reader| reader.stored),
        };
        self.by_partition(who, stored)
    }
}

impl Cluster {
    /// What a commit at this point of the order covers.
    pub(super) fn covered(
        &self,
        state: &State,
        who: u16,
        consumer: &Consumer,
        scope: Scope,
    ) -> Covered {
        if self.has_retries() {
            return self.covered_beside_retries(consumer, scope);
        }
        let position = state.reader(who).and_then(|reader| reader.position);
        let covers = self.pipeline.consumer.commit_covers;
        let here = || Some(consumer.covered(scope, &self.pipeline));
        let from = position.map(|next| next.0 - consumer.behind);
        // What the commit covers of the other partition when so many of its records are done.
        let done = |records: u16| {
            let last = match covers {
                CommitCovers::Last => records.checked_sub(1)?,
                CommitCovers::Next | CommitCovers::Contiguous | CommitCovers::Highest => records,
                CommitCovers::Position => consumer.behind,
            };
            Some(Position::bare(NextOffset(from? + last)))
        };
        let own = consumer.before_the_other();
        match (covers, scope) {
            (CommitCovers::Position, _) => Covered {
                here: here(),
                there: done(consumer.behind),
            },
            (_, Scope::Record { .. }) if consumer.cursor >= own => Covered {
                here: None,
                there: done(consumer.cursor - own + 1),
            },
            (_, Scope::Poll) if consumer.behind > 0 => Covered {
                here: here(),
                there: done(consumer.behind),
            },
            (_, Scope::Record { .. } | Scope::Poll) => Covered {
                here: here(),
                there: None,
            },
        }
    }

    /// The same beside a retry topic, which takes the place of the other partition.
    fn covered_beside_retries(&self, consumer: &Consumer, scope: Scope) -> Covered {
        let covers = self.pipeline.consumer.commit_covers;
        let (position, retrying) = (consumer.retry_position, consumer.retrying);
        let is_of_both = match covers {
            CommitCovers::Position => true,
            CommitCovers::Next
            | CommitCovers::Last
            | CommitCovers::Contiguous
            | CommitCovers::Highest => false,
        };
        let here = match retrying {
            false => Some(consumer.covered(scope, &self.pipeline)),
            true => is_of_both.then(|| consumer.position()),
        };
        let there = match retrying {
            true => Some(position.covered(covers)),
            false => is_of_both.then_some(position.next),
        };
        let there = there.map(|next| Position::bare(NextOffset(next)));
        Covered { here, there }
    }

    /// What the client would commit by itself now, if that is news to the coordinator.
    pub(super) fn automatic_commit(&self, state: &State, who: u16) -> Option<Covered> {
        let consumer = &state.consumers[usize::from(who)];
        let committed = state.committed(who);
        let here = consumer.automatic_commit(&self.pipeline, committed.here);
        let other = state.seen_from_there(who);
        let there = other
            .as_ref()
            .and_then(|other| other.automatic_commit(&self.pipeline, committed.there));
        here.or(there)?;
        Some(match self.pipeline.consumer.auto_commit {
            AutoCommit::AtPoll => Covered {
                here: Some(consumer.position()),
                there: other.map(|other| other.position()),
            },
            AutoCommit::Off | AutoCommit::Background { .. } => Covered { here, there },
        })
    }

    /// The commits that the consumer owes if it leaves now.
    pub(super) fn owes(&self, state: &State, who: u16, closing: bool) -> Owed {
        let (program, pipeline) = (&self.program, &self.pipeline);
        let committed = state.committed(who);
        let consumer = &state.consumers[usize::from(who)];
        let mut owed = consumer.owes(closing, committed.here, program, pipeline);
        if let Some(other) = state.seen_from_there(who) {
            let there = other.owes(closing, committed.there, program, pipeline);
            owed.automatic |= there.automatic;
        }
        owed
    }

    /// What the next owed commit covers.
    pub(super) fn covered_by_owed(&self, state: &State, who: u16) -> Covered {
        let (program, pipeline) = (&self.program, &self.pipeline);
        let consumer = &state.consumers[usize::from(who)];
        let there = match consumer.owed.next(pipeline.client) {
            Some(OwedCommit::Automatic) => state.seen_from_there(who),
            Some(OwedCommit::Saved | OwedCommit::Callback) | None => None,
        };
        Covered {
            here: consumer.covered_by_owed(program, pipeline),
            there: there.and_then(|other| other.covered_by_owed(program, pipeline)),
        }
    }

    /// What the commit covers that the application makes next and waits for, by partition.
    pub fn next_commit(&self, state: &State, who: u16) -> [Option<Position>; 2] {
        state.by_partition(who, self.due_commit(state, who).unwrap_or_default())
    }

    /// The next commit that is owed, by partition.
    pub fn owed_commit(&self, state: &State, who: u16) -> [Option<Position>; 2] {
        state.by_partition(who, self.covered_by_owed(state, who))
    }

    /// The coordinator takes a commit of these, by partition, or of the topic and its retry topic, that is not part of a transaction.
    pub(super) fn are_committed(&self, state: &mut State, positions: [Option<Position>; 2]) {
        let [first, second] = positions;
        if let Some(position) = first {
            self.is_committed(state, position);
        }
        let Some(position) = second else {
            return;
        };
        if let Some(other) = state.other.as_deref_mut() {
            other.committed = Some(position);
        } else {
            state.retries.committed = Some(position.next.0);
        }
    }
}
