//! Commits, told.

use super::partitions::offsets;
use super::{ConsumerScene, Scene, letter};
use semel_models::consumer::commits::OwedCommit;
use semel_models::consumer::{Call, Phase, Recovery};
use semel_models::order::Step;
use semel_models::pipeline::{Client, CommitCovers, OnCommitFailure};

impl Scene<'_> {
    /// The group coordinator moves, and with what was under way.
    pub(super) fn failover(&self, written: bool) -> String {
        let fate = match written {
            true => "written there before, and its answer is lost",
            false => "lost with the old one",
        };
        let mut told = String::from(
            "The group coordinator moves to another broker, which replays the group's log: generation and committed offset are as before.",
        );
        for who in 0..self.cluster.pipeline().group.instances {
            let (before, after) = (
                &self.before.consumers[usize::from(who)],
                &self.after.consumers[usize::from(who)],
            );
            let whose = match letter(self.cluster, who) {
                Some(letter) => format!(" of {letter}"),
                None => String::new(),
            };
            let sent = self.before.pending_commits(who);
            if sent != [None; 2] && self.after.pending_commits(who) == [None; 2] {
                let at = offsets(sent);
                told += &format!(" The commit{whose} of {at}, which was on its way, is {fate}.");
            } else if before != after {
                let scene = ConsumerScene { scene: *self, who };
                let leaves = before.owed.next(self.cluster.pipeline().client).is_some();
                let then = match leaves {
                    true => scene.after_leaving(),
                    false => self.after_failed_commit().into(),
                };
                told += &format!(" A commit{whose} is {fate}{then}.");
            }
        }
        told
    }
}

impl ConsumerScene<'_> {
    pub(super) fn commit_automatically(&self) -> String {
        format!(
            "enable.auto.commit: the client{} sends a commit of {} on its own.",
            self.of_whom(),
            offsets(self.scene.after.pending_commits(self.who))
        )
    }

    pub(super) fn commit_arrives(&self) -> String {
        let at = offsets(self.scene.before.pending_commits(self.who));
        let refused = if self.is_refused() {
            " and is refused: it is no longer a member"
        } else {
            ""
        };
        format!(
            "The commit of {at}{} reaches the group coordinator{refused}.",
            self.of_whom()
        )
    }

    /// That what the application's commit covers is committed now.
    pub(super) fn committed(&self) -> String {
        self.are_committed(self.cluster.next_commit(self.scene.before, self.who))
    }

    /// Whether the coordinator refuses commits of this consumer.
    fn is_refused(&self) -> bool {
        let current = self.scene.before.group.generation;
        self.cluster.pipeline().subscribes() && self.before().generation != current
    }

    /// The application's commit, if the coordinator refused it.
    pub(super) fn refused_commit(&self) -> Option<String> {
        let commits = self.operation().contains(Step::Commit) && self.after().call == Call::None;
        let unchanged = self.scene.after.group.committed == self.scene.before.group.committed;
        (commits && unchanged && self.is_refused()).then(|| self.refusal())
    }

    fn refusal(&self) -> String {
        let then = if self.after().phase == Phase::Handling {
            "it goes on all the same"
        } else {
            "it drops what it has in hand, and joins again"
        };
        format!(
            "{}commit: the coordinator refuses it, for the {} is no longer a member; {then}.",
            self.whose(),
            self.name()
        )
    }

    /// The client sends no commit while it joins.
    pub(super) fn unsent_commit(&self) -> Option<String> {
        let ignores = self.cluster.pipeline().consumer.on_commit_failure == OnCommitFailure::Ignore;
        let commits = self.operation().contains(Step::Commit) && ignores
            || self.operation().contains(Step::CommitAsync) && self.after().pending.is_none();
        (commits && self.is_joining()).then(|| {
            format!(
                "{}{}: the client is in the middle of a rebalance and sends no commit; the application goes on all the same.",
                self.whose(),
                self.operation().item
            )
        })
    }

    fn is_joining(&self) -> bool {
        let group = &self.scene.before.group;
        group.rebalance.is_some()
            && group.owner == Some(self.who)
            && self.before().phase == Phase::Handling
            && self.cluster.pipeline().client == Client::Java
    }

    pub(super) fn commit_done(&self) -> String {
        if self.before().phase == Phase::Polling && self.is_refused() {
            return self.refusal();
        }
        let covered = match self.cluster.pipeline().consumer.commit_covers {
            CommitCovers::Position => "all that it has polled",
            CommitCovers::Next
            | CommitCovers::Last
            | CommitCovers::Contiguous
            | CommitCovers::Highest => "what its workers have done",
        };
        match self.after().pending {
            Some(at) if self.before().pending != Some(at) => format!(
                "{}commit-async: a commit of offset {} for {covered} is on its way.",
                self.whose(),
                at.next.0
            ),
            Some(_) | None => {
                let at = self.scene.after.group.committed.map_or(0, |at| at.next.0);
                format!(
                    "{}commit: the loop commits {covered}; the group's committed offset is {at}.",
                    self.whose()
                )
            }
        }
    }

    pub(super) fn commit_saved(&self) -> String {
        let at = self.before().failed_commit.map_or(0, |at| at.next.0);
        if self.is_refused() {
            return self.refusal();
        }
        format!(
            "{}The commit of offset {at} that failed before is repeated: the group's committed offset is {at}.",
            self.whose()
        )
    }

    pub(super) fn commit_before_write(&self) -> String {
        if self.is_refused() && self.after().recovery != Recovery::Write {
            return self.refusal();
        }
        format!(
            "{}commit: {}, before the record that failed is written to the dead-letter topic.",
            self.whose(),
            self.committed()
        )
    }

    pub(super) fn leave(&self) -> String {
        let (cluster, before) = (self.cluster, self.before());
        if before.phase == Phase::Polling && before.owed.next(cluster.pipeline().client).is_none() {
            return self.complete_join();
        }
        let at = offsets(cluster.owed_commit(self.scene.before, self.who));
        let what = match before.owed.next(cluster.pipeline().client) {
            Some(OwedCommit::Automatic) => "enable.auto.commit: before it leaves, the client",
            Some(OwedCommit::Saved) => {
                "Before it leaves, the application repeats the commit that failed:"
            }
            Some(OwedCommit::Callback) => "In its rebalance callback, the application",
            None => "The client",
        };
        let commits = match before.owed.next(cluster.pipeline().client) {
            Some(OwedCommit::Saved) => at,
            Some(OwedCommit::Automatic | OwedCommit::Callback) | None => format!("commits {at}"),
        };
        format!("{}{what} {commits}{}.", self.whose(), self.after_leaving())
    }
}
