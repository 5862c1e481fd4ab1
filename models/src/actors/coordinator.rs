//! The group coordinator as an actor.

use super::Setting;
use super::message::{Blow, CommitKind, CommitReply, Message, Role, Wire};
use super::node::{Behave, Mail};
use crate::group_coordinator::GroupCoordinator;
use crate::limbo::Late;
use crate::offset::Position;

/// Whether a member that joins gets a new generation. Generations are only compared, and only by
/// commits: one in which none was sent need not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Renewal {
    /// Nothing carries the old one: it may stay.
    #[default]
    Keep,
    /// A commit was sent in it, or the member was put out of it.
    Renew,
}

/// The coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) group: GroupCoordinator,
    /// What strikes the next commits.
    armed: Vec<Wire>,
}

impl Behave for State {
    fn receive(&mut self, setting: &Setting, message: Message, mail: &mut Mail) {
        match message {
            Message::Strike(Blow::Commit(wire)) => self.armed.push(wire),
            Message::Join(life, renewal) => {
                if renewal == Renewal::Renew && setting.pipeline.subscribes() {
                    self.group.generation += 1;
                }
                let GroupCoordinator {
                    generation,
                    committed,
                    ..
                } = self.group;
                let joined = Message::Joined(life, generation, committed);
                mail.push((Role::Consumer, joined));
            }
            Message::Commit(life, kind, position, generation) => {
                let reply = self.meet(setting, position, generation, mail);
                let reply = match (kind, reply) {
                    // Nobody waits, so nobody tells why there is no answer.
                    (CommitKind::Background, CommitReply::AnswerLost) => CommitReply::Failed,
                    (_, reply) => reply,
                };
                mail.push((Role::Consumer, Message::Committed(life, kind, reply)));
            }
            Message::Late(Late::Commit {
                position,
                generation,
                ..
            }) => {
                self.commit(setting, position.unwrap_or_default(), generation);
            }
            _ => unreachable!("{message:?} is not for the coordinator"),
        }
    }
}

impl State {
    /// A commit arrives: it is handled, unless a fault strikes it.
    fn meet(
        &mut self,
        setting: &Setting,
        position: Position,
        generation: u16,
        mail: &mut Mail,
    ) -> CommitReply {
        let wire = (!self.armed.is_empty()).then(|| self.armed.remove(0));
        match wire {
            Some(Wire::LoseRequest | Wire::Refuse) => CommitReply::Failed,
            Some(Wire::Delay) => {
                let late = Late::Commit {
                    position: Some(position),
                    second: None,
                    generation,
                };
                mail.push((Role::Nemesis, Message::Delayed(late)));
                CommitReply::Failed
            }
            Some(Wire::LoseAnswer) => {
                self.commit(setting, position, generation);
                CommitReply::AnswerLost
            }
            None if self.commit(setting, position, generation) => CommitReply::Taken,
            None => CommitReply::Fenced,
        }
    }

    /// Without a group there is no member to fence.
    fn commit(&mut self, setting: &Setting, position: Position, generation: u16) -> bool {
        if setting.pipeline.subscribes() {
            return self.group.commit(position, generation);
        }
        self.group.committed = Some(position);
        true
    }
}
