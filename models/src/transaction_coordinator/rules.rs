//! The rules about transactions that changed between releases.

/// `transaction.version` as far as the protocol goes: 0 and 1 differ only in the format of the
/// transaction log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionVersion {
    /// Versions 0 and 1: an epoch serves many transactions.
    One,
    /// Version 2 (KIP-890): every transaction has an epoch of its own, and the partition leader adds
    /// its partition.
    Two,
}

/// The rules of brokers about transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionRules {
    /// The version in force between brokers and clients.
    pub version: TransactionVersion,
    /// The partition leader asks the coordinator before the first append of a transaction
    /// (`transaction.partition.verification.enable`, from 3.6, KIP-890).
    pub verifies: bool,
    /// A timeout fences the producer. From 0.11.0.2 (KAFKA-6119).
    pub timeout_fences: bool,
    /// InitProducerId takes the epoch that the client expects. Brokers from 2.5 (KIP-360).
    pub epoch_can_be_expected: bool,
    /// The coordinator knows the epoch that it fenced: a client that asks again with it is given the next
    /// one, as if its own first request had been done. Brokers of 2.5 (KIP-360); from 2.6 such a client is
    /// fenced (KAFKA-9666: `lastProducerEpoch` is none then, in `TransactionCoordinator.endTransaction`).
    pub fenced_epoch_is_known: bool,
    /// Under version 2 a partition that knows nothing of a producer takes only its sequence number 0.
    /// Brokers from 4.1 (KAFKA-18202).
    pub first_number_is_zero: bool,
    /// Under version 2 a coordinator that aborts a transaction by itself raises the epoch twice: to fence its
    /// producer, and for the end. Brokers before 4.0.1 (KAFKA-19367).
    pub fence_raises_twice: bool,
}

impl TransactionRules {
    /// Whether partition leaders ask the coordinator for the transaction of what they append: they verify
    /// it, or add their partition to it.
    pub fn leaders_ask(&self) -> bool {
        self.version == TransactionVersion::Two || self.verifies
    }

    /// Whether a partition that knows nothing of a transactional producer takes its first sequence number
    /// only.
    pub fn first_numbers_only(&self) -> bool {
        self.version == TransactionVersion::Two && self.first_number_is_zero
    }

    /// The rules of a cluster formatted at 4.0 or later, with a Java client.
    pub const CURRENT: TransactionRules = TransactionRules {
        version: TransactionVersion::Two,
        verifies: true,
        timeout_fences: true,
        epoch_can_be_expected: true,
        fenced_epoch_is_known: false,
        first_number_is_zero: true,
        fence_raises_twice: false,
    };
}
