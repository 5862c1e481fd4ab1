//! Which designs runs on real files can take.

use semel_models::pipeline::Pipeline;

/// What `pipeline` asks for that runs on real files do not know yet; `None`: they know everything
/// that it asks for.
///
/// ```
/// use semel::{Design, lab::not_hosted};
///
/// let design = Design::parse("payments.toml", b"
///     [producer]
///     transactional.id = 'payments'
///     [consumer]
///     enable.auto.commit = false
///     auto.offset.reset = 'earliest'
///     [application]
///     source = 'transaction'
///     order = 'process -> commit'
///     [faults]
///     abort = 1
/// ")?;
/// assert_eq!(not_hosted(design.pipeline()), Some("source = \"transaction\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn not_hosted(pipeline: &Pipeline) -> Option<&'static str> {
    // The log's files have no transactions.
    if pipeline.producer.is_transactional() {
        return Some("source = \"transaction\"");
    }
    None
}
