//! How far a check has come, on a terminal.

use crate::explore::Progress;
use crate::report::words::{counted, grouped};
use crate::suggest::Searched;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line is drawn again.
const INTERVAL: Duration = Duration::from_millis(200);

/// One line on standard error that is drawn again and again; nothing where that is no terminal.
pub(super) struct ProgressLine {
    started: Instant,
    drawn: Option<Instant>,
    is_terminal: bool,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        ProgressLine {
            started: Instant::now(),
            drawn: None,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = progress.unique_states as f64 / seconds;
        self.draw(|| {
            format!(
                "{} states, depth {}, {} states/s, {} in the queue",
                grouped(progress.unique_states),
                progress.depth,
                grouped(rate as u64),
                grouped(progress.queue)
            )
        });
    }

    /// The same of a search for changes.
    pub(super) fn show_searched(&mut self, searched: Searched) {
        self.draw(|| {
            let tried = counted(searched.designs as u64, "design");
            format!("{tried} tried, {} hold", searched.holding)
        });
    }

    fn draw(&mut self, line: impl FnOnce() -> String) {
        let last = self.drawn.unwrap_or(self.started);
        if !self.is_terminal || last.elapsed() < INTERVAL {
            return;
        }
        // A terminal that cannot be written to is no reason to stop checking.
        let _ = write!(io::stderr(), "\r\x1b[K{}", line());
        self.drawn = Some(Instant::now());
    }

    pub(super) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
