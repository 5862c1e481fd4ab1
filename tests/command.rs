//! The command `semel`, as a shell sees it.

#[path = "support/shell.rs"]
mod shell;

use shell::{Bench, code, design, err, out, semel};
use std::process::{Command, Stdio};

#[test]
fn what_is_required_and_holds_ends_in_0() {
    let bench = Bench::with(design("require = [\"no-loss\"]", "process -> commit").as_bytes());
    let output = bench.check(&[]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("holds for 1 record, 1 partition, 1 fault  (required)"));
}

#[test]
fn what_is_required_and_violated_ends_in_1() {
    let bench = Bench::with(design("require = [\"no-loss\"]", "commit -> process").as_bytes());
    let output = bench.check(&[]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("no-loss is violated"));
}

#[test]
fn an_expected_violation_ends_in_0_and_a_missing_one_in_1() {
    let expecting = |verdict: &str| {
        let text = design("", "commit -> process");
        Bench::with(format!("{text}[expect]\nno-loss = \"{verdict}\"\n").as_bytes())
    };
    assert_eq!(code(&expecting("violated").check(&[])), 0);
    assert_eq!(code(&expecting("holds").check(&[])), 1);
}

#[test]
fn nothing_required_ends_in_0_and_says_so() {
    let bench = Bench::with(design("", "commit -> process").as_bytes());
    let output = bench.check(&[]);
    assert_eq!(code(&output), 0);
    assert!(out(&output).contains("Nothing is required"));
}

#[test]
fn a_limit_ends_in_3_and_a_violation_found_before_it_in_1() {
    let holding = design("require = [\"no-loss\"]", "process -> commit");
    let output = Bench::with(holding.as_bytes()).check(&["--max-states", "5"]);
    assert_eq!(code(&output), 3);
    assert!(out(&output).contains("undecided"));
    assert!(
        !out(&output).contains("holds for"),
        "nothing holds for a narrowed bound"
    );
    let output = Bench::with(holding.as_bytes()).check(&["--timeout", "0ms"]);
    assert_eq!(code(&output), 3);
    let large = holding.replace("records = 1", "records = 4\nkeys = 2");
    let large = large.replace(
        "consumer-crash = 1",
        "consumer-crash = 2\nproducer-crash = 1\nrequest-lost = 2\nresponse-lost = 2",
    );
    let output = Bench::with(large.as_bytes()).check(&["--max-memory", "1MB"]);
    assert_eq!(code(&output), 3, "{}", out(&output));
    let losing = design("require = [\"no-loss\", \"progress\"]", "commit -> process");
    let bench = Bench::with(losing.as_bytes());
    let ends_after = |limit: usize| {
        let output = bench.check(&["--max-states", &limit.to_string()]);
        code(&output) == 1 && out(&output).contains("undecided")
    };
    assert!(
        (1..60).any(ends_after),
        "some limit lets one be found and leaves another open"
    );
}

#[test]
fn a_limit_in_the_design_counts_and_the_command_line_overrides_it() {
    let limited = design("require = [\"no-loss\"]", "process -> commit") + "max-states = 5\n";
    let bench = Bench::with(limited.as_bytes());
    assert_eq!(code(&bench.check(&[])), 3);
    assert_eq!(code(&bench.check(&["--max-states", "100000"])), 0);
}

#[test]
fn without_a_design_nothing_is_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = semel(folder.path(), &["check"]);
    assert_eq!(code(&output), 4);
    assert!(err(&output).contains("semel.toml"));
}

#[test]
fn a_file_that_cannot_be_read_ends_in_5_and_the_others_are_checked() {
    let bench = Bench::with(design("", "process -> commit").as_bytes());
    let output = bench.check(&["absent.toml", "semel.toml"]);
    assert_eq!(code(&output), 5);
    assert!(err(&output).contains("absent.toml"));
    assert!(out(&output).contains("no-loss"));
}

