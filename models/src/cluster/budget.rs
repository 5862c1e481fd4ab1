//! The faults that may be spent, and what paying for one means.

use super::State;
use crate::action::Strike;
use crate::codec::Codec;
use crate::fault::{Call, Fault, FaultKey};
use crate::order::Step;
use crate::pipeline::{Acks, Client, Dedup, GroupProtocol, Pipeline, Source};
use crate::transaction_coordinator::TransactionVersion;

/// The entries of a design's budget that it can spend, and the cap on their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    entries: Vec<(FaultKey, u16)>,
    total: u16,
    /// Whether what is left of an entry is no more than what is left in all.
    clamped: bool,
}

impl Budget {
    pub(super) fn of(pipeline: &Pipeline, clamped: bool) -> Budget {
        let can_meet = |(key, _): &&(FaultKey, u16)| meets(pipeline, *key);
        Budget {
            entries: pipeline
                .faults
                .entries
                .iter()
                .filter(can_meet)
                .copied()
                .collect(),
            total: pipeline.faults.total(),
            clamped,
        }
    }

    pub(super) fn entries(&self) -> &[(FaultKey, u16)] {
        &self.entries
    }

    /// The most faults that one run spends.
    fn most(&self) -> u16 {
        let sum: u32 = self.entries.iter().map(|(_, own)| u32::from(*own)).sum();
        self.total.min(u16::try_from(sum).unwrap_or(u16::MAX))
    }

    /// Fills the budget of a first state.
    pub(super) fn fill(&self, state: &mut State) {
        state.left_in_all = self.most();
        for (left, (_, own)) in state.left.iter_mut().zip(&self.entries) {
            *left = if self.clamped {
                (*own).min(state.left_in_all)
            } else {
                *own
            };
        }
    }

    /// Whether no fault can strike any more.
    pub(super) fn is_spent(&self, state: &State) -> bool {
        state.left_in_all == 0 || state.left.iter().all(|left| *left == 0)
    }

    /// Whether `fault` can still strike.
    pub(super) fn has_left(&self, left: &[u16], left_in_all: u16, fault: Fault) -> bool {
        self.has_any_left(left, left_in_all, |other| other == fault)
    }

    /// Whether one of `those` faults can still strike.
    pub(super) fn has_any_left(
        &self,
        left: &[u16],
        left_in_all: u16,
        those: impl Fn(Fault) -> bool,
    ) -> bool {
        let mut entries = self.entries.iter().zip(left);
        left_in_all > 0 && entries.any(|((key, _), left)| *left > 0 && those(key.fault))
    }

    /// How many faults were spent.
    pub(super) fn spent(&self, state: &State) -> u16 {
        self.most() - state.left_in_all
    }

    /// Pays with one of `entry`. No entry can be spent more often than faults are left in all.
    pub(super) fn pay(&self, state: &mut State, entry: u16) {
        // Nothing may be left of it already, where the strike was the last that could be.
        let own = &mut state.left[usize::from(entry)];
        *own = own.saturating_sub(1);
        state.left_in_all -= 1;
        if self.clamped {
            for left in &mut state.left {
                *left = (*left).min(state.left_in_all);
            }
        }
    }

    /// The entry that pays for `strike`, if there is one left. A budget for one call is spent
    /// before one for any call: that leaves the most to choose from.
    pub(super) fn payer(&self, state: &State, strike: Strike) -> Option<u16> {
        if state.left_in_all == 0 {
            return None;
        }
        let paid_by = strike.paid_by();
        let named = |call: Option<Call>| {
            (0..self.entries.len()).find(|index| {
                let key = self.entries[*index].0;
                key.call == call && paid_by.contains(&key.fault) && state.left[*index] > 0
            })
        };
        let special = strike.call().and_then(|call| named(Some(call)));
        special.or_else(|| named(None)).map(|index| index as u16)
    }

    /// Takes away what is left of entries whose faults can never strike again.
    pub(super) fn forget(&self, state: &mut State, never: impl Fn(FaultKey) -> bool) {
        for (left, (key, _)) in state.left.iter_mut().zip(&self.entries) {
            if *left > 0 && never(*key) {
                *left = 0;
            }
        }
    }

    pub(super) fn code(&self, state: &mut State, codec: &mut impl Codec) {
        let most = self.most();
        codec.field(&mut state.left_in_all, most);
        let any_left = codec.places(usize::from(state.left_in_all), 1) > 0;
        if self.clamped && !any_left {
            return;
        }
        for (left, (_, own)) in state.left.iter_mut().zip(&self.entries) {
            codec.field(left, if self.clamped { (*own).min(most) } else { *own });
        }
    }
}

