//! The brokers of a partition with several replicas: their steps, and the faults that strike them.

use super::{Cluster, State};
use crate::action::{Action, ReplicaStep, ReplicaStrike, Strike};
use crate::fault::Fault;
use crate::partitions::Partition;
use crate::pipeline::{Acks, Pipeline};
use crate::producer::{Answer, librdkafka};
use crate::replication::{Replication, Status};
use crate::set::Set;

impl Cluster {
    /// Whether the partition can be read: it has a leader.
    pub(super) fn is_readable(&self, state: &State) -> bool {
        let replication = state.replication.as_ref();
        replication.is_none_or(|replication| replication.controller.leader.is_some())
    }

    /// Where the client puts the next batch on the wire.
    pub(super) fn transmits_to(&self, state: &State) -> Option<u16> {
        let to = match &state.replication {
            None => 0,
            Some(replication) => replication
                .known
                .filter(|known| replication.replica(*known).status == Status::Up)
                .filter(|_| !self.would_be_refused_for_ever(replication))?,
        };
        state
            .producer
            .can_transmit_to(to, &self.pipeline)
            .then_some(to)
    }

    /// Whether an application that sends again what failed would do so for ever: below the minimum
    /// every request is refused. What is on the wire when the in-sync replicas become too few fails,
    /// and is sent again behind what came later; doing that once more while they are too few changes
    /// no order that this has not changed. So such a client puts nothing on the wire meanwhile.
    fn would_be_refused_for_ever(&self, replication: &Replication) -> bool {
        let settings = &self.pipeline.producer;
        settings.acks == Acks::All
            && settings.sends_again()
            && replication.controller.in_sync.len() < self.pipeline.topic.replication.min_in_sync
    }

