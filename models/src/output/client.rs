//! A consumer's output producer where the log of the output topic can be struck: a whole client, as the
//! upstream has one, whose application waits for a result or looks at reports later.

use crate::broker::Stamp;
use crate::codec::Codec;
use crate::limits::Limits;
use crate::pipeline::{Acks, Client as Library, Pipeline};
use crate::producer::java::JavaSequences;
use crate::producer::librdkafka::LibrdkafkaSequences;
use crate::producer::{Answer, Flight, Producer, Sending};
use crate::replication::code_broker;

/// The client of an output producer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client {
    /// Accumulator, requests and sequence numbers. Of a result that is not outstanding
    /// [`Producer::sending`] says `Forgotten`.
    pub producer: Producer,
    /// The broker that it takes for the leader; `None`: it asks before it sends.
    pub known: Option<u16>,
    /// Whether the application waits for the result at hand.
    pub awaits: bool,
    /// Whether handling fails once that result has been reported.
    pub fails: bool,
    /// Whether the client raises its epoch before it begins another transaction (KIP-360).
    pub raises: bool,
    /// Whether it takes the partition for a part of its transaction, and will not add it again: kept where
    /// the coordinator may know better, for the epoch was raised within the transaction, or a late EndTxn ended it.
    pub registered: bool,
}

impl Client {
    /// The client of a process that has just started.
    pub fn fresh(session: u16, pipeline: &Pipeline) -> Client {
        let mut producer = Producer::of(pipeline.bounds.records);
        producer.session = session;
        for sending in producer.sending.iter_mut() {
            *sending = Sending::Forgotten;
        }
        Client {
            producer,
            ..Client::default()
        }
    }

    /// Whether anything is outstanding that the application has not been told of.
    pub fn is_sending(&self, acks: Acks) -> bool {
        let awaited = |flight: &Flight| acks != Acks::None && !flight.expired;
        !self.producer.queue.is_empty() || self.producer.flights.iter().any(awaited)
    }

    /// Whether it hears of the replicas by itself: a request of its waits for those in sync, or it is idle and has
    /// the leader to ask for, or to forget.
    pub fn hears_of_replicas(&self) -> bool {
        let Producer { queue, flights, .. } = &self.producer;
        let waits = |flight: &Flight| flight.answer == Answer::Replicating;
        let asks = self.known.is_some() || !queue.is_empty();
        flights.iter().any(waits) || flights.is_empty() && asks
    }

    /// The application aborts: what waits is dropped, and nobody asks for it any more. What was given up
    /// may be on the wire.
    pub fn drop_results(&mut self) {
        let producer = &mut self.producer;
        producer.queue.truncate(0);
        for index in (0..producer.flights.len()).rev() {
            if !producer.flights[index].expired {
                producer.flights.remove(index);
            }
        }
        for sending in producer.sending.iter_mut() {
            *sending = Sending::Forgotten;
        }
        (self.awaits, self.fails) = (false, false);
    }

    /// A client with nothing to send forgets who leads; one with nothing on the wire numbers its sends
    /// anew.
    pub fn rest(&mut self, acks: Acks) {
        if !self.is_sending(acks) {
            self.known = None;
        }
        let producer = &mut self.producer;
        if !producer.queue.is_empty() || !producer.flights.is_empty() {
            return;
        }
        let own = &mut producer.librdkafka;
        let before = own.base.checked_sub(1).unwrap_or(producer.created);
        producer.created -= before;
        own.base = own.base.min(1);
        own.acknowledged = own.acknowledged.saturating_sub(before);
    }

    /// Whether it is unlike the client of a process that has just started, whatever its epoch.
    pub fn is_used(&self) -> bool {
        let Producer {
            sending: _,
            queue,
            flights,
            session: _,
            created,
            java,
            librdkafka,
        } = &self.producer;
        let fresh_java = JavaSequences {
            epoch: java.epoch,
            ..JavaSequences::default()
        };
        let fresh_librdkafka = LibrdkafkaSequences {
            epoch: librdkafka.epoch,
            ..LibrdkafkaSequences::default()
        };
        self.awaits
            || self.raises
            || self.registered
            || !queue.is_empty()
            || !flights.is_empty()
            || *created > 0
            || *java != fresh_java
            || *librdkafka != fresh_librdkafka
    }

    /// Only one library's numbers are in use.
    pub fn forget_other_library(&mut self, library: Library) {
        match library {
            Library::Java => self.producer.librdkafka.epoch = 0,
            Library::Librdkafka => self.producer.java.epoch = 0,
        }
    }

    /// The oldest epoch that it has written down; `own`: its own counts, too.
    pub fn oldest_epoch(&self, library: Library, own: bool) -> u16 {
        let used = match library {
            Library::Java => self.producer.java.epoch,
            Library::Librdkafka => self.producer.librdkafka.epoch,
        };
        let epochs = self.stamps().map(|stamp| stamp.epoch);
        epochs.chain(own.then_some(used)).min().unwrap_or(u16::MAX)
    }

    /// What its requests carry, those that are to be sent among them.
    pub fn stamps(&self) -> impl Iterator<Item = Stamp> {
        let waiting = self.producer.queue.iter().filter_map(|batch| batch.stamp);
        let flights = self.producer.flights.iter();
        let flights = flights.flat_map(|flight| flight.batch.stamp.into_iter().chain(flight.wire));
        waiting.chain(flights)
    }

    /// Every epoch that it has written down, its own included.
    pub fn each_epoch(&mut self, visit: &mut impl FnMut(&mut u16)) {
        let Producer {
            sending: _,
            queue,
            flights,
            session: _,
            created: _,
            java,
            librdkafka,
        } = &mut self.producer;
        visit(&mut java.epoch);
        visit(&mut librdkafka.epoch);
        for batch in queue.iter_mut() {
            batch.stamp.iter_mut().for_each(|own| visit(&mut own.epoch));
        }
        for flight in flights.iter_mut() {
            let stamps = flight.batch.stamp.iter_mut().chain(&mut flight.wire);
            stamps.for_each(|own| visit(&mut own.epoch));
        }
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.producer.code(codec, limits, pipeline);
        code_broker(&mut self.known, codec, limits.replicas);
        codec.flag(&mut self.awaits);
        codec.flag(&mut self.fails);
        codec.flag_if(limits.transactions, &mut self.raises);
        codec.flag_if(limits.registers, &mut self.registered);
    }
}
