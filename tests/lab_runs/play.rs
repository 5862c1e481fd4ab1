//! Drawing schedules, playing them, and what is left of one that breaks a guarantee.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use semel::lab::{Blow, Coverage, Run, Schedule, Sync};
use semel::{Design, Guarantee, Trace};
use semel_models::pipeline::Pipeline;
use std::cell::RefCell;
use std::path::PathBuf;

/// Steps that a run takes at most for each of its records and faults. One that does not come to
/// rest goes round for ever.
const STEPS_EACH: usize = 60;

/// How many steps a record takes at least.
const STEPS_OF_A_RECORD: u32 = 5;

/// How many small runs are tried of each size, once a large one has broken something.
const RUNS_OF_A_SIZE: u32 = 100;

/// How large runs are.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The most records.
    pub records: u16,
    /// The most faults.
    pub faults: u16,
    /// How often each fault may strike.
    pub each: Each,
}

/// How often each fault of a design may strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// As often as the design states.
    AsStated,
    /// As often as is drawn.
    AsDrawn,
}

/// A run to be played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many records the application sends.
    pub records: u16,
    /// How many records a poll may return.
    pub poll: u16,
    /// What happens when.
    pub schedule: Schedule,
}

/// Plans of at most this size. Their faults strike while there is something to strike, and half of
/// them soon after another one. Nothing that is drawn depends on anything else, so all of it shrinks.
pub fn plans(size: Size) -> impl Strategy<Value = Plan> {
    let blow = (0..1_000u32, option::of(0..4u32), any::<u32>());
    let blows = vec(blow, 0..=usize::from(size.faults));
    let mix = prop_oneof![1 => Just(0), 7 => any::<u64>()];
    (1..=size.records, 1..=8u16, blows, mix).prop_map(|(records, poll, blows, mix)| {
        let steps = u32::from(records) * STEPS_OF_A_RECORD;
        let mut faults: Vec<Blow> = Vec::new();
        for (alone, behind, pick) in blows {
            let last = faults.last().map(|last| last.after);
            let after = match (last, behind) {
                (Some(last), Some(steps)) => last + steps,
                _ => alone * steps / 1_000,
            };
            faults.push(Blow { after, pick });
        }
        Plan {
            records,
            poll: poll.min(records),
            schedule: Schedule { faults, mix },
        }
    })
}

/// The design under a plan.
fn pipeline(design: &Design, plan: &Plan, each: Each) -> Pipeline {
    let mut pipeline = design.pipeline().clone();
    let faults = plan.schedule.faults.len() as u16;
    pipeline.bounds.records = plan.records;
    pipeline.bounds.keys = pipeline.bounds.keys.min(plan.records);
    // A poll of one record is what some clients have, and what some designs are about.
    if pipeline.bounds.poll > 1 {
        pipeline.bounds.poll = plan.poll;
    }
    if each == Each::AsDrawn {
        pipeline.faults.total = Some(faults);
        for (_, own) in &mut pipeline.faults.entries {
            *own = faults;
        }
    }
    pipeline
}

/// Plays a run to its end, and has its rows judged; if the disk does not do what the model says, the
/// story up to there.
pub fn play(design: &Design, plan: &Plan, each: Each) -> Result<Run, String> {
    let pipeline = pipeline(design, plan, each);
    let directory = tempfile::tempdir().expect("a directory");
    let size = usize::from(pipeline.bounds.records + pipeline.faults.total());
    let run = Run::start(directory.path(), pipeline, Sync::Simulated);
    let mut run = run.map_err(|error| error.to_string())?;
    let rests = plan.schedule.play(&mut run, STEPS_EACH * (size + 1));
    let judged = rests.and_then(|rests| match rests {
        true => run.judge().map(|_| ()),
        false => Ok(()),
    });
    match judged {
        Ok(()) => Ok(run),
        Err(error) => {
            let steps = story(&run.trace(design, Guarantee::NoLoss));
            Err(format!("{}: {error}\n{steps}", design.name()))
        }
    }
}

fn story(trace: &Trace) -> String {
    let steps = trace.steps().iter();
    steps
        .map(|step| format!("  {}\n", step.sentence()))
        .collect()
}

