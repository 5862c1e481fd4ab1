//! Every run that semel tells can be taken again, whichever version told it.

#[path = "support/mod.rs"]
mod support;

use semel::catalogue::{ENTRIES, broken, fixed};
use semel::matrix::{Environment, judge};
use semel::replay::{Outcome, replay};
use semel::trace::{Choice, Runs, Trace};
use semel::{CheckOptions, Design, Guarantee, Verdicts, check, presets};
use semel_models::set::Set;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

fn runs(verdicts: &Verdicts) -> impl Iterator<Item = &Trace> {
    let all = Guarantee::ALL.into_iter();
    all.filter_map(|guarantee| verdicts.of(guarantee).trace())
}

/// The most states that a design may have, for this to end in a minute or so.
const MOST_STATES: u64 = 10_000;

/// Every run of the presets, the catalogue and the derived designs that have no more than these.
static EVERY_RUN: LazyLock<Vec<Trace>> = LazyLock::new(|| {
    let mut designs = support::preset_designs();
    designs.extend(support::derived_designs());
    for entry in ENTRIES {
        designs.extend([broken(entry), fixed(entry)].map(|read| read.expect("it is a design")));
    }
    let mut options = CheckOptions::default();
    options.max_states = Some(MOST_STATES);
    let judge = |design| check(design, &options).expect("it is small");
    let judged: Vec<Verdicts> = designs.iter().map(judge).collect();
    let whole = |run: &&Trace| run.is_shortest();
    judged
        .iter()
        .flat_map(runs)
        .filter(whole)
        .cloned()
        .collect()
});

fn name(trace: &Trace) -> String {
    format!("{} of {}", trace.guarantee(), trace.design().name)
}

/// The trace as it is read from `text`.
fn read(file: &str, text: &[u8]) -> Trace {
    let runs = Runs::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
    let choice = Choice::default();
    runs.choose(&choice)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Replays a run and compares each of its steps with what was told.
fn assert_replays_exactly(trace: &Trace) {
    let replayed = replay(trace).unwrap_or_else(|error| panic!("{}: {error}", name(trace)));
    let violation = trace.violation().to_string();
    assert_eq!(
        replayed.outcome(),
        &Outcome::AsRecorded { violation },
        "{}",
        name(trace)
    );
    let steps: Vec<_> = replayed
        .steps()
        .iter()
        .map(|step| step.told().clone())
        .collect();
    assert_eq!(steps, trace.steps(), "{}", name(trace));
}

#[test]
fn each_told_run_replays_to_its_violation_with_the_same_words_and_changes() {
    let all = &*EVERY_RUN;
    assert!(all.len() > 300, "{}", all.len());
    assert!(
        all.iter().any(|trace| trace.loops_from().is_some()),
        "one has no end"
    );
    for trace in all {
        let text = serde_json::to_vec(trace).expect("JSON");
        assert_eq!(&read("told.json", &text), trace);
        assert_replays_exactly(trace);
    }
}

#[test]
fn a_run_with_the_faults_of_a_class_replays_under_its_own_bound() {
    let preset = presets::named("dedup-in-transaction").expect("a preset");
    let design = presets::design(preset).expect("it is a design");
    let stated = design.pipeline().faults.entries.iter();
    let stated: BTreeSet<String> = stated.map(|(key, _)| key.to_string()).collect();
    let mut replayed = 0;
    for environment in Environment::ALL {
        let options = CheckOptions::default();
        let judged = judge(&design, environment, &options).expect("it is small");
        for trace in judged.iter().flat_map(runs) {
            assert!(
                !trace.bound().faults.keys().eq(stated.iter()),
                "other faults"
            );
            assert_replays_exactly(trace);
            replayed += 1;
        }
    }
    assert_eq!(replayed, 5);
}

/// A run as it is read once `change` was made to each of its steps.
fn changed(trace: &Trace, change: impl Fn(&mut Value)) -> Trace {
    let mut value = serde_json::to_value(trace).expect("JSON");
    let steps = value["steps"].as_array_mut().expect("steps");
    steps.iter_mut().for_each(change);
    read("changed.json", value.to_string().as_bytes())
}

#[test]
fn a_run_is_found_again_when_every_sentence_was_reworded() {
    for trace in &*EVERY_RUN {
        let reworded = changed(trace, |step| step["sentence"] = json!("Something happens."));
        let replayed = replay(&reworded).expect("it can be replayed");
        let violation = trace.violation().to_string();
        assert_eq!(
            replayed.outcome(),
            &Outcome::AsRecorded { violation },
            "{}",
            name(trace)
        );
        assert_eq!(replayed.first_difference(), None, "{}", name(trace));
    }
}

#[test]
fn a_run_of_which_only_the_identifiers_are_left_is_found_again() {
    for trace in &*EVERY_RUN {
        let bare = changed(trace, |step| {
            step["change"] = json!([]);
            step["sentence"] = json!("");
        });
        let replayed = replay(&bare).expect("it can be replayed");
        let is_as_recorded = matches!(replayed.outcome(), Outcome::AsRecorded { .. });
        assert!(is_as_recorded, "{}", name(trace));
    }
}

/// Which of two records in the hands of two threads cannot be handled is told by the sentence alone.
#[test]
fn steps_that_are_told_alike_are_told_apart_by_what_follows() {
    let text = r#"
        client = "librdkafka"
        [producer]
        enable.idempotence = true
        [consumer]
        auto.offset.reset = "earliest"
        enable.auto.commit = true
        [application]
        order = "process -> remember -> commit"
        workers = 2
        commit-covers = "contiguous"
        assignment = "assign"
        on-process-failure = { attempts = 2, then = "skip" }
        on-send-failure = "ignore"
        source = "outbox"
        [sink]
        effect = "upsert"
        dedup = "memory"
        dedup-key = "offset"
        dedup-window = 1
        [faults]
        poison = 1
        [bounds]
        records = 2
    "#;
    let design = Design::parse("threads.toml", text.as_bytes()).expect("a design");
    let verdicts = check(&design, &CheckOptions::default()).expect("it is small");
    let loss = verdicts
        .of(Guarantee::NoLoss)
        .trace()
        .expect("it is skipped");
    let poisoned = |trace: &Trace| {
        let mut steps = trace.steps().iter();
        steps
            .position(|step| step.fault() == Some("poison"))
            .expect("a fault")
    };
    let sentence = loss.steps()[poisoned(loss)].sentence().to_string();
    let other = |text: &str| match text.contains("r0") {
        true => text.replace("r0", "r1"),
        false => text.replace("r1", "r0"),
    };
    for told in [String::new(), other(&sentence), sentence] {
        let misled = changed(loss, |step| {
            if step["fault"] == "poison" {
                step["sentence"] = json!(told);
            }
        });
        let replayed = replay(&misled).expect("it can be replayed");
        let violation = loss.violation().to_string();
        assert_eq!(replayed.outcome(), &Outcome::AsRecorded { violation });
        assert_eq!(replayed.first_difference(), None);
    }
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let files = entries.map(|entry| entry.expect("it can be listed").path());
    let is_old = |file: &PathBuf| {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with("trace-v1-"))
    };
    files.filter(is_old).collect()
}

