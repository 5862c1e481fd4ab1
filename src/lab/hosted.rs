//! Which designs runs on real files can take.

use semel_models::pipeline::Pipeline;

/// What `pipeline` asks for that runs on real files do not know yet; `None`: they know everything
/// that it asks for.
///
/// ```
/// use semel::{Design, lab::not_hosted};
///
/// let design = Design::parse("table.toml", b"
///     [topic]
///     cleanup.policy = 'compact'
///     [consumer]
///     enable.auto.commit = false
///     auto.offset.reset = 'earliest'
///     [application]
///     order = 'process -> commit'
///     [faults]
///     compaction = 1
/// ")?;
/// assert_eq!(not_hosted(design.pipeline()), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn not_hosted(pipeline: &Pipeline) -> Option<&'static str> {
    // The output topic's file is that of one replica, which nothing strikes.
    pipeline
        .strikes_results()
        .then_some("results beside faults of brokers")
}
