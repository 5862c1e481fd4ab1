//! What a step does to the output topic and to the offsets of transactions, and that both are as they
//! should be.

use super::transaction_steps::output_key;
use super::{LabError, Run};
use crate::lab::log::Produced;
use crate::lab::rig::{offset, stored};
use crate::lab::sink::Prepared;
use crate::lab::transaction_log::TransactionalId;
use crate::lab::words::LeaderEpoch;
use semel_models::cluster::State;
use semel_models::output::journal::Happening;
use semel_models::output::{self, Output};
use semel_models::pipeline::Isolation;
use semel_models::transaction_coordinator::Transaction;

impl Run {
    /// Does what the step did to the output topic, in its order.
    pub(super) fn write_results(&mut self, after: &State) -> Result<(), LabError> {
        let Some(output) = after.output.as_deref() else {
            return Ok(());
        };
        for happening in output.journal.happened() {
            self.happen(happening, after.group.generation)?;
        }
        self.keep_output_transactions(output)?;
        self.tell_epochs_of_output(output);
        Ok(())
    }

    fn happen(&mut self, happening: Happening, generation: u16) -> Result<(), LabError> {
        match happening {
            Happening::Appended { record, id } => {
                let record = self.rig.record(record);
                let appended = self.rig.results_mut().append(&record, id)?;
                self.is_appended(appended)
            }
            Happening::Ended { id, outcome } => {
                let marked = self.rig.results_mut().end(id, outcome)?;
                self.is_appended(marked)
            }
            Happening::Raised(id) => {
                self.rig.results_mut().raise(id);
                Ok(())
            }
            Happening::Resumed { who, id, commits } => self.resume(who, id, commits),
            Happening::OffsetsSent { id, position } => {
                let producer = self.rig.results().producer(id);
                Ok(self
                    .rig
                    .commit_in_transaction(producer, position, generation)?)
            }
            Happening::OffsetsEnded { id, outcome } => {
                let producer = self.rig.results().producer(id);
                Ok(self.rig.end_offsets(producer, outcome)?)
            }
            Happening::Committed(position) => {
                Ok(self.rig.commit([Some(position), None], generation)?)
            }
            Happening::Orphaned(id) => {
                self.rig.results_mut().orphan(id);
                Ok(())
            }
            Happening::Forgotten(id) => {
                self.rig.results_mut().forget(id);
                Ok(())
            }
            Happening::Renewed { who, behind } => {
                self.rig.results_mut().renew(who, behind);
                Ok(())
            }
        }
    }

    fn is_appended(&self, produced: Produced) -> Result<(), LabError> {
        let is_appended = matches!(produced, Produced::Appended(_));
        self.agree("whether the output topic takes it", true, is_appended)
    }

    /// The coordinator writes down what has changed of each transactional id.
    fn keep_output_transactions(&mut self, output: &Output) -> Result<(), LabError> {
        for (id, transaction) in (0..).zip(output.transactions.iter()) {
            let (key, now) = self.kept(id, *transaction);
            if self.rig.transactions().get(key) != now {
                self.rig.transactions_mut().write(key, now)?;
            }
        }
        Ok(())
    }

    /// A transactional id as its coordinator keeps it: with the epoch that it has on the wire. Where faults
    /// can strike the output topic that is the model's own.
    fn kept(&self, id: u16, transaction: Transaction) -> (TransactionalId, Transaction) {
        let results = self.rig.results();
        let Prepared { producer, epoch } = results.identity(id);
        let epoch = match results.reader() {
            Some(_) => transaction.epoch,
            None => epoch.0 as u16,
        };
        let kept = Transaction {
            epoch,
            ..transaction
        };
        (output_key(producer), kept)
    }

    /// The output producers whose epoch is in force have it from their coordinator.
    fn tell_epochs_of_output(&mut self, output: &Output) {
        let instances = self.cluster.pipeline().group.instances;
        for (who, producer) in (0..instances).zip(&output.producers) {
            let id = output::id_of(who, self.cluster.pipeline());
            let transaction = output.transactions.get(usize::from(id));
            if transaction.is_some_and(|own| !own.has_fenced(producer.epoch)) {
                self.rig.results_mut().tell(who, id);
            }
        }
    }

    /// The reader of an output topic whose brokers can be struck comes as far as it did in the model.
    pub(super) fn read_results(&mut self, after: &State) -> Result<(), LabError> {
        let log = after.output.as_deref().and_then(|own| own.log.as_deref());
        let Some(log) = log else {
            return Ok(());
        };
        let isolation = self.cluster.pipeline().consumer.output.isolation;
        if let Some(leader) = log.replication.controller.leader {
            let (to, visible) = (offset(log.read), offset(log.replication.visible));
            let results = self.rig.results_mut();
            results.read_on(to, leader, isolation, visible)?;
        }
        let reader = self.rig.results().reader();
        let reader = reader.map(|reader| reader.position());
        let expected = (offset(log.read), LeaderEpoch(log.read_epoch.into()));
        self.agree("how far the results are read", Some(expected), reader)?;
        self.compare_seen_results(after)
    }

    /// Compares the output topic, the offsets that are pending and what the coordinator keeps with the
    /// model's.
    pub(super) fn compare_results(&mut self, state: &State) -> Result<(), LabError> {
        let Some(output) = state.output.as_deref() else {
            return Ok(());
        };
        let results = self.rig.results();
        // Once a result is committed nobody asks whose it is, and the id may be forgotten.
        let unseen = output.unseen.iter().map(|own| {
            let by = (!own.committed).then(|| results.producer(own.id));
            (own.record, by, own.committed)
        });
        let real = match self.reads_committed_results() {
            true => results.unseen(),
            false => Vec::new(),
        };
        let real = real.into_iter().map(|(record, by, committed)| {
            let by = (!committed).then_some(by);
            (record, by, committed)
        });
        let real: Vec<_> = real.collect();
        self.agree("the results that nobody sees yet", unseen.collect(), real)?;
        let pending = output.pending.iter();
        let pending = pending.map(|own| (results.producer(own.id), stored(own.position)));
        let real = self.rig.pending_offsets();
        self.agree("the offsets that are pending", pending.collect(), real)?;
        for (id, transaction) in (0..).zip(output.transactions.iter()) {
            let (key, expected) = self.kept(id, *transaction);
            self.agree("a transaction", expected, self.rig.transactions().get(key))?;
        }
        self.compare_prepared(output)
    }

    /// Compares how often the reader of the topic has seen each result.
    pub(super) fn compare_seen_results(&self, state: &State) -> Result<(), LabError> {
        let Some(output) = state.output.as_deref() else {
            return Ok(());
        };
        let consumer = &self.cluster.pipeline().consumer;
        if !consumer.produces() {
            return Ok(());
        }
        let mut times = vec![0; usize::from(self.cluster.pipeline().bounds.records)];
        for record in self.rig.results().seen(consumer.output.isolation)? {
            let seen: &mut u16 = &mut times[usize::from(record)];
            *seen = (*seen + 1).min(2);
        }
        let expected = match consumer.only_produces() {
            true => state.ledger.handled.iter(),
            false => output.produced.iter(),
        };
        let expected = expected.map(|times| (*times).min(2));
        self.agree("how often each result is seen", expected.collect(), times)
    }

    fn reads_committed_results(&self) -> bool {
        self.cluster.pipeline().consumer.output.isolation == Isolation::ReadCommitted
    }
}
