//! What the model says of a design, the harness says of a consumer that does the same.

use super::script::Script;
use semel::Guarantee::{ExactlyOnceEffect, InOrder, NoDuplicates, NoLoss, NoPhantom};
use semel::{CheckOptions, Design, Guarantee, Verdict, check};

const JUDGED: [Guarantee; 5] = [NoLoss, NoDuplicates, ExactlyOnceEffect, InOrder, NoPhantom];

fn verdicts_of_the_model(order: &'static str, faults: &str, instances: u32) -> Vec<Guarantee> {
    let covers = if order.starts_with("each") || order.contains("async") {
        "position"
    } else {
        "next"
    };
    let design = format!(
        "[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [application]\norder = \"{order}\"\ncommit-covers = \"{covers}\"\ninstances = {instances}\n\
         [faults]\n{faults}\n[bounds]\nrecords = 2\n"
    );
    let design = Design::parse("script.toml", design.as_bytes()).expect("a design");
    let verdicts = check(&design, &CheckOptions::default()).expect("within the limits");
    let mut violated = JUDGED.to_vec();
    violated.retain(|guarantee| verdicts.of(*guarantee) != &Verdict::Holds);
    violated
}

fn verdicts_of_the_harness(order: &'static str, pauses: u32) -> Vec<Guarantee> {
    let report = semel::harness(Script(order))
        .records(1..=2)
        .crashes(0..=1 - pauses)
        .pauses(0..=pauses)
        .lost_requests(0..=0)
        .lost_answers(0..=0)
        .try_check(&JUDGED)
        .expect("a verdict");
    assert_eq!(report.extent(), &semel::harness::Extent::All);
    let mut violated = JUDGED.to_vec();
    violated.retain(|guarantee| report.violation(*guarantee).is_some());
    violated
}

const ORDERS: [&str; 8] = [
    "commit -> process",
    "process -> commit",
    "each(process) -> commit",
    "each(process) -> commit-async",
    "skip-if-seen -> process -> remember -> commit",
    "skip-if-seen -> remember -> process -> commit",
    "db[process, remember] -> commit",
    "process -> commit-async",
];

#[test]
fn a_crash_breaks_what_it_breaks_in_the_model() {
    for order in ORDERS {
        let model = verdicts_of_the_model(order, "consumer-crash = 1", 1);
        assert_eq!(verdicts_of_the_harness(order, 0), model, "{order}");
    }
}

#[test]
fn a_zombie_breaks_what_it_breaks_in_the_model() {
    for order in ORDERS {
        let model = verdicts_of_the_model(order, "consumer-pause = 1", 2);
        assert_eq!(verdicts_of_the_harness(order, 1), model, "{order}");
    }
}
