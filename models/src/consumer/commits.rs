//! What a consumer commits, and when: the order's commits, automatic ones, and those that it owes
//! when it gives the partition up.
//!
//! **Automatic commit.** Java: at a poll, what earlier polls returned, asynchronously; again
//! before the partition is given up and in `close()`, and there it waits for the answer
//! (`ConsumerCoordinator`, `CommitRequestManager`). librdkafka: from a background thread at any
//! time, what is in the offset store, if that is above the last offset that the client knows to be
//! committed (`rdkafka_offset.c`, `rd_kafka_topic_partition_list_set_offsets`); once more when the
//! partition is given up.
//!
//! **Leaving.** A consumer whose partition is revoked, or that closes, commits automatically, and
//! repeats a commit that failed before and commits what is done in the application's callback. Java
//! commits automatically before the callback, waits for the answer and repeats the commit while its
//! failure is retriable, so that no lost request loses it (`ConsumerCoordinator.onJoinPrepare`,
//! `close`). A cooperative consumer of Java does that when it joins, and polls on: what it is given
//! and handles until the partition is revoked is not committed by itself (`onJoinComplete`). As a
//! rebalance may begin at any time, it need not have committed anything. librdkafka commits what is stored when the partition is unassigned, after the callback
//! and whatever it knows to be committed; that one may be lost with its request
//! (`rd_kafka_assignment_serve_removals`). The application's own follow `on-commit-failure`.

use super::{Consumer, Phase};
use crate::codec::Codec;
use crate::offset::{NextOffset, Position};
use crate::pipeline::{
    AutoCommit, Client, CommitCovers, GroupProtocol, OnCommitFailure, OnRevoke, Pipeline,
};
use crate::program::{Program, Scope};

/// The commits that a consumer still owes before it has left, and why it leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owed {
    /// Whether the process closes, rather than gives the partition up in a rebalance.
    pub closing: bool,
    /// The automatic commit.
    pub automatic: bool,
    /// The repetition of one that failed.
    pub saved: bool,
    /// The one of the application's callback.
    pub callback: bool,
}

/// A commit that is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwedCommit {
    /// The automatic commit.
    Automatic,
    /// The repetition of one that failed.
    Saved,
    /// The one of the application's callback.
    Callback,
}

impl Owed {
    /// The commit that comes next.
    pub fn next(&self, client: Client) -> Option<OwedCommit> {
        let automatic = self.automatic.then_some(OwedCommit::Automatic);
        let saved = self.saved.then_some(OwedCommit::Saved);
        let own = saved.or(self.callback.then_some(OwedCommit::Callback));
        match client {
            Client::Java => automatic.or(own),
            Client::Librdkafka => own.or(automatic),
        }
    }

    /// Strikes the next commit off.
    pub fn done(&mut self, client: Client) {
        match self.next(client) {
            Some(OwedCommit::Automatic) => self.automatic = false,
            Some(OwedCommit::Saved) => self.saved = false,
            Some(OwedCommit::Callback) => self.callback = false,
            None => {}
        }
    }

    pub(super) fn code(&mut self, codec: &mut impl Codec) {
        codec.flag(&mut self.closing);
        codec.flag(&mut self.automatic);
        codec.flag(&mut self.saved);
        codec.flag(&mut self.callback);
    }
}

