//! The two hosts of the model reach the same final ledgers.

#[path = "../models/tests/common/hosts.rs"]
mod hosts;
mod support;

use semel::Design;
use semel_models::actors::covers;
use std::collections::HashSet;
use std::time::Instant;
use support::{derived_designs, preset_designs};

/// Compares the hosts on these designs, cut down; returns on how many.
fn compare(designs: &[Design], records: u8, total: u8, limit: usize) -> usize {
    let mut seen = HashSet::new();
    let mut compared = 0;
    let mut differing = Vec::new();
    for design in designs {
        let pipeline = hosts::cut(design.pipeline(), records, total);
        if !covers(&pipeline) || !seen.insert(format!("{pipeline:?}")) {
            continue;
        }
        let start = Instant::now();
        let Some((actors, states)) = hosts::of_actors(&pipeline, limit) else {
            eprintln!("{} too large {:?}", design.name(), start.elapsed());
            continue;
        };
        let took = start.elapsed();
        let cluster = hosts::of_cluster(&pipeline);
        eprintln!("{} {states} states {} ledgers {took:?} {:?}", design.name(), actors.len(), start.elapsed());
        compared += 1;
        if let Some(difference) = hosts::difference(&cluster, &actors) {
            differing.push(format!("{}: {difference}", design.name()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    compared
}

#[test]
fn both_hosts_reach_the_same_final_ledgers_of_one_record() {
    let designs = [preset_designs(), derived_designs()].concat();
    let compared = compare(&designs, 1, 1, 1_000_000);
    assert!(compared >= 10, "{compared}");
}

#[test]
fn both_hosts_reach_the_same_final_ledgers_of_two_records() {
    let designs = [preset_designs(), derived_designs()].concat();
    let compared = compare(&designs, 2, 1, 1_000_000);
    assert!(compared >= 10, "{compared}");
}

#[test]
fn both_hosts_reach_the_same_final_ledgers_after_two_faults() {
    let designs = [preset_designs(), derived_designs()].concat();
    let compared = compare(&designs, 1, 2, 1_000_000);
    assert!(compared >= 10, "{compared}");
}

#[test]
fn both_hosts_reach_the_same_final_ledgers_of_two_two() {
    let designs = [preset_designs(), derived_designs()].concat();
    let compared = compare(&designs, 2, 2, 3_000_000);
    assert!(compared >= 10, "{compared}");
}
