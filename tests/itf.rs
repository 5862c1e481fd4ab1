//! Runs in the Informal Trace Format, against a schema of it.

#[path = "support/shell.rs"]
mod shell;

use jsonschema::Validator;
use semel::catalogue::ENTRIES;
use serde_json::{Value, json};
use shell::{Bench, code, design, err, out, semel};
use std::path::Path;

/// A run that goes round a retry topic for ever.
const ENDLESS: &str = "tests/fixtures/trace-v1-without-end.json";

const SCHEMA: &str = include_str!("itf/schema.json");

fn schema() -> Validator {
    let schema = serde_json::from_str(SCHEMA).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// What is wrong with a document, beyond what the schema can say, too.
fn problem(schema: &Validator, document: &Value) -> Option<String> {
    if let Err(error) = schema.validate(document) {
        return Some(format!("{}: {error}", error.instance_path()));
    }
    let vars = document["vars"].as_array()?;
    let states = document["states"].as_array()?;
    for (index, state) in states.iter().enumerate() {
        let missing = vars
            .iter()
            .find(|name| state[name.as_str().unwrap_or("")].is_null());
        if let Some(missing) = missing {
            return Some(format!("state {index} has no {missing}"));
        }
        if state.as_object()?.len() != vars.len() + 1 {
            return Some(format!("state {index} has more than its variables"));
        }
    }
    let back = document["loop"].as_u64().unwrap_or_default();
    (back as usize >= states.len()).then(|| format!("the loop begins in no state: {back}"))
}

#[test]
fn every_entrys_story_fits_the_schema() {
    let schema = schema();
    let folder = tempfile::tempdir().expect("a folder");
    for entry in ENTRIES {
        let output = semel(folder.path(), &["explain", entry.id, "--format", "itf"]);
        assert_eq!(code(&output), 0, "{}: {}", entry.id, err(&output));
        let document: Value = serde_json::from_str(out(&output)).expect("JSON");
        assert_eq!(problem(&schema, &document), None, "{}", entry.id);
        let said = document["#meta"]["description"].as_str().expect("text");
        assert!(said.starts_with(entry.violates[0].name()), "{said}");
    }
}

#[test]
fn check_prints_the_run_that_is_asked_about_and_names_the_others() {
    let asked = design("require = [\"no-loss\"]", "commit -> process");
    let bench = Bench::with(asked.as_bytes());
    let output = bench.check(&["--format", "itf"]);
    assert_eq!(code(&output), 1);
    let document: Value = serde_json::from_str(out(&output)).expect("JSON");
    assert_eq!(problem(&schema(), &document), None);
    let said = document["#meta"]["description"].as_str().expect("text");
    assert!(said.starts_with("no-loss is violated"), "{said}");
    assert!(
        err(&output).contains("exactly-once-effect of semel"),
        "{}",
        err(&output)
    );
    let none = json!({ "#bigint": "-1" });
    assert_eq!(document["states"][0]["committed_offset"], none);
    let verdicts: Value =
        serde_json::from_str(out(&bench.check(&["--format", "json"]))).expect("JSON");
    let steps = &verdicts["designs"][0]["guarantees"][0]["trace"]["steps"];
    let told = document["states"]
        .as_array()
        .expect("states")
        .iter()
        .skip(1);
    let told: Vec<&Value> = told.map(|state| &state["step"]["sentence"]).collect();
    let recorded: Vec<&Value> = steps
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| &step["sentence"])
        .collect();
    assert_eq!(told, recorded);
}

#[test]
fn a_run_without_end_has_its_loop_and_a_design_that_holds_no_run() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join(ENDLESS);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(recorded, folder.path().join("v.json")).expect("a file");
    let arguments = [
        "replay",
        "v.json",
        "--guarantee",
        "progress",
        "--format",
        "itf",
    ];
    let output = semel(folder.path(), &arguments);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let document: Value = serde_json::from_str(out(&output)).expect("JSON");
    assert_eq!(problem(&schema(), &document), None);
    let back = document["loop"].as_u64().expect("a loop") as usize;
    let states = document["states"].as_array().expect("states");
    let facts = |state: &Value| {
        let mut facts = state.as_object().expect("a state").clone();
        facts.remove("#meta");
        facts.remove("step");
        facts
    };
    assert_eq!(facts(&states[back]), facts(&states[states.len() - 1]));
    let holding = Bench::with(
        design("", "process")
            .replace("consumer-crash = 1", "total = 0")
            .as_bytes(),
    );
    let output = holding.check(&["--format", "itf"]);
    assert!(
        out(&output).is_empty() && err(&output).contains("no run"),
        "{}",
        err(&output)
    );
}

#[test]
fn the_schema_refuses_what_is_not_itf() {
    let schema = schema();
    let with = |value: Value| json!({ "vars": ["x"], "states": [{ "#meta": {}, "x": value }] });
    assert_eq!(
        problem(&schema, &with(json!({ "#map": [[1, { "#set": [] }]] }))),
        None
    );
    for wrong in [
        json!(null),
        json!(1.5),
        json!({ "#bigint": 1 }),
        json!({ "#map": [[1]] }),
        json!({ "#nothing": [] }),
    ] {
        assert!(problem(&schema, &with(wrong.clone())).is_some(), "{wrong}");
    }
    let missing = json!({ "vars": ["x", "y"], "states": [{ "x": 1 }] });
    assert!(problem(&schema, &missing).is_some());
}
