//! What cannot be replayed is refused with the place, the reason and what to do.

use crate::shell::{code, err, out, semel};
use crate::{fixture, printed, replay, replay_bytes, replay_changed};
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn where_nothing_is_violated_there_is_nothing_to_replay() {
    let holds = printed(&["check", "--preset", "dedup-in-transaction"]);
    let output = replay_bytes(holds.as_bytes(), &[]);
    assert_eq!(code(&output), 4);
    assert!(
        err(&output).contains("nothing is violated in it"),
        "{}",
        err(&output)
    );
    let untold = printed(&[
        "matrix",
        "--preset",
        "at-most-once",
        "--fault-class",
        "process",
    ]);
    let output = replay_bytes(untold.as_bytes(), &[]);
    assert_eq!(code(&output), 4);
    assert!(
        err(&output).contains("only with --trace"),
        "{}",
        err(&output)
    );
}

#[test]
fn what_is_no_trace_is_refused_with_the_place_and_what_to_do() {
    let cases: [(&[u8], &str); 6] = [
        (
            b"",
            "it is empty; a trace is what 'semel check --format json' prints",
        ),
        (b"name = \"payments\"\n", "line 1, column 2: it is not JSON"),
        (b"{\"format\": \"junit\"}", "its \"format\" is \"junit\""),
        (b"[1, 2]", "its \"format\" is missing"),
        (b"\xff\xfe{\0}\0", "not UTF-8"),
        (
            b"{\"format\": \"semel-verdicts\", \"version\": 7, \"designs\": []}",
            "made by a newer semel: \"semel-verdicts\" has version 7, and this one reads version 1",
        ),
    ];
    for (bytes, said) in cases {
        let output = replay_bytes(bytes, &[]);
        assert_eq!(code(&output), 2, "{said}");
        let complaint = err(&output);
        assert!(
            complaint.starts_with("semel: standard input: "),
            "{complaint}"
        );
        assert!(complaint.contains(said), "{complaint}");
        assert!(out(&output).is_empty());
    }
    let with_mark = [
        b"\xef\xbb\xbf",
        &*std::fs::read(fixture("trace-v1-stuck")).expect("it"),
    ]
    .concat();
    assert_eq!(
        code(&replay_bytes(&with_mark, &[])),
        0,
        "a byte order mark is passed over"
    );
}

#[test]
fn traces_of_a_newer_version_and_damaged_ones_are_refused_with_the_reason() {
    for (name, said) in [
        (
            "trace-v2-newer",
            "made by a newer semel: \"semel-trace\" has version 2, and this one reads version 1",
        ),
        ("trace-cut", "line 61, column 0: it is not JSON"),
        (
            "trace-changed-by-hand",
            "steps[4].parameters.operation: invalid type: integer `0`, expected a string",
        ),
    ] {
        let output = replay(name, &[]);
        assert_eq!(code(&output), 2, "{name}");
        assert!(
            err(&output).contains(&format!("{name}.json: ")),
            "{}",
            err(&output)
        );
        assert!(err(&output).contains(said), "{}", err(&output));
        assert!(out(&output).is_empty());
    }
}

#[test]
fn a_wrong_field_is_named_by_its_path() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 9] = [
        (
            |trace| trace["version"] = json!("1"),
            "version: it should be a number",
        ),
        (
            |trace| trace["guarantee"] = json!("no-los"),
            "guarantee: there is no guarantee \"no-los\"",
        ),
        (
            |trace| trace["loops_from"] = json!(99),
            "loops_from: the loop begins behind the last step",
        ),
        (
            |trace| trace["bound"]["records"] = json!(70_000),
            "bound.records: invalid value",
        ),
        (
            |trace| {
                drop(
                    trace
                        .as_object_mut()
                        .expect("an object")
                        .shift_remove("steps"),
                )
            },
            "missing field `steps`",
        ),
        (
            |trace| trace["bound"]["records"] = json!(0),
            "bound.records: 0 is out of range: between 1 and 10000",
        ),
        (
            |trace| trace["bound"]["retries"] = json!(1),
            "bound.retries: the trace was recorded with 1, and its design means 2 in this version",
        ),
        (
            |trace| trace["bound"]["faults"] = json!({ "weather": 1 }),
            "bound.faults: there is no fault \"weather\"",
        ),
        (
            |trace| trace["bound"]["faults"] = json!({ "consumer-crash.fetch": 1 }),
            "bound.faults: there is no fault \"consumer-crash.fetch\"",
        ),
    ];
    for (change, said) in cases {
        let output = replay_changed("trace-v1-consumer-crash", change);
        assert_eq!(code(&output), 2, "{said}");
        assert!(err(&output).contains(said), "{}", err(&output));
    }
}

#[test]
fn a_design_that_is_refused_is_shown_with_its_place() {
    let output = replay_changed("trace-v1-consumer-crash", |trace| {
        let text = trace["design"]["text"].as_str().expect("text");
        trace["design"]["text"] = json!(text.replace("process -> commit", "proces -> commit"));
    });
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("refuses the design that the trace carries"),
        "{}",
        err(&output)
    );
    assert!(
        err(&output).contains("there is no step `proces`"),
        "{}",
        err(&output)
    );
    assert!(
        err(&output).contains("at-least-once.toml:"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_file_that_cannot_be_read_ends_in_5() {
    let says = |file: &str| {
        let output = semel(Path::new("."), &["replay", file]);
        assert_eq!(code(&output), 5, "{file}");
        err(&output).to_string()
    };
    assert!(says("absent.json").contains("'semel check --format json' prints traces"));
    assert!(
        says("tests").contains("tests is a folder"),
        "{}",
        says("tests")
    );
}

#[test]
fn a_real_kafka_is_refused_by_name() {
    for arguments in [
        &["--bootstrap-server", "localhost:9092"][..],
        &["--bootstrap-server=localhost:9092"],
    ] {
        let output = replay("trace-v1-consumer-crash", arguments);
        assert_eq!(code(&output), 2);
        let said = "the option '--bootstrap-server' is not built yet; there is no replay on a real Kafka yet";
        assert!(err(&output).contains(said), "{}", err(&output));
    }
}
