//! The designs that come with semel: one table.

/// A design that a user may check by name, or copy.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it shows, in one line.
    pub summary: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal: $summary:literal,)*) => {
        /// Every preset, in the order in which they are listed.
        pub const PRESETS: &[Preset] = &[
            $(Preset {
                name: $name,
                summary: $summary,
                text: include_str!(concat!("../designs/", $name, ".toml")),
            },)*
        ];
    };
}

presets! {}