#[test]
fn usage_errors_end_in_2() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["chekc"][..],
        &["suggest", "--most", "0"],
        &["explain", "--format", "itf"],
        &["report", "--entry", "C99"],
        &["matrix", "--format", "junit"],
        &["matrix", "--fault-class", "weather"],
        &["matrix", "--guarantee", "no-los"],
        &["explain", "C99"],
        &["explain", "C01", "--format", "junit"],
        &["init", "-", "--preset", "at-lest-once"],
        &["init", "-", "--preset", "at-least-once", "--client", "java"],
        &["completions", "tcl"],
        &["man", "chekc"],
        &["check", "--format", "yaml"],
        &["check", "--jobs", "0"],
        &["check", "--timeout", "soon"],
        &["check", "--max-memory", "much"],
        &["check", "--preset", "at-lest-once"],
        &["list", "catalog"],
        &["list", "--format", "junit"],
        &[],
    ] {
        let output = semel(folder.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(
            out(&output).is_empty() && !err(&output).is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_is_planned_is_refused_by_name_and_typing_errors_get_a_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    let says = |arguments: &[&str]| err(&semel(folder.path(), arguments)).to_string();
    assert!(says(&["test"]).contains("'test' is not built yet"));
    assert!(says(&["explain", "C01", "--format", "junit"]).contains("does not print 'junit'"));
    assert!(says(&["matrix", "--guarantee", "no-los"]).contains("did you mean 'no-loss'?"));
    assert!(says(&["explain", "C0"]).contains("did you mean 'C01'?"));
    assert!(says(&["list", "catalog"]).contains("did you mean 'catalogue'?"));
    assert!(says(&["check", "P04"]).contains("semel explain P04"));
    assert!(says(&["chekc"]).contains("did you mean 'check'?"));
    assert!(says(&["check", "--preset", "at-lest-once"]).contains("'at-least-once'"));
}

/// Bad designs, and what a stranger must read about each.
fn bad_designs() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let with_sink =
        |order: &str, sink: &str| format!("{}[sink]\n{sink}\n", design("", order)).into_bytes();
    let good = design("", "process -> commit");
    vec![
        (
            "an unknown key",
            design("requires = []", "process").into_bytes(),
            "require",
        ),
        (
            "an unknown step",
            design("", "proces -> commit").into_bytes(),
            "process",
        ),
        (
            "a value out of range",
            good.replace("records = 1", "records = 1000").into_bytes(),
            "1000",
        ),
        (
            "a Kafka step in a transaction",
            design("", "db[process, commit]").into_bytes(),
            "db[process] -> commit",
        ),
        (
            "a grouped external effect",
            with_sink("db[process, remember] -> commit", "effect = \"external\""),
            "external",
        ),
        ("an empty order", design("", "").into_bytes(), "order"),
        (
            "no records",
            good.replace("records = 1", "records = 0").into_bytes(),
            "records",
        ),
        (
            "a negative budget",
            good.replace("consumer-crash = 1", "consumer-crash = -1")
                .into_bytes(),
            "-1",
        ),
        (
            "idempotence with acks=1",
            format!("[producer]\nacks = 1\nenable.idempotence = true\n{good}").into_bytes(),
            "acks",
        ),
        ("invalid UTF-8", b"name = \"\xff\"".to_vec(), "UTF-8"),
        ("a file of 5 MB", vec![b'#'; 5_000_000], "1 MiB"),
        (
            "deep nesting",
            format!("name = {}", "[".repeat(100_000)).into_bytes(),
            "nest",
        ),
        (
            "a deep order",
            design("", &"each(".repeat(10_000)).into_bytes(),
            "order",
        ),
        ("an empty file", Vec::new(), "order"),
    ]
}

#[test]
fn bad_designs_end_in_2_with_a_message_about_the_place() {
    for (what, text, hint) in bad_designs() {
        let bench = Bench::with(&text);
        let output = bench.check(&[]);
        assert_eq!(code(&output), 2, "{what}: {}", err(&output));
        assert!(
            err(&output).contains(hint),
            "{what} does not say {hint}: {}",
            err(&output)
        );
        assert!(err(&output).contains("semel.toml"), "{what} names the file");
        assert!(out(&output).is_empty(), "{what} prints no verdict");
    }
}

#[test]
fn json_has_the_documented_shape() {
    let bench = Bench::with(design("require = [\"no-loss\"]", "commit -> process").as_bytes());
    let output = bench.check(&["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(out(&output)).expect("JSON");
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(keys(&document), ["format", "version", "designs"]);
    assert_eq!(
        (&document["format"], &document["version"]),
        (&"semel-verdicts".into(), &1.into())
    );
    let design = &document["designs"][0];
    assert_eq!(
        keys(design),
        [
            "name",
            "file",
            "bound",
            "unique_states",
            "transitions",
            "depth",
            "seconds",
            "guarantees",
            "warnings"
        ]
    );
    assert_eq!(
        keys(&design["bound"]),
        [
            "records",
            "partitions",
            "keys",
            "poll",
            "retries",
            "faults",
            "total"
        ]
    );
    let loss = &design["guarantees"][0];
    assert_eq!(
        keys(loss),
        ["name", "verdict", "required", "trace", "witnesses"]
    );
    assert_eq!(
        (&loss["verdict"], &loss["required"]),
        (&"violated".into(), &true.into())
    );
    assert_eq!(keys(&loss["witnesses"][0]), ["name", "reached"]);
    let trace = &loss["trace"];
    assert_eq!(
        (&trace["format"], &trace["version"]),
        (&"semel-trace".into(), &1.into())
    );
    assert_eq!(
        keys(&trace["steps"][0]),
        [
            "actor",
            "action",
            "parameters",
            "fault",
            "sentence",
            "change"
        ]
    );
    let steps = trace["steps"].as_array().expect("a list");
    let operate = steps.iter().find(|step| step["action"] == "operate");
    assert_eq!(
        operate.expect("a step of the order")["parameters"],
        serde_json::json!({ "operation": "0", "step": "commit" })
    );
    assert!(
        design["guarantees"][3]["trace"].is_null(),
        "what holds has no trace"
    );
}

#[test]
fn the_same_design_prints_the_same_with_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let printed = |jobs: &str| {
        let output = semel(
            folder.path(),
            &[
                "check",
                "--preset",
                "dedup-look-up-only",
                "--format",
                "json",
                "-j",
                jobs,
            ],
        );
        let text = out(&output);
        let timed: Vec<&str> = text
            .lines()
            .filter(|line| !line.contains("\"seconds\""))
            .collect();
        timed.join("\n")
    };
    let one = printed("1");
    for jobs in ["2", "3", "4"] {
        assert_eq!(one, printed(jobs), "{jobs} threads");
    }
}

#[test]
fn nothing_is_coloured_where_there_is_no_terminal() {
    let bench = Bench::with(design("", "commit -> process").as_bytes());
    let verdicts = bench.check(&["-v"]);
    assert!(!out(&verdicts).contains('\x1b'));
    let broken = Bench::with(b"orde = 1").check(&[]);
    assert!(!err(&broken).contains('\x1b'));
}

#[test]
fn several_designs_end_in_the_worst_of_their_codes() {
    let bench = Bench::with(design("require = [\"no-loss\"]", "process -> commit").as_bytes());
    let losing = design("require = [\"no-loss\"]", "commit -> process");
    std::fs::write(bench.file("losing.toml"), losing).expect("it can be written");
    std::fs::write(bench.file("broken.toml"), "order = 1").expect("it can be written");
    assert_eq!(code(&bench.check(&["semel.toml", "losing.toml"])), 1);
    assert_eq!(
        code(&bench.check(&["losing.toml", "broken.toml", "semel.toml"])),
        2
    );
}

#[test]
fn a_full_disk_ends_in_5() {
    let full = match std::fs::OpenOptions::new().write(true).open("/dev/full") {
        Ok(full) => full,
        // Only Linux has this device.
        Err(_) => return,
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_semel"));
    let status = command
        .arg("list")
        .stdout(full)
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.expect("semel runs").code(), Some(5));
}
