//! The output topic: the results that consumers write, each consumer's output producer, and what
//! the topic's reader sees.
//!
//! **Modelled.** One partition. Where faults strike brokers it has a log of its own, with replicas and whole
//! clients ([`log`], [`client`], `cluster/output_topic.rs`); the rest of this is about designs without such
//! faults. Of their log only what the reader does not see yet is kept ([`Output::unseen`]): the reader takes every record as soon as its isolation level lets it,
//! in the order of the log, and what it has taken is counted, by `process` and result apart where
//! an order has both. Nothing else looks at what it has taken: the log is never cut, and what the
//! partition leader knows of producer ids is kept as what follows from it. A producer's retry of a
//! request that was appended is recognised where it is idempotent; a request that is late counts
//! once if its retry was not appended, and is refused after anything else that the same producer
//! appended (the sequence number is an old one, or the epoch is: a client that gave a batch up goes
//! on with the next epoch, KIP-360). A new process is a new producer id, unless its id is
//! transactional.
//!
//! **A result that is waited for** (`produce`) is one step with an outcome, like every synchronous
//! call: the append is one write, and the thread does nothing else meanwhile. Results that nobody
//! waits for are sent one after the other by the client's own thread, at any moment; those not sent
//! are lost with the process. One that is refused can be overtaken by those that were on the
//! connection behind it, unless the producer is idempotent or has one request at a time. A broken
//! connection repeats the earliest first: that the others are sent again as well changes nothing.
//!
//! **A transaction** is at the coordinator what [`crate::transaction_coordinator`] says. Its calls
//! that are simply repeated (AddPartitionsToTxn, AddOffsetsToTxn, and lost requests or answers of
//! TxnOffsetCommit and EndTxn) are part of the step that they belong to: what others do between them
//! could as well come before or after. An abort is one step with its markers: the records leave the
//! log, the offsets stop pending, and in whichever order that is, readers and new owners only get
//! further. A commit is prepared in one step, and its two markers are steps of their own.
//!
//! Offsets that a transaction commits are pending at the group coordinator until its marker is
//! there (`OffsetMetadataManager`): of several, the one that was sent last wins, as does a commit
//! without a transaction that came after it. Pending offsets hold up no rebalance; the offset fetch of
//! whoever gets the partition is answered UNSTABLE_OFFSET_COMMIT until they are gone, and the owner
//! polls in vain (KIP-447). Offsets that came after the end of their transaction are pending until
//! another one of the same id that has offsets ends, which may be never.
//!
//! **Late requests** of a transaction ([`crate::limbo`]): under transaction version 2 the end raises the epoch,
//! so none of them is ever taken after it, but for an InitProducerId, which says no epoch: it fences whoever has
//! the id. Under version 1 an EndTxn or a TxnOffsetCommit that is late may strike the next transaction of the
//! same epoch (KIP-890), and AddPartitionsToTxn or AddOffsetsToTxn may begin one that nobody goes on with, whose
//! timeout fences the producer. An EndTxn may come between two calls of the next transaction: between
//! AddOffsetsToTxn and TxnOffsetCommit here, and before an append, which its client takes for one in its
//! transaction, where results have clients and a log of their own.
//!
//! **A reader that does not wait** for the end of transactions takes each result as it is appended. One
//! whose transaction aborts took nothing that stands: it is made good by a result of the same record
//! that is committed, before or after, and then counts as taken twice; without one the record has an
//! effect that was aborted (G1a in Jepsen's words).
//!
//! **Timeouts.** The results of one producer have the same `delivery.timeout.ms`, so they expire in the
//! order of sending: only the oldest can, and only if a fault took or delayed an answer to it, or its
//! process stood still (a timeout of a healthy one is the fault `delivery-timeout`). A broken connection
//! leaves all that was on it in doubt. What expires was never appended, or was appended before, or is
//! appended by a repetition whose answer comes too late. What expires in flight stays on the connection of a
//! Java client: it is handled before whatever else the client sends, and others may come before it
//! ([`crate::limbo::Claim::Expired`]). librdkafka closes that connection. A request that stays away longer than
//! its connection, or its process, is the fault `request-delayed`.
//!
//! **A failed result** of a transaction ends the sending until that is aborted. What came behind it on the
//! connection makes no difference to what is committed.
//!
//! **Left out.** The reader's own failures: what it sees is what is judged.

