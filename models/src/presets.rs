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

presets! {
    "at-most-once": "commit, then process: a crash in between loses the record",
    "at-least-once": "process, then commit: a crash in between repeats the record",
    "commit-per-poll": "process every record of a poll, then commit once",
    "dedup-in-transaction": "the effect and a unique mark in one database transaction, then commit",
    "dedup-look-up-only": "look up, process, remember, each on its own",
    "dedup-in-memory": "the dedup store in the consumer's memory",
    "offsets-in-database": "the effect and the next offset in one database transaction",
    "fire-and-forget": "acks=0: nobody hears of what is lost",
    "retrying-producer": "acks=all with retries and without idempotence",
    "idempotent-producer": "acks=all, retries and idempotence",
    "payment-platform": "a resending idempotent producer, and dedup in the balance's transaction",
}
