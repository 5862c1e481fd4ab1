//! What an exploration found.

use semel_models::subject::Subject;

use super::frontier::LevelOff;
use super::id::StateId;
use super::livelock::Livelock;
use super::options::Limit;
use super::store::Store;
use super::tally::Tally;
use super::together::Shared;

/// How an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every reachable state was expanded and judged.
    Complete,
    /// All invariants that were asked for are violated; the level in which the last of them was
    /// found is complete.
    Stopped,
    /// A limit was met. What was found is valid, and violations are as short as they can be; what
    /// was not found may still exist.
    Limit(Limit),
}

/// The reachable states of `subject`, as far as explored, and what was seen in them.
#[derive(Debug)]
pub struct Exploration<'a, S> {
    pub(super) subject: &'a S,
    pub(super) store: Store,
    findings: Findings,
    /// Where other processes explored with this one, what they know and this one must tell.
    shared: Option<Shared>,
}

#[derive(Debug)]
pub(super) struct Findings {
    pub(super) outcome: Outcome,
    pub(super) unique_states: u64,
    pub(super) init_states: u64,
    pub(super) depth: u32,
    pub(super) bytes: u64,
    pub(super) tally: Tally,
    pub(super) level_off: Vec<LevelOff>,
}

impl<'a, S: Subject> Exploration<'a, S> {
    pub(super) fn new(subject: &'a S, store: Store, findings: Findings) -> Self {
        Self {
            subject,
            store,
            findings,
            shared: None,
        }
    }

    /// The same with what is known to all processes that explored together.
    pub(super) fn with_shared(self, shared: Shared) -> Self {
        let shared = Some(shared);
        Self { shared, ..self }
    }

    /// Whether every state is stored in this process.
    pub(super) fn is_whole(&self) -> bool {
        self.shared.is_none()
    }

    /// Where the states are spread over processes, these have looked for a livelock together.
    pub(super) fn livelock_found_together(&self) -> Option<Livelock> {
        self.shared.as_ref().map(|shared| shared.livelock)
    }

    pub(super) fn words(&self, id: StateId) -> &[u32] {
        if let Some(shared) = &self.shared {
            return &shared.told(id).words;
        }
        self.store.words(id)
    }

    pub(super) fn parent(&self, id: StateId) -> Option<StateId> {
        if let Some(shared) = &self.shared {
            return shared.told(id).parent;
        }
        self.store.parent(id)
    }

    /// By level, from the first: the states of which it is not known that a step that is no fault leads
    /// deeper.
    pub(super) fn level_off(&self) -> &[LevelOff] {
        &self.findings.level_off
    }

    /// What was explored.
    #[must_use]
    pub fn subject(&self) -> &'a S {
        self.subject
    }

    /// How the exploration ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.findings.outcome
    }

    /// Different states found.
    #[must_use]
    pub fn unique_states(&self) -> u64 {
        self.findings.unique_states
    }

    /// Transitions generated: the steps from expanded states that lead to a state within the
    /// model's boundary, among them those that lead to the same state or to one already known.
    ///
    /// Stateright's `state_count` is this and [`Self::init_states`] together.
    #[must_use]
    pub fn transitions(&self) -> u64 {
        self.findings.tally.transitions
    }

    /// Initial states, as the model lists them.
    #[must_use]
    pub fn init_states(&self) -> u64 {
        self.findings.init_states
    }

    /// States that were expanded and judged: all of them, if the outcome is complete.
    #[must_use]
    pub fn expanded_states(&self) -> u64 {
        self.findings.tally.expanded
    }

    /// Expanded states in which no step but a fault changes anything.
    #[must_use]
    pub fn quiescent_states(&self) -> u64 {
        self.findings.tally.quiescent
    }

    /// The most steps from an initial state, on a shortest path, to a state that was to be
    /// expanded; all states with shorter paths were expanded. Initial states have depth 0, while
    /// Stateright's `max_depth` and other model checkers count them as the first level.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.findings.depth
    }

    /// The situations that were witnessed, in a state or by a step.
    #[must_use]
    pub fn reached(&self) -> u64 {
        self.findings.tally.reached
    }

    /// The situations of faults that changed nothing where they could strike, and were not spent there.
    #[must_use]
    pub fn unspent(&self) -> u64 {
        self.findings.tally.unspent
    }

    /// For each bit of [`counted`](semel_models::subject::Observation::counted), the number of
    /// expanded states that bear it.
    #[must_use]
    pub fn counted(&self) -> &[u64; 32] {
        &self.findings.tally.counted
    }

    /// The set of violated invariants.
    #[must_use]
    pub fn violated(&self) -> u32 {
        self.findings.tally.violated()
    }

    /// A violating state nearest to an initial state, for the invariant with the bit number
    /// `invariant`: of several one of the lowest weight, and of those the canonical first, the same
    /// in every run.
    #[must_use]
    pub fn violation(&self, invariant: usize) -> Option<StateId> {
        let found = self.findings.tally.violations.get(invariant)?;
        found.map(|violation| violation.id)
    }

    /// The lowest weight of a state that violates the invariant with the bit number `invariant`, at
    /// any depth that was explored.
    #[must_use]
    pub fn lightest(&self, invariant: usize) -> Option<u16> {
        *self.findings.tally.lightest.get(invariant)?
    }

    /// Memory held at the end, in bytes, the candidates of the largest block included.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.findings.bytes
    }

    /// The state that `id` names.
    #[must_use]
    pub fn state(&self, id: StateId) -> S::State {
        self.subject.unpack(self.words(id))
    }
}
