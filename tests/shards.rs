//! Designs shared out among runs, and their results merged.

use semel::presets::PRESETS;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn semel(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_semel"))
        .current_dir(directory)
        .args(arguments)
        .output()
        .expect("semel runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn untimed(bytes: &[u8]) -> String {
    let text = text(bytes);
    let lines = text.lines().filter(|line| !line.contains("\"seconds\""));
    lines.collect::<Vec<_>>().join("\n")
}

/// The results of `command` in so many parts, as files, and the exit code of each.
fn parts(command: &[&str], of: usize) -> (TempDir, Vec<String>, Vec<Option<i32>>) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut files = Vec::new();
    let mut codes = Vec::new();
    for number in 1..=of {
        let shard = format!("{number}/{of}");
        let arguments = [command, &["--format", "json", "--shard", &shard]].concat();
        let output = semel(directory.path(), &arguments);
        let file = format!("part-{number}.json");
        fs::write(directory.path().join(&file), &output.stdout).expect("written");
        files.push(file);
        codes.push(output.status.code());
    }
    (directory, files, codes)
}

fn merge(directory: &Path, files: &[String]) -> Output {
    let files = files.iter().map(String::as_str);
    let arguments: Vec<_> = ["merge"].into_iter().chain(files).collect();
    semel(directory, &arguments)
}

/// Every preset, by name.
fn check() -> Vec<&'static str> {
    let presets = PRESETS.iter();
    let named = presets.flat_map(|preset| ["--preset", preset.name]);
    ["check"].into_iter().chain(named).collect()
}

#[test]
fn the_merged_parts_are_what_one_run_prints() {
    let command = check();
    let whole = semel(
        Path::new("."),
        &[&command[..], &["--format", "json"]].concat(),
    );
    for of in [2, 5] {
        let (directory, mut files, _) = parts(&command, of);
        files.reverse();
        let merged = merge(directory.path(), &files);
        assert_eq!(text(&merged.stderr), "");
        assert_eq!(
            untimed(&merged.stdout),
            untimed(&whole.stdout),
            "{of} parts"
        );
        assert_eq!(merged.status.code(), whole.status.code());
    }
}

#[test]
fn the_merged_parts_of_a_matrix_have_its_tables() {
    let named = ["at-most-once", "at-least-once", "fire-and-forget"];
    let named: Vec<_> = named
        .into_iter()
        .flat_map(|name| ["--preset", name])
        .collect();
    let command = [&["matrix"], &named[..]].concat();
    let whole = semel(
        Path::new("."),
        &[&command[..], &["--format", "json"]].concat(),
    );
    let (directory, files, _) = parts(&command, 2);
    let merged = merge(directory.path(), &files);
    assert_eq!(text(&merged.stderr), "");
    let tables = |bytes: &[u8]| {
        let document: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
        let mut tables = document["tables"].to_string();
        while let Some(at) = tables.find("\"seconds\":") {
            let end = tables[at..].find(',').expect("not the last field");
            tables.replace_range(at..=at + end, "");
        }
        (tables, document["not_judged"].to_string())
    };
    assert_eq!(tables(&merged.stdout), tables(&whole.stdout));
}

#[test]
fn more_parts_than_designs_leave_some_empty() {
    let command = ["check", "--preset", "at-most-once"];
    let (directory, files, codes) = parts(&command, 3);
    assert_eq!(codes, [Some(0), Some(0), Some(0)]);
    let merged = merge(directory.path(), &files);
    assert_eq!(merged.status.code(), Some(0));
    assert_eq!(text(&merged.stdout).matches("\"unique_states\"").count(), 1);
}

#[test]
fn it_ends_as_the_worst_part_did() {
    let directory = tempfile::tempdir().expect("a directory");
    let design = "require = [\"no-loss\"]\n[consumer]\nenable.auto.commit = false\n\
        auto.offset.reset = \"earliest\"\n[application]\norder = \"commit -> process\"\n\
        [faults]\nconsumer-crash = 1\n[bounds]\nrecords = 1\n";
    let file = directory.path().join("lossy.toml");
    fs::write(&file, design).expect("written");
    let file = file.display().to_string();
    let (directory, files, codes) = parts(&["check", &file, "--preset", "at-most-once"], 2);
    assert_eq!(codes, [Some(1), Some(0)]);
    assert_eq!(merge(directory.path(), &files).status.code(), Some(1));
}

#[test]
fn parts_that_are_missing_or_of_another_run_are_refused() {
    let command = ["check", "--preset", "at-most-once", "--preset", "outbox"];
    let (directory, files, _) = parts(&command, 2);
    let refused = |files: &[String], code: i32, why: &str| {
        let output = merge(directory.path(), files);
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(text(&output.stdout), "");
        assert!(
            text(&output.stderr).contains(why),
            "{}",
            text(&output.stderr)
        );
    };
    refused(&files[..1], 2, "part 2 of 2 is missing");
    refused(&files[1..], 2, "part 1 of 2 is missing");
    refused(
        &[files[0].clone(), files[0].clone()],
        2,
        "it is there twice",
    );
    refused(&["nowhere.json".into()], 5, "nowhere.json");
    let command = ["check", "--preset", "at-least-once", "--preset", "outbox"];
    let (others, of_others, _) = parts(&command, 2);
    let second = others.path().join(&of_others[1]).display().to_string();
    refused(&[files[0].clone(), second], 2, "of other designs or limits");
    let whole = semel(
        directory.path(),
        &["check", "--preset", "outbox", "--format", "json"],
    );
    fs::write(directory.path().join("whole.json"), whole.stdout).expect("written");
    refused(
        &["whole.json".into()],
        2,
        "it does not say which shard it is",
    );
    for (shard, said) in [
        ("3/2", "the parts of 2 are 1/2 to 2/2"),
        ("0/2", "the parts of 2 are 1/2 to 2/2"),
        ("2", "which part of how many, such as 2/5"),
        ("1/0", "which part of how many, such as 2/5"),
    ] {
        let output = semel(
            directory.path(),
            &["check", "--preset", "outbox", "--shard", shard],
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(said), "{shard}");
    }
}
