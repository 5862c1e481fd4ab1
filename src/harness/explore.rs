//! Which schedules are tried, and in which order.
//!
//! **Small inputs: all of them.** A run under a schedule shows where else something could go wrong
//! after its last entry; each of these is a schedule with one entry more. So every schedule is
//! reached once, from a smaller one, and they are run in the order of their size: records, faults
//! and short polls together. The first that fails has no smaller one that does.
//!
//! **Large ones: at random.** What the number of runs does not allow is drawn with proptest from a
//! fixed seed. A failure is shrunk by proptest, and then as a schedule.

mod shrink;

use super::chooser::{Chooser, Draw};
use super::coverage::Coverage;
use super::error::Error;
use super::judge::advice;
use super::report::{Extent, Report, Violation};
use super::rerun;
use super::run::{Run, Setup};
use super::schedule::{Item, Schedule};
use super::story::{choices, tell};
use crate::lab::RecordId;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use semel_models::guarantee::Guarantee;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What the random schedules are drawn from.
const SEED: [u8; 32] = *b"semel draws the same every time.";

/// Of the runs, how many percent the smallest schedules may take.
const SHARE_OF_THE_SMALLEST: u64 = 75;

/// How to mend what is violated although nothing went wrong.
const WITHOUT_A_FAULT: &str = "Nothing went wrong in this run. See whether effects() reads what run() wrote, in the directory \
     that is given; whether run() is done with its writes when it returns; where a group without a \
     committed offset begins (auto.offset.reset); and what is left out on purpose.";

/// How many runs proptest's shrinking may take, and the search for a smaller schedule after it.
const SHRINKING: u32 = 300;

/// One check.
pub(super) struct Exploration<'a> {
    pub(super) setup: &'a Setup,
    pub(super) guarantees: &'a [Guarantee],
    pub(super) records: RangeInclusive<u32>,
    pub(super) most_runs: u64,
    /// Whether to stop at the first violation.
    pub(super) stop_at_first: bool,
    pub(super) test: Option<&'a str>,
}

#[derive(Default)]
struct Found {
    runs: u64,
    random_runs: u64,
    /// Runs with as many faults as were asked for at least.
    judged: u64,
    violations: Vec<Violation>,
    coverage: Coverage,
    /// For each number of records the fewest faults of a schedule that was left out.
    left_out: BTreeMap<u32, u32>,
}

impl Found {
    fn leave_out(&mut self, schedule: &Schedule) {
        let fewest = self.left_out.entry(schedule.records).or_insert(u32::MAX);
        *fewest = (*fewest).min(schedule.faults());
    }
}

