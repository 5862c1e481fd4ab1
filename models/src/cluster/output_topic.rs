//! The output topic where its log matters ([`Pipeline::logs_results`](crate::pipeline::Pipeline::logs_results)):
//! its replicas, its clients and its reader.
//!
//! The topic is a pipeline of its own, whose producer is a consumer's output producer. So its brokers,
//! its controller and its clients take the steps that those of the first topic take ([`super::replicas`],
//! [`super::upstream`]): [`Cluster::in_output`] puts what there is of the output topic in the place of
//! what there is of the first, has something be done to it, and puts both back.
//!
//! **Brokers.** The cluster has as many brokers as the topic with more replicas, and the first of them
//! have the replicas of the other. A broker that dies, or loses its power or its disk, does so with both
//! of its replicas; each comes back in a step of its own, as if its log took longer to load. Which broker
//! leads the output topic at first is open, so its first leader is elected in a step, unless no fault strikes
//! brokers: then it is led from the start.
//!
//! **The reader** takes an entry in a step of its own: what a fault takes from the log, a reader that was
//! late has not seen. Once nothing can be cut off any more, it takes everything at once.
//!
//! **A client that is idle** asks for the leader before it sends: that it goes to one that no longer leads
//! is as if it had sent before the change.

use super::{Cluster, State};
use crate::action::{Action, LogStep, ReplicaStep};
use crate::broker::Broker;
use crate::ledger::Ledger;
use crate::limits::{Room, TooLarge};
use crate::output::client::Client;
use crate::output::log::OutputLog;
use crate::producer::transactions::{Added, Stage, Transactions};
use crate::transaction_coordinator::Part;
use std::sync::Arc;

impl Cluster {
    /// The output topic as a model of its own, where faults can strike it.
    pub(super) fn output_topic_of(&self, room: Room) -> Result<Option<Arc<Cluster>>, TooLarge> {
        if !self.limits.logs_results {
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
    pub(super) fn in_output<T>(
        &self,
        state: &mut State,
        who: u16,
        act: impl FnOnce(&Cluster, &mut State) -> T,
    ) -> Option<T> {
        let topic = self.output_topic()?;
        let stage = match self.waits_in_commit(state, who) {
            true => Stage::Flushing,
            false => Stage::Open,
        };
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
                    stage,
                    added: Added::Yes,
                    ..Transactions::default()
                })
            });
            let mut exchange = |state: &mut State| {
                if let Some(first) = &mut state.replication {
                    std::mem::swap(first, &mut log.replication);
                }
                std::mem::swap(&mut state.producer, &mut client.producer);
                std::mem::swap(&mut state.limbo, &mut log.limbo);
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
        self.in_output(&mut turned, who, |_, state| std::mem::take(state))
    }

    pub(super) fn log<'a>(&self, state: &'a State) -> Option<&'a OutputLog> {
        state.output.as_ref()?.log.as_deref()
    }

    pub(super) fn log_mut<'a>(&self, state: &'a mut State) -> Option<&'a mut OutputLog> {
        state.output.as_mut()?.log.as_deref_mut()
    }

    /// `who`'s client, where the output topic can be struck.
    pub fn output_client<'a>(&self, state: &'a State, who: u16) -> Option<&'a Client> {
        Some(&self.log(state)?.clients[usize::from(who)])
    }

    pub(super) fn output_client_mut<'a>(
        &self,
        state: &'a mut State,
        who: u16,
    ) -> Option<&'a mut Client> {
        Some(&mut self.log_mut(state)?.clients[usize::from(who)])
    }

    /// Adds the enabled steps of the output topic.
    pub(super) fn output_topic_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Some(topic) = self.output_topic() else {
            return;
        };
        let mut copy = state.clone();
        for client in self.everyone() {
            let own = self.in_output(&mut copy, client, |_, turned| {
                let mut own = Vec::new();
                topic.transmission_actions(turned, &mut own);
                topic.replica_actions(turned, &mut own);
                (own, self.sends_behind_a_question(turned))
            });
            let Some((mut own, asks)) = own else {
                continue;
            };
            own.extend(self.late_results_of(state, client));
            let steps = own.into_iter().filter_map(LogStep::of);
            let steps = steps.filter(|step| client == 0 || step.is_of_client());
            // Until its last transaction has ended the client begins none.
            let waits = self.waits_for_markers(state, client) || asks;
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
        match does {
            LogStep::Transmit => self.transmit_result(state, client),
            LogStep::Expire
            | LogStep::FailTooLate
            | LogStep::LearnLeader
            | LogStep::LateArrives(_)
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
            } => self.refuse_everyone_waiting(state, who),
            LogStep::Replica { .. }
            | LogStep::Transmit
            | LogStep::Expire
            | LogStep::FailTooLate
            | LogStep::LearnLeader
            | LogStep::LateArrives(_) => {}
        }
    }

    /// The late requests with results of `client` that may arrive.
    fn late_results_of(&self, state: &State, client: u16) -> impl Iterator<Item = Action> {
        let log = self.log(state).into_iter();
        let late = log.flat_map(move |log| {
            let late = (0..).zip(log.limbo.requests.iter());
            late.filter(move |(_, late)| log.client_of(late) == client)
        });
        late.map(|(slot, _)| Action::LateArrives(slot))
    }

    /// What follows at once from a step.
    pub(super) fn settle_output_topic(&self, state: &mut State) {
        if self.output_topic.is_none() {
            return;
        }
        for who in self.everyone() {
            // What follows for the replicas does not depend on the client.
            let client = self.output_client(state, who);
            if who == 0 || client.is_some_and(Client::hears_of_replicas) {
                self.in_output(state, who, |topic, state| topic.settle_replicas(state));
            }
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
}
