//! The Stateright models behind semel. An internal crate: its interface follows semel's needs.
//!
//! Pure: no file, clock, socket, thread or random number. Each actor is one file of step functions
//! over a small state of plain values; [`cluster::Cluster`] composes them.

pub mod action;
pub mod actors;
pub mod application;

pub mod broker;
pub mod catalogue;
pub mod cluster;
pub mod codec;
pub mod consumer;
pub mod dedup;
pub mod fault;
pub mod group_coordinator;
pub mod guarantee;
pub mod journal;
pub mod ledger;
pub mod limbo;
pub mod limits;
pub mod list;
pub mod offset;
pub mod order;
pub mod outbox;
pub mod output;
pub mod partitions;
pub mod pipeline;
pub mod presets;
pub mod producer;
pub mod program;
pub mod reference;
pub mod replication;
pub mod retries;
pub mod rules;
pub mod set;
pub mod sink;
pub mod source;
pub mod store;
pub mod subject;
pub mod transaction_coordinator;