impl Exploration<'_> {
    /// Tries the schedules.
    pub(super) fn explore(&self) -> Result<Report, Error> {
        let mut found = Found::default();
        let calls = self.calls_of_a_calm_run()?;
        self.try_the_smallest(&mut found)?;
        if !found.left_out.is_empty() && !self.is_done(&found) {
            self.try_at_random(&mut found, calls)?;
        }
        if found.judged == 0 {
            return Err(Error::Settings(format!(
                "none of {} runs had as many faults of each kind as a run has to have: allow more runs, \
                 or fewer faults at least",
                found.runs
            )));
        }
        Ok(self.report(found, None))
    }

    /// Tries one schedule, and tells it whatever comes of it.
    pub(super) fn only(&self, schedule: &Schedule) -> Result<Report, Error> {
        let mut found = Found::default();
        let run = self.follow(schedule)?;
        self.count(&mut found, &run);
        self.note(&mut found, &run)?;
        if found.violations.is_empty() {
            eprintln!("Nothing is violated in this run:\n{}", tell(&run.entries));
        }
        Ok(self.report(found, Some(Extent::One)))
    }

    fn follow(&self, schedule: &Schedule) -> Result<Run, Error> {
        let budget = self.setup.budget.clone();
        self.setup.run(Chooser::following(schedule, budget))
    }

    /// How many calls a run makes in which nothing goes wrong. Two such runs make the same ones:
    /// without that, nothing that follows means anything.
    fn calls_of_a_calm_run(&self) -> Result<u32, Error> {
        self.follow(&Schedule::calm(*self.records.start()))?;
        let calm = Schedule::calm(*self.records.end());
        let [first, second] = [self.follow(&calm)?, self.follow(&calm)?];
        same_effects(&first, &second)?;
        let labels = |run: &Run| -> Vec<(u32, String)> {
            let choices = choices(&run.entries);
            choices
                .map(|choice| (choice.step, choice.label.clone()))
                .collect()
        };
        let (first, second) = (labels(&first), labels(&second));
        let longest = first.len().max(second.len());
        let Some(at) = (0..longest).find(|at| first.get(*at) != second.get(*at)) else {
            return Ok(first.last().map_or(0, |(step, _)| *step));
        };
        let told = |calls: &[(u32, String)]| {
            let label = calls.get(at).map(|(_, label)| label.clone());
            label.unwrap_or_else(|| "the end of the run".into())
        };
        let step = first
            .get(at)
            .or(second.get(at))
            .map_or(0, |(step, _)| *step);
        Err(Error::Nondeterministic {
            schedule: calm.to_string(),
            step,
            expected: told(&first),
            met: told(&second),
        })
    }

    fn is_done(&self, found: &Found) -> bool {
        let violated = found.violations.len();
        // No run of such a service has an end that could be judged.
        let is_endless = |violation: &Violation| {
            violation.guarantee == Guarantee::Progress && violation.faults == 0
        };
        violated == self.guarantees.len()
            || self.stop_at_first && violated > 0
            || found.violations.iter().any(is_endless)
    }

    fn try_the_smallest(&self, found: &mut Found) -> Result<(), Error> {
        let most = (self.most_runs * SHARE_OF_THE_SMALLEST / 100).max(1);
        let mut waiting: BTreeSet<Schedule> = self.records.clone().map(Schedule::calm).collect();
        let mut allowed = most;
        while !self.is_done(found)
            && allowed > 0
            && let Some(schedule) = waiting.pop_first()
        {
            let run = self.follow(&schedule)?;
            self.count(found, &run);
            self.note(found, &run)?;
            waiting.extend(larger(&schedule, &run));
            allowed -= 1;
            while waiting.len() as u64 > allowed {
                let largest = waiting.pop_last().expect("there are more than are allowed");
                found.leave_out(&largest);
            }
        }
        for schedule in &waiting {
            found.leave_out(schedule);
        }
        Ok(())
    }

    fn try_at_random(&self, found: &mut Found, calls: u32) -> Result<(), Error> {
        let left = self.most_runs.saturating_sub(found.runs).max(1);
        let config = Config {
            cases: u32::try_from(left).unwrap_or(u32::MAX),
            failure_persistence: None,
            max_shrink_iters: SHRINKING,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let known: Vec<Guarantee> = found
            .violations
            .iter()
            .map(|known| known.guarantee)
            .collect();
        let counted = RefCell::new(&mut *found);
        let failure = RefCell::new(None);
        let drawn = runner.run(&self.draws(calls), |(records, draw)| {
            if failure.borrow().is_some() {
                return Ok(());
            }
            match self.draw(records, draw) {
                Ok(run) => {
                    let mut found = counted.borrow_mut();
                    self.count(&mut found, &run);
                    found.random_runs += 1;
                    let fails = !self.violated(&run, &known).is_empty();
                    let verdict = (!fails).then_some(());
                    verdict.ok_or_else(|| TestCaseError::fail("violated"))
                }
                Err(error) => {
                    *failure.borrow_mut() = Some(error);
                    Ok(())
                }
            }
        });
        if let Some(error) = failure.into_inner() {
            return Err(error);
        }
        match drawn {
            Ok(()) => Ok(()),
            Err(TestError::Fail(_, (records, draw))) => {
                let run = self.draw(records, draw)?;
                let run = self.smallest_like(run, &known)?;
                self.note(found, &run)
            }
            Err(TestError::Abort(reason)) => Err(Error::Settings(reason.to_string())),
        }
    }

    fn draws(&self, calls: u32) -> impl Strategy<Value = (u32, Draw)> + use<> {
        let most = self.setup.budget.total as usize;
        let faults = vec((any::<u16>(), any::<u8>()), 0..=most);
        let polls = vec(any::<u8>(), 0..4);
        let end = *self.records.end();
        (self.records.clone(), faults, polls).prop_map(move |(records, faults, polls)| {
            // Half as many again, for what is done once more after a fault.
            let calls = 1 + calls * records / end * 3 / 2;
            let place = |of: u16| 1 + ((u64::from(of) * u64::from(calls)) >> 16) as u32;
            let faults = faults.into_iter().map(|(of, which)| (place(of), which));
            let faults = faults.collect();
            (records, Draw { faults, polls })
        })
    }

    fn draw(&self, records: u32, draw: Draw) -> Result<Run, Error> {
        let budget = self.setup.budget.clone();
        self.setup.run(Chooser::drawing(records, draw, budget))
    }

    /// The guarantees beside `known` that `run` violates.
    fn violated(&self, run: &Run, known: &[Guarantee]) -> Vec<Guarantee> {
        if !self.setup.budget.is_enough(&run.schedule) {
            return Vec::new();
        }
        let mut violated = self.guarantees.to_vec();
        violated.retain(|guarantee| {
            !known.contains(guarantee) && !run.evidence.violations(*guarantee).is_empty()
        });
        violated
    }

    fn count(&self, found: &mut Found, run: &Run) {
        found.runs += 1;
        found.judged += u64::from(self.setup.budget.is_enough(&run.schedule));
        found.coverage.add(&run.entries);
    }

    /// Takes down what the run violates. One that violates anything is made once more: if it then
    /// ends otherwise, its schedule does not say why.
    fn note(&self, found: &mut Found, run: &Run) -> Result<(), Error> {
        let known: Vec<Guarantee> = found
            .violations
            .iter()
            .map(|known| known.guarantee)
            .collect();
        let violated = self.violated(run, &known);
        if !violated.is_empty() {
            same_effects(run, &self.follow(&run.schedule)?)?;
        }
        for guarantee in violated {
            found.violations.push(self.violation(guarantee, run));
        }
        Ok(())
    }

    fn violation(&self, guarantee: Guarantee, run: &Run) -> Violation {
        let kind = self.setup.kind_of_effects();
        Violation {
            guarantee,
            schedule: run.schedule.to_string(),
            faults: run.schedule.faults(),
            story: tell(&run.entries),
            wrong: run.evidence.violations(guarantee),
            advice: match run.schedule.faults() {
                0 if guarantee != Guarantee::Progress => WITHOUT_A_FAULT,
                _ => advice(guarantee, &run.evidence, kind, &self.setup.clients),
            },
            rerun: rerun::line(self.test, &run.schedule.to_string()),
        }
    }

    fn report(&self, found: Found, extent: Option<Extent>) -> Report {
        let most_faults = self.setup.budget.total;
        let extent = extent.unwrap_or_else(|| match found.left_out.is_empty() {
            true => Extent::All,
            false => Extent::Part(self.whole_parts(&found.left_out)),
        });
        Report {
            judged: self.guarantees.to_vec(),
            violations: found.violations,
            extent,
            runs: found.runs,
            random_runs: found.random_runs,
            records: self.records.clone(),
            most_faults,
            coverage: found.coverage,
        }
    }

    /// Up to how many faults every schedule was tried, for each number of records.
    fn whole_parts(&self, left_out: &BTreeMap<u32, u32>) -> Vec<(RangeInclusive<u32>, u32)> {
        let mut parts: Vec<(RangeInclusive<u32>, u32)> = Vec::new();
        for records in self.records.clone() {
            let most = self.setup.budget.total;
            let whole = left_out
                .get(&records)
                .map_or(Some(most), |fewest| fewest.checked_sub(1));
            let Some(faults) = whole else {
                continue;
            };
            match parts.last_mut() {
                Some((range, same)) if *same == faults && *range.end() + 1 == records => {
                    *range = *range.start()..=records;
                }
                Some(_) | None => parts.push((records..=records, faults)),
            }
        }
        parts
    }
}

