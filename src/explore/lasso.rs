//! A cycle that is never left.

use std::collections::{HashMap, HashSet, VecDeque};

use semel_models::subject::Subject;

use super::exploration::Exploration;
use super::id::StateId;
use super::path::Path;

/// A path to a cycle from which no way but a fault leads out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasso<State, Action> {
    /// From an initial state to the cycle.
    pub stem: Path<State, Action>,
    /// Once round: the last state is the one where the stem ends.
    pub cycle: Vec<(Action, State)>,
}

impl<S: Subject> Exploration<'_, S> {
    /// From a state that [`livelock`](Self::livelock) named, a shortest way into a bottom component
    /// of the steps that are no faults, and a shortest cycle there; the same in every run. `None`
    /// if a way to rest is found instead.
    #[must_use]
    pub fn lasso(&self, entry: StateId) -> Option<Lasso<S::State, S::Action>> {
        let component = self.bottom_component(entry);
        let mut way = vec![entry];
        if !component.contains(&entry) {
            way = self.calm_way(entry, |id| component.contains(&id))?;
        }
        let start = *way.last()?;
        let round = self.calm_way(start, |id| id == start)?;
        let calm = |action: &S::Action| !self.subject.is_fault(action);
        let mut stem = self.path_to(entry);
        stem.steps.extend(self.steps_along(&way, calm));
        Some(Lasso {
            stem,
            cycle: self.steps_along(&round, calm),
        })
    }

    fn calm_successors(&self, id: StateId) -> Vec<StateId> {
        self.calm_steps(id).flatten().collect()
    }

    /// A shortest way of at least one step from `start` to a state that is the `goal`.
    fn calm_way(&self, start: StateId, goal: impl Fn(StateId) -> bool) -> Option<Vec<StateId>> {
        let mut parents: HashMap<StateId, StateId> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(id) = queue.pop_front() {
            for next in self.calm_successors(id) {
                if goal(next) {
                    let mut way = vec![next, id];
                    while let Some(parent) = way.last().filter(|id| **id != start) {
                        way.push(parents[parent]);
                    }
                    way.reverse();
                    return Some(way);
                }
                if next != start && !parents.contains_key(&next) {
                    parents.insert(next, id);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// The first strongly connected component that a depth-first search from `entry` completes
    /// (Tarjan's algorithm): none of its steps leads out, or what they lead to would have been
    /// completed before.
    fn bottom_component(&self, entry: StateId) -> HashSet<StateId> {
        let mut order: HashMap<StateId, usize> = HashMap::from([(entry, 0)]);
        // In order of discovery: no component is complete yet, so that all are still open.
        let mut open = vec![entry];
        let mut calls = vec![Call::new(entry, 0, self.calm_successors(entry))];
        while let Some(call) = calls.last_mut() {
            if let Some(next) = call.successors.next() {
                if let Some(discovered) = order.get(&next) {
                    call.lowest = call.lowest.min(*discovered);
                } else {
                    let number = open.len();
                    order.insert(next, number);
                    open.push(next);
                    calls.push(Call::new(next, number, self.calm_successors(next)));
                }
                continue;
            }
            let (id, lowest) = (call.id, call.lowest);
            if lowest == order[&id] {
                return open.split_off(lowest).into_iter().collect();
            }
            calls.pop();
            if let Some(caller) = calls.last_mut() {
                caller.lowest = caller.lowest.min(lowest);
            }
        }
        HashSet::new()
    }
}

struct Call {
    id: StateId,
    /// The first discovered state that is known to be reachable from here.
    lowest: usize,
    successors: std::vec::IntoIter<StateId>,
}

impl Call {
    fn new(id: StateId, number: usize, successors: Vec<StateId>) -> Self {
        Self {
            id,
            lowest: number,
            successors: successors.into_iter(),
        }
    }
}
