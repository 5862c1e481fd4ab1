//! Hard situations: a verdict says of each whether it was reached.

use super::budget::Budget;
use super::{Cluster, State, upstream_witness};
use crate::action::Action;
use crate::consumer::Phase;
use crate::fault::FaultKey;
use crate::limits;
use crate::order::Step;
use crate::pipeline::{Acks, Pipeline};
use crate::program::Program;
use std::fmt;

/// A situation that a verdict should have met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A fault of the budget was spent.
    Fault {
        /// The entry of the design's budget.
        key: FaultKey,
        /// Its place among the entries that the design can meet; `None`: it cannot.
        entry: Option<u8>,
    },
    /// The consumer's process ended before this operation, with an earlier one done.
    DeathBetween {
        /// The operation that was not reached.
        before: usize,
        /// What had been done.
        done: String,
        /// What had not.
        missing: String,
    },
    /// A produce request was sent again after a fault took its answer away.
    RetryAfterLostAnswer,
    /// The dedup store recognised a record.
    Recognised,
    /// A late request arrived.
    LateArrival,
    /// A row committed below the id that a relay had reached.
    RowBelowCursor,
    /// A relay died between its publish and its mark, in either order.
    RelayDiesBetween,
    /// The application died between its two writes.
    WriterDiesBetween,
    /// A producer id was forgotten while a request of it was late.
    ForgottenWhileLate,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Witness::Fault { key, .. } => write!(f, "{key}"),
            Witness::DeathBetween { done, missing, .. } => {
                write!(f, "the consumer dies between {done} and {missing}")
            }
            Witness::RetryAfterLostAnswer => {
                f.write_str("a record is sent again after its answer was lost")
            }
            Witness::Recognised => f.write_str("the dedup store recognises a record"),
            Witness::LateArrival => f.write_str("a late request arrives"),
            Witness::RowBelowCursor => f.write_str("a row commits below the relay's cursor"),
            Witness::RelayDiesBetween => f.write_str("the relay dies between publish and mark"),
            Witness::WriterDiesBetween => {
                f.write_str("the application dies between its two writes")
            }
            Witness::ForgottenWhileLate => {
                f.write_str("a producer id is forgotten while a request is late")
            }
        }
    }
}

/// The situations of a design.
pub(super) fn of(pipeline: &Pipeline, program: &Program, budget: &Budget) -> Vec<Witness> {
    let mut witnesses: Vec<Witness> = pipeline
        .faults
        .entries
        .iter()
        .map(|(key, _)| {
            let entry = budget.entries().iter().position(|(other, _)| other == key);
            Witness::Fault {
                key: *key,
                entry: entry.map(|entry| entry as u8),
            }
        })
        .collect();
    let spendable = |of: &dyn Fn(FaultKey) -> bool| {
        pipeline.faults.total() > 0 && budget.entries().iter().any(|(key, _)| of(*key))
    };
    if spendable(&|key| limits::ends_consumer(key.fault)) {
        for (before, pair) in program.operations.windows(2).enumerate() {
            witnesses.push(Witness::DeathBetween {
                before: before + 1,
                done: pair[0].item.to_string(),
                missing: pair[1].item.to_string(),
            });
        }
    }
    let settings = &pipeline.producer;
    let network = |fault| spendable(&move |key: FaultKey| key.fault == fault);
    if network(crate::fault::Fault::ResponseLost)
        && settings.acks != Acks::None
        && settings.retries > 0
    {
        witnesses.push(Witness::RetryAfterLostAnswer);
    }
    let order = &pipeline.consumer.order;
    if (order.contains(Step::Remember) || order.contains(Step::SkipIfSeen))
        && pipeline.faults.total() > 0
    {
        witnesses.push(Witness::Recognised);
    }
    if network(crate::fault::Fault::RequestDelayed) {
        witnesses.push(Witness::LateArrival);
    }
    witnesses.extend(upstream_witness::of(pipeline, &network));
    witnesses
}

/// The situations that taking `action` in `state` reaches, as bits.
pub(super) fn reached_by(cluster: &Cluster, state: &State, action: &Action) -> u64 {
    let bits = cluster.witnesses.iter().enumerate();
    bits.filter(|(_, witness)| is_reached(cluster, witness, state, action))
        .map(|(index, _)| 1 << index)
        .sum()
}

fn is_reached(cluster: &Cluster, witness: &Witness, state: &State, action: &Action) -> bool {
    match (witness, action) {
        (
            Witness::Fault {
                entry: Some(own), ..
            },
            Action::Fault { entry, .. },
        ) => own == entry,
        (Witness::DeathBetween { before, .. }, Action::Fault { strike, .. }) => {
            strike.ends_consumer()
                && state.consumer.phase == Phase::Handling
                && usize::from(state.consumer.operation) == *before
        }
        (Witness::RetryAfterLostAnswer, Action::Transmit) => state
            .producer
            .queue
            .first()
            .is_some_and(|batch| batch.doubtful),
        (Witness::Recognised, Action::Operate) => recognises(cluster, state),
        (Witness::LateArrival, Action::LateArrives(_)) => true,
        (Witness::RowBelowCursor, Action::CommitUpstream(row)) => state.database.is_passed(*row),
        (
            Witness::RelayDiesBetween | Witness::WriterDiesBetween | Witness::ForgottenWhileLate,
            Action::Fault { strike, .. },
        ) => upstream_witness::is_reached(cluster, witness, state, *strike),
        _ => false,
    }
}

/// Whether the operation at hand finds a record in the dedup store.
fn recognises(cluster: &Cluster, state: &State) -> bool {
    let operation = cluster.operation(state);
    if !operation.contains(Step::SkipIfSeen) && !operation.contains(Step::Remember) {
        return false;
    }
    let store = state.dedup_store(&cluster.pipeline);
    let mut places = state.consumer.places(operation.scope);
    places.any(|place| store & state.consumer.dedup_key(place, &cluster.pipeline) != 0)
}
