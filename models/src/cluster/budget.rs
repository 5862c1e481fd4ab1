//! The faults that may be spent, and what paying for one means.

use super::State;
use crate::action::Strike;
use crate::codec::Codec;
use crate::fault::{Call, Fault, FaultKey};
use crate::limits::MAX_BUDGETS;
use crate::order::Step;
use crate::pipeline::{Acks, Dedup, GroupProtocol, Pipeline, Source};

/// The entries of a design's budget that it can spend, and the cap on their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    entries: Vec<(FaultKey, u8)>,
    total: u8,
}

impl Budget {
    pub(super) fn of(pipeline: &Pipeline) -> Budget {
        let can_meet = |(key, _): &&(FaultKey, u8)| meets(pipeline, *key);
        Budget {
            entries: pipeline
                .faults
                .entries
                .iter()
                .filter(can_meet)
                .copied()
                .collect(),
            total: pipeline.faults.total(),
        }
    }

    pub(super) fn entries(&self) -> &[(FaultKey, u8)] {
        &self.entries
    }

    /// The entry that pays for `strike`, if there is one left. A budget for one call is spent
    /// before one for any call: that leaves the most to choose from.
    pub(super) fn payer(&self, state: &State, strike: Strike) -> Option<u8> {
        let spent: u8 = state.spent.iter().sum();
        if spent >= self.total {
            return None;
        }
        let left = |index: usize| state.spent[index] < self.entries[index].1;
        let named = |call: Option<Call>| {
            (0..self.entries.len()).find(|index| {
                let key = self.entries[*index].0;
                key.call == call && strike.paid_by().contains(&key.fault) && left(*index)
            })
        };
        let special = strike.call().and_then(|call| named(Some(call)));
        special.or_else(|| named(None)).map(|index| index as u8)
    }

    pub(super) fn code(&self, spent: &mut [u8; MAX_BUDGETS], codec: &mut impl Codec) {
        for (spent, (_, budget)) in spent.iter_mut().zip(&self.entries) {
            codec.field(spent, (*budget).min(self.total));
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
        Fault::Abort => matches!(pipeline.producer.source, Source::DualWrite(_)),
        Fault::ProducerIdExpiry => pipeline.producer.idempotence,
        Fault::RequestLost | Fault::RequestRefused | Fault::RequestDelayed => {
            key.call.is_none_or(|call| calls(pipeline, call))
        }
        Fault::ResponseLost => key
            .call
            .is_none_or(|call| calls(pipeline, call) && (call != Call::Produce || answers)),
        Fault::ProcessFailure | Fault::ProcessFailureLate => order.contains(Step::Process),
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
        Fault::Poison => order.contains(Step::Process),
        Fault::OffsetsExpiry => pipeline.consumer.commits(),
        Fault::OffsetReset => true,
        Fault::DedupExpiry => order.contains(Step::Remember),
        Fault::TransactionTimeout
        | Fault::LeaderChange
        | Fault::ReplicaLag
        | Fault::CoordinatorFailover
        | Fault::Compaction
        | Fault::AddPartition
        | Fault::TopicRecreate
        | Fault::StaleMetadata => false,
    }
}

/// Whether the design ever makes this call.
fn calls(pipeline: &Pipeline, call: Call) -> bool {
    match call {
        Call::Produce | Call::Fetch | Call::Join | Call::Heartbeat | Call::OffsetFetch => true,
        Call::OffsetCommit => pipeline.consumer.commits(),
        Call::InitProducerId => pipeline.producer.idempotence,
        Call::OutputProduce => pipeline.consumer.writes_failed(),
        Call::AddPartitions | Call::AddOffsets | Call::TxnOffsetCommit | Call::EndTxn => false,
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
