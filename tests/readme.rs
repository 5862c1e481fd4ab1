//! What the README says is true: its commands run, its outputs are real, its tables are current.

use semel::Guarantee;
use semel::presets::PRESETS;
use std::path::Path;
use std::process::{Command, Output};

const README: &str = include_str!("../README.md");

/// A fenced block: what stands behind its opening fence, and its text.
struct Block {
    info: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block {
                info: info.into(),
                text: body.join("\n"),
            });
        }
    }
    blocks
}

/// Runs a command of the README in `folder`; `None` for those that this test cannot run.
fn run(command: &str, folder: &Path) -> Option<Output> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let arguments = match words.as_slice() {
        ["semel", arguments @ ..] => arguments,
        ["cargo", "run", "--release", "--", arguments @ ..] => arguments,
        // The test command would run this test again; the engine's example has tests of its own.
        ["cargo", "test"] => return None,
        ["cargo", "run", "--release", "--example", "reference", ..] => return None,
        _ => panic!("the README has a command that no test runs: {command}"),
    };
    let mut semel = Command::new(env!("CARGO_BIN_EXE_semel"));
    Some(
        semel
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("semel runs"),
    )
}

/// Replaces what differs from run to run: times in seconds.
fn timeless(text: &str) -> String {
    let words = text.split(' ').collect::<Vec<_>>();
    let is_time = |index: usize| {
        words
            .get(index + 1)
            .is_some_and(|next| next.starts_with("s."))
            && words[index].parse::<f64>().is_ok()
    };
    let replaced = (0..words.len()).map(|index| if is_time(index) { "0.00" } else { words[index] });
    replaced.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_runs_and_prints_what_the_readme_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let blocks = blocks();
    let mut commands = 0;
    for (index, block) in blocks.iter().enumerate() {
        if let Some(file) = block.info.strip_prefix("toml ") {
            std::fs::write(folder.path().join(file), &block.text).expect("it can be written");
        }
        if block.info != "sh" {
            continue;
        }
        for command in block.text.lines() {
            let Some(output) = run(command, folder.path()) else {
                continue;
            };
            commands += 1;
            let printed = String::from_utf8(output.stdout).expect("text");
            let shown = blocks.get(index + 1).filter(|next| next.info == "text");
            match shown {
                Some(shown) => assert_eq!(timeless(printed.trim_end()), timeless(&shown.text)),
                None => assert!(output.status.success(), "{command} fails: {printed}"),
            }
        }
    }
    assert_eq!(commands, 2, "the README has its commands");
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