pub mod client;
pub mod journal;
pub mod log;
mod packing;
mod passed;
pub mod producer;

use crate::journal::Journal;
use crate::list::List;
use crate::offset::Position;
use crate::pipeline::{Pipeline, TransactionalId};
use crate::set::Set;
use crate::transaction_coordinator::{Outcome, Part, Phase, Transaction};
use journal::Happening;
use log::OutputLog;
use producer::OutputProducer;

use crate::limits::MAX_INSTANCES;

/// A record of the output topic that its reader does not see yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Unseen {
    /// The record whose result it is.
    pub record: u16,
    /// The transactional id that wrote it, as a place in [`Output::transactions`].
    pub id: u16,
    /// Whether its transaction has committed: something before it is open.
    pub committed: bool,
}

/// A result that its reader took before the transaction that wrote it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReadEarly {
    /// The transactional id that wrote it.
    pub id: u16,
    /// The record whose result it is.
    pub record: u16,
}

/// An offset that a transaction commits, and that is not committed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PendingOffset {
    /// The transactional id.
    pub id: u16,
    /// What the group's committed offset is once its marker is written.
    pub position: Position,
}

/// The output topic, its producers, and their transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Output {
    /// Each consumer's output producer.
    pub producers: [OutputProducer; MAX_INSTANCES],
    /// How often the reader saw each record's result, up to two, where `process` has an effect of
    /// its own; empty elsewhere: there the ledger says it.
    pub produced: List<u16, 4>,
    /// Records that had both effects, where there are two.
    pub complete: Set,
    /// Whether a record had both effects for the first time after a later one of its key.
    pub disordered: bool,
    /// What the coordinator keeps of each transactional id: one for each instance, or for the
    /// partition, and behind them those of processes that are gone.
    pub transactions: List<Transaction, 2>,
    /// What was appended and the reader does not see yet, in the order of the log.
    pub unseen: List<Unseen, 4>,
    /// The results of open transactions that the reader took already, sorted; of records of which a
    /// result is committed none.
    pub read_early: List<ReadEarly, 2>,
    /// The records of which a result is committed, where the reader does not wait for that.
    pub made_good: Set,
    /// By transactional id: the epoch of the transaction that the database says is prepared, as long as
    /// it is the one in force.
    pub prepared: [Option<u16>; MAX_INSTANCES],
    /// The offsets of transactions that are not committed yet, in the order in which they came.
    pub pending: List<PendingOffset, 2>,
    /// The topic's log and its clients, where faults can strike them.
    pub log: Option<Box<OutputLog>>,
    /// What the last step did, for runs that do it for real.
    pub journal: Journal<Happening>,
}

impl Output {
    /// The output of a design that has one, before anything happens.
    pub fn of(pipeline: &Pipeline) -> Output {
        let counts = match pipeline.consumer.only_produces() || !pipeline.consumer.produces() {
            true => 0,
            false => pipeline.bounds.records,
        };
        let mut output = Output {
            produced: List::of_len(counts.into()),
            ..Output::default()
        };
        if pipeline.consumer.has_transactions() {
            for _ in 0..ids(pipeline) {
                output.transactions.push(initialised());
            }
        }
        output
    }

    /// Whether the reader saw the record's result, where that is not the ledger's to say.
    pub fn has_result(&self, record: u16) -> bool {
        let times = self.produced.get(usize::from(record)).copied();
        times.is_none_or(|times| times > 0)
    }

    /// A commit without a transaction: it wins over what is pending.
    pub fn overrule(&mut self, position: Position) {
        self.journal.note(Happening::Committed(position));
        for pending in self.pending.iter_mut() {
            pending.position = position;
        }
    }

