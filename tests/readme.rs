//! What the README says is true: its commands run, its outputs are real, its tables are current.

#[path = "support/documents.rs"]
mod documents;

use semel::Guarantee;
use semel::design::Beside;
use semel::presets::PRESETS;
use semel_models::fault::Fault;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

#[test]
fn every_command_runs_and_prints_what_the_readme_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let commands = documents::is_true(&root.join("README.md"), &root.join("docs"), "readme");
    assert!(commands >= 7, "the README has its commands");
}

/// What a heading is called in an address.
fn anchor(heading: &str) -> String {
    let words = heading.to_lowercase().replace(' ', "-");
    let is_kept = |c: &char| c.is_alphanumeric() || *c == '-';
    words.chars().filter(is_kept).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let headings = README.lines().filter(|line| line.starts_with('#'));
    let anchors: Vec<String> = headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for rest in README.split("](").skip(1) {
        let (target, _) = rest.split_once(')').expect("an end");
        let leads = match target.strip_prefix('#') {
            Some(name) => anchors.iter().any(|anchor| anchor == name),
            None => {
                let file = target.split('#').next().unwrap_or_default();
                target.contains("://") || root.join(file).exists()
            }
        };
        assert!(leads, "{target} is not there");
    }
}

fn assert_has_rows(rows: impl Iterator<Item = (String, String)>) {
    for (name, text) in rows {
        let row = format!("| {name} | {text} |");
        assert!(
            README.lines().any(|line| line == row),
            "the README lacks the row\n{row}"
        );
    }
}

#[test]
fn the_table_of_presets_is_current() {
    let code = |name: &str| format!("`{name}`");
    assert_has_rows(
        PRESETS
            .iter()
            .map(|preset| (code(preset.name), preset.summary.to_string())),
    );
}

#[test]
fn the_table_of_faults_that_are_not_modelled_beside_others_is_current() {
    assert_has_rows(Beside::ALL.into_iter().map(|beside| {
        let apart = Fault::ALL
            .iter()
            .filter(|fault| !beside.goes_with(**fault))
            .map(|fault| format!("`{fault}`"));
        let apart: Vec<String> = apart.collect();
        (beside.name().to_string(), apart.join(", "))
    }));
}

#[test]
fn the_table_of_costs_is_current() {
    let header = "| preset | calls | durable writes | transactions |";
    let rows = README.lines().skip_while(|line| *line != header).skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 11, "the presets of proofs/a14");
    for row in rows {
        let name = row.split('`').nth(1).expect("a preset's name");
        let preset = semel::presets::named(name).expect("a preset");
        let design = semel::presets::design(preset).expect("a preset is a design");
        let cost = semel::cost(&design, semel::Polls::One).expect("within the limits");
        let each = |count: u32| count / cost.records;
        let shown = [cost.calls, cost.durable_writes, cost.transactions].map(each);
        let [calls, writes, transactions] = shown;
        assert_eq!(
            row,
            format!("| `{name}` | {calls} | {writes} | {transactions} |")
        );
    }
}

#[test]
fn the_table_of_guarantees_is_current() {
    assert_has_rows(Guarantee::ALL.iter().map(|guarantee| {
        (
            format!("`{guarantee}`"),
            guarantee.violated_when().to_string(),
        )
    }));
}

#[test]
fn the_table_of_exit_codes_is_that_of_the_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_semel"))
        .arg("--help")
        .output()
        .expect("it runs");
    let help = String::from_utf8(help.stdout).expect("text");
    let rows = help
        .lines()
        .skip_while(|line| *line != "Exit codes:")
        .skip(1);
    let rows: Vec<(String, String)> = rows
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(code, meaning)| (code.to_string(), meaning.to_string()))
        .collect();
    assert_eq!(rows.len(), 7);
    assert_has_rows(rows.into_iter());
}
