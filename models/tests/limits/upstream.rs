//! Random producers, and the rules that they meet.

use super::output;
use proptest::prelude::*;
use proptest::sample::select;
use semel_models::pipeline::*;

pub fn producers() -> impl Strategy<Value = ProducerSettings> {
    let confirm = select(vec![
        ConfirmOn::Ack,
        ConfirmOn::Send,
        ConfirmOn::DatabaseCommit,
    ]);
    let failure = select(vec![
        OnSendFailure::GiveUp,
        OnSendFailure::Resend,
        OnSendFailure::Ignore,
    ]);
    let restart = select(vec![OnRestart::Forget, OnRestart::ResendUnconfirmed]);
    let acks = select(vec![Acks::None, Acks::Leader, Acks::All]);
    (
        any::<bool>(),
        acks,
        0..3u16,
        any::<bool>(),
        1..4u32,
        confirm,
        failure,
        restart,
        sources(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(
                idempotence,
                acks,
                retries,
                capped,
                max_in_flight,
                confirm_on,
                on_send_failure,
                on_restart,
                source,
                id_expires_first,
                transactions_time_out,
            )| {
                ProducerSettings {
                    acks: if idempotence { Acks::All } else { acks },
                    idempotence,
                    retries: if idempotence { retries.max(1) } else { retries },
                    retries_are_capped: capped,
                    max_in_flight,
                    confirm_on,
                    on_send_failure,
                    on_restart,
                    source,
                    id_expires_first,
                    transactions_time_out,
                }
            },
        )
}

fn sources() -> impl Strategy<Value = Source> {
    let outbox = |order, cursor| Source::Outbox { order, cursor };
    select(vec![
        Source::Memory,
        outbox(OutboxOrder::PublishMark, OutboxCursor::Status),
        outbox(OutboxOrder::MarkPublish, OutboxCursor::Status),
        outbox(OutboxOrder::PublishMark, OutboxCursor::HighestId),
        Source::DualWrite(DualWriteOrder::DatabaseFirst),
        Source::DualWrite(DualWriteOrder::KafkaFirst),
    ])
}

pub fn rules() -> impl Strategy<Value = KafkaRules> {
    let former = select(vec![
        KafkaRules::CURRENT,
        KafkaRules {
            skipped_number_fails_transaction: false,
            ..KafkaRules::CURRENT
        },
        KafkaRules {
            producer_state_outlives_records: false,
            unknown_producer_starts_anywhere: false,
            ..KafkaRules::CURRENT
        },
        KafkaRules {
            producer_state_outlives_records: false,
            unknown_producer_starts_anywhere: false,
            java_bumps_epoch: false,
            sequences_outlive_metadata: false,
            recreated_topic_noticed: false,
            produce_names_ids: false,
            truncation_noticed: false,
            truncation: TruncationRule::ToHighWatermark,
            stale_fetches_refused: false,
            broker_epoch_checked: false,
            high_watermark_waits: false,
            ..KafkaRules::CURRENT
        },
    ]);
    (former, output::transactions()).prop_map(|(rules, transactions)| KafkaRules {
        transactions,
        ..rules
    })
}
