//! Whole designs on real files and in a real database: what the model says of them is so there.
//!
//! A failure is saved as a trace, with the command that replays it. `SEMEL_CASES` multiplies the
//! number of runs.

#[path = "lab_runs/agreement.rs"]
mod agreement;
#[path = "lab_runs/killed.rs"]
mod killed;
#[path = "lab_runs/long.rs"]
mod long;
#[path = "lab_runs/play.rs"]
mod play;
#[path = "lab_runs/policies.rs"]
mod policies;
#[path = "support/mod.rs"]
mod support;
