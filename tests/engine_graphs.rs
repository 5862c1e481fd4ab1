//! The explorer against naive algorithms on arbitrary small graphs.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use proptest::prelude::*;
use semel::explore::{Livelock, Options, Outcome, explore};
use semel_models::subject::{Observation, Subject};
use stateright::Model;

/// A graph as a model: a state is a node, an action the number of an edge.
#[derive(Clone, Debug)]
struct Graph {
    nodes: usize,
    edges: Vec<Edge>,
    init: Vec<usize>,
    /// For each node the invariants it violates.
    violated: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    from: usize,
    to: usize,
    fault: bool,
    /// Whether the step, once tried, leads nowhere.
    dead: bool,
}

impl Graph {
    fn edges_from(&self, node: usize) -> impl Iterator<Item = &Edge> {
        self.edges
            .iter()
            .filter(move |edge| edge.from == node && !edge.dead)
    }

    fn calm_steps(&self, node: usize) -> impl Iterator<Item = usize> {
        let calm = self
            .edges_from(node)
            .filter(move |edge| !edge.fault && edge.to != node);
        calm.map(|edge| edge.to)
    }

    fn quiescent(&self, node: usize) -> bool {
        self.calm_steps(node).next().is_none()
    }

    /// The nodes that can be reached from `start`, itself included, by the given steps.
    fn closure<I: Iterator<Item = usize>>(
        start: usize,
        steps: impl Fn(usize) -> I,
    ) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            open.extend(steps(node).filter(|next| seen.insert(*next)));
        }
        seen
    }

    /// The distance of each node from the initial ones, by repeated relaxation.
    fn distances(&self) -> Vec<Option<usize>> {
        let mut distances = vec![None; self.nodes];
        for node in &self.init {
            distances[*node] = Some(0);
        }
        for _ in 0..self.nodes {
            for edge in self.edges.iter().filter(|edge| !edge.dead) {
                if let Some(before) = distances[edge.from] {
                    let there = distances[edge.to].unwrap_or(usize::MAX);
                    distances[edge.to] = Some(there.min(before + 1));
                }
            }
        }
        distances
    }

    /// Nodes of a bottom component of the calm steps other than a single quiescent node: each
    /// node that can be reached from them can reach them.
    fn in_bad_component(&self, node: usize) -> bool {
        let reachable = Self::closure(node, |node| self.calm_steps(node));
        let bottom = reachable
            .iter()
            .all(|other| Self::closure(*other, |node| self.calm_steps(node)).contains(&node));
        bottom && !(reachable.len() == 1 && self.quiescent(node))
    }

    /// Whether some bad component, and no rest, can be reached.
    fn livelocked(&self, node: usize) -> bool {
        let reachable = Self::closure(node, |node| self.calm_steps(node));
        let bad = reachable.iter().any(|node| self.in_bad_component(*node));
        bad && !reachable.iter().any(|node| self.quiescent(*node))
    }
}

impl Model for Graph {
    type State = usize;
    type Action = usize;

    fn init_states(&self) -> Vec<usize> {
        self.init.clone()
    }

    fn actions(&self, state: &usize, actions: &mut Vec<usize>) {
        let numbered = self.edges.iter().enumerate();
        let here = numbered.filter(|(_, edge)| edge.from == *state);
        actions.extend(here.map(|(number, _)| number));
    }

    fn next_state(&self, _: &usize, action: usize) -> Option<usize> {
        let edge = &self.edges[action];
        (!edge.dead).then_some(edge.to)
    }
}

impl Subject for Graph {
    fn words(&self) -> usize {
        2
    }

    fn pack(&self, state: &mut usize, words: &mut [u32]) {
        words.copy_from_slice(&[7, *state as u32]);
    }

    fn unpack(&self, words: &[u32]) -> usize {
        words.get(1).map_or(0, |state| *state as usize)
    }

    fn is_fault(&self, action: &usize) -> bool {
        self.edges[*action].fault
    }

    fn observe(&self, state: &usize, quiescent: bool) -> Observation {
        Observation {
            violated: self.violated[*state],
            reached: 1 << (state % 16),
            counted: u32::from(quiescent) | 2,
            weight: weight(*state).into(),
        }
    }

    fn reached_by(&self, _: &usize, action: &usize) -> u64 {
        1 << (16 + action % 48)
    }
}

/// A weight that does not follow the order of the states.
fn weight(node: usize) -> u8 {
    (node as u8).wrapping_mul(5) % 7
}

