//! Explores the reference protocol with one of three engines and prints one line of JSON:
//!
//! `cargo run --release --example reference -- L --engine semel --jobs 2`
//!
//! - `unique_states`: different states found.
//! - `transitions`: states generated, the initial one included, as Stateright's `state_count` has
//!   it.
//! - `depth`: levels of the graph, the initial state being the first. A depth-first search does not
//!   know it: it is then the longest path it happened to take.
//! - `seconds`: wall-clock time of the search.
//! - `peak_bytes`: the largest resident set of the whole process (`VmHWM` of Linux), 0 where it
//!   is not known.

use std::num::NonZeroUsize;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use semel::explore::{Options, explore};
use semel_models::reference::{Parameters, Reference};
use serde_json::json;
use stateright::{Checker, Model};

#[derive(Parser)]
struct Arguments {
    /// The size of the protocol.
    size: Size,
    /// What explores it.
    #[arg(long, default_value = "semel")]
    engine: Engine,
    /// Threads.
    #[arg(long, default_value = "1")]
    jobs: NonZeroUsize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Size {
    #[value(name = "S")]
    S,
    #[value(name = "M")]
    M,
    #[value(name = "L")]
    L,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    Semel,
    StaterightBfs,
    StaterightDfs,
}

struct Found {
    unique_states: u64,
    generated: u64,
    levels: u64,
}

fn main() {
    let arguments = Arguments::parse();
    let bounds = match arguments.size {
        Size::S => Parameters::SMALL,
        Size::M => Parameters::MEDIUM,
        Size::L => Parameters::LARGE,
    };
    let protocol = Reference::new(bounds).expect("the three sizes fit");
    let start = Instant::now();
    let found = run(protocol, arguments.engine, arguments.jobs);
    let seconds = start.elapsed().as_secs_f64();
    let line = json!({
        "size": format!("{:?}", arguments.size),
        "engine": arguments.engine.to_possible_value().map(|name| name.get_name().to_owned()),
        "jobs": arguments.jobs,
        "unique_states": found.unique_states,
        "transitions": found.generated,
        "depth": found.levels,
        "seconds": seconds,
        "peak_bytes": peak_bytes().unwrap_or(0),
    });
    println!("{line}");
}

fn run(protocol: Reference, engine: Engine, jobs: NonZeroUsize) -> Found {
    let checker = || protocol.checker().threads(jobs.get());
    match engine {
        Engine::Semel => {
            let found = explore(&protocol, &Options::default().jobs(jobs), &mut |_| {});
            Found {
                unique_states: found.unique_states(),
                generated: found.transitions() + found.init_states(),
                levels: u64::from(found.depth()) + 1,
            }
        }
        Engine::StaterightBfs => told(&checker().spawn_bfs().join()),
        Engine::StaterightDfs => told(&checker().spawn_dfs().join()),
    }
}

fn told(checker: &impl Checker<Reference>) -> Found {
    Found {
        unique_states: checker.unique_state_count() as u64,
        generated: checker.state_count() as u64,
        levels: checker.max_depth() as u64,
    }
}

/// The peak resident set, as Linux tells it in KiB.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
