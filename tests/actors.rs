//! The two hosts of the model, its own and Stateright's `ActorModel`, reach the same ends.

#[path = "../models/tests/actors/hosts.rs"]
mod hosts;
mod support;

use semel_models::actors::{self, covers};
use semel_models::pipeline::Pipeline;
use std::collections::HashSet;
use support::{derived_designs, preset_designs};

/// The covered designs with at most so many records and faults of those that the actors know, each
/// once; with the name of the first that is cut down to it.
fn cut_designs(records: u16, total: u16) -> Vec<(String, Pipeline)> {
    let mut seen = HashSet::new();
    let mut cut = Vec::new();
    for design in [preset_designs(), derived_designs()].concat() {
        let pipeline = cut_down(design.pipeline(), records, total);
        let first = seen.insert(format!("{pipeline:?}"));
        if first && covers(&pipeline) {
            cut.push((design.name().to_string(), pipeline));
        }
    }
    cut
}

fn cut_down(pipeline: &Pipeline, records: u16, total: u16) -> Pipeline {
    let mut cut = pipeline.clone();
    cut.bounds.records = cut.bounds.records.min(records);
    cut.bounds.poll = cut.bounds.poll.min(records);
    cut.bounds.keys = cut.bounds.keys.min(records);
    let budget = &mut cut.faults;
    budget.entries.retain(|(key, _)| actors::spends(key.fault));
    budget.total = Some(budget.total.unwrap_or(total).min(total));
    cut
}

/// Compares the hosts; designs that take more than `limit` steps are left out. Returns how many
/// were compared.
fn compared(designs: &[(String, Pipeline)], limit: usize) -> usize {
    let mut compared = 0;
    for (name, pipeline) in designs {
        if let Some(actors) = hosts::of_actors(pipeline, limit) {
            let difference = hosts::difference(&hosts::of_cluster(pipeline), &actors);
            assert!(
                difference.is_none(),
                "{name}: {}",
                difference.unwrap_or_default()
            );
            compared += 1;
        }
    }
    compared
}

#[test]
fn both_hosts_reach_the_same_ends_of_one_record() {
    let designs = cut_designs(1, 2);
    let compared = compared(&designs, 1_000_000);
    assert_eq!(compared, designs.len(), "none is too large");
    assert!(compared > 100, "{compared} designs");
}

#[test]
fn both_hosts_reach_the_same_ends_of_two_records_and_a_fault() {
    let designs = cut_designs(2, 1);
    let compared = compared(&designs, 1_000_000);
    assert_eq!(compared, designs.len(), "none is too large");
    assert!(compared > 100, "{compared} designs");
}

#[test]
fn both_hosts_reach_the_same_ends_of_two_records_and_two_faults() {
    let compared = compared(&cut_designs(2, 2), 60_000);
    assert!(compared > 80, "{compared} designs");
}
