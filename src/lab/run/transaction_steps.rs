//! What a step does to transactions on disk: records and markers in a topic's log, and the coordinator's own
//! log.
//!
//! What the coordinator answers is the model's to say; what it keeps lies on the disk, and the partition
//! leader asks what lies there.

use super::{LabError, Run};
use crate::lab::log::Produced;
use crate::lab::rig::{LogOf, Side, offset};
use crate::lab::transaction_log::TransactionalId;
use crate::lab::words::{ProducerEpoch, ProducerId};
use semel_models::action::{UnderWay, Unfinished};
use semel_models::broker::{AppendResult, Broker, NotInTransaction, Stamp};
use semel_models::cluster::State;
use semel_models::transaction_coordinator::{
    CoordinatorAnswer, Part, Transaction, TransactionVersion,
};

/// The upstream's transactional id.
const UPSTREAM: TransactionalId = TransactionalId(0);

/// The coordinator's key of an output producer; 0 is the upstream's.
pub(super) fn output_key(producer: ProducerId) -> TransactionalId {
    TransactionalId(producer.0)
}

impl Run {
    /// A produce request of a topic's transactional producer is handled by a leader, which has `broker`.
    pub(super) fn produce_in_transaction(
        &mut self,
        to: LogOf,
        mut broker: Broker,
        record: u16,
        stamp: Stamp,
    ) -> Result<(), LabError> {
        let side = to.side();
        let key = self.key(side, stamp.session);
        let mut id = self.transaction_of(side, stamp.session);
        let (part, on_the_wire) = (side.part(), self.rig.stamp(side, stamp));
        let pipeline = side.pipeline(&self.cluster);
        let (topic, rules) = (&pipeline.topic, pipeline.rules);
        let (known, end) = (broker.offset_of(stamp), broker.log_end());
        let ends = (&mut id, part);
        let expected = match broker.append_in_transaction(record, stamp, ends, topic, &rules) {
            Ok(AppendResult::Appended) => Produced::Appended(offset(end)),
            Ok(AppendResult::Duplicate) => Produced::Duplicate(offset(known.unwrap_or(end))),
            Ok(AppendResult::OutOfOrder) => Produced::OutOfOrder,
            Ok(AppendResult::StaleEpoch) => Produced::StaleEpoch,
            Ok(AppendResult::UnknownProducerId) => Produced::UnknownProducerId,
            Err(NotInTransaction::Concurrent) => Produced::Concurrent,
            Err(NotInTransaction::NotAdded) => Produced::NotAdded,
        };
        let mut kept = self.rig.transactions().get(key);
        let ask = || match rules.transactions.version {
            TransactionVersion::One if !rules.transactions.verifies => CoordinatorAnswer::Done,
            TransactionVersion::One => kept.verify(stamp.epoch, part),
            TransactionVersion::Two => kept.add(stamp.epoch, part),
        };
        let record = self.rig.record(record);
        let log = self.rig.log_of_mut(to);
        let produced = log.append_in_transaction(on_the_wire, &record, ask)?;
        self.agree("the answer to the produce request", expected, produced)
    }

    /// The coordinator has the marker of a topic's partition written by the leader.
    pub(super) fn write_marker(&mut self, side: Side, session: u16) -> Result<(), LabError> {
        let kept = self.rig.transactions().get(self.key(side, session));
        let mut markers = kept.markers();
        let Some(marker) = markers.find(|marker| marker.part == side.part()) else {
            return Ok(());
        };
        let (leader, mut broker) = match side.replication(&self.state) {
            None => (0, self.state.broker.clone()),
            Some(replication) => match replication.controller.leader {
                Some(leader) => (leader, replication.replica(leader).broker.clone()),
                None => return Ok(()),
            },
        };
        let pipeline = side.pipeline(&self.cluster);
        let end = broker.log_end();
        let says = broker.append_marker(session, marker, &pipeline.topic, &pipeline.rules);
        let expected = match says {
            AppendResult::Appended => Produced::Appended(offset(end)),
            AppendResult::StaleEpoch
            | AppendResult::Duplicate
            | AppendResult::OutOfOrder
            | AppendResult::UnknownProducerId => Produced::StaleEpoch,
        };
        let epoch = ProducerEpoch(marker.epoch.into());
        let producer = self.rig.producer(side, session);
        let log = self.rig.topic_mut(side).log_mut(leader);
        let written = log.append_marker(producer, epoch, marker.outcome)?;
        self.agree("the answer to the marker", expected, written)
    }

    /// Another broker becomes the coordinator: what was under way to the old one has been written by that, or
    /// is lost. A marker that it had the leader write and did not note is in the partition's log alone.
    pub(super) fn fail_transactions_over(
        &mut self,
        under_way: UnderWay,
        after: &State,
    ) -> Result<(), LabError> {
        match under_way {
            UnderWay::Lost => {}
            UnderWay::Written => self.keep_transactions(after)?,
            UnderWay::Marker => self.write_marker(Side::Input, self.state.producer.session)?,
        }
        self.rig.replace_transaction_coordinator()?;
        self.compare_transactions(after)
    }

    /// Another broker becomes the coordinator of output producers: all that it knows is what it reads. Of what
    /// the old one left undone only a marker is on a disk; where no fault strikes the output topic, it is told
    /// in the journal.
    pub(super) fn fail_output_transactions_over(
        &mut self,
        unfinished: Unfinished,
    ) -> Result<(), LabError> {
        let replicated = self.cluster.output_topic().is_some();
        match unfinished {
            Unfinished::Marker {
                id,
                part: Part::Output,
            } if replicated => {
                self.write_marker_once(id)?;
            }
            Unfinished::Marker { .. } | Unfinished::Question { .. } | Unfinished::Epoch { .. } => {}
        }
        self.rig.replace_transaction_coordinator()
    }

    /// The marker lies in the log already where it waits for its replicas.
    fn write_marker_once(&mut self, id: u16) -> Result<(), LabError> {
        let output = self.state.output.as_deref();
        let log = output.and_then(|own| own.log.as_deref());
        let waits = log.is_some_and(|log| log.replicating[usize::from(id)].is_some());
        match waits {
            true => Ok(()),
            false => self.write_marker(Side::Output, id),
        }
    }

    /// The coordinator writes down what has changed.
    pub(super) fn keep_transactions(&mut self, after: &State) -> Result<(), LabError> {
        let now = self.transaction(after);
        if self.rig.transactions().get(UPSTREAM) != now {
            self.rig.transactions_mut().write(UPSTREAM, now)?;
        }
        Ok(())
    }

    /// Compares what the coordinator reads of its log with what the model keeps.
    pub(super) fn compare_transactions(&self, state: &State) -> Result<(), LabError> {
        let kept = self.rig.transactions().get(UPSTREAM);
        self.agree("the transaction", self.transaction(state), kept)
    }

    /// The coordinator's key of a session's transactional id.
    fn key(&self, side: Side, session: u16) -> TransactionalId {
        match side {
            Side::Input => UPSTREAM,
            Side::Output => output_key(self.rig.producer(side, session)),
        }
    }

    /// What the model keeps of a session's transactional id before the step.
    fn transaction_of(&self, side: Side, session: u16) -> Transaction {
        match side {
            Side::Input => self.transaction(&self.state),
            Side::Output => {
                let output = self.state.output.as_deref();
                let id = output.and_then(|own| own.transactions.get(usize::from(session)));
                id.copied().unwrap_or_default()
            }
        }
    }

    fn transaction(&self, state: &State) -> Transaction {
        let transactions = state.transactions.as_deref();
        transactions.map_or_else(Transaction::default, |transactions| transactions.id)
    }
}
