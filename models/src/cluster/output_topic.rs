//! The output topic where faults can strike its brokers: its replicas, its clients and its reader.
//!
//! The topic is a pipeline of its own, whose producer is a consumer's output producer. So its brokers,
//! its controller and its clients take the steps that those of the first topic take ([`super::replicas`],
//! [`super::upstream`]): [`Cluster::in_output`] puts what there is of the output topic in the place of
//! what there is of the first, has something be done to it, and puts both back.
//!
//! **Brokers.** The cluster has as many brokers as the topic with more replicas, and the first of them
//! have the replicas of the other. A broker that dies, or loses its power or its disk, does so with both
//! of its replicas; each comes back in a step of its own, as if its log took longer to load. Which broker
//! leads the output topic at first is open, so its first leader is elected in a step.
//!
//! **The reader** takes an entry in a step of its own: what a fault takes from the log, a reader that was
//! late has not seen. Once nothing can be cut off any more, it takes everything at once.
//!
//! **A client that is idle** asks for the leader before it sends: that it goes to one that no longer leads
//! is as if it had sent before the change.

use super::replicas::refuse_waiting;
use super::{Cluster, State};
use crate::action::{Action, LogStep, Place, ReplicaStep, ReplicaStrike, Strike, Target};
use crate::broker::{AppendResult, Broker, Standing};
use crate::consumer::Phase;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::limits::{Room, TooLarge};
use crate::output::client::Client;
use crate::output::log::{Next, OutputLog};
use crate::producer::Sending;
use crate::producer::transactions::{Added, Stage, Transactions};
use crate::program::OutputStep;
use crate::replication::Status;
use crate::transaction_coordinator::{
    CoordinatorAnswer, Outcome, Part, Phase as TransactionPhase, TransactionVersion,
};
use std::sync::Arc;

impl Cluster {
    /// The output topic as a model of its own, where faults can strike it.
    pub(super) fn output_topic_of(&self, room: Room) -> Result<Option<Arc<Cluster>>, TooLarge> {
        if !self.pipeline.strikes_results() {
            return Ok(None);
        }
        let pipeline = self.pipeline.of_results();
        let limits = self.limits.of_results(&pipeline, room)?;
        Ok(Some(Arc::new(Cluster {
            pipeline,
            limits,
            has_replicas: true,
            part: Part::Output,
            ..self.clone()
        })))
    }

    /// The output topic as a model of its own, whose states [`Cluster::turned_output`] gives.
    pub fn output_topic(&self) -> Option<&Cluster> {
        self.output_topic.as_deref()
    }

    /// An empty output topic.
    pub(super) fn empty_output_log(&self) -> Option<Box<OutputLog>> {
        let topic = self.output_topic()?;
        let log = OutputLog::of(&topic.pipeline, self.limits.instances);
        Some(Box::new(log))
    }

    /// Does something to the output topic, with `who`'s output producer, as it would be done to the
    /// first topic.
    fn in_output<T>(
        &self,
        state: &mut State,
        who: u16,
        act: impl FnOnce(&Cluster, &mut State) -> T,
    ) -> Option<T> {
        let topic = self.output_topic()?;
        let mut output = state.output.take()?;
        let transactional = self.has_transactions();
        let id = usize::from(self.id_of(who));
        let done = output.log.as_deref_mut().map(|log| {
            let client = &mut log.clients[usize::from(who)];
            let leader = log.replication.controller.leader;
            // An idle client hears of the leader before it sends.
            let is_idle = client.producer.flights.is_empty();
            log.replication.known = client.known.or(leader.filter(|_| is_idle));
            let mut ledger = Ledger::of(self.limits.records);
            let mut broker = Broker::default();
            let mut transactions = transactional.then(|| {
                Box::new(Transactions {
                    id: output.transactions[id],
                    stage: Stage::Open,
                    added: Added::Yes,
                    ..Transactions::default()
                })
            });
            let mut exchange = |state: &mut State| {
                if let Some(first) = &mut state.replication {
                    std::mem::swap(first, &mut log.replication);
                }
                std::mem::swap(&mut state.producer, &mut client.producer);
                std::mem::swap(&mut state.ledger, &mut ledger);
                std::mem::swap(&mut state.broker, &mut broker);
                std::mem::swap(&mut state.transactions, &mut transactions);
            };
            exchange(state);
            let done = act(topic, state);
            exchange(state);
            client.known = log.replication.known.take();
            if let Some(transactions) = transactions {
                output.transactions[id] = transactions.id;
            }
            done
        });
        state.output = Some(output);
        done
    }

