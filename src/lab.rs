//! The lab: designs run on real things instead of the model, by the same code.

pub mod judge;
pub mod sink;