    /// Whether the end of an open transaction will end what is pending.
    pub fn ends(&self, pending: &PendingOffset) -> bool {
        let transaction = &self.transactions[usize::from(pending.id)];
        transaction.added.contains(Part::Offsets)
    }

    /// Offsets of a transaction arrive at the group coordinator.
    pub fn add_offsets(&mut self, id: u16, position: Position) {
        self.journal.note(Happening::OffsetsSent { id, position });
        self.remove_offsets(id);
        self.pending.push(PendingOffset { id, position });
    }

    /// The offsets of a transaction stop pending; what they are to be, if there are any. Those that
    /// came before them never count any more.
    pub fn take_offsets(&mut self, id: u16) -> Option<Position> {
        let outcome = Outcome::Commit;
        self.journal.note(Happening::OffsetsEnded { id, outcome });
        let place = self.pending.iter().position(|own| own.id == id)?;
        let taken = self.pending.remove(place).position;
        for earlier in &mut self.pending[..place] {
            earlier.position = taken;
        }
        Some(taken)
    }

    /// The offsets of a transaction that is aborted.
    pub fn drop_offsets(&mut self, id: u16) {
        let outcome = Outcome::Abort;
        self.journal.note(Happening::OffsetsEnded { id, outcome });
        self.remove_offsets(id);
    }

    fn remove_offsets(&mut self, id: u16) {
        if let Some(place) = self.pending.iter().position(|own| own.id == id) {
            self.pending.remove(place);
        }
    }

    /// The reader takes a result before its transaction has ended.
    pub fn take_early(&mut self, id: u16, record: u16) {
        let early = ReadEarly { id, record };
        if !self.made_good.contains(record) && !self.read_early.contains(&early) {
            self.read_early.push(early);
            self.read_early.sort_unstable();
        }
    }

    /// A committed result of the record: what the reader took early of it stands.
    pub fn make_good(&mut self, record: u16) {
        self.made_good.insert(record);
        for place in (0..self.read_early.len()).rev() {
            if self.read_early[place].record == record {
                self.read_early.remove(place);
            }
        }
    }

    /// Whether a transaction that wrote a result of the record is open, and the reader took that.
    pub fn is_in_doubt(&self, record: u16) -> bool {
        self.read_early.iter().any(|early| early.record == record)
    }

    /// What the reader took early of the transaction that ends is made good, or was aborted.
    pub(crate) fn end_early(&mut self, id: u16, commits: bool) {
        for place in (0..self.read_early.len()).rev() {
            if self.read_early[place].id == id {
                let ended = self.read_early.remove(place);
                if commits {
                    self.made_good.insert(ended.record);
                }
            }
        }
        for place in (0..self.read_early.len()).rev() {
            if self.made_good.contains(self.read_early[place].record) {
                self.read_early.remove(place);
            }
        }
    }

    /// A marker of the transaction's end lies in the partition: what it wrote is committed, or gone.
    /// Of a record that the reader will see twice already, once more tells nothing.
    pub fn end_records(&mut self, id: u16, commits: bool) {
        let outcome = match commits {
            true => Outcome::Commit,
            false => Outcome::Abort,
        };
        self.journal.note(Happening::Ended { id, outcome });
        self.end_early(id, commits);
        for place in (0..self.unseen.len()).rev() {
            let own = &mut self.unseen[place];
            if own.id != id || own.committed {
                continue;
            }
            if commits {
                own.committed = true;
            } else {
                self.unseen.remove(place);
            }
        }
        for place in (0..self.unseen.len()).rev() {
            let own = self.unseen[place];
            let before = self.unseen[..place].iter();
            let same = before.filter(|other| other.committed && other.record == own.record);
            if own.committed && same.count() >= 2 {
                self.unseen.remove(place);
            }
        }
    }

    /// The next record that the reader of committed records may take.
    pub fn next_stable(&mut self) -> Option<u16> {
        let first = self.unseen.first().copied()?;
        first.committed.then(|| {
            self.unseen.remove(0);
            first.record
        })
    }

