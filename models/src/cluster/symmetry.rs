//! A reduction: states that differ in the numbers of the replicas only are one.
//!
//! **Condition.** Nothing in the model depends on a broker's number: of the in-sync replicas any may
//! be elected, any may be struck, and where one of several is taken, that makes no difference or each
//! is a step of its own. So to give the brokers other numbers, everywhere at once, is an automorphism:
//! what can happen to one state can happen to the other, and a guarantee, which never speaks of
//! brokers, is violated in both or in neither (Ip and Dill; Clarke, Emerson, Jha and Sistla). A step
//! that only exchanges numbers would not be seen; there is none, for each step of a broker takes the
//! partition further: to another epoch, member or request, or one replica to another state.
//!
//! In a state that is explored the leader is the first, so a broker's number changes along a path.
//! Whoever tells a run wants each to keep its own: `in_lasting_numbers` gives the same steps with the
//! numbers that the brokers had at the start.

use super::{Cluster, State};
use crate::action::{Action, LogStep};
use crate::limbo::Limbo;
use crate::output::log::OutputLog;
use crate::replication::{MAX_REPLICAS, Numbering, Replication};
use stateright::Model;

impl State {
    /// Gives each broker with a replica its number in `numbers`.
    pub fn renumber_replicas(&mut self, numbers: Numbering) {
        let Some(replication) = &mut self.replication else {
            return;
        };
        replication.renumber(numbers);
        for flight in self.producer.flights.iter_mut() {
            flight.to = numbers.of(flight.to);
        }
        self.limbo.renumber(numbers);
        if let Some(output) = &mut self.output
            && let Some(log) = &mut output.log
        {
            log.renumber(numbers);
        }
    }
}

impl State {
    /// The same step, once each broker has its number in `numbers`. Late requests are sorted by the brokers
    /// that they were sent to, too.
    pub fn renumbered_step(&self, action: Action, numbers: Numbering) -> Action {
        match action {
            Action::LateArrives(slot) => {
                Action::LateArrives(self.limbo.renumbered_slot(slot, numbers))
            }
            Action::OutputTopic {
                client,
                does: LogStep::LateArrives(slot),
            } => {
                let log = self.output.as_ref().and_then(|own| own.log.as_deref());
                let slot = log.map_or(slot, |log| log.limbo.renumbered_slot(slot, numbers));
                Action::OutputTopic {
                    client,
                    does: LogStep::LateArrives(slot),
                }
            }
            other => numbers.rename(other),
        }
    }
}

impl Cluster {
    /// How many brokers, from the first on, have replicas of the same topics.
    pub fn alike_brokers(&self) -> u16 {
        let own = self.pipeline.topic.replication.replicas;
        match self.output_topic() {
            Some(_) => own.min(self.pipeline.consumer.output.replication.replicas),
            None => own,
        }
    }

    /// Numbers the brokers by what they are; returns the number that each got.
    pub fn sort_replicas(&self, state: &mut State) -> Numbering {
        let Some(replication) = &state.replication else {
            return Numbering::SAME;
        };
        let mut requests = [0; MAX_REPLICAS];
        for (place, flight) in state.producer.flights.iter().enumerate() {
            requests[usize::from(flight.to)] |= 1 << place;
        }
        let replicas = self.pipeline.topic.replication.replicas;
        let numbers = match self.log(state) {
            Some(log) => self.numbers_by_both(replication, log, requests, &state.limbo),
            None => replication.numbers_by_state(replicas, requests, &state.limbo),
        };
        if numbers != Numbering::SAME {
            state.renumber_replicas(numbers);
        }
        numbers
    }

    /// The numbers of brokers that have replicas of two topics: only those that have a replica of both are
    /// alike.
    fn numbers_by_both(
        &self,
        replication: &Replication,
        log: &OutputLog,
        requests: [u16; MAX_REPLICAS],
        limbo: &Limbo,
    ) -> Numbering {
        let of_both = self.alike_brokers();
        let mut others = [0; MAX_REPLICAS];
        for who in self.everyone() {
            let client = &log.clients[usize::from(who)];
            for (place, flight) in client.producer.flights.iter().enumerate().take(7) {
                others[usize::from(flight.to)] |= 1 << (2 * place + usize::from(who));
            }
            if let Some(known) = client.known {
                others[usize::from(known)] |= 1 << (14 + who);
            }
        }
        let mut brokers = [0, 1, 2];
        brokers[..usize::from(of_both)].sort_by(|one, other| {
            replication
                .compare(*one, *other, &requests)
                .then_with(|| limbo.compare(*one, *other))
                .then_with(|| log.replication.compare(*one, *other, &others))
                .then_with(|| log.limbo.compare(*one, *other))
        });
        Numbering::in_order(brokers)
    }

    /// The steps of a run of this model, as steps of the model in which every broker keeps the number
    /// that it has in `start`. A run without end goes round with the same numbers: its loop has no
    /// step that takes the partition further.
    pub fn in_lasting_numbers(&self, start: &State, steps: &[(Action, State)]) -> Vec<Action> {
        let actions = steps.iter().map(|(action, _)| *action);
        if !self.reductions.symmetric_replicas || start.replication.is_none() {
            return actions.collect();
        }
        let unsorted = self.with_lasting_numbers();
        let mut state = start.clone();
        let mut lasting = Numbering::SAME;
        let told = |action: Action| {
            let told = state.renumbered_step(action, lasting);
            if let Some(mut next) = unsorted.next_state(&state, action) {
                lasting = lasting.instead_of(self.sort_replicas(&mut next));
                state = next;
            }
            told
        };
        actions.map(told).collect()
    }

    /// The same model, in which every broker keeps its number.
    pub(super) fn with_lasting_numbers(&self) -> Cluster {
        let mut unsorted = self.clone();
        unsorted.reductions.symmetric_replicas = false;
        unsorted
    }
}
