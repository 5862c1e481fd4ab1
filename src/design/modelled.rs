//! What this release models, in one place: everything else that can be read is refused by name.

mod settings;

pub(crate) use settings::{Honoured, honoured};

use semel_models::fault::Fault;
use semel_models::order::Step;
use semel_models::pipeline as model;

use super::choices::{
    AfterAttempts, Assignment, CommitCovers, ConfirmOn, DeadLetterOrder, DedupInsert, DedupKey,
    DedupStore, DualWriteOrder, EffectName, OnAbort, OnCommitFailure, OnRestart, OnRevoke,
    OnSendFailure, OutboxCursor, OutboxOrder, PreparedTransaction, RecordSource, Start,
    TransactionalId,
};
use super::order::GroupKind;
use super::version::{Rule, Versions};

/// Whether this release models the step.
pub fn step(step: Step) -> bool {
    match step {
        Step::Process
        | Step::SkipIfSeen
        | Step::Remember
        | Step::Commit
        | Step::CommitAsync
        | Step::SaveOffset
        | Step::StoreOffset
        | Step::Produce
        | Step::ProduceAsync
        | Step::Flush => true,
    }
}

/// Whether the group is modelled.
pub(crate) fn group(kind: GroupKind) -> bool {
    match kind {
        GroupKind::Each | GroupKind::Database | GroupKind::Kafka => true,
    }
}

/// Whether this release models the fault.
pub fn fault(fault: Fault) -> bool {
    match fault {
        Fault::ProducerCrash
        | Fault::ConsumerCrash
        | Fault::GracefulRestart
        | Fault::ProducerPause
        | Fault::ConsumerPause
        | Fault::SlowProcessing
        | Fault::Rebalance
        | Fault::ProcessFailure
        | Fault::ProcessFailureLate
        | Fault::Poison
        | Fault::Abort
        | Fault::SinkUnavailable
        | Fault::SinkAnswerLost
        | Fault::RequestLost
        | Fault::ResponseLost
        | Fault::RequestRefused
        | Fault::RequestDelayed
        | Fault::DeliveryTimeout
        | Fault::BrokerCrash
        | Fault::PowerLoss
        | Fault::PowerLossAll
        | Fault::DiskLoss
        | Fault::ProducerIdExpiry
        | Fault::OffsetsExpiry
        | Fault::DedupExpiry
        | Fault::Retention
        | Fault::Compaction
        | Fault::CoordinatorFailover
        | Fault::StaleMetadata
        | Fault::TopicRecreate
        | Fault::LeaderChange
        | Fault::ReplicaLag
        | Fault::AddPartition
        | Fault::TransactionTimeout
        | Fault::OffsetReset => true,
    }
}

pub(crate) fn confirm_on(choice: ConfirmOn) -> Option<model::ConfirmOn> {
    match choice {
        ConfirmOn::Ack => Some(model::ConfirmOn::Ack),
        ConfirmOn::Send => Some(model::ConfirmOn::Send),
        ConfirmOn::DatabaseCommit => Some(model::ConfirmOn::DatabaseCommit),
    }
}

/// The source with the order and the cursor that go with it.
pub(crate) fn source(
    choice: RecordSource,
    order: OutboxOrder,
    cursor: OutboxCursor,
    dual: DualWriteOrder,
    records_per_transaction: u16,
) -> Option<model::Source> {
    match choice {
        RecordSource::Memory => Some(model::Source::Memory),
        RecordSource::Outbox => Some(model::Source::Outbox {
            order: match order {
                OutboxOrder::PublishMark => model::OutboxOrder::PublishMark,
                OutboxOrder::MarkPublish => model::OutboxOrder::MarkPublish,
            },
            cursor: match cursor {
                OutboxCursor::Status => model::OutboxCursor::Status,
                OutboxCursor::HighestId => model::OutboxCursor::HighestId,
            },
        }),
        RecordSource::DualWrite => Some(model::Source::DualWrite(match dual {
            DualWriteOrder::DatabaseKafka => model::DualWriteOrder::DatabaseFirst,
            DualWriteOrder::KafkaDatabase => model::DualWriteOrder::KafkaFirst,
        })),
        RecordSource::Transaction => Some(model::Source::Transaction {
            records_per_transaction,
        }),
    }
}

