//! A pipeline to start from.

#[allow(dead_code, reason = "not every test has replicas")]
pub mod replicas;

use semel_models::fault::{Fault, FaultBudget, FaultKey};
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::*;

/// Two records, an idempotent Java producer that resends after a restart, `process -> commit`, and
/// one each of `faults`, two in all.
pub fn pipeline(faults: &[Fault]) -> Pipeline {
    Pipeline {
        client: Client::Java,
        producer: ProducerSettings {
            acks: Acks::All,
            idempotence: true,
            retries: 2,
            retries_are_capped: true,
            max_in_flight: 5,
            confirm_on: ConfirmOn::Ack,
            on_send_failure: OnSendFailure::GiveUp,
            on_restart: OnRestart::ResendUnconfirmed,
            source: Source::Memory,
            id_expires_first: false,
            transactions_time_out: true,
        },
        topic: TopicSettings {
            replication: ReplicationSettings::ONE,
            flush_messages: None,
            flushes_internal_topics: false,
            retention: true,
            compacted: false,
            cleaned: false,
        },
        group: GroupSettings {
            instances: 1,
            assignment: Assignment::Subscribe,
            protocol: GroupProtocol::Eager,
            sticky: false,
            static_membership: false,
            revokes_in_background: false,
            rejoins_in_background: false,
        },
        consumer: ConsumerSettings {
            offset_reset: OffsetReset::Earliest,
            isolation: Isolation::ReadUncommitted,
            auto_commit: AutoCommit::Off,
            order: Order(vec![Item::Step(Step::Process), Item::Step(Step::Commit)]),
            commit_covers: CommitCovers::Next,
            on_commit_failure: OnCommitFailure::RetryLatest,
            seek_on_assign: true,
            workers: 0,
            on_revoke: OnRevoke::Nothing,
            on_lost: OnRevoke::Nothing,
            on_process_failure: OnProcessFailure {
                attempts: 1,
                then: AfterAttempts::Stop,
            },
            output: OutputSettings::NONE,
        },
        sink: SinkSettings {
            effect: Effect::Add,
            dedup: Dedup::Durable,
            dedup_insert: DedupInsert::Unique,
            dedup_key: DedupKey::Record,
            dedup_window: None,
            fencing: false,
            version_guard: false,
        },
        rules: KafkaRules::CURRENT,
        faults: FaultBudget {
            entries: faults
                .iter()
                .map(|fault| {
                    let key = FaultKey {
                        fault: *fault,
                        call: None,
                    };
                    (key, 1)
                })
                .collect(),
            total: Some(2),
        },
        bounds: Bounds {
            records: 2,
            partitions: 1,
            keys: 1,
            poll: 2,
            retries: 2,
            start: Start::Joined,
        },
    }
}
