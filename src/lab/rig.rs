//! The files and the database of one run.

mod forms;
mod side;

pub(super) use forms::{offset, producer_id, stored};
pub(super) use side::Side;

use forms::{commit, wire};

use super::disk::{StorageError, Sync, Tear};
use super::log::{Log, LogSettings, Produced, Record};
use super::offsets::OffsetLog;
use super::results::Results;
use super::run::LabError;
use super::sink::{Database, SqlSink};
use super::topic::{Replicas, Topic};
use super::transaction_log::TransactionLog;
use super::words::{LeaderEpoch, NextOffset, Offset, Position, ProducerId, Stamp};
use semel_models::broker;
use semel_models::offset;
use semel_models::output;
use semel_models::pipeline::Pipeline;
use semel_models::transaction_coordinator::Outcome;
use std::path::{Path, PathBuf};

/// What a run has on the disk: the logs of the topics, the group's committed offsets, and the sink, to which
/// each consumer has a connection of its own.
#[derive(Debug)]
pub(super) struct Rig {
    directory: PathBuf,
    settings: LogSettings,
    pipeline: Pipeline,
    /// The topic that the consumers read: its first partition.
    input: Topic,
    /// That of the second partition, once there is one. Nothing stops its broker.
    second: Option<Topic>,
    offsets: Slot<OffsetLog>,
    transactions: Slot<TransactionLog>,
    /// The output topic, where the design has one.
    results: Option<Results>,
    sinks: Vec<Slot<SqlSink>>,
    database: Database,
}

/// A record as a poll returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Polled {
    pub(super) offset: Offset,
    pub(super) record: u16,
    pub(super) leader_epoch: LeaderEpoch,
}

/// A log that takes produce requests and fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogOf {
    /// That of a broker's replica of a topic.
    Replica(Side, u16),
    /// That of the first topic's second partition.
    Second,
}

impl LogOf {
    /// The topic.
    pub(super) fn side(self) -> Side {
        match self {
            LogOf::Replica(side, _) => side,
            LogOf::Second => Side::Input,
        }
    }
}

/// Something that is closed and opened again.
type Slot<T> = Option<T>;

const ADDED: &str = "the second partition has been added";
const OPEN: &str = "it is open between two steps";

impl Rig {
    /// Opens what is in `directory` and in `database`, or begins there.
    pub(super) fn open(
        directory: &Path,
        pipeline: &Pipeline,
        sync: Sync,
        segment_bytes: u64,
        database: Database,
    ) -> Result<Rig, LabError> {
        let settings = LogSettings {
            segment_bytes: match pipeline.topic.cleaned {
                // Where the closed segments end is open: each record has one of its own.
                true => 1,
                false => segment_bytes,
            },
            flush_messages: pipeline.topic.flush_messages,
            compacted: pipeline.topic.cleaned,
            rules: pipeline.rules,
            sync,
        };
        let replicas = match pipeline.tells_replicas_apart() {
            true => Replicas::Apart(pipeline.topic.replication.replicas),
            false => Replicas::AsOne,
        };
        let partition = directory.join("topic-0");
        let mut rig = Rig {
            directory: directory.to_owned(),
            input: Topic::open(&partition, settings.clone(), replicas)?,
            settings,
            pipeline: pipeline.clone(),
            second: None,
            offsets: None,
            transactions: None,
            results: None,
            sinks: Vec::new(),
            database,
        };
        if pipeline.bounds.partitions > 1 || rig.path_of_second().exists() {
            rig.add_partition()?;
        }
        rig.open_offsets()?;
        rig.open_transactions()?;
        rig.open_results()?;
        for _ in 0..pipeline.group.instances {
            let sink = rig.database.connect()?;
            rig.sinks.push(Some(sink));
        }
        Ok(rig)
    }

    /// The log of this broker's replica of the first topic.
    pub(super) fn log(&self, who: u16) -> &Log {
        self.input.log(who)
    }

    pub(super) fn log_mut(&mut self, who: u16) -> &mut Log {
        self.input.log_mut(who)
    }

    /// The log of the second partition; `None`: it has not been added.
    pub(super) fn second(&self) -> Option<&Log> {
        self.second.as_ref().map(|second| second.log(0))
    }

