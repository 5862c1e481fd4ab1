//! A cycle that is never left.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use semel_models::subject::Subject;

use super::calm::CalmSteps;
use super::exploration::Exploration;
use super::id::StateId;
use super::path::{Path, steps_along};

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
        let subject = self.subject;
        let mut stem = self.path_to(entry);
        let (way, round) = if self.is_whole() {
            let (way, round) = into_a_cycle(self, entry)?;
            let words = |ids: Vec<StateId>| ids.into_iter().map(|id| self.words(id).into());
            (words(way).collect(), words(round).collect())
        } else {
            into_a_cycle(&Unstored { subject }, Box::from(self.words(entry)))?
        };
        let calm_steps = |way: &[Box<[u32]>]| {
            let words: Vec<_> = way.iter().map(|words| &**words).collect();
            steps_along(subject, &words, |action| !subject.is_fault(action))
        };
        stem.steps.extend(calm_steps(&way));
        Some(Lasso {
            stem,
            cycle: calm_steps(&round),
        })
    }
}

/// The steps that are no faults, as a graph.
trait Calm {
    type Node: Clone + Eq + Hash;

    /// Where such steps lead from here, other than back.
    fn successors(&self, node: &Self::Node) -> Vec<Self::Node>;
}

impl<S: Subject> Calm for Exploration<'_, S> {
    type Node = StateId;

    fn successors(&self, node: &StateId) -> Vec<StateId> {
        self.calm_successors(*node)
    }
}

/// The same graph where not all of its states are stored here: each goes by its packed words.
struct Unstored<'a, S> {
    subject: &'a S,
}

impl<S: Subject> Calm for Unstored<'_, S> {
    type Node = Box<[u32]>;

    fn successors(&self, node: &Box<[u32]>) -> Vec<Box<[u32]>> {
        let mut steps = CalmSteps::of(self.subject, node);
        let all = std::iter::from_fn(|| steps.advance().map(|words| words.map(Box::from)));
        all.flatten().collect()
    }
}

/// Nodes, each a successor of the one before.
type Way<G> = Vec<<G as Calm>::Node>;

/// A shortest way from `entry` into a bottom component, and a shortest way round from its end.
fn into_a_cycle<G: Calm>(graph: &G, entry: G::Node) -> Option<(Way<G>, Way<G>)> {
    let component = bottom_component(graph, &entry);
    let mut way = vec![entry.clone()];
    if !component.contains(&entry) {
        way = calm_way(graph, &entry, |node| component.contains(node))?;
    }
    let start = way.last()?;
    let round = calm_way(graph, start, |node| node == start)?;
    Some((way, round))
}

/// A shortest way of at least one step from `start` to a node that is the `goal`.
fn calm_way<G: Calm>(
    graph: &G,
    start: &G::Node,
    goal: impl Fn(&G::Node) -> bool,
) -> Option<Way<G>> {
    let mut parents: HashMap<G::Node, G::Node> = HashMap::new();
    let mut queue = VecDeque::from([start.clone()]);
    while let Some(node) = queue.pop_front() {
        for next in graph.successors(&node) {
            if goal(&next) {
                let mut way = vec![next, node];
                while let Some(parent) = way.last().filter(|node| *node != start) {
                    way.push(parents[parent].clone());
                }
                way.reverse();
                return Some(way);
            }
            if next != *start && !parents.contains_key(&next) {
                parents.insert(next.clone(), node.clone());
                queue.push_back(next);
            }
        }
    }
    None
}

/// The first strongly connected component that a depth-first search from `entry` completes
/// (Tarjan's algorithm): none of its steps leads out, or what they lead to would have been
/// completed before.
fn bottom_component<G: Calm>(graph: &G, entry: &G::Node) -> HashSet<G::Node> {
    let call = |node: &G::Node, number| Call {
        number,
        lowest: number,
        successors: graph.successors(node).into_iter(),
    };
    let mut order: HashMap<G::Node, usize> = HashMap::from([(entry.clone(), 0)]);
    // In order of discovery: no component is complete yet, so that all are still open.
    let mut open = vec![entry.clone()];
    let mut calls = vec![call(entry, 0)];
    while let Some(last) = calls.last_mut() {
        if let Some(next) = last.successors.next() {
            if let Some(discovered) = order.get(&next) {
                last.lowest = last.lowest.min(*discovered);
            } else {
                let number = open.len();
                calls.push(call(&next, number));
                order.insert(next.clone(), number);
                open.push(next);
            }
            continue;
        }
        let lowest = last.lowest;
        if lowest == last.number {
            return open.split_off(lowest).into_iter().collect();
        }
        calls.pop();
        if let Some(caller) = calls.last_mut() {
            caller.lowest = caller.lowest.min(lowest);
        }
    }
    HashSet::new()
}

struct Call<Node> {
    number: usize,
    /// The first discovered node that is known to be reachable from here.
    lowest: usize,
    successors: std::vec::IntoIter<Node>,
}
