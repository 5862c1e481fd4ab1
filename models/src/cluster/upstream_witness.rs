//! Hard situations of the producer's side.

use super::{Cluster, State, Witness};
use crate::action::{PartitionStrike, ReplicaStrike, Strike, UnderWay, Unfinished};
use crate::fault::Fault;
use crate::limbo::Late;
use crate::outbox;
use crate::pipeline::{DualWriteOrder, OutboxCursor, Pipeline, Source};
use crate::producer::Sending;

/// The situations of a design; `meets`: whether it can meet a fault.
pub(super) fn of(pipeline: &Pipeline, meets: &dyn Fn(Fault) -> bool) -> Vec<Witness> {
    let mut witnesses = Vec::new();
    let crashes = meets(Fault::ProducerCrash);
    match pipeline.producer.source {
        Source::Memory => {}
        Source::Transaction { .. } => {
            if crashes {
                witnesses.push(Witness::FencedByRestart);
            }
            if meets(Fault::ResponseLost) || meets(Fault::RequestDelayed) {
                witnesses.push(Witness::EndRepeated);
            }
            if TAKES_LEADER.iter().any(|fault| meets(*fault)) && pipeline.is_replicated() {
                witnesses.push(Witness::MarkerUnderWay);
            }
            if meets(Fault::CoordinatorFailover) {
                witnesses.push(Witness::MarkerUnnoted);
            }
        }
        Source::Outbox { cursor, .. } => {
            if cursor == OutboxCursor::HighestId && pipeline.bounds.records > 1 {
                witnesses.push(Witness::RowBelowCursor);
            }
            if crashes {
                witnesses.push(Witness::RelayDiesBetween);
            }
        }
        Source::DualWrite(_) if crashes => witnesses.push(Witness::WriterDiesBetween),
        Source::DualWrite(_) => {}
    }
    if meets(Fault::ProducerIdExpiry) && meets(Fault::RequestDelayed) {
        witnesses.push(Witness::ForgottenWhileLate);
    }
    witnesses
}

/// The faults that take the lead from a replica.
pub(super) const TAKES_LEADER: [Fault; 5] = [
    Fault::BrokerCrash,
    Fault::PowerLoss,
    Fault::PowerLossAll,
    Fault::DiskLoss,
    Fault::LeaderChange,
];

/// Whether `strike` in `state` reaches the situation.
pub(super) fn is_reached(
    cluster: &Cluster,
    witness: &Witness,
    state: &State,
    strike: Strike,
) -> bool {
    match (witness, strike) {
        (Witness::RelayDiesBetween, Strike::ProducerCrash) => {
            let records = cluster.pipeline.bounds.records;
            let Source::Outbox { order, .. } = cluster.pipeline.producer.source else {
                return false;
            };
            outbox::row_in_hand(&state.producer, &state.database, order, records).is_some()
        }
        (Witness::WriterDiesBetween, Strike::ProducerCrash) => dies_between_writes(cluster, state),
        (
            Witness::ForgottenWhileLate,
            Strike::ForgetProducer(session)
            | Strike::ForgetAt { session, .. }
            | Strike::InOther(PartitionStrike::ForgetProducer(session)),
        ) => {
            let own = |late: &Late| match late {
                Late::Produce { stamp, .. } => stamp.is_some_and(|stamp| stamp.session == session),
                Late::Commit { .. }
                | Late::Output { .. }
                | Late::Result { .. }
                | Late::Call { .. }
                | Late::InitProducerId { .. }
                | Late::AddPartitions { .. }
                | Late::EndTransaction { .. } => false,
            };
            state.limbo.requests.iter().any(own)
        }
        (Witness::MarkerUnderWay, Strike::Replica { who, how }) => {
            let waits = state.transactions.as_deref();
            let waits = waits.is_some_and(|own| own.replicating.is_some());
            waits && takes_lead(state, who, how)
        }
        (Witness::MarkerUnnoted, Strike::TransactionCoordinatorFailover(under_way)) => {
            under_way == UnderWay::Marker
        }
        (Witness::MarkerUnnoted, Strike::OutputCoordinatorFailover(unfinished)) => {
            matches!(unfinished, Unfinished::Marker { .. })
        }
        _ => false,
    }
}

/// Whether what happens to replica `who` takes the lead from the one that has it.
fn takes_lead(state: &State, who: u16, how: ReplicaStrike) -> bool {
    let replication = state.replication.as_deref();
    let leads = replication.is_some_and(|own| own.controller.leader == Some(who));
    match how {
        ReplicaStrike::Lead => true,
        ReplicaStrike::Crash | ReplicaStrike::PowerLoss | ReplicaStrike::DiskLoss => leads,
        ReplicaStrike::Lag => false,
    }
}

/// Whether one of a record's two writes is done and the other not begun.
fn dies_between_writes(cluster: &Cluster, state: &State) -> bool {
    let (producer, database) = (&state.producer, &state.database);
    match cluster.pipeline.producer.source {
        Source::Memory | Source::Outbox { .. } | Source::Transaction { .. } => false,
        Source::DualWrite(DualWriteOrder::DatabaseFirst) => {
            producer.next_to_send(database, &cluster.pipeline).is_some()
        }
        Source::DualWrite(DualWriteOrder::KafkaFirst) => producer
            .next_to_commit(database, &cluster.pipeline)
            .is_some_and(|record| producer.sending[usize::from(record)] == Sending::Acknowledged),
    }
}
