//! The harness for a user's own consumer and producer.

#[cfg(feature = "tokio")]
#[path = "harness/asynchronous.rs"]
mod asynchronous;
#[path = "harness/bounds.rs"]
mod bounds;
#[path = "harness/children.rs"]
mod children;
#[path = "harness/clients.rs"]
mod clients;
#[path = "harness/misuse.rs"]
mod misuse;
#[path = "harness/model.rs"]
mod model;
#[path = "harness/replicas.rs"]
mod replicas;
#[path = "harness/reports.rs"]
mod reports;
#[path = "harness/script.rs"]
mod script;
#[path = "harness/search.rs"]
mod search;
#[path = "harness/transactions.rs"]
mod transactions;
