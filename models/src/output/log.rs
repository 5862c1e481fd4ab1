//! The log of the output topic, where faults can strike it, and how far its reader has come.

use super::client::Client;
use crate::broker::{Entry, Standing};
use crate::codec::Codec;
use crate::limbo::{Late, Limbo};
use crate::limits::{Limits, MAX_INSTANCES};
use crate::list::List;
use crate::pipeline::{Isolation, Pipeline};
use crate::replication::{Numbering, Replication};

/// The log of the output topic, its reader and the clients that write to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OutputLog {
    /// The replicas of the partition.
    pub replication: Box<Replication>,
    /// Each consumer's output producer.
    pub clients: [Client; MAX_INSTANCES],
    /// Requests that are late, of processes that are gone among them: those have a session of their own behind
    /// the clients', unless their producer id outlives the process.
    pub limbo: Limbo,
    /// How many entries the reader has passed.
    pub read: u16,
    /// The leader epoch of the last of them.
    pub read_epoch: u16,
    /// By transactional id, where the leader's log ended after a marker that waits for the in-sync
    /// replicas.
    pub replicating: List<Option<u16>, MAX_INSTANCES>,
}

/// What the reader of the output topic comes upon next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A marker, or a record that it is not given.
    Skipped,
    /// The result of a record.
    Result {
        /// The record.
        record: u16,
        /// The producer's session.
        session: u16,
        /// What has become of it.
        standing: Standing,
    },
}

impl OutputLog {
    /// An empty log, in which every replica is in sync. Where faults can strike brokers the controller has not
    /// made one the leader yet.
    pub fn of(pipeline: &Pipeline, sessions: u16) -> OutputLog {
        let mut replication = Replication::of(&pipeline.topic.replication);
        if pipeline.faults.strikes_brokers() {
            replication.controller.leader = None;
        }
        replication.known = None;
        let mut log = OutputLog {
            replication: Box::new(replication),
            replicating: List::of_len(sessions.into()),
            ..OutputLog::default()
        };
        for (session, client) in (0..).zip(&mut log.clients).take(sessions.into()) {
            *client = Client::fresh(session, pipeline);
        }
        log
    }

    /// What the reader comes upon next, if it can read on: where a leader is, up to the high watermark,
    /// and if it waits for transactions up to the last stable offset.
    pub fn next(&self, isolation: Isolation) -> Option<Next> {
        self.replication.controller.leader?;
        let view = self.replication.view();
        if self.read >= view.readable_end(isolation) {
            return None;
        }
        let entry = view.log[usize::from(self.read)];
        Some(match view.shows(self.read, isolation) {
            false => Next::Skipped,
            true => Next::Result {
                record: entry.record,
                session: entry.stamp.session,
                standing: view.standing(self.read),
            },
        })
    }

    /// The reader passes an entry.
    pub fn pass(&mut self) {
        let Some(leader) = self.replication.controller.leader else {
            return;
        };
        let log = &self.replication.replica(leader).broker.log;
        self.read_epoch = log[usize::from(self.read)].leader_epoch;
        self.read += 1;
    }

    /// The reader of a log that was cut goes back to where the leader epoch of its position ended
    /// (KIP-320).
    pub fn turn_back(&mut self) {
        let Some(leader) = self.replication.controller.leader else {
            return;
        };
        let broker = &self.replication.replica(leader).broker;
        self.read = self.read.min(broker.end_of_epoch(self.read_epoch));
        let last = usize::from(self.read).checked_sub(1);
        self.read_epoch = last.map_or(0, |last| broker.log[last].leader_epoch);
    }

    /// Whether the reader has not come to a result of the record that it may be given, or may be once
    /// a transaction has ended.
    pub fn holds(&self, record: u16, isolation: Isolation) -> bool {
        let view = self.replication.view();
        view.holds_from(record, self.read, isolation)
    }

    /// Gives each broker with a replica its number in `numbers`.
    pub fn renumber(&mut self, numbers: Numbering) {
        self.replication.renumber(numbers);
        for client in &mut self.clients {
            client.known = client.known.map(|who| numbers.of(who));
            for flight in client.producer.flights.iter_mut() {
                flight.to = numbers.of(flight.to);
            }
        }
        self.limbo.renumber(numbers);
    }