/// The files are never written anew: what once was told has to be readable for ever.
#[test]
fn traces_of_version_1_replay_for_ever() {
    let files = fixtures();
    assert_eq!(files.len(), 8);
    for file in files {
        let text = std::fs::read(&file).expect("it can be read");
        let trace = read(&file.display().to_string(), &text);
        let replayed = replay(&trace).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let is_as_recorded = matches!(replayed.outcome(), Outcome::AsRecorded { .. });
        assert!(
            is_as_recorded,
            "{}: {:#?}",
            file.display(),
            replayed.outcome()
        );
        assert_eq!(replayed.steps().len(), trace.steps().len());
    }
}

#[test]
fn the_ledger_is_that_of_the_state_after_each_step() {
    for file in fixtures() {
        let trace = read("fixture", &std::fs::read(&file).expect("it can be read"));
        let replayed = replay(&trace).expect("it can be replayed");
        let records = usize::from(trace.bound().records);
        for step in replayed.steps() {
            let of = &step.after().ledger;
            assert_eq!(step.ledger().records.len(), records);
            assert_eq!(step.ledger().out_of_order, of.disordered);
            for (number, own) in step.ledger().records.iter().enumerate() {
                let is_in = |set: &Set| set.contains(number as u16);
                assert_eq!(own.record, format!("r{number}"));
                assert_eq!(own.handled, of.handled[number]);
                assert_eq!(
                    (own.sent, own.confirmed),
                    (is_in(&of.sent), is_in(&of.confirmed))
                );
                assert_eq!(
                    (own.failed, own.aborted),
                    (is_in(&of.failed), is_in(&of.aborted))
                );
                let kept_out = (is_in(&of.superseded), is_in(&of.dead_lettered));
                assert_eq!((own.superseded, own.dead_lettered), kept_out);
            }
        }
    }
}

#[test]
fn a_design_that_prevents_the_failure_has_no_such_run() {
    for entry in ENTRIES.iter().filter(|entry| entry.loses.is_none()) {
        let options = CheckOptions::default();
        let broken = check(&broken(entry).expect("a design"), &options).expect("it is small");
        let fixed: Design = fixed(entry).expect("a design");
        for guarantee in entry.violates {
            let trace = broken.of(*guarantee).trace().expect("it is violated");
            let mut moved = serde_json::to_value(trace).expect("JSON");
            moved["design"]["text"] = json!(fixed.text());
            moved["bound"] =
                serde_json::to_value(check(&fixed, &options).expect("it is small").bound())
                    .expect("JSON");
            let moved = read("moved.json", moved.to_string().as_bytes());
            let replayed = replay(&moved).expect("it can be replayed");
            let is_as_recorded = matches!(replayed.outcome(), Outcome::AsRecorded { .. });
            assert!(!is_as_recorded, "{}", entry.id);
        }
    }
}
