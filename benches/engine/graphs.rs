//! The graphs, and how each engine explores one.

use divan::Bencher;
use divan::counter::ItemsCount;
use semel::catalogue::{self, ENTRIES};
use semel::explore::{Exploration, Options, Outcome, explore};
use semel::presets;
use semel_models::cluster::{Cluster, Reductions};
use semel_models::reference::{Parameters, Reference};
use semel_models::subject::Subject;
use stateright::{Checker, Model};
use std::fmt;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

/// Unreduced spaces are counted so far.
const MOST_UNREDUCED: u64 = 5_000_000;

/// A size of the reference protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    S,
    M,
    L,
}

impl Size {
    pub const ALL: [Size; 3] = [Size::S, Size::M, Size::L];

    pub fn parameters(self) -> Parameters {
        match self {
            Size::S => Parameters::SMALL,
            Size::M => Parameters::MEDIUM,
            Size::L => Parameters::LARGE,
        }
    }

    pub fn protocol(self) -> Reference {
        Reference::new(self.parameters()).expect("the three sizes fit")
    }

    /// As independent model checkers have counted them.
    pub fn unique_states(self) -> u64 {
        match self {
            Size::S => 66_762,
            Size::M => 535_424,
            Size::L => 5_537_901,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The graph of a design.
#[derive(Debug)]
pub struct Graph {
    name: String,
    cluster: Cluster,
    unique_states: u64,
}

impl Graph {
    fn of(name: &str, cluster: Cluster) -> Graph {
        let unique_states = found(&cluster, 2).unique_states();
        Graph {
            name: name.into(),
            cluster,
            unique_states,
        }
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    pub fn unique_states(&self) -> u64 {
        self.unique_states
    }

    /// How many states there are without any reduction but the one that keeps spaces finite.
    pub fn unreduced(&self) -> String {
        let pipeline = self.cluster.pipeline().clone();
        let whole = Cluster::with_reductions(pipeline, Reductions::NONE);
        let whole = whole.expect("what fits reduced fits whole");
        let threads = NonZeroUsize::new(2).expect("two");
        let options = Options::default().jobs(threads).max_states(MOST_UNREDUCED);
        let found = explore(&whole, &options, &mut |_| {});
        match found.outcome() {
            Outcome::Complete => found.unique_states().to_string(),
            Outcome::Stopped | Outcome::Limit(_) => format!("more than {MOST_UNREDUCED}"),
        }
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// At-least-once with five records.
pub fn large() -> &'static Graph {
    static LARGE: OnceLock<Graph> = OnceLock::new();
    LARGE.get_or_init(|| {
        let preset = presets::named("at-least-once").expect("a preset");
        let design = presets::design(preset).expect("a preset is a design");
        let mut pipeline = design.pipeline().clone();
        pipeline.bounds.records = 5;
        let cluster = Cluster::new(pipeline).expect("five records fit");
        Graph::of("at-least-once, 5 records", cluster)
    })
}

/// Every preset.
pub fn presets() -> Vec<Graph> {
    let graph = |preset| {
        let design = presets::design(preset).expect("a preset is a design");
        let cluster = Cluster::new(design.pipeline().clone()).expect("presets fit");
        Graph::of(design.name(), cluster)
    };
    presets::PRESETS.iter().map(graph).collect()
}

/// The ten largest designs of the catalogue, the largest first.
pub fn largest() -> &'static [Graph] {
    static LARGEST: OnceLock<Vec<Graph>> = OnceLock::new();
    LARGEST.get_or_init(|| {
        let designs = ENTRIES
            .iter()
            .flat_map(|entry| [catalogue::broken(entry), catalogue::fixed(entry)]);
        let mut graphs: Vec<Graph> = designs
            .map(|design| {
                let design = design.expect("the catalogue has designs");
                let cluster = Cluster::new(design.pipeline().clone()).expect("they fit");
                Graph::of(design.name(), cluster)
            })
            .collect();
        graphs.sort_by_key(|graph| std::cmp::Reverse(graph.unique_states));
        graphs.truncate(10);
        graphs
    })
}

/// What semel's engine says of a graph, as a line.
pub fn row<S: Subject>(name: &str, subject: &S) -> String {
    let found = found(subject, 1);
    let packed = subject.words() * size_of::<u32>();
    let each = found.bytes() as f64 / found.unique_states() as f64;
    format!(
        "{name} | {} | {} | {packed} | {each:.1}",
        found.unique_states(),
        found.transitions()
    )
}

fn found<S: Subject>(subject: &S, threads: usize) -> Exploration<'_, S> {
    let threads = NonZeroUsize::new(threads).expect("one at least");
    let found = explore(subject, &Options::default().jobs(threads), &mut |_| {});
    assert_eq!(found.outcome(), Outcome::Complete);
    found
}

pub fn semel<S: Subject>(bencher: Bencher<'_, '_>, subject: &S, states: u64, threads: usize) {
    bencher.counter(ItemsCount::new(states)).bench_local(|| {
        assert_eq!(found(subject, threads).unique_states(), states);
    });
}

/// What Stateright asks of a model, its states and its actions.
pub trait Checked: Model + Clone + Send + Sync + 'static {}
impl<M: Model + Clone + Send + Sync + 'static> Checked for M {}
pub trait State: fmt::Debug + Clone + PartialEq + Hash + Send + Sync + 'static {}
impl<S: fmt::Debug + Clone + PartialEq + Hash + Send + Sync + 'static> State for S {}
pub trait Action: fmt::Debug + Clone + PartialEq + Send + Sync + 'static {}
impl<A: fmt::Debug + Clone + PartialEq + Send + Sync + 'static> Action for A {}

pub fn stateright_bfs<M>(bencher: Bencher<'_, '_>, model: &M, states: u64, threads: usize)
where
    M: Checked,
    M::State: State,
    M::Action: Action,
{
    bencher.counter(ItemsCount::new(states)).bench_local(|| {
        let checker = model.clone().checker().threads(threads).spawn_bfs().join();
        assert_counts(&checker, states);
    });
}

pub fn stateright_dfs<M>(bencher: Bencher<'_, '_>, model: &M, states: u64)
where
    M: Checked,
    M::State: State,
    M::Action: Action,
{
    bencher.counter(ItemsCount::new(states)).bench_local(|| {
        assert_counts(&model.clone().checker().spawn_dfs().join(), states);
    });
}

/// Stateright keeps 64 bits of each state, and ends when every property is decided.
fn assert_counts<M: Model>(checker: &impl Checker<M>, states: u64) {
    let counted = checker.unique_state_count() as u64;
    assert!(counted <= states, "{counted} states of {states}");
}
