//! A second partition of the topic, from the start or added while the pipeline runs.
//!
//! **Modelled.** Each partition has a log, offsets and a committed offset of its own, and the producer a
//! queue, a connection and sequence numbers for it (`RecordAccumulator`, `TxnPartitionMap`). The hash of
//! a key is taken modulo the number of partitions (`BuiltInPartitioner.partitionForKey`), so which key
//! goes where is open. A record's partition is decided when it is sent; its retries stay there.
//!
//! **From the start.** Where a key goes turns out when its first record is sent, and stays so. The
//! partition of the first record of all is called the first: nothing tells the two apart before, and
//! every fault may strike either, so exchanging them changes nothing. The producer and the consumers
//! know both from the start; a consumer that is alone is assigned both, and two share them
//! (`cluster/sharing.rs`).
//!
//! **Added.** The producer learns of it with new metadata, at any time (`metadata.max.age.ms`;
//! librdkafka: `topic.metadata.refresh.interval.ms`). From then on some keys are sent there, and every
//! choice is explored but the one in which none does; what was sent before stays where it is. A producer
//! that starts again knows the partition. The consumer discovers it later, also at any time, and is
//! assigned it: by a rebalance in which an eager one gives everything up and reads both positions anew,
//! and otherwise in addition to what it has (`ConsumerCoordinator.rejoinNeededOrPending`,
//! `rd_kafka_cgrp_metadata_update_check`, KIP-848). There is no committed offset for it, so
//! `auto.offset.reset` says where it begins: `latest` at the end of what is there by then
//! (`ConsumerConfig.AUTO_OFFSET_RESET_DOC`, KIP-842, KIP-1327), `none` ends the process. A consumer that
//! joins anew is assigned both.
//!
//! **What a poll returns.** One of Java's may return records of both, up to `max.poll.records` together,
//! and those of a partition follow one another (`FetchCollector.collectFetch`, `ConsumerRecords`). So it
//! is modelled where a commit covers more than what is done: a bare commit, and the client's own
//! ([`polls_both`]). Elsewhere a poll returns records of one partition: that is like a poll of the one
//! and then of the other, but for what the application does once a poll. A death before that repeats
//! or loses the records of both, where here it takes two polls' worth of deaths, or one that does it to
//! the records of one. A guarantee is about one record or one key's, and a key's records may be in
//! either order here as well; only how many records a run loses may be more. librdkafka returns one
//! record a poll.
//!
//! **Faults of one partition** strike either: late requests, delivery timeouts, retention, the expiry of a
//! producer id, which each leader keeps for itself (`ProducerStateManager`), an operator's reset. Of two
//! sends the older one times out first, whichever partition they are for. A producer that stands still
//! misses the answers of both leaders.
//!
//! **Left out.** The partitions have different leaders, so a broken connection takes the requests to
//! one of them only; one that takes both does to each what two would do, one after the other. An
//! idempotent Java client has one epoch for every partition, but each partition goes over to a new one
//! at sequence number 0 once nothing of it is in flight (`maybeUpdateProducerIdAndEpoch`): epochs are
//! counted by partition here, and what a broker compares is the same. A record without a key. Records
//! that are fetched from one partition before the other is read up: which partition a poll reads is
//! open.

pub mod reader;

use crate::broker::Broker;
use crate::codec::Codec;
use crate::limits::{Limits, MAX_INSTANCES};
use crate::list::List;
use crate::offset::{self, NextOffset, Position};
use crate::pipeline::{AutoCommit, Client, CommitCovers, Pipeline, Start};
use crate::producer::java::JavaSequences;
use crate::producer::{Batch, Flight, Producer, oldest};
use reader::Reader;

/// The second partition, and what the producer, the group and the consumer have of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OtherPartition {
    /// Its log, and what its leader knows of producers.
    pub broker: Broker,
    /// The keys that move to it, as a set of bits, as long as anything may still be sent.
    pub moved: u16,
    /// Whether the producer sends to it.
    pub known: bool,
    /// The part of the accumulator that is for it.
    pub queue: List<Batch, 4>,
    /// The requests on the connection to its leader.
    pub flights: List<Flight, 4>,
    /// The Java client's sequence numbers in it.
    pub java: JavaSequences,
    /// The group's committed offset in it.
    pub committed: Option<Position>,
    /// With several consumers: the one that it is assigned to, alive or not.
    pub owner: Option<u16>,
    /// What each consumer has of it.
    pub readers: [Reader; MAX_INSTANCES],
}

