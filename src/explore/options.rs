//! How far to explore, and with what.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How an exploration is to be run. The default explores all there is, on one thread.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub(super) jobs: NonZeroUsize,
    pub(super) max_states: u64,
    pub(super) max_bytes: u64,
    stop_when_violated: u32,
    stop_when_any_violated: u32,
    deadline: Option<Instant>,
    cancel: Option<Arc<AtomicBool>>,
}

/// Why an exploration ended before everything was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// As many states are stored as were allowed, or can be told apart.
    States,
    /// More states would need more memory than was allowed.
    Memory,
    /// The deadline has passed.
    Deadline,
    /// The exploration was cancelled.
    Cancelled,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: NonZeroUsize::MIN,
            max_states: u64::MAX,
            max_bytes: u64::MAX,
            stop_when_violated: 0,
            stop_when_any_violated: 0,
            deadline: None,
            cancel: None,
        }
    }
}

impl Options {
    /// Uses up to `jobs` threads. The results are the same with any number of them.
    #[must_use]
    pub fn jobs(self, jobs: NonZeroUsize) -> Self {
        Self { jobs, ..self }
    }

    /// Stores about `max_states` states at most: this is looked at between small blocks of work,
    /// and the last block may go a little beyond.
    #[must_use]
    pub fn max_states(self, max_states: u64) -> Self {
        Self { max_states, ..self }
    }

    /// Holds `max_bytes` of memory at most: for states, parents, index and candidates, counted from
    /// what is allocated for them. The few KiB with which an exploration starts are always taken.
    #[must_use]
    pub fn max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Leaves `bytes` of the memory to others.
    #[must_use]
    pub fn spare_bytes(self, bytes: u64) -> Self {
        let max_bytes = self.max_bytes.saturating_sub(bytes);
        Self { max_bytes, ..self }
    }

    /// Ends when this moment has passed.
    #[must_use]
    pub fn deadline(self, deadline: Instant) -> Self {
        let deadline = Some(deadline);
        Self { deadline, ..self }
    }

    /// Ends soon after `cancel` has become true.
    #[must_use]
    pub fn cancel(self, cancel: Arc<AtomicBool>) -> Self {
        let cancel = Some(cancel);
        Self { cancel, ..self }
    }

    /// Ends at the end of the first level by which all these `invariants` (bits, as in
    /// [`Observation::violated`](semel_models::subject::Observation::violated)) are violated. By
    /// default, and with no bit set, the whole graph is explored.
    #[must_use]
    pub fn stop_when_violated(self, invariants: u32) -> Self {
        let stop_when_violated = invariants;
        Self {
            stop_when_violated,
            ..self
        }
    }

    /// Ends at the end of the first level by which one of these `invariants` is violated.
    #[must_use]
    pub fn stop_when_any_violated(self, invariants: u32) -> Self {
        let stop_when_any_violated = invariants;
        Self {
            stop_when_any_violated,
            ..self
        }
    }

    /// Whether no more is asked for, once these invariants are violated.
    pub(super) fn is_answered(&self, violated: u32) -> bool {
        let all = self.stop_when_violated;
        all != 0 && violated & all == all || violated & self.stop_when_any_violated != 0
    }

    /// Whether it is time to end, whatever has been found.
    pub(super) fn interrupted(&self) -> Result<(), Limit> {
        if let Some(cancel) = &self.cancel
            && cancel.load(Ordering::Relaxed)
        {
            return Err(Limit::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Limit::Deadline),
            _ => Ok(()),
        }
    }
}
