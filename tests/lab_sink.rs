//! The sink in a real database, and the judge over its rows.

#[path = "lab_sink/bench.rs"]
mod bench;
#[path = "lab_sink/both.rs"]
mod both;
#[path = "lab_sink/crashes.rs"]
mod crashes;
#[path = "lab_sink/draws.rs"]
mod draws;
