//! Verdicts come from one order of commuting steps; runs are as short as any order makes them.

use semel::{CheckOptions, Design, Guarantee, check};

/// Its shortest run takes a search that stores more states than its verdicts do.
const DESIGN: &str = r#"
[producer]
acks = "all"
enable.idempotence = true
max.in.flight.requests.per.connection = 2

[consumer]
auto.offset.reset = "earliest"
enable.auto.commit = true

[application]
order = "process -> save-offset"
on-send-failure = "resend"

[faults]
request-delayed.produce = 1

[bounds]
records = 2
retries = 1
"#;

fn in_order(max_states: Option<u64>) -> (usize, bool, Option<semel::verdict::Stop>) {
    let design = Design::parse("late.toml", DESIGN.as_bytes()).expect("a design");
    let mut options = CheckOptions::default();
    options.max_states = max_states;
    let verdicts = check(&design, &options).expect("within the model's limits");
    let trace = verdicts.of(Guarantee::InOrder).trace().expect("violated");
    (trace.steps().len(), trace.is_shortest(), verdicts.stop())
}

#[test]
fn a_run_is_told_to_be_the_shortest_only_where_shorter_ones_were_looked_for() {
    assert_eq!(in_order(None), (13, true, None));
    let (steps, is_shortest, stop) = in_order(Some(3_400));
    assert!(steps > 13 && !is_shortest, "the search for it was stopped");
    assert_eq!(stop, None, "the verdict was not");
}

/// One run ends in a state that is stuck; another, whose loop lies nearer, takes longer to tell.
#[test]
fn of_a_run_that_ends_and_one_without_end_the_shorter_is_told() {
    let text = r#"
[producer]
acks = "all"

[consumer]
enable.auto.commit = false
auto.offset.reset = "none"

[application]
order = "process -> commit"
on-process-failure = { attempts = 2, then = "retry-topic" }

[faults]
consumer-pause = 1
poison = 1
total = 1

[bounds]
records = 1
"#;
    let design = Design::parse("both.toml", text.as_bytes()).expect("a design");
    let verdicts = check(&design, &CheckOptions::default()).expect("within the model's limits");
    let steps = |guarantee| {
        let trace = verdicts.of(guarantee).trace().expect("violated");
        trace.steps().len()
    };
    assert_eq!(steps(Guarantee::ExactlyOnceEffect), 6);
    assert_eq!(steps(Guarantee::Progress), 6);
}
