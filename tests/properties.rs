//! The checker over random designs from the whole language.
//!
//! Each property is tried on designs drawn at random, and on every design in `tests/regressions`.
//! A failure prints the shrunk design as text. `SEMEL_CASES` multiplies the number of designs.

#[path = "properties/brute.rs"]
mod brute;
#[path = "properties/budgets.rs"]
mod budgets;
#[path = "properties/chain.rs"]
mod chain;
#[path = "support/databases.rs"]
mod databases;
#[path = "support/designs/mod.rs"]
mod designs;
#[path = "properties/engines.rs"]
mod engines;
#[path = "support/findings.rs"]
mod findings;
#[path = "properties/lab.rs"]
mod lab;
#[path = "properties/mends.rs"]
mod mends;
#[path = "properties/packing.rs"]
mod packing;
#[path = "properties/partitions.rs"]
mod partitions;
#[path = "properties/records.rs"]
mod records;
#[path = "properties/reductions.rs"]
mod reductions;
#[path = "properties/replays.rs"]
mod replays;
#[path = "properties/replicas.rs"]
mod replicas;
#[path = "properties/results.rs"]
mod results;
#[path = "properties/runs.rs"]
mod runs;
#[path = "support/shell.rs"]
mod shell;
#[path = "properties/texts.rs"]
mod texts;
#[path = "properties/transactions.rs"]
mod transactions;
#[path = "support/trials.rs"]
mod trials;
