//! The plainest search there is: whole states in a map, edges in lists, level by level.

use std::collections::HashMap;

use semel::Guarantee;
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::subject::Subject;
use stateright::Model;

/// The graph of a cluster, in the order in which a breadth-first search meets its states.
pub struct Graph {
    pub states: Vec<State>,
    pub depths: Vec<usize>,
    /// To which other states a step that is no fault leads.
    pub calm: Vec<Vec<usize>>,
    pub transitions: u64,
    indices: HashMap<State, usize>,
}

impl Graph {
    /// The whole graph, unless it has more than `most` states.
    pub fn of(cluster: &Cluster, most: usize) -> Option<Graph> {
        let mut graph = Graph {
            states: Vec::new(),
            depths: Vec::new(),
            calm: Vec::new(),
            transitions: 0,
            indices: HashMap::new(),
        };
        for state in cluster.init_states() {
            graph.meet(state, 0);
        }
        let mut at = 0;
        while let Some(state) = graph.states.get(at).cloned() {
            if graph.states.len() > most {
                return None;
            }
            let mut calm = Vec::new();
            for (action, next) in steps(cluster, &state) {
                graph.transitions += 1;
                let next = graph.meet(next, graph.depths[at] + 1);
                if next != at && !cluster.is_fault(&action) {
                    calm.push(next);
                }
            }
            graph.calm.push(calm);
            at += 1;
        }
        Some(graph)
    }

    fn meet(&mut self, state: State, depth: usize) -> usize {
        *self.indices.entry(state.clone()).or_insert_with(|| {
            self.states.push(state);
            self.depths.push(depth);
            self.states.len() - 1
        })
    }

    /// The number of a state.
    pub fn index(&self, state: &State) -> Option<usize> {
        self.indices.get(state).copied()
    }

    /// Whether nothing but a fault can happen.
    pub fn is_quiescent(&self, index: usize) -> bool {
        self.calm[index].is_empty()
    }

    /// How many steps the shortest run has that ends in a state which violates `guarantee`.
    pub fn shortest(&self, cluster: &Cluster, guarantee: Guarantee) -> Option<usize> {
        let violates = |index: &usize| {
            let seen = cluster.observe(&self.states[*index], self.is_quiescent(*index));
            seen.violated & guarantee.bit() != 0
        };
        let found = (0..self.states.len()).find(violates);
        found.map(|index| self.depths[index])
    }

    /// Which states can come to rest without a fault.
    pub fn restful(&self) -> Vec<bool> {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.states.len()];
        for (from, tos) in self.calm.iter().enumerate() {
            for to in tos {
                before[*to].push(from);
            }
        }
        let mut restful = vec![false; self.states.len()];
        let is_quiescent = |index: &usize| self.is_quiescent(*index);
        let mut open: Vec<usize> = (0..self.states.len()).filter(is_quiescent).collect();
        while let Some(index) = open.pop() {
            if !restful[index] {
                restful[index] = true;
                open.extend(&before[index]);
            }
        }
        restful
    }
}

/// What can happen in a state, and what it leads to.
pub fn steps(cluster: &Cluster, state: &State) -> Vec<(Action, State)> {
    let mut actions = Vec::new();
    cluster.actions(state, &mut actions);
    let step = |action| Some((action, cluster.next_state(state, action)?));
    actions.into_iter().filter_map(step).collect()
}