pub(crate) fn on_send_failure(choice: OnSendFailure) -> Option<model::OnSendFailure> {
    match choice {
        OnSendFailure::GiveUp => Some(model::OnSendFailure::GiveUp),
        OnSendFailure::Resend => Some(model::OnSendFailure::Resend),
        OnSendFailure::Ignore => Some(model::OnSendFailure::Ignore),
    }
}

pub(crate) fn on_restart(choice: OnRestart) -> Option<model::OnRestart> {
    match choice {
        OnRestart::Forget => Some(model::OnRestart::Forget),
        OnRestart::ResendUnconfirmed => Some(model::OnRestart::ResendUnconfirmed),
    }
}

pub(crate) fn commit_covers(choice: CommitCovers) -> Option<model::CommitCovers> {
    match choice {
        CommitCovers::Next => Some(model::CommitCovers::Next),
        CommitCovers::Last => Some(model::CommitCovers::Last),
        CommitCovers::Position => Some(model::CommitCovers::Position),
        CommitCovers::Contiguous => Some(model::CommitCovers::Contiguous),
        CommitCovers::Highest => Some(model::CommitCovers::Highest),
    }
}

pub(crate) fn on_commit_failure(choice: OnCommitFailure) -> Option<model::OnCommitFailure> {
    match choice {
        OnCommitFailure::RetryLatest => Some(model::OnCommitFailure::RetryLatest),
        OnCommitFailure::RetrySaved => Some(model::OnCommitFailure::RetrySaved),
        OnCommitFailure::Ignore => Some(model::OnCommitFailure::Ignore),
    }
}

/// What follows the last attempt, with the order in which a dead letter is written.
pub(crate) fn after_attempts(
    choice: AfterAttempts,
    order: Option<model::DeadLetterOrder>,
) -> Option<model::AfterAttempts> {
    match choice {
        AfterAttempts::Stop => Some(model::AfterAttempts::Stop),
        AfterAttempts::Close => Some(model::AfterAttempts::Close),
        AfterAttempts::Skip => Some(model::AfterAttempts::Skip),
        AfterAttempts::DeadLetter => order.map(model::AfterAttempts::DeadLetter),
        AfterAttempts::RetryTopic => Some(model::AfterAttempts::RetryTopic),
        AfterAttempts::Block => Some(model::AfterAttempts::Block),
    }
}

pub(crate) fn dead_letter_order(choice: DeadLetterOrder) -> Option<model::DeadLetterOrder> {
    match choice {
        DeadLetterOrder::WriteCommit => Some(model::DeadLetterOrder::WriteCommit),
        DeadLetterOrder::CommitWrite => Some(model::DeadLetterOrder::CommitWrite),
        DeadLetterOrder::Transaction => None,
    }
}

pub(crate) fn on_revoke(choice: OnRevoke) -> Option<model::OnRevoke> {
    match choice {
        OnRevoke::Nothing => Some(model::OnRevoke::Nothing),
        OnRevoke::Commit => Some(model::OnRevoke::Commit),
        OnRevoke::DropBuffered => Some(model::OnRevoke::DropBuffered),
    }
}

pub(crate) fn on_abort(choice: OnAbort) -> Option<model::OnAbort> {
    match choice {
        OnAbort::Seek => Some(model::OnAbort::Seek),
        OnAbort::Continue => Some(model::OnAbort::Continue),
    }
}

pub(crate) fn prepared_transaction(
    choice: PreparedTransaction,
) -> Option<model::PreparedTransaction> {
    match choice {
        PreparedTransaction::Abort => Some(model::PreparedTransaction::Abort),
        PreparedTransaction::Resume => Some(model::PreparedTransaction::Resume),
    }
}

pub(crate) fn transactional_id(choice: TransactionalId) -> Option<model::TransactionalId> {
    match choice {
        TransactionalId::Stable => Some(model::TransactionalId::Stable),
        TransactionalId::PerStart => Some(model::TransactionalId::PerStart),
        TransactionalId::PerPartition => Some(model::TransactionalId::PerPartition),
    }
}

pub(crate) fn assignment(choice: Assignment) -> Option<model::Assignment> {
    match choice {
        Assignment::Subscribe => Some(model::Assignment::Subscribe),
        Assignment::Assign => Some(model::Assignment::Assign),
    }
}

