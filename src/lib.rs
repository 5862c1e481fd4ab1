//! semel

pub mod explore;
