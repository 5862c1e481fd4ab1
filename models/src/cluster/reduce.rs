//! Reductions: states that no later step can tell apart are made equal.
//!
//! Each has its condition beside it and can be switched off; the verdicts are the same with and
//! without, and so are the lengths of the shortest counterexamples where no steps are merged.

use super::{Cluster, State};
use crate::consumer::crew::Crew;
use crate::consumer::{Consumer, Phase};
use crate::fault::{Call, Fault, FaultKey};
use crate::limbo::{Late, TransactionCall};
use crate::offset::Position;
use crate::order::Step;
use crate::pipeline::{Effect, Pipeline};
use crate::producer::Producer;
use crate::producer::java::JavaSequences;
use crate::producer::librdkafka::LibrdkafkaSequences;
use crate::program::Scope;
use crate::set::Set;

/// Which reductions are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reductions {
    /// Fields that nothing reads any more are cleared.
    pub dead_fields: bool,
    /// A fault that changes nothing, and that the design did not name for this very call, is not
    /// spent: every run with it is, without it, a run of the same states with more budget left.
    pub harmless_faults: bool,
    /// A commit that the application waits for is one step with an outcome, not a request and an
    /// answer: the coordinator's write is atomic, and the single-threaded process does nothing
    /// else meanwhile. What others do in between could as well come before or after; a crash in
    /// between leaves what one before or after the call leaves. It merges steps, so runs get
    /// shorter. Not so where a late commit may arrive in between, and handling may turn out to have taken
    /// too long before the answer does (`calls_are_whole`).
    pub whole_calls: bool,
    /// A result is a call with an outcome, not a request on its way from a client to a log, where none can
    /// come behind its client (`results_come_behind`). It merges steps.
    pub whole_results: bool,
    /// Faults that cannot be spent any more, for none is left in all, are no longer told apart.
    pub spent_faults: bool,
    /// Where reading would begin is forgotten once nobody will ever begin to read anew.
    pub where_to_begin: bool,
    /// What the reader of the output topic has passed is forgotten once nothing can be cut off, but for what
    /// tells which requests are repeats (`output/passed.rs`).
    pub passed_results: bool,
    /// Generations are numbered anew in every state, in their order: they are only compared. It is
    /// what keeps the space finite where a process fails for ever.
    pub generations: bool,
    /// Of steps that commute one order is explored (see `persistent`). Runs get longer.
    pub commuting_steps: bool,
    /// Replicas that no fault can strike are one log: they are in sync for ever, and a record that is
    /// appended and not yet on all of them is like one whose answer, and whose reader, comes later. It
    /// merges steps.
    pub healthy_replicas: bool,
    /// States that differ in the numbers of the replicas only are one (see `symmetry`).
    pub symmetric_replicas: bool,
}

impl Reductions {
    /// Every reduction.
    pub const ALL: Reductions = Reductions {
        dead_fields: true,
        harmless_faults: true,
        whole_calls: true,
        whole_results: true,
        spent_faults: true,
        where_to_begin: true,
        passed_results: true,
        generations: true,
        commuting_steps: true,
        healthy_replicas: true,
        symmetric_replicas: true,
    };
    /// No reduction but the numbering of generations, without which some spaces are infinite, and whole
    /// results, without which they are others.
    pub const NONE: Reductions = Reductions {
        dead_fields: false,
        harmless_faults: false,
        whole_calls: false,
        whole_results: true,
        spent_faults: false,
        where_to_begin: false,
        passed_results: false,
        generations: true,
        commuting_steps: false,
        healthy_replicas: false,
        symmetric_replicas: false,
    };
}

/// Whether a commit that the application waits for may be one step. The fault `slow-processing` strikes while
/// records are handled: after the last commit of a poll it strikes in the same step, and a late commit that
/// overwrites what was committed has to come before it.
pub(super) fn calls_are_whole(pipeline: &Pipeline) -> bool {
    let faults = &pipeline.faults;
    let is_late = |key: &FaultKey| {
        key.fault == Fault::RequestDelayed && key.call.is_none_or(|call| call == Call::OffsetCommit)
    };
    let may_be_late = faults.entries.iter().any(|(key, _)| is_late(key));
    !(may_be_late && faults.contains(Fault::SlowProcessing) && faults.total() > 1)
}

