//! Properties tried on random designs.

use std::cell::Cell;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use semel::Design;
use semel_models::fault::Fault;
use semel_models::pipeline::Client;

use crate::designs::{Text, any_design};

/// What a property has to say of a design.
pub type Trial = Result<(), TestCaseError>;

/// The most states that one design may have here; larger ones are discarded.
pub const MOST_STATES: u64 = 6_000;

/// Discards a design whose space is too large for a test.
pub fn too_large() -> TestCaseError {
    TestCaseError::reject("too large")
}

/// How many designs are tried where `cases` are meant: `SEMEL_CASES` times as many.
pub fn cases(cases: u32) -> u32 {
    let stated = std::env::var("SEMEL_CASES").ok();
    let factor = stated.map_or(1, |text| {
        text.parse().expect("SEMEL_CASES is a whole number")
    });
    cases.saturating_mul(factor)
}

/// A runner that says what it finds with its failures, and keeps no files. It draws the same
/// designs each time, so that a failure comes again, unless `SEMEL_CASES` asks for a search.
pub fn runner(number: u32) -> TestRunner {
    let searching = std::env::var_os("SEMEL_CASES").is_some();
    let number = cases(number);
    TestRunner::new(Config {
        cases: number,
        max_global_rejects: number.saturating_mul(4).saturating_add(100),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        rng_seed: match searching {
            true => RngSeed::Random,
            false => RngSeed::Fixed(1),
        },
        ..Config::default()
    })
}

/// Tries `property` on random designs and on all that once broke one.
///
/// # Panics
/// With the shrunk design, when it does not hold; and when most designs had to be discarded.
pub fn try_designs(number: u32, property: impl Fn(&Design) -> Trial) {
    try_designs_with(number, Just(()), |design, ()| property(design));
}

/// The same, with something else drawn for each design.
pub fn try_designs_with<T: Clone + std::fmt::Debug>(
    number: u32,
    other: impl Strategy<Value = T>,
    property: impl Fn(&Design, T) -> Trial,
) {
    for design in regressions() {
        // One that is too large for a property is none of its designs.
        let tried = runner(4).run(&other, |other| match property(&design, other) {
            Err(TestCaseError::Reject(_)) => Ok(()),
            tried => tried,
        });
        accept(tried.map_err(|error| told(&error, design.text())));
    }
    let (drawn, refused, large) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let add = |counter: &Cell<u32>| counter.set(counter.get() + 1);
    let tried = runner(number).run(&(any_design(), &other), |(text, other)| {
        add(&drawn);
        let Some(design) = read(&text) else {
            add(&refused);
            return Err(TestCaseError::reject("refused"));
        };
        let result = property(&design, other);
        if let Err(TestCaseError::Reject(_)) = result {
            add(&large);
        }
        result
    });
    accept(tried.map_err(|error| told(&error, "")));
    let (drawn, refused, large) = (drawn.get(), refused.get(), large.get());
    println!("{drawn} drawn, {refused} refused, {large} too large");
    assert!(
        refused * 3 <= drawn,
        "{refused} of {drawn} designs are refused"
    );
    assert!(
        large * 2 <= drawn,
        "{large} of {drawn} designs are too large"
    );
}

fn told<T: std::fmt::Debug>(error: &TestError<T>, design: &str) -> String {
    format!("{error}\n{design}")
}

fn accept(tried: Result<(), String>) {
    if let Err(message) = tried {
        panic!("{message}");
    }
}

/// Tries `property` on random designs of one kind, of which few may be refused.
///
/// # Panics
/// With the shrunk design, when it does not hold; and when many designs were refused.
pub fn try_kind(
    number: u32,
    kind: impl Strategy<Value = Text>,
    property: impl Fn(&Design) -> Trial,
) {
    let (drawn, refused) = (Cell::new(0), Cell::new(0));
    let tried = runner(number).run(&kind, |text: Text| {
        drawn.set(drawn.get() + 1);
        let Some(design) = read(&text) else {
            refused.set(refused.get() + 1);
            return Err(TestCaseError::reject("refused"));
        };
        property(&design)
    });
    accept(tried.map_err(|error| told(&error, "")));
    let (drawn, refused) = (drawn.get(), refused.get());
    println!("{drawn} drawn, {refused} refused");
    assert!(
        refused * 10 <= drawn,
        "{refused} of {drawn} designs are refused"
    );
}

/// The design, unless it is refused.
pub fn read(text: &Text) -> Option<Design> {
    Design::parse("random.toml", text.0.as_bytes()).ok()
}

/// Every design that once broke a property.
pub fn regressions() -> Vec<Design> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/regressions");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    let read = |file: &PathBuf| Design::read(file).unwrap_or_else(|error| panic!("{error:?}"));
    files.iter().map(read).collect()
}

/// Leaves out an upstream whose epoch may stay behind a delivery that failed, and librdkafka's where the
/// application aborts: what it sends next may pass for a repeat of what was aborted.
pub fn reject_kept_epochs(design: &Design) -> Result<(), TestCaseError> {
    let pipeline = design.pipeline();
    let aborts = pipeline.faults.contains(Fault::Abort);
    let purges = pipeline.client == Client::Librdkafka && aborts;
    match pipeline.keeps_epochs() || pipeline.keeps_epoch_behind_commit() || purges {
        true => Err(TestCaseError::reject("its epoch may stay")),
        false => Ok(()),
    }
}