/// Whether the design can meet the fault at all.
fn meets(pipeline: &Pipeline, key: FaultKey) -> bool {
    let order = &pipeline.consumer.order;
    let answers = pipeline.producer.acks != Acks::None;
    match key.fault {
        Fault::ProducerCrash
        | Fault::ConsumerCrash
        | Fault::BrokerCrash
        | Fault::PowerLoss
        | Fault::PowerLossAll
        | Fault::DiskLoss
        | Fault::ProducerPause
        | Fault::DeliveryTimeout => true,
        Fault::Retention => pipeline.topic.retention,
        Fault::Compaction => pipeline.topic.cleaned,
        Fault::Abort => matches!(
            pipeline.producer.source,
            Source::DualWrite(_) | Source::Transaction { .. }
        ),
        Fault::TransactionTimeout => {
            let Pipeline {
                producer, consumer, ..
            } = pipeline;
            producer.is_transactional() && producer.transactions_time_out
                || consumer.has_transactions() && consumer.output.transactions_time_out
        }
        Fault::ProducerIdExpiry => pipeline.producer.idempotence,
        Fault::StaleMetadata => pipeline.client == Client::Librdkafka,
        Fault::RequestLost | Fault::RequestRefused | Fault::RequestDelayed => {
            key.call.is_none_or(|call| calls(pipeline, call))
        }
        Fault::ResponseLost => key
            .call
            .is_none_or(|call| calls(pipeline, call) && (call != Call::Produce || answers)),
        Fault::ProcessFailure | Fault::ProcessFailureLate => {
            order.contains(Step::Process) || pipeline.consumer.produces()
        }
        Fault::SinkUnavailable | Fault::SinkAnswerLost => {
            let stored = pipeline.sink.dedup != Dedup::Memory;
            order
                .steps()
                .into_iter()
                .any(|step| touches_sink(step, stored))
        }
        Fault::GracefulRestart => true,
        Fault::ConsumerPause => pipeline.subscribes(),
        // With workers the loop polls on, however long they take.
        Fault::SlowProcessing => pipeline.subscribes() && pipeline.consumer.workers == 0,
        Fault::Rebalance => {
            let eager = pipeline.group.protocol == GroupProtocol::Eager;
            pipeline.subscribes() && (eager || pipeline.group.instances > 1)
        }
        Fault::Poison => order.contains(Step::Process) || pipeline.consumer.produces(),
        Fault::OffsetsExpiry => pipeline.consumer.commits(),
        Fault::CoordinatorFailover => {
            let consumer = &pipeline.consumer;
            consumer.commits()
                || consumer.has_transactions()
                || pipeline.producer.is_transactional()
        }
        Fault::OffsetReset | Fault::TopicRecreate | Fault::AddPartition => true,
        Fault::DedupExpiry => order.contains(Step::Remember),
        Fault::LeaderChange | Fault::ReplicaLag => {
            let results = pipeline.consumer.produces();
            pipeline.is_replicated() || results && pipeline.consumer.output.replication.replicas > 1
        }
    }
}

/// Whether the design ever makes this call.
fn calls(pipeline: &Pipeline, call: Call) -> bool {
    let consumer = &pipeline.consumer;
    let is_first = pipeline.rules.transactions.version == TransactionVersion::One;
    match call {
        Call::Produce | Call::Fetch | Call::Join | Call::Heartbeat | Call::OffsetFetch => true,
        Call::OffsetCommit => consumer.commits_by_itself(),
        Call::InitProducerId => pipeline.producer.idempotence || consumer.has_transactions(),
        Call::OutputProduce => consumer.writes_failed() || consumer.produces(),
        Call::EndTxn => pipeline.producer.is_transactional() || consumer.has_transactions(),
        // Under version 2 the partition leader and the group coordinator add their partitions.
        Call::AddPartitions => {
            let results = consumer.has_transactions() && consumer.produces();
            is_first && (pipeline.producer.is_transactional() || results)
        }
        Call::AddOffsets => is_first && consumer.commits_in_transactions(),
        Call::TxnOffsetCommit => consumer.commits_in_transactions(),
    }
}

/// Whether the step calls the sink; `stored`: whether the dedup store is outside the process.
pub(super) fn touches_sink(step: Step, stored: bool) -> bool {
    match step {
        Step::Process | Step::SaveOffset => true,
        Step::SkipIfSeen | Step::Remember => stored,
        Step::Commit
        | Step::CommitAsync
        | Step::StoreOffset
        | Step::Produce
        | Step::ProduceAsync
        | Step::Flush => false,
    }
}