impl Cluster {
    /// Whether a fault of this entry that changes nothing else need not be explored.
    pub(super) fn is_harmless(&self, entry: u16) -> bool {
        self.reductions.harmless_faults && self.fault_key(entry).call.is_none()
    }

    /// Brings a state into its canonical form.
    pub(super) fn reduce(&self, state: &mut State) {
        self.normalize(state);
        if self.reductions.dead_fields {
            self.forget_late_commits(state);
            self.forget_fenced_requests(state);
            self.forget_repeats(state);
            self.forget_finished_producer(state);
            self.forget_upstream_faults(state);
            self.forget_overlaps(state);
            self.forget_awaited_epochs(state);
            for who in self.everyone() {
                self.forget_skips(&mut state.consumers[usize::from(who)]);
                self.forget_zombies_commits(state, who);
                self.forget_empty_process(state, who);
            }
        }
        self.forget_timeouts(state);
        if self.reductions.passed_results {
            self.forget_passed_results(state);
        }
        if self.reductions.where_to_begin {
            self.forget_where_to_begin(state);
        }
        self.settle_retries(state);
        if self.reductions.generations {
            self.renumber_generations(state);
        }
        if self.reductions.symmetric_replicas {
            self.sort_replicas(state);
        }
    }

    /// Fields that this design never needs have one value. Not a reduction of what is explored:
    /// where nothing can be truncated, leader epochs and flushes have no meaning, and
    /// only librdkafka's background commit asks what is known to be committed.
    fn normalize(&self, state: &mut State) {
        if self.limits.relay {
            state.ledger.overlaps.resize(self.limits.records.into());
        }
        state.group.owner = self.limits.sole_owner.or(state.group.owner);
        // Whose the partition was matters to nobody once every process is down, unless a static
        // member comes back.
        let is_down = |who| state.consumers[usize::from(who)].phase == Phase::Down;
        if !self.pipeline.group.static_membership && self.everyone().all(is_down) {
            state.group.owner = self.limits.sole_owner;
            if let Some(other) = state.other.as_deref_mut() {
                other.owner = None;
            }
        }
        let epoch = state.broker.leader_epoch;
        for who in self.everyone() {
            let consumer = &mut state.consumers[usize::from(who)];
            if consumer.seen_epoch <= epoch {
                consumer.seen_epoch = 0;
            }
            self.normalize_consumer(&mut state.consumers[usize::from(who)]);
        }
        if let Some(other) = state.other.as_deref_mut().filter(|_| !self.limits.stores) {
            other
                .readers
                .iter_mut()
                .for_each(|reader| reader.known_committed = None);
        }
        self.normalize_transactions(state);
        self.normalize_output_epochs(state);
        if !self.limits.forgets {
            let entries = state.broker.log.iter_mut();
            entries.for_each(|entry| entry.forgotten = false);
        }
        if self.limits.truncation {
            return;
        }
        state.broker.flushed = 0;
        state.broker.recovered = 0;
        bare(&mut state.group.committed);
        if let Some(other) = state.other.as_deref_mut() {
            bare(&mut other.committed);
            for reader in &mut other.readers {
                bare(&mut reader.stored);
                bare(&mut reader.pending);
            }
            other.broker.flushed = 0;
            other.broker.recovered = 0;
        }
        for position in state.group.history.iter_mut() {
            position.leader_epoch = None;
        }
        for late in state.limbo.requests.iter_mut() {
            if let Late::Commit {
                position, second, ..
            } = late
            {
                bare(position);
                bare(second);
            } else if let Late::Call {
                call: TransactionCall::Offsets { position, .. },
                ..
            } = late
            {
                position.leader_epoch = None;
            }
        }
        if let Some(output) = &mut state.output {
            for pending in output.pending.iter_mut() {
                pending.position.leader_epoch = None;
            }
        }
    }