    /// The same state with the output topic, and `who`'s output producer, in the place of the first
    /// topic and its producer, to be looked at.
    pub fn turned_output(&self, state: &State, who: u16) -> Option<State> {
        let mut turned = state.clone();
        self.in_output(&mut turned, who, |_, state| state.clone())
    }

    fn log<'a>(&self, state: &'a State) -> Option<&'a OutputLog> {
        state.output.as_ref()?.log.as_deref()
    }

    fn log_mut<'a>(&self, state: &'a mut State) -> Option<&'a mut OutputLog> {
        state.output.as_mut()?.log.as_deref_mut()
    }

    /// `who`'s client, where the output topic can be struck.
    pub fn output_client<'a>(&self, state: &'a State, who: u16) -> Option<&'a Client> {
        Some(&self.log(state)?.clients[usize::from(who)])
    }

    fn output_client_mut<'a>(&self, state: &'a mut State, who: u16) -> Option<&'a mut Client> {
        Some(&mut self.log_mut(state)?.clients[usize::from(who)])
    }

    /// Whether `who`'s application waits for a result that it has sent.
    pub(super) fn awaits_result(&self, state: &State, who: u16) -> bool {
        self.output_client(state, who)
            .is_some_and(|client| client.awaits)
    }

    /// Whether `who` has sent results of which it has not heard.
    pub(super) fn has_results_under_way(&self, state: &State, who: u16) -> bool {
        let acks = self.pipeline.consumer.output.acks;
        let client = self.output_client(state, who);
        client.is_some_and(|client| client.is_sending(acks))
    }

    /// Adds the enabled steps of the output topic.
    pub(super) fn output_topic_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Some(topic) = self.output_topic() else {
            return;
        };
        for client in self.everyone() {
            let Some(turned) = self.turned_output(state, client) else {
                continue;
            };
            let mut own = Vec::new();
            topic.transmission_actions(&turned, &mut own);
            topic.replica_actions(&turned, &mut own);
            let steps = own.into_iter().filter_map(LogStep::of);
            let steps = steps.filter(|step| client == 0 || step.is_of_client());
            // Until its last transaction has ended the client begins none.
            let waits = self.waits_for_markers(state, client);
            let steps = steps.filter(|step| !waits || *step != LogStep::Transmit);
            actions.extend(steps.map(|does| Action::OutputTopic { client, does }));
        }
        let isolation = self.pipeline.consumer.output.isolation;
        let next = self.log(state).and_then(|log| log.next(isolation));
        if next.is_some() {
            actions.push(Action::ReadResult);
        }
    }

    /// Something happens in the output topic.
    pub(super) fn output_topic_step(&self, state: &mut State, client: u16, does: LogStep) {
        let leads = self.leads_output(state, does);
        match does {
            LogStep::Transmit => self.transmit_result(state, client),
            LogStep::Expire
            | LogStep::FailTooLate
            | LogStep::LearnLeader
            | LogStep::Replica { .. } => {
                self.in_output(state, client, |topic, state| {
                    topic.step(state, does.action());
                });
            }
        }
        match does {
            LogStep::Replica {
                does: ReplicaStep::Elected,
                ..
            } => self.begin_output_epoch(state),
            LogStep::Replica {
                who,
                does: ReplicaStep::Hear,
            } if !leads => self.refuse_everyone_waiting(state, who),
            LogStep::Replica { .. }
            | LogStep::Transmit
            | LogStep::Expire
            | LogStep::FailTooLate
            | LogStep::LearnLeader => {}
        }
    }

    /// Whether the step is about the broker that leads the output topic.
    fn leads_output(&self, state: &State, does: LogStep) -> bool {
        let leader = self
            .log(state)
            .and_then(|log| log.replication.controller.leader);
        match does {
            LogStep::Replica { who, .. } => leader == Some(who),
            LogStep::Transmit | LogStep::Expire | LogStep::FailTooLate | LogStep::LearnLeader => {
                false
            }
        }
    }

    /// A broker hears that it leads no more: what waits there of any client is refused.
    fn refuse_everyone_waiting(&self, state: &mut State, who: u16) {
        for client in self.everyone() {
            self.in_output(state, client, |_, state| refuse_waiting(state, who));
        }
    }

    /// Another leader epoch begins: a marker that waits for the in-sync replicas is not answered, and the
    /// reader goes back to what it has in common with the new leader.
    fn begin_output_epoch(&self, state: &mut State) {
        if let Some(log) = self.log_mut(state) {
            log.replicating.iter_mut().for_each(|end| *end = None);
            log.turn_back();
        }
    }

    /// The client puts a result on the wire. In a transaction of version 1 it has the partition added
    /// before; in one of version 2 the leader does.
    fn transmit_result(&self, state: &mut State, who: u16) {
        if self.has_transactions() {
            let first = self.pipeline.rules.transactions.version == TransactionVersion::One;
            if first && !self.add_part(state, who, Part::Output) {
                self.fail_queued(state, who);
                return;
            }
            self.output_producer_mut(state, who).open = true;
        }
        self.in_output(state, who, |topic, state| {
            topic.step(state, Action::Transmit);
        });
    }

    /// After a result that failed a producer of version 1 asks for another epoch as soon as the transaction
    /// is aborted (KIP-360).
    fn raise_epoch(&self, state: &mut State, who: u16) {
        let raises = self.output_client(state, who).is_some_and(|own| own.raises);
        let waits =
            !raises || self.output_producer(state, who).open || self.waits_for_markers(state, who);
        if waits {
            return;
        }
        let (id, rules) = (self.id_of(who), self.pipeline.rules.transactions);
        let epoch = self.output_producer(state, who).epoch;
        let transaction = self.transaction(state, id);
        if transaction.initialize(Some(epoch), &rules) == CoordinatorAnswer::Done {
            let epoch = transaction.epoch;
            self.output_producer_mut(state, who).epoch = epoch;
        }
        if let Some(client) = self.output_client_mut(state, who) {
            client.raises = false;
        }
        self.take_output_epoch(state, who);
    }

    /// The client goes on in the epoch that the coordinator gave it, if that is another one.
    pub(super) fn take_output_epoch(&self, state: &mut State, who: u16) {
        let epoch = self.output_producer(state, who).epoch;
        let pipeline = &self.pipeline;
        if let Some(client) = self.output_client_mut(state, who)
            && Transactions::epoch(&client.producer, pipeline) != epoch
        {
            client.producer.take_epoch(epoch, pipeline);
        }
    }

    /// The result at hand is sent, and the application waits for its report.
    pub(super) fn send_and_wait(&self, state: &mut State, who: u16) {
        self.enqueue_result(state, who);
        if let Some(client) = self.output_client_mut(state, who) {
            client.awaits = true;
        }
        let transmits = self.in_output(state, who, |topic, state| {
            topic.transmits_to(state).is_some()
        });
        if transmits == Some(true) && !self.waits_for_markers(state, who) {
            self.transmit_result(state, who);
        }
    }

    /// The result at hand is handed to the client.
    pub(super) fn enqueue_result(&self, state: &mut State, who: u16) {
        let record = self.record_at_hand(state, who);
        self.in_output(state, who, |topic, state| {
            let (producer, ledger) = (&mut state.producer, &mut state.ledger);
            producer.send(record, &topic.pipeline, ledger);
        });
    }

    /// Handling is to fail once the result at hand has been reported.
    pub(super) fn fail_after_result(&self, state: &mut State, who: u16) {
        self.send_and_wait(state, who);
        if let Some(client) = self.output_client_mut(state, who) {
            client.fails = true;
        }
    }

    /// What waits in the client cannot be delivered any more.
    fn fail_queued(&self, state: &mut State, who: u16) {
        if let Some(client) = self.output_client_mut(state, who) {
            let producer = &mut client.producer;
            for batch in producer.queue.iter() {
                producer.sending[usize::from(batch.record)] = Sending::Failed;
            }
            producer.queue.truncate(0);
        }
        self.output_producer_mut(state, who).open = true;
    }

    /// What follows at once from a step.
    pub(super) fn settle_output_topic(&self, state: &mut State) {
        if self.output_topic.is_none() {
            return;
        }
        for who in self.everyone() {
            self.in_output(state, who, |topic, state| topic.settle_replicas(state));
        }
        self.settle_output_markers(state);
        for who in self.everyone() {
            self.hear_reports(state, who);
            self.raise_epoch(state, who);
        }
        if self.nothing_is_cut_off(state) {
            while self.read_result(state) {}
        }
        for who in self.everyone() {
            let acks = self.pipeline.consumer.output.acks;
            if let Some(client) = self.output_client_mut(state, who) {
                client.rest(acks);
            }
        }
    }

    /// The application hears what became of its results.
    fn hear_reports(&self, state: &mut State, who: u16) {
        let handles = state.consumers[usize::from(who)].phase == Phase::Handling;
        let at_hand = handles.then(|| self.record_at_hand(state, who));
        let looks = self.looks_at_reports();
        let Some(client) = self.output_client_mut(state, who) else {
            return;
        };
        let awaited = at_hand.filter(|_| client.awaits);
        let mut report = None;
        let mut failed = false;
        for (record, sending) in (0..).zip(client.producer.sending.iter_mut()) {
            match sending {
                Sending::Acknowledged | Sending::Failed if awaited == Some(record) => {
                    report = Some(*sending == Sending::Acknowledged);
                }
                Sending::Failed => failed = true,
                Sending::Acknowledged => {}
                Sending::Unsent | Sending::Pending | Sending::Forgotten | Sending::Aborted => {
                    continue;
                }
            }
            *sending = Sending::Forgotten;
        }
        if failed {
            self.output_producer_mut(state, who).failed |= looks;
            self.will_raise(state, who);
        }
        if let Some(delivered) = report {
            self.hear_of_awaited(state, who, delivered);
        }
    }

    /// The report of the result that is waited for.
    fn hear_of_awaited(&self, state: &mut State, who: u16, delivered: bool) {
        let mut fails = false;
        if let Some(client) = self.output_client_mut(state, who) {
            client.awaits = false;
            fails = std::mem::take(&mut client.fails);
        }
        let cursor = state.consumers[usize::from(who)].cursor;
        if delivered && !fails {
            state.consumers[usize::from(who)].advance(&self.program);
        } else if delivered || !self.has_transactions() {
            self.fail(state, who, Place::Hand(cursor));
        } else if self.failures_are_fatal() {
            self.crash(state, who);
        } else {
            self.will_raise(state, who);
            self.abort_or_end(state, who);
        }
    }

    /// Whether a producer whose result failed can do nothing any more: under version 1, where the
    /// coordinator raises no epoch in force (before KIP-360).
    pub(super) fn failures_are_fatal(&self) -> bool {
        let rules = &self.pipeline.rules.transactions;
        self.output_topic().is_some()
            && rules.version == TransactionVersion::One
            && !rules.epoch_can_be_expected
    }

    /// A delivery failed: under version 1 the client raises its epoch.
    fn will_raise(&self, state: &mut State, who: u16) {
        let raises = self.has_transactions()
            && self.pipeline.rules.transactions.version == TransactionVersion::One;
        if let Some(client) = self.output_client_mut(state, who) {
            client.raises |= raises;
        }
    }

    /// The process of `who` ends, and its client with it: what the broker has not handled is gone.
    pub(super) fn end_output_client(&self, state: &mut State, who: u16) {
        let Some(topic) = self.output_topic() else {
            return;
        };
        let of_process = self.pipeline.consumer.output.idempotence && !self.has_transactions();
        if let Some(log) = self.log_mut(state) {
            log.clients[usize::from(who)] = Client::fresh(who, &topic.pipeline);
            if of_process {
                log.forget_session(who);
            }
        }
    }

    /// The application aborts: what waits in its client is dropped, and what the broker has not handled
    /// never is. (The client waits for that. Whether it is handled before makes no difference to what is
    /// committed, and each of it may be handled before the abort.) Its sequence numbers have a gap then.
    pub(super) fn drop_results(&self, state: &mut State, who: u16) {
        if self.has_results_under_way(state, who) {
            self.will_raise(state, who);
        }
        if let Some(client) = self.output_client_mut(state, who) {
            client.drop_results();
        }
    }

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

    fn take_read(&self, state: &mut State, record: u16, session: u16, standing: Standing) {
        if self.limits.reads_early {
            match standing {
                Standing::Open => self.output(state).take_early(session, record),
                Standing::Ended(Outcome::Commit) => self.output(state).make_good(record),
                Standing::Ended(Outcome::Abort) | Standing::Plain | Standing::Marker => {}
            }
        }
        self.see_result(state, record);
    }

    /// Whether the followers of a leader get everything at once: no fault of brokers is left, so that the
    /// leader stays one. When they get it only decides when requests are answered and results are seen.
    pub(super) fn followers_are_calm(&self, state: &State) -> bool {
        let reduces = self.reductions.healthy_replicas && self.pipeline.strikes_results();
        reduces && self.brokers_are_spared(state)
    }

    /// Whether what the output topic's leader has stays: it will not be struck.
    fn nothing_is_cut_off(&self, state: &State) -> bool {
        let is_led = |log: &OutputLog| log.replication.controller.leader.is_some();
        self.reductions.healthy_replicas
            && self.log(state).is_some_and(is_led)
            && self.brokers_are_spared(state)
    }

    /// Whether no fault of brokers is left.
    fn brokers_are_spared(&self, state: &State) -> bool {
        const CUTS: [Fault; 6] = [
            Fault::BrokerCrash,
            Fault::PowerLoss,
            Fault::PowerLossAll,
            Fault::DiskLoss,
            Fault::LeaderChange,
            Fault::ReplicaLag,
        ];
        let left = |fault| self.budget.has_left(&state.left, state.left_in_all, fault);
        !CUTS.into_iter().any(left)
    }

    /// Whether a marker can be written to the output topic now.
    pub(super) fn writes_output_marker(&self, state: &State, id: u16) -> bool {
        let Some((log, topic)) = self.log(state).zip(self.output_topic()) else {
            return true;
        };
        let controller = &log.replication.controller;
        controller.leader.is_some()
            && controller.in_sync.len() >= topic.pipeline.topic.replication.min_in_sync
            && log.replicating[usize::from(id)].is_none()
    }

    /// The coordinator has the marker of a transaction be written to the output topic.
    pub(super) fn write_output_marker(&self, state: &mut State, id: u16) {
        let transaction = *self.transaction(state, id);
        let mut markers = transaction.markers();
        let Some(marker) = markers.find(|marker| marker.part == Part::Output) else {
            return;
        };
        let Some(topic) = self.output_topic() else {
            return;
        };
        let Some(log) = self.log_mut(state) else {
            return;
        };
        let Some(leader) = log.replication.controller.leader else {
            return;
        };
        let broker = &mut log.replication.replica_mut(leader).broker;
        let (settings, rules) = (&topic.pipeline.topic, &topic.pipeline.rules);
        match broker.append_marker(id, marker, settings, rules) {
            AppendResult::Appended => log.replicating[usize::from(id)] = Some(broker.log_end()),
            AppendResult::StaleEpoch
            | AppendResult::Duplicate
            | AppendResult::OutOfOrder
            | AppendResult::UnknownProducerId => self.output_marker_is_written(state, id),
        }
    }

    /// Markers that the in-sync replicas have are written; where those have become too few, a marker is to
    /// be written again.
    fn settle_output_markers(&self, state: &mut State) {
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
            let controller = &log.replication.controller;
            let is_led = controller.leader.is_some();
            if is_led && end > log.replication.watermark(&topic.pipeline.rules) {
                continue;
            }
            let enough =
                is_led && controller.in_sync.len() >= topic.pipeline.topic.replication.min_in_sync;
            log.replicating[usize::from(id)] = None;
            if enough {
                self.output_marker_is_written(state, id);
            }
        }
    }

    fn output_marker_is_written(&self, state: &mut State, id: u16) {
        let transaction = self.transaction(state, id);
        let TransactionPhase::Prepared(outcome) = transaction.phase else {
            return;
        };
        transaction.marker_is_written(Part::Output);
        self.output(state).end_early(id, outcome == Outcome::Commit);
    }

    /// Adds the faults of the output topic's brokers that are about its partition, and those of brokers
    /// that have no replica of the first topic.
    pub(super) fn output_replica_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        let Some((topic, turned)) = self.output_topic().zip(self.turned_output(state, 0)) else {
            return;
        };
        let elsewhere = |who: u16| {
            let replication = state.replication.as_ref();
            replication.is_none_or(|own| {
                who >= self.pipeline.topic.replication.replicas
                    || own.replica(who).status != Status::Up
            })
        };
        topic.replica_faults(&turned, &mut |strike| match strike {
            Strike::Replica {
                who,
                how: how @ (ReplicaStrike::Lead | ReplicaStrike::Lag),
            } => add(Strike::OutputReplica { who, how }),
            Strike::Replica { who, .. } if elsewhere(who) => add(strike),
            _ => {}
        });
    }

    /// Something happens to the output topic's replica on a broker.
    pub(super) fn strike_output_replica(&self, state: &mut State, who: u16, how: ReplicaStrike) {
        let Some(log) = self.log(state) else {
            return;
        };
        let has_replica = self
            .output_topic()
            .is_some_and(|topic| who < topic.pipeline.topic.replication.replicas);
        if !has_replica || log.replication.replica(who).status != Status::Up {
            return;
        }
        self.in_output(state, 0, |topic, state| {
            topic.strike_replica(state, who, how)
        });
        match how {
            ReplicaStrike::Lead => self.begin_output_epoch(state),
            ReplicaStrike::Lag => {}
            ReplicaStrike::Crash | ReplicaStrike::PowerLoss | ReplicaStrike::DiskLoss => {
                for other in self.everyone().skip(1) {
                    self.in_output(state, other, |topic, state| {
                        topic.lose_connection_to(state, who);
                    });
                }
            }
        }
    }

    /// Adds the faults that strike requests with `who`'s results.
    pub(super) fn output_request_faults(
        &self,
        state: &State,
        who: u16,
        add: &mut impl FnMut(Strike),
    ) {
        let Some((topic, turned)) = self.output_topic().zip(self.turned_output(state, who)) else {
            return;
        };
        topic.request_faults(&turned, Target::Result(who), add);
        let next = turned.producer.next_to_expire(&topic.pipeline);
        if next.is_some_and(|oldest| !oldest.doubtful) {
            add(Strike::ExpireResult { who, sent: false });
        }
    }

    /// A fault strikes a request with one of `who`'s results.
    pub(super) fn strike_output_request(&self, state: &mut State, who: u16, strike: Strike) {
        self.in_output(state, who, |topic, state| match strike {
            Strike::LoseRequest(_) => topic.lose_produce_request(state),
            Strike::LoseAnswer(_) => topic.lose_produce_answer(state),
            Strike::Refuse(_) => topic.refuse_produce(state),
            Strike::ExpireResult { .. } => topic.expire_send(state),
            _ => unreachable!("not a fault of a request with a result"),
        });
    }

    /// Whether results of the record lie in the output topic that its reader has not come to.
    pub fn output_holds(&self, state: &State, record: u16) -> bool {
        let isolation = self.pipeline.consumer.output.isolation;
        let log = self.log(state);
        log.is_some_and(|log| log.holds(record, isolation))
    }

    /// Whether the output topic has a leader, where it can be without one.
    pub(super) fn output_is_readable(&self, state: &State) -> bool {
        let log = self.log(state);
        log.is_none_or(|log| log.replication.controller.leader.is_some())
    }

    /// The canonical form of the epochs of a producer: what nobody has any more is one epoch, and the
    /// smallest is 0. Only what is newer, older and the next is ever asked for.
    pub(super) fn normalize_output_epochs(&self, state: &mut State) {
        if !self.pipeline.consumer.output.idempotence {
            return;
        }
        let client = self.pipeline.client;
        for who in self.everyone() {
            let runs = state.consumers[usize::from(who)].is_running();
            let transactional = self.has_transactions();
            let Some(output) = state.output.as_deref_mut() else {
                return;
            };
            let Some(log) = output.log.as_deref_mut() else {
                return;
            };
            let own = &mut log.clients[usize::from(who)];
            match client {
                crate::pipeline::Client::Java => own.producer.librdkafka.epoch = 0,
                crate::pipeline::Client::Librdkafka => own.producer.java.epoch = 0,
            }
            let mut oldest = u16::MAX;
            if transactional {
                let transaction = &mut output.transactions[usize::from(who)];
                transaction.last_epoch = None;
                oldest = transaction.epoch;
                if runs {
                    oldest = oldest.min(output.producers[usize::from(who)].epoch);
                }
            }
            let used = match client {
                crate::pipeline::Client::Java => own.producer.java.epoch,
                crate::pipeline::Client::Librdkafka => own.producer.librdkafka.epoch,
            };
            if runs || !transactional {
                oldest = oldest.min(used);
            }
            let stamps = own.producer.queue.iter().filter_map(|batch| batch.stamp);
            let flights = own.producer.flights.iter();
            let flights =
                flights.flat_map(|flight| flight.batch.stamp.into_iter().chain(flight.wire));
            let oldest = stamps
                .chain(flights)
                .map(|own| own.epoch)
                .fold(oldest, u16::min);
            let mut least = oldest;
            for replica in &mut log.replication.replicas {
                for entry in replica.broker.log.iter_mut() {
                    if entry.forgotten || entry.stamp.session != who {
                        continue;
                    }
                    if entry.stamp.epoch < oldest {
                        entry.stamp.epoch = oldest - 1;
                        entry.stamp.sequence = 0;
                    }
                    least = least.min(entry.stamp.epoch);
                }
            }
            let lower = |epoch: &mut u16| *epoch = epoch.saturating_sub(least);
            own.each_epoch(&mut { lower });
            for replica in &mut log.replication.replicas {
                for entry in replica.broker.log.iter_mut() {
                    if !entry.forgotten && entry.stamp.session == who {
                        lower(&mut entry.stamp.epoch);
                    }
                }
            }
            if transactional {
                lower(&mut output.transactions[usize::from(who)].epoch);
                let epoch = &mut output.producers[usize::from(who)].epoch;
                match runs {
                    true => lower(epoch),
                    false => *epoch = 0,
                }
            }
        }
    }

    /// Whether handling that fails after the result at hand was sent fails once that has been reported.
    pub(super) fn fails_later(&self, state: &State, who: u16) -> bool {
        self.output_topic().is_some() && self.output_call(state, who) == Some(OutputStep::Produce)
    }

    /// Whether `who`'s client is unlike that of a process that has just started.
    pub(super) fn has_used_client(&self, state: &State, who: u16) -> bool {
        let pipeline = &self.pipeline;
        let raised = |client: &Client| {
            !self.has_transactions() && Transactions::epoch(&client.producer, pipeline) > 0
        };
        let client = self.output_client(state, who);
        client.is_some_and(|client| client.is_used() || raised(client))
    }

    /// Whether the transactional id of a process that starts can be initialised at once: every marker of
    /// its last transaction is written.
    pub(super) fn may_initialize(&self, state: &State, who: u16) -> bool {
        let starts = !state.consumers[usize::from(who)].is_running();
        self.output_topic().is_none() || !self.has_transactions() || !starts || {
            match self.transaction_of(state, who).phase {
                TransactionPhase::Ongoing | TransactionPhase::Prepared(_) => false,
                TransactionPhase::Unknown
                | TransactionPhase::Empty
                | TransactionPhase::Complete(_) => true,
            }
        }
    }

    /// Whether a process that starts finds a transaction open that its predecessor left.
    pub(super) fn fences_what_is_open(&self, state: &State, who: u16) -> bool {
        self.transaction_of(state, who).can_time_out()
    }

    /// InitProducerId finds a transaction open: it is to be aborted first.
    pub(super) fn fence_what_is_open(&self, state: &mut State, who: u16) {
        let (id, rules) = (self.id_of(who), self.pipeline.rules.transactions);
        self.transaction(state, id).initialize(None, &rules);
    }

    /// A transaction that has ended, and in which nobody goes on, leaves nothing.
    pub(super) fn forget_ended_transactions(&self, state: &mut State) {
        for who in self.everyone() {
            let open = self.output_producer(state, who).open;
            let transaction = self.transaction(state, self.id_of(who));
            if let TransactionPhase::Complete(_) = transaction.phase
                && !open
            {
                transaction.phase = TransactionPhase::Empty;
            }
        }
    }

    /// A broker is struck with its replicas of both topics, or the partition of the first topic is.
    pub(super) fn strike_broker(&self, state: &mut State, who: u16, how: ReplicaStrike) {
        let is_up = |state: &State| {
            let replication = state.replication.as_ref();
            who < self.pipeline.topic.replication.replicas
                && replication.is_some_and(|own| own.replica(who).status == Status::Up)
        };
        if is_up(state) {
            self.strike_replica(state, who, how);
        }
        match how {
            ReplicaStrike::Crash | ReplicaStrike::PowerLoss | ReplicaStrike::DiskLoss => {
                self.strike_output_replica(state, who, how);
            }
            ReplicaStrike::Lead | ReplicaStrike::Lag => {}
        }
    }
}
