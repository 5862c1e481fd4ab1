//! The broker and the group's coordinator behind the harness: real files, and the model's rules.
//!
//! **Modelled.** One partition, and one consumer group that subscribes. Every join
//! starts a new generation, and the newest member owns the partition; a commit is taken of the
//! current generation only, whatever its offset: it need not grow. A member reads on from the
//! committed offset, or where `auto.offset.reset` says. The output topic has replicas (`output.rs`), knows
//! idempotent producers by id and sequence number, and transactions (`transactions.rs`).
//!
//! **Left out.** Faults of the brokers of the input topic, and several partitions: an effect that depends on
//! records of another partition is not judged. A rebalance that waits for the old owner to poll is
//! not there: such an owner finishes what it has in hand first, as one does that is not disturbed.

mod output;
mod transactions;

pub(super) use transactions::{Identity, Offsets};

use self::output::OutputTopic;
use super::Reset;
use super::kafka::{Message, Record};
use crate::lab::{
    Batch, Commit, Fetched, Generation, Log, LogSettings, NextOffset, OffsetLog, Position,
    Produced, ProducerEpoch, ProducerId, Remains, Sequence, Stamp, StorageError, Sync,
    TransactionLog,
};
use std::path::{Path, PathBuf};

/// Where the replicas of the output topic are.
const OUTPUT: &str = "output";

/// The topic, the group's offsets and the output topic, in one directory.
#[derive(Debug)]
pub(super) struct Broker {
    dir: PathBuf,
    topic: Log,
    offsets: OffsetLog,
    /// Opened once somebody sends.
    output: Option<OutputTopic>,
    /// How many replicas it has.
    replicas: u16,
    /// The transaction coordinator's, opened once somebody has a transactional id.
    transactions: Option<TransactionLog>,
    generation: Generation,
}

fn open_log(dir: &Path) -> Result<Log, StorageError> {
    Ok(Log::open(dir, LogSettings::default(), &Remains::default())?.0)
}

impl Broker {
    /// Opens what is in `dir`, or starts there; `generation` is the group's, and the output topic has so
    /// many `replicas`.
    pub(super) fn open(
        dir: &Path,
        generation: Generation,
        replicas: u16,
    ) -> Result<Broker, StorageError> {
        let has_transactions = dir.join(transactions::DIRECTORY).exists();
        let mut broker = Broker {
            topic: open_log(&dir.join("topic"))?,
            offsets: OffsetLog::open(&dir.join("group"), Sync::Simulated)?.0,
            output: None,
            replicas,
            transactions: None,
            generation,
            dir: dir.to_owned(),
        };
        if has_transactions {
            broker.coordinator()?;
        }
        // It is there once somebody has sent.
        if dir.join(OUTPUT).exists() {
            broker.output()?;
        }
        Ok(broker)
    }

    /// A producer elsewhere sends `message`, and it is acknowledged.
    pub(super) fn fill(&mut self, message: &Message) -> Result<(), StorageError> {
        self.topic.append(None, &message.to_stored()).map(|_| ())
    }

    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// A member joins and owns the partition from now on.
    pub(super) fn join(&mut self) -> Generation {
        self.generation.0 += 1;
        self.generation
    }

    /// The owner's session expires.
    pub(super) fn expel(&mut self) {
        self.generation.0 += 1;
    }

    pub(super) fn committed(&self) -> Option<NextOffset> {
        let commit = self.offsets.committed();
        commit.map(|commit| commit.position.next)
    }

    /// Where a new owner reads on.
    pub(super) fn start(&self, reset: Reset) -> NextOffset {
        self.committed().unwrap_or_else(|| self.reset(reset))
    }

    /// Where `auto.offset.reset` leads.
    pub(super) fn reset(&self, reset: Reset) -> NextOffset {
        NextOffset(match reset {
            Reset::Earliest => self.topic.log_start().0,
            Reset::Latest => self.topic.log_end().0,
        })
    }

