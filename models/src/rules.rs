//! Rules of Kafka that changed between releases, each a field.
//!
//! What is the same in every release that semel knows is not here but in the actor that follows it.

use crate::transaction_coordinator::TransactionRules;

/// The rules in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KafkaRules {
    /// The broker keeps what it knows of a producer id when retention has removed all of its
    /// records, until the id expires. Brokers from 2.4 (KAFKA-7190, part of KIP-360:
    /// `ProducerStateManager.truncateHead` evicts no producer any more). Before, it forgets the id
    /// with the last of its records, and until then remembers also those that are gone.
    pub producer_state_outlives_records: bool,
    /// The broker takes any sequence number of a producer id that it does not know. Brokers from 2.5
    /// (KAFKA-8710, KIP-360: `ProducerAppendInfo.checkSequence`). Before, it takes 0 and answers
    /// UNKNOWN_PRODUCER_ID to any other.
    pub unknown_producer_starts_anywhere: bool,
    /// The idempotent Java client bumps its epoch itself when the broker lost track of it. Clients
    /// from 2.5 (KAFKA-8805, KIP-360: `TransactionManager.canRetry`). Before, it starts the same
    /// producer id again at sequence number 0 where the log's head seems to be gone, and asks for
    /// another producer id otherwise ([`crate::producer::java`]). librdkafka always bumps.
    pub java_bumps_epoch: bool,
    /// The time that limits a delivery goes on while the record is in flight. Java clients from 2.1
    /// (KAFKA-5886, KIP-91: `Sender.getExpiredInflightBatches`, and `hasReachedDeliveryTimeout` where
    /// an answer is missing), and librdkafka. Before, only what waits in the accumulator expires.
    pub flights_expire: bool,
    /// The client keeps a partition's sequence numbers while a broker's metadata does not have the
    /// topic. Java clients, and librdkafka from 1.9.0 (`rd_kafka_toppar_idemp_msgid_save`). Before, it
    /// forgets them with the partition, and numbers from 0 again under the same producer id and epoch.
    pub sequences_outlive_metadata: bool,
    /// A transactional librdkafka client whose partition refuses a sequence number because one was skipped
    /// fails its transaction. From 1.8.2 (#3575). Before, it has its epoch raised within the transaction,
    /// and goes on in it where it is given one: to a client that says which epoch it has (from 1.7) brokers
    /// before 2.5 do not give one, which is fatal, and those of 2.5 do.
    pub skipped_number_fails_transaction: bool,
    /// A consumer takes the metadata of a topic that was created again although its leader epoch is
    /// lower than the last one that it has seen. Java clients from 3.0, by the topic's id (KAFKA-12257,
    /// and KAFKA-13488 where it saw the topic missing in between), and those before 2.1, which
    /// compare no epochs. In between they stay with the old metadata.
    pub recreated_topic_noticed: bool,
    /// A produce request names its topic by its id, so that one to a topic that was deleted is refused by another
    /// one under its name. Java clients and brokers from 4.1 (KAFKA-10551).
    pub produce_names_ids: bool,
    /// A consumer whose position carries a leader epoch notices that the log was truncated below
    /// it. Java clients and brokers from 2.3 (KAFKA-7747, KIP-320: `OffsetsForLeaderEpoch`),
    /// librdkafka from 2.1.0. Before, a position is valid again as soon as the log has grown over it.
    pub truncation_noticed: bool,
    /// The brokers' rules about transactions.
    pub transactions: TransactionRules,
    /// What a follower cuts off its log when it hears of a new leader.
    pub truncation: TruncationRule,
    /// A leader refuses the fetch of a follower that has not heard of its epoch. Brokers from 2.1
    /// (KAFKA-6880, KIP-320). Before, such a fetch is answered and counts.
    pub stale_fetches_refused: bool,
    /// The controller refuses to add a broker to the in-sync replicas that has started again since the
    /// leader saw it. Brokers from 3.5 (KAFKA-14139, KIP-903).
    pub broker_epoch_checked: bool,
    /// The high watermark does not move while there are fewer in-sync replicas than the minimum.
    /// Brokers from 3.7 (KAFKA-15583, KIP-966).
    pub high_watermark_waits: bool,
}

/// What a follower cuts off its log when it hears of a new leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TruncationRule {
    /// What lies above its own high watermark: brokers before 0.11.
    ToHighWatermark,
    /// What lies above the end that the leader names for the follower's last epoch: a leader without
    /// that epoch names the start of its next one, and one that has appended nothing since names
    /// none; then what lies above the follower's high watermark (KIP-101, from 0.11).
    EndOfEpoch,
    /// The same, but the leader names the epoch before with its end, and the follower asks again until
    /// it has that epoch (KIP-279, from 2.0).
    EndOfKnownEpoch,
}

impl TruncationRule {
    /// Whether a follower may ever cut its log to its own high watermark.
    pub fn asks_for_high_watermark(self) -> bool {
        match self {
            TruncationRule::ToHighWatermark | TruncationRule::EndOfEpoch => true,
            TruncationRule::EndOfKnownEpoch => false,
        }
    }
}

impl KafkaRules {
    /// The rules of Kafka 4.x and librdkafka 2.x.
    pub const CURRENT: KafkaRules = KafkaRules {
        producer_state_outlives_records: true,
        unknown_producer_starts_anywhere: true,
        java_bumps_epoch: true,
        flights_expire: true,
        sequences_outlive_metadata: true,
        skipped_number_fails_transaction: true,
        recreated_topic_noticed: true,
        produce_names_ids: true,
        truncation_noticed: true,
        transactions: TransactionRules::CURRENT,
        truncation: TruncationRule::EndOfKnownEpoch,
        stale_fetches_refused: true,
        broker_epoch_checked: true,
        high_watermark_waits: true,
    };
}
