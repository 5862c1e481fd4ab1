//! The transaction coordinator behind the harness, and what transactions do to the output topic and to
//! the group's offsets.
//!
//! What the coordinator answers is the model's to say (`semel_models::transaction_coordinator`), under
//! the rules of a cluster formatted at 4.0 or later: every transaction has an epoch of its own, and the
//! leader and the group coordinator add what is written to (KIP-890). Which requests of a producer are
//! appended, and what readers see, is the log's.
//!
//! **Left out.** The time between the decision and its markers: they are written in the same step.
//! Whoever comes in between is answered CONCURRENT_TRANSACTIONS or UNSTABLE_OFFSET_COMMIT, and asks
//! again until they are.

use super::Broker;
use crate::harness::kafka::Message;
use crate::lab::{
    Batch, Commit, Generation, NextOffset, Position, Produced, ProducerEpoch, ProducerId, RecordId,
    Sequence, Stamp, StorageError, Sync, TransactionLog, TransactionalId,
};
use semel_models::pipeline::Isolation;
use semel_models::rules::KafkaRules;
use semel_models::transaction_coordinator::{
    CoordinatorAnswer, Outcome, Part, Transaction, TransactionRules,
};
use std::hash::{DefaultHasher, Hash, Hasher};

const RULES: TransactionRules = KafkaRules::CURRENT.transactions;

/// Where the coordinator's log is.
pub(super) const DIRECTORY: &str = "transactions";

/// The bit that tells the producer ids of transactional producers from those of others.
const IS_TRANSACTIONAL: u64 = 1 << 63;

/// A transactional producer as the coordinator initialised it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::harness) struct Identity {
    id: TransactionalId,
    pub(in crate::harness) epoch: u16,
}

impl Identity {
    fn producer(self) -> ProducerId {
        ProducerId(self.id.0)
    }
}

/// What becomes of offsets that are sent within a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::harness) enum Offsets {
    /// They are pending.
    Pending,
    /// ILLEGAL_GENERATION: the partition belongs to another member.
    OfAnotherMember,
    /// PRODUCER_FENCED.
    Fenced,
}

impl Broker {
    pub(super) fn coordinator(&mut self) -> Result<&mut TransactionLog, StorageError> {
        if self.transactions.is_none() {
            let log = TransactionLog::open(&self.dir.join(DIRECTORY), Sync::Simulated)?;
            self.transactions = Some(log);
        }
        Ok(self.transactions.as_mut().expect("it was opened"))
    }