    /// A transactional id that nobody uses any more, and whose transaction has ended, is forgotten.
    pub fn forget_id(&mut self, id: u16) {
        self.journal.note(Happening::Forgotten(id));
        self.transactions.remove(usize::from(id));
        let later = |own: &mut u16| *own -= u16::from(*own > id);
        self.unseen.iter_mut().for_each(|own| later(&mut own.id));
        self.read_early
            .iter_mut()
            .for_each(|own| later(&mut own.id));
        self.pending.iter_mut().for_each(|own| later(&mut own.id));
    }

    /// A transaction of a process that is gone gets an id of its own behind the others, which its
    /// returns.
    pub fn orphan(&mut self, id: u16) -> u16 {
        self.journal.note(Happening::Orphaned(id));
        let orphan = self.transactions.len() as u16;
        let old = std::mem::replace(&mut self.transactions[usize::from(id)], initialised());
        self.transactions.push(old);
        let moved = |own: &mut u16| {
            if *own == id {
                *own = orphan;
            }
        };
        self.unseen.iter_mut().for_each(|own| moved(&mut own.id));
        self.read_early
            .iter_mut()
            .for_each(|own| moved(&mut own.id));
        self.read_early.sort_unstable();
        self.pending.iter_mut().for_each(|own| moved(&mut own.id));
        orphan
    }
}

/// How many transactional ids there are beside those of processes that are gone.
pub fn ids(pipeline: &Pipeline) -> u16 {
    match pipeline.consumer.output.transactional_id {
        TransactionalId::Stable | TransactionalId::PerStart => pipeline.group.instances,
        TransactionalId::PerPartition => 1,
    }
}

/// The transactional id of the consumer's output producer.
pub fn id_of(who: u16, pipeline: &Pipeline) -> u16 {
    match pipeline.consumer.output.transactional_id {
        TransactionalId::Stable | TransactionalId::PerStart => who,
        TransactionalId::PerPartition => 0,
    }
}

/// A transactional id whose producer has just been initialised.
pub fn initialised() -> Transaction {
    Transaction {
        phase: Phase::Empty,
        ..Transaction::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offset::NextOffset;

    fn at(next: u16) -> Position {
        Position::bare(NextOffset(next))
    }

    #[test]
    fn of_pending_offsets_the_last_that_came_wins_whichever_marker_is_first() {
        let pending = || {
            let mut output = Output::default();
            output.add_offsets(0, at(1));
            output.add_offsets(1, at(2));
            output
        };
        let mut output = pending();
        assert_eq!(output.take_offsets(1), Some(at(2)));
        assert_eq!(output.take_offsets(0), Some(at(2)), "it came before");
        let mut output = pending();
        assert_eq!(output.take_offsets(0), Some(at(1)));
        assert_eq!(output.take_offsets(1), Some(at(2)));
        let mut output = pending();
        output.overrule(at(5));
        assert_eq!(output.take_offsets(1), Some(at(5)));
    }

    #[test]
    fn nothing_is_seen_beyond_the_first_open_transaction() {
        let mut output = Output::default();
        for (record, id) in [(0, 0), (1, 1), (2, 0)] {
            let committed = false;
            output.unseen.push(Unseen {
                record,
                id,
                committed,
            });
        }
        output.end_records(1, true);
        assert_eq!(output.next_stable(), None, "r0 is open");
        output.end_records(0, false);
        assert_eq!(output.next_stable(), Some(1));
        assert_eq!(output.next_stable(), None);
    }

    #[test]
    fn what_a_dead_process_left_open_keeps_its_records_and_offsets() {
        let mut output = Output::default();
        output.transactions.push(initialised());
        output.transactions.push(initialised());
        output.unseen.push(Unseen::default());
        output.add_offsets(0, at(1));
        let orphan = output.orphan(0);
        assert_eq!(
            (orphan, output.unseen[0].id, output.pending[0].id),
            (2, 2, 2)
        );
        output.end_records(orphan, false);
        output.drop_offsets(orphan);
        output.forget_id(orphan);
        assert_eq!(output.transactions.len(), 2);
    }
}
