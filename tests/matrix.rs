//! `semel matrix`, as a shell sees it.

#[path = "support/shell.rs"]
mod shell;

use insta::assert_snapshot;
use semel::presets::PRESETS;
use shell::{Bench, code, design, err, out, semel};
use std::path::Path;

/// The article's three guarantees.
const THREE: [&str; 6] = [
    "--preset",
    "at-most-once",
    "--preset",
    "at-least-once",
    "--preset",
    "dedup-in-transaction",
];

fn matrix(arguments: &[&str]) -> String {
    let output = semel(Path::new("."), &[&["matrix"], arguments].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    out(&output).to_string()
}

fn document(arguments: &[&str]) -> serde_json::Value {
    let text = matrix(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn three_presets_are_compared_in_text() {
    assert_snapshot!(matrix(
        &[&THREE[..], &["--fault-class", "as-stated"]].concat()
    ));
}

#[test]
fn three_presets_are_compared_in_markdown() {
    let arguments = [
        &THREE[..],
        &["--fault-class", "none", "--fault-class", "process"],
        &["--format", "markdown"],
    ];
    assert_snapshot!(matrix(&arguments.concat()));
}

#[test]
fn without_a_name_every_preset_is_compared() {
    let document = document(&["--fault-class", "none"]);
    let rows = document["tables"][0]["designs"].as_array().expect("rows");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    let presets: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    assert_eq!(names, presets);
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        for cell in row["guarantees"].as_array().expect("cells") {
            // Threads race for records of one key; a fault is not needed for that.
            let races = name.starts_with("workers-") && cell["name"] == "in-order";
            let expected = if races { "violated" } else { "holds" };
            assert_eq!(cell["verdict"], expected, "without a fault, {name}");
        }
    }
}

#[test]
fn a_class_brings_its_own_faults_and_only_the_chosen_guarantees_are_shown() {
    let document = document(&[
        "--preset",
        "at-most-once",
        "--fault-class",
        "storage",
        "--guarantee",
        "no-loss",
    ]);
    assert_eq!(document["tables"].as_array().map(Vec::len), Some(1));
    let row = &document["tables"][0]["designs"][0];
    assert_eq!(row["bound"]["faults"]["disk-loss"], 1);
    assert!(row["bound"]["faults"]["consumer-crash"].is_null());
    let cells = row["guarantees"].as_array().expect("cells");
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0]["name"], "no-loss");
    assert_eq!(cells[0]["verdict"], "violated");
    assert!(cells[0]["trace"].is_null(), "runs are told when asked for");
}

#[test]
fn what_a_class_is_judged_without_is_said_of_each_design() {
    let storage = ["--fault-class", "storage", "--guarantee", "no-phantom"];
    let presets = [
        "--preset",
        "consume-transform-produce",
        "--preset",
        "at-least-once",
    ];
    let arguments = [&storage[..], &presets].concat();
    let text = matrix(&arguments);
    let told = "Judged in part: storage: consume-transform-produce without power-loss-all";
    assert!(text.contains(told), "{text}");
    let document = document(&arguments);
    let of_class = &document["not_modelled"][0];
    assert_eq!(of_class["faults"], "storage");
    let designs = of_class["designs"].as_array().expect("designs");
    assert_eq!(designs.len(), 1, "the other one is judged with all of them");
    assert_eq!(designs[0]["name"], "consume-transform-produce");
}

#[test]
fn runs_are_told_for_one_design_and_not_for_several() {
    let one = [
        "--preset",
        "at-most-once",
        "--fault-class",
        "process",
        "--trace",
    ];
    let text = matrix(&one);
    assert!(
        text.contains("at-most-once, process: no-loss is violated"),
        "{text}"
    );
    let cell = &document(&one)["tables"][0]["designs"][0]["guarantees"][0];
    let steps = cell["trace"]["steps"].as_array().map(Vec::len);
    assert_eq!(
        steps.map(serde_json::Value::from).as_ref(),
        Some(&cell["steps"])
    );
    let several = semel(
        Path::new("."),
        &[&["matrix", "--trace"], &THREE[..]].concat(),
    );
    assert_eq!(code(&several), 2);
    assert!(err(&several).contains("one design"));
}

#[test]
fn a_cell_that_a_limit_leaves_open_ends_in_3() {
    let limited = ["matrix", "--preset", "at-least-once", "--max-states", "5"];
    let output = semel(Path::new("."), &limited);
    assert_eq!(code(&output), 3);
    assert!(out(&output).contains("undecided") && out(&output).contains("--max-states"));
    assert!(!out(&output).contains("  holds"), "{}", out(&output));
    let late = ["matrix", "--preset", "at-least-once", "--timeout", "0ms"];
    assert_eq!(code(&semel(Path::new("."), &late)), 3);
}

#[test]
fn a_file_is_compared_and_one_that_is_not_there_ends_in_5() {
    let bench = Bench::with(design("", "commit -> process").as_bytes());
    let arguments = [
        "matrix",
        "semel.toml",
        "absent.toml",
        "--fault-class",
        "none",
    ];
    let output = semel(bench.folder.path(), &arguments);
    assert_eq!(code(&output), 5);
    assert!(out(&output).contains("semel"));
    assert!(err(&output).contains("absent.toml"));
}

#[test]
fn designs_with_different_bounds_name_their_own() {
    let bench = Bench::with(design("", "commit -> process").as_bytes());
    let arguments = [
        "matrix",
        "semel.toml",
        "--preset",
        "at-most-once",
        "--fault-class",
        "none",
    ];
    let output = semel(bench.folder.path(), &arguments);
    let text = out(&output);
    assert!(
        text.contains("(1) 1 record,") && text.contains("(2) 2 records,"),
        "{text}"
    );
    assert!(
        text.contains("semel (1)") && text.contains("at-most-once (2)"),
        "{text}"
    );
}

#[test]
fn the_same_matrix_prints_the_same_with_any_number_of_threads() {
    let arguments = ["--preset", "retrying-producer", "--fault-class", "network"];
    let one = matrix(&[&arguments[..], &["-j", "1"]].concat());
    assert_eq!(one, matrix(&[&arguments[..], &["-j", "3"]].concat()));
}
