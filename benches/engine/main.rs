//! How fast graphs are explored: `cargo bench --bench engine`, or one group of it, such as
//! `cargo bench --bench engine -- reference`.
//!
//! The same graphs go through semel's engine and through Stateright's two, in one run: the reference
//! protocol in three sizes, a design of more than a million states, and the ten largest of the
//! catalogue. Beside the reference protocol stand two yardsticks, where they can be built: SPIN, and
//! a program that knows nothing but this protocol and keeps fingerprints only. They are looked for in
//! the directory that `SEMEL_YARDSTICKS` names, or beside the project.
//!
//! Throughput counts unique states. What every engine finds is compared with what semel's found.

mod graphs;
mod yardsticks;

use divan::Bencher;
use divan::counter::ItemsCount;
use graphs::{Graph, Size};

const RUNS: u32 = 3;

fn main() {
    println!(
        "graph | unique states | transitions | bytes a state, packed, at most | in all | unreduced states"
    );
    for size in Size::ALL {
        println!("{} |", graphs::row(&size.to_string(), &size.protocol()));
    }
    let designs = std::iter::once(graphs::large()).chain(graphs::largest());
    for graph in designs.chain(&graphs::presets()) {
        let row = graphs::row(&graph.to_string(), graph.cluster());
        println!("{row} | {}", graph.unreduced());
    }
    divan::main();
}

/// The reference protocol, in its three sizes.
mod reference {
    use super::{Bencher, ItemsCount, RUNS, Size, graphs, yardsticks};

    #[divan::bench(args = Size::ALL, sample_count = RUNS, sample_size = 1)]
    fn semel_1_thread(bencher: Bencher<'_, '_>, size: Size) {
        graphs::semel(bencher, &size.protocol(), size.unique_states(), 1);
    }

    #[divan::bench(args = Size::ALL, sample_count = RUNS, sample_size = 1)]
    fn semel_2_threads(bencher: Bencher<'_, '_>, size: Size) {
        graphs::semel(bencher, &size.protocol(), size.unique_states(), 2);
    }

    #[divan::bench(args = Size::ALL, sample_count = RUNS, sample_size = 1)]
    fn stateright_bfs_1_thread(bencher: Bencher<'_, '_>, size: Size) {
        graphs::stateright_bfs(bencher, &size.protocol(), size.unique_states(), 1);
    }

    #[divan::bench(args = Size::ALL, sample_count = RUNS, sample_size = 1)]
    fn stateright_bfs_2_threads(bencher: Bencher<'_, '_>, size: Size) {
        graphs::stateright_bfs(bencher, &size.protocol(), size.unique_states(), 2);
    }

    #[divan::bench(args = Size::ALL, sample_count = RUNS, sample_size = 1)]
    fn stateright_dfs_1_thread(bencher: Bencher<'_, '_>, size: Size) {
        graphs::stateright_dfs(bencher, &size.protocol(), size.unique_states());
    }

    #[divan::bench(args = yardsticks::spin(), sample_count = RUNS, sample_size = 1)]
    fn spin_exact_dfs(bencher: Bencher<'_, '_>, spin: &yardsticks::Program) {
        let states = spin.size.unique_states();
        bencher
            .counter(ItemsCount::new(states))
            .bench(|| spin.run(&[]));
    }

    #[divan::bench(args = yardsticks::limit(), sample_count = RUNS, sample_size = 1)]
    fn limit_1_thread(bencher: Bencher<'_, '_>, limit: &yardsticks::Program) {
        let states = limit.size.unique_states();
        bencher
            .counter(ItemsCount::new(states))
            .bench(|| limit.run_with(1));
    }

    #[divan::bench(args = yardsticks::limit(), sample_count = RUNS, sample_size = 1)]
    fn limit_2_threads(bencher: Bencher<'_, '_>, limit: &yardsticks::Program) {
        let states = limit.size.unique_states();
        bencher
            .counter(ItemsCount::new(states))
            .bench(|| limit.run_with(2));
    }
}

/// The preset at-least-once with more records.
mod at_least_once {
    use super::{Bencher, Graph, graphs};

    #[divan::bench(args = [graphs::large()], sample_count = 1, sample_size = 1)]
    fn semel_1_thread(bencher: Bencher<'_, '_>, graph: &Graph) {
        graphs::semel(bencher, graph.cluster(), graph.unique_states(), 1);
    }

    #[divan::bench(args = [graphs::large()], sample_count = 1, sample_size = 1)]
    fn semel_2_threads(bencher: Bencher<'_, '_>, graph: &Graph) {
        graphs::semel(bencher, graph.cluster(), graph.unique_states(), 2);
    }

    #[divan::bench(args = [graphs::large()], sample_count = 1, sample_size = 1)]
    fn stateright_bfs_2_threads(bencher: Bencher<'_, '_>, graph: &Graph) {
        graphs::stateright_bfs(bencher, graph.cluster(), graph.unique_states(), 2);
    }

    #[divan::bench(args = [graphs::large()], sample_count = 1, sample_size = 1)]
    fn stateright_dfs_1_thread(bencher: Bencher<'_, '_>, graph: &Graph) {
        graphs::stateright_dfs(bencher, graph.cluster(), graph.unique_states());
    }
}

/// The ten largest designs of the catalogue.
mod catalogue {
    use super::{Bencher, Graph, RUNS, graphs};

    #[divan::bench(args = graphs::largest(), sample_count = RUNS, sample_size = 1)]
    fn semel_2_threads(bencher: Bencher<'_, '_>, graph: &Graph) {
        graphs::semel(bencher, graph.cluster(), graph.unique_states(), 2);
    }

    #[divan::bench(args = graphs::largest(), sample_count = RUNS, sample_size = 1)]
    fn stateright_bfs_2_threads(bencher: Bencher<'_, '_>, graph: &Graph) {
        graphs::stateright_bfs(bencher, graph.cluster(), graph.unique_states(), 2);
    }

    #[divan::bench(args = graphs::largest(), sample_count = RUNS, sample_size = 1)]
    fn stateright_dfs_1_thread(bencher: Bencher<'_, '_>, graph: &Graph) {
        graphs::stateright_dfs(bencher, graph.cluster(), graph.unique_states());
    }
}
