//! The mutations in `tests/mutations` fit the sources: each can be applied, and says what it breaks
//! and which tests catch it. Whether they do is what `tests/mutations/try` finds out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The suites of tests that `tests/mutations/try` can run.
const SUITES: [&str; 4] = ["lab_storage", "lab_sink", "harness", "properties"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn patches() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/mutations")).expect("it can be listed");
    let mut patches: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "patch"))
        .collect();
    patches.sort();
    patches
}

/// Tries to apply `patch` with git and with patch, without writing anything: what came of it with
/// each of the two that is installed.
fn try_to_apply(patch: &Path) -> Vec<Output> {
    let mut git = Command::new("git");
    git.args(["apply", "--check"]).arg(patch);
    let mut plain = Command::new("patch");
    plain.args(["--dry-run", "--force", "--strip=1", "--fuzz=0", "--input"]);
    plain.arg(patch);
    let run = |mut command: Command| {
        let command = command.current_dir(root()).stdin(Stdio::null());
        command.output().ok()
    };
    [git, plain].into_iter().filter_map(run).collect()
}

#[test]
fn every_mutation_can_be_applied_to_the_sources() {
    for patch in patches() {
        let tried = try_to_apply(&patch);
        if tried.is_empty() {
            println!("not tried: neither git nor patch is installed");
            return;
        }
        // Git may refuse to work here at all, where the sources are another user's.
        assert!(
            tried.iter().any(|output| output.status.success()),
            "{} does not fit the sources any more, write it anew: {tried:#?}",
            patch.display()
        );
    }
}

#[test]
fn every_mutation_says_what_it_breaks_and_which_tests_catch_it() {
    let patches = patches();
    assert!(patches.len() >= 10, "{} mutations", patches.len());
    for patch in patches {
        let text = fs::read_to_string(&patch).expect("it is text");
        let mut lines = text.lines();
        let told = lines.next().expect("a first line");
        assert!(told.ends_with('.'), "{}: {told}", patch.display());
        let caught_by = lines
            .next()
            .and_then(|line| line.strip_prefix("Caught by: "));
        let suites: Vec<&str> = caught_by.unwrap_or_default().split(' ').collect();
        assert!(
            suites.iter().all(|suite| SUITES.contains(suite)),
            "{}: {suites:?}",
            patch.display()
        );
    }
}
