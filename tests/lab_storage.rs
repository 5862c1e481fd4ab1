//! The lab's storage under every crash: real files, random schedules.
//!
//! Each property is tried on schedules drawn at random, the same ones each time. `SEMEL_CASES`
//! multiplies their number and draws new ones.

#[path = "lab_storage/cleaning.rs"]
mod cleaning;
#[path = "lab_storage/crashes.rs"]
mod crashes;
#[path = "lab_storage/flaws.rs"]
mod flaws;
#[path = "lab_storage/killed.rs"]
mod killed;
#[path = "lab_storage/model.rs"]
mod model;
#[path = "lab_storage/replicas.rs"]
mod replicas;
#[path = "lab_storage/retention.rs"]
mod retention;
#[path = "lab_storage/transactions.rs"]
mod transactions;
#[path = "lab_storage/tries.rs"]
mod tries;
