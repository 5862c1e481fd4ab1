//! How many runs a minute the lab plays: `cargo bench --bench lab`.
//!
//! Each run is a design of this repository with up to 20 records and 6 faults, in a directory of its
//! own. The same runs are played on the model alone, on files whose syncs are only noted, and with
//! every sync waiting for the disk; the last with more threads than cores, for they wait. With the
//! feature `postgres` and `SEMEL_POSTGRES_URL`, also with the sink in PostgreSQL.

use semel::lab::{Blow, LabError, Run, Schedule, Sync};
use semel::presets::{self, PRESETS};
use semel_models::cluster::Cluster;
use semel_models::pipeline::Pipeline;
use stateright::Model;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long each way is measured.
const FOR: Duration = Duration::from_secs(10);
const RECORDS: u64 = 20;
const FAULTS: u64 = 6;
/// Steps after which a run is left.
const MOST_STEPS: usize = 2_000;

fn main() {
    let designs: Vec<Pipeline> = PRESETS.iter().map(pipeline).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, runs of up to {RECORDS} records and {FAULTS} faults");
    let model = measure("the model alone", cores, &designs, on_the_model);
    for (name, threads, sync) in [
        ("files, syncs noted", cores, Sync::Simulated),
        ("files, syncs waited for", 8 * cores, Sync::Real),
    ] {
        let runs = measure(name, threads, &designs, |pipeline, schedule| {
            on_files(pipeline, schedule, sync);
        });
        println!("  1 to {:.1} of the model's", model / runs);
    }
    #[cfg(feature = "postgres")]
    if let Ok(url) = std::env::var("SEMEL_POSTGRES_URL") {
        let runs = measure("PostgreSQL", cores, &designs, |pipeline, schedule| {
            play(schedule, |directory| {
                Run::start_on_postgres(directory, pipeline, Sync::Simulated, &url)
            });
        });
        println!("  1 to {:.1} of the model's", model / runs);
    }
}

fn pipeline(preset: &presets::Preset) -> Pipeline {
    let design = presets::design(preset).expect("a preset is a design");
    let mut pipeline = design.pipeline().clone();
    pipeline.faults.total = Some(FAULTS as u16);
    for (_, own) in &mut pipeline.faults.entries {
        *own = FAULTS as u16;
    }
    pipeline
}

/// Plays runs on so many threads; prints and returns how many a minute.
fn measure(
    name: &str,
    threads: usize,
    designs: &[Pipeline],
    play: impl Fn(Pipeline, Schedule) + std::marker::Sync,
) -> f64 {
    let (next, played) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while start.elapsed() < FOR {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let mut pipeline = designs[number as usize % designs.len()].clone();
                    let mut draw = Draw(number);
                    pipeline.bounds.records = 1 + draw.below(RECORDS) as u16;
                    pipeline.bounds.keys = pipeline.bounds.keys.min(pipeline.bounds.records);
                    play(pipeline, draw.schedule());
                    played.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let runs = played.into_inner() as f64;
    let a_minute = runs * 60.0 / start.elapsed().as_secs_f64();
    println!("{name}, {threads} threads: {a_minute:.0} runs a minute");
    a_minute
}

fn on_files(pipeline: Pipeline, schedule: Schedule, sync: Sync) {
    play(schedule, |directory| Run::start(directory, pipeline, sync));
}

fn play(schedule: Schedule, start: impl FnOnce(&Path) -> Result<Run, LabError>) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut run = start(directory.path()).expect("it starts");
    if schedule.play(&mut run, MOST_STEPS).expect("it plays") {
        run.judge().expect("it is judged");
    }
}

/// As many steps as a run takes, without a disk.
fn on_the_model(pipeline: Pipeline, schedule: Schedule) {
    let cluster = Cluster::for_running(pipeline).expect("it has room");
    let mut state = cluster.init_states().remove(0);
    let mut draw = Draw(schedule.mix);
    for _ in 0..MOST_STEPS {
        let steps = cluster.steps(&state);
        let first = draw.below(steps.len().max(1) as u64) as usize;
        let turned = steps[first..].iter().chain(&steps[..first]);
        let mut next = turned.filter_map(|step| cluster.next_state(&state, *step));
        match next.next() {
            Some(next) => state = next,
            None => break,
        }
    }
}

/// Numbers that look drawn (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % end
    }

    fn schedule(&mut self) -> Schedule {
        let faults = 0..self.below(FAULTS + 1);
        let blow = |_| Blow {
            after: self.below(RECORDS * 8) as u32,
            pick: self.below(1 << 32) as u32,
        };
        Schedule {
            faults: faults.map(blow).collect(),
            mix: self.below(u64::MAX),
        }
    }
}