    /// How many records lie at `from` and beyond; `None`: OFFSET_OUT_OF_RANGE.
    pub(super) fn available(&self, from: NextOffset) -> Option<u64> {
        self.topic.log_end().0.checked_sub(from.0)
    }

    /// The next `most` records.
    pub(super) fn fetch(&self, from: NextOffset, most: usize) -> Result<Vec<Record>, StorageError> {
        Ok(batches(&self.topic, from, most)?
            .into_iter()
            .filter_map(|batch| {
                let record = batch.record?;
                Some(Record {
                    id: record.id,
                    offset: batch.offset,
                    key: record.key,
                    payload: record.payload,
                })
            })
            .collect())
    }

    /// A member of `generation` commits; whether it was taken.
    pub(super) fn commit(
        &mut self,
        generation: Generation,
        next: NextOffset,
    ) -> Result<bool, StorageError> {
        if generation != self.generation {
            return Ok(false);
        }
        let position = Position {
            next,
            leader_epoch: None,
        };
        let commit = Commit {
            generation,
            position,
        };
        self.offsets.commit(commit)?;
        Ok(true)
    }

    /// The output topic, from the first send on.
    fn output(&mut self) -> Result<&mut OutputTopic, StorageError> {
        if self.output.is_none() {
            let partition = self.dir.join(OUTPUT).join("partition-0");
            self.output = Some(OutputTopic::open(&partition, self.replicas)?);
        }
        Ok(self.output.as_mut().expect("it was opened"))
    }

    /// The output topic's leader takes a message; with idempotence as number `sequence` of `producer`.
    pub(super) fn send(
        &mut self,
        message: &Message,
        stamp: Option<(u64, i32)>,
    ) -> Result<Produced, StorageError> {
        let stamp = stamp.map(|(producer, sequence)| Stamp {
            producer: ProducerId(producer),
            epoch: ProducerEpoch(0),
            sequence: Sequence(sequence),
        });
        self.output()?.log_mut().append(stamp, &message.to_stored())
    }

    /// The followers of the output topic fetch what its leader has.
    pub(super) fn replicate(&mut self) -> Result<(), StorageError> {
        self.output()?.replicate()
    }

    /// The leader of the output topic dies with what its followers have not.
    pub(super) fn lose_leader(&mut self) -> Result<(), StorageError> {
        self.output()?.lose_leader()
    }
}

fn batches(log: &Log, from: NextOffset, most: usize) -> Result<Vec<Batch>, StorageError> {
    Ok(match log.fetch(from, most)? {
        Fetched::Batches(batches) => batches,
        Fetched::OutOfRange => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::RecordId;
    use semel_models::pipeline::Isolation;

    #[test]
    fn a_commit_of_an_older_generation_is_refused_and_offsets_need_not_grow() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut broker = Broker::open(dir.path(), Generation(0), 1).expect("it opens");
        let first = broker.join();
        let second = broker.join();
        let mut commit = |generation, next| {
            let taken = broker.commit(generation, NextOffset(next));
            (taken.expect("it can be written"), broker.committed())
        };
        assert_eq!(commit(first, 3), (false, None));
        assert_eq!(commit(second, 3), (true, Some(NextOffset(3))));
        assert_eq!(commit(second, 1), (true, Some(NextOffset(1))));
    }

    #[test]
    fn a_repeat_of_an_idempotent_producer_is_recognised() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut broker = Broker::open(dir.path(), Generation(0), 1).expect("it opens");
        let message = Message::bare(7);
        for stamp in [Some((1, 0)), Some((1, 0)), None] {
            broker.send(&message, stamp).expect("it can be written");
        }
        let broker = Broker::open(dir.path(), Generation(0), 1).expect("it opens again");
        assert_eq!(
            broker
                .results(Isolation::ReadCommitted)
                .expect("it can be read"),
            [RecordId(7); 2]
        );
    }
}