    /// The log that a leader has of its partition.
    pub(super) fn log_of(&self, of: LogOf) -> &Log {
        match of {
            LogOf::Replica(side, who) => self.topic(side).log(who),
            LogOf::Second => self.second.as_ref().expect(ADDED).log(0),
        }
    }

    pub(super) fn log_of_mut(&mut self, of: LogOf) -> &mut Log {
        match of {
            LogOf::Replica(side, who) => self.topic_mut(side).log_mut(who),
            LogOf::Second => self.second.as_mut().expect(ADDED).log_mut(0),
        }
    }

    /// The topic gets its second partition.
    pub(super) fn add_partition(&mut self) -> Result<(), LabError> {
        let (path, settings) = (self.path_of_second(), self.settings.clone());
        self.second = Some(Topic::open(&path, settings, Replicas::AsOne)?);
        Ok(())
    }

    fn path_of_second(&self) -> PathBuf {
        self.directory.join("topic-1")
    }

    /// The logs of a topic.
    pub(super) fn topic(&self, side: Side) -> &Topic {
        match side {
            Side::Input => &self.input,
            Side::Output => self.results().topic(),
        }
    }

    pub(super) fn topic_mut(&mut self, side: Side) -> &mut Topic {
        match side {
            Side::Input => &mut self.input,
            Side::Output => self.results_mut().topic_mut(),
        }
    }

