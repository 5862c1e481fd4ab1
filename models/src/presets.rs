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
    "metrics-dashboard": "a point may be missing, and never counts twice: acks=0, commit, then process",
    "financial-ledger": "entry, identity and offset in one transaction, by two consumers: all six guarantees",
    "notification-system": "a provider outside that does not recognise repeats: every message, some twice",
    "fraud-detection": "everything is examined, in order, and some of it twice",
    "inventory": "last write wins, with the change's identity in the same transaction",
    "offsets-in-database-two-instances": "offsets in the database and a second consumer, which nothing keeps apart",
    "offsets-in-database-fenced": "the same with a database that refuses an older generation",
    "auto-commit-java": "Java's automatic commit around a loop that handles before it polls again",
    "auto-commit-librdkafka": "librdkafka's defaults: what was handed over is committed, handled or not",
    "librdkafka-at-least-once": "librdkafka's background commit of what the application stored after handling",
    "workers-highest": "two threads, and a commit of the highest finished offset",
    "workers-contiguous": "two threads, and a commit up to the first record that is not finished",
    "outbox": "a row in the same transaction, published by a relay, with dedup by the row's identity",
    "dual-write": "the database commits, then the record is sent: a crash in between loses it",
    "consume-transform-produce": "a result in another topic, then commit: a crash in between writes it twice",
    "exactly-once-topic-to-topic": "result and offset in one Kafka transaction, by two instances: all six guarantees",
    "skip-on-failure": "a record that cannot be handled is passed over",
    "dead-letter": "a record that cannot be handled goes to the dead-letter topic, then its offset is committed",
}
