//! From a failure that was drawn at random to a small one.

use super::{Exploration, SHRINKING, larger};
use crate::harness::error::Error;
use crate::harness::run::Run;
use crate::harness::schedule::Schedule;
use semel_models::guarantee::Guarantee;
use std::collections::BTreeSet;

impl Exploration<'_> {
    /// Makes what fails smaller as long as that helps: fewer records, fewer entries, and whatever
    /// schedule with fewer entries fails with as many records.
    pub(super) fn smallest_like(&self, mut run: Run, known: &[Guarantee]) -> Result<Run, Error> {
        loop {
            let size = run.schedule.size();
            for smaller in self.nearby(&run.schedule) {
                if let Some(failing) = self.fails(&smaller, known)? {
                    run = failing;
                    break;
                }
            }
            if run.schedule.size() == size {
                match self.with_fewer_entries(&run.schedule, known)? {
                    Some(failing) => run = failing,
                    None => return Ok(run),
                }
            }
        }
    }

    /// The schedule with fewer records, and with one entry less.
    fn nearby(&self, schedule: &Schedule) -> Vec<Schedule> {
        let mut unlabelled = schedule.clone();
        // What follows a change may be other calls.
        let items = unlabelled.items.iter_mut();
        items.for_each(|item| item.label = None);
        let fewer = *self.records.start()..schedule.records;
        let fewer = fewer.map(|records| Schedule {
            records,
            ..unlabelled.clone()
        });
        let without = (0..schedule.items.len()).map(|at| {
            let mut without = unlabelled.clone();
            without.items.remove(at);
            without
        });
        fewer.chain(without).collect()
    }

    /// The run under `schedule`, if that fits and fails.
    fn fails(&self, schedule: &Schedule, known: &[Guarantee]) -> Result<Option<Run>, Error> {
        match self.follow(schedule) {
            Ok(run) if self.violated(&run, known).is_empty() => Ok(None),
            Ok(run) => Ok(Some(run)),
            Err(Error::Schedule { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The first run that fails with as many records and fewer entries.
    fn with_fewer_entries(
        &self,
        schedule: &Schedule,
        known: &[Guarantee],
    ) -> Result<Option<Run>, Error> {
        let mut waiting = BTreeSet::from([Schedule::calm(schedule.records)]);
        for _ in 0..SHRINKING {
            let Some(next) = waiting.pop_first() else {
                break;
            };
            let run = self.follow(&next)?;
            if !self.violated(&run, known).is_empty() {
                return Ok(Some(run));
            }
            let fewer = |larger: &Schedule| larger.items.len() < schedule.items.len();
            waiting.extend(larger(&next, &run).into_iter().filter(fewer));
        }
        Ok(None)
    }
}
