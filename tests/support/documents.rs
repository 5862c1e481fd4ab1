//! Documents whose commands are run and whose outputs are compared.
//!
//! A fenced block whose first line names a file (as in "toml payments.toml") is written to that file; the commands of an
//! "sh" block are run, and a "text" block behind it is what the last of them prints. What stands between
//! "<!-- semel ... -->" and "<!-- end -->" is what that command prints.

use std::path::Path;
use std::process::{Command, Output};

/// Set, documents are written anew instead of compared.
const UPDATE: &str = "UPDATE_README";

/// How a part begins that the command in it prints.
const GENERATED: &str = "<!-- semel ";
const GENERATED_END: &str = "<!-- end -->";

/// Runs a command of a document in `folder`, with its output in a file if it says so; `None` for
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
        _ => panic!("a command that no test runs: {command}"),
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

/// Writes a document anew, line by line.
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
                if let Some((_, file)) = info.split_once(' ') {
                    write_file(&self.folder.join(file), body);
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

fn write_file(path: &Path, text: &str) {
    let folder = path.parent().expect("it is in a folder");
    std::fs::create_dir_all(folder).expect("it can be made");
    std::fs::write(path, text).expect("it can be written");
}

/// A document with what its commands print today.
fn renewed<'a>(document: &str, folder: &'a Path) -> Renewal<'a> {
    let mut renewal = Renewal {
        folder,
        text: String::new(),
        commands: 0,
        printed: None,
    };
    let mut lines = document.lines();
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

/// Runs the commands of `file` in an empty folder, and compares what they print with what it shows, and
/// the pictures that they draw with those of the same name in the folder `pictures`; or writes all of it
/// anew. Returns how many commands it has.
pub fn is_true(file: &Path, pictures: &Path, test: &str) -> usize {
    let document = std::fs::read_to_string(file).expect("it is there");
    let folder = tempfile::tempdir().expect("a folder");
    let renewal = renewed(&document, folder.path());
    let is_update = std::env::var_os(UPDATE).is_some();
    let drawn = |entry: std::io::Result<std::fs::DirEntry>| {
        let shown = entry.expect("a file").path();
        let drawn = folder.path().join(shown.file_name().expect("a name"));
        drawn.exists().then_some((shown, drawn))
    };
    let pictures = std::fs::read_dir(pictures).expect("it is there");
    for (shown, drawn) in pictures.filter_map(drawn) {
        if is_update {
            std::fs::copy(&drawn, &shown).expect("it can be written");
        }
        let same = std::fs::read(&drawn).ok() == std::fs::read(&shown).ok();
        assert!(same, "{} is drawn differently", shown.display());
    }
    if is_update {
        if renewal.text != document {
            std::fs::write(file, &renewal.text).expect("it can be written");
        }
        return renewal.commands;
    }
    let anew = format!(
        "{}: to write it anew: {UPDATE}=1 cargo test --test {test}",
        file.display()
    );
    for (shown, printed) in document.lines().zip(renewal.text.lines()) {
        assert_eq!(shown, printed, "{anew}");
    }
    assert_eq!(document.len(), renewal.text.len(), "{anew}");
    renewal.commands
}
