//! Faults that strike brokers of the output topic, and requests to them.

use super::replicas::refuse_waiting;
use super::{Cluster, State};
use crate::action::{ReplicaStrike, Request, Strike, Target};
use crate::fault::Fault;
use crate::partitions::Partition;
use crate::replication::Status;

impl Cluster {
    /// Whether the followers of a leader get everything at once: no fault of brokers is left, so that the
    /// leader stays one. When they get it only decides when requests are answered and results are seen.
    pub(super) fn followers_are_calm(&self, state: &State) -> bool {
        let reduces = self.reductions.healthy_replicas && self.limits.logs_results;
        reduces && self.brokers_are_spared(state)
    }

    /// Whether no fault of brokers is left.
    pub(super) fn brokers_are_spared(&self, state: &State) -> bool {
        let (left, in_all) = (&state.left, state.left_in_all);
        !self
            .budget
            .has_any_left(left, in_all, Fault::strikes_brokers)
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
            add(Strike::ExpireResult {
                who,
                request: Request::Unsent,
            });
        }
    }

    /// A fault strikes a request with one of `who`'s results.
    pub(super) fn strike_output_request(&self, state: &mut State, who: u16, strike: Strike) {
        self.in_output(state, who, |topic, state| match strike {
            Strike::LoseRequest(_) => topic.lose_produce_request(state),
            Strike::LoseAnswer(_) => topic.lose_produce_answer(state),
            Strike::Refuse(_) => topic.refuse_produce(state),
            Strike::Delay(_) => topic.delay_produce(state, Partition::First),
            Strike::ExpireResult { .. } => topic.expire_send(state),
            _ => unreachable!("not a fault of a request with a result"),
        });
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

    /// A broker hears that it leads no more: what waits there of any client is refused.
    pub(super) fn refuse_everyone_waiting(&self, state: &mut State, who: u16) {
        for client in self.everyone() {
            self.in_output(state, client, |_, state| refuse_waiting(state, who));
        }
    }
}
