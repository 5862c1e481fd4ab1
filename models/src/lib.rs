//! The Stateright models behind semel. An internal crate: its interface follows semel's needs.

pub mod reference;
pub mod subject;
