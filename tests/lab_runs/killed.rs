//! The process of a run is killed at any moment: what it leaves recovers, and is what the run had
//! come to before the step under way, or after it.

use crate::play::{Each, Size, plans, play};
use crate::support::{derived_designs, preset_designs};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use semel::Design;
use semel::lab::{Remnant, Run, Sync};
use semel_models::action::Action;
use semel_models::fault::Fault;
use semel_models::pipeline::{Pipeline, PreparedTransaction};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the process that is to be killed finds its directory and the number of its plan.
const DIRECTORY: &str = "SEMEL_LAB_RUN_KILLED";
const NUMBER: &str = "SEMEL_LAB_RUN_NUMBER";

/// How many processes are killed of runs of presets, each at another step.
const KILLS: usize = 24;
/// And of runs in which two partitions, or a database and a transaction, have to go together.
const KILLS_OF_TWO: usize = 16;

/// What the run of this number is one of.
fn design(number: usize) -> Design {
    let is_of_two = |design: &Design| {
        let pipeline = design.pipeline();
        let resumes = pipeline.consumer.output.prepared_transaction == PreparedTransaction::Resume;
        let grows = pipeline.faults.contains(Fault::AddPartition);
        pipeline.bounds.partitions > 1 || grows || resumes
    };
    let mut designs = match number < KILLS {
        true => preset_designs(),
        false => derived_designs().into_iter().filter(is_of_two).collect(),
    };
    designs.swap_remove(number * 7 % designs.len())
}

/// A run's steps, the same for the same number in whichever process.
fn steps(number: usize) -> (Pipeline, Vec<Action>) {
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(number as u64),
        ..Config::default()
    });
    let size = Size {
        records: 8,
        faults: 4,
        each: Each::AsDrawn,
    };
    let drawn = plans(size).new_tree(&mut runner);
    let plan = drawn.expect("nothing is rejected").current();
    let run = play(&design(number), &plan, size.each);
    let run = run.unwrap_or_else(|story| panic!("{story}"));
    (run.cluster().pipeline().clone(), run.taken().to_vec())
}

/// Where the test below asks for it, plays a run, and waits before each step for a line.
#[test]
fn a_run_to_be_killed_goes_on_until_it_is() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let number = std::env::var(NUMBER).expect("the number is given");
    let (pipeline, steps) = steps(number.parse().expect("a number"));
    let run = Run::start(Path::new(&directory), pipeline, Sync::Simulated);
    let mut run = run.expect("it starts");
    let (mut out, mut lines) = (std::io::stdout(), std::io::stdin().lines());
    for (number, step) in steps.into_iter().enumerate() {
        writeln!(out, "\nbefore {number}").expect("it is read");
        if lines.next().is_none() {
            return;
        }
        run.take(step).expect("it is taken");
    }
}

/// Plays the run in a process of its own, and kills it once it has begun the step `last`.
fn kill_in(last: usize, number: usize, directory: &Path) {
    let name = "killed::a_run_to_be_killed_goes_on_until_it_is";
    let mut process = Command::new(std::env::current_exe().expect("this test is a program"))
        .args(["--exact", name, "--nocapture"])
        .env(DIRECTORY, directory)
        .env(NUMBER, number.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started");
    let mut input = process.stdin.take().expect("it is piped");
    let output = process.stdout.take().expect("it is piped");
    for line in BufReader::new(output).lines() {
        let line = line.expect("it is text");
        let Some(step) = line.strip_prefix("before ") else {
            continue;
        };
        writeln!(input).expect("it waits for a line");
        if step.parse() == Ok(last) {
            break;
        }
    }
    process.kill().expect("it can be killed");
    process.wait().expect("it ends");
}

#[test]
fn what_a_killed_run_leaves_is_what_it_had_before_the_step_or_after_it() {
    for number in 0..KILLS + KILLS_OF_TWO {
        let (pipeline, steps) = steps(number);
        let last = (number * 7919 + 5) % steps.len();
        let here = tempfile::tempdir().expect("a directory");
        let mut run = Run::start(here.path(), pipeline.clone(), Sync::Simulated);
        let run = run.as_mut().expect("it starts");
        for step in &steps[..last] {
            run.take(*step).expect("it is taken");
        }
        let before = Remnant::recover(here.path(), &pipeline).expect("it recovers");
        run.take(steps[last]).expect("it is taken");
        let after = Remnant::recover(here.path(), &pipeline).expect("it recovers");
        let there = tempfile::tempdir().expect("a directory");
        kill_in(last, number, there.path());
        let left = Remnant::recover(there.path(), &pipeline).expect("it recovers");
        let told = || format!("run {number}, step {last} ({:?}): {left:?}", steps[last]);
        let logs = |of: &Remnant| (of.log.clone(), of.second_log.clone());
        assert!(
            [logs(&before), logs(&after)].contains(&logs(&left)),
            "{}",
            told()
        );
        let committed = [before.committed, after.committed];
        assert!(committed.contains(&left.committed), "{}", told());
        let of_sink = |of: &Remnant| {
            let effects = (of.without_effect.clone(), of.repeated.clone());
            (effects, of.seen.clone(), of.saved, of.prepared.clone())
        };
        let sinks = [of_sink(&before), of_sink(&after)];
        assert!(sinks.contains(&of_sink(&left)), "{}", told());
    }
}
