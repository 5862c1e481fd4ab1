//! `semel explain` and `semel list catalogue`, as a shell sees them.

#[path = "support/shell.rs"]
mod shell;

use insta::assert_snapshot;
use semel::catalogue::ENTRIES;
use shell::{code, err, out, semel};
use std::path::Path;

fn explain(arguments: &[&str]) -> String {
    let output = semel(Path::new("."), &[&["explain"], arguments].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    out(&output).to_string()
}

#[test]
fn an_entry_is_told_from_the_failure_to_its_prevention() {
    assert_snapshot!(explain(&["C01"]));
}

#[test]
fn an_entry_in_markdown_shows_its_change_as_a_diff() {
    assert_snapshot!(explain(&["P01", "--format", "markdown"]));
}

#[test]
fn an_entry_that_cannot_be_mended_wholly_tells_how_much_is_lost() {
    let text = explain(&["C12"]);
    let lost = |records| text.contains(&format!("; the worst run loses {records}\n"));
    assert!(lost("3 records") && lost("1 record"), "{text}");
    assert!(!text.contains("Not as published"), "{text}");
}

#[test]
fn an_entry_in_mermaid_is_one_diagram() {
    let text = explain(&["p04", "--format", "mermaid"]);
    assert_eq!(text.matches("sequenceDiagram").count(), 1);
    assert!(text.contains("title no-duplicates is violated"), "{text}");
}

#[test]
fn an_entry_in_json_carries_both_designs_and_the_run() {
    let text = explain(&["S02", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["format"], "semel-catalogue");
    let entry = &document["entries"][0];
    assert_eq!(
        (&entry["id"], &entry["as_published"]),
        (&"S02".into(), &true.into())
    );
    let loss = &entry["broken"]["verdicts"]["guarantees"][0];
    assert_eq!(loss["trace"]["format"], "semel-trace");
    assert_eq!(
        entry["fixed"]["verdicts"]["guarantees"][0]["verdict"],
        "holds"
    );
    let text = entry["fixed"]["text"].as_str().expect("a text");
    assert!(text.contains("db[remember, process]"));
    assert_eq!(entry["changes"][0]["change"], "removed");
}

#[test]
fn without_an_id_every_entry_has_its_line() {
    let text = explain(&[]);
    let table = explain(&["--format", "markdown"]);
    let list = semel(Path::new("."), &["list", "catalogue"]);
    for entry in ENTRIES {
        assert!(text.contains(entry.title), "{}", entry.id);
        assert!(
            table.contains(&format!("| {} | ", entry.id)),
            "{}",
            entry.id
        );
        assert!(out(&list).contains(entry.title), "{}", entry.id);
    }
}

#[test]
fn a_limit_ends_in_3_and_claims_nothing() {
    let limited = ["explain", "C01", "--max-states", "3"];
    let output = semel(Path::new("."), &limited);
    assert_eq!(code(&output), 3);
    assert!(out(&output).contains("undecided") && !out(&output).contains("holds for"));
}
