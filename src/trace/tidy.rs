//! The order in which a run is told.
//!
//! Steps of different actors that do not touch each other may be exchanged: the run stays as long
//! and ends in the same state. Of all the orders that a run can be brought into in this way, one
//! is told: what happens upstream comes as early as it can, then the consumers, in their order. A
//! story then does not jump more than it must, and does not depend on how states are stored.

use super::tell::Run;
use semel_models::action::{Action, PartitionStrike, ReplicaStep, Strike, Target};
use semel_models::cluster::{Cluster, State};
use stateright::Model;

/// Brings a run that ends into the order in which it is told.
pub(super) fn tidy(cluster: &Cluster, run: &Run) -> Run {
    let mut steps = run.steps.clone();
    if run.loops_from.is_some() {
        return run.with(steps);
    }
    let mut exchanged = true;
    while exchanged {
        exchanged = false;
        for later in 1..steps.len() {
            let start = match later {
                1 => &run.start,
                _ => &steps[later - 2].1,
            };
            let (first, (second, end)) = (steps[later - 1].0, &steps[later]);
            let second = *second;
            if actor(second) < actor(first)
                && let Some(between) = exchange(cluster, start, first, second, end)
            {
                steps[later - 1] = (second, between);
                steps[later].0 = first;
                exchanged = true;
            }
        }
    }
    run.with(steps)
}

/// The state between the two steps in the other order, if both are enabled in that order and lead
/// to the same state.
fn exchange(
    cluster: &Cluster,
    start: &State,
    first: Action,
    second: Action,
    end: &State,
) -> Option<State> {
    let enabled = |state: &State, action: Action| {
        let mut actions = Vec::new();
        cluster.actions(state, &mut actions);
        actions
            .contains(&action)
            .then(|| cluster.next_state(state, action))
            .flatten()
    };
    let between = enabled(start, second)?;
    (enabled(&between, first)? == *end).then_some(between)
}

/// Who acts, as a number in the order of telling.
fn actor(action: Action) -> u16 {
    const UPSTREAM: u16 = 0;
    const ENVIRONMENT: u16 = 100;
    match action {
        Action::Consumer { who, .. } => 1 + who,
        // What a client does is told with what its application does; brokers and the reader come after.
        Action::OutputTopic { client, does } if does.is_of_client() => 1 + client,
        Action::LateArrives(_)
        | Action::OutputTransaction { .. }
        | Action::OutputTopic { .. }
        | Action::ReadResult => ENVIRONMENT,
        Action::Replica { does, .. } => match does {
            ReplicaStep::HandleProduce | ReplicaStep::Answer => UPSTREAM,
            ReplicaStep::Restart { .. }
            | ReplicaStep::Elected
            | ReplicaStep::Hear
            | ReplicaStep::Fetch
            | ReplicaStep::Propose
            | ReplicaStep::Join
            | ReplicaStep::TimeOut => UPSTREAM,
        },
        Action::Fault { strike, .. } => match strike {
            Strike::Consumer { who, .. }
            | Strike::DedupExpiry { who }
            | Strike::ExpireResult { who, .. }
            | Strike::FailWrite { who, .. } => 1 + who,
            Strike::LoseRequest(target)
            | Strike::LoseAnswer(target)
            | Strike::Refuse(target)
            | Strike::Delay(target) => match target {
                Target::Produce | Target::ProduceToOther | Target::Coordinator(_) => UPSTREAM,
                Target::Commit(who)
                | Target::BackgroundCommit(who)
                | Target::LeavingCommit(who)
                | Target::FailedWrite(who)
                | Target::Result(who)
                | Target::Offsets(who)
                | Target::EndTransaction(who)
                | Target::Start(who)
                | Target::Add(who, _) => 1 + who,
                Target::Repeated(_) => ENVIRONMENT,
            },
            Strike::ProducerCrash
            | Strike::ProducerCrashAtEnd
            | Strike::ProducerPause
            | Strike::ProducerPauseOfRequests
            | Strike::Abort
            | Strike::StaleMetadata
            | Strike::TransactionTimeout
            | Strike::DeliveryTimeout
            | Strike::InOther(PartitionStrike::DeliveryTimeout) => UPSTREAM,
            Strike::InOther(
                PartitionStrike::ForgetProducer(_)
                | PartitionStrike::Retention
                | PartitionStrike::OffsetReset { .. },
            )
            | Strike::ForgetProducer(_)
            | Strike::ForgetAt { .. }
            | Strike::Retention
            | Strike::RetentionAt { .. }
            | Strike::Compaction { .. }
            | Strike::CompactionAt { .. }
            | Strike::BrokerCrash
            | Strike::PowerLoss { .. }
            | Strike::PowerLossAll { .. }
            | Strike::DiskLoss
            | Strike::Replica { .. }
            | Strike::OutputReplica { .. }
            | Strike::EveryReplica { .. }
            | Strike::Rebalance { .. }
            | Strike::OutputTransactionTimeout(_)
            | Strike::CoordinatorFailover { .. }
            | Strike::TransactionCoordinatorFailover(_)
            | Strike::OutputCoordinatorFailover(_)
            | Strike::RecreateTopic(_)
            | Strike::RecreateMissingTopic(_)
            | Strike::RecreateTopicAt { .. }
            | Strike::AddPartition { .. }
            | Strike::OffsetsExpiry
            | Strike::OffsetReset { .. } => ENVIRONMENT,
        },
        Action::CommitUpstream(_)
        | Action::Mark(_)
        | Action::Send(_)
        | Action::SendToOther(_)
        | Action::Transmit
        | Action::HandleProduce
        | Action::ReceiveAnswer
        | Action::Expire
        | Action::FailTooLate
        | Action::LearnLeader
        | Action::InitProducerId
        | Action::AddPartitions
        | Action::CommitTransaction
        | Action::EndTransaction
        | Action::WriteMarker
        | Action::TimeOutTransaction
        | Action::LearnPartition
        | Action::OtherPartition(_) => UPSTREAM,
    }
}