    /// Adds the enabled steps of brokers and controller, and the client's about them.
    pub(super) fn replica_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let Some(replication) = &state.replication else {
            return;
        };
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let settings = &topic.replication;
        let controller = &replication.controller;
        let electable = match controller.leader {
            Some(_) => None,
            None => Some(
                controller
                    .candidates(replication.alive(settings), settings)
                    .1,
            ),
        };
        for who in 0..settings.replicas {
            let mut add = |does| actions.push(Action::Replica { who, does });
            let replica = replication.replica(who);
            if replica.status != Status::Up {
                for kept in replica.may_keep() {
                    add(ReplicaStep::Restart { kept });
                }
                continue;
            }
            if electable.is_some_and(|electable| electable.contains(who)) {
                add(ReplicaStep::Elected);
            }
            if replication.is_behind(who) && controller.leader.is_some() {
                add(ReplicaStep::Hear);
            }
            if replication.has_to_fetch(who, rules) {
                add(ReplicaStep::Fetch);
            }
            if controller.proposal == Some(who) {
                add(ReplicaStep::Join);
            } else if controller.proposal.is_none() && replication.may_join(who, rules) {
                add(match rules.broker_epoch_checked {
                    true => ReplicaStep::Join,
                    false => ReplicaStep::Propose,
                });
            }
            if state.producer.first_unhandled_at(who).is_some() {
                add(ReplicaStep::HandleProduce);
            }
            if state.producer.first_answered_at(who).is_some() {
                add(ReplicaStep::Answer);
            }
            if self.may_time_out(state, replication, who) {
                add(ReplicaStep::TimeOut);
            }
        }
        if replication.known != controller.leader
            && controller.leader.is_some()
            && !state.producer.queue.is_empty()
        {
            actions.push(Action::LearnLeader);
        }
    }

    /// Whether a produce request waits longer than it has to: the high watermark cannot move.
    fn may_time_out(&self, state: &State, replication: &Replication, who: u16) -> bool {
        let settings = &self.pipeline.topic.replication;
        let below = replication.controller.in_sync.len() < settings.min_in_sync;
        let waits = |flight: &crate::producer::Flight| {
            flight.to == who && flight.answer == Answer::Replicating
        };
        below
            && self.pipeline.rules.high_watermark_waits
            && replication.controller.leader == Some(who)
            && state.producer.flights.iter().any(waits)
    }

    /// Takes a step of a broker.
    pub(super) fn replica_step(&self, state: &mut State, who: u16, does: ReplicaStep) {
        let pipeline = &self.pipeline;
        let settings = &pipeline.topic.replication;
        match does {
            ReplicaStep::HandleProduce => return self.handle_produce_at(state, who),
            ReplicaStep::Answer => {
                self.receive_from(state, who);
                return self.fail_transaction(state);
            }
            ReplicaStep::TimeOut => return refuse_waiting(state, who),
            ReplicaStep::Restart { .. }
            | ReplicaStep::Elected
            | ReplicaStep::Hear
            | ReplicaStep::Fetch
            | ReplicaStep::Propose
            | ReplicaStep::Join => {}
        }
        let Some(replication) = &mut state.replication else {
            return;
        };
        match does {
            ReplicaStep::Restart { kept } => replication.restart(who, kept, pipeline),
            ReplicaStep::Elected => {
                let alive = replication.alive(settings);
                replication.controller.elect(who, alive, settings);
                replication.begin_epoch(who, pipeline);
                state.forget_marker_under_way();
            }
            ReplicaStep::Hear => {
                let deposed = replication.is_deposed(who);
                replication.hear(who, &pipeline.rules);
                if deposed {
                    refuse_waiting(state, who);
                }
            }
            ReplicaStep::Fetch => replication.fetch(who, pipeline),
            ReplicaStep::Propose => replication.controller.proposal = Some(who),
            ReplicaStep::Join => replication.controller.join(who, settings),
            ReplicaStep::HandleProduce | ReplicaStep::Answer | ReplicaStep::TimeOut => {}
        }
    }

    /// The client learns which broker leads.
    pub(super) fn learn_leader(&self, state: &mut State) {
        if let Some(replication) = &mut state.replication {
            replication.known = replication.controller.leader;
            librdkafka::learn_leader(&mut state.producer, &self.pipeline);
        }
    }

    /// What follows from a step at once: the high watermark moves, requests that waited for it are
    /// answered, and consumers can read on.
    pub(super) fn settle_replicas(&self, state: &mut State) {
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let settings = &topic.replication;
        let is_calm = self.followers_are_calm(state);
        let Some(replication) = &mut state.replication else {
            return;
        };
        if is_calm {
            replication.catch_up(&self.pipeline);
        }
        replication.advance(settings, rules);
        let controller = &replication.controller;
        let watermark = replication.watermark(rules);
        for flight in state.producer.flights.iter_mut() {
            let reached = flight.offset <= watermark && controller.leader == Some(flight.to);
            if flight.answer == Answer::Replicating && reached {
                let enough = controller.in_sync.len() >= settings.min_in_sync;
                flight.answer = match enough {
                    true => Answer::Success,
                    // NOT_ENOUGH_REPLICAS_AFTER_APPEND
                    false => Answer::Refused,
                };
                if !enough || !self.limits.answered_offsets {
                    flight.offset = 0;
                }
            }
        }
        if !state.producer.is_busy(&state.database, &self.pipeline) {
            replication.known = None;
        }
        replication.normalize(&self.pipeline);
        if !self.limits.truncation {
            replication.forget_flushes(settings);
        }
        if self.reductions.dead_fields {
            let power = [Fault::PowerLoss, Fault::PowerLossAll];
            let may_tell = |fault| self.budget.has_left(&state.left, state.left_in_all, fault);
            if !power.into_iter().any(may_tell) {
                replication.forget_flushes(settings);
            }
        }
        state.broker = replication.view();
        self.settle_marker(state);
    }

    /// Adds the faults of brokers.
    pub(super) fn replica_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        let Some(replication) = &state.replication else {
            return;
        };
        let settings = &self.pipeline.topic.replication;
        let controller = &replication.controller;
        for who in replication.alive(settings).iter() {
            let mut strike = |how| add(Strike::Replica { who, how });
            strike(ReplicaStrike::Crash);
            strike(ReplicaStrike::PowerLoss);
            strike(ReplicaStrike::DiskLoss);
            let Some(leader) = controller.leader.filter(|leader| *leader != who) else {
                continue;
            };
            if controller.in_sync.contains(who) {
                strike(ReplicaStrike::Lead);
                // One that the leader knows to have everything does not fall behind, however rarely
                // it fetches (`Replica.isCaughtUp`).
                let end = replication.replica(leader).broker.log_end();
                if replication.replica(who).known_end < end {
                    strike(ReplicaStrike::Lag);
                }
            }
        }
        let mut leaders = controller.in_sync;
        leaders.extend(controller.leader);
        // Without eligible leader replicas nobody asks who led last.
        let last: Vec<Option<u16>> = match settings.eligible_leader_replicas {
            true => leaders.iter().map(Some).collect(),
            false => vec![None],
        };
        for last in last {
            for commits in 0..=state.group.history.len() as u16 {
                for failed in self.failed_records_kept(state) {
                    add(Strike::EveryReplica {
                        last,
                        commits,
                        failed: *failed,
                    });
                }
            }
        }
    }

    /// Adds what time does to replicas, and what their log cleaners do, at each set of brokers.
    pub(super) fn aging_faults(
        &self,
        state: &State,
        replication: &Replication,
        add: &mut impl FnMut(Strike),
    ) {
        let Pipeline { topic, rules, .. } = &self.pipeline;
        let settings = &topic.replication;
        for session in 0..=state.producer.session {
            if self.can_expire(state, session, Partition::First) {
                let knowing = replication.who_knows(session, settings);
                for brokers in knowing.subsets() {
                    add(Strike::ForgetAt { session, brokers });
                }
            }
        }
        for brokers in replication.who_has_the_oldest(settings, rules).subsets() {
            add(Strike::RetentionAt { brokers });
        }
        if self
            .budget
            .has_left(&state.left, state.left_in_all, Fault::Compaction)
        {
            for (end, cleaning) in replication.who_may_clean(&self.pipeline) {
                for brokers in cleaning.subsets() {
                    add(Strike::CompactionAt { end, brokers });
                }
            }
        }
    }

    /// Something happens to one replica.
    pub(super) fn strike_replica(&self, state: &mut State, who: u16, how: ReplicaStrike) {
        let settings = &self.pipeline.topic.replication;
        let Some(replication) = &mut state.replication else {
            return;
        };
        match how {
            ReplicaStrike::Crash => replication.replica_mut(who).status = Status::Down,
            ReplicaStrike::PowerLoss => replication.replica_mut(who).status = Status::Unpowered,
            ReplicaStrike::DiskLoss => replication.replica_mut(who).lose_disk(),
            ReplicaStrike::Lag => return replication.controller.shrink(who, settings),
            ReplicaStrike::Lead => {
                replication.begin_epoch(who, &self.pipeline);
                return state.forget_marker_under_way();
            }
        }
        replication.controller.fence(who, settings);
        state.limbo.lose_produce_requests(|to| to == who);
        self.lose_connection_to(state, who);
    }

    /// The producer's connection to a broker breaks with every request and answer on it.
    pub(super) fn lose_connection_to(&self, state: &mut State, who: u16) {
        state
            .producer
            .lose_connection_to(who, &self.pipeline, &mut state.ledger);
        ask_again(state, who);
    }

    /// Every broker loses power.
    pub(super) fn strike_every_replica(
        &self,
        state: &mut State,
        last: Option<u16>,
        commits: u16,
        failed: bool,
    ) {
        let settings = &self.pipeline.topic.replication;
        let Some(replication) = &mut state.replication else {
            return;
        };
        for who in 0..settings.replicas {
            replication.replica_mut(who).status = Status::Unpowered;
        }
        replication.controller.fence_all(last, settings);
        replication.known = None;
        state.limbo.lose_produce_requests(|_| true);
        state
            .producer
            .lose_connection(&self.pipeline, &mut state.ledger);
        self.lose_what_was_committed(state, commits, failed);
    }

    /// Commits and failed records that were not on disk are gone.
    pub(super) fn lose_what_was_committed(&self, state: &mut State, commits: u16, failed: bool) {
        if self.limits.history > 0 {
            state.group.lose_commits(commits);
        }
        if !failed {
            state.ledger.dead_lettered = Set::default();
        }
    }

    /// Whether the replicas have come to rest: all are up, in sync, and known for what they are.
    pub(super) fn replicas_rest(&self, state: &State) -> bool {
        let settings = &self.pipeline.topic.replication;
        state.replication.as_ref().is_none_or(|replication| {
            let controller = &replication.controller;
            let all = settings.replicas;
            controller.leader.is_some()
                && replication.known == controller.leader
                && controller.in_sync.len() == all
                && replication.alive(settings).len() == all
                && (0..all).all(|who| !replication.is_behind(who))
        })
    }
}

/// The client asks anew which broker leads.
pub(super) fn ask_again(state: &mut State, who: u16) {
    if let Some(replication) = &mut state.replication
        && replication.known == Some(who)
        && replication.controller.leader != Some(who)
    {
        replication.known = None;
    }
}

/// What waits at a broker for the in-sync replicas is refused.
pub(super) fn refuse_waiting(state: &mut State, who: u16) {
    for flight in state.producer.flights.iter_mut() {
        if flight.to == who && flight.answer == Answer::Replicating {
            flight.answer = Answer::Refused;
            flight.offset = 0;
        }
    }
}