/// One of two partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Partition {
    /// The one that there is in any case.
    #[default]
    First,
    /// The other one.
    Second,
}

impl Partition {
    /// The other one.
    pub fn other(self) -> Partition {
        match self {
            Partition::First => Partition::Second,
            Partition::Second => Partition::First,
        }
    }

    /// Visits it.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        let mut second = *self == Partition::Second;
        codec.flag_if(limits.second_partition, &mut second);
        *self = match second {
            true => Partition::Second,
            false => Partition::First,
        };
    }
}

/// What one commit covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// In the partition of what is in hand.
    pub here: Option<Position>,
    /// In the other one.
    pub there: Option<Position>,
}

impl Covered {
    /// A commit in the partition of what is in hand.
    pub fn here(position: Option<Position>) -> Covered {
        Covered {
            here: position,
            there: None,
        }
    }

    /// Whether it covers nothing.
    pub fn is_empty(&self) -> bool {
        self.here.or(self.there).is_none()
    }
}

/// Whether it matters that one poll of Java may return records of both partitions: what the client or
/// a bare commit covers is then more than what is done.
pub fn polls_both(pipeline: &Pipeline) -> bool {
    let consumer = &pipeline.consumer;
    pipeline.client == Client::Java
        && pipeline.bounds.poll > 1
        && (consumer.commit_covers == CommitCovers::Position
            || consumer.auto_commit == AutoCommit::AtPoll)
}

impl OtherPartition {
    /// A new partition, to which these keys move.
    pub fn with(moved: u16) -> OtherPartition {
        OtherPartition {
            moved,
            ..OtherPartition::default()
        }
    }

    /// A partition that is there from the start.
    pub fn of(pipeline: &Pipeline) -> OtherPartition {
        let mut other = OtherPartition {
            known: true,
            ..OtherPartition::default()
        };
        if pipeline.bounds.start == Start::Joined {
            let who = pipeline.group.instances - 1;
            other.owner = (who > 0).then_some(who);
            let reader = &mut other.readers[usize::from(who)];
            reader.position = Some(NextOffset(0));
            reader.without_first = who > 0;
        }
        other
    }

    /// Changes places with the first partition, as far as the producer and the brokers are concerned.
    pub fn turn(&mut self, producer: &mut Producer, broker: &mut Broker) {
        std::mem::swap(&mut self.broker, broker);
        std::mem::swap(&mut self.queue, &mut producer.queue);
        std::mem::swap(&mut self.flights, &mut producer.flights);
        std::mem::swap(&mut self.java, &mut producer.java);
    }

    /// Whether a record of this key is sent there.
    pub fn takes(&self, key: u16) -> bool {
        self.known && self.moved & (1 << key) != 0
    }

    /// Whether the client still has something to do for it.
    pub fn is_busy(&self) -> bool {
        !self.queue.is_empty() || !self.flights.is_empty()
    }

    /// The producer's process dies: the next one knows the partition.
    pub fn lose_producer(&mut self) {
        self.queue.truncate(0);
        self.flights.truncate(0);
        self.java = JavaSequences::default();
        self.known = true;
    }

    /// Nothing will be sent any more.
    pub fn forget_producer(&mut self) {
        self.java = JavaSequences::default();
        self.known = true;
        self.moved = 0;
    }

    /// The send whose delivery timeout passes first.
    pub fn next_to_expire(&self, pipeline: &Pipeline) -> Option<Batch> {
        oldest(&self.queue, &self.flights, pipeline)
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits, pipeline: &Pipeline) {
        self.broker.code(codec, limits, pipeline);
        codec.field(&mut self.moved, (1 << pipeline.bounds.keys) - 1);
        codec.flag_if(limits.adds_partition, &mut self.known);
        self.known |= !limits.adds_partition;
        self.queue.code(codec, limits.queue, |batch, codec| {
            batch.code(codec, limits, pipeline);
        });
        self.flights.code(codec, limits.flights, |flight, codec| {
            flight.code(codec, limits, pipeline);
        });
        if pipeline.producer.idempotence {
            self.java.code(codec, limits);
        }
        offset::code_optional(&mut self.committed, codec, limits);
        if limits.instances > 1 {
            let mut owner = self.owner.map_or(0, |owner| owner + 1);
            codec.field(&mut owner, limits.instances);
            self.owner = owner.checked_sub(1);
        }
        for reader in &mut self.readers[..usize::from(limits.instances)] {
            reader.code(codec, limits);
        }
    }
}
