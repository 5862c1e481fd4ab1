//! What the command says of what is planned, cannot be read or written, or is out of range: each
//! message says what to do.

#[path = "support/shell.rs"]
mod shell;

use shell::{Bench, code, design, err, out, semel};
use std::path::Path;

/// Runs semel where there is nothing; its exit code and what it complains of.
fn says(arguments: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = semel(folder.path(), arguments);
    assert!(out(&output).is_empty(), "{arguments:?}: {}", out(&output));
    (code(&output), err(&output).to_string())
}

#[test]
fn planned_options_are_refused_by_name_and_say_what_to_do_without() {
    for (command, option, instead) in [
        ("matrix", "--producer", "semel init"),
        ("matrix", "--consumer", "semel init"),
        ("explain", "--topic", "semel init"),
        ("matrix", "--spring", "semel init"),
        ("replay", "--bootstrap-server", "on the model"),
    ] {
        for arguments in [
            &[command, option, "service.properties"][..],
            &[command, &format!("{option}=service.properties")],
        ] {
            let (code, said) = says(arguments);
            assert_eq!(code, 2, "{arguments:?}");
            let refused = match option {
                "--bootstrap-server" => format!("the option '{option}' is not built yet"),
                _ => format!("the option '{option}' goes with 'check' and 'init'"),
            };
            assert!(said.contains(&refused) && said.contains(instead), "{said}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let help = semel(folder.path(), &[command, "--help"]);
        assert!(!out(&help).contains(option), "{option} is hidden");
    }
    let (code, said) = says(&["check", "--produce", "x"]);
    assert_eq!(code, 2);
    assert!(said.contains("unexpected argument '--produce'"), "{said}");
}

#[test]
fn files_of_a_service_are_no_designs_and_say_how_they_are_named() {
    for (file, option) in [
        ("application.yml", "--spring"),
        ("config/application-prod.yaml", "--spring"),
        ("application.properties", "--spring"),
        ("consumer.properties", "--producer, --consumer or --topic"),
    ] {
        let (code, said) = says(&["check", file]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(&format!("name it with {option}")), "{said}");
    }
    let (code, said) = says(&["check", "--spring", "absent.yml"]);
    assert_eq!(code, 5);
    assert!(
        said.contains("Check the path.") && !said.contains("init"),
        "{said}"
    );
}

#[test]
fn a_file_that_cannot_be_read_comes_with_what_to_do() {
    let (code, said) = says(&["check", "absent.toml"]);
    assert_eq!(code, 5);
    assert!(said.contains("semel init absent.toml"), "{said}");
    let (code, said) = says(&["check", "."]);
    assert_eq!(code, 5);
    assert!(said.contains("name a file in it"), "{said}");
    let (_, said) = says(&["check", "at-least-once"]);
    assert!(said.contains("--preset at-least-once"), "{said}");
    assert!(!said.contains("semel init"), "{said}");
}

#[test]
fn standard_input_is_refused_by_name() {
    let (code, said) = says(&["check", "-"]);
    assert_eq!(code, 2);
    assert!(said.contains("write the design to a file"), "{said}");
}

#[test]
fn a_place_that_cannot_be_written_comes_with_what_to_do() {
    let (code, said) = says(&["init", "absent/semel.toml"]);
    assert_eq!(code, 5);
    assert!(said.contains("make the folder absent first"), "{said}");
    let (code, said) = says(&["init", ".", "--force"]);
    assert_eq!(code, 5);
    assert!(said.contains("name a file in it"), "{said}");
}

#[test]
fn limits_out_of_range_say_what_is_expected() {
    for (arguments, expected) in [
        (
            ["--max-states", "0"],
            "expected a number of states, 1 or more",
        ),
        (
            ["--max-states", "abc"],
            "expected a number of states, 1 or more",
        ),
        (["--max-memory", "5"], "less than 1MB"),
        (["--max-memory", "999kB"], "less than 1MB"),
        (["--max-memory", "much"], "such as 500MB or 2GiB"),
        (["--timeout", "soon"], "a number alone counts seconds"),
        (["--jobs", "0"], "expected a number of threads, 1 or more"),
    ] {
        let (code, said) = says(&[&["check"], &arguments[..]].concat());
        assert_eq!(code, 2, "{arguments:?}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn a_limit_of_the_design_is_as_large_as_that_of_the_command_line() {
    let text = design("", "process -> commit");
    let small = Bench::with(format!("{text}max-memory = 5\n").as_bytes()).check(&[]);
    assert_eq!(code(&small), 2);
    assert!(err(&small).contains("and 1 MB at least"), "{}", err(&small));
    let enough = Bench::with(format!("{text}max-memory = \"1MB\"\n").as_bytes()).check(&[]);
    assert_eq!(code(&enough), 0, "{}", err(&enough));
}

#[test]
fn a_number_alone_is_a_time_in_seconds() {
    let bench = Bench::with(design("", "process -> commit").as_bytes());
    assert_eq!(code(&bench.check(&["--timeout", "100"])), 0);
    assert_eq!(code(&bench.check(&["--timeout", "0"])), 3);
}

#[test]
fn any_number_of_threads_is_taken_and_few_are_used() {
    let bench = Bench::with(design("", "process -> commit").as_bytes());
    let output = bench.check(&["-j", "99999", "--timeout", "100s"]);
    assert_eq!(code(&output), 0, "{}", out(&output));
    let help = semel(Path::new("."), &["check", "--help"]);
    assert!(out(&help).contains("At most 64 are used"), "{}", out(&help));
}

#[test]
fn a_long_line_is_cut_around_what_is_wrong() {
    for text in [
        design("", &"process -> ".repeat(20_000)),
        format!("name = {}", "[".repeat(40_000)),
        format!("name = {{{}", "a = 1, ".repeat(10_000)),
        format!("[faults]\n{} = 1", "x".repeat(50_000)),
    ] {
        let output = Bench::with(text.as_bytes()).check(&[]);
        assert_eq!(code(&output), 2);
        let said = err(&output);
        assert!(said.contains("semel.toml:") && said.contains('…'), "{said}");
        let longest = said.lines().map(|line| line.chars().count()).max();
        assert!(longest < Some(250), "{longest:?}: {said}");
        assert!(said.len() < 4_000, "{}", said.len());
    }
    let far = format!("name = \"{}\"\"", "ä".repeat(1_000));
    let output = Bench::with(far.as_bytes()).check(&[]);
    assert!(
        err(&output).contains("semel.toml:1:1010]"),
        "{}",
        err(&output)
    );
}
