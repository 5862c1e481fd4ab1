//! The producer's side: its steps, and the faults that strike it.

use super::{Cluster, State};
use crate::action::{Action, Strike, Target};
use crate::broker::{AppendResult, Stamp};
use crate::limbo::Late;
use crate::pipeline::Acks;
use crate::producer::Answer;

impl Cluster {
    /// Adds the enabled steps of the producer's side that are not faults.
    pub(super) fn producer_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let producer = &state.producer;
        if let Some(record) = producer.next_to_send(&self.pipeline) {
            actions.push(Action::Send(record));
        }
        if producer.can_transmit(&self.pipeline) {
            actions.push(Action::Transmit);
        }
        if producer.first_unhandled().is_some() {
            actions.push(Action::HandleProduce);
        }
        if producer
            .flights
            .first()
            .is_some_and(|flight| flight.answer != Answer::None)
        {
            actions.push(Action::ReceiveAnswer);
        }
        // A fatal client transmits nothing any more, so the timeout ends every send.
        if producer
            .next_to_expire(&self.pipeline)
            .is_some_and(|oldest| {
                oldest.doubtful || producer.librdkafka.fatal && producer.queue.contains(&oldest)
            })
        {
            actions.push(Action::Expire);
        }
        if producer.next_to_fail_too_late(&self.pipeline).is_some() {
            actions.push(Action::FailTooLate);
        }
    }

    /// Takes a step of the producer's side that is not a fault.
    pub(super) fn producer_step(&self, state: &mut State, action: Action) {
        let pipeline = &self.pipeline;
        let (producer, ledger) = (&mut state.producer, &mut state.ledger);
        match action {
            Action::Send(record) => producer.send(record, pipeline, ledger),
            Action::Transmit => producer.transmit(pipeline, ledger),
            Action::HandleProduce => self.handle_produce(state),
            Action::ReceiveAnswer => producer.receive(pipeline, ledger),
            Action::Expire => producer.expire(pipeline, ledger),
            Action::FailTooLate => producer.fail_too_late(pipeline, ledger),
            Action::Consumer { .. } | Action::LateArrives(_) | Action::Fault { .. } => {
                unreachable!("not a step of the producer's side")
            }
        }
    }

    /// The broker handles the oldest request that it has not handled.
    fn handle_produce(&self, state: &mut State) {
        let Some(index) = state.producer.first_unhandled() else {
            return;
        };
        let flight = state.producer.flights[index];
        let result = state
            .broker
            .append(flight.batch.record, flight.wire, &self.pipeline.topic);
        let answer = match result {
            AppendResult::Appended | AppendResult::Duplicate => Answer::Success,
            AppendResult::OutOfOrder => Answer::OutOfOrder,
            AppendResult::StaleEpoch => Answer::StaleEpoch,
        };
        state.producer.handled(index, answer, &self.pipeline);
    }

    /// A late produce request reaches the broker; nobody waits for its answer.
    pub(super) fn late_produce_arrives(&self, state: &mut State, record: u8, stamp: Option<Stamp>) {
        state.broker.append(record, stamp, &self.pipeline.topic);
    }

    /// Adds the faults of produce requests and their answers.
    pub(super) fn produce_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        let producer = &state.producer;
        if producer.first_unhandled().is_some() {
            add(Strike::LoseRequest(Target::Produce));
            add(Strike::Refuse(Target::Produce));
            add(Strike::Delay(Target::Produce));
        }
        if producer
            .flights
            .first()
            .is_some_and(|flight| flight.answer != Answer::None)
        {
            add(Strike::LoseAnswer(Target::Produce));
        }
        let next = producer.next_to_expire(&self.pipeline);
        if next.is_some_and(|oldest| !oldest.doubtful) {
            add(Strike::DeliveryTimeout);
        }
    }

    /// The producer's process dies and starts again.
    pub(super) fn crash_producer(&self, state: &mut State) {
        state.producer.crash(&self.pipeline);
    }

    /// The delivery timeout of a healthy send passes.
    pub(super) fn expire_send(&self, state: &mut State) {
        state.producer.expire(&self.pipeline, &mut state.ledger);
    }

    /// The connection breaks before the broker handles the oldest request.
    pub(super) fn lose_produce_request(&self, state: &mut State) {
        if let Some(first) = state.producer.first_unhandled() {
            state
                .producer
                .lose_requests(first, &self.pipeline, &mut state.ledger);
        }
    }

    /// The oldest answer is lost.
    pub(super) fn lose_produce_answer(&self, state: &mut State) {
        state
            .producer
            .lose_answer(&self.pipeline, &mut state.ledger);
    }

    /// The broker answers the oldest request with a retriable error.
    pub(super) fn refuse_produce(&self, state: &mut State) {
        let Some(first) = state.producer.first_unhandled() else {
            return;
        };
        match self.pipeline.producer.acks {
            // Without an answer to put the error in, the broker closes the connection.
            Acks::None => self.lose_produce_request(state),
            Acks::Leader | Acks::All => {
                state
                    .producer
                    .handled(first, Answer::Refused, &self.pipeline);
            }
        }
    }

    /// The oldest request that the broker has not handled becomes late.
    pub(super) fn delay_produce(&self, state: &mut State) {
        let Some(first) = state.producer.first_unhandled() else {
            return;
        };
        let late = state
            .producer
            .delay_request(first, &self.pipeline, &mut state.ledger);
        state.limbo.add(Late::Produce {
            record: late.batch.record,
            stamp: late.wire,
        });
    }
}
