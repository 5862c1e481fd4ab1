//! `semel init`, `semel completions` and `semel man`, as a shell sees them.

#[path = "support/shell.rs"]
mod shell;

use semel::presets::PRESETS;
use shell::{Bench, code, err, out, semel};
use std::path::Path;

#[test]
fn a_starter_is_written_and_holds_what_it_requires() {
    for client in ["java", "librdkafka"] {
        let folder = tempfile::tempdir().expect("a folder");
        let made = semel(folder.path(), &["init", "--client", client]);
        assert_eq!(code(&made), 0, "{}", err(&made));
        assert!(out(&made).is_empty() && err(&made).contains("semel check"));
        let checked = semel(folder.path(), &["check"]);
        assert_eq!(code(&checked), 0, "{client}: {}", err(&checked));
        assert!(out(&checked).contains("(required)"));
        assert!(!out(&checked).contains("warning:"), "{}", out(&checked));
    }
}

#[test]
fn what_is_there_is_left_alone_unless_forced() {
    let bench = Bench::with(b"mine");
    let kept = || std::fs::read_to_string(bench.file("semel.toml")).expect("it is there");
    let refused = semel(bench.folder.path(), &["init"]);
    assert_eq!(code(&refused), 2);
    assert!(err(&refused).contains("--force"));
    assert_eq!(kept(), "mine");
    let forced = semel(bench.folder.path(), &["init", "--force"]);
    assert_eq!(code(&forced), 0, "{}", err(&forced));
    assert!(kept().contains("[application]"));
}

#[test]
fn a_preset_can_be_printed_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for preset in PRESETS {
        let printed = semel(folder.path(), &["init", "-", "--preset", preset.name]);
        assert_eq!(code(&printed), 0);
        assert_eq!(out(&printed), preset.text);
    }
    let written = semel(
        folder.path(),
        &["init", "my.toml", "--preset", "at-least-once"],
    );
    assert!(
        err(&written).contains("semel check my.toml"),
        "{}",
        err(&written)
    );
    assert!(folder.path().join("my.toml").exists());
}

#[test]
fn a_place_that_cannot_be_written_ends_in_5() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = semel(folder.path(), &["init", "absent/semel.toml"]);
    assert_eq!(code(&output), 5);
    assert!(err(&output).contains("absent/semel.toml"));
}

#[test]
fn completions_know_every_command_and_what_its_values_are() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = semel(Path::new("."), &["completions", shell]);
        assert_eq!(code(&output), 0, "{shell}");
        for word in ["matrix", "explain", "--fault-class"] {
            let word = if shell == "fish" {
                word.trim_start_matches('-')
            } else {
                word
            };
            assert!(out(&output).contains(word), "{shell} lacks {word}");
        }
    }
    let bash = semel(Path::new("."), &["completions", "bash"]);
    for value in [
        "payment-platform",
        "exactly-once-effect",
        "storage",
        "P04",
        "junit",
    ] {
        assert!(out(&bash).contains(value), "{value}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let page = |arguments: &[&str]| {
        let output = semel(Path::new("."), &[&["man"], arguments].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        out(&output).to_string()
    };
    let whole = page(&[]);
    for command in [
        "check",
        "matrix",
        "explain",
        "list",
        "init",
        "completions",
        "man",
    ] {
        assert!(whole.contains(&format!("semel\\-{command}")), "{command}");
        assert!(page(&[command]).contains(".SH SYNOPSIS"), "{command}");
    }
    for (arguments, usage) in [
        (&["check"][..], "\\fBsemel check\\fR [OPTIONS] [FILE]..."),
        (&["matrix"], "\\fBsemel matrix\\fR [OPTIONS] [FILE]..."),
        (&["init"], "\\fBsemel init\\fR [OPTIONS] [FILE]"),
        (&[], "\\fBsemel\\fR <COMMAND>"),
    ] {
        let page = page(arguments);
        assert!(page.lines().any(|line| line == usage), "{usage}: {page}");
        let title = page.lines().find(|line| line.starts_with(".TH"));
        let version = format!("\"semel {}\" ", env!("CARGO_PKG_VERSION"));
        assert!(
            title.is_some_and(|line| line.ends_with(&version)),
            "{title:?}"
        );
    }
    assert!(
        whole.contains("interrupted; what was known by then is printed"),
        "exit codes"
    );
}
