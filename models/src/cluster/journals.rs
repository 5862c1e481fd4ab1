//! What a step did, in its order, for runs that do the same for real.

use super::State;
use crate::journal::Journal;

impl State {
    /// Each step tells what it did, for runs that do the same for real.
    pub(super) fn keep_journals(&mut self) {
        if let Some(replication) = &mut self.replication {
            replication.journal = Journal::kept();
        }
        if let Some(output) = &mut self.output {
            output.journal = Journal::kept();
            if let Some(log) = &mut output.log {
                log.replication.journal = Journal::kept();
            }
        }
    }

    /// Another step begins.
    pub(super) fn begin_journals(&mut self) {
        if let Some(replication) = &mut self.replication {
            replication.journal.begin();
        }
        if let Some(output) = &mut self.output {
            output.journal.begin();
            if let Some(log) = &mut output.log {
                log.replication.journal.begin();
            }
        }
    }
}