    fn normalize_consumer(&self, consumer: &mut Consumer) {
        let limits = &self.limits;
        match consumer.phase {
            Phase::Down | Phase::Outside => consumer.generation = 0,
            Phase::Idle | Phase::Polling | Phase::Handling | Phase::Leaving => {}
        }
        if !limits.stores {
            consumer.known_committed = None;
        }
        if !limits.assigned_at {
            consumer.assigned_at = 0;
        }
        if self.pipeline.consumer.workers == 0 {
            let Crew {
                tasks: _,
                done,
                committed,
            } = &mut consumer.crew;
            (*done, *committed) = (0, 0);
        }
        if !limits.fences {
            for task in consumer.crew.tasks.iter_mut() {
                task.generation = 0;
            }
        }
        if !limits.saves || !self.pipeline.sink.version_guard {
            consumer.expected = None;
        }
        if !limits.truncation {
            consumer.leader_epoch = None;
            bare(&mut consumer.stored);
            bare(&mut consumer.pending);
            bare(&mut consumer.called);
            bare(&mut consumer.failed_commit);
            bare(&mut consumer.reassigned);
        }
    }

    /// A late commit of an older generation is refused whenever it arrives: generations only grow.
    /// Without a group it never is.
    fn forget_late_commits(&self, state: &mut State) {
        let current = state.group.generation;
        let refused = self.pipeline.subscribes();
        state.limbo.retain(|late| match late {
            Late::Commit { generation, .. } => !refused || *generation == current,
            Late::Call {
                call: TransactionCall::Offsets { generation, .. },
                ..
            } => !refused || generation.is_none_or(|generation| generation == current),
            Late::Produce { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. }
            | Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => true,
        });
    }

    /// A late end of a transaction, or a partition to be added to one, under an older epoch than the
    /// one in force is refused, or a repeat, whenever it arrives: epochs only grow.
    fn forget_fenced_requests(&self, state: &mut State) {
        let Some(transactions) = state.transactions.as_deref() else {
            return;
        };
        let current = transactions.id.epoch;
        state.limbo.retain(|late| match late {
            Late::AddPartitions { epoch } | Late::EndTransaction { epoch, .. } => *epoch >= current,
            Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. }
            | Late::InitProducerId { .. } => true,
        });
    }

    /// Numbers of a producer that has nothing outstanding and nothing left to send are never read
    /// again: it neither sends nor, having ended, crashes.
    fn forget_finished_producer(&self, state: &mut State) {
        if !self.upstream_is_busy(state) {
            let producer = &mut state.producer;
            // Nothing is left in the accumulator or on the wire.
            let Producer {
                sending: _,
                queue: _,
                flights: _,
                session: _,
                created,
                java,
                librdkafka,
            } = producer;
            *created = 0;
            *java = JavaSequences::default();
            *librdkafka = LibrdkafkaSequences::default();
            if let Some(other) = state.other.as_deref_mut() {
                other.forget_producer();
            }
        }
    }

    /// What is left of faults that only strike a producer is never spent once it has ended: it
    /// neither sends nor starts again.
    fn forget_upstream_faults(&self, state: &mut State) {
        if self.upstream_is_busy(state) {
            return;
        }
        let has_output = self.has_output();
        let delivers = has_output || self.limits.writes_failed;
        self.budget.forget(state, |key| match key.call {
            Some(call) => {
                // Output producers make the same calls.
                let shared = matches!(
                    call,
                    Call::InitProducerId | Call::AddPartitions | Call::EndTxn
                );
                call == Call::Produce || shared && !has_output
            }
            // The delivery of results has a timeout, too, and so have writes of what failed.
            None if key.fault == Fault::DeliveryTimeout && delivers => false,
            None if key.fault == Fault::TransactionTimeout && has_output => false,
            None => UPSTREAM_FAULTS.contains(&key.fault),
        });
    }

    /// Which transactions overlapped with a record's own matters until its first effect, unless rows
    /// are overwritten.
    fn forget_overlaps(&self, state: &mut State) {
        if self.limits.relay && self.pipeline.sink.effect != Effect::Upsert {
            let ledger = &mut state.ledger;
            for (overlaps, handled) in ledger.overlaps.iter_mut().zip(ledger.handled.iter()) {
                if *handled > 0 {
                    *overlaps = 0;
                }
            }
        }
    }

    /// Whether a record is skipped matters only until its last step that could be skipped.
    fn forget_skips(&self, consumer: &mut Consumer) {
        let Consumer {
            operation,
            cursor,
            ref mut skipped,
            ..
        } = *consumer;
        if *skipped == 0 || self.program.operations.is_empty() {
            return;
        }
        let skippable = |from: usize| {
            self.program.operations[from..]
                .iter()
                .any(|later| SKIPPED.iter().any(|step| later.contains(*step)))
        };
        let operation = usize::from(operation);
        if self.program.operations[operation]
            .transaction_begin()
            .is_some()
        {
            // A Kafka transaction may be begun again.
            return;
        }
        match self.program.operations[operation].scope {
            Scope::Record { last, .. } if !skippable(last + 1) => {
                *skipped &= !0 << cursor;
                if !skippable(operation) {
                    *skipped &= !0 << (cursor + 1);
                }
            }
            Scope::Poll if !skippable(operation) => *skipped = 0,
            Scope::Record { .. } | Scope::Poll => {}
        }
    }

    /// Nothing that a zombie has on its way or in its offset store is ever committed.
    fn forget_zombies_commits(&self, state: &mut State, who: u16) {
        if self.is_zombie(state, who) {
            state.forget_stored(who);
        }
    }

    /// A process that is to join again and holds nothing is like one that starts. Where no start finds
    /// a valid offset that saves a run its last step.
    fn forget_empty_process(&self, state: &mut State, who: u16) {
        let consumer = &state.consumers[usize::from(who)];
        let holds = !consumer.memory.keys.is_empty()
            || !consumer.crew.tasks.is_empty()
            || consumer.seen_epoch > 0;
        if consumer.phase != Phase::Outside || holds || self.needs_output_producer(state, who) {
            return;
        }
        self.forget_output_producer(state, who);
        let consumer = &mut state.consumers[usize::from(who)];
        if consumer.phase == Phase::Outside && !holds {
            *consumer = Consumer::default();
        }
    }

    fn renumber_generations(&self, state: &mut State) {
        let mut present = Set::default();
        let fences = self.limits.fences;
        each_generation(state, fences, &mut |generation| present.insert(*generation));
        each_generation(state, fences, &mut |generation| {
            *generation = present.count_below(*generation);
        });
    }
}