fn graphs() -> impl Strategy<Value = Graph> {
    (1usize..24).prop_flat_map(|nodes| {
        let kinds = (prop::bool::weighted(0.3), prop::bool::weighted(0.1));
        let edge = (0..nodes, 0..nodes, kinds).prop_map(|(from, to, (fault, dead))| Edge {
            from,
            to,
            fault,
            dead,
        });
        let edges = prop::collection::vec(edge, 0..3 * nodes);
        let init = prop::collection::vec(0..nodes, 1..3);
        let violated = prop::collection::vec(prop_oneof![6 => Just(0), 1 => 0..8u32], nodes);
        (edges, init, violated).prop_map(move |(edges, init, violated)| Graph {
            nodes,
            edges,
            init,
            violated,
        })
    })
}

fn jobs(jobs: usize) -> Options {
    Options::default().jobs(NonZeroUsize::new(jobs).expect("at least one"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn counts_and_judgements_are_the_naive_ones(graph in graphs()) {
        let distances = graph.distances();
        let reachable: Vec<usize> = (0..graph.nodes).filter(|node| distances[*node].is_some()).collect();
        let quiescent = reachable.iter().filter(|node| graph.quiescent(**node)).count();
        let transitions: usize = reachable.iter().map(|node| graph.edges_from(*node).count()).sum();
        let by_step = graph.edges.iter().enumerate()
            .filter(|(_, edge)| !edge.dead && distances[edge.from].is_some())
            .fold(0, |set, (number, _)| set | 1u64 << (16 + number % 48));
        let reached = reachable.iter().fold(by_step, |set, node| set | 1 << (node % 16));

        let found = explore(&graph, &jobs(1), &mut |_| {});
        prop_assert_eq!(found.outcome(), Outcome::Complete);
        prop_assert_eq!(found.unique_states(), reachable.len() as u64);
        prop_assert_eq!(found.transitions(), transitions as u64);
        prop_assert_eq!(found.init_states(), graph.init.len() as u64);
        prop_assert_eq!(found.quiescent_states(), quiescent as u64);
        prop_assert_eq!(found.counted()[..3].to_vec(), vec![quiescent as u64, reachable.len() as u64, 0]);
        prop_assert_eq!(found.reached(), reached);
        prop_assert_eq!(Some(found.depth() as usize), distances.iter().copied().flatten().max());
    }

    #[test]
    fn violations_are_the_nearest_and_lightest_and_their_paths_are_whole(graph in graphs()) {
        let distances = graph.distances();
        let found = explore(&graph, &jobs(2), &mut |_| {});
        for invariant in 0..3 {
            let bad = |node: &usize| graph.violated[*node] >> invariant & 1 == 1;
            let rank = |node: usize| distances[node].map(|distance| (distance, weight(node)));
            let best = (0..graph.nodes).filter(bad).filter_map(rank).min();
            let path = found.violation(invariant).map(|id| found.path_to(id));
            prop_assert_eq!(path.is_some(), best.is_some());
            let (Some(path), Some((nearest, lightest))) = (path, best) else { continue };
            prop_assert_eq!(path.steps.len(), nearest);
            prop_assert!(graph.init.contains(&path.start));
            let mut node = path.start;
            for (edge, next) in path.steps {
                let edge = graph.edges[edge];
                prop_assert!(!edge.dead);
                prop_assert_eq!((edge.from, edge.to), (node, next));
                node = next;
            }
            prop_assert!(bad(&node));
            prop_assert_eq!(weight(node), lightest);
        }
    }

    #[test]
    fn livelocks_are_the_bad_bottom_components(graph in graphs()) {
        let distances = graph.distances();
        let nearest = (0..graph.nodes)
            .filter(|node| graph.livelocked(*node))
            .filter_map(|node| distances[node])
            .min();
        let found = explore(&graph, &jobs(1), &mut |_| {});
        match found.livelock(&jobs(2)) {
            Livelock::None => prop_assert_eq!(nearest, None),
            Livelock::From(entry) => {
                prop_assert_eq!(Some(found.depth_of(entry)), nearest);
                prop_assert!(graph.livelocked(found.state(entry)));
                let lasso = found.lasso(entry).expect("there is no rest");
                let start = lasso.stem.steps.last().map_or(lasso.stem.start, |(_, node)| *node);
                prop_assert!(graph.in_bad_component(start));
                let mut node = start;
                for (edge, next) in &lasso.cycle {
                    let edge = graph.edges[*edge];
                    prop_assert!(!edge.dead && !edge.fault);
                    prop_assert_eq!((edge.from, edge.to), (node, *next));
                    node = *next;
                }
                prop_assert!(!lasso.cycle.is_empty());
                prop_assert_eq!(node, start);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
