//! What each format prints for the same verdicts: one of every kind, under names that are markup in
//! each of them.

use super::*;
use crate::design::Expected;
use crate::mend::Mends;
use crate::trace::Trace;
use crate::verdict::{Judgement, Stop, Verdict, WitnessReport};
use insta::assert_snapshot;
use semel_models::guarantee::Guarantee;
use std::time::Duration;

const NAME: &str = "pay|ments <v1>; #2 & \"co\"";

/// A run of two steps; `loops` from the second.
fn run(guarantee: &str, loops: bool) -> Trace {
    let trace = serde_json::json!({
        "format": "semel-trace", "version": 1,
        "design": { "name": NAME, "file": "pay.toml", "text": "" },
        "bound": bound(),
        "guarantee": guarantee,
        "steps": [
            { "actor": "application", "action": "send", "parameters": {}, "fault": null,
              "sentence": "The application sends r0; it is <first>.", "change": [] },
            { "actor": "consumer", "action": "crash", "parameters": {},
              "fault": "consumer-crash", "sentence": "The consumer dies & forgets [r0].",
              "change": [{ "fact": "consumer", "before": "up", "after": "down" }] },
            { "actor": "consumer", "action": "operate", "parameters": {}, "fault": null,
              "sentence": "db[process, remember]: the effect of r0 takes place.", "change": [] },
            { "actor": "group coordinator", "action": "unheard-of", "parameters": {},
              "fault": null, "sentence": "Something new happens.", "change": [] }
        ],
        "loops_from": loops.then_some(2),
        "violation": "r0: lost; and that is 100% of it."
    });
    serde_json::from_value(trace).expect("a trace")
}

fn bound() -> crate::trace::Bound {
    crate::trace::Bound {
        records: 1,
        partitions: 1,
        keys: 1,
        poll: 1,
        retries: 2,
        faults: [("consumer-crash".to_string(), 1)].into(),
        total: 1,
    }
}

/// One judgement of each kind.
fn verdicts() -> Verdicts {
    let violated = |name, loops| Verdict::Violated(Box::new(run(name, loops)));
    let judgement = |guarantee, verdict, expected: Option<Expected>| Judgement {
        guarantee,
        verdict,
        required: expected == Some(Expected::Holds),
        expected,
        asked_in_line: expected.map(|_| 3),
        fewest_faults: None,
    };
    let (holds, broken) = (Some(Expected::Holds), Some(Expected::Violated));
    Verdicts {
        name: NAME.into(),
        file: "pay.toml".into(),
        bound: bound(),
        unique_states: 1_234,
        transitions: 5_678,
        depth: 9,
        decided_after: Duration::from_millis(1_500),
        elapsed: Duration::from_millis(4_000),
        state_bytes: 8,
        memory_bytes: 4_096,
        judgements: vec![
            judgement(Guarantee::NoLoss, violated("no-loss", false), holds),
            judgement(Guarantee::NoDuplicates, Verdict::Holds, holds),
            judgement(
                Guarantee::ExactlyOnceEffect,
                violated("exactly-once-effect", false),
                broken,
            ),
            judgement(Guarantee::InOrder, Verdict::Undecided, holds),
            judgement(Guarantee::NoPhantom, Verdict::Undecided, None),
            judgement(Guarantee::Progress, violated("progress", true), None),
        ],
        witnesses: vec![WitnessReport {
            name: "consumer-crash".into(),
            reached: false,
            without_effect: false,
        }],
        final_states: 2,
        final_states_with_failed: 0,
        most_lost: 1,
        stop: Some(Stop::States),
        imported: Vec::new(),
        derived: Vec::new(),
        warnings: Vec::new(),
        mends: Mends::Tried(Vec::new()),
    }
}

fn printed(format: Format) -> String {
    let mut out = Vec::new();
    let mut report = super::verdicts(format, Detail::Normal);
    report.add(&mut out, verdicts()).expect("memory");
    report.finish(&mut out).expect("memory");
    let text = String::from_utf8(out).expect("text");
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn text_is_for_people() {
    assert_snapshot!(printed(Format::Text));
}

#[test]
fn markdown_is_fit_for_a_pull_request() {
    assert_snapshot!(printed(Format::Markdown));
}

#[test]
fn mermaid_draws_each_run() {
    assert_snapshot!(printed(Format::Mermaid));
}

#[test]
fn github_has_an_annotation_for_what_is_not_as_asked() {
    assert_snapshot!(printed(Format::Github));
}

#[test]
fn junit_has_a_case_per_guarantee() {
    assert_snapshot!(printed(Format::Junit));
}

#[test]
fn junit_fails_only_where_the_exit_code_does() {
    let report = quick_junit::Report::deserialize_from_str(&printed(Format::Junit));
    let report = report.expect("JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (6, 1, 1));
    let suite = &report.test_suites[0];
    assert_eq!(
        suite.name.as_str(),
        NAME,
        "what is markup comes back as it was"
    );
    let skipped = suite
        .test_cases
        .iter()
        .filter(|case| matches!(case.status, quick_junit::TestCaseStatus::Skipped { .. }));
    assert_eq!(skipped.count(), 1, "undecided, and nobody asked");
}

#[test]
fn every_statement_of_a_diagram_is_one_that_mermaid_has() {
    let text = printed(Format::Mermaid);
    let diagrams = text.lines().filter(|line| *line == "sequenceDiagram");
    assert_eq!(diagrams.count(), 3, "one per violated guarantee");
    for line in text.lines().filter(|line| !line.is_empty()) {
        let statement = line.trim_start();
        let known = ["%% ", "title ", "participant ", "Note over ", "loop ", "p"];
        let known = known.iter().any(|start| statement.starts_with(start))
            || ["sequenceDiagram", "end"].contains(&statement);
        assert!(known, "{line}");
        if !line.starts_with("%%") {
            let entities = statement.matches('#').count();
            assert_eq!(statement.matches(';').count(), entities, "{line}");
            assert!(
                !statement[2..]
                    .trim_start_matches(|c| c != ':')
                    .contains('<'),
                "{line}"
            );
        }
    }
}

#[test]
fn several_designs_stand_apart_and_json_is_one_document() {
    let mut out = Vec::new();
    let mut report = super::verdicts(Format::Json, Detail::Normal);
    for _ in 0..2 {
        report.add(&mut out, verdicts()).expect("memory");
    }
    assert!(out.is_empty(), "one document needs all designs");
    report.finish(&mut out).expect("memory");
    let document: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(document["designs"].as_array().map(Vec::len), Some(2));
}
