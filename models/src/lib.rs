//! The Stateright models behind semel. An internal crate: its interface follows semel's needs.

pub mod fault;
pub mod guarantee;
pub mod order;
pub mod pipeline;
pub mod subject;
