//! Reductions: states that no later step can tell apart are made equal.
//!
//! Each has its condition beside it and can be switched off; the verdicts are the same with and
//! without, and so are the lengths of the shortest counterexamples where no steps are merged.

use super::{Cluster, State};
use crate::consumer::Consumer;
use crate::limbo::Late;
use crate::offset::Position;
use crate::order::Step;
use crate::pipeline::Effect;
use crate::producer::Producer;
use crate::program::Scope;

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
    /// shorter.
    pub whole_calls: bool,
}

impl Reductions {
    /// Every reduction.
    pub const ALL: Reductions = Reductions {
        dead_fields: true,
        harmless_faults: true,
        whole_calls: true,
    };
    /// No reduction.
    pub const NONE: Reductions = Reductions {
        dead_fields: false,
        harmless_faults: false,
        whole_calls: false,
    };
}

impl Cluster {
    /// Whether a fault of this entry that changes nothing else need not be explored.
    pub(super) fn is_harmless(&self, entry: u8) -> bool {
        self.reductions.harmless_faults && self.fault_key(entry).call.is_none()
    }

    /// Brings a state into its canonical form.
    pub(super) fn reduce(&self, state: &mut State) {
        self.normalize(state);
        if self.reductions.dead_fields {
            self.forget_late_commits(state);
            self.forget_finished_producer(state);
            self.forget_skips(state);
            self.forget_overlaps(state);
        }
    }

    /// Fields that this design never needs have one value. Not a reduction of what is explored:
    /// where nothing can be truncated, leader epochs and flushes have no meaning, and
    /// only librdkafka's background commit asks what is known to be committed.
    fn normalize(&self, state: &mut State) {
        if !self.limits.stores {
            state.consumer.known_committed = None;
        }
        if !self.limits.forgets {
            let entries = state.broker.log.iter_mut();
            entries.for_each(|entry| entry.forgotten = false);
        }
        if self.limits.truncation {
            return;
        }
        let bare = |position: &mut Option<Position>| {
            if let Some(position) = position {
                position.leader_epoch = None;
            }
        };
        state.broker.flushed = 0;
        state.broker.recovered = 0;
        state.consumer.leader_epoch = None;
        bare(&mut state.consumer.stored);
        bare(&mut state.consumer.pending);
        bare(&mut state.group.committed);
        for late in state.limbo.requests.iter_mut() {
            if let Late::Commit { position, .. } = late {
                position.leader_epoch = None;
            }
        }
    }

    /// A late commit of an older generation is refused whenever it arrives: generations only grow.
    fn forget_late_commits(&self, state: &mut State) {
        let current = state.group.generation;
        state.limbo.retain(|late| match late {
            Late::Commit { generation, .. } => *generation == current,
            Late::Produce { .. } => true,
        });
    }

    /// Numbers of a producer that has nothing outstanding and nothing left to send are never read
    /// again: it neither sends nor, having ended, crashes.
    fn forget_finished_producer(&self, state: &mut State) {
        let producer = &mut state.producer;
        if !producer.is_busy(&state.database, &self.pipeline) {
            *producer = Producer {
                sending: producer.sending,
                session: producer.session,
                ..Producer::default()
            };
        }
    }

    /// Which transactions overlapped with a record's own matters until its first effect, unless rows
    /// are overwritten.
    fn forget_overlaps(&self, state: &mut State) {
        if self.limits.relay && self.pipeline.sink.effect != Effect::Upsert {
            let ledger = &mut state.ledger;
            for (overlaps, handled) in ledger.overlaps.iter_mut().zip(ledger.handled) {
                if handled > 0 {
                    *overlaps = 0;
                }
            }
        }
    }

    /// Whether a record is skipped matters only until its last step that could be skipped.
    fn forget_skips(&self, state: &mut State) {
        let Consumer {
            operation,
            cursor,
            ref mut skipped,
            ..
        } = state.consumer;
        if *skipped == 0 {
            return;
        }
        let skippable = |from: usize| {
            self.program.operations[from..]
                .iter()
                .any(|later| later.contains(Step::Process) || later.contains(Step::Remember))
        };
        let operation = usize::from(operation);
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
}