    /// The client that a late request is of; any, where its process is gone, or it says nothing of its client.
    pub fn client_of(&self, late: &Late) -> u16 {
        let session = late.stamp().map_or(0, |stamp| stamp.session);
        match usize::from(session) < self.clients.len() {
            true => session,
            false => 0,
        }
    }

    /// Whether a request of a session is late.
    pub fn awaits(&self, session: u16) -> bool {
        let own = |late: &Late| late.stamp().is_some_and(|stamp| stamp.session == session);
        self.limbo.requests.iter().any(own)
    }

    /// The producer id of a session is gone: nobody will send with it again. What is late of it keeps it in a
    /// session of its own, which is returned.
    pub fn end_session(&mut self, session: u16) -> Option<u16> {
        if !self.awaits(session) {
            self.forget_session(session);
            return None;
        }
        let mut free = MAX_INSTANCES as u16..;
        let own = free.find(|orphan| !self.awaits(*orphan))?;
        self.each_entry_of(session, &mut |entry| entry.stamp.session = own);
        self.limbo
            .each_stamp_of(session, |stamp| stamp.session = own);
        Some(own)
    }

    /// Sessions of processes that are gone, and of which nothing is late any more.
    pub fn forget_ended_sessions(&mut self, last: u16) {
        for session in MAX_INSTANCES as u16..=last {
            if !self.awaits(session) {
                self.forget_session(session);
            }
        }
    }

    fn forget_session(&mut self, session: u16) {
        self.each_entry_of(session, &mut Entry::forget);
    }

    /// What was written in epochs before `oldest` was written in the one before it, as far as anyone asks;
    /// the oldest epoch that is left.
    pub fn flatten_epochs(&mut self, session: u16, oldest: u16) -> u16 {
        let mut least = oldest;
        self.each_entry_of(session, &mut |entry| {
            if entry.stamp.epoch < oldest {
                entry.stamp.epoch = oldest - 1;
                entry.stamp.sequence = 0;
            }
            least = least.min(entry.stamp.epoch);
        });
        least
    }

    /// The number after the last that the leader's log has of a session in an epoch.
    pub fn next_number(&self, session: u16, epoch: u16) -> Option<u16> {
        let leader = self.replication.controller.leader?;
        let log = &self.replication.replica(leader).broker.log;
        let of_epoch = |entry: &&Entry| {
            let stamp = entry.stamp;
            entry.is_record() && (stamp.session, stamp.epoch) == (session, epoch)
        };
        let last = log.iter().rev().find(of_epoch)?;
        Some(last.stamp.sequence + 1)
    }

    /// Whether a replica has something that a session wrote before `epoch`.
    pub fn knows_epoch_before(&self, session: u16, epoch: u16) -> bool {
        let entries = self.replication.replicas.iter();
        let mut entries = entries.flat_map(|replica| replica.broker.log.iter());
        entries.any(|entry| {
            !entry.forgotten && entry.stamp.session == session && entry.stamp.epoch < epoch
        })
    }

    /// Every entry of a session that brokers know it by, in every replica.
    pub fn each_entry_of(&mut self, session: u16, visit: &mut impl FnMut(&mut Entry)) {
        for replica in &mut self.replication.replicas {
            let entries = replica.broker.log.iter_mut();
            let own = |entry: &&mut Entry| !entry.forgotten && entry.stamp.session == session;
            entries.filter(own).for_each(&mut *visit);
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.replication.code(codec, limits, pipeline);
        codec.field(&mut self.read, limits.log);
        codec.field(&mut self.read_epoch, limits.leader_epochs);
        for client in &mut self.clients[..usize::from(limits.instances)] {
            client.code(codec, limits, pipeline);
        }
        self.limbo.code(codec, limits, pipeline);
        if !limits.transactions {
            self.replicating.resize(limits.instances.into());
            return;
        }
        self.replicating
            .code_all(codec, limits.instances, |end, codec| {
                let mut value = end.map_or(0, |end| end + 1);
                codec.field(&mut value, limits.log + 1);
                *end = value.checked_sub(1);
            });
    }
}
