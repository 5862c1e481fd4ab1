//! The designs that tests run over.

use semel::Design;
use semel::presets::{self, PRESETS};
use std::path::PathBuf;

/// Every preset.
pub fn preset_designs() -> Vec<Design> {
    let read = |preset| presets::design(preset).expect("a preset is a design");
    PRESETS.iter().map(read).collect()
}

/// Every design of `tests/derived`, in the order of their names.
pub fn derived_designs() -> Vec<Design> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/derived");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    let read = |file: &PathBuf| Design::read(file).unwrap_or_else(|error| panic!("{error:?}"));
    files.iter().map(read).collect()
}
