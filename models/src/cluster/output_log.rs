//! The log of the output topic where faults can strike it: its reader, its markers, and its canonical form.

use super::{Cluster, State};
use crate::broker::{AppendResult, Standing};
use crate::limbo::Late;
use crate::output::Output;
use crate::output::log::{Next, OutputLog};
use crate::replication::Replication;
use crate::transaction_coordinator::{
    Outcome, Part, Phase as TransactionPhase, TransactionVersion,
};

impl Cluster {
    /// The reader passes one entry; whether it could.
    pub(super) fn read_result(&self, state: &mut State) -> bool {
        let isolation = self.pipeline.consumer.output.isolation;
        let Some(log) = self.log_mut(state) else {
            return false;
        };
        let Some(next) = log.next(isolation) else {
            return false;
        };
        log.pass();
        if let Next::Result {
            record,
            session,
            standing,
        } = next
        {
            self.take_read(state, record, session, standing);
        }
        true
    }

    pub(super) fn take_read(
        &self,
        state: &mut State,
        record: u16,
        session: u16,
        standing: Standing,
    ) {
        if self.limits.reads_early {
            match standing {
                Standing::Open => self.output(state).take_early(session, record),
                Standing::Ended(Outcome::Commit) => self.output(state).make_good(record),
                Standing::Ended(Outcome::Abort) | Standing::Plain | Standing::Marker => {}
            }
        }
        self.see_result(state, record);
    }

    /// Whether what the output topic's leader has stays: it will not be struck.
    pub(super) fn nothing_is_cut_off(&self, state: &State) -> bool {
        let is_led = |log: &OutputLog| log.replication.controller.leader.is_some();
        self.reductions.healthy_replicas
            && self.log(state).is_some_and(is_led)
            && self.brokers_are_spared(state)
    }

    /// Whether a marker can be written to the output topic now.
    pub(super) fn writes_output_marker(&self, state: &State, id: u16) -> bool {
        let Some((log, topic)) = self.log(state).zip(self.output_topic()) else {
            return true;
        };
        let takes = log
            .replication
            .takes_writes(&topic.pipeline.topic.replication);
        takes && log.replicating[usize::from(id)].is_none()
    }

    /// The coordinator has the marker of a transaction be written to the output topic.
    pub(super) fn write_output_marker(&self, state: &mut State, id: u16) {
        match self.append_output_marker(state, id) {
            Some(AppendResult::Appended) | None => {}
            Some(
                AppendResult::StaleEpoch
                | AppendResult::Duplicate
                | AppendResult::OutOfOrder
                | AppendResult::UnknownProducerId,
            ) => self.output_marker_is_written(state, id),
        }
    }

    /// The leader of the output topic handles the marker of a transaction, if one is to be written and none
    /// waits for its replicas.
    pub(super) fn append_output_marker(&self, state: &mut State, id: u16) -> Option<AppendResult> {
        let transaction = *self.transaction(state, id);
        let mut markers = transaction.markers();
        let marker = markers.find(|marker| marker.part == Part::Output)?;
        let topic = self.output_topic()?;
        let log = self.log_mut(state)?;
        if log.replicating[usize::from(id)].is_some() {
            return None;
        }
        let leader = log.replication.controller.leader?;
        let broker = &mut log.replication.replica_mut(leader).broker;
        let (settings, rules) = (&topic.pipeline.topic, &topic.pipeline.rules);
        let says = broker.append_marker(id, marker, settings, rules);
        if says == AppendResult::Appended {
            log.replicating[usize::from(id)] = Some(broker.log_end());
        }
        Some(says)
    }

    /// Markers that the in-sync replicas have are written; where those have become too few, a marker is to
    /// be written again.
    pub(super) fn settle_output_markers(&self, state: &mut State) {
        let Some(topic) = self.output_topic() else {
            return;
        };
        for id in 0..self.limits.transactional_ids {
            let Some(log) = self.log_mut(state) else {
                return;
            };
            let Some(end) = log.replicating[usize::from(id)] else {
                continue;
            };
            let replication = &log.replication;
            if !replication.is_decided(end, &topic.pipeline.rules) {
                continue;
            }
            let is_written = replication.takes_writes(&topic.pipeline.topic.replication);
            log.replicating[usize::from(id)] = None;
            if is_written {
                self.output_marker_is_written(state, id);
            }
        }
    }

    pub(super) fn output_marker_is_written(&self, state: &mut State, id: u16) {
        let transaction = self.transaction(state, id);
        let TransactionPhase::Prepared(outcome) = transaction.phase else {
            return;
        };
        transaction.marker_is_written(Part::Output);
        self.output(state).end_early(id, outcome == Outcome::Commit);
    }

    /// Another leader epoch begins: a marker that waits for the in-sync replicas is not answered, and the
    /// reader goes back to what it has in common with the new leader.
    pub(super) fn begin_output_epoch(&self, state: &mut State) {
        if let Some(log) = self.log_mut(state) {
            log.replicating.iter_mut().for_each(|end| *end = None);
            log.turn_back();
        }
    }

