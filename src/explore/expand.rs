//! The successors of some states of a level.

use std::ops::Range;

use semel_models::subject::Subject;

use super::frontier::Frontier;
use super::id::StateId;
use super::outbox::Outbox;
use super::packed::{equal, pack};
use super::store::Store;
use super::tally::Tally;

/// A part of the states that are expanded at once, and what came out of it.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) outbox: Outbox,
    pub(super) tally: Tally,
    /// The states that are not at rest and of which it is not known that a step that is no fault leads
    /// a level deeper.
    pub(super) level_off: Vec<StateId>,
}

impl Part {
    pub(super) fn new(state_words: usize) -> Self {
        Self {
            outbox: Outbox::new(state_words),
            tally: Tally::default(),
            level_off: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.outbox.clear();
        self.tally = Tally::default();
        self.level_off.clear();
    }

    /// Expands and judges the states at these `positions` of the frontier.
    pub(super) fn expand<S: Subject>(
        &mut self,
        subject: &S,
        store: &Store,
        frontier: &Frontier,
        positions: Range<u64>,
        depth: u32,
    ) {
        let mut actions = Vec::new();
        let mut buffer = vec![0; subject.words()];
        for id in frontier.states(positions) {
            let goes_deeper = self.expand_one(
                subject,
                store,
                frontier,
                id,
                depth,
                &mut actions,
                &mut buffer,
            );
            if !goes_deeper {
                self.level_off.push(id);
            }
        }
    }

    /// Expands and judges one state. Answers whether it is at rest, or a step that is no fault leads a
    /// level deeper.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "the buffers are the caller's")]
    fn expand_one<S: Subject>(
        &mut self,
        subject: &S,
        store: &Store,
        frontier: &Frontier,
        id: StateId,
        depth: u32,
        actions: &mut Vec<S::Action>,
        buffer: &mut [u32],
    ) -> bool {
        let words = store.words(id);
        let state = subject.unpack(words);
        let mut quiescent = true;
        let mut goes_deeper = false;
        subject.actions(&state, actions);
        for action in actions.drain(..) {
            let fault = subject.is_fault(&action);
            let reached = subject.reached_by(&state, &action);
            let mut next = subject.next_state(&state, action);
            let Some(next) = &mut next else {
                self.tally.unspent |= if fault { reached } else { 0 };
                continue;
            };
            if !subject.within_boundary(next) {
                quiescent &= fault;
                goes_deeper |= !fault;
                continue;
            }
            self.tally.transitions += 1;
            self.tally.reached |= reached;
            let packed = pack(subject, next, buffer);
            if quiescent && !fault {
                quiescent = equal(words, packed);
            }
            let home = store.home(packed);
            if !fault && !goes_deeper {
                let known = store.find_in(home.shard, home.tag, packed);
                goes_deeper = known.is_none_or(|known| frontier.is_above(known));
            }
            self.outbox.post(home, Some(id), packed);
        }
        let seen = subject.observe(&state, quiescent);
        self.tally.note(id, depth, quiescent, &seen);
        quiescent || goes_deeper
    }
}
