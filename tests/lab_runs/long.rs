//! Long runs.

use crate::play::{Each, Plan, Size, broken, cases, plans, play};
use crate::support::preset_designs;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use semel::lab::Coverage;

#[test]
fn presets_hold_what_they_require_in_runs_of_five_hundred_records_and_forty_faults() {
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    });
    let size = Size {
        records: 500,
        faults: 40,
        each: Each::AsDrawn,
    };
    let long = |plan: &Plan| plan.records > 400 && plan.schedule.faults.len() > 30;
    for design in preset_designs() {
        let mut coverage = Coverage::default();
        for _ in 0..cases(1) {
            let drawn = plans(size)
                .prop_filter("it is short", long)
                .new_tree(&mut runner);
            let plan = drawn.expect("some plans are long").current();
            let run = play(&design, &plan, size.each).unwrap_or_else(|story| panic!("{story}"));
            let violated = run.violated();
            if let Some(guarantee) = design.required().iter().find(|one| violated.contains(one)) {
                broken(&design, &run, *guarantee);
            }
            coverage.add(run.coverage());
        }
        println!("{}:\n{coverage}", design.name());
    }
}
