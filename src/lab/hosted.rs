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
/// assert_eq!(not_hosted(design.pipeline()), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn not_hosted(pipeline: &Pipeline) -> Option<&'static str> {
    // The log's files are those of one partition.
    let grows = pipeline.faults.contains(Fault::AddPartition);
    let has_two = pipeline.bounds.partitions > 1;
    let unknown = [
        (has_two, "partitions = 2"),
        (grows, "the fault add-partition"),
        // The output topic's file is that of one replica, which nothing strikes.
        (
            pipeline.strikes_results(),
            "results beside faults of brokers",
        ),
    ];
    unknown
        .into_iter()
        .find_map(|(asked, what)| asked.then_some(what))
}
