//! Hard situations of results.

use super::upstream_witness::TAKES_LEADER;
use super::witness::is_last_attempt;
use super::{Cluster, State, Witness};
use crate::action::{Action, ConsumerStep, LogStep, Place, ReplicaStrike, Strike};
use crate::fault::Fault;
use crate::limits::Limits;
use crate::pipeline::{Acks, Pipeline};
use crate::program::OutputStep;

/// Whether output producers send again what was not answered.
pub(super) fn repeats(pipeline: &Pipeline) -> bool {
    let settings = &pipeline.consumer.output;
    pipeline.consumer.produces() && settings.acks != Acks::None && settings.retries > 0
}

/// The situations of a design; `meets`: whether it can meet a fault.
pub(super) fn of(
    pipeline: &Pipeline,
    limits: &Limits,
    meets: &dyn Fn(Fault) -> bool,
) -> Vec<Witness> {
    let mut witnesses = Vec::new();
    if pipeline.logs_results() && TAKES_LEADER.into_iter().any(meets) {
        witnesses.push(Witness::ResultUnderWay);
    }
    let is_the_only_one = !pipeline.producer.is_transactional();
    if limits.transactional_ids > 0 && is_the_only_one && meets(Fault::CoordinatorFailover) {
        witnesses.push(Witness::MarkerUnnoted);
    }
    if limits.results_expire {
        witnesses.push(Witness::ResultExpired);
    }
    witnesses
}

/// What an output producer's client reaches, where no fault strikes the topic.
pub(super) fn is_reached_by_client(
    cluster: &Cluster,
    witness: &Witness,
    state: &State,
    who: u16,
    does: ConsumerStep,
) -> bool {
    if !cluster.has_output() {
        return false;
    }
    let producer = cluster.output_producer(state, who);
    let consumer = &state.consumers[usize::from(who)];
    match (witness, does) {
        (Witness::ResultExpired, ConsumerStep::ResultExpires { .. }) => true,
        (Witness::GivenUp { .. }, ConsumerStep::ResultExpires { .. }) => {
            producer.sends.is_empty()
                && !cluster.has_transactions()
                && is_last_attempt(cluster, state, who, Place::Hand(consumer.cursor))
        }
        (Witness::RetryAfterLostAnswer, ConsumerStep::ResultArrives(place)) => {
            let send = producer.sends.get(usize::from(place));
            send.is_some_and(|send| send.doubtful)
        }
        (Witness::RetryAfterLostAnswer, ConsumerStep::Operate) => {
            producer.doubtful && cluster.output_call(state, who) == Some(OutputStep::Produce)
        }
        _ => false,
    }
}

/// What is reached in the output topic, where faults can strike it.
pub(super) fn is_reached_in_topic(
    cluster: &Cluster,
    witness: &Witness,
    state: &State,
    action: Action,
) -> bool {
    let Some(log) = cluster.log(state) else {
        return false;
    };
    match (witness, action) {
        (
            Witness::RetryAfterLostAnswer,
            Action::OutputTopic {
                client,
                does: LogStep::Transmit,
            },
        ) => {
            let queue = &log.clients[usize::from(client)].producer.queue;
            queue.first().is_some_and(|batch| batch.doubtful)
        }
        (
            Witness::GivenUp { .. },
            Action::OutputTopic {
                client,
                does: LogStep::Expire | LogStep::FailTooLate,
            },
        ) => {
            let cursor = state.consumers[usize::from(client)].cursor;
            log.clients[usize::from(client)].awaits
                && is_last_attempt(cluster, state, client, Place::Hand(cursor))
        }
        (Witness::ResultUnderWay, Action::Fault { strike, .. }) => {
            let leader = log.replication.controller.leader;
            let falls = match strike {
                Strike::OutputReplica {
                    how: ReplicaStrike::Lead,
                    ..
                } => leader,
                Strike::Replica { who, how } => match how {
                    ReplicaStrike::Lead | ReplicaStrike::Lag => None,
                    ReplicaStrike::Crash | ReplicaStrike::PowerLoss | ReplicaStrike::DiskLoss => {
                        leader.filter(|leader| *leader == who)
                    }
                },
                _ => None,
            };
            let clients = log.clients.iter();
            let mut flights = clients.flat_map(|own| own.producer.flights.iter());
            flights.any(|flight| Some(flight.to) == falls)
        }
        _ => false,
    }
}
