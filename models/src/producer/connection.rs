//! Connections that break.
//!
//! **A connection breaks** at the first request that the broker has not handled: what was handled
//! before has been answered, what follows in the pipeline is gone with it. A break at a later
//! request is the same as this one after the earlier requests were handled.

use super::{Batch, Flight, Producer};
use crate::ledger::Ledger;
use crate::pipeline::Pipeline;

impl Producer {
    /// The connection breaks before the broker handles the request at `from`: this and all later
    /// ones on it are lost.
    pub fn lose_requests(&mut self, from: usize, pipeline: &Pipeline, ledger: &mut Ledger) {
        let lost = match self.flights.get(from) {
            Some(first) => {
                let to = first.to;
                self.take_from(from, |flight| flight.to == to)
            }
            None => Vec::new(),
        };
        self.strike_all(&lost, pipeline, ledger);
    }

    /// Every connection breaks with every request and answer on it.
    pub fn lose_connection(&mut self, pipeline: &Pipeline, ledger: &mut Ledger) {
        let lost = self.take_from(0, |_| true);
        self.strike_all(&lost, pipeline, ledger);
    }

    /// The connection to this broker breaks with every request and answer on it.
    pub fn lose_connection_to(&mut self, who: u16, pipeline: &Pipeline, ledger: &mut Ledger) {
        let lost = self.take_from(0, |flight| flight.to == who);
        self.strike_all(&lost, pipeline, ledger);
    }

    /// Takes those requests from `from` on off the wire that are `struck`.
    pub(super) fn take_from(
        &mut self,
        from: usize,
        struck: impl Fn(&Flight) -> bool,
    ) -> Vec<Flight> {
        let mut taken = Vec::new();
        let mut index = from;
        while index < self.flights.len() {
            if struck(&self.flights[index]) {
                taken.push(self.flights.remove(index));
            } else {
                index += 1;
            }
        }
        taken
    }

    /// The answer at `index` is lost.
    pub fn lose_answer(&mut self, index: usize, pipeline: &Pipeline, ledger: &mut Ledger) {
        let flight = self.flights.remove(index);
        self.strike_all(&[flight], pipeline, ledger);
    }

    /// The request at `index` is late: the client gives its connection up. Returns the request.
    pub fn delay_request(
        &mut self,
        index: usize,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
    ) -> Flight {
        let late = self.flights[index];
        self.lose_requests(index, pipeline, ledger);
        late
    }

    fn strike_all(&mut self, lost: &[Flight], pipeline: &Pipeline, ledger: &mut Ledger) {
        for flight in lost {
            let batch = Batch {
                doubtful: true,
                ..flight.batch
            };
            self.strike(batch, flight.expired, pipeline, ledger);
        }
        self.settle(pipeline);
    }
}
