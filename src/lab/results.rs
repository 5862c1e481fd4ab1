//! The output topic on disk: the results that consumers write, and what its reader sees.
//!
//! **Where faults can strike its brokers** it has replicas, and clients that send to them, as the first topic
//! has: what becomes of a request its leader's files say. Its [reader](Reader) has a position of its own.
//!
//! **Elsewhere** which request of an output producer is appended, and which is recognised, is the model's to
//! say. What is appended lies in one log with its transaction and its markers, and what the reader sees is
//! read from there. The model keeps of epochs only how they compare. Here they count on: each time the
//! coordinator raises that of an id it is the next one, and batches and markers carry what is in force.

mod reader;

pub(super) use reader::Reader;

use super::log::{LogSettings, Produced, Record};
use super::run::LabError;
use super::sink::Prepared;
use super::topic::{Replicas, Topic};
use super::words::{NextOffset, Offset, ProducerEpoch, ProducerId, Sequence, Stamp};
use semel_models::pipeline::Isolation;
use semel_models::transaction_coordinator::{CoordinatorAnswer, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// The output topic, and the producers that write to it.
#[derive(Debug)]
pub(super) struct Results {
    topic: Topic,
    /// Where faults can strike the topic.
    reader: Option<Reader>,
    /// Those of the transactional ids that the model keeps, in its order; without transactions those of the
    /// consumers.
    producers: Vec<Producing>,
    /// How many there have been.
    made: u64,
    /// What each consumer's output producer has been told last.
    told: BTreeMap<u16, Prepared>,
}

/// Where a transactional producer stands.
#[derive(Clone, Copy, Debug)]
struct Producing {
    producer: ProducerId,
    epoch: i32,
    sequence: i32,
}

/// A record that the reader does not see yet: which it is, who wrote it, and whether its transaction
/// has committed.
pub(super) type Unseen = (u16, ProducerId, bool);

impl Results {
    /// Opens what is at `partition`, or begins there, with so many producers.
    pub(super) fn open(
        partition: &Path,
        settings: LogSettings,
        replicas: Replicas,
        producers: u16,
    ) -> Result<Results, LabError> {
        let mut results = Results {
            topic: Topic::open(partition, settings, replicas)?,
            reader: match replicas {
                Replicas::Apart(_) => Some(Reader::default()),
                Replicas::AsOne => None,
            },
            producers: Vec::new(),
            made: 0,
            told: BTreeMap::new(),
        };
        for _ in 0..producers {
            let new = results.new_producer();
            results.producers.push(new);
        }
        Ok(results)
    }

    fn new_producer(&mut self) -> Producing {
        self.made += 1;
        Producing {
            producer: ProducerId(self.made),
            epoch: 0,
            sequence: 0,
        }
    }

    pub(super) fn topic(&self) -> &Topic {
        &self.topic
    }

    pub(super) fn topic_mut(&mut self) -> &mut Topic {
        &mut self.topic
    }

    /// The topic's reader, where faults can strike it.
    pub(super) fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// This broker leads in a new leader epoch: the reader goes back to what it has in common with it.
    pub(super) fn turn_back_to(&mut self, leader: u16) {
        if let Some(reader) = &mut self.reader {
            reader.turn_back(self.topic.log(leader));
        }
    }

    /// The reader reads on to `to` of this leader's log, if that is readable so far.
    pub(super) fn read_on(
        &mut self,
        to: Offset,
        leader: u16,
        isolation: Isolation,
        high_watermark: Offset,
    ) -> Result<(), LabError> {
        match &mut self.reader {
            Some(reader) => {
                let log = self.topic.log(leader);
                Ok(reader.read_on(to, log, isolation, high_watermark)?)
            }
            None => Ok(()),
        }
    }

    /// The producer id of a transactional id, or of a consumer.
    pub(super) fn producer(&self, id: u16) -> ProducerId {
        self.producers[usize::from(id)].producer
    }

    /// The producer id of a transactional id, and the epoch in force.
    pub(super) fn identity(&self, id: u16) -> Prepared {
        let Producing {
            producer, epoch, ..
        } = self.producers[usize::from(id)];
        Prepared {
            producer,
            epoch: ProducerEpoch(epoch),
        }
    }

    /// The producer id and epoch that the output producer of a consumer has.
    pub(super) fn told(&self, who: u16) -> Option<Prepared> {
        self.told.get(&who).copied()
    }

    /// The output producer of a consumer has what is in force of this id.
    pub(super) fn tell(&mut self, who: u16, id: u16) {
        self.told.insert(who, self.identity(id));
    }

    /// The coordinator raises the epoch of an id.
    pub(super) fn raise(&mut self, id: u16) {
        let own = &mut self.producers[usize::from(id)];
        own.epoch += 1;
        own.sequence = 0;
    }

    /// A result is appended, in the transaction of `id` where there is one.
    pub(super) fn append(
        &mut self,
        record: &Record,
        id: Option<u16>,
    ) -> Result<Produced, LabError> {
        let Some(id) = id else {
            return Ok(self.topic.log_mut(0).append(None, record)?);
        };
        let own = &mut self.producers[usize::from(id)];
        let stamp = Stamp {
            producer: own.producer,
            epoch: ProducerEpoch(own.epoch),
            sequence: Sequence(own.sequence),
        };
        own.sequence += 1;
        let added = || CoordinatorAnswer::Done;
        let log = self.topic.log_mut(0);
        Ok(log.append_in_transaction(stamp, record, added)?)
    }

    /// The marker of a transaction is written.
    pub(super) fn end(&mut self, id: u16, outcome: Outcome) -> Result<Produced, LabError> {
        let Prepared { producer, epoch } = self.identity(id);
        let log = self.topic.log_mut(0);
        Ok(log.append_marker(producer, epoch, outcome)?)
    }

    /// A process that is gone leaves its transaction open; whoever comes next has an id of its own.
    pub(super) fn orphan(&mut self, id: u16) {
        let new = self.new_producer();
        let old = std::mem::replace(&mut self.producers[usize::from(id)], new);
        self.producers.push(old);
    }

    /// A producer without transactions is gone, and the next one has an id of its own; `behind`: the session of
    /// what is late of the one that is gone.
    pub(super) fn renew(&mut self, who: u16, behind: Option<u16>) {
        let new = self.new_producer();
        let old = std::mem::replace(&mut self.producers[usize::from(who)], new);
        if let Some(session) = behind.map(usize::from) {
            while self.producers.len() <= session {
                let unused = self.new_producer();
                self.producers.push(unused);
            }
            self.producers[session] = old;
        }
    }

    /// An id is used no more.
    pub(super) fn forget(&mut self, id: u16) {
        self.producers.remove(usize::from(id));
    }

    /// The records that the topic's reader has seen, in their order.
    pub(super) fn seen(&self, isolation: Isolation) -> Result<Vec<u16>, LabError> {
        if let Some(reader) = &self.reader {
            return Ok(reader.seen().to_vec());
        }
        let log = self.topic.log(0);
        let read = log.read(NextOffset(0), usize::MAX, isolation, log.log_end())?;
        let records = read.into_iter().filter_map(|batch| batch.record);
        Ok(records.map(|record| record.id.0 as u16).collect())
    }

    /// The records that a reader of what is committed does not see yet, where the reader takes everything
    /// else at once.
    pub(super) fn unseen(&self) -> Vec<Unseen> {
        if self.reader.is_some() {
            return Vec::new();
        }
        let unseen = self.topic.log(0).unstable().into_iter();
        unseen
            .map(|(record, producer, committed)| (record.0 as u16, producer, committed))
            .collect()
    }
}
