//! Runs told, written, read and taken again.

use proptest::prelude::*;
use semel::replay::{Outcome, replay};
use semel::trace::{Choice, Runs, Step};
use semel::{CheckOptions, Design, Guarantee, check};
use semel_models::cluster::Cluster;

use crate::brute::steps;
use crate::designs::{Chain, any_chain};
use crate::trials::{MOST_STATES, Trial, too_large, try_designs, try_kind};

#[test]
fn each_trace_replays_to_the_recorded_changes_and_its_violation() {
    try_designs(60, replays);
    try_kind(20, any_chain(Chain::Any), replays);
}

/// Whether every trace of a design is read as it was written, and taken again.
fn replays(design: &Design) -> Trial {
    let mut options = CheckOptions::default();
    options.max_states = Some(MOST_STATES);
    let verdicts = check(design, &options).map_err(|_| too_large())?;
    if verdicts.unique_states() >= MOST_STATES {
        return Err(too_large());
    }
    let cluster = Cluster::new(design.pipeline().clone())
        .expect("as before")
        .for_telling();
    for guarantee in Guarantee::ALL {
        let Some(trace) = verdicts.of(guarantee).trace() else {
            continue;
        };
        let text = serde_json::to_vec(trace).expect("JSON");
        let read = Runs::parse("told.json", &text).and_then(|runs| runs.choose(&Choice::default()));
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.steps(), trace.steps());
        let replayed = replay(&read).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let violation = trace.violation().to_string();
        prop_assert_eq!(replayed.outcome(), &Outcome::AsRecorded { violation });
        let told: Vec<Step> = replayed
            .steps()
            .iter()
            .map(|step| step.told().clone())
            .collect();
        prop_assert_eq!(&told[..], trace.steps());
        let mut before = replayed.start().clone();
        for step in replayed.steps() {
            let taken = (step.action(), step.after().clone());
            prop_assert!(steps(&cluster, &before).contains(&taken), "{:?}", taken.0);
            before = taken.1;
        }
    }
    Ok(())
}
