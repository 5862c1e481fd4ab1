//! Who decides what the environment does: a schedule that is followed to the letter, or numbers
//! drawn at random that are taken where they fit.

use super::schedule::{Action, Budget, Item, Schedule};
use serde::{Deserialize, Serialize};

/// Numbers drawn at random.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Draw {
    /// At which call something goes wrong, and which of what can go wrong there.
    pub(super) faults: Vec<(u32, u8)>,
    /// How much polls return, in turn; every poll all that is there, where this is empty.
    pub(super) polls: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Source {
    Schedule { items: Vec<Item>, taken: usize },
    Draw { draw: Draw, polls: usize },
}

/// Decides at each call, and keeps what it decided as a schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chooser {
    source: Source,
    budget: Budget,
    /// What happened so far.
    pub(super) so_far: Schedule,
}

/// A schedule does not fit the run.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) item: Item,
}

impl Chooser {
    pub(super) fn following(schedule: &Schedule, budget: Budget) -> Chooser {
        Chooser {
            source: Source::Schedule {
                items: schedule.items.clone(),
                taken: 0,
            },
            budget,
            so_far: Schedule::calm(schedule.records),
        }
    }

    pub(super) fn drawing(records: u32, draw: Draw, budget: Budget) -> Chooser {
        Chooser {
            source: Source::Draw { draw, polls: 0 },
            budget,
            so_far: Schedule::calm(records),
        }
    }

    /// Those of `options` that can still be paid for.
    pub(super) fn affordable(&self, mut options: Vec<Action>) -> Vec<Action> {
        options.retain(|action| self.budget.allows(&self.so_far, *action));
        options
    }

    /// Decides at the call number `step`, which is `label`.
    pub(super) fn choose(
        &mut self,
        step: u32,
        label: &str,
        options: &[Action],
    ) -> Result<Option<Action>, Mismatch> {
        let chosen = match &mut self.source {
            Source::Schedule { items, taken } => match items.get(*taken) {
                Some(item) if item.step == step && options.contains(&item.action) => {
                    if item.label.as_ref().is_some_and(|known| known != label) {
                        return Err(Mismatch { item: item.clone() });
                    }
                    *taken += 1;
                    Some(item.action)
                }
                Some(item) if item.step < step => return Err(Mismatch { item: item.clone() }),
                Some(_) | None => None,
            },
            Source::Draw { draw, polls } => drawn(draw, polls, step, options),
        };
        if let Some(action) = chosen {
            self.so_far.items.push(Item {
                step,
                action,
                label: Some(label.to_owned()),
            });
        }
        Ok(chosen)
    }

    /// What of the schedule was not reached.
    pub(super) fn left_over(&self) -> Option<&Item> {
        match &self.source {
            Source::Schedule { items, taken } => items.get(*taken),
            Source::Draw { .. } => None,
        }
    }

    /// Another process went on, and decided this.
    pub(super) fn went_on(&mut self, item: Item) {
        match &mut self.source {
            Source::Schedule { taken, .. } => *taken += 1,
            Source::Draw { polls, .. } => {
                *polls += usize::from(matches!(item.action, Action::Poll(_)));
            }
        }
        self.so_far.items.push(item);
    }
}

fn drawn(draw: &Draw, polls: &mut usize, step: u32, options: &[Action]) -> Option<Action> {
    let is_poll = |action: &Action| action.fault().is_none();
    if options.iter().all(is_poll) {
        let size = draw.polls.get(*polls % draw.polls.len().max(1))?;
        let chosen = options
            .get(usize::from(*size) % (options.len() + 1))
            .copied();
        *polls += usize::from(chosen.is_some());
        return chosen;
    }
    let fault = draw.faults.iter().find(|(at, _)| *at == step)?;
    options.get(usize::from(fault.1) % options.len()).copied()
}
