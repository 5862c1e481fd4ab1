//! How long the other processes are waited for, and what is said meanwhile.

use std::time::{Duration, Instant};

/// What whoever waits for others asks and tells.
pub(crate) struct Patience {
    /// Whether the user wants an end.
    pub interrupted: Box<dyn Fn() -> bool>,
    /// How long the command may take, and from when on.
    pub timeout: Option<Duration>,
    pub since: Instant,
    /// Tells the user a sentence.
    pub tell: Box<dyn Fn(&str)>,
}

/// What is tried, or looked at, again while nothing comes.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// A single wait; its user is told once that it is one.
pub(super) struct Wait<'a> {
    patience: &'a Patience,
    began: Instant,
    quiet: Duration,
    told: bool,
}

impl Patience {
    /// A wait of which nothing is said for the time `quiet`.
    pub(super) fn wait(&self, quiet: Duration) -> Wait<'_> {
        Wait {
            patience: self,
            began: Instant::now(),
            quiet,
            told: false,
        }
    }

    /// Whether the time of the command has been over for at least `grace`.
    pub(super) fn is_over(&self, grace: Duration) -> bool {
        self.timeout
            .is_some_and(|timeout| self.since.elapsed() >= timeout.saturating_add(grace))
    }
}

impl Wait<'_> {
    /// Says what is waited for, once it has taken long.
    pub(super) fn say(&mut self, what: impl FnOnce() -> String) {
        if !self.told && self.began.elapsed() >= self.quiet {
            self.told = true;
            (self.patience.tell)(&what());
        }
    }
}
