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
}

impl Part {
    pub(super) fn new(state_words: usize) -> Self {
        Self {
            outbox: Outbox::new(state_words),
            tally: Tally::default(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.outbox.clear();
        self.tally = Tally::default();
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
            self.expand_one(subject, store, id, depth, &mut actions, &mut buffer);
        }
    }

    #[inline]
    fn expand_one<S: Subject>(
        &mut self,
        subject: &S,
        store: &Store,
        id: StateId,
        depth: u32,
        actions: &mut Vec<S::Action>,
        buffer: &mut [u32],
    ) {
        let words = store.words(id);
        let state = subject.unpack(words);
        let mut quiescent = true;
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
                continue;
            }
            self.tally.transitions += 1;
            self.tally.reached |= reached;
            let packed = pack(subject, next, buffer);
            if quiescent && !fault {
                quiescent = equal(words, packed);
            }
            self.outbox.post(store.home(packed), Some(id), packed);
        }
        let seen = subject.observe(&state, quiescent);
        self.tally.note(id, depth, quiescent, &seen);
    }
}