    /// InitProducerId, until it succeeds. Returns how the transaction ended that it found open.
    pub(in crate::harness) fn initialise(
        &mut self,
        name: &str,
    ) -> Result<(Identity, Option<Outcome>), StorageError> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let id = TransactionalId(hasher.finish() | IS_TRANSACTIONAL);
        let mut ended = None;
        loop {
            let mut transaction = self.coordinator()?.get(id);
            let answer = transaction.initialize(None, &RULES);
            self.keep(id, transaction)?;
            if answer == CoordinatorAnswer::Done {
                let epoch = transaction.epoch;
                return Ok((Identity { id, epoch }, ended));
            }
            ended = self.write_markers(id)?.or(ended);
        }
    }

    fn keep(&mut self, id: TransactionalId, now: Transaction) -> Result<(), StorageError> {
        let log = self.coordinator()?;
        match log.get(id) == now {
            true => Ok(()),
            false => log.write(id, now),
        }
    }

    /// Writes the markers that are to be written; which, if any are.
    fn write_markers(&mut self, id: TransactionalId) -> Result<Option<Outcome>, StorageError> {
        let mut transaction = self.coordinator()?.get(id);
        let markers: Vec<_> = transaction.markers().collect();
        let producer = ProducerId(id.0);
        for marker in &markers {
            match (marker.part, &mut self.output) {
                (Part::Output, Some(output)) => {
                    let epoch = ProducerEpoch(marker.epoch.into());
                    let log = output.log_mut();
                    log.append_marker(producer, epoch, marker.outcome)?;
                    output.replicate()?;
                }
                (Part::Offsets, _) => self.offsets.end_transaction(producer, marker.outcome)?,
                (Part::Output, None) | (Part::Input, _) => {}
            }
            transaction.marker_is_written(marker.part);
            self.keep(id, transaction)?;
        }
        Ok(markers.first().map(|marker| marker.outcome))
    }

    /// The output topic takes a message of a transaction, as number `sequence` of its epoch.
    pub(in crate::harness) fn send_in_transaction(
        &mut self,
        message: &Message,
        by: Identity,
        sequence: i32,
    ) -> Result<Produced, StorageError> {
        let mut transaction = self.coordinator()?.get(by.id);
        let stamp = Stamp {
            producer: by.producer(),
            epoch: ProducerEpoch(by.epoch.into()),
            sequence: Sequence(sequence),
        };
        let add = || transaction.add(by.epoch, Part::Output);
        let output = self.output()?.log_mut();
        let produced = output.append_in_transaction(stamp, &message.to_stored(), add)?;
        self.keep(by.id, transaction)?;
        Ok(produced)
    }

    /// A member of `generation` commits within a transaction.
    pub(in crate::harness) fn send_offsets(
        &mut self,
        by: Identity,
        generation: Generation,
        next: NextOffset,
    ) -> Result<Offsets, StorageError> {
        let mut transaction = self.coordinator()?.get(by.id);
        let added = transaction.add(by.epoch, Part::Offsets);
        self.keep(by.id, transaction)?;
        if added != CoordinatorAnswer::Done {
            return Ok(Offsets::Fenced);
        }
        if generation != self.generation {
            return Ok(Offsets::OfAnotherMember);
        }
        let position = Position {
            next,
            leader_epoch: None,
        };
        let commit = Commit {
            generation,
            position,
        };
        self.offsets.commit_in_transaction(by.producer(), commit)?;
        Ok(Offsets::Pending)
    }

    /// EndTxn; where it is done, with the epoch that the producer goes on with.
    pub(in crate::harness) fn end(
        &mut self,
        by: Identity,
        outcome: Outcome,
    ) -> Result<Result<Identity, CoordinatorAnswer>, StorageError> {
        let mut transaction = self.coordinator()?.get(by.id);
        let answer = transaction.end(by.epoch, outcome, RULES.version);
        self.keep(by.id, transaction)?;
        self.write_markers(by.id)?;
        let epoch = transaction.epoch;
        Ok(match answer {
            CoordinatorAnswer::Done => Ok(Identity { epoch, ..by }),
            refused => Err(refused),
        })
    }

    /// Whether offsets are pending: whoever fetches the committed one is answered
    /// UNSTABLE_OFFSET_COMMIT (KIP-447).
    pub(in crate::harness) fn offsets_are_unstable(&self) -> bool {
        self.offsets.pending().next().is_some()
    }

    /// `transaction.timeout.ms` passes for every open transaction; whether there was one.
    pub(in crate::harness) fn time_out(&mut self) -> Result<bool, StorageError> {
        let Some(log) = &self.transactions else {
            return Ok(false);
        };
        let open: Vec<_> = log.ids().filter(|id| log.get(*id).can_time_out()).collect();
        for id in &open {
            let mut transaction = self.coordinator()?.get(*id);
            transaction.time_out(&RULES);
            self.keep(*id, transaction)?;
            self.write_markers(*id)?;
        }
        Ok(!open.is_empty())
    }

    /// What a reader of the output topic sees now.
    pub(in crate::harness) fn results(
        &self,
        isolation: Isolation,
    ) -> Result<Vec<RecordId>, StorageError> {
        Ok(ids(self.read_output(isolation)?))
    }

    /// What of it belongs to transactions that aborted, or that are open.
    pub(in crate::harness) fn aborted(
        &self,
        isolation: Isolation,
    ) -> Result<Vec<RecordId>, StorageError> {
        let committed = self.read_output(Isolation::ReadCommitted)?;
        let mut seen = self.read_output(isolation)?;
        seen.retain(|batch| !committed.contains(batch));
        Ok(ids(seen))
    }

    fn read_output(&self, isolation: Isolation) -> Result<Vec<Batch>, StorageError> {
        let Some(output) = &self.output else {
            return Ok(Vec::new());
        };
        let log = output.log();
        log.read(NextOffset(0), usize::MAX, isolation, log.log_end())
    }
}

