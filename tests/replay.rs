//! `semel replay`, as a shell sees it.

#[path = "replay/refused.rs"]
mod refused;
#[path = "support/shell.rs"]
mod shell;

use insta::assert_snapshot;
use serde_json::{Value, json};
use shell::{code, err, out, semel};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    folder.join(format!("{name}.json"))
}

/// Replays a committed trace.
fn replay(name: &str, arguments: &[&str]) -> Output {
    let file = fixture(name).display().to_string();
    semel(Path::new("."), &[&["replay", &file], arguments].concat())
}

/// Replays what `bytes` holds, from standard input.
fn replay_bytes(bytes: &[u8], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semel"));
    let mut child = command
        .args(["replay", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("semel runs");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(bytes).expect("it reads all of it");
    drop(input);
    child.wait_with_output().expect("semel runs")
}

/// Replays a committed trace with something changed.
fn replay_changed(name: &str, change: impl FnOnce(&mut Value)) -> Output {
    let text = std::fs::read(fixture(name)).expect("the fixture is there");
    let mut trace: Value = serde_json::from_slice(&text).expect("JSON");
    change(&mut trace);
    replay_bytes(trace.to_string().as_bytes(), &[])
}

/// What `semel` prints as JSON.
fn printed(arguments: &[&str]) -> String {
    let arguments = [arguments, &["--format", "json"]].concat();
    out(&semel(Path::new("."), &arguments)).to_string()
}

#[test]
fn a_run_is_shown_with_the_ledger_after_each_step() {
    let output = replay("trace-v1-consumer-crash", &[]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(err(&output).is_empty());
    assert_snapshot!(out(&output));
}

#[test]
fn each_format_shows_the_steps_of_the_run() {
    let shown = |format: &str| {
        let output = replay("trace-v1-without-end", &["--format", format]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        out(&output).to_string()
    };
    let text = shown("text");
    assert!(
        text.contains("from here on the run repeats for ever:\n   17 "),
        "{text}"
    );
    let markdown = shown("markdown");
    let row = "| 17 | *From here on the run repeats for ever:* A poll of the retry topic returns r0. | r0 sent, confirmed; r1 sent, confirmed, handled once |";
    assert!(markdown.contains(row), "{markdown}");
    let mermaid = shown("mermaid");
    assert!(
        mermaid.starts_with("sequenceDiagram\n    title progress, replayed: "),
        "{mermaid}"
    );
    assert!(
        mermaid.contains("    loop for ever\n    p2->>p4: 17. "),
        "{mermaid}"
    );
    let detailed = out(&replay("trace-v1-without-end", &["-v"])).to_string();
    assert!(
        detailed.contains("committed offset: 1 (was: none)"),
        "{detailed}"
    );
    let refused = replay("trace-v1-without-end", &["--format", "junit"]);
    assert_eq!(code(&refused), 2);
    assert!(
        err(&refused).contains("'replay' does not print 'junit'"),
        "{}",
        err(&refused)
    );
}

#[test]
fn json_has_the_documented_shape() {
    let output = replay("trace-v1-lost-answer", &["--format", "json"]);
    let document: Value = serde_json::from_str(out(&output)).expect("JSON");
    let keys = |value: &Value| -> Vec<String> {
        let fields = value.as_object().expect("an object");
        fields.keys().cloned().collect()
    };
    assert_eq!(
        keys(&document),
        [
            "format",
            "version",
            "design",
            "bound",
            "guarantee",
            "files",
            "outcome",
            "end",
            "steps",
            "loops_from",
            "impossible"
        ]
    );
    assert_eq!(
        (
            &document["format"],
            &document["version"],
            &document["outcome"]
        ),
        (&json!("semel-replay"), &json!(1), &json!("as-recorded"))
    );
    let last = document["steps"]
        .as_array()
        .and_then(|steps| steps.last())
        .expect("steps");
    assert_eq!(
        keys(last),
        [
            "actor",
            "action",
            "parameters",
            "fault",
            "sentence",
            "change",
            "ledger",
            "recorded_change"
        ]
    );
    assert_eq!(
        last["ledger"],
        json!({
            "records": [{
                "record": "r0", "sent": true, "confirmed": false, "failed": false, "aborted": false,
                "handled": 2, "superseded": false, "dead_lettered": false
            }],
            "out_of_order": false
        })
    );
}

#[test]
fn a_run_is_chosen_by_guarantee_and_by_design() {
    let two = printed(&[
        "check",
        "--preset",
        "at-least-once",
        "--preset",
        "at-most-once",
    ]);
    let chosen = |arguments: &[&str]| replay_bytes(two.as_bytes(), arguments);
    let open = chosen(&[]);
    assert_eq!(code(&open), 2);
    assert!(out(&open).is_empty());
    for said in [
        "4 runs in it fit; choose one with --design and --guarantee:",
        "designs[0].guarantees[1].trace: no-duplicates of the design \"at-least-once\"",
        "designs[1].guarantees[0].trace: no-loss of the design \"at-most-once\"",
    ] {
        assert!(err(&open).contains(said), "{}", err(&open));
    }
    let still_open = chosen(&["--design", "at-most-once"]);
    assert_eq!(code(&still_open), 2);
    assert!(err(&still_open).contains("2 runs in it fit; choose one with --guarantee:"));
    let other_way = chosen(&["--guarantee", "exactly-once-effect"]);
    assert!(err(&other_way).contains("2 runs in it fit; choose one with --design:"));
    let one = chosen(&["--guarantee", "no-loss"]);
    assert_eq!(code(&one), 0, "{}", err(&one));
    assert!(out(&one).contains("no-loss — replayed"), "{}", out(&one));
    let by_both = [
        "--design",
        "at-most-once.toml",
        "--guarantee",
        "exactly-once-effect",
    ];
    assert!(out(&chosen(&by_both)).starts_with("at-most-once "));
    let none = chosen(&["--design", "at-most-once", "--guarantee", "in-order"]);
    assert_eq!(code(&none), 2);
    assert!(
        err(&none).contains("no run in it fits; it has:\n  designs[0]"),
        "{}",
        err(&none)
    );
}

#[test]
fn runs_of_a_comparison_and_of_the_catalogue_are_found_too() {
    let matrix = printed(&["matrix", "--preset", "dedup-in-transaction", "--trace"]);
    let replayed = replay_bytes(matrix.as_bytes(), &["--guarantee", "in-order"]);
    assert_eq!(code(&replayed), 0, "{}", err(&replayed));
    let alike = replay_bytes(matrix.as_bytes(), &["--guarantee", "no-loss"]);
    assert_eq!(code(&alike), 2);
    assert!(
        err(&alike).contains("those of one --fault-class:"),
        "{}",
        err(&alike)
    );
    let catalogue = printed(&["explain", "C02"]);
    let replayed = replay_bytes(catalogue.as_bytes(), &["--guarantee", "no-duplicates"]);
    assert_eq!(code(&replayed), 0, "{}", err(&replayed));
}

#[test]
fn a_run_that_violates_nothing_any_more_ends_in_1() {
    let output = replay_changed("trace-v1-consumer-crash", |trace| {
        trace["guarantee"] = json!("no-loss");
    });
    assert_eq!(code(&output), 1);
    let said = "It does not violate no-loss in this version: the guarantee holds up to here";
    assert!(out(&output).contains(said), "{}", out(&output));
    let short = replay_changed("trace-v1-without-end", |trace| {
        trace["steps"].as_array_mut().expect("steps").pop();
    });
    assert_eq!(code(&short), 1);
    assert!(
        out(&short).contains("the loop does not lead back"),
        "{}",
        out(&short)
    );
}

#[test]
fn a_step_that_cannot_happen_ends_in_1_and_is_shown_with_what_can() {
    let output = replay_changed("trace-v1-consumer-crash", |trace| {
        trace["steps"].as_array_mut().expect("steps").remove(3);
    });
    assert_eq!(code(&output), 1);
    assert_snapshot!(out(&output));
}

#[test]
fn a_run_that_cannot_start_is_told_in_each_format() {
    for (format, said) in [
        (
            "text",
            "=>   Step 1 cannot happen in this version: consumer: dance.",
        ),
        ("json", "\"outcome\": \"impossible\""),
        (
            "markdown",
            "**⇒** Step 1 cannot happen in this version: consumer: dance.",
        ),
        ("mermaid", "Note over p0: Step 1 cannot happen"),
    ] {
        let text = std::fs::read(fixture("trace-v1-stuck")).expect("the fixture is there");
        let mut trace: Value = serde_json::from_slice(&text).expect("JSON");
        trace["steps"][0] = json!({
            "actor": "consumer", "action": "dance", "parameters": {}, "fault": null,
            "sentence": "The consumer dances.", "change": []
        });
        let output = replay_bytes(trace.to_string().as_bytes(), &["--format", format]);
        assert_eq!(code(&output), 1, "{format}");
        assert!(out(&output).contains(said), "{}", out(&output));
    }
}

#[test]
fn reworded_sentences_and_facts_do_not_stop_a_run() {
    let output = replay_changed("trace-v1-consumer-crash", |trace| {
        for step in trace["steps"].as_array_mut().expect("steps") {
            step["sentence"] = json!("Something happens.");
        }
        trace["steps"][2]["change"][0]["after"] = json!("elsewhere");
    });
    assert_eq!(code(&output), 0, "{}", out(&output));
    let warning = "warning: step 3 does not change what was recorded:\n    recorded: ";
    assert!(out(&output).contains(warning), "{}", out(&output));
    assert!(out(&output).contains("\n    now: "), "{}", out(&output));
    assert!(!out(&output).contains("each step changes what it changed then"));
}

#[test]
fn a_trace_without_the_secrets_of_its_design_can_be_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        shell::design("", "commit -> process") + "[producer]\nssl.key.password = \"hunter2\"\n";
    std::fs::write(folder.path().join("semel.toml"), text).expect("it can be written");
    let checked = semel(folder.path(), &["check", "--format", "json"]);
    assert!(!out(&checked).contains("hunter2"));
    let output = replay_bytes(out(&checked).as_bytes(), &["--guarantee", "no-loss"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
}

#[test]
fn the_files_of_a_run_are_kept_where_they_are_asked_for_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("run");
    let kept = kept.to_str().expect("UTF-8");
    let output = replay("trace-v1-consumer-crash", &["--files", kept]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let mut names: Vec<String> = std::fs::read_dir(kept)
        .expect("it was made")
        .map(|entry| entry.expect("it can be listed").file_name())
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.sort();
    let files = [
        "group-offsets.log",
        "sink.db",
        "topic-0",
        "transactions.log",
    ];
    assert_eq!(names, files);

    let again = replay("trace-v1-consumer-crash", &["--files", kept]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("is not empty"), "{}", err(&again));

    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("it can be written");
    let under = file.join("run");
    let output = replay(
        "trace-v1-consumer-crash",
        &["--files", under.to_str().expect("UTF-8")],
    );
    assert_eq!(code(&output), 5);
    assert!(err(&output).contains("cannot use"), "{}", err(&output));
}
