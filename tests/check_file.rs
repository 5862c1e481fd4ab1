//! A check as one test of a user's own crate.

use std::fs;
use std::panic::catch_unwind;
use tempfile::TempDir;

const LOSSY: &str = r#"
require = ["no-loss"]

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"

[application]
order = "commit -> process"

[faults]
consumer-crash = 1

[bounds]
records = 1
"#;

fn file(text: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("semel.toml");
    fs::write(&file, text).expect("written");
    (directory, file.display().to_string())
}

/// What the panic of `assert` says, if it panics.
fn asserted(text: &str) -> Option<String> {
    let (_directory, file) = file(text);
    let verdicts = semel::check_file(file).expect("a design");
    let panic = catch_unwind(|| verdicts.assert()).err()?;
    panic.downcast_ref::<String>().cloned()
}

#[test]
fn a_design_that_keeps_what_it_requires_passes() {
    assert_eq!(
        asserted(&LOSSY.replace("commit -> process", "process -> commit")),
        None
    );
}

#[test]
fn one_that_does_not_fails_with_its_run_and_what_mends_it() {
    let told = asserted(LOSSY).expect("it panics");
    for part in [
        "not every guarantee is as the design asks for",
        "no-loss is violated",
        "The consumer's process dies after commit and before process of r0.",
        "order = \"process -> commit\"",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(!told.contains('\u{1b}'), "no colours");
}

#[test]
fn one_that_asks_for_nothing_fails() {
    let told = asserted(&LOSSY.replace("require = [\"no-loss\"]", "")).expect("it panics");
    assert!(told.contains("the design asks for nothing"), "{told}");
}

#[test]
fn a_fault_that_changes_nothing_is_not_said_to_be_missing() {
    // The process tries its record again until it succeeds.
    let blocks = LOSSY.replace(
        "consumer-crash = 1",
        "process-failure = 1\nconsumer-crash = 1",
    );
    let blocks = blocks.replace(
        "commit -> process\"",
        "process -> commit\"\non-process-failure.then = \"block\"",
    );
    let (_directory, file) = file(&blocks);
    let verdicts = semel::check_file(file).expect("a design");
    let of = |name| {
        let mut witnesses = verdicts.witnesses().iter();
        let own = witnesses.find(|witness| witness.name == name);
        own.map(|own| (own.reached, own.without_effect))
    };
    assert_eq!(of("process-failure"), Some((false, true)));
    assert_eq!(of("consumer-crash"), Some((true, false)));
}

#[test]
fn a_wrong_design_shows_its_lines() {
    let (_directory, file) = file(&LOSSY.replace("records = 1", "records = \"one\""));
    let error = semel::check_file(file).expect_err("it is wrong");
    let told = format!("{error:?}");
    assert!(told.contains("records = \"one\""), "{told}");
}