impl Consumer {
    /// What a commit at this point of the order covers.
    pub fn covered(&self, scope: Scope, pipeline: &Pipeline) -> Position {
        let last = match scope {
            Scope::Record { .. } => self.offset(self.cursor),
            Scope::Poll => self.offset(self.before_the_other() - 1),
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

    /// What the poll loop commits of its workers' work, if that is news.
    pub fn covered_by_crew(&self, pipeline: &Pipeline) -> Option<Position> {
        let crew = &self.crew;
        let position = match pipeline.consumer.commit_covers {
            CommitCovers::Next | CommitCovers::Contiguous => Position::bare(NextOffset(crew.done)),
            CommitCovers::Last => Position::bare(NextOffset(crew.done.saturating_sub(1))),
            CommitCovers::Highest => Position::bare(NextOffset(crew.highest())),
            CommitCovers::Position => self.position(),
        };
        let begun = position.next.0 > self.assigned_at;
        (self.phase == Phase::Polling && begun && position.next.0 != crew.committed)
            .then_some(position)
    }

    /// What the application's callback commits: what is done, if anything is.
    pub fn covered_by_callback(&self, program: &Program, pipeline: &Pipeline) -> Option<Position> {
        let done = if pipeline.consumer.workers > 0 {
            match pipeline.consumer.commit_covers {
                CommitCovers::Highest => self.crew.highest(),
                CommitCovers::Next
                | CommitCovers::Last
                | CommitCovers::Position
                | CommitCovers::Contiguous => self.crew.done,
            }
        } else {
            self.after(self.done_before_the_other(program))
        };
        match pipeline.consumer.commit_covers {
            CommitCovers::Position => Some(self.position()),
            CommitCovers::Next | CommitCovers::Contiguous | CommitCovers::Highest => {
                (done > self.assigned_at).then_some(Position::bare(NextOffset(done)))
            }
            CommitCovers::Last => {
                (done > self.assigned_at).then(|| Position::bare(NextOffset(done - 1)))
            }
        }
    }

    /// The lowest offset that it has not done with: in hand, in a worker's hands, or to be read.
    pub fn first_undone(&self, program: &Program) -> u16 {
        let tasks = self.crew.tasks.iter();
        let in_work = tasks.filter(|task| !task.done && !task.orphaned);
        let reads_from = self.reassigned.map_or(u16::MAX, |position| position.next.0);
        in_work
            .map(|task| task.offset)
            .min()
            .unwrap_or(self.after(self.done_before_the_other(program)))
            .min(reads_from)
    }

    fn done_before_the_other(&self, program: &Program) -> u16 {
        self.done_in_hand(program).min(self.before_the_other())
    }

    /// How many of the records in hand that come from the other partition are not done with.
    pub fn undone_behind(&self, program: &Program) -> u16 {
        let done = self.done_in_hand(program);
        (self.hand.len() as u16 - done).min(self.behind)
    }

    /// How many records at the beginning of the hand are done with.
    fn done_in_hand(&self, program: &Program) -> u16 {
        if self.hand.is_empty() || self.retrying {
            return 0;
        }
        let operation = usize::from(self.operation);
        let past_loop = program.operations[..operation]
            .iter()
            .any(|before| matches!(before.scope, Scope::Record { .. }));
        match program.operations[operation].scope {
            Scope::Record { .. } => self.cursor,
            Scope::Poll if past_loop => self.hand.len() as u16,
            Scope::Poll => 0,
        }
    }

    /// What an automatic commit would send now, if that is news to the coordinator.
    pub fn automatic_commit(
        &self,
        pipeline: &Pipeline,
        committed: Option<Position>,
    ) -> Option<Position> {
        if !self.reads() || self.phase == Phase::Leaving {
            return None;
        }
        match pipeline.consumer.auto_commit {
            AutoCommit::Off => None,
            AutoCommit::AtPoll if self.phase == Phase::Handling => None,
            AutoCommit::AtPoll => {
                // A leader epoch that the committed position has already is no news.
                let here = self.position();
                let last = self.pending.or(committed);
                let is_news = |last: Position| {
                    last.next != here.next || last.leader_epoch < here.leader_epoch
                };
                last.is_none_or(is_news).then_some(here)
            }
            // librdkafka commits a stored offset only above the last one that it knows of.
            AutoCommit::Background { .. } => {
                let last = self
                    .pending
                    .map(|pending| pending.next)
                    .max(self.known_committed);
                self.stored.filter(|stored| Some(stored.next) > last)
            }
        }
    }

    /// The commits that the consumer owes if it leaves now.
    pub fn owes(
        &self,
        closing: bool,
        committed: Option<Position>,
        program: &Program,
        pipeline: &Pipeline,
    ) -> Owed {
        let settings = &pipeline.consumer;
        let is_news = |position: &Position| self.pending.is_some() || committed != Some(*position);
        let polls_on = pipeline.client == Client::Java
            && pipeline.group.protocol == GroupProtocol::Cooperative
            && !closing;
        let automatic = self.last_automatic_commit(pipeline).filter(|_| !polls_on);
        let saved = settings.on_commit_failure == OnCommitFailure::RetrySaved
            && self.failed_commit.is_some();
        let calls_back = pipeline.subscribes() && settings.on_revoke == OnRevoke::Commit;
        let callback = self
            .covered_by_callback(program, pipeline)
            .filter(|_| calls_back);
        // One that changes nothing may still come after one that does.
        let differ = automatic.is_some() && callback.is_some() && automatic != callback;
        let moved = saved || differ;
        let owed = |position: Option<Position>| {
            position.is_some_and(|position| moved || is_news(&position))
        };
        Owed {
            closing,
            automatic: owed(automatic),
            saved,
            callback: owed(callback),
        }
    }

    /// The automatic commit before leaving.
    fn last_automatic_commit(&self, pipeline: &Pipeline) -> Option<Position> {
        match pipeline.consumer.auto_commit {
            AutoCommit::Off => None,
            AutoCommit::AtPoll => Some(self.position()),
            AutoCommit::Background { .. } => self.stored,
        }
    }

    /// What the next owed commit covers.
    pub fn covered_by_owed(&self, program: &Program, pipeline: &Pipeline) -> Option<Position> {
        match self.owed.next(pipeline.client)? {
            OwedCommit::Automatic => self.last_automatic_commit(pipeline),
            OwedCommit::Saved => self.failed_commit,
            OwedCommit::Callback => self.covered_by_callback(program, pipeline),
        }
    }
}
