//! semel

pub mod design;
