//! The designs that come with semel.

use crate::design::{Design, DesignError};
pub use semel_models::presets::{PRESETS, Preset};

/// The preset with this name.
pub fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// Reads a preset as a design.
pub fn design(preset: &Preset) -> Result<Design, DesignError> {
    Design::parse(&format!("{}.toml", preset.name), preset.text.as_bytes())
}

/// What to say when there is no preset of this name.
pub(crate) fn unknown(name: &str) -> String {
    let nearest = crate::nearest(name, PRESETS.iter().map(|preset| preset.name));
    let hint = nearest.map_or(String::new(), |known| format!(" did you mean '{known}'?"));
    format!("there is no preset '{name}';{hint} 'semel list presets' lists them")
}