pub(crate) fn effect(choice: EffectName, idempotency_key: bool) -> Option<model::Effect> {
    match choice {
        EffectName::Add => Some(model::Effect::Add),
        EffectName::Upsert => Some(model::Effect::Upsert),
        EffectName::External => Some(model::Effect::External { idempotency_key }),
        EffectName::Topic => Some(model::Effect::Topic),
    }
}

pub(crate) fn dedup(choice: DedupStore) -> Option<model::Dedup> {
    match choice {
        DedupStore::Durable => Some(model::Dedup::Durable),
        DedupStore::Separate => Some(model::Dedup::Separate),
        DedupStore::Memory => Some(model::Dedup::Memory),
    }
}

pub(crate) fn dedup_insert(choice: DedupInsert) -> Option<model::DedupInsert> {
    match choice {
        DedupInsert::Unique => Some(model::DedupInsert::Unique),
        DedupInsert::Plain => Some(model::DedupInsert::Plain),
    }
}

pub(crate) fn dedup_key(choice: DedupKey) -> Option<model::DedupKey> {
    match choice {
        DedupKey::Record => Some(model::DedupKey::Record),
        DedupKey::Offset => Some(model::DedupKey::Offset),
    }
}

pub(crate) fn start(choice: Start) -> Option<model::Start> {
    match choice {
        Start::Joined => Some(model::Start::Joined),
        Start::Cold => Some(model::Start::Cold),
    }
}

/// Whether the model is right about versions in which the rule is not as in the newest release:
/// because the pipeline says so, or because a design with one replica and without transactions
/// never meets it.
pub(crate) fn former_rule(rule: Rule, versions: &Versions) -> bool {
    match rule {
        // Settled while the design is read.
        Rule::IdempotentProducer
        | Rule::IdempotenceByDefault
        | Rule::AcksAllByDefault
        | Rule::FiveBatches
        | Rule::DeliveryTimeout
        | Rule::StaticMembership
        | Rule::CooperativeRebalancing
        | Rule::ConsumerProtocol
        | Rule::CommitOverPoll
        | Rule::RevocationInPollsOnly
        | Rule::AssignmentInPollsOnly
        | Rule::EpochOfTheAssignment => true,
        // Rules of the pipeline.
        Rule::StateOutlivesRecords
        | Rule::TopicIdsInMetadata
        | Rule::ProduceNamesIds
        | Rule::SequencesOutliveMetadata
        | Rule::UnknownProducerId
        | Rule::EpochInCommits
        | Rule::PositionValidation => true,
        // Brokers and clients of 0.11 have no error of its own for an unknown producer id.
        Rule::AnySequenceWithoutState | Rule::LocalEpochBump => versions.has(Rule::FiveBatches),
        // Rules of the pipeline, about several replicas.
        Rule::TruncationByEpoch
        | Rule::EpochOfTheAnswer
        | Rule::EpochFencing
        | Rule::BrokerEpochInFetch
        | Rule::HighWatermarkWaits
        | Rule::EligibleLeaderReplicas => true,
        // About transactions: rules of the pipeline, or of an output that is refused.
        Rule::TimeoutFences
        | Rule::FirstNumberIsZero
        | Rule::FenceRaisesOnce
        | Rule::EpochAtCoordinator
        | Rule::SaysItsEpoch
        | Rule::FencedEpochKnown
        | Rule::GroupMetadata
        | Rule::TransactionVerification
        | Rule::OffsetVerification
        | Rule::TransactionVersion2
        | Rule::EndlessTimeout => true,
        Rule::TopicIdsAfterAbsence => !versions.has(Rule::TopicIdsInMetadata),
        Rule::HeartbeatThread
        | Rule::OffsetsGoWithTheTopic
        | Rule::SequenceAfterLostAnswer
        | Rule::FatalInTransactions
        | Rule::EmptyAbortsSkipped
        | Rule::TimedCommitsWait
        | Rule::ResetForGoodReason
        | Rule::SkippedNumberFails
        | Rule::AbortBeforeEpoch
        | Rule::StoreOfOwnPartitions
        | Rule::OffsetsExpireWithTheGroup
        | Rule::PollDuringRebalance
        | Rule::CleanerStops
        | Rule::StrayReplicas
        | Rule::CommitBehindRebalance => false,
    }
}
