//! What the README says is true: its commands run, its outputs are real, its tables are current.

use semel::Guarantee;
use semel::catalogue::INEXPRESSIBLE;
use semel::design::Beside;
use semel::presets::PRESETS;
use semel_models::fault::Fault;
use std::path::Path;
use std::process::{Command, Output};

const README: &str = include_str!("../README.md");

/// Set, the README is written anew instead of compared.
const UPDATE: &str = "UPDATE_README";

/// How a part begins that the command in it prints.
const GENERATED: &str = "<!-- semel ";
const GENERATED_END: &str = "<!-- end -->";

/// Runs a command of the README in `folder`, with its output in a file if it says so; `None` for
/// those that this test cannot run.
fn run(command: &str, folder: &Path) -> Option<Output> {
    let (command, file) = match command.split_once(" > ") {
        Some((command, file)) => (command, Some(file)),
        None => (command, None),
    };
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
    let output = semel.args(arguments).current_dir(folder).output();
    let output = output.expect("semel runs");
    if let Some(file) = file {
        std::fs::write(folder.join(file), &output.stdout).expect("it can be written");
    }
    Some(output)
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

/// Writes the README anew, line by line.
struct Renewal<'a> {
    folder: &'a Path,
    text: String,
    commands: usize,
    /// What the block before printed, if it was one of commands.
    printed: Option<Printed>,
}

struct Printed {
    text: String,
    is_success: bool,
}

impl Renewal<'_> {
    fn put(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Takes over a fenced block; of an output what is printed today, unless only times differ.
    fn block(&mut self, info: &str, body: &str) {
        let printed = self.printed.take();
        let body = match (info, printed) {
            ("text", Some(printed)) if timeless(&printed.text) != timeless(body) => printed.text,
            ("text", Some(_) | None) => body.to_string(),
            (info, printed) => {
                let failed = printed.is_some_and(|printed| !printed.is_success);
                assert!(!failed, "a command before this block fails:\n{body}");
                let named = ["toml ", "yaml ", "properties "];
                if let Some(file) = named.iter().find_map(|kind| info.strip_prefix(kind)) {
                    std::fs::write(self.folder.join(file), body).expect("it can be written");
                }
                if info == "sh" {
                    self.printed = self.run_all(body);
                }
                body.to_string()
            }
        };
        self.put(&format!("```{info}"));
        if !body.is_empty() {
            self.put(&body);
        }
        self.put("```");
    }

    fn run_all(&mut self, commands: &str) -> Option<Printed> {
        let mut printed = None;
        for command in commands.lines() {
            if let Some(output) = run(command, self.folder) {
                self.commands += 1;
                let text = String::from_utf8(output.stdout).expect("text");
                printed = Some(Printed {
                    text: text.trim_end().to_string(),
                    is_success: output.status.success(),
                });
            }
        }
        printed
    }

    fn generated(&mut self, line: &str) {
        let command = line.trim_start_matches("<!-- ").trim_end_matches(" -->");
        let printed = self.run_all(command).expect("this test runs semel");
        assert!(printed.is_success, "{command} fails");
        self.put(line);
        self.put(&printed.text);
        self.put(GENERATED_END);
    }
}

/// The README with what its commands print today.
fn renewed<'a>(readme: &str, folder: &'a Path) -> Renewal<'a> {
    let mut renewal = Renewal {
        folder,
        text: String::new(),
        commands: 0,
        printed: None,
    };
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            renewal.block(info, &body.join("\n"));
        } else if line.starts_with(GENERATED) {
            lines.by_ref().find(|line| *line == GENERATED_END);
            renewal.generated(line);
        } else {
            renewal.put(line);
        }
    }
    renewal
}

#[test]
fn every_command_runs_and_prints_what_the_readme_shows() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&file).expect("the README is there");
    let folder = tempfile::tempdir().expect("a folder");
    let renewal = renewed(&readme, folder.path());
    assert!(renewal.commands >= 7, "the README has its commands");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&file, renewal.text).expect("the README can be written");
        return;
    }
    for (shown, printed) in readme.lines().zip(renewal.text.lines()) {
        assert_eq!(
            shown, printed,
            "to write it anew: {UPDATE}=1 cargo test --test readme"
        );
    }
    assert_eq!(
        readme.len(),
        renewal.text.len(),
        "to write it anew: {UPDATE}=1 cargo test --test readme"
    );
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
fn the_failures_that_cannot_be_expressed_are_told_as_explain_tells_them() {
    for known in INEXPRESSIBLE {
        let output = Command::new(env!("CARGO_BIN_EXE_semel"))
            .args(["explain", &known.id.to_lowercase()])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(4));
        let told = String::from_utf8(output.stderr).expect("text");
        assert!(told.contains(known.why), "{told}");
    }
    assert_has_rows(INEXPRESSIBLE.iter().map(|known| {
        (
            format!("{}, {}", known.id, known.title),
            known.why.to_string(),
        )
    }));
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
