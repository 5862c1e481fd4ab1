//! From the told steps of a trace to steps of the model.
//!
//! A step is recognised by actor, action, parameters and fault. Several may be told alike: a
//! depth-first search looks for a run in which every step changes what was recorded, then for one
//! in which some do not. It ends with the first that violates the guarantee, and tries no state
//! twice after the same step.

use super::verdict::judge;
use super::{Obstacle, Outcome};
use crate::trace::{Running, Step, Trace, running, tell_step};
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::guarantee::Guarantee;
use stateright::Model;
use std::collections::HashSet;

/// A step that was taken.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub action: Action,
    pub after: State,
    pub told: Step,
    running: Running,
}

/// A run as far as it could be followed, and what became of it.
pub(super) struct Followed {
    pub start: State,
    pub path: Vec<Taken>,
    pub outcome: Outcome,
}

/// Follows the steps of `trace`.
pub(super) fn follow(cluster: &Cluster, trace: &Trace, guarantee: Guarantee) -> Followed {
    let start = cluster.init_states().swap_remove(0);
    let run = |demand| {
        let search = Search {
            cluster,
            trace,
            guarantee,
            demand,
            start: start.clone(),
            path: Vec::new(),
        };
        search.run()
    };
    let (path, outcome) = match run(Demand::SameChanges) {
        exact @ (_, Outcome::AsRecorded { .. }) => exact,
        _ => run(Demand::SameIdentifiers),
    };
    Followed {
        start,
        path,
        outcome,
    }
}

/// What a step must have in common with the recorded one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// Actor, action, parameters and fault.
    SameIdentifiers,
    /// And it must change the same.
    SameChanges,
}

struct Search<'a> {
    cluster: &'a Cluster,
    trace: &'a Trace,
    guarantee: Guarantee,
    demand: Demand,
    start: State,
    /// The steps that lead to where the search is.
    path: Vec<Taken>,
}

impl Search<'_> {
    /// The first run that ends as recorded; else the first that can be followed to the end; else
    /// the first of those that can be followed farthest.
    fn run(mut self) -> (Vec<Taken>, Outcome) {
        let mut farthest = Vec::new();
        let mut ended = None;
        let mut tried = HashSet::new();
        // What is still to be tried after each step of the path.
        let mut open = Vec::new();
        loop {
            let is_new = tried.insert((self.path.len(), self.here().clone(), self.mark()));
            if is_new && self.path.len() == self.trace.steps().len() {
                let outcome = self.judge();
                match outcome {
                    Outcome::AsRecorded { .. } => return (self.path, outcome),
                    outcome => ended.get_or_insert_with(|| (self.path.clone(), outcome)),
                };
            }
            open.push(match is_new {
                true => self.fitting().into_iter(),
                false => Vec::new().into_iter(),
            });
            // Back to where something is still to be tried.
            let next = loop {
                match open.last_mut().map(Iterator::next) {
                    Some(Some(next)) => break Some(next),
                    Some(None) => {
                        if self.path.len() > farthest.len() {
                            farthest.clone_from(&self.path);
                        }
                        open.pop();
                        self.path.pop();
                    }
                    None => break None,
                }
            };
            match next {
                Some(taken) => self.path.push(taken),
                None => break,
            }
        }
        ended.unwrap_or_else(|| {
            self.path = farthest;
            let outcome = self.impossible();
            (self.path, outcome)
        })
    }

    fn here(&self) -> &State {
        self.path.last().map_or(&self.start, |taken| &taken.after)
    }

    /// The state that a loop has to lead back to, once the path is in it.
    fn mark(&self) -> Option<State> {
        let before = self.trace.loops_from()?;
        match before {
            0 => Some(self.start.clone()),
            before => self.path.get(before - 1).map(|taken| taken.after.clone()),
        }
    }

    /// Every step that is enabled here, as it is told.
    fn enabled(&self) -> Vec<Taken> {
        let before = self.here();
        let running = match self.path.last() {
            Some(taken) => taken.running,
            None => running(before),
        };
        let mut actions = Vec::new();
        self.cluster.actions(before, &mut actions);
        let taken = |action: Action| {
            let after = self.cluster.next_state(before, action)?;
            let mut running = running;
            let told = tell_step(self.cluster, before, action, &after, &mut running);
            Some(Taken {
                action,
                after,
                told,
                running,
            })
        };
        actions.into_iter().filter_map(taken).collect()
    }

    /// The enabled steps that are told like the next step of the trace, what fits best first.
    fn fitting(&self) -> Vec<Taken> {
        let Some(recorded) = self.trace.steps().get(self.path.len()) else {
            return Vec::new();
        };
        let demand = |taken: &Taken| match self.demand {
            Demand::SameIdentifiers => true,
            Demand::SameChanges => taken.told.change() == recorded.change(),
        };
        let mut fitting = self.enabled();
        fitting.retain(|taken| is_same(&taken.told, recorded) && demand(taken));
        fitting.sort_by_key(|taken| {
            let is_reworded = taken.told.sentence() != recorded.sentence();
            (differences(&taken.told, recorded), is_reworded)
        });
        fitting
    }

    fn judge(&self) -> Outcome {
        let states: Vec<State> = std::iter::once(self.start.clone())
            .chain(self.path.iter().map(|taken| taken.after.clone()))
            .collect();
        let loops_from = self.trace.loops_from();
        judge(self.cluster, self.guarantee, &states, loops_from)
    }

    fn impossible(&self) -> Outcome {
        let recorded = &self.trace.steps()[self.path.len()];
        let enabled = self.enabled().into_iter().map(|taken| taken.told);
        Outcome::Impossible(Obstacle {
            recorded: recorded.clone(),
            enabled: enabled.collect(),
        })
    }
}

/// Whether two steps are told as the same one.
fn is_same(told: &Step, recorded: &Step) -> bool {
    told.actor() == recorded.actor()
        && told.action() == recorded.action()
        && told.parameters() == recorded.parameters()
        && told.fault() == recorded.fault()
}

/// In how many facts the change by a step differs from the recorded one.
fn differences(told: &Step, recorded: &Step) -> usize {
    let missing = |from: &Step, to: &Step| {
        let changes = from.change().iter();
        changes
            .filter(|change| !to.change().contains(change))
            .count()
    };
    missing(told, recorded) + missing(recorded, told)
}