/// How many runs, of the number that is enough.
pub fn cases(enough: u32) -> u32 {
    match std::env::var("SEMEL_CASES") {
        Ok(factor) => {
            enough
                * factor
                    .parse::<u32>()
                    .expect("SEMEL_CASES is a whole number")
        }
        Err(_) => enough,
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        rng_seed: match std::env::var_os("SEMEL_CASES") {
            Some(_) => RngSeed::Random,
            None => RngSeed::Fixed(1),
        },
        ..Config::default()
    })
}

/// The smallest run found that violates one of `guarantees`, of as many plans as `cases`.
pub fn find(
    design: &Design,
    guarantees: &[Guarantee],
    size: Size,
    cases: u32,
) -> Option<(Run, Guarantee)> {
    let met = RefCell::new(Coverage::default());
    let violated = |plan: &Plan| -> Result<_, String> {
        let run = play(design, plan, size.each)?;
        met.borrow_mut().add(run.coverage());
        let broken = run.violated();
        let first = guarantees.iter().copied().find(|one| broken.contains(one));
        Ok(first.map(|guarantee| (run, guarantee)))
    };
    let tried = runner(cases).run(&plans(size), |plan| match violated(&plan) {
        Err(story) => Err(TestCaseError::fail(story)),
        Ok(Some((_, guarantee))) => Err(TestCaseError::fail(guarantee.name())),
        Ok(None) => Ok(()),
    });
    println!("{}, in {cases} runs:\n{}", design.name(), met.borrow());
    match tried {
        Ok(()) => None,
        Err(TestError::Fail(_, plan)) => {
            let found = violated(&plan);
            let found = found.unwrap_or_else(|story| panic!("{story}\nplayed as {plan:#?}"));
            let (run, guarantee) = found.expect("it was violated before");
            Some((
                small(design, guarantee, size.each).unwrap_or(run),
                guarantee,
            ))
        }
        Err(TestError::Abort(why)) => panic!("{}: {why}", design.name()),
    }
}

/// A small run that violates the guarantee, too. A large one that was drawn does not get small by
/// taking from it, for each of its steps depends on all before; but what breaks a large run mostly
/// breaks some run of a few records, and of those that do the shortest is told.
fn small(design: &Design, guarantee: Guarantee, each: Each) -> Option<Run> {
    let sizes = (1..=4).flat_map(|sum| (1..=sum).map(move |records| (records, sum - records)));
    sizes.into_iter().find_map(|(records, faults)| {
        let size = Size {
            records,
            faults,
            each,
        };
        let mut runner = runner(RUNS_OF_A_SIZE);
        let runs = (0..RUNS_OF_A_SIZE).filter_map(|_| {
            let plan = plans(size).new_tree(&mut runner).ok()?.current();
            play(design, &plan, each).ok()
        });
        runs.filter(|run| run.violated().contains(&guarantee))
            .min_by_key(|run| run.taken().len())
    })
}

/// Every guarantee that some of so many runs violates.
pub fn violated(design: &Design, size: Size, runs: u32) -> Vec<Guarantee> {
    let mut runner = runner(runs);
    let mut seen = Vec::new();
    for _ in 0..runs {
        let drawn = plans(size).new_tree(&mut runner);
        let plan = drawn.expect("nothing is rejected").current();
        let run = play(design, &plan, size.each).unwrap_or_else(|story| panic!("{story}"));
        seen.extend(run.violated());
    }
    seen
}

/// Fails with a run that breaks a guarantee: tells it, and saves it for `semel replay`.
pub fn broken(design: &Design, run: &Run, guarantee: Guarantee) -> ! {
    let trace = run.trace(design, guarantee);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{}-{guarantee}.json", design.name()));
    let text = serde_json::to_string_pretty(&trace).expect("it is JSON");
    std::fs::write(&file, text).expect("the folder can be written");
    let steps = story(&trace);
    panic!(
        "{} breaks {guarantee} with records = {}:\n{steps}  => {}\n\nto take it again:\n  semel replay {}\n",
        design.name(),
        trace.bound().records,
        trace.violation(),
        file.display()
    );
}