/// Two runs under one schedule have the same effects.
fn same_effects(first: &Run, second: &Run) -> Result<(), Error> {
    let effects = |run: &Run| {
        let mut effects = run.evidence.effects.clone();
        effects.sort_unstable();
        effects
    };
    let (first_effects, second_effects) = (effects(first), effects(second));
    if first_effects == second_effects {
        return Ok(());
    }
    let told = |effects: &[RecordId]| match effects.is_empty() {
        true => "none".to_owned(),
        false => {
            let names: Vec<String> = effects.iter().map(|id| format!("r{}", id.0)).collect();
            names.join(", ")
        }
    };
    Err(Error::OtherEffects {
        schedule: first.schedule.to_string(),
        first: told(&first_effects),
        second: told(&second_effects),
    })
}

/// The schedules with one entry more, after the last one of `schedule`, that its run offers.
fn larger(schedule: &Schedule, run: &Run) -> Vec<Schedule> {
    let all = choices(&run.entries);
    let numbered = (1..).zip(all.clone());
    let decided = numbered.filter(|(_, choice)| choice.chosen.is_some());
    let last = decided.last().map_or(0, |(number, _)| number);
    let mut more = Vec::new();
    for choice in all.skip(last) {
        for action in &choice.options {
            more.push(schedule.with(Item {
                step: choice.step,
                action: *action,
                label: Some(choice.label.clone()),
            }));
        }
    }
    more
}
