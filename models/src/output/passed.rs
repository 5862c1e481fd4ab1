//! A reduction: what the reader of the output topic has passed, and nobody asks for any more, is forgotten.
//!
//! **Condition.** The leader stays one, for no fault of brokers is left, and every replica has what it has: so
//! no reader ever goes back, and nothing is cut off. What lies below the reader's position then tells the
//! leader only which numbers it takes of whom: of each producer id, the newest epoch that it knows, whether a
//! transaction of it is open, and the batches that a request can still repeat. The rest is removed, what is
//! left has no identity, and lies in the order of the producer ids.
//!
//! **Batches that are kept.** The last of each producer id; the last one of an older epoch, which tells that
//! there was one; and from the oldest on whose number a request may still carry: in the client, on the wire
//! or late. Of these the leader remembers as many as before, for all that are newer are kept, too.
//!
//! A record whose transaction has ended is one outside of any transaction to whoever comes later; the marker
//! that ended it is needed where it is all that tells of a newer epoch.

use super::client::Client;
use super::log::OutputLog;
use crate::broker::{Entry, EntryKind, Stamp, Standing};
use crate::limbo::Late;
use crate::replication::Status;

impl OutputLog {
    /// Whether each of its replicas, so many, is in sync, has what the reader has passed, and was never started
    /// anew.
    pub fn is_passed_everywhere(&self, replicas: u16) -> bool {
        let controller = &self.replication.controller;
        let Some(own) = self.replication.leading() else {
            return false;
        };
        let read = usize::from(self.read);
        let passed = own.log.get(..read);
        let is_like_it = |who: u16| {
            let replica = self.replication.replica(who);
            let broker = &replica.broker;
            replica.status == Status::Up
                && controller.in_sync.contains(who)
                && !self.replication.is_behind(who)
                && broker.log.get(..read) == passed
                && (broker.recovered, broker.log_start) == (0, 0)
        };
        (0..replicas).all(is_like_it)
    }

    /// Forgets what the reader has passed and nobody asks for any more, in each of the replicas; whether there
    /// was anything.
    pub fn forget_passed(&mut self, replicas: u16) -> bool {
        let Some(leader) = self.replication.controller.leader else {
            return false;
        };
        let read = usize::from(self.read);
        for place in 0..read {
            if let Standing::Ended(_) = self
                .replication
                .replica(leader)
                .broker
                .standing(place as u16)
            {
                self.each_at(place, replicas, |entry| entry.kind = EntryKind::Plain);
            }
        }
        for place in (0..read).rev() {
            match self.is_asked_for(leader, place) {
                true => self.each_at(place, replicas, |entry| {
                    (entry.record, entry.leader_epoch) = (0, 0);
                }),
                false => self.remove(place, replicas),
            }
        }
        for who in 0..replicas {
            let log = &mut self.replication.replica_mut(who).broker.log;
            log[..usize::from(self.read)].sort_by_key(|entry| entry.stamp.session);
        }
        usize::from(self.read) < read
    }

    /// Whether what lies at a place below the reader's position decides about a request that may come.
    fn is_asked_for(&self, leader: u16, place: usize) -> bool {
        let log = &self.replication.replica(leader).broker.log;
        let Entry {
            stamp, forgotten, ..
        } = log[place];
        if forgotten {
            return false;
        }
        let own = |entry: &&Entry| !entry.forgotten && entry.stamp.session == stamp.session;
        let newest = log[place + 1..].iter().rfind(own);
        if log[place].is_marker() {
            let last = log[..place].iter().rfind(own);
            return newest.is_none() && last.is_none_or(|last| last.stamp.epoch < stamp.epoch);
        }
        let mut records = log[place + 1..]
            .iter()
            .filter(own)
            .filter(|entry| entry.is_record());
        let Some(next) = records.next() else {
            return true;
        };
        let is_last_of_older = next.stamp.epoch > stamp.epoch
            && records.all(|later| later.stamp.epoch == next.stamp.epoch);
        is_last_of_older || self.may_repeat(stamp)
    }

    /// Whether a request may carry a number of this epoch that is not newer.
    fn may_repeat(&self, stamp: Stamp) -> bool {
        let is_older = |own: Stamp| {
            (own.session, own.epoch) == (stamp.session, stamp.epoch)
                && own.sequence <= stamp.sequence
        };
        let waiting = self.clients.iter().flat_map(Client::stamps);
        let late = self.limbo.requests.iter().filter_map(Late::stamp);
        waiting.chain(late).any(is_older)
    }

    fn each_at(&mut self, place: usize, replicas: u16, mut visit: impl FnMut(&mut Entry)) {
        for who in 0..replicas {
            visit(&mut self.replication.replica_mut(who).broker.log[place]);
        }
    }

    /// Takes an entry out of every replica. Offsets behind it are one less.
    fn remove(&mut self, place: usize, replicas: u16) {
        let lower = |offset: &mut u16| *offset -= u16::from(usize::from(*offset) > place);
        for who in 0..replicas {
            let replica = self.replication.replica_mut(who);
            replica.broker.log.remove(place);
            lower(&mut replica.broker.flushed);
            lower(&mut replica.known_end);
            lower(&mut replica.high_watermark);
        }
        lower(&mut self.replication.visible);
        lower(&mut self.read);
        self.replicating.iter_mut().flatten().for_each(lower);
        for client in &mut self.clients {
            let flights = client.producer.flights.iter_mut();
            flights.for_each(|flight| lower(&mut flight.offset));
        }
    }
}