/// The steps that do nothing for a record that is skipped.
const SKIPPED: [Step; 4] = [
    Step::Process,
    Step::Remember,
    Step::Produce,
    Step::ProduceAsync,
];

/// The faults that strike nothing but the producer's side.
const UPSTREAM_FAULTS: [Fault; 5] = [
    Fault::ProducerCrash,
    Fault::ProducerPause,
    Fault::DeliveryTimeout,
    Fault::Abort,
    Fault::StaleMetadata,
];

/// Visits every generation that a state holds.
fn each_generation(state: &mut State, fences: bool, visit: &mut impl FnMut(&mut u16)) {
    visit(&mut state.group.generation);
    if fences {
        visit(&mut state.sink.fence);
    }
    for consumer in &mut state.consumers {
        match consumer.phase {
            Phase::Down | Phase::Outside => {}
            Phase::Idle | Phase::Polling | Phase::Handling | Phase::Leaving => {
                visit(&mut consumer.generation);
            }
        }
        if fences {
            for task in consumer.crew.tasks.iter_mut() {
                visit(&mut task.generation);
            }
        }
    }
    for late in state.limbo.requests.iter_mut() {
        match late {
            Late::Commit { generation, .. } => visit(generation),
            Late::Call {
                call:
                    TransactionCall::Offsets {
                        generation: Some(generation),
                        ..
                    },
                ..
            } => visit(generation),
            Late::Produce { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. }
            | Late::InitProducerId { .. }
            | Late::AddPartitions { .. }
            | Late::EndTransaction { .. } => {}
        }
    }
}

fn bare(position: &mut Option<Position>) {
    if let Some(position) = position {
        position.leader_epoch = None;
    }
}
