//! The consumer's commits, and what it hears of them.

use super::{State, Waits};
use crate::actors::Setting;
use crate::actors::coordinator::Renewal;
use crate::actors::message::{CommitKind, CommitReply, Message, Role};
use crate::actors::node::Mail;
use crate::consumer::Consumer;
use crate::offset::Position;
use crate::pipeline::OnCommitFailure;

impl State {
    /// What the client would commit on its own now. Java's does so again and again, whatever it
    /// has heard: nobody tells it what the coordinator has.
    pub(super) fn automatic_commit(&self, setting: &Setting) -> Option<Position> {
        let known = Consumer {
            pending: self.process.pending.or(self.in_flight),
            ..self.process.clone()
        };
        let due = known.automatic_commit(&setting.pipeline, None);
        due.map(|position| Position::bare(position.next))
    }

    pub(super) fn commit(&mut self, kind: CommitKind, position: Position, mail: &mut Mail) {
        self.renewal = Renewal::Renew;
        let generation = self.process.generation;
        let bare = Position::bare(position.next);
        let commit = Message::Commit(self.life, kind, bare, generation);
        mail.push((Role::Coordinator, commit));
    }

    /// The answer to a commit, or the lack of one, reaches the client.
    pub(super) fn committed(&mut self, setting: &Setting, kind: CommitKind, reply: CommitReply) {
        if kind == CommitKind::Background {
            let sent = self.in_flight.take();
            if reply == CommitReply::Taken {
                self.process.known_committed = sent.map(|sent| sent.next);
            }
            return;
        }
        let Waits::Commit(position) = std::mem::take(&mut self.waits) else {
            return;
        };
        match reply {
            CommitReply::Taken => {
                self.process.known_committed = Some(position.next);
                // What was handed to the client before came before it.
                self.process.pending = None;
            }
            CommitReply::AnswerLost => self.process.pending = None,
            CommitReply::Failed | CommitReply::Fenced => {}
        }
        match kind {
            CommitKind::Saved => self.saved_again(setting, reply),
            CommitKind::Waiting | CommitKind::Background => self.go_on(setting, position, reply),
        }
    }

    /// The repetition of a commit that failed is over; what fails again is kept.
    fn saved_again(&mut self, setting: &Setting, reply: CommitReply) {
        match reply {
            CommitReply::Taken => self.process.failed_commit = None,
            CommitReply::Fenced => self.lose(setting),
            CommitReply::Failed | CommitReply::AnswerLost => {}
        }
    }

    /// The commit of the application's order is over.
    fn go_on(&mut self, setting: &Setting, position: Position, reply: CommitReply) {
        let on_failure = setting.pipeline.consumer.on_commit_failure;
        match (reply, on_failure) {
            (CommitReply::Taken, _) | (_, OnCommitFailure::Ignore) => {}
            (CommitReply::Fenced, _) => return self.lose(setting),
            (_, OnCommitFailure::RetryLatest) => return,
            (_, OnCommitFailure::RetrySaved) => self.process.failed_commit = Some(position),
        }
        self.process.advance(&setting.program);
    }
}
