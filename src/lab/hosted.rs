//! Which designs runs on real files can take.

use semel_models::fault::Fault;
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
/// assert_eq!(not_hosted(design.pipeline()), Some("the fault compaction"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn not_hosted(pipeline: &Pipeline) -> Option<&'static str> {
    let met = |fault: Fault| pipeline.faults.contains(fault);
    // The log's files have no gaps and no transactions, and are those of one partition of
    // one topic.
    if met(Fault::Compaction) {
        Some("the fault compaction")
    } else if met(Fault::TopicRecreate) {
        Some("the fault topic-recreate")
    } else if met(Fault::AddPartition) {
        Some("the fault add-partition")
    } else if pipeline.producer.is_transactional() {
        Some("source = \"transaction\"")
    } else {
        None
    }
}