    pub(super) fn sink(&mut self, who: u16) -> &mut SqlSink {
        self.sinks[usize::from(who)].as_mut().expect(OPEN)
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// What the transaction coordinator keeps.
    pub(super) fn transactions(&self) -> &TransactionLog {
        self.transactions.as_ref().expect(OPEN)
    }

    pub(super) fn transactions_mut(&mut self) -> &mut TransactionLog {
        self.transactions.as_mut().expect(OPEN)
    }

    /// The output topic.
    pub(super) fn results(&self) -> &Results {
        self.results.as_ref().expect(OPEN)
    }

    pub(super) fn results_mut(&mut self) -> &mut Results {
        self.results.as_mut().expect(OPEN)
    }

    /// Offsets of a transaction arrive.
    pub(super) fn commit_in_transaction(
        &mut self,
        producer: ProducerId,
        position: offset::Position,
        generation: u16,
    ) -> Result<(), StorageError> {
        let commit = commit(position, generation);
        let offsets = self.offsets.as_mut().expect(OPEN);
        offsets.commit_in_transaction(producer, commit)
    }

    /// The marker of a transaction is written among the offsets.
    pub(super) fn end_offsets(
        &mut self,
        producer: ProducerId,
        outcome: Outcome,
    ) -> Result<(), StorageError> {
        let offsets = self.offsets.as_mut().expect(OPEN);
        offsets.end_transaction(producer, outcome)
    }

    /// The offsets of transactions under way.
    pub(super) fn pending_offsets(&self) -> Vec<(ProducerId, Position)> {
        let pending = self.offsets.as_ref().expect(OPEN).pending();
        pending
            .map(|(producer, commit)| (producer, commit.position))
            .collect()
    }

    /// What the group has committed, by partition.
    pub(super) fn committed(&self) -> [Option<Position>; 2] {
        let commits = self.offsets.as_ref().expect(OPEN).committed_by_partition();
        commits.map(|commit| Some(commit?.position))
    }

    /// A broker handles a produce request.
    pub(super) fn produce(
        &mut self,
        to: LogOf,
        record: u16,
        stamp: Option<broker::Stamp>,
    ) -> Result<Produced, StorageError> {
        let record = self.record(record);
        let stamp = stamp.map(|stamp| self.stamp(to.side(), stamp));
        self.log_of_mut(to).append(stamp, &record)
    }

    /// A stamp of a topic's producer as it is on the wire.
    pub(super) fn stamp(&self, side: Side, stamp: broker::Stamp) -> Stamp {
        Stamp {
            producer: self.producer(side, stamp.session),
            ..wire(stamp)
        }
    }

    /// The producer id of a session of a topic's producer.
    pub(super) fn producer(&self, side: Side, session: u16) -> ProducerId {
        match side {
            Side::Input => producer_id(session),
            Side::Output => self.results().producer(session),
        }
    }

    /// The records that a poll returns of a log from `next` on, at most `count`, as far as it is readable
    /// below `end`.
    pub(super) fn fetch(
        &self,
        of: LogOf,
        next: u16,
        count: u16,
        end: Offset,
    ) -> Result<Vec<Polled>, StorageError> {
        let isolation = self.pipeline.isolation();
        let from = NextOffset(next.into());
        let batches = self.log_of(of).read(from, count.into(), isolation, end)?;
        let polled = batches.into_iter().filter_map(|batch| {
            Some(Polled {
                offset: batch.offset,
                record: batch.record?.id.0 as u16,
                leader_epoch: batch.leader_epoch,
            })
        });
        Ok(polled.collect())
    }

    /// The record as its producer sends it.
    pub(super) fn record(&self, record: u16) -> Record {
        let key = record % self.pipeline.bounds.keys;
        Record {
            key: key.to_be_bytes().to_vec(),
            ..Record::bare(record.into())
        }
    }

    /// The group commits these, by partition, with one request.
    pub(super) fn commit(
        &mut self,
        positions: [Option<offset::Position>; 2],
        generation: u16,
    ) -> Result<(), StorageError> {
        let offsets = self.offsets.as_mut().expect(OPEN);
        offsets.commit_by_partition(positions.map(|position| Some(commit(position?, generation))))
    }

    /// The group's offsets expire.
    pub(super) fn expire_offsets(&mut self) -> Result<(), StorageError> {
        self.offsets.as_mut().expect(OPEN).expire()
    }

    /// Every coordinator loses power: the commits up to the first of `last` are left.
    pub(super) fn lose_commits(
        &mut self,
        last: Option<offset::Position>,
        torn: Tear,
    ) -> Result<(), LabError> {
        let offsets = self.offsets.take().expect(OPEN);
        offsets.lose_power_after(last.map(stored), torn.kept)?;
        self.open_offsets()
    }

    /// Another broker becomes the group's coordinator, and reads what there is.
    pub(super) fn replace_group_coordinator(&mut self) -> Result<(), LabError> {
        self.offsets = None;
        self.open_offsets()
    }

    /// Another broker becomes the coordinator of transactions, and reads what there is.
    pub(super) fn replace_transaction_coordinator(&mut self) -> Result<(), LabError> {
        self.transactions = None;
        self.open_transactions()
    }

    /// The consumer's process is gone, and its connection to the sink with it.
    pub(super) fn restart_consumer(&mut self, who: u16) -> Result<(), LabError> {
        let place = usize::from(who);
        // The old one first: it may hold the database.
        self.sinks[place] = None;
        let sink = self.database.connect()?;
        self.sinks[place] = Some(sink);
        Ok(())
    }

    fn open_results(&mut self) -> Result<(), LabError> {
        let (consumer, pipeline) = (&self.pipeline.consumer, &self.pipeline);
        let replicas = match pipeline.logs_results() {
            true => Replicas::Apart(consumer.output.replication.replicas),
            false => Replicas::AsOne,
        };
        let producers = match replicas {
            Replicas::Apart(_) => pipeline.group.instances,
            Replicas::AsOne if consumer.has_transactions() => output::ids(pipeline),
            Replicas::AsOne => 0,
        };
        if producers > 0 || consumer.produces() {
            let partition = self.directory.join("output-0");
            let settings = LogSettings {
                flush_messages: consumer.output.flush_messages,
                compacted: false,
                ..self.settings.clone()
            };
            let results = Results::open(&partition, settings, replicas, producers)?;
            self.results = Some(results);
        }
        Ok(())
    }

    fn open_transactions(&mut self) -> Result<(), LabError> {
        let transactions = TransactionLog::open(&self.directory, self.settings.sync)?;
        self.transactions = Some(transactions);
        Ok(())
    }

    fn open_offsets(&mut self) -> Result<(), LabError> {
        let (mut offsets, _) = OffsetLog::open(&self.directory, self.settings.sync)?;
        if !self.pipeline.topic.flushes_internal_topics {
            offsets.leave_to_page_cache();
        }
        self.offsets = Some(offsets);
        Ok(())
    }
}