fn ids(batches: Vec<Batch>) -> Vec<RecordId> {
    let records = batches.into_iter().filter_map(|batch| batch.record);
    records.map(|record| record.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATION: Generation = Generation(1);

    fn broker(dir: &std::path::Path) -> Broker {
        Broker::open(dir, GENERATION, 1).expect("it opens")
    }

    /// A producer begins: it sends a result, and offset 1.
    fn begin(broker: &mut Broker, name: &str) -> Identity {
        let (by, _) = broker.initialise(name).expect("it can be written");
        let sent = broker.send_in_transaction(&Message::bare(7), by, 0);
        assert!(matches!(sent, Ok(Produced::Appended(_))), "{sent:?}");
        let offsets = broker.send_offsets(by, GENERATION, NextOffset(1));
        assert_eq!(offsets.expect("it can be written"), Offsets::Pending);
        by
    }

    fn seen(broker: &Broker) -> (usize, usize, Option<NextOffset>) {
        let count = |isolation| broker.results(isolation).expect("it can be read").len();
        let committed = count(Isolation::ReadCommitted);
        let uncommitted = count(Isolation::ReadUncommitted);
        (committed, uncommitted, broker.committed())
    }

    #[test]
    fn results_and_offsets_are_there_with_the_commit_and_not_before() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut broker = broker(dir.path());
        let by = begin(&mut broker, "id");
        assert_eq!(seen(&broker), (0, 1, None));
        let ended = broker.end(by, Outcome::Commit).expect("it can be written");
        assert_eq!(seen(&broker), (1, 1, Some(NextOffset(1))));
        // The client repeats it, and learns the same.
        let again = broker.end(by, Outcome::Commit).expect("it can be written");
        assert_eq!(again, ended);
        assert_eq!(seen(&broker), (1, 1, Some(NextOffset(1))));
    }

    #[test]
    fn the_next_start_aborts_what_was_left_open_and_fences_who_left_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let old = begin(&mut broker(dir.path()), "id");
        let mut broker = broker(dir.path());
        assert!(broker.offsets_are_unstable());
        let (_, ended) = broker.initialise("id").expect("it can be written");
        assert_eq!(ended, Some(Outcome::Abort));
        assert!(!broker.offsets_are_unstable());
        assert_eq!(seen(&broker), (0, 1, None));
        let late = broker.send_in_transaction(&Message::bare(8), old, 1);
        assert_eq!(late.expect("it can be written"), Produced::StaleEpoch);
        for outcome in [Outcome::Commit, Outcome::Abort] {
            let late = broker.end(old, outcome).expect("it can be written");
            assert_eq!(late, Err(CoordinatorAnswer::ProducerFenced));
        }
    }

    #[test]
    fn a_member_that_was_put_out_sends_no_offsets() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut broker = broker(dir.path());
        let (by, _) = broker.initialise("id").expect("it can be written");
        broker.join();
        let offsets = broker.send_offsets(by, GENERATION, NextOffset(1));
        assert_eq!(
            offsets.expect("it can be written"),
            Offsets::OfAnotherMember
        );
    }

    #[test]
    fn a_timeout_aborts_and_its_producer_can_abort_but_not_commit() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut broker = broker(dir.path());
        let by = begin(&mut broker, "id");
        assert!(broker.time_out().expect("it can be written"));
        assert!(!broker.time_out().expect("it can be written"));
        assert_eq!(seen(&broker), (0, 1, None));
        let aborted = broker.aborted(Isolation::ReadUncommitted);
        assert_eq!(aborted.expect("it can be read"), [RecordId(7)]);
        let commit = broker.end(by, Outcome::Commit).expect("it can be written");
        assert_eq!(commit, Err(CoordinatorAnswer::InvalidTransactionState));
        let abort = broker.end(by, Outcome::Abort).expect("it can be written");
        assert!(abort.is_ok());
    }
}
