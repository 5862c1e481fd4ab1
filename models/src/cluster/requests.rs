//! Produce requests at the brokers of a partition with several replicas: taken, refused, answered.

use super::replicas::ask_again;
use super::{Cluster, State};
use crate::broker::Stamp;
use crate::pipeline::{Acks, Pipeline};
use crate::producer::Answer;

/// What a broker makes of a produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It leads, and this is what its log makes of it.
    Handled(Answer),
    /// It does not lead, or too few replicas are in sync.
    Refused,
    /// The record belongs to no transaction that would take it.
    NotAppended(Answer),
    /// The transaction before has not ended yet: broker and client try again.
    TriedAgain,
}

impl Cluster {
    /// A broker handles the oldest produce request that it has not handled.
    pub(super) fn handle_produce_at(&self, state: &mut State, who: u16) {
        let Some(index) = state.producer.first_unhandled_at(who) else {
            return;
        };
        let flight = state.producer.flights[index];
        match self.take_request_at(state, who, flight.batch.record, flight.wire) {
            Taken::Handled(answer) => self.answer_at(state, who, index, answer),
            Taken::Refused => self.refuse_at(state, index),
            Taken::NotAppended(answer) => state.producer.handled(index, answer, &self.pipeline),
            Taken::TriedAgain => {}
        }
    }

    /// A produce request reaches a broker.
    pub(super) fn take_request_at(
        &self,
        state: &mut State,
        who: u16,
        record: u16,
        stamp: Option<Stamp>,
    ) -> Taken {
        let Some(replication) = &state.replication else {
            return Taken::Refused;
        };
        let controller = &replication.controller;
        let below = self.pipeline.producer.acks == Acks::All
            && controller.leader == Some(who)
            && controller.in_sync.len() < self.pipeline.topic.replication.min_in_sync;
        if !replication.leads(who) {
            return Taken::Refused;
        }
        match self.join_transaction_at(state, who, stamp) {
            Ok(()) if below => Taken::Refused,
            Ok(()) => Taken::Handled(self.append_at(state, who, record, stamp)),
            Err(Some(answer)) => Taken::NotAppended(answer),
            Err(None) => Taken::TriedAgain,
        }
    }

    /// A leader appends what a request carries, if its number is the next one.
    fn append_at(&self, state: &mut State, who: u16, record: u16, stamp: Option<Stamp>) -> Answer {
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let Some(replication) = &mut state.replication else {
            return Answer::Refused;
        };
        let broker = &mut replication.replica_mut(who).broker;
        let appended = match stamp.filter(|_| self.limits.transactions) {
            Some(stamp) => broker.append_joined(record, stamp, topic, rules),
            None => broker.append(record, stamp, topic, rules),
        };
        Answer::from(appended)
    }

    /// What a leader answers to the request at `index`, and when.
    fn answer_at(&self, state: &mut State, who: u16, index: usize, answer: Answer) {
        let acks = self.pipeline.producer.acks;
        let stamp = state.producer.flights[index].wire;
        let Some(replication) = &state.replication else {
            return;
        };
        let broker = &replication.replica(who).broker;
        let after = match stamp.and_then(|stamp| broker.offset_of(stamp)) {
            Some(offset) => offset + 1,
            None => broker.log_end(),
        };
        let answered = &mut state.producer.flights[index];
        let answer = match (acks, answer) {
            (Acks::All, Answer::Success) => {
                answered.offset = after;
                Answer::Replicating
            }
            (Acks::None | Acks::Leader | Acks::All, answer) => {
                if self.limits.answered_offsets {
                    answered.offset = match answer {
                        Answer::Success => after,
                        Answer::UnknownProducerId => broker.log_start(),
                        Answer::None
                        | Answer::Refused
                        | Answer::OutOfOrder
                        | Answer::StaleEpoch
                        | Answer::NotInTransaction
                        | Answer::Replicating => 0,
                    };
                }
                answer
            }
        };
        state.producer.handled(index, answer, &self.pipeline);
    }

    /// A broker refuses the request at `index`; without an answer to say so, it closes the connection.
    fn refuse_at(&self, state: &mut State, index: usize) {
        match self.pipeline.producer.acks {
            Acks::None => {
                let to = state.producer.flights[index].to;
                state
                    .producer
                    .lose_requests(index, &self.pipeline, &mut state.ledger);
                ask_again(state, to);
            }
            Acks::Leader | Acks::All => {
                state
                    .producer
                    .handled(index, Answer::Refused, &self.pipeline);
            }
        }
    }

    /// The oldest answer of a broker reaches the client. One that no longer leads makes it ask anew
    /// which does; that it tries the same broker again before it knows is left out, for that only uses
    /// up a retry.
    pub(super) fn receive_from(&self, state: &mut State, who: u16) {
        let Some(index) = state.producer.first_answered_at(who) else {
            return;
        };
        let refused = state.producer.flights[index].answer == Answer::Refused;
        state
            .producer
            .receive_at(index, &self.pipeline, &mut state.ledger);
        if refused {
            ask_again(state, who);
        }
    }
}
