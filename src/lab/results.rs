//! The output topic on disk: the results that consumers write, and what its reader sees.
//!
//! Which request of an output producer is appended, and which is recognised, is the model's to say.
//! What is appended lies in a log of its own with its transaction and its markers, and what the reader
//! sees is read from there.
//!
//! **Epochs.** The model keeps of them only how they compare. Here they count on: each time the
//! coordinator raises that of an id it is the next one, and batches and markers carry what is in force.

use super::log::{Log, LogSettings, Produced, Record, Remains};
use super::run::LabError;
use super::sink::Prepared;
use super::words::{NextOffset, ProducerEpoch, ProducerId, Sequence, Stamp};
use semel_models::pipeline::Isolation;
use semel_models::transaction_coordinator::{CoordinatorAnswer, Outcome};
use std::collections::BTreeMap;
use std::path::Path;

/// The output topic, and the producers that write to it in transactions.
#[derive(Debug)]
pub(super) struct Results {
    log: Log,
    /// Those of the transactional ids that the model keeps, in its order.
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
    /// Opens what is in `directory`, or begins there, with so many transactional ids.
    pub(super) fn open(
        directory: &Path,
        settings: LogSettings,
        ids: u16,
    ) -> Result<Results, LabError> {
        let (log, _) = Log::open(directory, settings, &Remains::default())?;
        let mut results = Results {
            log,
            producers: Vec::new(),
            made: 0,
            told: BTreeMap::new(),
        };
        for _ in 0..ids {
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

    /// The producer id of a transactional id.
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
            return Ok(self.log.append(None, record)?);
        };
        let own = &mut self.producers[usize::from(id)];
        let stamp = Stamp {
            producer: own.producer,
            epoch: ProducerEpoch(own.epoch),
            sequence: Sequence(own.sequence),
        };
        own.sequence += 1;
        let added = || CoordinatorAnswer::Done;
        Ok(self.log.append_in_transaction(stamp, record, added)?)
    }

    /// The marker of a transaction is written.
    pub(super) fn end(&mut self, id: u16, outcome: Outcome) -> Result<Produced, LabError> {
        let Prepared { producer, epoch } = self.identity(id);
        Ok(self.log.append_marker(producer, epoch, outcome)?)
    }

    /// A process that is gone leaves its transaction open; whoever comes next has an id of its own.
    pub(super) fn orphan(&mut self, id: u16) {
        let new = self.new_producer();
        let old = std::mem::replace(&mut self.producers[usize::from(id)], new);
        self.producers.push(old);
    }

    /// An id is used no more.
    pub(super) fn forget(&mut self, id: u16) {
        self.producers.remove(usize::from(id));
    }

    /// The records that the topic's reader has seen, in their order.
    pub(super) fn seen(&self, isolation: Isolation) -> Result<Vec<u16>, LabError> {
        let end = self.log.log_end();
        let read = self.log.read(NextOffset(0), usize::MAX, isolation, end)?;
        let records = read.into_iter().filter_map(|batch| batch.record);
        Ok(records.map(|record| record.id.0 as u16).collect())
    }

    /// The records that a reader of what is committed does not see yet.
    pub(super) fn unseen(&self) -> Vec<Unseen> {
        let unseen = self.log.unstable().into_iter();
        unseen
            .map(|(record, producer, committed)| (record.0 as u16, producer, committed))
            .collect()
    }
}