    /// Whether results of the record lie in the output topic that its reader has not come to.
    pub fn output_holds(&self, state: &State, record: u16) -> bool {
        let isolation = self.pipeline.consumer.output.isolation;
        let waits = |output: &Output| output.unseen.iter().any(|own| own.record == record);
        match self.log(state) {
            Some(log) => log.holds(record, isolation),
            None => state.output.as_deref().is_some_and(waits),
        }
    }

    /// Whether the output topic has a leader, where it can be without one.
    pub(super) fn output_is_readable(&self, state: &State) -> bool {
        let log = self.log(state);
        log.is_none_or(|log| log.replication.controller.leader.is_some())
    }

    /// The canonical form of the epochs of producers: what nobody has any more is one epoch, and the
    /// smallest is 0. Only what is newer, older and the next is ever asked for. Single runs keep the numbers.
    pub(super) fn normalize_output_epochs(&self, state: &mut State) {
        if self.pipeline.consumer.output.idempotence {
            self.forget_late_sessions(state);
            for who in self.everyone() {
                self.normalize_epochs_of(state, who);
            }
        }
    }

    /// A late produce request whose number is an old one is refused, or a repeat, whenever it arrives, once nothing
    /// is cut off and no producer id forgotten: where results have a log, of either topic.
    pub(super) fn forget_repeats(&self, state: &mut State) {
        let Some(topic) = self
            .output_topic()
            .filter(|_| self.brokers_are_spared(state))
        else {
            return;
        };
        if !self.limits.transactions
            && let Some(leader) = state.replication.as_deref().and_then(Replication::leading)
        {
            state.limbo.retain(|late| !leader.has_passed(late));
        }
        // A leader of version 2 has the partition of a repeat added, too.
        let adds = topic.limits.transactions && self.version() == TransactionVersion::Two;
        if let Some(log) = self.log_mut(state).filter(|_| !adds)
            && let Some(leader) = log.replication.leading()
        {
            log.limbo.retain(|late| !leader.has_passed(late));
        }
    }

    /// A reduction: what the reader has passed is forgotten (`output/passed.rs`).
    pub(super) fn forget_passed_results(&self, state: &mut State) {
        let Some(topic) = self.output_topic() else {
            return;
        };
        let replicas = topic.pipeline.topic.replication.replicas;
        let stays = self.brokers_are_spared(state);
        let Some(log) = self.log_mut(state) else {
            return;
        };
        if stays && log.is_passed_everywhere(replicas) && log.forget_passed(replicas) {
            self.normalize_output_epochs(state);
        }
    }

    /// The canonical form of what is late: where nothing is any more of a process that is gone, its producer id
    /// is forgotten.
    fn forget_late_sessions(&self, state: &mut State) {
        let last = self.output_topic().map(|topic| topic.limits.sessions);
        if let Some((last, log)) = last.zip(self.log_mut(state)) {
            log.forget_ended_sessions(last);
        }
    }

    fn normalize_epochs_of(&self, state: &mut State, who: u16) {
        let runs = state.consumers[usize::from(who)].is_running();
        let (transactional, library) = (self.has_transactions(), self.pipeline.client);
        let lacks_epoch = self.lacks_epoch(state, who);
        let Some(output) = state.output.as_deref_mut() else {
            return;
        };
        let Some(log) = output.log.as_deref_mut() else {
            return;
        };
        let index = usize::from(who);
        let client = &mut log.clients[index];
        client.forget_other_library(library);
        let mut oldest = client.oldest_epoch(library, runs || !transactional);
        let late = log.limbo.requests.iter().filter_map(Late::stamp);
        let late = late.filter(|stamp| stamp.session == who);
        oldest = late.map(|stamp| stamp.epoch).fold(oldest, u16::min);
        if transactional {
            let transaction = &mut output.transactions[index];
            let current = output.producers[index].epoch;
            let asks_with = |last: &u16| lacks_epoch && runs && *last == current;
            transaction.last_epoch = transaction.last_epoch.filter(asks_with);
            oldest = oldest.min(transaction.epoch);
            match runs {
                true => oldest = oldest.min(output.producers[index].epoch),
                false => output.producers[index].epoch = 0,
            }
        }
        if self.for_running {
            return;
        }
        let least = log.flatten_epochs(who, oldest);
        let lower = |epoch: &mut u16| *epoch = epoch.saturating_sub(least);
        log.clients[index].each_epoch(&mut { lower });
        log.limbo
            .each_stamp_of(who, |stamp| lower(&mut stamp.epoch));
        log.each_entry_of(who, &mut |entry| lower(&mut entry.stamp.epoch));
        if transactional {
            let transaction = &mut output.transactions[index];
            lower(&mut transaction.epoch);
            transaction.last_epoch.iter_mut().for_each(lower);
            lower(&mut output.producers[index].epoch);
        }
    }
}
