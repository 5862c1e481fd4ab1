//! The transaction coordinator's state on disk: what `__transaction_state` holds.
//!
//! Every change of a transactional id is an entry, written and synced before anybody hears of it, for
//! the topic has its own replicas and is written with `acks=all`. Whoever becomes coordinator reads it:
//! of each id the last entry counts. The epoch before the one in force is not in it, but in the coordinator's
//! memory alone (`TransactionLog.readTxnRecordValue` sets `lastProducerEpoch` to none, up to Kafka 4.3).
//!
//! **Left out.** Compaction: the file grows with every change. What may change is the model's to say
//! (`semel_models::transaction_coordinator`).

use crate::lab::disk::{AppendFile, Directory, StorageError, Sync};
use crate::lab::fields::Fields;
use crate::lab::frame::{self, Flaw};
use semel_models::transaction_coordinator::{Part, Parts, Phase, Transaction};
use std::collections::BTreeMap;
use std::path::Path;

/// The file in the directory.
const NAME: &str = "transactions.log";

/// A transactional id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionalId(pub u64);

/// The log of the transaction coordinator.
///
/// ```
/// use semel::lab::{Sync, TransactionLog, TransactionalId};
/// use semel_models::transaction_coordinator::{Outcome, Phase, Transaction};
///
/// let dir = tempfile::tempdir()?;
/// let mut transactions = TransactionLog::open(dir.path(), Sync::Real)?;
/// let prepared = Transaction { phase: Phase::Prepared(Outcome::Commit), ..Transaction::default() };
/// transactions.write(TransactionalId(1), prepared)?;
/// drop(transactions);
///
/// let transactions = TransactionLog::open(dir.path(), Sync::Real)?;
/// assert_eq!(transactions.get(TransactionalId(1)), prepared);
/// assert_eq!(transactions.get(TransactionalId(2)), Transaction::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TransactionLog {
    file: AppendFile,
    known: BTreeMap<TransactionalId, Transaction>,
}

impl TransactionLog {
    /// Opens the log in the directory `path`, or starts one there. A tail that is not as it was
    /// written is cut off.
    pub fn open(path: &Path, sync: Sync) -> Result<TransactionLog, StorageError> {
        let directory = Directory::open(path, sync)?;
        if !directory.names()?.iter().any(|name| name == NAME) {
            let file = AppendFile::create(&directory, NAME)?;
            let known = BTreeMap::new();
            return Ok(TransactionLog { file, known });
        }
        let mut file = AppendFile::open(&directory, NAME)?;
        let scan = frame::scan(&file.read(0, file.len())?, read);
        file.cut(scan.end)?;
        file.sync()?;
        let entries = scan.frames.into_iter();
        let known = entries.map(|(_, entry)| entry).collect();
        Ok(TransactionLog { file, known })
    }

    /// What is kept of an id.
    pub fn get(&self, id: TransactionalId) -> Transaction {
        self.known.get(&id).copied().unwrap_or_default()
    }

    /// The ids that something is kept of.
    pub fn ids(&self) -> impl Iterator<Item = TransactionalId> {
        self.known.keys().copied()
    }

    /// The state of an id changes. After an error it has changed or not once the log is opened again.
    pub fn write(
        &mut self,
        id: TransactionalId,
        transaction: Transaction,
    ) -> Result<(), StorageError> {
        self.file.append(&frame::seal(&body(id, transaction)))?;
        self.file.sync()?;
        self.known.insert(id, transaction);
        Ok(())
    }
}

fn body(id: TransactionalId, transaction: Transaction) -> Vec<u8> {
    let phase = Phase::ALL.iter().position(|own| *own == transaction.phase);
    let phase = phase.expect("every phase is there") as u8;
    let added = transaction.added.iter().map(|part| 1 << part as u8);
    let mut body = id.0.to_be_bytes().to_vec();
    body.push(phase);
    body.extend(i32::from(transaction.epoch).to_be_bytes());
    body.push(added.sum());
    body
}

fn read(body: &[u8]) -> Result<(TransactionalId, Transaction), Flaw> {
    let mut fields = Fields(body);
    read_entry(&mut fields)
        .filter(|_| fields.rest().is_empty())
        .ok_or(Flaw::Malformed)
}

fn read_entry(fields: &mut Fields) -> Option<(TransactionalId, Transaction)> {
    let id = TransactionalId(fields.u64()?);
    let phase = *Phase::ALL.get(usize::from(fields.u8()?))?;
    let epoch = u16::try_from(fields.i32()?).ok()?;
    let bits = fields.u8()?;
    let mut added = Parts::default();
    for part in Part::ALL {
        if bits & (1 << part as u8) != 0 {
            added.insert(part);
        }
    }
    let transaction = Transaction {
        phase,
        epoch,
        last_epoch: None,
        added,
    };
    Some((id, transaction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use semel_models::transaction_coordinator::Outcome;
    use std::fs;

    fn transactions() -> Vec<Transaction> {
        let mut both = Parts::default();
        both.insert(Part::Input);
        both.insert(Part::Offsets);
        let phases = Phase::ALL.into_iter().zip(0..);
        let each = phases.map(|(phase, epoch)| Transaction {
            phase,
            epoch,
            last_epoch: epoch.checked_sub(1),
            added: if epoch % 2 == 0 {
                both
            } else {
                Parts::default()
            },
        });
        each.collect()
    }

    #[test]
    fn the_last_entry_of_each_id_counts_also_for_the_next_coordinator_but_for_the_epoch_before() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let open = || TransactionLog::open(dir.path(), Sync::Simulated).expect("it opens");
        let mut log = open();
        for transaction in transactions() {
            for id in [1, 2].map(TransactionalId) {
                log.write(id, transaction).expect("it can be written");
                let read = Transaction {
                    last_epoch: None,
                    ..transaction
                };
                assert_eq!((log.get(id), open().get(id)), (transaction, read));
            }
        }
    }

    #[test]
    fn a_torn_entry_is_cut_off_and_the_one_before_counts() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let open = || TransactionLog::open(dir.path(), Sync::Simulated).expect("it opens");
        let id = TransactionalId(7);
        let mut log = open();
        let [first, second] = [Outcome::Commit, Outcome::Abort].map(|outcome| Transaction {
            phase: Phase::Prepared(outcome),
            ..Transaction::default()
        });
        log.write(id, first).expect("it can be written");
        log.write(id, second).expect("it can be written");
        let file = dir.path().join(NAME);
        let bytes = fs::read(&file).expect("it can be read");
        fs::write(&file, &bytes[..bytes.len() - 1]).expect("it can be written");
        assert_eq!(open().get(id), first);
        assert_eq!(open().get(id), first, "nothing is left to cut");
    }
}
